//! `cargo bench`: the parts of a verification that wait for nobody, each by itself, so that a change that slows one down
//! is found. How long a verification takes as a whole is `make bench`'s to say.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use number_verification::config::Config;
use number_verification::correlator::Correlator;
use number_verification::event;
use number_verification::flow::Parameters;
use number_verification::outcome::Outcome;
use number_verification::pages::{Language, Pages};
use number_verification::phone_number::PhoneNumber;
use number_verification::seal::{Purpose, Sealer};

const EVENT: &str = include_str!("../events/callback-phone-verified.json");
const BOUND_TO: [&[u8]; 2] =
    [b"my-app-id", b"https://abc123.execute-api.eu-west-1.amazonaws.com/numberverification-callback"];
/// As long as a state's: an expiry, a hash, a phone number.
const STATE: [u8; 8 + 32 + 16] = [7; 56];

fn parse(c: &mut Criterion) {
    let event: serde_json::Value = serde_json::from_str(EVENT).unwrap();
    c.bench_function("parse an event", |b| b.iter(|| lambda_http::Request::from(event::read(event.clone()).unwrap())));
    let query = [("code", "sandbox-sample-code"), ("state", "+34600000001")];
    c.bench_function("parse a callback's query", |b| b.iter(|| Parameters::from_query(black_box(query)).unwrap()));
    c.bench_function("parse a phone number", |b| b.iter(|| PhoneNumber::parse(black_box("+34 600 000 001")).unwrap()));
}

fn state(c: &mut Criterion) {
    c.bench_function("derive the keys", |b| b.iter(|| Sealer::derive(black_box(b"the sandbox's state key")).unwrap()));
    let sealer = Sealer::derive(b"the sandbox's state key").unwrap();
    c.bench_function("seal a state", |b| b.iter(|| sealer.seal(Purpose::State, &BOUND_TO, black_box(&STATE)).unwrap()));
    let (sealed, nonce) = sealer.seal(Purpose::State, &BOUND_TO, &STATE).unwrap();
    c.bench_function("open a state", |b| {
        b.iter(|| sealer.open(Purpose::State, &BOUND_TO, black_box(&sealed)).unwrap());
    });
    c.bench_function("derive a code_verifier", |b| {
        b.iter(|| sealer.derive_text(black_box(&[b"pkce", &nonce, &[7; 16]])));
    });
}

fn render(c: &mut Criterion) {
    let config = Config::from_lookup(|name| (name == "CLIENT_SECRET_ID").then(|| "number-verification".to_owned()));
    let pages = Pages::new(&config.unwrap().branding);
    let phone_number = PhoneNumber::parse("+34600000001").unwrap();
    let correlator = Correlator::from_header(None, "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
    c.bench_function("render the start page", |b| b.iter(|| pages.start(Language::Spanish, "/start", None).unwrap()));
    c.bench_function("render a result page", |b| {
        b.iter(|| {
            pages.result(Language::Spanish, Outcome::NotVerified, Some(&phone_number), "/", &correlator).unwrap()
        });
    });
}

criterion_group!(benches, parse, state, render);
criterion_main!(benches);
