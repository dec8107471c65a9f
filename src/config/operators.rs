//! The operators: one from the variables about it, or several from `OPERATORS`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::variables::{Variables, bad};
use crate::operator::{OPERATORS, OperatorName, RETRIEVE_NUMBER, SettingError, Settings, member_of};
use crate::web::JsonMembers;

const EXAMPLE: &str =
    r#"expected a JSON object like {"es": {"prefixes": ["+34"], "operator": "telefonica-sandbox"}, "fr": {…}}"#;

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    /// The settings of each operator, as they are. [`Operators`](crate::operator::Operators) checks their values.
    pub(super) fn operators(&self) -> Result<Vec<Settings>, SettingError> {
        let Some(value) = self.get(OPERATORS) else {
            return Ok(vec![Settings::from_variables(|name| self.get(name))]);
        };
        self.warn_of_variables_without_effect();
        // serde's own message could quote the value, which may be a secret in the wrong place.
        let JsonMembers(entries) = serde_json::from_str::<JsonMembers<JsonMembers<Value>>>(&value).map_err(|e| {
            bad(OPERATORS, format!("not usable at line {}, column {}; {EXAMPLE}", e.line(), e.column()))
        })?;
        if entries.is_empty() {
            return Err(bad(OPERATORS, format!("has no operator; {EXAMPLE}")));
        }
        let mut operators: Vec<Settings> = Vec::new();
        for (name, JsonMembers(members)) in entries {
            let name = OperatorName::parse(&name).ok_or_else(|| {
                bad(OPERATORS, "has a name that is not 1 to 32 of a to z, 0 to 9 and -, such as movistar-es")
            })?;
            if operators.iter().any(|other| other.name.as_ref() == Some(&name)) {
                return Err(bad(OPERATORS, format!("has the name {name} twice")));
            }
            operators.push(self.operator(&name, members).map_err(|fault| bad(OPERATORS, format!("{name}{fault}")))?);
        }
        check_defaults(&operators)?;
        Ok(operators)
    }

    /// Warns of variables about the only operator. With several, each has its own.
    fn warn_of_variables_without_effect(&self) {
        let mut names = [vec!["CLIENT_ID"], variables()].concat();
        names.retain(|name| self.get(name).is_some());
        if !names.is_empty() {
            tracing::warn!(variables = names.join(", "), "OPERATORS is set, so these variables have no effect");
        }
    }

    /// The settings of one of several operators. A fault begins with the member that has it.
    fn operator(&self, name: &OperatorName, members: Vec<(String, Value)>) -> Result<Settings, String> {
        let mut unread = BTreeMap::new();
        for (member, value) in members {
            if unread.insert(member, value).is_some() {
                return Err(" has a member twice".to_owned());
            }
        }
        let prefixes = prefixes(unread.remove("prefixes"))?;
        let is_default = match unread.remove("default") {
            None => false,
            Some(Value::Bool(is_default)) => is_default,
            Some(_) => return Err(".default: not true or false".to_owned()),
        };
        let unread = RefCell::new(unread);
        let not_text = RefCell::new(None);
        let settings = Settings::from_variables(|variable| {
            if variable == RETRIEVE_NUMBER {
                // One setting for all operators.
                return self.get(variable);
            }
            let member = member_of(variable);
            match unread.borrow_mut().remove(&member) {
                None | Some(Value::Null) => None,
                Some(Value::String(text)) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
                Some(_) => {
                    not_text.replace(Some(member));
                    None
                }
            }
        });
        if let Some(member) = not_text.into_inner() {
            return Err(format!(".{member}: not text; write it in quotation marks"));
        }
        if let Some(member) = unread.into_inner().into_keys().next() {
            let known = variables().into_iter().map(member_of).collect::<Vec<_>>().join(", ");
            let shown = if member.len() <= 40 { member.as_str() } else { "a long name" };
            return Err(format!(" has an unknown member, {shown:?}; there are prefixes, default, {known}"));
        }
        Ok(Settings { name: Some(name.clone()), prefixes, is_default, ..settings })
    }
}

