//! E.164 phone numbers.

mod characters;
mod country;

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use characters::{closing_bracket, is_separator};
use country::{country_code_length, has_trunk_zero};

/// A phone number in E.164 form with its `+`, as CAMARA Number Verification writes it:
/// `^\+[1-9][0-9]{4,14}$`. `Debug` shows no digit.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber(Zeroizing<String>);

/// The reason a text is not a phone number, or is ambiguous. It contains none of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneNumberError {
    /// Nothing was entered.
    Empty,
    /// The text does not start with `+` or `00`, so the country is not known.
    NoCountryCode,
    /// The text contains something other than ASCII digits and the usual separators.
    NotANumber,
    /// There are fewer than 5 or more than 15 digits.
    Length,
    /// There is a `(0)`, which readers drop or keep depending on the country.
    ZeroInBrackets,
    /// There is a zero after a country code whose numbers drop it when dialled from abroad.
    TrunkZero,
    /// The text starts with `001`: the prefix `00` and country code 1, or the prefix `001` of some Asian countries.
    DoubleMeaning,
}

impl PhoneNumberError {
    /// Every error.
    pub const ALL: [Self; 7] = [
        Self::Empty,
        Self::NoCountryCode,
        Self::NotANumber,
        Self::Length,
        Self::ZeroInBrackets,
        Self::TrunkZero,
        Self::DoubleMeaning,
    ];
}

const MIN_DIGITS: usize = 5;
/// The longest number E.164 allows, without its `+`.
pub(crate) const MAX_DIGITS: usize = 15;
/// The most digits that are read: the longest number with `00` before it.
const MAX_TYPED_DIGITS: usize = MAX_DIGITS + 2;

impl PhoneNumber {
    /// Reads a number as people write it. Separators, brackets around digits, invisible characters and a leading `tel:`
    /// are removed, and a leading `00` becomes `+`. Nothing is guessed: a text that could mean two numbers is an error.
    ///
    /// # Errors
    /// The fault of the text, for a message beside the form field.
    pub fn parse(written: &str) -> Result<Self, PhoneNumberError> {
        let (plus, mut number) = read_digits(written)?;
        if !plus {
            if number.is_empty() {
                return Err(PhoneNumberError::Empty);
            }
            if number.starts_with("001") {
                return Err(PhoneNumberError::DoubleMeaning);
            }
            if !number.starts_with("00") {
                return Err(PhoneNumberError::NoCountryCode);
            }
            number.drain(..2);
        }
        if number.starts_with('0') {
            return Err(PhoneNumberError::NoCountryCode);
        }
        if has_trunk_zero(&number) {
            return Err(PhoneNumberError::TrunkZero);
        }
        if !(MIN_DIGITS..=MAX_DIGITS).contains(&number.len()) {
            return Err(PhoneNumberError::Length);
        }
        number.insert(0, '+');
        Ok(Self(number))
    }

    /// Reads a number from a query or a form whose sender may not have encoded its `+`, which then arrives as a space.
    ///
    /// # Errors
    /// See [`parse`](Self::parse).
    pub fn parse_from_query(written: &str) -> Result<Self, PhoneNumberError> {
        let digits = written.strip_prefix("tel:").unwrap_or(written);
        match digits.strip_prefix(' ').filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit())) {
            Some(digits) => Self::parse(&Zeroizing::new(format!("+{digits}"))),
            None => Self::parse(written),
        }
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

redacted_debug!(PhoneNumber);

impl fmt::Display for PhoneNumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "no phone number was given",
            Self::NoCountryCode => "the phone number must start with + and its country code",
            Self::NotANumber => "a phone number has only a + and the digits 0 to 9",
            Self::Length => "a phone number has 5 to 15 digits after its +",
            Self::ZeroInBrackets => "the phone number must not have a zero in brackets",
            Self::TrunkZero => "the phone number must not have a zero after this country code",
            Self::DoubleMeaning => "a phone number that starts with 001 has two meanings; it must start with +",
        })
    }
}

impl std::error::Error for PhoneNumberError {}

