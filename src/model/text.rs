//! Texts: how names of tags are compared, and which characters are invisible.

/// The name by which tags are compared. Intercom ignores the case of tag names, and people do not mean the blanks around one.
pub fn tag_key(name: &str) -> String {
    name.trim().to_lowercase()
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
