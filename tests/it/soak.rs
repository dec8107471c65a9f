//! Many verifications in many environments, with an operator that fails in every way. Each verification has one outcome
//! in time, and *verified* and *not verified* are the operator's answers in that verification.
//!
//! `make soak` runs ten thousand verifications, `cargo test` a few hundred.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sandbox::{Leg, Sandbox};
use tokio::task::JoinSet;

use crate::support::far_side::{FarSide, Fault};
use crate::support::{AS_JSON, Browser, Function, sandbox};

const VERIFICATIONS: usize = 400;
/// Verifications between two checks of the sandbox's ledger, which keeps a limited number of requests.
const ROUND: usize = 500;
/// Enough to compare the memory at the end with the memory after a quarter.
const FEWEST_ROUNDS: usize = 4;
/// The environments that take one event at a time. Another one takes [`AT_ONCE`] events at a time.
const ENVIRONMENTS: usize = 4;
const AT_ONCE: usize = 50;
const TIME_LEFT: Duration = Duration::from_secs(3);

/// The faults of upstream calls. One call in five has one.
const FAILURES: [Fault; 17] = [
    Fault::ResetUnserved,
    Fault::CloseUnserved,
    Fault::ResetServed,
    Fault::CloseInHead,
    Fault::ResetInHead,
    Fault::ResetBehindHead,
    Fault::TruncateBody,
    Fault::Answer("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>"),
    Fault::Answer("HTTP/1.1 204 No Content\r\n\r\n"),
    Fault::Answer("HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n"),
    Fault::Answer("HTTP/1.1 400 Bad Request\r\ncontent-length: 25\r\n\r\n{\"error\":\"invalid_grant\"}"),
    Fault::Answer("HTTP/1.1 403 Forbidden\r\ncontent-length: 28\r\n\r\n{\"code\":\"PERMISSION_DENIED\"}"),
    Fault::Answer("HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n"),
    Fault::Answer("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 6\r\n\r\n<html>"),
    Fault::Answer("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"),
    Fault::Hang,
    Fault::Drip,
];

/// Decides which calls fail, and records which verifications were affected.
struct Weather {
    random: Mutex<u64>,
    calls: AtomicUsize,
    failed: AtomicUsize,
    /// The `code` or `x-correlator` of each call that failed.
    struck: Mutex<HashSet<String>>,
}

impl Weather {
    fn decide(&self, request: &str) -> Fault {
        self.calls.fetch_add(1, Ordering::Relaxed);
        match self.roll(100) {
            0..20 => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                let of_verify = value_after(request, "x-correlator: ", "\r\n");
                let of_token = value_after(request, "code=", "&");
                self.struck.lock().unwrap().extend(of_verify.or(of_token).map(str::to_owned));
                let fault = FAILURES[self.roll(FAILURES.len())];
                // These last until the deadline, so they are rarer.
                let waits = matches!(fault, Fault::Hang | Fault::Drip);
                if waits && self.roll(10) > 0 { Fault::ResetServed } else { fault }
            }
            20..25 => Fault::CloseBehind,
            25..28 => Fault::Http10,
            _ => Fault::None,
        }
    }

    /// Xorshift, which gives the same numbers in every run.
    fn roll(&self, sides: usize) -> usize {
        let mut random = self.random.lock().unwrap();
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        usize::try_from(*random >> 33).unwrap() % sides
    }
}

/// The browser's view of a verification.
struct Seen {
    phone: &'static str,
    correlator: String,
    code: String,
    outcome: &'static str,
    time: Duration,
}

