//! The place of a request: its route, the prefix before it, and the public address of the callback. All of it comes
//! from API Gateway; a client's `Host` and `X-Forwarded-Host` headers are ignored.

use lambda_http::Request;
use url::Url;

use super::event::Gateway;
use crate::flow::{AUTHORIZATION_PATH, DISCOVERY_PATH, JWKS_PATH, OperatorName, TOKEN_PATH, USERINFO_PATH};

/// The paths of this function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `/`
    Home,
    /// `/start`
    Start,
    /// `CALLBACK_PATH`, or with several operators a path below it that ends in the operator's name.
    Callback,
    /// `/complete`
    Complete,
    /// `/verify`
    Verify,
    /// Below `CALLBACK_PATH`: the page for a browser that did not start the verification.
    WrongBrowser,
    /// `/.well-known/client-jwks.json`
    ClientJwks,
    /// A route of the OpenID Provider, which exists if an app is registered.
    Provider(ProviderRoute),
    /// Anything else.
    Unknown,
}

/// The routes of the OpenID Provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderRoute {
    /// `/authorize`
    Authorize,
    /// `/token`
    Token,
    /// `/userinfo`
    Userinfo,
    /// `/.well-known/openid-configuration`
    Discovery,
    /// `/.well-known/jwks.json`
    Jwks,
}

/// A request's place.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    /// The route.
    pub route: Route,
    /// The part of the public path before the route, such as `/prod` for a stage; empty if there is none.
    pub prefix: String,
    /// The operator's name that ends the path of a callback.
    pub operator: Option<String>,
    /// The public address of the callback, without an operator's name; `None` behind a load balancer without
    /// `REDIRECT_URI`.
    pub redirect_uri: Option<String>,
    /// Our issuer: the public address without `CALLBACK_PATH`.
    pub issuer: Option<String>,
}

pub const START_PATH: &str = "/start";
const COMPLETE_PATH: &str = "/complete";
const VERIFY_PATH: &str = "/verify";
const CLIENT_JWKS_PATH: &str = "/.well-known/client-jwks.json";
/// The paths that `CALLBACK_PATH` cannot have.
pub const RESERVED_PATHS: [&str; 9] = [
    START_PATH,
    COMPLETE_PATH,
    VERIFY_PATH,
    CLIENT_JWKS_PATH,
    AUTHORIZATION_PATH,
    TOKEN_PATH,
    USERINFO_PATH,
    DISCOVERY_PATH,
    JWKS_PATH,
];
const WRONG_BROWSER: &str = "/wrong_browser";

impl Place {
    /// Finds the place of a request.
    pub fn of(request: &Request, callback_path: &str, redirect_uri: Option<&Url>) -> Self {
        match request.extensions().get::<Gateway>() {
            Some(Gateway { domain, stage, path, .. }) => {
                Self::find(domain.as_deref(), stage.as_deref(), path, callback_path, redirect_uri)
            }
            None => Self::find(None, None, "/", callback_path, redirect_uri),
        }
    }

    fn find(
        domain: Option<&str>,
        stage: Option<&str>,
        path: &str,
        callback_path: &str,
        redirect_uri: Option<&Url>,
    ) -> Self {
        let stage = stage.map_or_else(String::new, |stage| format!("/{stage}"));
        // The base path of a custom domain, which is not in API Gateway's events.
        let base = redirect_uri.and_then(|url| url.path().strip_suffix(callback_path)).unwrap_or_default();

        let rest = strip_segments(path, &stage).or_else(|| strip_segments(path, base)).unwrap_or(path);
        let mut operator = None;
        let route = match rest {
            "" | "/" => Route::Home,
            START_PATH => Route::Start,
            COMPLETE_PATH => Route::Complete,
            VERIFY_PATH => Route::Verify,
            CLIENT_JWKS_PATH => Route::ClientJwks,
            AUTHORIZATION_PATH => Route::Provider(ProviderRoute::Authorize),
            TOKEN_PATH => Route::Provider(ProviderRoute::Token),
            USERINFO_PATH => Route::Provider(ProviderRoute::Userinfo),
            DISCOVERY_PATH => Route::Provider(ProviderRoute::Discovery),
            JWKS_PATH => Route::Provider(ProviderRoute::Jwks),
            rest => match rest.strip_prefix(callback_path) {
                Some("") => Route::Callback,
                Some(WRONG_BROWSER) => Route::WrongBrowser,
                Some(below) => match below.strip_prefix('/').and_then(OperatorName::parse) {
                    Some(name) => {
                        operator = Some(name.as_str().to_owned());
                        Route::Callback
                    }
                    None => Route::Unknown,
                },
                None => Route::Unknown,
            },
        };

        let is_api_domain = domain.is_some_and(|domain| domain.contains(".execute-api."));
        let prefix = match redirect_uri {
            // A custom domain, or a proxy in front of the API, which the browser does not see.
            Some(url) if !is_api_domain || url.host_str() != domain => base,
            _ if is_api_domain && strip_segments(path, &stage).is_some() => &stage,
            // The path in an HTTP API's event contains the stage even if the addresses of a custom domain do not.
            _ => "",
        }
        .to_owned();
        let redirect_uri = match redirect_uri {
            Some(url) => Some(url.to_string()),
            None => domain.map(|domain| format!("https://{domain}{prefix}{callback_path}")),
        };
        let issuer = redirect_uri.as_deref().and_then(|address| address.strip_suffix(callback_path)).map(str::to_owned);
        Self { route, prefix, operator, redirect_uri, issuer }
    }

