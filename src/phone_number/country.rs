//! Country codes, and the zero that some countries drop after theirs.

/// Returns whether a zero follows a country code that drops it when dialled from abroad.
pub fn has_trunk_zero(digits: &str) -> bool {
    let (country, national) = digits.split_at_checked(country_code_length(digits)).unwrap_or((digits, ""));
    national.starts_with('0') && !KEEP_THE_ZERO.contains(&country)
}

/// Countries without a trunk prefix, in which some numbers start with a zero of their own: Italy, Côte d'Ivoire,
/// Burkina Faso, Benin, Gabon, Congo, San Marino and Tajikistan (their national plans, ITU-T E.129).
const KEEP_THE_ZERO: [&str; 8] = ["39", "225", "226", "229", "241", "242", "378", "992"];

/// The number of digits in the country code (ITU-T E.164: zones 1 and 7 have one, the listed codes two, all others
/// three).
pub fn country_code_length(digits: &str) -> usize {
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
