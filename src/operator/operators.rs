//! The operators of one deployment: which of them serves a number, and which of them a callback belongs to.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use url::Url;

use super::discovery::{self, PATIENCE, PATIENCE_OF_OTHERS};
use super::{Operator, OperatorName, SettingError, Settings};
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
}

/// The reason an operator with a discovery document cannot be called.
enum Undiscovered {
    /// The document cannot be read or used. Another attempt may succeed.
    Document(SettingError),
    /// A setting of the owner's cannot be used.
    Setting(SettingError),
}

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
            Ok(Member { settings, discovery_url, redirect_uri: redirect_uri.cloned(), transport, operator })
        };
        settings.into_iter().map(member).collect::<Result<_, _>>().map(Self)
    }

    /// Reads the discovery documents, all at the same time.
    ///
    /// # Errors
    /// The only operator cannot be used, or a setting of one of several cannot. If the document of one of several cannot be
    /// read, that is logged, and the next request for this operator reads it again.
    pub async fn discover(&self) -> Result<(), SettingError> {
        let mut reads = JoinSet::new();
        for index in 0..self.0.len() {
            let operators = self.clone();
            reads.spawn(async move {
                let Some(member) = operators.0.get(index).filter(|member| member.operator.get().is_none()) else {
                    return Ok(());
                };
                let patience = if member.name().is_some() { PATIENCE_OF_OTHERS } else { PATIENCE };
                match member.operator.get_or_try_init(|| member.discovered(patience)).await {
                    Ok(_) => Ok(()),
                    Err(Undiscovered::Document(error)) if member.name().is_some() => {
                        tracing::error!(reason = error.to_string(), "an operator cannot be used yet");
                        Ok(())
                    }
                    Err(Undiscovered::Document(error) | Undiscovered::Setting(error)) => Err(error),
                }
            });
        }
        reads.join_all().await.into_iter().collect()
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
        let read = Box::pin(deadline.bound(self.operator.get_or_try_init(|| self.discovered(PATIENCE)))).await;
        let timed_out =
            || Failure::new(Outcome::OperatorTimeout, "the operator's discovery document was not read in time");
        read.map_err(|_| timed_out())?.map_err(|fault| match fault {
            Undiscovered::Document(error) => Failure::new(Outcome::OperatorError, error.to_string()),
            Undiscovered::Setting(error) => Failure::new(Outcome::Misconfigured, error.to_string()),
        })
    }

    async fn discovered(&self, patience: Duration) -> Result<Operator, Undiscovered> {
        let metadata = match &self.discovery_url {
            Some(url) => {
                let read = discovery::read(&self.transport, url, patience).await;
                Some(read.map_err(|error| Undiscovered::Document(self.settings.located(error)))?)
            }
            None => None,
        };
        let profile = self.settings.profile(metadata.as_ref(), self.redirect_uri.as_ref());
        Ok(Operator::new(self.transport.clone(), profile.map_err(Undiscovered::Setting)?))
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
