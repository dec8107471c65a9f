//! The error codes of the specifications, and the outcome that each stands for.

use crate::outcome::Outcome;

/// The text that is logged instead of a code that is not in the table, because that could be a phone number, a code or
/// a token.
pub const UNKNOWN: &str = "unknown";

/// Every error code of the specifications, with its outcome if the token endpoint or `verify` answers with it.
#[rustfmt::skip]
const CODES: &[(&str, Outcome)] = &[
    // RFC 6749 §4.1.2.1 and §5.2
    ("access_denied",              Outcome::AccessDenied),
    ("invalid_client",             Outcome::Misconfigured),
    ("invalid_grant",              Outcome::ExpiredCode),
    ("invalid_request",            Outcome::OperatorError),
    ("invalid_scope",              Outcome::Misconfigured),
    ("server_error",               Outcome::OperatorError),
    ("temporarily_unavailable",    Outcome::OperatorBusy),
    ("unauthorized_client",        Outcome::Misconfigured),
    ("unsupported_grant_type",     Outcome::OperatorError),
    ("unsupported_response_type",  Outcome::OperatorError),
    // OpenID Connect Core §3.1.2.6, and Unmet Authentication Requirements §2
    ("account_selection_required", Outcome::OperatorError),
    ("consent_required",           Outcome::AccessDenied),
    ("interaction_required",       Outcome::NotOnMobileNetwork),
    ("login_required",             Outcome::NotOnMobileNetwork),
    ("invalid_request_object",     Outcome::OperatorError),
    ("invalid_request_uri",        Outcome::OperatorError),
    ("registration_not_supported", Outcome::OperatorError),
    ("request_not_supported",      Outcome::OperatorError),
    ("request_uri_not_supported",  Outcome::OperatorError),
    ("unmet_authentication_requirements", Outcome::OperatorError),
    // RFC 6750 §3.1 and RFC 9449 §12.2
    ("insufficient_scope",         Outcome::Misconfigured),
    ("invalid_token",              Outcome::OperatorError),
    ("invalid_dpop_proof",         Outcome::Misconfigured),
    ("use_dpop_nonce",             Outcome::OperatorError),
    // CAMARA Number Verification r1.3 to r3.2. The last three are in Telefónica's v2 (2026-06).
    ("USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK",   Outcome::NotOnMobileNetwork),
    ("USER_NOT_AUTHENTICATED_BY_SUPPORTED_METHOD", Outcome::NotOnMobileNetwork),
    ("INVALID_TOKEN_CONTEXT",      Outcome::OperatorError),
    ("INVALID_TS43_TOKEN",         Outcome::ExpiredCode),
    // CAMARA Commonalities 0.4 to 0.6 (CAMARA_common.yaml, API Design Guide)
    ("ABORTED",                    Outcome::OperatorError),
    ("ALREADY_EXISTS",             Outcome::OperatorError),
    ("AUTHENTICATION_REQUIRED",    Outcome::OperatorError),
    ("BAD_GATEWAY",                Outcome::OperatorError),
    ("CONFLICT",                   Outcome::OperatorError),
    ("FAILED_PRECONDITION",        Outcome::OperatorError),
    ("GONE",                       Outcome::OperatorError),
    ("IDENTIFIER_MISMATCH",        Outcome::OperatorError),
    ("IDENTIFIER_NOT_FOUND",       Outcome::NotCovered),
    ("INCOMPATIBLE_STATE",         Outcome::OperatorError),
    ("INTERNAL",                   Outcome::OperatorError),
    ("INVALID_ARGUMENT",           Outcome::OperatorError),
    ("METHOD_NOT_ALLOWED",         Outcome::OperatorError),
    ("MISSING_IDENTIFIER",         Outcome::OperatorError),
    ("NOT_ACCEPTABLE",             Outcome::OperatorError),
    ("NOT_FOUND",                  Outcome::OperatorError),
    ("NOT_IMPLEMENTED",            Outcome::OperatorError),
    ("OUT_OF_RANGE",               Outcome::OperatorError),
    ("PERMISSION_DENIED",          Outcome::Misconfigured),
    ("QUOTA_EXCEEDED",             Outcome::OperatorBusy),
    ("SERVICE_NOT_APPLICABLE",     Outcome::NotCovered),
    ("TIMEOUT",                    Outcome::OperatorTimeout),
    ("TOO_MANY_REQUESTS",          Outcome::OperatorBusy),
    ("UNAUTHENTICATED",            Outcome::OperatorError),
    ("UNAVAILABLE",                Outcome::OperatorBusy),
    ("UNNECESSARY_IDENTIFIER",     Outcome::OperatorError),
    ("UNSUPPORTED_IDENTIFIER",     Outcome::OperatorError),
    ("UNSUPPORTED_MEDIA_TYPE",     Outcome::OperatorError),
];

