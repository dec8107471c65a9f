//! The operators of one deployment: which of them serves a number, and which of them a callback belongs to.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use tokio::sync::OnceCell;
use url::Url;

use super::{Operator, OperatorName, SettingError, Settings, discovery};
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::transport::{Deadline, Transport};

/// One operator without a name, or several with names (`OPERATORS`).
#[derive(Debug, Clone)]
pub struct Operators(Arc<[Member]>);

/// An operator of this deployment. One that has a discovery document can be called once that has been read.
#[derive(Debug)]
pub struct Member {
    settings: Settings,
    discovery_url: Option<Url>,
    redirect_uri: Option<Url>,
    /// Its own connections, so that no other operator can slow it down.
    transport: Transport,
    operator: OnceCell<Operator>,
    /// The last failure to read the document, and its time.
    failed: Mutex<Option<(Instant, Failure)>>,
}

/// The time for which a failure to read a discovery document is remembered, so that an operator that is down does not hold
/// up every request for it.
const REMEMBER_FAILURE: Duration = Duration::from_secs(2);

impl Operators {
    /// Creates the operators without calling them. `redirect_uri` is our own `REDIRECT_URI`, and `roots` are the
    /// certificates in `OPERATOR_CA_FILE`.
    ///
    /// # Errors
    /// The first setting that cannot be used. The settings of an operator with a discovery document are checked when the
    /// document is read.
    pub fn new(
        settings: Vec<Settings>,
        redirect_uri: Option<&Url>,
        roots: &[CertificateDer<'static>],
    ) -> Result<Self, Box<dyn Error>> {
        let shared = Transport::new(roots)?;
        let member = |settings: Settings| -> Result<Member, Box<dyn Error>> {
            let (discovery_url, transport) = (settings.discovery_url()?, shared.with_own_connections()?);
            let operator = match discovery_url {
                Some(_) => OnceCell::new(),
                None => OnceCell::from(Operator::new(transport.clone(), settings.profile(None, redirect_uri)?)),
            };
            let (redirect_uri, failed) = (redirect_uri.cloned(), Mutex::default());
            Ok(Member { settings, discovery_url, redirect_uri, transport, operator, failed })
        };
        settings.into_iter().map(member).collect::<Result<_, _>>().map(Self)
    }

    /// Reads the discovery documents: waits for the document of the only operator, and starts to read those of several in
    /// the background, because none of them may hold up or stop the others. A request that needs one waits for it, and
    /// reads it again if it could not be read.
    ///
    /// # Errors
    /// The only operator cannot be used.
    pub async fn discover(&self) -> Result<(), Failure> {
        if let Some(single) = self.single() {
            return single.operator.get_or_try_init(|| single.discovered()).await.map(drop);
        }
        for index in 0..self.0.len() {
            let operators = self.clone();
            tokio::spawn(async move {
                if let Some(member) = operators.0.get(index) {
                    // A failure has been logged.
                    let _ = member.operator.get_or_try_init(|| member.discovered()).await;
                }
            });
        }
        Ok(())
    }

    /// All operators.
    pub fn iter(&self) -> impl Iterator<Item = &Member> {
        self.0.iter()
    }

    /// The only operator; `None` if there are several.
    #[must_use]
    pub fn single(&self) -> Option<&Member> {
        self.0.first().filter(|member| member.name().is_none())
    }

    /// The operator whose callback ends in this name; without a name, the only one.
    #[must_use]
    pub fn at(&self, name: Option<&str>) -> Option<&Member> {
        self.iter().find(|member| member.name().map(OperatorName::as_str) == name)
    }

    /// The operator that serves a number: the one that was chosen by name, if one of its prefixes fits, else the one with
    /// the longest prefix that fits, and among several of those the default. The only operator serves every number.
    #[must_use]
    pub fn serving(&self, phone_number: &PhoneNumber, chosen: Option<&str>) -> Option<&Member> {
        if let Some(single) = self.single() {
            return Some(single);
        }
        let fitting = self.iter().filter_map(|member| Some((member.settings.longest_prefix(phone_number)?, member)));
        match chosen {
            Some(name) => fitting.map(|(_, member)| member).find(|member| member.is_named(name)),
            None => {
                fitting.max_by_key(|(length, member)| (*length, member.settings.is_default)).map(|(_, member)| member)
            }
        }
    }
}

impl Member {
    /// The name in `OPERATORS`; `None` for the only operator.
    #[must_use]
    pub fn name(&self) -> Option<&OperatorName> {
        self.settings.name.as_ref()
    }

    fn is_named(&self, name: &str) -> bool {
        self.name().is_some_and(|own| own.as_str() == name)
    }

    /// The operator, if it can be called without reading a document first.
    #[must_use]
    pub fn ready(&self) -> Option<&Operator> {
        self.operator.get()
    }

