//! Any text that a user types: a number that is accepted is E.164, is read again as itself, and appears in no log.

#![no_main]

use libfuzzer_sys::fuzz_target;
use number_verification::phone_number::{PhoneNumber, PhoneNumberError};

fuzz_target!(|typed: &str| {
    let parsed = PhoneNumber::parse(typed);
    let shown = format!("{parsed:?}");
    assert!(!shown.contains(|c: char| c.is_ascii_digit()), "Debug shows a digit: {shown}");
    let number = match parsed {
        Ok(number) => number,
        Err(error) => {
            // Only a trunk zero after the country code makes an E.164 number ambiguous.
            assert!(!is_e164(typed) || error == PhoneNumberError::TrunkZero, "an E.164 number is refused: {error}");
            return;
        }
    };
    assert!(is_e164(number.expose()));
    assert_eq!(PhoneNumber::parse(number.expose()).as_ref(), Ok(&number));

    let masked = number.masked();
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    assert!(masked.contains('•') && digits(&masked) < digits(number.expose()), "nothing is masked");
});

/// CAMARA's `^\+[1-9][0-9]{4,14}$`.
fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (5..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
    })
}