/// Finds a code in the table. Operators write CAMARA's codes in upper or lower case, and with or without the API's name
/// as a prefix.
#[must_use]
pub fn known(code: &str) -> Option<(&'static str, Outcome)> {
    const API: &str = "NUMBER_VERIFICATION.";
    let code = match code.split_at_checked(API.len()) {
        Some((api, rest)) if api.eq_ignore_ascii_case(API) => rest,
        _ => code,
    };
    CODES.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)).copied()
}

/// The name to log for the `error` of a redirect, and its outcome. Anyone can write a redirect, so it is trusted only
/// for statements about the user, never about the owner's configuration or the operator's state.
///
/// With `prompt=none`, which CAMARA implies, `login_required` and `interaction_required` say that the network could not
/// identify the user (OpenID Connect Core §3.1.2.6).
#[must_use]
pub fn of_redirect(code: &str) -> (&'static str, Outcome) {
    let name = known(code).map_or(UNKNOWN, |(name, _)| name);
    let outcome = match name {
        "access_denied" | "consent_required" => Outcome::AccessDenied,
        "login_required" | "interaction_required" => Outcome::NotOnMobileNetwork,
        _ => Outcome::OperatorRefused,
    };
    (name, outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lists are copied from the specifications, so that no code can be missing from the table.
    #[test]
    fn every_code_of_the_specifications_has_its_outcome() {
        for (outcome, codes) in [
            (Outcome::AccessDenied, "access_denied consent_required"),
            (
                Outcome::Misconfigured,
                "unauthorized_client invalid_scope invalid_client INVALID_CLIENT insufficient_scope PERMISSION_DENIED \
                 invalid_dpop_proof",
            ),
            (Outcome::ExpiredCode, "invalid_grant NUMBER_VERIFICATION.INVALID_TS43_TOKEN INVALID_TS43_TOKEN"),
            (Outcome::OperatorBusy, "temporarily_unavailable QUOTA_EXCEEDED TOO_MANY_REQUESTS UNAVAILABLE"),
            (Outcome::OperatorTimeout, "TIMEOUT"),
            (
                Outcome::NotCovered,
                "SERVICE_NOT_APPLICABLE IDENTIFIER_NOT_FOUND number_verification.identifier_not_found",
            ),
            (
                Outcome::NotOnMobileNetwork,
                "login_required interaction_required USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK \
                 NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK \
                 Number_Verification.User_Not_Authenticated_By_Mobile_Network \
                 NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_SUPPORTED_METHOD \
                 user_not_authenticated_by_supported_method",
            ),
            (
                Outcome::OperatorError,
                "invalid_request unsupported_response_type server_error unsupported_grant_type invalid_request_uri \
                 invalid_request_object request_not_supported request_uri_not_supported registration_not_supported \
                 account_selection_required unmet_authentication_requirements \
                 invalid_token use_dpop_nonce \
                 INVALID_ARGUMENT OUT_OF_RANGE UNAUTHENTICATED AUTHENTICATION_REQUIRED INVALID_TOKEN_CONTEXT \
                 NUMBER_VERIFICATION.INVALID_TOKEN_CONTEXT \
                 NOT_FOUND METHOD_NOT_ALLOWED NOT_ACCEPTABLE ABORTED ALREADY_EXISTS CONFLICT INCOMPATIBLE_STATE GONE \
                 FAILED_PRECONDITION UNSUPPORTED_MEDIA_TYPE UNSUPPORTED_IDENTIFIER UNNECESSARY_IDENTIFIER \
                 IDENTIFIER_MISMATCH MISSING_IDENTIFIER INTERNAL NOT_IMPLEMENTED BAD_GATEWAY",
            ),
        ] {
            for code in codes.split_ascii_whitespace() {
                let (name, known_outcome) = known(code).unwrap_or_else(|| panic!("{code} is missing"));
                assert_eq!(known_outcome, outcome, "{code}");
                let rows = CODES.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).count();
                assert_eq!(rows, 1, "{code} is in the table once");
            }
        }
        for unknown in ["", "something_new", "NUMBER_VERIFICATION.", "número_verification.x", "+34600000001"] {
            assert_eq!(known(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn redirect_is_trusted_only_about_the_user() {
        for (code, name, outcome) in [
            ("access_denied", "access_denied", Outcome::AccessDenied),
            ("Access_Denied", "access_denied", Outcome::AccessDenied),
            ("consent_required", "consent_required", Outcome::AccessDenied),
            ("login_required", "login_required", Outcome::NotOnMobileNetwork),
            ("interaction_required", "interaction_required", Outcome::NotOnMobileNetwork),
            ("+34600000001", "unknown", Outcome::OperatorRefused),
            ("something_new", "unknown", Outcome::OperatorRefused),
        ] {
            assert_eq!(of_redirect(code), (name, outcome), "{code}");
        }
        for (code, _) in CODES {
            let (name, outcome) = of_redirect(code);
            assert_eq!(name, *code);
            assert!(
                matches!(outcome, Outcome::AccessDenied | Outcome::NotOnMobileNetwork | Outcome::OperatorRefused),
                "{code}: {outcome:?}"
            );
        }
    }
}
