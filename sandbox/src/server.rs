//! The routes, and the one function that every request passes through.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequest as _, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use tokio::net::TcpListener;

use crate::leg::Leg;
use crate::listener::{Connection, NumberingListener};
use crate::lock::lock;
use crate::operator::Operator;
use crate::script::{Reply, canned};
use crate::served::Served;
use crate::{authorize, camara, control, device_phone_number, discovery, page, secrets_manager, token, verify};

/// The largest accepted body, far above what this protocol needs.
const BODY_LIMIT: usize = 64 * 1024;

pub(crate) async fn serve(socket: TcpListener, operator: Arc<Operator>) {
    let listener = NumberingListener::new(socket, Arc::clone(&operator));
    let service = routes(operator).into_make_service_with_connect_info::<Connection>();
    // axum keeps serving whatever happens to a connection, and its result is never an error.
    let _ = axum::serve(listener, service).await;
}

fn routes(operator: Arc<Operator>) -> Router {
    let dialect = operator.settings.dialect;
    Router::new()
        .route("/", get(page::show).post(secrets_manager::answer))
        .route(dialect.authorize, get(authorize::authorize))
        .route(dialect.token, post(token::token))
        .route("/.well-known/openid-configuration", get(discovery::document))
        .route(&format!("{}/number-verification/{{version}}/verify", dialect.api), post(verify::verify))
        .route(
            &format!("{}/number-verification/{{version}}/device-phone-number", dialect.api),
            get(device_phone_number::device_phone_number),
        )
        .route("/sandbox/health", get(StatusCode::NO_CONTENT))
        .route("/sandbox/scenario", post(control::set_scenario))
        .route("/sandbox/script", post(control::set_script))
        .route("/sandbox/script/{leg}", delete(control::remove_script))
        .route("/sandbox/requests", get(control::requests).delete(control::clear_requests))
        .layer(middleware::from_fn_with_state(Arc::clone(&operator), funnel))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(operator)
}

/// Records the request, answers it by script or for real, and records the answer.
async fn funnel(
    State(operator): State<Arc<Operator>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
    next: Next,
) -> Response {
    if is_control(&request) {
        return next.run(request).await;
    }
    let leg = Leg::of(request.uri().path(), &operator.settings.dialect);
    let (head, body) = request.into_parts();
    let read = Bytes::from_request(Request::from_parts(head.clone(), body), &()).await;
    let entry =
        operator.ledger.arrived(Served::arrived(leg, connection.number, &head, read.as_deref().unwrap_or_default()));

    let mut response = match read {
        Err(refused) => refused.into_response(),
        Ok(body) => {
            let is_camara = matches!(leg, Some(Leg::Verify | Leg::DevicePhoneNumber));
            let correlator = camara::correlator(&head.headers).filter(|_| is_camara);
            let request = Request::from_parts(head, Body::from(body));
            let mut response = perform(&operator, leg, request, next).await;
            if let Some(correlator) = correlator {
                // CAMARA Commonalities: every answer has this header, even an error. A script may have set its own.
                response.headers_mut().entry(camara::X_CORRELATOR).or_insert(correlator);
            }
            response
        }
    };

    let body = std::mem::take(response.body_mut());
    // The answers are in memory, so reading one cannot fail and always ends.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    entry.answered(response.status(), response.headers(), &body);
    *response.body_mut() = Body::from(body);
    response
}

async fn perform(operator: &Operator, leg: Option<Leg>, request: Request, next: Next) -> Response {
    let scripted = leg.map(|leg| lock(&operator.play).next(leg)).unwrap_or_default();
    let response = match scripted.reply {
        Reply::Real => next.run(request).await,
        Reply::Canned { status, headers, body } => canned(status, &headers, body)
            .unwrap_or_else(|fault| (StatusCode::INTERNAL_SERVER_ERROR, format!("script: {fault}\n")).into_response()),
    };
    // A sleep of zero takes a millisecond, which a benchmark would count twice.
    if !scripted.delay.is_zero() {
        tokio::time::sleep(scripted.delay).await;
    }
    response
}

/// Returns whether this is a request for the page or `/sandbox/…`, which is neither recorded nor scripted.
fn is_control(request: &Request) -> bool {
    match request.uri().path() {
        "/" => request.method() != Method::POST,
        "/favicon.ico" => true,
        path => path.starts_with("/sandbox/"),
    }
}
