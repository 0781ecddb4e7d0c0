//! Cuts and cleans texts for Zoho's fields, which refuse a text that is too long.

use crate::model::is_unseen;

/// The most characters of a usual text field.
pub(super) const LINE: usize = 255;

/// The longest beginning of a text that fits.
///
/// Zoho does not document whether it counts characters or UTF-16 units. This counts units, of which there are never fewer, and
/// never splits a character.
pub(super) fn cut(text: &str, longest: usize) -> &str {
    let mut length = 0;
    let end = text.char_indices().find(|(_, char)| {
        length += char.len_utf16();
        length > longest
    });
    end.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// Cuts a text to fit. A text that was cut ends in `…`.
pub(super) fn shorten(text: &str, longest: usize) -> String {
    if length(text) <= longest {
        return text.to_owned();
    }
    format!("{}…", cut(text, longest.saturating_sub(1)).trim_end())
}

/// The length that [`cut`] counts: in UTF-16 units.
pub(super) fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// A text on one line: control characters and runs of blanks become one blank, and invisible characters are left out.
pub(super) fn line(text: &str) -> String {
    let seen: String = text.chars().filter(|char| !is_unseen(*char)).collect();
    seen.split(|char: char| char.is_control() || char.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A text with its line breaks: other control characters and invisible ones are left out.
pub(super) fn lines(text: &str) -> String {
    let fits = |char: &char| matches!(char, '\n' | '\t') || !(char.is_control() || is_unseen(*char));
    text.replace("\r\n", "\n").replace(['\u{2028}', '\u{2029}'], "\n").chars().filter(fits).collect()
}

/// Whether a text contains a short key as a word of its own. A longer key may begin with a shorter one.
pub(super) fn mentions(text: &str, key: &str) -> bool {
    let part_of_key = |char: &char| char.is_ascii_alphanumeric();
    !key.is_empty()
        && text.match_indices(key).any(|(at, _)| {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            let after = text.get(at + key.len()..).and_then(|after| after.chars().next());
            !before.as_ref().is_some_and(part_of_key) && !after.as_ref().is_some_and(part_of_key)
        })
}

/// Whether a text is a name or a number of Zoho's own vocabulary, and so not personal.
pub(super) fn is_name(text: &str) -> bool {
    (1..=60).contains(&text.len()) && text.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_is_found_only_by_itself() {
        let cases = [
            ("Storage at 83% · US-7K3F9Q2M", true),
            ("US-7K3F9Q2M", true),
            ("again · US-7K3F9Q2M\nmore", true),
            ("(US-7K3F9Q2M)", true),
            ("Storage · US-7K3F9Q2MX", false),
            ("BUS-7K3F9Q2M", false),
            ("US-7K3F9Q2MX · US-7K3F9Q2M", true),
            ("us-7k3f9q2m", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(mentions(text, "US-7K3F9Q2M"), expected, "{text}");
        }
        assert!(!mentions("anything", ""));
    }

    #[test]
    fn texts_are_cut_between_characters() {
        let cases = [
            ("abc", 3, "abc", "abc"),
            ("abcd", 3, "abc", "ab…"),
            ("🚀🚀", 3, "🚀", "🚀…"),
            ("ab cd", 4, "ab c", "ab…"),
            ("é", 0, "", "…"),
        ];
        for (text, longest, expected, shortened) in cases {
            assert_eq!(cut(text, longest), expected, "{text}");
            assert_eq!(shorten(text, longest), shortened, "{text}");
        }
    }

    #[test]
    fn control_characters_are_left_out() {
        assert_eq!(line(" a\r\n\tb\u{0}c  d "), "a b c d");
        assert_eq!(lines("a\r\nb\tc\u{0}d\u{1b}[1m"), "a\nb\tcd[1m");
        assert_eq!(line("a\u{202e}b\u{feff}c\u{2028}d"), "abc d");
        assert_eq!(lines("a\u{202e}b\u{2028}c"), "ab\nc");
    }

    proptest! {
        #[test]
        fn a_shortened_text_fits(text in "\\PC{0,40}", longest in 1_usize..30) {
            prop_assert!(length(&shorten(&text, longest)) <= longest);
            prop_assert!(length(cut(&text, longest)) <= longest);
        }
    }
}
