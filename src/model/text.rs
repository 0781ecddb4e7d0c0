//! Texts: how names of tags are compared, how names are decoded, and which characters are invisible.

use std::borrow::Cow;

/// The name by which tags are compared. Intercom ignores the case of tag names, and people do not mean the blanks around
/// one. Nobody knows whether Intercom escapes tag names for HTML as it does other names
/// (docs/services/intercom.md, "Names are HTML-escaped"), so both forms compare equal.
pub fn tag_key(name: &str) -> String {
    unescape_html(name.trim()).to_lowercase()
}

/// The characters that are escaped, and the ways to write them.
const ENTITIES: [(&str, &str); 6] =
    [("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'")];

/// Returns the name behind its HTML escapes. It decodes once, in one pass: `&amp;lt;` becomes `&lt;`. Other entities stay.
pub fn unescape_html(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, _)) = rest.split_once('&') {
        plain.push_str(before);
        let from = rest.strip_prefix(before).unwrap_or_default();
        let entity = ENTITIES.iter().find_map(|(entity, character)| Some((from.strip_prefix(entity)?, character)));
        let (after, character) = entity.unwrap_or_else(|| (from.strip_prefix('&').unwrap_or_default(), &"&"));
        plain.push_str(character);
        rest = after;
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// Whether a character is invisible and can make a line read as another: overrides of the writing direction, word joiners,
/// marks of tags and annotations. No name needs them.
///
/// Joiners and variation selectors do not count, because emoji and scripts need them. Control characters have
/// [`char::is_control`].
pub fn is_unseen(letter: char) -> bool {
    matches!(letter,
        '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded_once_and_in_one_pass() {
        let cases = [
            ("Smith &amp; Sons", "Smith & Sons"),
            ("Miles O&#39;Brien", "Miles O'Brien"),
            ("Miles O&#x27;Brien", "Miles O'Brien"),
            ("&lt;b&gt; &quot;x&quot;", "<b> \"x\""),
            ("&amp;amp; &amp;lt; &amp;#39;", "&amp; &lt; &#39;"),
            ("AT&T", "AT&T"),
            ("a & b &nbsp; &eacute; &", "a & b &nbsp; &eacute; &"),
            ("&&amp;&", "&&&"),
            ("", ""),
        ];
        for (escaped, plain) in cases {
            assert_eq!(unescape_html(escaped), plain, "{escaped}");
        }
    }

    #[test]
    fn case_blanks_and_html_escapes_do_not_distinguish_tags() {
        for name in ["R&D: Snoozed", " r&d: snoozed ", "R&amp;D: Snoozed"] {
            assert_eq!(tag_key(name), "r&d: snoozed");
        }
    }
}
