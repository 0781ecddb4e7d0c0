//! Escapes customers' texts for Slack's markup, so that people see them and Slack never acts on them. Cuts each text by its
//! escaped length, so that no cut goes through an escape or a link.

use url::Url;

use crate::model::is_unseen;

/// The length by the strictest reading of Slack's limits: a character beyond the basic plane counts as two.
pub fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// A text for `mrkdwn`: one line, escaped, at most `limit` long. Empty if nothing of it is visible.
pub fn line(raw: &str, limit: usize) -> String {
    fit(&clean(raw, limit, false), limit, escape)
}

/// A text for `mrkdwn`: with its line breaks, escaped, at most `limit` long. Empty if nothing of it is visible.
pub fn lines(raw: &str, limit: usize) -> String {
    fit(&clean(raw, limit, true), limit, escape)
}

/// A text for `plain_text`, which Slack does not read as markup: one line, at most `limit` long. Empty if nothing of it is
/// visible.
pub fn plain(raw: &str, limit: usize) -> String {
    fit(&clean(raw, limit, false), limit, |letter| letter.to_string())
}

/// A link with a label of ours. None for a text that is no web address, and for one longer than `limit`.
pub fn link(address: &str, label: &str, limit: usize) -> Option<String> {
    let url = Url::parse(address.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let mut encoded = String::new();
    for letter in url.as_str().chars() {
        match letter {
            '<' => encoded.push_str("%3C"),
            '>' => encoded.push_str("%3E"),
            '|' => encoded.push_str("%7C"),
            '&' => encoded.push_str("&amp;"),
            letter if letter.is_whitespace() || letter.is_control() => {}
            letter => encoded.push(letter),
        }
    }
    (units(&encoded) <= limit).then(|| format!("<{encoded}|{label}>"))
}

/// Breaks up the addresses in an escaped text with invisible spaces. Slack links addresses in the `text` of a message, and no
/// option forbids it.
pub fn unlinked(escaped: &str) -> String {
    const INVISIBLE: char = '\u{200B}';
    let mut text = String::with_capacity(escaped.len());
    let mut letters = escaped.chars().peekable();
    while let Some(letter) = letters.next() {
        text.push(letter);
        let inside_word = letters.peek().is_some_and(|next| !next.is_whitespace());
        if inside_word && matches!(letter, '.' | ':' | '@') {
            text.push(INVISIBLE);
        }
    }
    text
}

/// Our own markup as people would read it: links with their address, nothing escaped, nothing invisible.
pub fn as_seen(markup: &str) -> String {
    let mut text = String::new();
    let mut rest = markup;
    while let Some((before, link)) = rest.split_once('<') {
        let (inside, after) = link.split_once('>').unwrap_or((link, ""));
        let (address, label) = inside.split_once('|').unwrap_or((inside, inside));
        text.push_str(&format!("{before}{label}: {address}"));
        rest = after;
    }
    text.push_str(rest);
    let lines = text.lines().map(|line| line.strip_prefix('*').and_then(|bold| bold.strip_suffix('*')).unwrap_or(line));
    let text = lines.collect::<Vec<_>>().join("\n");
    text.replace('\u{200B}', "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn escape(letter: char) -> String {
    match letter {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        letter => letter.to_string(),
    }
}

/// Removes control characters, overrides of the writing direction, invisible characters and runs of blanks.
fn clean(raw: &str, limit: usize, keep_lines: bool) -> String {
    let mut text = String::new();
    // Text far beyond the limit would be cut anyway.
    for letter in raw.chars().take(limit.saturating_mul(4).saturating_add(100)) {
        let is_break = matches!(letter, '\n' | '\u{2028}' | '\u{2029}');
        if is_break && keep_lines {
            text.truncate(text.trim_end_matches(' ').len());
            // At most one empty line at a time.
            if !text.ends_with("\n\n") {
                text.push('\n');
            }
        } else if letter.is_whitespace() || letter.is_control() || is_break {
            if !text.is_empty() && !text.ends_with([' ', '\n']) {
                text.push(' ');
            }
        } else if !is_unseen(letter) {
            text.push(letter);
        }
    }
    // Joiners and variation selectors belong to emoji and scripts; alone they are invisible.
    let is_seen =
        |letter: char| !(letter.is_whitespace() || matches!(letter, '\u{200C}' | '\u{200D}' | '\u{FE0E}' | '\u{FE0F}'));
    if text.chars().any(is_seen) { text.trim().to_owned() } else { String::new() }
}

fn fit(clean: &str, limit: usize, written: impl Fn(char) -> String) -> String {
    let mut text = String::new();
    let mut used = 0;
    // The end of the text if the ellipsis had to follow.
    let mut cut = 0;
    for letter in clean.chars() {
        let letter = written(letter);
        used += units(&letter);
        if used > limit {
            text.truncate(cut);
            if limit > 0 {
                text.push('…');
            }
            return text;
        }
        text.push_str(&letter);
        if used < limit {
            cut = text.len();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markup_is_escaped_and_nothing_else() {
        assert_eq!(line("<!channel> & <@U1> *b*", 100), "&lt;!channel&gt; &amp; &lt;@U1&gt; *b*");
        assert_eq!(plain("Tom & <Jerry>", 100), "Tom & <Jerry>");
    }

    #[test]
    fn characters_that_break_a_layout_are_removed() {
        assert_eq!(line("a\r\n\tb\0c  d", 100), "a b c d");
        assert_eq!(line("a\u{202E}b\u{2066}c\u{200B}d\u{FEFF}", 100), "abcd");
        assert_eq!(lines(" a \r\n\n\n\nb\u{2028}c\n", 100), "a\n\nb\nc");
        assert_eq!(line("👩\u{200D}💻", 100), "👩\u{200D}💻");
        for unseen in ["", "  ", "\u{200B}\u{FEFF}", "\u{200D}\u{FE0F} "] {
            assert_eq!(line(unseen, 100), "", "{unseen:?}");
        }
    }

    #[test]
    fn cuts_go_through_no_escape_and_no_character() {
        assert_eq!(line("abc", 3), "abc");
        assert_eq!(line("abcd", 3), "ab…");
        assert_eq!(line("a&b", 5), "a…");
        assert_eq!(line("a&b", 6), "a…");
        assert_eq!(line("a&b", 7), "a&amp;b");
        assert_eq!(line("🚀🚀", 3), "🚀…");
        assert_eq!(line("abc", 0), "");
    }

    #[test]
    fn links_lead_where_they_say_or_nowhere() {
        let cases = [
            ("https://a.example/x?y=1&z=2", Some("<https://a.example/x?y=1&amp;z=2|Zoho>")),
            ("https://a.example/x|evil>y<z", Some("<https://a.example/x%7Cevil%3Ey%3Cz|Zoho>")),
            ("https://a.example/#a|b>c", Some("<https://a.example/#a%7Cb%3Ec|Zoho>")),
            ("javascript:alert(1)", None),
            ("a.example", None),
            ("", None),
        ];
        for (address, expected) in cases {
            assert_eq!(link(address, "Zoho", 200).as_deref(), expected, "{address}");
        }
        assert_eq!(link(&format!("https://a.example/{}", "x".repeat(200)), "Zoho", 200), None);
    }

    #[test]
    fn bare_addresses_are_broken_up_invisibly() {
        assert_eq!(unlinked("evil.example. Bye"), "evil.\u{200B}example. Bye");
        assert_eq!(unlinked("http://x, a@b"), "http:\u{200B}//x, a@\u{200B}b");
    }

    proptest! {
        #[test]
        fn no_text_holds_live_markup_or_exceeds_its_limit(raw in ".{0,80}", limit in 0_usize..60) {
            for text in [line(&raw, limit), lines(&raw, limit)] {
                prop_assert!(units(&text) <= limit, "{text:?}");
                prop_assert!(!text.contains(['<', '>']), "{text:?}");
                let rest = text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "");
                prop_assert!(!rest.contains('&'), "a broken escape in {text:?}");
            }
            prop_assert!(units(&plain(&raw, limit)) <= limit);
        }

        #[test]
        fn no_address_breaks_out_of_its_link(rest in ".{0,60}") {
            if let Some(link) = link(&format!("https://a.example/{rest}"), "Zoho", 2000) {
                let inside = link.strip_prefix('<').unwrap().strip_suffix("|Zoho>").unwrap();
                prop_assert!(!inside.contains(['<', '>', '|', '\n']), "{link}");
            }
        }
    }
}