/// Returns whether the text starts with `+`, and its digits. It reads at most one digit too many, and never moves the
/// digits to other memory, so that no copy outlives the number.
fn read_digits(written: &str) -> Result<(bool, Zeroizing<String>), PhoneNumberError> {
    let mut plus = false;
    let mut digits = Zeroizing::new(String::with_capacity(MAX_TYPED_DIGITS));
    // The bracket that is open: the character that closes it, and how many digits stood before it.
    let mut open: Option<(char, usize)> = None;
    for c in without_scheme(written).chars() {
        match (c, open) {
            ('0'..='9', _) if digits.len() == MAX_TYPED_DIGITS => return Err(PhoneNumberError::Length),
            ('0'..='9', _) => digits.push(c),
            ('+', _) if digits.is_empty() && !plus => plus = true,
            (_, Some((closing, before))) if c == closing => match digits.get(before..) {
                Some("0") => return Err(PhoneNumberError::ZeroInBrackets),
                Some("") | None => return Err(PhoneNumberError::NotANumber),
                Some(_) => open = None,
            },
            _ if is_separator(c) => {}
            (_, None) => open = Some((closing_bracket(c).ok_or(PhoneNumberError::NotANumber)?, digits.len())),
            _ => return Err(PhoneNumberError::NotANumber),
        }
    }
    if open.is_some() { Err(PhoneNumberError::NotANumber) } else { Ok((plus, digits)) }
}

