use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::Outcome;

/// The answer to an HTTP request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: String,
}

impl Answer {
    /// The HTTP answer that API Gateway creates from a function's answer (payload 2.0).
    pub fn from_lambda(answer: &Value) -> Self {
        let mut headers = http::HeaderMap::new();
        for (name, value) in answer["headers"].as_object().into_iter().flatten() {
            let name: http::HeaderName = name.parse().unwrap();
            headers.append(name, value.as_str().unwrap().parse().unwrap());
        }
        for cookie in answer["cookies"].as_array().into_iter().flatten() {
            headers.append("set-cookie", cookie.as_str().unwrap().parse().unwrap());
        }
        Self {
            status: answer["statusCode"].as_u64().unwrap().try_into().unwrap(),
            headers,
            body: answer["body"].as_str().unwrap_or_default().to_owned(),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    /// The name of the outcome in a JSON answer.
    pub fn outcome(&self) -> &'static str {
        let json = self.json();
        let outcome = json["outcome"].as_str().and_then(Outcome::from_name);
        outcome.unwrap_or_else(|| panic!("no outcome in {json}")).name()
    }

    /// The value of a header, or an empty text if the header is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Sends a request over plain HTTP. Redirects are not followed.
pub async fn send(request: http::Request<String>) -> Answer {
    let client: Client<_, String> = Client::builder(TokioExecutor::new()).build_http();
    let answered = async {
        let (head, body) = client.request(request).await.unwrap().into_parts();
        (head, body.collect().await.unwrap().to_bytes())
    };
    let (head, body) = tokio::time::timeout(Duration::from_mins(1), answered).await.expect("an answer in time");
    Answer { status: head.status.as_u16(), headers: head.headers, body: String::from_utf8(body.into()).unwrap() }
}
