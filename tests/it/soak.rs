//! Many verifications in many environments, with an operator that fails in every way, and with three that each fail in
//! one way. Each verification has one outcome in time, and *verified* and *not verified* are the answers, in that
//! verification, of the operator that serves the number.
//!
//! `make soak` runs ten thousand verifications, `cargo test` a few hundred.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sandbox::{Leg, Sandbox};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::far_side::{FarSide, Fault};
use crate::support::several::Several;
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

/// The faults of upstream calls.
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

/// The operators that each fail in one way: name, prefix, how many calls in a hundred fail, the faults, and the outcomes
/// that these can have.
type OneWay = (&'static str, &'static str, usize, &'static [Fault], &'static [&'static str]);
const ONE_WAY_EACH: [OneWay; 3] = [
    (
        "breaks",
        "+34",
        20,
        &[Fault::ResetUnserved, Fault::CloseUnserved, Fault::ResetBehindHead, Fault::TruncateBody],
        &["operator_error"],
    ),
    (
        "refuses",
        "+33",
        20,
        &[
            Fault::Answer("HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n"),
            Fault::Answer("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"),
        ],
        &["operator_busy"],
    ),
    ("waits", "+49", 3, &[Fault::Hang, Fault::Drip], &["operator_timeout"]),
];

/// Decides which calls to an operator fail, and records which verifications were affected.
struct Weather {
    random: Mutex<u64>,
    /// In percent.
    failing: usize,
    failures: &'static [Fault],
    calls: AtomicUsize,
    failed: AtomicUsize,
    /// The calls after whose answer the connection was closed, and the requests that crossed with that.
    closed: AtomicUsize,
    crossed: AtomicUsize,
    /// The `code` or `x-correlator` of each call that failed.
    struck: Mutex<HashSet<String>>,
}

impl Weather {
    fn new(failing: usize, failures: &'static [Fault]) -> Arc<Self> {
        Arc::new(Self {
            random: Mutex::new(0x9e37_79b9_7f4a_7c15),
            failing,
            failures,
            calls: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            closed: AtomicUsize::new(0),
            crossed: AtomicUsize::new(0),
            struck: Mutex::default(),
        })
    }

    fn decide(&self, request: &str) -> Fault {
        self.calls.fetch_add(1, Ordering::Relaxed);
        match self.roll(100) {
            roll if roll < self.failing => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                self.struck.lock().unwrap().extend(name_of(request));
                let fault = self.failures[self.roll(self.failures.len())];
                // These last until the deadline, so among others they are rarer.
                let waits = |fault: &Fault| matches!(fault, Fault::Hang | Fault::Drip);
                let is_rare = waits(&fault) && !self.failures.iter().all(waits);
                if is_rare && self.roll(10) > 0 { Fault::ResetServed } else { fault }
            }
            20..25 => {
                self.closed.fetch_add(1, Ordering::Relaxed);
                Fault::CloseBehind
            }
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

/// An operator, the weather on the way to it, and the sockets in front of its token endpoint and of its `verify`.
struct Site {
    sandbox: Arc<Sandbox>,
    weather: Arc<Weather>,
    /// A number of the operator's SIMs without its last digit.
    number: String,
    /// The outcomes that its failures can have; all, if there is none.
    outcomes: &'static [&'static str],
    token: FarSide,
    verify: FarSide,
}

impl Site {
    async fn new(
        sandbox: Arc<Sandbox>,
        prefix: &str,
        weather: Arc<Weather>,
        outcomes: &'static [&'static str],
    ) -> Self {
        let (token, verify) = (FarSide::of(&sandbox).await, FarSide::of(&sandbox).await);
        for leg in [&token, &verify] {
            let weather = Arc::clone(&weather);
            leg.plan(move |request| weather.decide(request));
        }
        Self { sandbox, weather, number: format!("{prefix}60000000"), outcomes, token, verify }
    }

    fn token_endpoint(&self) -> String {
        format!("{}/token", self.token.url)
    }

    fn verify_endpoint(&self) -> String {
        format!("{}/number-verification/v0/verify", self.verify.url)
    }
}

/// The browser's view of a verification.
struct Seen {
    /// The index of the operator that serves the number.
    site: usize,
    phone: String,
    correlator: String,
    code: String,
    outcome: &'static str,
    time: Duration,
}

async fn verification(function: &Function, number: usize, sites: &[Site]) -> Seen {
    let site = number % sites.len();
    let phone = format!("{}{}", sites[site].number, number / sites.len() % 2 + 1);
    let correlator = format!("00000000-0000-4000-8000-{number:012}");
    let mut browser = Browser::default();
    let callback = browser.callback_of(function, &phone).await;
    let start = Instant::now();
    let headers = [AS_JSON, ("x-correlator", correlator.as_str())];
    let answer = browser.open_with(function, &callback, &headers).await;
    let time = start.elapsed();
    assert!(time < TIME_LEFT, "answered after the deadline: {time:?}");
    assert_eq!(answer.json()["correlator"], correlator);
    let code = value_after(&callback, "code=", "&").unwrap().to_owned();
    Seen { site, phone, correlator, code, outcome: answer.outcome(), time }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_verification_has_one_true_outcome_in_time() {
    let sandbox = Arc::new(sandbox().await);
    let site = Site::new(Arc::clone(&sandbox), "+34", Weather::new(20, &FAILURES), &[]).await;
    let (token_endpoint, verify_endpoint) = (site.token_endpoint(), site.verify_endpoint());
    let endpoints = [("TOKEN_ENDPOINT", token_endpoint.as_str()), ("VERIFY_ENDPOINT", &verify_endpoint)];
    let deploy =
        async |more: &[(&str, &str)]| Function::deployed(Arc::clone(&sandbox), &[&endpoints[..], more].concat()).await;
    soak(VERIFICATIONS, vec![site], deploy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_comes_from_an_operator_that_does_not_serve_the_number() {
    let mut several = Several::start(&ONE_WAY_EACH.map(|(name, ..)| (name, &[][..]))).await;
    let mut sites = Vec::new();
    for (name, prefix, failing, failures, outcomes) in ONE_WAY_EACH {
        let sandbox = Arc::clone(several.at(name));
        let authorization_endpoint = format!("{}/authorize", sandbox.base_url());
        let site = Site::new(sandbox, prefix, Weather::new(failing, failures), outcomes).await;
        several.operators[name] = json!({
            "prefixes": [prefix],
            "authorization_endpoint": authorization_endpoint,
            "token_endpoint": site.token_endpoint(),
            "verify_endpoint": site.verify_endpoint(),
        });
        sites.push(site);
    }
    soak(VERIFICATIONS / 2, sites, async |more: &[(&str, &str)]| several.deployed(more).await).await;
    assert!(several.vault.requests().iter().all(|served| served.leg == Some(Leg::Secret)));
}

/// Verifies numbers of all operators in turn, in environments that `deploy` starts with more variables.
async fn soak(usual: usize, sites: Vec<Site>, deploy: impl AsyncFn(&[(&str, &str)]) -> Function) {
    let verifications = std::env::var("SOAK").map_or(usual, |number| number.parse().unwrap());
    let mut environments = Vec::new();
    for _ in 0..ENVIRONMENTS {
        environments.push(deploy(&[]).await);
    }
    environments.push(deploy(&[("AWS_LAMBDA_MAX_CONCURRENCY", &AT_ONCE.to_string())]).await);
    let environments: Vec<_> =
        environments.into_iter().map(|function| Arc::new(function.with_time_left(TIME_LEFT))).collect();

    let sites = Arc::new(sites);
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
                let (function, next, sites) = (Arc::clone(function), Arc::clone(&next), Arc::clone(&sites));
                browsers.spawn(async move {
                    let mut seen = Vec::new();
                    while let Ok(number) =
                        next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < until).then_some(n + 1))
                    {
                        seen.push(verification(&function, number, &sites).await);
                    }
                    seen
                });
            }
        }
        let seen: Vec<_> = browsers.join_all().await.into_iter().flatten().collect();
        for (index, site) in sites.iter().enumerate() {
            let (own, others): (Vec<_>, Vec<_>) = seen.iter().partition(|seen| seen.site == index);
            compare_with_the_ledger(&own, site).await;
            compare_with_the_ledger_of_another(&others, &site.sandbox);
            site.sandbox.clear_requests();
        }
        for seen in seen {
            *outcomes.entry(seen.outcome).or_default() += 1;
            times.push(seen.time);
        }
        memory.push(environments.iter().map(|function| function.memory()).collect::<Vec<_>>());
    }
    assert_eq!(times.len(), verifications, "each has one outcome");

    times.sort();
    let sum = |count: fn(&Weather) -> &AtomicUsize| -> usize {
        sites.iter().map(|site| count(&site.weather).load(Ordering::Relaxed)).sum()
    };
    let (calls, failed) = (sum(|weather| &weather.calls), sum(|weather| &weather.failed));
    let (closed, crossed) = (sum(|weather| &weather.closed), sum(|weather| &weather.crossed));
    println!(
        "{verifications} verifications, operators: {}, in {:.0?}; {failed} of {calls} upstream calls failed",
        sites.len(),
        start.elapsed()
    );
    for (outcome, count) in &outcomes {
        println!("  {outcome:<22} {count:>6}");
    }
    println!("{closed} connections closed after an answer; {crossed} requests crossed with that");
    assert!(4 * crossed <= closed, "the function notices that a connection is closed");
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!("callback: median {:.1?}, 99 % {:.1?}, longest {:.1?}", at(50), at(99), at(100));
    println!("memory in KB, each environment, after a quarter and at the end:");
    let (quarter, end) = (&memory[rounds / 4], &memory[rounds - 1]);
    for (quarter, end) in quarter.iter().zip(end) {
        println!("  {quarter:>6} {end:>6}");
        assert!(*end < quarter + quarter / 4, "memory does not grow");
    }
}

