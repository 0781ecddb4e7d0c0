//! Letters that show nothing, and change how the others are read.

/// Overrides of the writing direction, joints of words, marks of tags and annotations: never part of what a person means to
/// say in a name, and enough to make a line read as another. Joiners and variation selectors are not among them: emoji and
/// scripts need those. Control characters have [`char::is_control`].
pub fn is_unseen(letter: char) -> bool {
    matches!(letter,
        '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}
