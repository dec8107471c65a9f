//! The state in a callback: it opens only if we sealed it, for this client, callback and browser.

#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use arbitrary::Arbitrary;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use number_verification::PhoneNumber;
use number_verification::flow::Question;
use number_verification::flow::fuzzing::{Audience, Holder, Mark, StateError, open, seal};
use number_verification::seal::{Purpose, Sealer};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    /// The characters that replace others in a genuine state, each with its position.
    edits: Vec<(u8, u8)>,
    length: u8,
    expires_at: u64,
    number: [u8; 16],
    /// Any text in place of a state, or of the text in one.
    foreign: &'a str,
}

const MARK: [u8; 16] = [1; 16];
const AUDIENCE: Audience = Audience { client_id: "my-app-id", redirect_uri: "https://a.example/callback" };
const NUMBER: &str = "+34600000001";
const TTL: Duration = Duration::from_mins(10);

static SEALER: LazyLock<Sealer> = LazyLock::new(|| Sealer::of(b"key").unwrap());
static NOW: LazyLock<u64> = LazyLock::new(|| SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs());
static GENUINE: LazyLock<String> = LazyLock::new(|| {
    seal(&SEALER, AUDIENCE, &question(), Mark::from_bytes(MARK), Holder::Browser, *NOW + TTL.as_secs()).unwrap().0
});

fuzz_target!(|input: Input| {
    foreign_state_does_not_open(&input);
    altered_state_does_not_open(&input);
    sealed_text_is_read_or_refused(&input);
});

fn question() -> Question {
    Question::Verify(PhoneNumber::parse(NUMBER).unwrap())
}

fn opened(state: &str) -> Result<Question, StateError> {
    open(&SEALER, AUDIENCE, state, *NOW, TTL).map(|opened| opened.question)
}

fn foreign_state_does_not_open(input: &Input) {
    assert_eq!(opened(input.foreign), Err(StateError::NotOurs));
    // As bytes of the wire format it passes the checks of alphabet and length.
    let mut wire = BASE64_URL_SAFE_NO_PAD.decode(GENUINE.as_str()).unwrap();
    for (place, byte) in wire.iter_mut().skip(1).zip(input.foreign.bytes()) {
        *place = byte;
    }
    let state = BASE64_URL_SAFE_NO_PAD.encode(wire);
    assert_eq!(opened(&state).is_ok(), state == *GENUINE);
}

fn altered_state_does_not_open(input: &Input) {
    let mut altered = GENUINE.clone().into_bytes();
    for &(place, character) in &input.edits {
        let place = usize::from(place) % altered.len();
        altered[place] = character & 0x7f;
    }
    // Three times in four the state keeps its length, so that the edits are tested.
    if input.length.is_multiple_of(4) {
        altered.truncate(usize::from(input.length));
    }
    let altered = String::from_utf8(altered).expect("it is ASCII");
    let expected = if altered == *GENUINE { Ok(question()) } else { Err(StateError::NotOurs) };
    assert_eq!(opened(&altered), expected);
}

/// An older version of this function may have sealed anything with the same key.
fn sealed_text_is_read_or_refused(input: &Input) {
    let parts = [AUDIENCE.client_id.as_bytes(), AUDIENCE.redirect_uri.as_bytes()];
    let hash = digest(&SHA256, &MARK);
    let in_place = [&input.expires_at.to_be_bytes()[..], hash.as_ref(), &[0], &input.number].concat();
    for text in [in_place.as_slice(), input.foreign.as_bytes()] {
        let (state, _) = SEALER.seal(Purpose::State, &parts, text).unwrap();
        let Ok(opened) = open(&SEALER, AUDIENCE, &state, *NOW, TTL) else { continue };
        if let Question::Verify(number) = &opened.question {
            assert_eq!(PhoneNumber::parse(number.expose()).as_ref(), Ok(number));
        }
        let expires_at = u64::from_be_bytes(text[..8].try_into().unwrap());
        assert!(*NOW < expires_at && expires_at <= *NOW + TTL.as_secs() + 5);
        assert_eq!(&text[8..40] == hash.as_ref(), opened.belongs_to(Mark::from_bytes(MARK)));
        let elsewhere = Audience { redirect_uri: "https://b.example/callback", ..AUDIENCE };
        assert_eq!(open(&SEALER, elsewhere, &state, *NOW, TTL).err(), Some(StateError::NotOurs));
    }
}
