//! The error code in a `WWW-Authenticate` header: `Bearer error="insufficient_scope"` (RFC 6750 §3), `DPoP
//! error="use_dpop_nonce"` (RFC 9449 §7.1).

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// The `error` parameter of the first `Bearer` or `DPoP` challenge that has one.
///
/// A header can contain several challenges, and several headers form one list (RFC 9110 §11.6.1): `Basic realm="a, b",
/// Bearer realm="x", error="invalid_token"`. Schemes and parameter names are case-insensitive; a value is a token or a
/// quoted string. A header that breaks the grammar is read up to its fault.
pub(super) fn challenge_error(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    values.into_iter().find_map(error_of)
}

/// The `error` parameter of a challenge of either scheme in one header value.
fn error_of(value: &str) -> Option<String> {
    let mut rest = Rest(value);
    let mut in_scheme = false;
    loop {
        rest.skip(|c| matches!(c, ',' | ' ' | '\t'));
        let name = rest.token()?;
        rest.skip(is_blank);
        // `name = value` is a parameter of the challenge before it; a token alone starts a challenge. The padding of a
        // token68 (`Negotiate abc==`) is not a parameter, and ends that challenge.
        if let Some(after) = rest.0.strip_prefix('=') {
            rest = Rest(after);
            rest.skip(is_blank);
            let Some(parameter) = rest.value() else {
                rest.skip(|c| c != ',');
                continue;
            };
            if in_scheme && name.eq_ignore_ascii_case("error") {
                return Some(parameter);
            }
        } else {
            in_scheme = ["Bearer", "DPoP"].iter().any(|scheme| name.eq_ignore_ascii_case(scheme));
        }
    }
}

/// The part of a header value that has not been read yet.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn skip(&mut self, skipped: impl Fn(char) -> bool) {
        self.0 = self.0.trim_start_matches(skipped);
    }

    /// Reads a token (RFC 9110 §5.6.2). It also skips a token68 (§11.2) in the place of a scheme or a parameter.
    fn token(&mut self) -> Option<&'a str> {
        let end = self.0.find(|c: char| !is_token_character(c)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at_checked(end).filter(|(token, _)| !token.is_empty())?;
        self.0 = rest;
        Some(token)
    }

    /// Reads a token or a quoted string (RFC 9110 §5.6.4), without quotes and backslashes.
    fn value(&mut self) -> Option<String> {
        let Some(quoted) = self.0.strip_prefix('"') else { return self.token().map(str::to_owned) };
        let mut value = String::new();
        let mut characters = quoted.chars();
        while let Some(c) = characters.next() {
            match c {
                '"' => {
                    self.0 = characters.as_str();
                    return Some(value);
                }
                '\\' => value.extend(characters.next()),
                c => value.push(c),
            }
        }
        self.0 = "";
        None
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// Returns whether this is a `tchar` of RFC 9110 §5.6.2, or `/`, which only a token68 can contain.
fn is_token_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~/".contains(c)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn error_of_a_bearer_or_dpop_challenge_is_found() {
        for (name, value, error) in [
            ("RFC 6750 §3", r#"Bearer realm="example", error="invalid_token""#, Some("invalid_token")),
            ("alone", r#"Bearer error="insufficient_scope""#, Some("insufficient_scope")),
            ("a token", "Bearer error=insufficient_scope", Some("insufficient_scope")),
            ("letter case", r#"bEARER ERROR="insufficient_scope""#, Some("insufficient_scope")),
            ("blanks around =", "Bearer error = \"insufficient_scope\"", Some("insufficient_scope")),
            ("no blank behind the comma", r#"Bearer realm="r",error="e",scope="s""#, Some("e")),
            ("no comma between parameters", r#"Bearer realm="r" error="e""#, Some("e")),
            ("several challenges", r#"Basic realm="r", Bearer error="e""#, Some("e")),
            ("a challenge behind it", r#"Bearer error="e", Basic realm="r""#, Some("e")),
            ("a list in a quoted string", r#"Basic realm="a, Bearer error=x", Bearer error="e""#, Some("e")),
            ("an escaped quote", r#"Bearer realm="a\", error=\"x", error="e""#, Some("e")),
            ("an escape in the value", r#"Bearer error="insufficient\_scope""#, Some("insufficient_scope")),
            ("empty list elements", r#", , Bearer , error="e""#, Some("e")),
            ("a token68 before it", r#"Negotiate YII+/a==, Bearer error="e""#, Some("e")),
            ("RFC 9449 §7.1", r#"DPoP error="use_dpop_nonce", error_description="a nonce""#, Some("use_dpop_nonce")),
            ("both schemes", r#"Bearer, DPoP algs="ES256", error="invalid_token""#, Some("invalid_token")),
            ("another scheme's error", r#"Bearer realm="r", Basic error="e""#, None),
            ("the scheme as a value", r#"Basic realm=Bearer, error="e""#, None),
            ("another parameter", r#"Bearer error_description="error""#, None),
            ("without parameters", "Bearer", None),
            ("an open quote", r#"Bearer error="e"#, None),
            ("no value", "Bearer error=", None),
            ("rubbish", "=,;\"", None),
            ("empty", "", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(value));
            assert_eq!(challenge_error(&headers).as_deref(), error, "{name}: {value}");
        }
    }

    #[test]
    fn every_header_is_searched() {
        let mut headers = HeaderMap::new();
        assert_eq!(challenge_error(&headers), None);
        for value in [r#"Basic realm="r""#, "Bearer", r#"Bearer error="e""#] {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(value));
        }
        assert_eq!(challenge_error(&headers).as_deref(), Some("e"));
    }
}
