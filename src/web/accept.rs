//! The format and language that a client prefers (RFC 9110 §12.5). Malformed headers are never an error.

use std::cmp::Reverse;

use http::HeaderMap;

use crate::language::Language;

/// HTML for people, JSON for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Html,
    Json,
}

/// JSON if `Accept` prefers it to HTML, else HTML.
pub fn format(headers: &HeaderMap) -> Format {
    let accepted: Vec<_> = preferences(headers, "accept").collect();
    let json = media_quality(&accepted, &["application/json", "application/problem+json"], "application/*");
    let html = media_quality(&accepted, &["text/html"], "text/*");
    if json > html { Format::Json } else { Format::Html }
}

/// The language of the most preferred range of `Accept-Language` that [`Language::lookup`] finds. If it finds none, the
/// default language, or another one if the default is refused.
pub fn language(headers: &HeaderMap) -> Language {
    let (refused, mut wanted): (Vec<_>, Vec<_>) =
        preferences(headers, "accept-language").partition(|(_, quality)| *quality == 0);
    // The sort is stable: equal qualities stay in the order of the header.
    wanted.sort_by_key(|(_, quality)| Reverse(*quality));
    let is_refused = |language: &Language| refused.iter().any(|(range, _)| range.eq_ignore_ascii_case(language.tag()));
    wanted
        .iter()
        .find_map(|(range, _)| Language::lookup(range))
        .or_else(|| Language::ALL.into_iter().find(|language| !is_refused(language)))
        .unwrap_or(Language::ALL[0])
}

/// The quality that `Accept` gives to a media type: by name, else by its range. `*/*` matches both and is ignored.
fn media_quality(accepted: &[(&str, u16)], names: &[&str], range: &str) -> u16 {
    let mut by_name = None;
    let mut by_range = None;
    for &(media_type, quality) in accepted {
        if names.iter().any(|name| name.eq_ignore_ascii_case(media_type)) {
            by_name = by_name.max(Some(quality));
        } else if range.eq_ignore_ascii_case(media_type) {
            by_range = by_range.max(Some(quality));
        }
    }
    by_name.or(by_range).unwrap_or(0)
}

/// The elements of a header that lists preferences, from all its lines, each with its quality in thousandths (RFC 9110
/// §12.4.2). A line that is not text is skipped.
fn preferences<'h>(headers: &'h HeaderMap, name: &'static str) -> impl Iterator<Item = (&'h str, u16)> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(|element| {
        let mut parts = element.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default();
        let quality = parts
            .find_map(|parameter| parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")))
            .map_or(1000, thousandths);
        (range, quality)
    })
}

