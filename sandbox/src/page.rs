//! The page at `/`, on which a person chooses the scenario and sees the requests.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use serde_json::Value;

use crate::assertion::SAMPLE_OPERATOR_TOKEN;
use crate::lock::lock;
use crate::operator::Operator;
use crate::redirect_uri;
use crate::scenario::Scenario;
use crate::served::Served;

const TEMPLATE: &str = include_str!("page.html");

/// The number of requests that are shown.
const SHOWN: usize = 25;

pub(crate) async fn show(State(operator): State<Arc<Operator>>) -> Response {
    let scenario = lock(&operator.play).scenario;
    // Text from outside is inserted last, so that a placeholder's name in it stays text.
    let page = TEMPLATE
        .replace("{{scenarios}}", &scenarios(scenario))
        .replace("{{current}}", title(scenario))
        .replace("{{sim}}", &escape(&operator.settings.sim))
        .replace("{{operator_token}}", SAMPLE_OPERATOR_TOKEN)
        .replace("{{function}}", &escape(&function(&operator)))
        .replace("{{credentials}}", &escape(&credentials(&operator)))
        .replace("{{requests}}", &requests(&operator.ledger.last(SHOWN)));
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"),
    ];
    (headers, Html(page)).into_response()
}

/// Escapes text for an element or a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn scenarios(current: Scenario) -> String {
    Scenario::ALL.into_iter().fold(String::new(), |mut html, scenario| {
        let pressed = scenario == current;
        // Writing to a String cannot fail.
        let _ = writeln!(
            html,
            "<button name=\"scenario\" value=\"{}\" aria-pressed=\"{pressed}\"><b>{}</b> <span>{}</span></button>",
            scenario.name(),
            title(scenario),
            explanation(scenario),
        );
        html
    })
}

/// The function's address: where the operator redirects to.
fn function(operator: &Operator) -> String {
    let registered = operator.settings.registered_redirect_uris.first();
    registered.and_then(|uri| redirect_uri::origin(uri)).unwrap_or_else(|| "https://function.example".into())
}

/// The first app's credentials for `curl -u`, quoted for a shell; the first that has a `client_secret`.
fn credentials(operator: &Operator) -> String {
    let secret = lock(&operator.secret).staged("AWSCURRENT").map(|version| version.secret_string.clone());
    let secret: Value = serde_json::from_str(&secret.unwrap_or_default()).unwrap_or_default();
    let of = |app: &Value| Some(format!("{}:{}", app["client_id"].as_str()?, app["client_secret"].as_str()?));
    let found = secret["relying_parties"].as_array().and_then(|apps| apps.iter().find_map(of));
    format!("'{}'", found.as_deref().unwrap_or("client_id:client_secret").replace('\'', r"'\''"))
}

fn requests(newest_first: &[Served]) -> String {
    if newest_first.is_empty() {
        return "<p>None yet.</p>".into();
    }
    let mut html = String::from(
        "<table>\n<thead><tr><th scope=\"col\">Request</th><th scope=\"col\">Status</th>\
         <th scope=\"col\">What happened</th></tr></thead>\n<tbody>\n",
    );
    for served in newest_first {
        let (kind, status) = match served.status {
            Some(status @ ..400) => ("ok", status.to_string()),
            Some(status) => ("bad", status.to_string()),
            None => ("open", "…".to_owned()),
        };
        let _ = writeln!(
            html,
            "<tr><td><code>{} {}</code></td><td class=\"{kind}\">{status}</td><td>{}</td></tr>",
            escape(&served.method),
            escape(&served.path),
            escape(&served.note),
        );
    }
    html.push_str("</tbody>\n</table>");
    html
}

fn title(scenario: Scenario) -> &'static str {
    match scenario {
        Scenario::ByNumber => "By the number",
        Scenario::RightSim => "The right SIM",
        Scenario::AnotherSim => "Another SIM",
        Scenario::OnWifi => "On Wi-Fi",
        Scenario::ConsentRefused => "Consent refused",
        Scenario::CodeExpired => "Code expired",
        Scenario::OperatorSlow => "Operator slow",
        Scenario::OperatorDown => "Operator down",
        Scenario::RateLimited => "Rate limited",
        Scenario::Rubbish => "Rubbish answers",
    }
}

fn explanation(scenario: Scenario) -> &'static str {
    match scenario {
        Scenario::ByNumber => "Ends in 1: verified. In 2: not. In 3: on Wi-Fi. Else: is it the SIM’s?",
        Scenario::RightSim => "Every number is the phone’s own.",
        Scenario::AnotherSim => "No number is the phone’s own; the phone’s ends in 9.",
        Scenario::OnWifi => "The operator cannot see the SIM: 403 from the API.",
        Scenario::ConsentRefused => "The browser comes back with access_denied.",
        Scenario::CodeExpired => "The token endpoint answers invalid_grant.",
        Scenario::OperatorSlow => "The token endpoint answers, but very late.",
        Scenario::OperatorDown => "The token endpoint answers 502 and HTML.",
        Scenario::RateLimited => "429 from the API, with a retry after 30\u{a0}s.",
        Scenario::Rubbish => "The API answers 200, but a web page.",
    }
}