/// The variables about an operator. `RETRIEVE_NUMBER` is for all of them.
fn variables() -> Vec<&'static str> {
    let mut names = Vec::new();
    Settings::from_variables(|name| {
        names.extend(Some(name).filter(|name| *name != RETRIEVE_NUMBER));
        None
    });
    names
}

fn prefixes(value: Option<Value>) -> Result<Vec<String>, String> {
    const FAULT: &str = ".prefixes: must be a list of the beginnings of numbers, each a + and 1 to 15 digits of which the \
                         first is not 0, such as [\"+34\"]";
    let Some(Value::Array(values)) = value else { return Err(FAULT.to_owned()) };
    let is_prefix = |text: &str| {
        text.strip_prefix('+').is_some_and(|digits| {
            (1..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
        })
    };
    let prefixes: Option<Vec<_>> =
        values.into_iter().map(|value| value.as_str().filter(|text| is_prefix(text)).map(str::to_owned)).collect();
    let prefixes = prefixes.filter(|prefixes| !prefixes.is_empty()).ok_or_else(|| FAULT.to_owned())?;
    let distinct: BTreeSet<_> = prefixes.iter().collect();
    if distinct.len() == prefixes.len() { Ok(prefixes) } else { Err(".prefixes: has the same prefix twice".to_owned()) }
}

/// Checks that exactly one of the operators with the same prefix is the default.
fn check_defaults(operators: &[Settings]) -> Result<(), SettingError> {
    let mut by_prefix: BTreeMap<&str, Vec<&Settings>> = BTreeMap::new();
    for operator in operators {
        for prefix in &operator.prefixes {
            by_prefix.entry(prefix).or_default().push(operator);
        }
    }
    for (prefix, sharing) in by_prefix {
        let defaults = sharing.iter().filter(|operator| operator.is_default).count();
        if sharing.len() > 1 && defaults != 1 {
            let names: Vec<_> =
                sharing.iter().filter_map(|operator| operator.name.as_ref()).map(OperatorName::as_str).collect();
            let fault = format!(
                "has the prefix {prefix} in {}, {defaults} of which are the default; give exactly one of them \"default\": true",
                names.join(" and ")
            );
            return Err(bad(OPERATORS, fault));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::Operators;

    /// The line that says why the function does not start; `None` if it does.
    fn fault(operators: &str) -> Option<String> {
        let lookup = |name: &str| (name == OPERATORS).then(|| operators.to_owned());
        let settings = match (Variables { lookup }).operators() {
            Ok(settings) => settings,
            Err(error) => return Some(error.to_string()),
        };
        Operators::new(settings, None, &[]).err().map(|error| error.to_string())
    }

    #[test]
    fn usable_operators_start() {
        let every_member = r#"{"fr": {
            "prefixes": ["+33", "+590"], "default": false, "operator": "telefonica-sandbox", "base_url": "https://fr.example",
            "scope": "a b", "token_endpoint_auth_method": "client_secret_post", "issuer": "https://fr.example", "pkce": "off",
            "prompt": "none", "login_hint": "tel", "phone_number_format": "hashed", "retrieve_scope": "a c"
        }}"#;
        let own_endpoints = r#"{"fr": {"prefixes": ["+33"], "authorization_endpoint": "https://a.example/a",
            "token_endpoint": "https://b.example/t", "verify_endpoint": "https://c.example/v"}}"#;
        for (name, operators) in [
            ("one", r#"{"es": {"prefixes": ["+34"], "operator": "telefonica-sandbox"}}"#),
            ("every member", every_member),
            ("three endpoints", own_endpoints),
            (
                "a discovery document",
                r#"{"es": {"prefixes": ["+34"], "discovery_url": "https://es.example/document"}}"#,
            ),
            (
                "empty members",
                r#"{"es": {"prefixes": ["+34"], "scope": "", "issuer": null, "base_url": "https://es.example"}}"#,
            ),
            ("the longest prefix", r#"{"es": {"prefixes": ["+346000000011234"], "operator": "konera"}}"#),
            (
                "the same prefix with a default",
                r#"{"es": {"prefixes": ["+34"], "default": true, "operator": "konera"}, "es-2": {"prefixes": ["+34"], "operator": "konera"}}"#,
            ),
            (
                "a prefix inside another",
                r#"{"us": {"prefixes": ["+1"], "operator": "konera"}, "ca": {"prefixes": ["+1416"], "operator": "konera"}}"#,
            ),
        ] {
            assert_eq!(fault(operators), None, "{name}");
        }
    }

    #[test]
    fn members_are_the_variables_about_an_operator() {
        let lookup = |name: &str| match name {
            "OPERATORS" => Some(r#"{"es": {"prefixes": ["+34"], "issuer": " https://es.example "}}"#.to_owned()),
            "ISSUER" | "SCOPE" => Some("of the only operator".to_owned()),
            RETRIEVE_NUMBER => Some("on".to_owned()),
            _ => None,
        };
        let settings = (Variables { lookup }).operators().unwrap();
        let [es] = &settings[..] else { panic!("{settings:?}") };
        assert_eq!((es.issuer.as_deref(), es.scope.as_deref()), (Some("https://es.example"), None));
        assert_eq!(es.retrieve_number.as_deref(), Some("on"), "a setting for all");
        assert_eq!((&es.prefixes[..], es.is_default), (&["+34".to_owned()][..], false));
    }

    const PREFIXES: &str = "es.prefixes: must be a list of the beginnings of numbers, each a +";
    const NAME: &str = "has a name that is not 1 to 32 of a to z, 0 to 9 and -";

    fn es(member: &str) -> String {
        format!(r#"{{"es": {{"prefixes": ["+34"], {member}}}}}"#)
    }

    /// Checks that each value stops the start with one line that has the place and the fix. `hush` stands for a secret in
    /// the wrong place.
    fn check<const N: usize>(rows: [(&str, String, &str); N]) {
        for (fault_of, operators, said) in rows {
            let line = fault(&operators).unwrap_or_else(|| panic!("{fault_of} starts"));
            assert!(line.starts_with("environment variable OPERATORS: "), "{fault_of}: {line}");
            assert!(line.contains(said), "{fault_of}: {line}");
            assert!(!line.to_lowercase().contains("hush") && !line.contains('\n'), "{fault_of}: {line}");
            assert!(!line.contains("OPERATOR_"), "{fault_of}: a variable that has no effect: {line}");
        }
    }

    #[test]
    fn faulty_object_is_one_line_with_the_place_and_the_fix() {
        let name = |name: &str| format!(r#"{{"{name}": {{"prefixes": ["+34"]}}}}"#);
        check([
            ("not JSON", "hush".to_owned(), "not usable at line 1, column 1; expected a JSON object like"),
            ("the second line", "{\n\"es\": hush}".to_owned(), "not usable at line 2, column"),
            ("not an object", r#"["hush"]"#.to_owned(), "expected a JSON object like"),
            ("an operator that is a text", r#"{"es": "hush"}"#.to_owned(), "expected a JSON object like"),
            ("something behind it", name("es") + "hush", "expected a JSON object like"),
            ("an empty object", "{}".to_owned(), "has no operator; expected a JSON object like"),
            ("a name in capitals", name("HUSH"), NAME),
            ("an empty name", name(""), NAME),
            ("a long name", name(&"hush".repeat(9)), NAME),
            (
                "a name twice",
                r#"{"es": {"prefixes": ["+34"]}, "es": {"prefixes": ["+33"]}}"#.to_owned(),
                "the name es twice",
            ),
            (
                "an operator without an address",
                es(r#""base_url": " ""#),
                "es.operator: not set, and neither is base_url",
            ),
            (
                "one of three endpoints",
                es(r#""verify_endpoint": "https://sandbox.opengateway.telefonica.com/v""#),
                "es.operator: not set",
            ),
            (
                "an unknown member",
                es(r#""client_secret": "hush""#),
                r#"es has an unknown member, "client_secret"; there are prefixes, default,"#,
            ),
            ("a variable's name", es(r#""SCOPE": "hush""#), r#"es has an unknown member, "SCOPE"; there are"#),
            ("a setting for all", es(r#""retrieve_number": "off""#), r#"es has an unknown member, "retrieve_number""#),
            (
                "a long unknown member",
                es(&format!(r#""{}": 1"#, "hush".repeat(11))),
                "es has an unknown member, \"a long name\"",
            ),
            ("a member twice", es(r#""scope": "hush", "scope": "hush""#), "es has a member twice"),
            ("a number for a text", es(r#""scope": 1"#), "es.scope: not text; write it in quotation marks"),
            ("a list for a text", es(r#""issuer": ["hush"]"#), "es.issuer: not text"),
            ("a text for the default", es(r#""default": "hush""#), "es.default: not true or false"),
        ]);
    }

    #[test]
    fn faulty_prefixes_are_one_line_with_the_place_and_the_fix() {
        let prefixes = |prefixes: &str| format!(r#"{{"es": {{"prefixes": {prefixes}}}}}"#);
        let both = |first: &str, second: &str| {
            format!(r#"{{"es": {{"prefixes": ["+34"]{first}}}, "es-2": {{"prefixes": ["+1", "+34"]{second}}}}}"#)
        };
        check([
            ("no prefixes", r#"{"es": {"base_url": "https://hush.example"}}"#.to_owned(), PREFIXES),
            ("an empty list", prefixes("[]"), PREFIXES),
            ("a text for the list", prefixes(r#""+34""#), PREFIXES),
            ("a number for a prefix", prefixes("[34]"), PREFIXES),
            ("no +", prefixes(r#"["34"]"#), PREFIXES),
            ("a + alone", prefixes(r#"["+"]"#), PREFIXES),
            ("a zero", prefixes(r#"["+034"]"#), PREFIXES),
            ("a space", prefixes(r#"["+34 6"]"#), PREFIXES),
            ("a letter", prefixes(r#"["+34x"]"#), PREFIXES),
            ("other digits", prefixes(r#"["+٣٤"]"#), PREFIXES),
            ("16 digits", prefixes(r#"["+3460000000112345"]"#), PREFIXES),
            ("one of two is faulty", prefixes(r#"["+34", "33"]"#), PREFIXES),
            ("a prefix twice in one", prefixes(r#"["+34", "+34"]"#), "es.prefixes: has the same prefix twice"),
            (
                "a prefix twice without a default",
                both("", ""),
                r#"has the prefix +34 in es and es-2, 0 of which are the default; give exactly one of them "default": true"#,
            ),
            (
                "a prefix twice with two defaults",
                both(r#", "default": true"#, r#", "default": true"#),
                "has the prefix +34 in es and es-2, 2 of which are the default",
            ),
        ]);
    }

    #[test]
    fn faulty_member_is_one_line_with_the_place_and_the_fix() {
        check([
            (
                "a preset that does not exist",
                es(r#""operator": "hush""#),
                "es.operator: no such operator; use telefonica-sandbox",
            ),
            ("the same, and the fix", es(r#""operator": "hush""#), "or set base_url"),
            ("not a URL", es(r#""base_url": "hush""#), "es.base_url: not a URL"),
            (
                "a URL with credentials",
                es(r#""base_url": "https://u:hush@es.example""#),
                "es.base_url: has credentials in it",
            ),
            (
                "plain http",
                es(r#""discovery_url": "http://hush.example""#),
                "es.discovery_url: http is only for localhost; use https",
            ),
            (
                "endpoints on two hosts",
                es(r#""base_url": "https://es.example", "token_endpoint": "https://hush.example/token""#),
                "es.token_endpoint: is on a different host from the operator's other endpoints; set authorization_endpoint and verify_endpoint too",
            ),
            (
                "a method that does not exist",
                es(r#""token_endpoint_auth_method": "hush""#),
                "es.token_endpoint_auth_method: not one of its values; use client_secret_basic or",
            ),
            ("a scope with two spaces", es(r#""scope": "hush  hush""#), "es.scope: not scope tokens"),
            ("pkce", es(r#""pkce": "hush""#), "es.pkce: not one of its values; use S256 or off"),
            ("prompt", es(r#""prompt": "hush""#), "es.prompt: not one of its values; use none"),
            ("login_hint", es(r#""login_hint": "hush""#), "es.login_hint: not one of its values; use tel or off"),
            ("issuer", es(r#""issuer": "hush""#), "es.issuer: not a URL"),
            (
                "phone_number_format",
                es(r#""phone_number_format": "hush""#),
                "es.phone_number_format: not one of its values; use plain or hashed",
            ),
        ]);
    }
}