fn thousandths(quality: &str) -> u16 {
    let quality: f32 = quality.parse().unwrap_or(0.0);
    // The clamp keeps it within 0 to 1000; NaN becomes 0.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
    let thousandths = (quality.clamp(0.0, 1.0) * 1000.0) as u16;
    thousandths
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(name: &'static str, lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, HeaderValue::from_bytes(line).unwrap());
        }
        headers
    }

    #[test]
    fn json_is_chosen_only_if_it_is_preferred() {
        assert_eq!(format(&HeaderMap::new()), Format::Html);
        for (accept, expected) in [
            ("", Format::Html),
            ("*/*", Format::Html),
            ("application/json", Format::Json),
            ("Application/JSON; charset=utf-8", Format::Json),
            ("application/problem+json", Format::Json),
            ("application/*", Format::Json),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Format::Html),
            ("application/json, text/plain, */*", Format::Json),
            ("text/html;q=0.5, application/json;q=0.9", Format::Json),
            ("text/html, application/json", Format::Html),
            ("text/html;q=0, application/json;q=0.001", Format::Json),
            ("application/json;q=0", Format::Html),
            ("application/json;q=NaN", Format::Html),
            ("application/json;q=-1", Format::Html),
            ("application/json;q=1e999", Format::Json),
            (",;,;q=,=;/,\u{fffd}", Format::Html),
        ] {
            assert_eq!(format(&headers("accept", &[accept.as_bytes()])), expected, "{accept}");
        }
    }

    #[test]
    fn most_preferred_language_is_chosen() {
        for (name, accept_language, expected) in [
            ("one of ours", "de", Language::German),
            ("with a region", "pt-BR", Language::Portuguese),
            ("with a script and a region", "es-Latn-419", Language::Spanish),
            ("in capitals", "ES-es", Language::Spanish),
            ("a phone in Spain", "es-ES,es;q=0.9,en;q=0.8", Language::Spanish),
            ("a phone in Catalonia", "ca-ES,ca;q=0.9,es;q=0.8,en;q=0.7", Language::Spanish),
            ("a phone in Brazil", "pt-BR,pt;q=0.9,en-US;q=0.8,en;q=0.7", Language::Portuguese),
            ("qualities out of order", "en;q=0.2, de;q=0.9, es;q=0.5", Language::German),
            ("equal qualities: the first", "de, es", Language::German),
            ("three decimals", "de;q=0.998, pt;q=0.999", Language::Portuguese),
            ("spaces around", " de ; q=0.5 , pt\t;\tq=0.6 ", Language::Portuguese),
            ("a capital Q", "de;Q=0.1, es;Q=0.2", Language::Spanish),
            ("none of ours", "fr, ja;q=0.9", Language::English),
            ("one of ours after others", "fr, ja;q=0.9, de;q=0.1", Language::German),
            ("any", "*", Language::English),
            ("any, but one of ours preferred", "fr, de;q=0.5, *;q=0.1", Language::German),
            ("refused", "de;q=0, es;q=0.1", Language::Spanish),
            ("the default refused", "fr, en;q=0", Language::Spanish),
            ("all refused", "en;q=0, es;q=0, pt;q=0, de;q=0", Language::English),
            ("one region refused", "en-US;q=0, en-GB", Language::English),
            ("begins like one of ours", "esperanto, dex, ptx", Language::English),
            ("a longer tag", "den-DE", Language::English),
        ] {
            assert_eq!(language(&headers("accept-language", &[accept_language.as_bytes()])), expected, "{name}");
        }
        assert_eq!(language(&HeaderMap::new()), Language::English, "no header");
        assert_eq!(
            language(&headers("accept-language", &[b"fr", b"es;q=0.5", b"de"])),
            Language::German,
            "three lines"
        );
    }

    #[test]
    fn malformed_headers_are_not_an_error() {
        let (dashes, commas, semicolons) = ("-".repeat(100_000), ",".repeat(100_000), ";".repeat(100_000));
        let many = "x-y-z;q=0.5,".repeat(10_000) + "de";
        for (name, line, expected) in [
            ("empty", &b""[..], Language::English),
            ("only separators", b",;,;=,q=,;q=;q=", Language::English),
            ("only dashes", dashes.as_bytes(), Language::English),
            ("only commas", commas.as_bytes(), Language::English),
            ("only semicolons", semicolons.as_bytes(), Language::English),
            ("ten thousand before ours", many.as_bytes(), Language::German),
            ("a broken quality", b"de;q=high, es;q=0.1", Language::Spanish),
            ("a quality that is not a number", b"de;q=NaN, es;q=0.1", Language::Spanish),
            ("a negative quality", b"de;q=-5, es;q=0.1", Language::Spanish),
            ("a huge quality", b"es;q=0.9, de;q=1e999", Language::German),
            ("two qualities: the first", b"de;q=0.1;q=1, es;q=0.5", Language::Spanish),
            ("not text", b"\xff\xfe\x80", Language::English),
            ("not text after ours", b"de, \xff", Language::English),
            ("markup", b"<script>alert(1)</script>", Language::English),
            ("a path", b"../../etc/passwd", Language::English),
            ("a header split", b"de%0d%0aSet-Cookie:a=b", Language::English),
        ] {
            assert_eq!(language(&headers("accept-language", &[line])), expected, "{name}");
            // The same lines as `Accept`.
            assert_eq!(format(&headers("accept", &[line])), Format::Html, "{name}");
        }
    }
}
