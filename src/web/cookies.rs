//! The two cookies. `__Host-` keeps other hosts of the same site from setting them (RFC 6265bis §4.1.3.2).

use std::time::Duration;

use http::HeaderMap;
use http::header::COOKIE;

/// The browser's mark.
pub const BROWSER: &str = "__Host-nv";
/// A finished callback's sealed outcome.
pub const RESULT: &str = "__Host-nv-result";

/// The value of a cookie that came with a request.
pub fn get<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(COOKIE)
        .into_iter()
        // By bytes: another site's cookie that is not ASCII must not hide ours.
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| std::str::from_utf8(pair.trim_ascii()).ok())
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// The `Set-Cookie` line of a cookie. `Lax`, because the operator's redirect is a navigation from another site.
pub fn set(name: &str, value: &str, lifetime: Duration) -> String {
    format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={}", lifetime.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        for (line, expected) in [
            ("__Host-nv=a", Some("a")),
            ("x=1; __Host-nv=a; y=2", Some("a")),
            ("x=1;__Host-nv=a", Some("a")),
            ("__Host-nv-result=b; __Host-nv=a", Some("a")),
            ("x=é; __Host-nv=a; y=ñ", Some("a")),
            ("__Host-nv-result=b", None),
            ("x__Host-nv=b", None),
            ("__Host-nv", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, http::HeaderValue::from_bytes(line.as_bytes()).unwrap());
            assert_eq!(get(&headers, BROWSER), expected, "{line}");
        }
    }
}
