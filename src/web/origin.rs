//! Checks whether another site's page sent a request.

use http::HeaderMap;

use super::header;

/// Returns whether a `POST /start` may be served: it must come from our own page, from no page at all (a native app),
/// or from an allowed origin. Browsers set `Sec-Fetch-Site` and `Origin`, and pages cannot set them (Fetch §2.2.2).
///
/// `own_origin` is the origin of the public address. Our pages send no referrer, so browsers send `Origin: null` for
/// our own form; newer browsers also send `Sec-Fetch-Site: same-origin`, which then decides.
pub fn may_start(headers: &HeaderMap, own_origin: Option<&str>, allowed_origins: &[String]) -> bool {
    let origin = header(headers, "origin");
    let from_allowed = || origin.is_some_and(|origin| allowed_origins.iter().any(|allowed| allowed == origin));
    match header(headers, "sec-fetch-site") {
        Some("same-origin" | "none") => true,
        Some(_) => from_allowed(),
        None => match origin {
            None => !headers.contains_key("origin"),
            Some(_) => origin == own_origin || from_allowed(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_page_no_page_or_an_allowed_one_may_start() {
        let own = Some("https://nv.shop.example");
        let allowed = ["https://www.shop.example".to_owned()];
        for (name, origin, site, expected) in [
            ("our page", Some("null"), Some("same-origin"), true),
            ("our page, with its origin", Some("https://nv.shop.example"), Some("same-origin"), true),
            ("our page, older browser", Some("https://nv.shop.example"), None, true),
            ("typed by the user", None, Some("none"), true),
            ("native app", None, None, true),
            ("allowed origin", Some("https://www.shop.example"), Some("same-site"), true),
            ("allowed origin, older browser", Some("https://www.shop.example"), None, true),
            ("another site", Some("https://evil.example"), Some("cross-site"), false),
            ("another site, older browser", Some("https://evil.example"), None, false),
            ("another page of our site", Some("https://blog.shop.example"), Some("same-site"), false),
            ("a sandboxed frame", Some("null"), Some("cross-site"), false),
            ("null origin alone", Some("null"), None, false),
            ("cross-site without an origin", None, Some("cross-site"), false),
            ("our origin as a prefix", Some("https://nv.shop.example.evil.example"), None, false),
            ("rubbish", Some("https://nv.shop.example"), Some("rubbish"), false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [("origin", origin), ("sec-fetch-site", site)] {
                if let Some(value) = value {
                    headers.insert(name, http::HeaderValue::from_static(value));
                }
            }
            assert_eq!(may_start(&headers, own, &allowed), expected, "{name}");
        }
    }
}
