//! OAuth request parameters, from a query or a form.

/// The names and values in the order in which they were sent.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads `application/x-www-form-urlencoded`, which is also the format of a query.
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// The first value of a parameter. One without a value is treated as if it were not sent (RFC 6749 §3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|&(found, value)| found == name && !value.is_empty()).map(|(_, value)| value)
    }

    pub(crate) fn is_repeated(&self, name: &str) -> bool {
        self.iter().filter(|&(found, _)| found == name).count() > 1
    }

    /// The name of the first parameter that was sent more than once, which RFC 6749 §3.1 and §3.2 forbid.
    pub(crate) fn repeated(&self) -> Option<&str> {
        self.iter().map(|(name, _)| name).find(|name| self.is_repeated(name))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
