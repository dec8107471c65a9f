//! Strings that never appear in a log: credentials, codes, tokens.

/// Declares string types whose `Debug` is `[redacted]`, which have no `Display`, and whose memory is
/// wiped on drop. Reading one takes a visible `.expose()`.
macro_rules! redacted_strings {
    ($($(#[$meta:meta])* $name:ident;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(zeroize::Zeroizing<String>);

        impl $name {
            /// Wraps a value unchanged.
            pub fn new(value: impl Into<String>) -> Self {
                Self(zeroize::Zeroizing::new(value.into()))
            }

            /// The value itself, for the one place that sends or checks it.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        redacted_debug!($name);
    )+};
}

pub(crate) use redacted_strings;
