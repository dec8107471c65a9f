//! Which kind of answer a client prefers: RFC 9110 §12.5.1.

/// HTML for people, JSON for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Html,
    Json,
}

impl Format {
    /// JSON where the header puts it above HTML; HTML in every other case, whatever the header holds.
    pub fn preferred(accept: Option<&str>) -> Self {
        let accept = accept.unwrap_or_default();
        let json = quality(accept, &["application/json", "application/problem+json"], "application/*");
        let html = quality(accept, &["text/html"], "text/*");
        if json > html { Self::Json } else { Self::Html }
    }
}

/// The quality, in thousandths, that a header gives to a media type: by name, else by its range. `*/*` holds for both
/// kinds alike and decides nothing.
fn quality(accept: &str, names: &[&str], range: &str) -> u16 {
    let mut by_name = None;
    let mut by_range = None;
    for element in accept.split(',') {
        let mut parts = element.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let q = parts
            .find_map(|parameter| parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")))
            .map_or(1000, thousandths);
        if names.iter().any(|name| name.eq_ignore_ascii_case(media_type)) {
            by_name = by_name.max(Some(q));
        } else if range.eq_ignore_ascii_case(media_type) {
            by_range = Some(q);
        }
    }
    by_name.or(by_range).unwrap_or(0)
}

fn thousandths(q: &str) -> u16 {
    let q: f32 = q.parse().unwrap_or(0.0);
    // Within 0 to 1000 by the clamp; a NaN becomes 0.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
    let thousandths = (q.clamp(0.0, 1.0) * 1000.0) as u16;
    thousandths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_only_where_it_is_preferred() {
        for (accept, expected) in [
            (None, Format::Html),
            (Some(""), Format::Html),
            (Some("*/*"), Format::Html),
            (Some("application/json"), Format::Json),
            (Some("Application/JSON; charset=utf-8"), Format::Json),
            (Some("application/problem+json"), Format::Json),
            (Some("application/*"), Format::Json),
            (Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), Format::Html),
            (Some("application/json, text/plain, */*"), Format::Json),
            (Some("text/html;q=0.5, application/json;q=0.9"), Format::Json),
            (Some("text/html, application/json"), Format::Html),
            (Some("application/json;q=0"), Format::Html),
            (Some("application/json;q=NaN"), Format::Html),
            (Some("application/json;q=1e999"), Format::Json),
            (Some(",;,;q=,=;/,\u{fffd}"), Format::Html),
        ] {
            assert_eq!(Format::preferred(accept), expected, "{accept:?}");
        }
    }
}
