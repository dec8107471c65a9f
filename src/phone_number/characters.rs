//! The characters between the digits of a phone number, visible or not.

/// Returns whether people, address books or phones put this character between digits, or it is invisible.
pub(super) fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '.' | '\u{b7}' | '\u{ff0e}')
        || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}')
        || matches!(c, '/' | '\u{2044}' | '\u{2215}' | '\u{ff0f}')
        || is_invisible(c)
}

/// Unicode's property `Default_Ignorable_Code_Point`: direction marks, joiners, variation selectors, fillers.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The bracket that closes this opening one, in ASCII and in East Asian full width.
pub(super) fn closing_bracket(opening: char) -> Option<char> {
    Some(match opening {
        '(' => ')',
        '[' => ']',
        '{' => '}',
        '\u{ff08}' => '\u{ff09}',
        '\u{ff3b}' => '\u{ff3d}',
        '\u{ff5b}' => '\u{ff5d}',
        '\u{3010}' => '\u{3011}',
        '\u{3014}' => '\u{3015}',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::PhoneNumber;

    #[test]
    fn separators_and_invisible_characters_are_removed_wherever_they_are() {
        for (name, characters) in [
            ("spaces", "\t \u{a0}\u{1680}\u{2003}\u{2007}\u{202f}\u{3000}"),
            ("dots, dashes, slashes", ".·．-‐–—−－/⁄∕／"),
            (
                "direction marks",
                "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}",
            ),
            (
                "soft hyphen, joiners, spaces without width",
                "\u{ad}\u{34f}\u{180e}\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}",
            ),
            ("variation selectors, fillers, tags", "\u{fe0d}\u{fe0f}\u{115f}\u{3164}\u{ffa0}\u{e0001}"),
        ] {
            for c in characters.chars() {
                let written = format!("{c}tel:{c}+{c}34{c}{c}({c}600{c}){c}000001{c}");
                let parsed = PhoneNumber::parse(&written);
                let number = parsed.as_ref().map(PhoneNumber::expose);
                assert_eq!(number, Ok("+34600000001"), "{name}: {}", c.escape_unicode());
            }
        }
    }
}
