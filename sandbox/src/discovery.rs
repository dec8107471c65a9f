//! The operator's metadata (OpenID Connect Discovery 1.0 §3, RFC 8414 §2). The specifications have no member for the
//! verify endpoint.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::operator::Operator;

pub(crate) async fn document(State(operator): State<Arc<Operator>>) -> Json<Value> {
    let (base_url, dialect) = (&operator.base_url, operator.settings.dialect);
    Json(json!({
        "issuer": base_url,
        "authorization_endpoint": format!("{base_url}{}", dialect.authorize),
        "token_endpoint": format!("{base_url}{}", dialect.token),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "authorization_response_iss_parameter_supported": true,
    }))
}
