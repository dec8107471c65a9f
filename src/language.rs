//! The languages of the pages.

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `en`, also for users whose language is missing.
    English,
    /// `es`
    Spanish,
    /// `pt`
    Portuguese,
    /// `de`
    German,
}

impl Language {
    /// Every language; the first one is the default.
    pub const ALL: [Self; 4] = [Self::English, Self::Spanish, Self::Portuguese, Self::German];

    /// The BCP 47 tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
            Self::Portuguese => "pt",
            Self::German => "de",
        }
    }

    /// Looks a language range up (RFC 4647 §3.4): it is shortened from its end until it is one of ours.
    #[must_use]
    pub fn lookup(range: &str) -> Option<Self> {
        let mut range = range;
        loop {
            let ours = Self::ALL.into_iter().find(|language| range.eq_ignore_ascii_case(language.tag()));
            if ours.is_some() {
                return ours;
            }
            range = range.rsplit_once('-')?.0;
        }
    }
}
