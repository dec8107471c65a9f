//! `cargo bench`: the parts of a verification that do not wait for I/O, each by itself, to detect changes that slow one
//! down. `make bench` measures whole verifications.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use number_verification::call_log::{Call, CallLog};
use number_verification::correlator::Correlator;
use number_verification::language::Language;
use number_verification::operator::AuthorizationResponse;
use number_verification::operator::TokenEndpointAuthMethod;
use number_verification::outcome::Outcome;
use number_verification::phone_number::PhoneNumber;
use number_verification::seal::{Purpose, Sealer};
use number_verification::secret::{ClientSettings, Secret};
use number_verification::telemetry::{Event, Function, Telemetry};
use number_verification::web::event;
use number_verification::web::pages::{Branding, Pages, StartForm};

const EVENT: &str = include_str!("../events/callback-phone-verified.json");
const BOUND_TO: [&[u8]; 2] =
    [b"my-app-id", b"https://abc123.execute-api.eu-west-1.amazonaws.com/numberverification-callback"];
/// A plaintext as long as a state's: an expiry, a hash, a phone number.
const STATE: [u8; 8 + 32 + 16] = [7; 56];

fn parse(c: &mut Criterion) {
    c.bench_function("parse an event", |b| {
        b.iter(|| event::read(&mut serde_json::Deserializer::from_str(black_box(EVENT))).unwrap());
    });
    let query = [("code", "sandbox-sample-code"), ("state", "+34600000001")];
    c.bench_function("parse a callback's query", |b| {
        b.iter(|| AuthorizationResponse::from_parameters(black_box(query)).unwrap());
    });
    c.bench_function("parse a phone number", |b| b.iter(|| PhoneNumber::parse(black_box("+34 600 000 001")).unwrap()));
}

fn secret(c: &mut Criterion) {
    let secret = r#"{"client_id":"my-app-id","client_secret":"my-app-secret","state_key":"0123456789abcdef"}"#;
    let clients =
        ClientSettings::One { client_id: None, auth_method: Some(TokenEndpointAuthMethod::ClientSecretBasic) };
    c.bench_function("parse a secret and derive its keys", |b| {
        b.iter(|| Secret::parse(black_box(secret), &clients).unwrap());
    });
}

fn state(c: &mut Criterion) {
    let sealer = Sealer::of(b"the sandbox's state key").unwrap();
    c.bench_function("seal a state", |b| b.iter(|| sealer.seal(Purpose::State, &BOUND_TO, black_box(&STATE)).unwrap()));
    let (sealed, nonce) = sealer.seal(Purpose::State, &BOUND_TO, &STATE).unwrap();
    c.bench_function("open a state", |b| {
        b.iter(|| sealer.open(Purpose::State, &BOUND_TO, black_box(&sealed)).unwrap());
    });
    c.bench_function("derive a code_verifier", |b| {
        b.iter(|| sealer.derive_text(black_box(&[b"code_verifier", &nonce, &[7; 16]])));
    });
}

fn render(c: &mut Criterion) {
    let pages = Pages::new(Branding {
        service_name: "Number verification".to_owned(),
        accent_color: None,
        logo_url: None,
        privacy_url: None,
        fallback_url: None,
    });
    let phone_number = PhoneNumber::parse("+34600000001").unwrap();
    let correlator = Correlator::from_header(None, "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
    c.bench_function("render the start page", |b| {
        b.iter(|| pages.start(Language::Spanish, "/start", &StartForm::default()).unwrap());
    });
    c.bench_function("render a result page", |b| {
        b.iter(|| {
            pages.result(Language::Spanish, Outcome::NotVerified, Some(&phone_number), "/", None, &correlator).unwrap()
        });
    });
}

fn log(c: &mut Criterion) {
    let call = Call { time: Some(Duration::from_millis(50)), status: Some(200), retried: false };
    let telemetry = Telemetry::new(Function { name: "number-verification".to_owned(), version: "1".to_owned() });
    let event = Event {
        time: Duration::from_millis(101),
        correlator: &Correlator::from_header(None, "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        operator: Some("operator.example"),
        is_one_of_several: false,
        calls: CallLog { secret: call, token: call, verify: call },
        reloaded: false,
        client: None,
    };
    c.bench_function("write the log line", |b| b.iter(|| telemetry.line(black_box(&event), &Ok(true))));
}

criterion_group!(benches, parse, secret, state, render, log);
criterion_main!(benches);
