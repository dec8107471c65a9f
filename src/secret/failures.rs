//! The reasons the secret cannot be used: the name of the secret, the fault and the fix. They never contain its value,
//! and only known parts of Secrets Manager's answer.

use aws_sdk_secretsmanager::config::http::HttpResponse;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;

use crate::failure::Failure;
use crate::outcome::Outcome;

/// The error that the SDK returns instead of the secret.
pub(super) type ReadError = SdkError<GetSecretValueError, HttpResponse>;

/// The error codes that the log may contain. All others are unknown to this program, and could be any text.
const REFUSALS: [&str; 10] = [
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidParameterException",
    "InvalidRequestException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "OptInRequired",
    "UnrecognizedClientException",
    "ValidationException",
];

const NOT_UNDERSTOOD: &str = "Secrets Manager's answer cannot be understood";

/// The failure for a fault that only the owner can fix.
pub(super) fn misconfigured(secret_id: &str, fault: &str) -> Failure {
    Failure::new(Outcome::Misconfigured, format!("secret {secret_id}: {fault}"))
}

/// The failure if there was no answer in time.
pub(super) fn timed_out(secret_id: &str) -> Failure {
    let reason = format!("secret {secret_id}: Secrets Manager gave no answer before the deadline");
    Failure::new(Outcome::OperatorTimeout, reason)
}

/// The failure for a fault that goes away without the owner's help.
fn busy(secret_id: &str, how: &str) -> Failure {
    let reason = format!("secret {secret_id}: Secrets Manager {how}; if this lasts, check its quotas and AWS Health");
    Failure::new(Outcome::OperatorBusy, reason)
}

/// Returns whether the secret has no version with the requested label.
pub(super) fn is_missing(error: &ReadError) -> bool {
    error.code() == Some("ResourceNotFoundException")
}

/// The failure for an error of the SDK.
pub(super) fn of(secret_id: &str, error: &ReadError) -> Failure {
    let unavailable = error.raw_response().is_some_and(|response| response.status().is_server_error());
    match error {
        SdkError::TimeoutError(_) => timed_out(secret_id),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => timed_out(secret_id),
        SdkError::DispatchFailure(failure) => {
            let cause = failure.as_connector_error().and_then(std::error::Error::source);
            let cause = cause.map_or_else(|| "no cause given".to_owned(), ToString::to_string);
            misconfigured(
                secret_id,
                &format!(
                    "Secrets Manager cannot be reached ({cause}); a function in a VPC needs a route or an endpoint to it"
                ),
            )
        }
        SdkError::ConstructionFailure(_) => misconfigured(
            secret_id,
            "the request to Secrets Manager cannot be built; check AWS_REGION, AWS_ENDPOINT_URL_SECRETS_MANAGER and the credentials",
        ),
        SdkError::ServiceError(_) if error.code() == Some("ThrottlingException") => {
            busy(secret_id, "limits how often it is read")
        }
        _ if unavailable => busy(secret_id, "is temporarily unavailable"),
        SdkError::ServiceError(_) => misconfigured(secret_id, &refusal(secret_id, error)),
        _ => misconfigured(secret_id, NOT_UNDERSTOOD),
    }
}

/// The fault and the fix for a 4xx answer. Two codes have several causes, which only their messages distinguish.
fn refusal(secret_id: &str, error: &ReadError) -> String {
    let message = error.message().unwrap_or_default();
    match error.code() {
        Some("ResourceNotFoundException") if message.contains("staging label") => {
            format!("has no value; store one with `aws secretsmanager put-secret-value --secret-id {secret_id} …`")
        }
        Some("ResourceNotFoundException") => {
            "does not exist in this account and region; create it, or correct CLIENT_SECRET_ID".to_owned()
        }
        Some("InvalidRequestException") if message.contains("marked for deletion") => format!(
            "is scheduled for deletion; keep it with `aws secretsmanager restore-secret --secret-id {secret_id}`"
        ),
        Some("AccessDeniedException") => {
            "may not be read; allow secretsmanager:GetSecretValue on it (and kms:Decrypt on its own key, if it has one) to the function's role".to_owned()
        }
        Some("DecryptionFailure") => {
            "cannot be decrypted; allow kms:Decrypt on its key to the function's role".to_owned()
        }
        Some(code) => match REFUSALS.iter().find(|known| **known == code) {
            Some(known) => format!("Secrets Manager refused with {known}"),
            None => "Secrets Manager refused with an error unknown to this program".to_owned(),
        },
        None => NOT_UNDERSTOOD.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::result::ConnectorError;

    use super::*;

    #[test]
    fn errors_without_an_answer_have_their_outcomes_and_fixes() {
        let dispatch = ReadError::dispatch_failure;
        for (name, error, outcome, fix) in [
            ("a late attempt", ReadError::timeout_error("hush"), Outcome::OperatorTimeout, "no answer"),
            (
                "a late connection",
                dispatch(ConnectorError::timeout("hush".into())),
                Outcome::OperatorTimeout,
                "no answer",
            ),
            ("no connection", dispatch(ConnectorError::io("refused".into())), Outcome::Misconfigured, "a route"),
            ("no request", ReadError::construction_failure("hush"), Outcome::Misconfigured, "AWS_REGION"),
        ] {
            let failure = of("a-secret", &error);
            assert_eq!(failure.outcome, outcome, "{name}");
            assert!(failure.reason.contains(fix) && !failure.reason.contains("hush"), "{name}: {failure}");
        }
    }
}
