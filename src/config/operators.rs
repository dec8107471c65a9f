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
            let operator = self.operator(&name, members).map_err(|fault| bad(OPERATORS, format!("{name}{fault}")))?;
            operators.push(operator);
        }
        check_defaults(&operators)?;
        Ok(operators)
    }

    /// Warns of variables about the only operator. With several, each has its own.
    fn warn_of_variables_without_effect(&self) {
        let mut names = vec!["CLIENT_ID"];
        Settings::from_variables(|name| {
            names.push(name);
            None
        });
        names.retain(|name| *name != RETRIEVE_NUMBER && self.get(name).is_some());
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
            let member = member_of(variable);
            match unread.borrow_mut().remove(&member) {
                // One setting for all operators.
                None if variable == RETRIEVE_NUMBER => self.get(variable),
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
            let known = "prefixes, default, operator, base_url, discovery_url, authorization_endpoint, token_endpoint, \
                         verify_endpoint, device_phone_number_endpoint, scope, retrieve_scope, \
                         token_endpoint_auth_method, issuer, pkce, prompt, login_hint, phone_number_format, \
                         request_object and dpop";
            let shown = if member.len() <= 40 { member.as_str() } else { "a long name" };
            return Err(format!(" has an unknown member, {shown:?}; there are {known}"));
        }
        Ok(Settings { name: Some(name.clone()), prefixes, is_default, ..settings })
    }
}

fn prefixes(value: Option<Value>) -> Result<Vec<String>, String> {
    const FAULT: &str =
        ".prefixes: must be a list of the beginnings of numbers, each a + and 1 to 15 digits, such as [\"+34\"]";
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
