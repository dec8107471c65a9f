//! The OpenID Provider: it tells the apps that the owner registered which number a user has, where the user cannot forge
//! it (OpenID Connect Core 1.0, RFC 6749, RFC 7636, RFC 9207, RFC 9700).
//!
//! An app sends the browser to `/authorize` with its request ([`AppRequest`]). After the operator's *yes*, the browser
//! returns to the app ([`ReturnAddress`]) with a code ([`Verified`]), which the app exchanges at `/token` for an ID token.
//! A code, and therefore a token, exists only for *verified*.

mod access_token;
mod app_request;
mod code;
mod kept_request;
mod metadata;
mod presented;
mod registration;
mod relying_party;
mod return_address;
mod token;
mod used_codes;

pub use access_token::{AccessToken, looks_like_an_access_token};
pub use app_request::{AppRequest, Asked, LoginHint, Refused, RequestError};
pub use code::{BoundTo, Verified, looks_like_a_code};
pub use metadata::{AUTHORIZATION_PATH, DISCOVERY_PATH, JWKS_PATH, TOKEN_PATH, USERINFO_PATH, discovery, jwks};
pub use presented::Presented;
pub use registration::{Members, Provider};
pub use relying_party::{RelyingParties, RelyingParty};
pub use return_address::ReturnAddress;
pub use token::{TokenError, TokenRequest};
pub use used_codes::{UsedCodes, table_client};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_short_text_of_base64url_can_be_one_of_ours() {
        for (kind, can_be_ours, limit) in [
            ("a code", looks_like_a_code as fn(&str) -> bool, code::MAX_CODE),
            ("an access token", looks_like_an_access_token, access_token::MAX_TOKEN),
        ] {
            let longest = "a".repeat(limit);
            for (name, text, expected) in [
                ("the longest", longest.as_str(), true),
                ("longer", &format!("{longest}a"), false),
                ("a dot", "a.b", false),
            ] {
                assert_eq!(can_be_ours(text), expected, "{kind}: {name}");
            }
        }
    }
}