/// The text without a leading `tel:` (RFC 3966 §3; schemes have no letter case).
fn without_scheme(written: &str) -> &str {
    let written = written.trim_start_matches(is_separator);
    match written.split_at_checked(4) {
        Some((scheme, number)) if scheme.eq_ignore_ascii_case("tel:") => number,
        _ => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(written: &str) -> Result<String, PhoneNumberError> {
        PhoneNumber::parse(written).map(|number| number.expose().to_owned())
    }

    #[test]
    fn unambiguous_numbers_are_read_as_written() {
        for (name, written, expected) in [
            ("E.164", "+34600000001", "+34600000001"),
            ("spaces", " + 34 600 000 001 ", "+34600000001"),
            ("tab and line end", "+34\t600000001\r\n", "+34600000001"),
            ("dots, dashes, brackets", "(+1) [202] {555}-01.23", "+12025550123"),
            ("full-width punctuation", "+1（202）555－01．23", "+12025550123"),
            ("typographic dashes", "+1‐202–555—0123", "+12025550123"),
            ("slash", "+49 171/1234567", "+491711234567"),
            ("tel:", "tel:+34-600-000-001", "+34600000001"),
            ("tel: in capitals after a space", " TEL: +34 600 000 001", "+34600000001"),
            ("tel: with 00", "tel:0034600000001", "+34600000001"),
            ("leading 00", "0034600000001", "+34600000001"),
            ("leading 00 in parts", "(00) 34 600 000 001", "+34600000001"),
            ("leading 00, longest", "00987654321098765", "+987654321098765"),
            ("shortest", "+12345", "+12345"),
            ("longest", "+123456789012345", "+123456789012345"),
            ("Italy", "+39 0342 123456", "+390342123456"),
            ("Italy, area code in brackets", "+39 (0342) 123456", "+390342123456"),
            ("San Marino", "+378 0549 882345", "+3780549882345"),
            ("Côte d'Ivoire", "+225 07 01 02 03 04", "+2250701020304"),
            ("Congo", "00242 06 123 4567", "+242061234567"),
            ("Gabon", "+241 06 12 34 56", "+24106123456"),
            ("Benin", "+229 01 97 12 34 56", "+2290197123456"),
            ("Burkina Faso", "+226 01 23 45 67", "+22601234567"),
            ("Tajikistan", "+992 00 123 4567", "+992001234567"),
        ] {
            assert_eq!(parsed(written).as_deref(), Ok(expected), "{name}");
        }
    }

    #[test]
    fn other_texts_are_refused_with_their_error() {
        use PhoneNumberError::{DoubleMeaning, Empty, Length, NoCountryCode, NotANumber, TrunkZero, ZeroInBrackets};
        for (name, written, expected) in [
            ("empty", "", Empty),
            ("only separators", " -.\u{200b}/ ", Empty),
            ("only tel:", "tel:", Empty),
            ("national", "600000001", NoCountryCode),
            ("national with its trunk zero", "07700 900123", NoCountryCode),
            ("zero as country code", "+0600000001", NoCountryCode),
            ("+ and 00", "+0034600000001", NoCountryCode),
            ("00 and zero as country code", "00034600000001", NoCountryCode),
            ("prefix of North America", "011 34 600 000 001", NoCountryCode),
            ("no digit", "+", Length),
            ("too short", "+1234", Length),
            ("too long", "+1234567890123456", Length),
            ("very long", &"9".repeat(100_000), Length),
            ("letters", "+34six00000001", NotANumber),
            ("words", "hello", NotANumber),
            ("two pluses", "++34600000001", NotANumber),
            ("plus inside", "34+600000001", NotANumber),
            ("two numbers", "+34600000001 +34600000002", NotANumber),
            ("Arabic digits", "+٣٤٦٠٠٠٠٠٠٠١", NotANumber),
            ("eleven full-width digits", "+３４６００００００００１", NotANumber),
            ("full-width digits without +", "３４６００００００００１", NotANumber),
            ("full-width plus", "＋34600000001", NotANumber),
            ("markup", "<script>", NotANumber),
            ("masked digits", "+34 ••• ••• 001", NotANumber),
            ("extension", "tel:+34600000001;ext=1", NotANumber),
            ("pause and extension", "+34600000001,1", NotANumber),
            ("tel: twice", "tel:tel:+34600000001", NotANumber),
            ("another scheme", "sip:+34600000001", NotANumber),
            ("bracket not closed", "+44 (20 7946 0018", NotANumber),
            ("bracket not opened", "+44 20) 7946 0018", NotANumber),
            ("brackets of two styles", "+44 (20] 7946 0018", NotANumber),
            ("brackets around brackets", "+44 ((20)) 7946 0018", NotANumber),
            ("brackets around nothing", "+44 () 20 7946 0018", NotANumber),
            ("brackets around +", "(+)44 20 7946 0018", NotANumber),
            ("many brackets", &"(".repeat(100_000), NotANumber),
            ("very long space", &" ".repeat(100_000), Empty),
            ("(0) after +44", "+44 (0)7700 900123", ZeroInBrackets),
            ("(0) in Italy, which keeps its zero", "+39 (0)342 1234567", ZeroInBrackets),
            ("(0) in Côte d'Ivoire, which keeps its zero", "+225 (0)7 01 02 03 04", ZeroInBrackets),
            ("(0) inside", "+34 600 (0)00 001", ZeroInBrackets),
            ("(0) at the start", "(0)7700 900123", ZeroInBrackets),
            ("(0) after 00", "0044(0)7700900123", ZeroInBrackets),
            ("zero after +44", "+44 07700 900123", TrunkZero),
            ("zero after 0044", "0044 07700 900123", TrunkZero),
            ("zero after +44, and so too long", "+44 0123 456 789 0123", TrunkZero),
            ("zero after +49", "+49 0171 1234567", TrunkZero),
            ("zero after +1", "+1 0202 555 0123", TrunkZero),
            ("zero after +351", "+351 0912 345 678", TrunkZero),
            ("zero after +36", "+36 06 30 123 4567", TrunkZero),
            ("area code with its zero in brackets", "+44 (020) 7946 0018", TrunkZero),
            ("001 and Singapore or Alabama", "001 65 9234 5678", DoubleMeaning),
            ("001 in parts", "00-1-202-555-0123", DoubleMeaning),
            ("tel: and 001", "tel:0012025550123", DoubleMeaning),
        ] {
            assert_eq!(parsed(written), Err(expected), "{name}");
        }
    }

    #[test]
    fn zero_in_brackets_is_refused_in_every_style_and_spacing() {
        const SPACES: [&str; 5] = ["", " ", "\u{a0}", "\u{200b}", "-"];
        for (open, close) in ["()", "[]", "{}", "（）", "［］", "｛｝", "【】", "〔〕"].map(|pair| {
            let mut pair = pair.chars();
            (pair.next().unwrap(), pair.next().unwrap())
        }) {
            for country in ["+44", "0044", "tel:+44", "+39", "+34600"] {
                for [before, inside, after] in
                    SPACES.iter().flat_map(|a| SPACES.iter().flat_map(move |b| SPACES.iter().map(move |c| [a, b, c])))
                {
                    let written = format!("{country}{before}{open}{inside}0{inside}{close}{after}7700900");
                    assert_eq!(parsed(&written), Err(PhoneNumberError::ZeroInBrackets), "{written}");
                }
            }
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
            assert_eq!(PhoneNumber::parse(number).map(|n| n.masked()).as_deref(), Ok(masked), "{number}");
        }
    }

    #[test]
    fn debug_shows_no_digit() {
        let number = PhoneNumber::parse("+34600000001");
        assert!(!format!("{number:?}").contains("34"));
    }
}