async fn verification(function: &Function, number: usize) -> Seen {
    let phone = ["+34600000001", "+34600000002"][number % 2];
    let correlator = format!("00000000-0000-4000-8000-{number:012}");
    let mut browser = Browser::default();
    let callback = browser.callback_of(function, phone).await;
    let start = Instant::now();
    let headers = [AS_JSON, ("x-correlator", correlator.as_str())];
    let answer = browser.open_with(function, &callback, &headers).await;
    let time = start.elapsed();
    assert!(time < TIME_LEFT, "answered after the deadline: {time:?}");
    assert_eq!(answer.json()["correlator"], correlator);
    let code = value_after(&callback, "code=", "&").unwrap().to_owned();
    Seen { phone, correlator, code, outcome: answer.outcome(), time }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_verification_has_one_true_outcome_in_time() {
    let verifications = std::env::var("SOAK").map_or(VERIFICATIONS, |number| number.parse().unwrap());
    let sandbox = Arc::new(sandbox().await);
    let weather = Arc::new(Weather {
        random: Mutex::new(0x9e37_79b9_7f4a_7c15),
        calls: AtomicUsize::new(0),
        failed: AtomicUsize::new(0),
        struck: Mutex::default(),
    });
    let (token, verify) = (FarSide::of(&sandbox).await, FarSide::of(&sandbox).await);
    for leg in [&token, &verify] {
        let weather = Arc::clone(&weather);
        leg.plan(move |request| weather.decide(request));
    }
    let token_endpoint = format!("{}/token", token.url);
    let verify_endpoint = format!("{}/number-verification/v0/verify", verify.url);
    let endpoints = [("TOKEN_ENDPOINT", token_endpoint.as_str()), ("VERIFY_ENDPOINT", &verify_endpoint)];
    let mut environments = Vec::new();
    for _ in 0..ENVIRONMENTS {
        environments.push(Function::deployed(Arc::clone(&sandbox), &endpoints).await);
    }
    let at_once = AT_ONCE.to_string();
    let variables = [&endpoints[..], &[("AWS_LAMBDA_MAX_CONCURRENCY", at_once.as_str())]].concat();
    environments.push(Function::deployed(Arc::clone(&sandbox), &variables).await);
    let environments: Vec<_> =
        environments.into_iter().map(|function| Arc::new(function.with_time_left(TIME_LEFT))).collect();

    let rounds = (verifications / ROUND).max(FEWEST_ROUNDS);
    let start = Instant::now();
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut times = Vec::new();
    let mut memory = Vec::new();
    let next = Arc::new(AtomicUsize::new(0));
    for round in 1..=rounds {
        let until = verifications * round / rounds;
        let mut browsers = JoinSet::new();
        for (index, function) in environments.iter().enumerate() {
            for _ in 0..if index == ENVIRONMENTS { AT_ONCE } else { 1 } {
                let (function, next) = (Arc::clone(function), Arc::clone(&next));
                browsers.spawn(async move {
                    let mut seen = Vec::new();
                    while let Ok(number) =
                        next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < until).then_some(n + 1))
                    {
                        seen.push(verification(&function, number).await);
                    }
                    seen
                });
            }
        }
        let seen: Vec<_> = browsers.join_all().await.into_iter().flatten().collect();
        compare_with_the_ledger(&seen, &sandbox, &std::mem::take(&mut weather.struck.lock().unwrap()));
        sandbox.clear_requests();
        for seen in seen {
            *outcomes.entry(seen.outcome).or_default() += 1;
            times.push(seen.time);
        }
        memory.push(environments.iter().map(|function| function.memory()).collect::<Vec<_>>());
    }
    assert_eq!(times.len(), verifications, "each has one outcome");

    times.sort();
    let (calls, failed) = (weather.calls.load(Ordering::Relaxed), weather.failed.load(Ordering::Relaxed));
    println!("{verifications} verifications in {:.0?}; {failed} of {calls} upstream calls failed", start.elapsed());
    for (outcome, count) in &outcomes {
        println!("  {outcome:<22} {count:>6}");
    }
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!("callback: median {:.1?}, 99 % {:.1?}, longest {:.1?}", at(50), at(99), at(100));
    println!("memory in KB, each environment, after a quarter and at the end:");
    let (quarter, end) = (&memory[rounds / 4], &memory[rounds - 1]);
    for (quarter, end) in quarter.iter().zip(end) {
        println!("  {quarter:>6} {end:>6}");
        assert!(*end < quarter + quarter / 4, "memory does not grow");
    }
}

fn compare_with_the_ledger(seen: &[Seen], sandbox: &Sandbox, struck: &HashSet<String>) {
    let mut said: HashMap<String, Vec<(String, bool)>> = HashMap::new();
    for served in sandbox.requests().into_iter().filter(|served| served.leg == Some(Leg::Verify)) {
        if let (Some(correlator), Some(asked), Some(answer)) = (served.x_correlator, served.asked, served.answer) {
            said.entry(correlator).or_default().push((asked, answer));
        }
    }
    for Seen { phone, correlator, code, outcome, .. } in seen {
        let answer = match *outcome {
            "verified" => true,
            "not_verified" => false,
            other => {
                let was_struck = struck.contains(correlator) || struck.contains(code);
                assert!(was_struck, "{correlator} is {other}, but none of its calls failed");
                continue;
            }
        };
        let of_the_operator = said.get(correlator).map_or(&[][..], Vec::as_slice);
        assert_eq!(of_the_operator, [((*phone).to_owned(), answer)], "{correlator} is {outcome}");
    }
}

fn value_after<'t>(text: &'t str, name: &str, end: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(name)?;
    Some(rest.split(end).next().unwrap_or(rest))
}
