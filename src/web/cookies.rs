//! The cookies: one for each started verification. `__Host-` keeps other hosts of the same site from setting them (RFC
//! 6265bis §4.1.3.2).

use std::time::Duration;

use http::HeaderMap;
use http::header::COOKIE;

const PREFIX: &str = "__Host-nv-";

/// The number of cookies that are looked at. A browser that obeys the size limit has fewer.
const MOST_COOKIES: usize = 50;
/// The size limit of all our cookies in one browser, in bytes: half of the limit of API Gateway for all headers.
const MAX_TOTAL: usize = 5000;
/// The bytes between two cookies, and between a name and its value.
const SEPARATORS: usize = "; ".len() + "=".len();

/// The name of the cookie with this handle.
pub fn name(handle: &str) -> String {
    format!("{PREFIX}{handle}")
}

/// The value of a cookie in a request.
pub fn get<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    all(headers).find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// The names of the cookies to remove so that a new one fits whose name and value have `new` bytes. Browsers send the
/// oldest cookies first (RFC 6265 §5.4).
pub fn to_remove(headers: &HeaderMap, new: usize) -> Vec<&str> {
    let ours: Vec<_> = all(headers).filter(|(name, _)| is_ours(name)).take(MOST_COOKIES).collect();
    let size = |(name, value): &(&str, &str)| name.len() + value.len() + SEPARATORS;
    let mut total = new + SEPARATORS + ours.iter().map(size).sum::<usize>();
    let oldest = ours.iter().take_while(|cookie| {
        let too_many = total > MAX_TOTAL;
        total = total.saturating_sub(size(cookie));
        too_many
    });
    oldest.map(|(name, _)| *name).collect()
}

/// The `Set-Cookie` line of a cookie. `Lax`, because the operator's redirect is a navigation from another site.
pub fn set(name: &str, value: &str, lifetime: Duration) -> String {
    format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={}", lifetime.as_secs())
}

/// The `Set-Cookie` line that removes a cookie.
pub fn remove(name: &str) -> String {
    set(name, "", Duration::ZERO)
}

/// Returns whether a name can be that of one of our cookies: the prefix and base64url.
fn is_ours(name: &str) -> bool {
    let handle = name.strip_prefix(PREFIX).unwrap_or_default();
    !handle.is_empty() && handle.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn all(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(COOKIE)
        .into_iter()
        // By bytes: another site's cookie that is not ASCII must not hide ours.
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| std::str::from_utf8(pair.trim_ascii()).ok()?.split_once('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(line: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, http::HeaderValue::from_bytes(line.as_bytes()).unwrap());
        headers
    }

    #[test]
    fn cookie_is_found_by_its_whole_name() {
        for (line, expected) in [
            ("__Host-nv-x=a", Some("a")),
            ("x=1; __Host-nv-x=a; y=2", Some("a")),
            ("x=1;__Host-nv-x=a", Some("a")),
            ("__Host-nv-xy=b; __Host-nv-x=a", Some("a")),
            ("x=é; __Host-nv-x=a; y=ñ", Some("a")),
            ("__Host-nv-xy=b", None),
            ("x__Host-nv-x=b", None),
            ("__Host-nv-x", None),
            ("", None),
        ] {
            assert_eq!(get(&headers(line), &name("x")), expected, "{line}");
        }
    }

    #[test]
    fn oldest_cookies_make_room_for_a_new_one() {
        let value = "v".repeat(985);
        let cookie = |number: usize| format!("__Host-nv-{number:02}={value}");
        let line = |count: usize| (0..count).map(cookie).collect::<Vec<_>>().join("; ");
        for (name, line, expected) in [
            ("none yet", String::new(), &[][..]),
            ("room for another one", line(4), &[]),
            ("one too many", line(5), &["__Host-nv-00"]),
            ("three too many", line(7), &["__Host-nv-00", "__Host-nv-01", "__Host-nv-02"]),
            (
                "names that we do not give are left alone",
                format!("{}; {}", "__Host-nv-é=a; ".repeat(900), line(3)),
                &[],
            ),
            ("another site's are not ours to remove", format!("x={}; {}", "v".repeat(9000), line(4)), &[]),
        ] {
            assert_eq!(to_remove(&headers(&line), 12 + 985), expected, "{name}");
        }
    }
}
