//! Takes secrets and personal data out of texts that a service wrote. Services quote the requests they received.

use crate::model::is_unseen;

/// The most characters kept of a service's text.
const MESSAGE_CHARS: usize = 200;

/// Whether a text is a term of a service's vocabulary (`not_found`, `INVALID_DATA`, `chat:write`, a request id). Any other
/// text could be about a person.
pub fn is_code(text: &str) -> bool {
    (1..=80).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte))
}

/// Returns a service's text on one line, at most 200 characters long, without e-mails, addresses of webhooks, and anything
/// that looks like a token.
pub fn scrub(text: &str) -> String {
    let mut clean = String::new();
    let mut word = String::new();
    // Reading a little more than is kept is enough: a service may answer with megabytes.
    for letter in text.chars().take(MESSAGE_CHARS * 8).filter(|letter| !is_unseen(*letter)) {
        let ends_word = letter.is_whitespace() || letter.is_control() || "\"'`<>()[]{},;|".contains(letter);
        if !ends_word {
            word.push(letter);
            continue;
        }
        push_word(&mut clean, &mut word);
        let letter = if letter.is_control() || letter.is_whitespace() { ' ' } else { letter };
        if !(letter.is_whitespace() && (clean.is_empty() || clean.ends_with(' '))) {
            clean.push(letter);
        }
    }
    push_word(&mut clean, &mut word);
    let clean = clean.trim();
    if clean.chars().count() <= MESSAGE_CHARS {
        return clean.to_owned();
    }
    let mut cut: String = clean.chars().take(MESSAGE_CHARS - 1).collect();
    cut.push('…');
    cut
}

fn push_word(clean: &mut String, word: &mut String) {
    let lower = word.to_ascii_lowercase();
    // Percent-encoded addresses stand in requests that the service quotes.
    if word.contains('@') || lower.contains("%40") {
        clean.push_str("[e-mail]");
    } else if lower.contains("xox") || lower.contains("hooks.slack") || lower.starts_with("1000.") || has_long_run(word)
    {
        clean.push_str("[secret]");
    } else {
        clean.push_str(word);
    }
    word.clear();
}

/// Tokens are long runs of letters and digits. Ids are shorter: 24 at Intercom, 19 at Zoho, 12 between the dashes of a UUID.
fn has_long_run(word: &str) -> bool {
    word.split(|letter: char| !(letter.is_ascii_alphanumeric() || "+=_".contains(letter)))
        .any(|run| run.len() >= 30 && run.bytes().any(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_no_sentence() {
        for code in ["not_found", "INVALID_DATA", "chat:write", "b68959ea-6328-4f70-83cb-e7913dba1542", "4000"] {
            assert!(is_code(code), "{code}");
        }
        for words in ["", "Ann Acme", "ann@acme.example", "Zoë", "[secret]", &"x".repeat(81)] {
            assert!(!is_code(words), "{words}");
        }
    }

    #[test]
    fn secrets_and_emails_are_replaced() {
        let cases = [
            ("User ann@acme.example not found", "User [e-mail] not found"),
            ("no lead 'ann@acme.example'", "no lead '[e-mail]'"),
            ("email=ann%40acme.example", "[e-mail]"),
            ("token xoxb-12-34-abc is bad", "token [secret] is bad"),
            ("bad dG9rOmY2ZTRhMWI5X2NmYTFfNDAxZF9iMzEw=", "bad [secret]"),
            ("code 1000.8cb99d.ef01 expired", "code [secret] expired"),
            ("https://hooks.slack.com/services/T0/B0/XYZ said no", "[secret] said no"),
            ("contact 63a07ddf05a32042dffac965 is gone", "contact 63a07ddf05a32042dffac965 is gone"),
            ("id b68959ea-6328-4f70-83cb-e7913dba1542", "id b68959ea-6328-4f70-83cb-e7913dba1542"),
            ("  two\r\n\tlines\0 ", "two lines"),
            ("\u{1b}[31mred \u{202e}back\u{2028}line\u{feff}", "[31mred back line"),
            ("ann\u{200b}@acme.example", "[e-mail]"),
        ];
        for (raw, clean) in cases {
            assert_eq!(scrub(raw), clean);
        }
    }

    #[test]
    fn long_texts_are_cut() {
        let cut = scrub(&"é ".repeat(10_000));
        assert_eq!(cut.chars().count(), MESSAGE_CHARS);
        assert!(cut.ends_with('…'));
    }
}
