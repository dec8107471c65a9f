//! E.164 phone numbers.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

/// A phone number in E.164 form with its `+`, as CAMARA Number Verification writes it:
/// `^\+[1-9][0-9]{4,14}$`. `Debug` shows no digit.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber(Zeroizing<String>);

/// Why a text is not a phone number. Carries none of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneNumberError {
    /// Nothing was entered.
    Empty,
    /// No `+` or `00` in front, so the country is not known.
    NoCountryCode,
    /// Something other than digits and the usual separators.
    NotANumber,
    /// Fewer than 5 or more than 15 digits.
    Length,
}

const MIN_DIGITS: usize = 5;
/// The longest number E.164 allows, without its `+`.
pub(crate) const MAX_DIGITS: usize = 15;

impl PhoneNumber {
    /// Reads a number as people write it: spaces, dots, dashes and brackets are taken out, a leading `00`
    /// becomes `+`.
    ///
    /// # Errors
    /// What is wrong with the text, for a message beside the form field.
    pub fn parse(written: &str) -> Result<Self, PhoneNumberError> {
        // `+44 (0)20 …`: the zero in brackets is for callers inside the country, who leave the country code out.
        let written = written.replacen("(0)", "", usize::from(!written.trim_start().starts_with('(')));
        let written = Zeroizing::new(written);
        let mut number = Zeroizing::new(String::with_capacity(MAX_DIGITS + 1));
        for c in written.chars().filter(|c| !is_separator(*c)) {
            // A text this long is wrong whatever follows, and need not be copied whole.
            if number.len() > 2 * MAX_DIGITS {
                return Err(PhoneNumberError::Length);
            }
            number.push(c);
        }
        if number.is_empty() {
            return Err(PhoneNumberError::Empty);
        }
        let digits = match number.strip_prefix('+').or_else(|| number.strip_prefix("00")) {
            Some(digits) => digits,
            None if number.bytes().all(|b| b.is_ascii_digit()) => {
                return Err(PhoneNumberError::NoCountryCode);
            }
            None => return Err(PhoneNumberError::NotANumber),
        };
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PhoneNumberError::NotANumber);
        }
        if !(MIN_DIGITS..=MAX_DIGITS).contains(&digits.len()) {
            return Err(PhoneNumberError::Length);
        }
        if digits.starts_with('0') {
            return Err(PhoneNumberError::NoCountryCode);
        }
        Ok(Self(Zeroizing::new(format!("+{digits}"))))
    }

    /// The number with its `+`, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The number for a page that may be seen over a shoulder: `+34 ••• ••• 001`.
    #[must_use]
    pub fn masked(&self) -> String {
        let digits = self.0.trim_start_matches('+');
        let (country, national) = digits.split_at(country_code_length(digits));
        let shown = (national.len() / 2).min(3);
        let hidden = national.len() - shown;
        let mut masked = format!("+{country} ");
        for place in 0..hidden {
            masked.push('•');
            if (hidden - place) % 3 == 1 {
                masked.push(' ');
            }
        }
        masked.push_str(&national[hidden..]);
        masked
    }
}

impl FromStr for PhoneNumber {
    type Err = PhoneNumberError;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        Self::parse(written)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber([redacted])")
    }
}

impl fmt::Display for PhoneNumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "no phone number was given",
            Self::NoCountryCode => "the phone number must start with + and its country code",
            Self::NotANumber => "a phone number is a + and digits",
            Self::Length => "a phone number has 5 to 15 digits after its +",
        })
    }
}

impl std::error::Error for PhoneNumberError {}

/// What people and address books put between digits. Phones wrap a copied number in the invisible
/// direction marks at the end of the list.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '.' | '-' | '(' | ')' | '[' | ']' | '\u{2010}'..='\u{2015}' | '\u{2212}')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Digits of the country code (ITU-T E.164 annex: zones 1 and 7 have one, the listed ones two, all others three).
fn country_code_length(digits: &str) -> usize {
    match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [b'2', b'0' | b'7', ..]
        | [b'3', b'0'..=b'4' | b'6' | b'9', ..]
        | [b'4', b'0' | b'1' | b'3'..=b'9', ..]
        | [b'5', b'1'..=b'8', ..]
        | [b'6', b'0'..=b'6', ..]
        | [b'8', b'1' | b'2' | b'4' | b'6', ..]
        | [b'9', b'0'..=b'5' | b'8', ..] => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        for (name, written, expected) in [
            ("E.164", "+34600000001", Ok("+34600000001")),
            ("spaces", " +34 600 000 001 ", Ok("+34600000001")),
            ("no-break spaces", "+34\u{a0}600\u{202f}000001", Ok("+34600000001")),
            ("dots, dashes, brackets", "(+1) [202] 555-01.23", Ok("+12025550123")),
            ("typographic dashes", "+1‐202–555—0123", Ok("+12025550123")),
            ("copied from an address book", "\u{202a}+34 600 000 001\u{202c}", Ok("+34600000001")),
            ("a zero for callers inside the country", "+44 (0)20 7946 0018", Ok("+442079460018")),
            ("leading 00", "0034600000001", Ok("+34600000001")),
            ("leading 00 with spaces", "00 34 600 000 001", Ok("+34600000001")),
            ("shortest", "+12345", Ok("+12345")),
            ("longest", "+123456789012345", Ok("+123456789012345")),
            ("empty", "", Err(PhoneNumberError::Empty)),
            ("only separators", " ()-. ", Err(PhoneNumberError::Empty)),
            ("national", "600000001", Err(PhoneNumberError::NoCountryCode)),
            ("trunk zero", "+0600000001", Err(PhoneNumberError::NoCountryCode)),
            ("00 twice", "00034600000001", Err(PhoneNumberError::NoCountryCode)),
            ("too short", "+1234", Err(PhoneNumberError::Length)),
            ("too long", "+1234567890123456", Err(PhoneNumberError::Length)),
            ("very long", &"9".repeat(100_000), Err(PhoneNumberError::Length)),
            ("letters", "+34six00000001", Err(PhoneNumberError::NotANumber)),
            ("words", "hello", Err(PhoneNumberError::NotANumber)),
            ("two pluses", "++34600000001", Err(PhoneNumberError::NotANumber)),
            ("plus inside", "34+600000001", Err(PhoneNumberError::NotANumber)),
            ("digits that are not ASCII", "+٣٤٦٠٠٠٠٠٠٠١", Err(PhoneNumberError::NotANumber)),
            ("markup", "<script>", Err(PhoneNumberError::NotANumber)),
        ] {
            let parsed = PhoneNumber::parse(written);
            let got = parsed.as_ref().map(PhoneNumber::expose).map_err(|e| *e);
            assert_eq!(got, expected, "{name}");
        }
    }

    #[test]
    fn masked_shows_the_country_and_the_end() {
        for (number, masked) in [
            ("+34600000001", "+34 ••• ••• 001"),
            ("+12025550123", "+1 • ••• ••• 123"),
            ("+351912345678", "+351 ••• ••• 678"),
            ("+12345", "+1 •• 45"),
            ("+123456789012345", "+1 •• ••• ••• ••• 345"),
        ] {
            assert_eq!(PhoneNumber::parse(number).map(|n| n.masked()).as_deref(), Ok(masked));
        }
    }

    #[test]
    fn debug_shows_no_digit() {
        let number = PhoneNumber::parse("+34600000001");
        assert!(!format!("{number:?}").contains("34"));
    }
}