    /// The start page's path.
    pub fn home_path(&self) -> String {
        format!("{}/", self.prefix)
    }

    /// The form's target.
    pub fn start_path(&self) -> String {
        format!("{}{START_PATH}", self.prefix)
    }

    /// The path of an app's request.
    pub fn authorization_path(&self) -> String {
        format!("{}{AUTHORIZATION_PATH}", self.prefix)
    }

    /// The page of a browser that did not start the verification.
    pub fn wrong_browser_path(&self, callback_path: &str) -> String {
        format!("{}{callback_path}{WRONG_BROWSER}", self.prefix)
    }

    /// The origin of the public address.
    pub fn origin(&self) -> Option<String> {
        let url = Url::parse(self.redirect_uri.as_deref()?).ok()?;
        Some(url.origin().ascii_serialization())
    }
}

/// The rest of a path after a prefix of whole segments.
fn strip_segments<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(prefix).filter(|_| !prefix.is_empty())?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const API: Option<&str> = Some("abc.execute-api.eu-west-1.amazonaws.com");
    const CUSTOM: Option<&str> = Some("id.shop.example");

    /// The route, the prefix of links, and the `redirect_uri` without `https://` and the callback's path.
    fn find(
        domain: Option<&str>,
        stage: Option<&str>,
        path: &str,
        redirect_uri: Option<&str>,
    ) -> (Route, String, Option<String>) {
        let redirect_uri = redirect_uri.map(|url| Url::parse(url).unwrap());
        let place = Place::find(domain, stage, path, "/callback", redirect_uri.as_ref());
        let base = |url: String| url.replacen("https://", "", 1).replacen("/callback", "", 1);
        (place.route, place.prefix, place.redirect_uri.map(base))
    }

    #[test]
    fn place_comes_from_api_gateway() {
        let api = "abc.execute-api.eu-west-1.amazonaws.com";
        for (name, domain, stage, path, expected) in [
            ("default stage", API, None, "/callback", (Route::Callback, "", api.to_owned())),
            ("default stage, home", API, None, "/", (Route::Home, "", api.to_owned())),
            ("stage", API, Some("dev"), "/dev/callback", (Route::Callback, "/dev", format!("{api}/dev"))),
            ("stage, home", API, Some("dev"), "/dev", (Route::Home, "/dev", format!("{api}/dev"))),
            ("stage, start", API, Some("dev"), "/dev/start", (Route::Start, "/dev", format!("{api}/dev"))),
            ("begins like the stage", API, Some("dev"), "/device", (Route::Unknown, "", api.to_owned())),
            (
                "a provider's route",
                API,
                Some("dev"),
                "/dev/token",
                (Route::Provider(ProviderRoute::Token), "/dev", format!("{api}/dev")),
            ),
            ("another path", API, None, "/favicon.ico", (Route::Unknown, "", api.to_owned())),
            ("an unknown prefix", API, None, "/evil/start", (Route::Unknown, "", api.to_owned())),
            ("custom domain", CUSTOM, None, "/start", (Route::Start, "", "id.shop.example".to_owned())),
            (
                "custom domain, stage",
                CUSTOM,
                Some("dev"),
                "/dev/start",
                (Route::Start, "", "id.shop.example".to_owned()),
            ),
        ] {
            let (route, prefix, redirect_uri) = expected;
            assert_eq!(find(domain, stage, path, None), (route, prefix.to_owned(), Some(redirect_uri)), "{name}");
        }
        assert_eq!(find(None, None, "/callback", None), (Route::Callback, String::new(), None), "load balancer");
    }

    #[test]
    fn redirect_uri_overrides_the_place() {
        let redirect_uri = "id.shop.example/check";
        for (name, domain, stage, path, route, prefix) in [
            ("load balancer", None, None, "/check/start", Route::Start, "/check"),
            ("custom domain with a base path", CUSTOM, Some("prod"), "/check/callback", Route::Callback, "/check"),
            (
                "custom domain with a base path and a stage",
                CUSTOM,
                Some("prod"),
                "/prod/callback",
                Route::Callback,
                "/check",
            ),
            ("proxy in front of a stage", API, Some("prod"), "/prod/start", Route::Start, "/check"),
            ("proxy in front of the default stage", API, None, "/start", Route::Start, "/check"),
        ] {
            let found = find(domain, stage, path, Some("https://id.shop.example/check/callback"));
            assert_eq!(found, (route, prefix.to_owned(), Some(redirect_uri.to_owned())), "{name}");
        }
        let same = Some("https://abc.execute-api.eu-west-1.amazonaws.com/prod/callback");
        assert_eq!(find(API, Some("prod"), "/prod/start", same).1, "/prod", "REDIRECT_URI says what would be derived");
    }
}
