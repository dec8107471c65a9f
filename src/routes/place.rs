//! Where a request came in: which route, below which prefix, and the callback's own public address. All of it is
//! what API Gateway says; a client's `Host` or `X-Forwarded-Host` header has no part in it.

use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use url::Url;

/// The paths of this function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `/`
    Home,
    /// `/start`
    Start,
    /// `CALLBACK_PATH`
    Callback,
    /// Anything else.
    Unknown,
}

/// A request's place.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    /// Which route.
    pub route: Route,
    /// What stands before the route in the public path: the stage, say. Empty, or `/` and more.
    pub prefix: String,
    /// The callback's public address; none behind a load balancer with no `REDIRECT_URI`.
    pub redirect_uri: Option<String>,
}

pub const START_PATH: &str = "/start";

impl Place {
    /// Finds the place of a request.
    pub fn of(request: &Request, callback_path: &str, redirect_uri: Option<&Url>) -> Self {
        let (domain, stage, public_path) = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV1(context)) => {
                (context.domain_name.as_deref(), context.stage.as_deref(), context.path.as_deref())
            }
            Some(RequestContext::ApiGatewayV2(context)) => {
                (context.domain_name.as_deref(), context.stage.as_deref(), None)
            }
            _ => (None, None, None),
        };
        Self::find(domain, stage, public_path.unwrap_or(request.raw_http_path()), callback_path, redirect_uri)
    }

    fn find(
        domain: Option<&str>,
        stage: Option<&str>,
        path: &str,
        callback_path: &str,
        redirect_uri: Option<&Url>,
    ) -> Self {
        let stage = stage.filter(|stage| *stage != "$default").map(|stage| format!("/{stage}"));
        // A custom domain may have a base path of its own, which only REDIRECT_URI tells.
        let base = redirect_uri.and_then(|url| url.path().strip_suffix(callback_path)).map(str::to_owned);
        let below = |prefix: &Option<String>| {
            let prefix = prefix.as_deref().filter(|prefix| !prefix.is_empty())?;
            let rest = path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
            Some((prefix.to_owned(), rest))
        };
        let (prefix, rest) = below(&base).or_else(|| below(&stage)).unwrap_or_else(|| (String::new(), path));
        let route = match rest {
            "" | "/" => Route::Home,
            START_PATH => Route::Start,
            rest if rest == callback_path => Route::Callback,
            _ => Route::Unknown,
        };
        let redirect_uri = match redirect_uri {
            Some(url) => Some(url.to_string()),
            None => domain.map(|domain| format!("https://{domain}{prefix}{callback_path}")),
        };
        Self { route, prefix, redirect_uri }
    }

    /// The start page's path.
    pub fn home_path(&self) -> String {
        format!("{}/", self.prefix)
    }

    /// The form's target.
    pub fn start_path(&self) -> String {
        format!("{}{START_PATH}", self.prefix)
    }

    /// The origin of the public address.
    pub fn origin(&self) -> Option<String> {
        let url = Url::parse(self.redirect_uri.as_deref()?).ok()?;
        Some(url.origin().ascii_serialization())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_what_api_gateway_says() {
        let callback = "/numberverification-callback";
        let custom = Url::parse("https://id.shop.example/check/numberverification-callback").unwrap();
        let api = Some("abc.execute-api.eu-west-1.amazonaws.com");
        let api_callback = "https://abc.execute-api.eu-west-1.amazonaws.com/numberverification-callback";
        let dev_callback = "https://abc.execute-api.eu-west-1.amazonaws.com/dev/numberverification-callback";
        for (name, domain, stage, path, redirect_uri, expected) in [
            ("default stage", api, Some("$default"), callback, None, (Route::Callback, "", Some(api_callback))),
            ("home", api, Some("$default"), "/", None, (Route::Home, "", Some(api_callback))),
            (
                "named stage",
                api,
                Some("dev"),
                "/dev/numberverification-callback",
                None,
                (Route::Callback, "/dev", Some(dev_callback)),
            ),
            ("named stage, home", api, Some("dev"), "/dev", None, (Route::Home, "/dev", Some(dev_callback))),
            ("named stage, start", api, Some("dev"), "/dev/start", None, (Route::Start, "/dev", Some(dev_callback))),
            (
                "a path that begins like the stage",
                api,
                Some("dev"),
                "/device",
                None,
                (Route::Unknown, "", Some(api_callback)),
            ),
            ("load balancer", None, None, callback, None, (Route::Callback, "", None)),
            (
                "load balancer with REDIRECT_URI",
                None,
                None,
                "/check/start",
                Some(&custom),
                (Route::Start, "/check", Some(custom.as_str())),
            ),
            (
                "custom domain with a base path",
                api,
                Some("prod"),
                "/check/numberverification-callback",
                Some(&custom),
                (Route::Callback, "/check", Some(custom.as_str())),
            ),
            (
                "custom domain, reached by the stage",
                api,
                Some("prod"),
                "/prod/start",
                Some(&custom),
                (Route::Start, "/prod", Some(custom.as_str())),
            ),
            ("another path", api, Some("$default"), "/favicon.ico", None, (Route::Unknown, "", Some(api_callback))),
            (
                "a path in front that nobody set",
                api,
                Some("$default"),
                "/evil/start",
                None,
                (Route::Unknown, "", Some(api_callback)),
            ),
        ] {
            let place = Place::find(domain, stage, path, callback, redirect_uri);
            assert_eq!((place.route, place.prefix.as_str(), place.redirect_uri.as_deref()), expected, "{name}");
        }
    }
}