    /// The operator. Reads its discovery document if that could not be read at start-up.
    ///
    /// # Errors
    /// The document cannot be read.
    pub async fn operator(&self, deadline: Deadline) -> Result<&Operator, Failure> {
        if let Some(operator) = self.operator.get() {
            return Ok(operator);
        }
        // Boxed, because every request would pay for moving this large and rare future.
        let read = Box::pin(deadline.bound(self.operator.get_or_try_init(|| self.discovered()))).await;
        read.unwrap_or_else(|_| {
            Err(Failure::new(Outcome::OperatorTimeout, "the operator's discovery document was not read in time"))
        })
    }

    /// The operator that its discovery document describes, unless that could not be read a moment ago.
    async fn discovered(&self) -> Result<Operator, Failure> {
        let failed = || self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, failure)) = failed().clone().filter(|(at, _)| at.elapsed() < REMEMBER_FAILURE) {
            return Err(failure);
        }
        let operator = self.read_document().await;
        if let Err(failure) = &operator {
            if self.name().is_some() {
                tracing::error!(reason = failure.reason, "an operator cannot be used yet");
            }
            *failed() = Some((Instant::now(), failure.clone()));
        }
        operator
    }

    async fn read_document(&self) -> Result<Operator, Failure> {
        let metadata = match &self.discovery_url {
            Some(url) => {
                let unread = |error| Failure::new(Outcome::OperatorError, self.settings.located(error).to_string());
                Some(discovery::read(&self.transport, url).await.map_err(unread)?)
            }
            None => None,
        };
        let profile = self.settings.profile(metadata.as_ref(), self.redirect_uri.as_ref());
        let unusable = |error: SettingError| Failure::new(Outcome::Misconfigured, error.to_string());
        Ok(Operator::new(self.transport.clone(), profile.map_err(unusable)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The operators with these names and prefixes. A name with a `*` is a default.
    fn operators(table: &[(&str, &[&str])]) -> Operators {
        let settings = table.iter().map(|(name, prefixes)| Settings {
            name: OperatorName::parse(name.trim_end_matches('*')),
            prefixes: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
            is_default: name.ends_with('*'),
            base_url: Some("https://operator.example".to_owned()),
            ..Settings::default()
        });
        Operators::new(settings.collect(), None, &[]).unwrap()
    }

    #[test]
    fn longest_fitting_prefix_wins_and_a_name_chooses_among_those_that_fit() {
        let several = operators(&[
            ("es", &["+34"]),
            ("es-virtual", &["+3466", "+3467"]),
            ("es-new", &["+34"]),
            ("es-old*", &["+34"]),
            ("fr", &["+33", "+590"]),
            ("us", &["+1"]),
            ("ca", &["+1416", "+1647"]),
        ]);
        for (name, number, chosen, expected) in [
            ("the default of three", "+34600000001", None, Some("es-old")),
            ("a longer prefix", "+34660000001", None, Some("es-virtual")),
            ("the second prefix of a list", "+590690000001", None, Some("fr")),
            ("a longer prefix inside a country code", "+14165550100", None, Some("ca")),
            ("beside that longer prefix", "+14175550100", None, Some("us")),
            ("no operator", "+4915112345678", None, None),
            ("a number that only begins like a prefix", "+59115550100", None, None),
            ("by name, not the default", "+34600000001", Some("es-new"), Some("es-new")),
            ("by name, with the shorter prefix", "+34660000001", Some("es"), Some("es")),
            ("by the name of one that does not serve it", "+34600000001", Some("fr"), None),
            ("by the name of one whose longer prefix does not fit", "+34600000001", Some("es-virtual"), None),
            ("by an unknown name", "+34600000001", Some("it"), None),
            ("by an empty name", "+34600000001", Some(""), None),
        ] {
            let number = PhoneNumber::parse(number).unwrap();
            let found = several.serving(&number, chosen).and_then(Member::name).map(OperatorName::as_str);
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn only_operator_serves_every_number_whatever_name_is_given() {
        let single = Operators::new(vec![Settings::default()], None, &[]).unwrap();
        let number = PhoneNumber::parse("+4915112345678").unwrap();
        for chosen in [None, Some("es"), Some("")] {
            assert!(single.serving(&number, chosen).is_some_and(|member| member.name().is_none()), "{chosen:?}");
        }
        assert!(single.at(None).is_some() && single.at(Some("es")).is_none());
    }

    #[test]
    fn callback_belongs_to_the_operator_that_its_path_names() {
        let several = operators(&[("es", &["+34"]), ("fr", &["+33"])]);
        let at = |name| several.at(name).and_then(Member::name).map(OperatorName::as_str);
        assert_eq!([at(Some("es")), at(Some("fr")), at(Some("it")), at(None)], [Some("es"), Some("fr"), None, None]);
        assert!(several.single().is_none());
    }
}