async fn compare_with_the_ledger(seen: &[&Seen], site: &Site) {
    let struck = std::mem::take(&mut *site.weather.struck.lock().unwrap());
    // The contract does not resend a request on a connection that closes within a second of its last answer.
    let mut crossed = HashSet::new();
    for leg in [&site.token, &site.verify] {
        crossed.extend(leg.crossed().await.iter().filter_map(|request| name_of(request)));
    }
    site.weather.crossed.fetch_add(crossed.len(), Ordering::Relaxed);
    let mut said: HashMap<String, Vec<(String, bool)>> = HashMap::new();
    for served in site.sandbox.requests().into_iter().filter(|served| served.leg == Some(Leg::Verify)) {
        if let (Some(correlator), Some(asked), Some(answer)) = (served.x_correlator, served.asked, served.answer) {
            said.entry(correlator).or_default().push((asked, answer));
        }
    }
    for Seen { phone, correlator, code, outcome, .. } in seen {
        let answer = match *outcome {
            "verified" => true,
            "not_verified" => false,
            "operator_error" if crossed.contains(correlator) || crossed.contains(code) => continue,
            other => {
                let was_struck = struck.contains(correlator) || struck.contains(code);
                assert!(was_struck, "{correlator} is {other}, but none of its calls failed");
                let can_be = site.outcomes.is_empty() || site.outcomes.contains(&other);
                assert!(can_be, "{correlator} is {other}: another operator's failure");
                continue;
            }
        };
        let of_the_operator = said.get(correlator).map_or(&[][..], Vec::as_slice);
        assert_eq!(of_the_operator, [(phone.clone(), answer)], "{correlator} is {outcome}");
    }
}

/// Checks that an operator got nothing of the verifications at others.
fn compare_with_the_ledger_of_another(seen: &[&Seen], sandbox: &Sandbox) {
    let mut known = BTreeSet::new();
    for served in sandbox.requests() {
        known.extend(served.fields.into_values().chain(served.x_correlator));
    }
    for Seen { phone, correlator, code, .. } in seen {
        for text in [phone, correlator, code] {
            assert!(!known.contains(text), "{text} is known to an operator that does not serve the number");
        }
    }
}

/// The `x-correlator` of a request to verify, the `code` of a token request.
fn name_of(request: &str) -> Option<String> {
    let correlator = value_after(request, "x-correlator: ", "\r\n");
    correlator.or_else(|| value_after(request, "code=", "&")).map(str::to_owned)
}

fn value_after<'t>(text: &'t str, name: &str, end: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(name)?;
    Some(rest.split(end).next().unwrap_or(rest))
}
