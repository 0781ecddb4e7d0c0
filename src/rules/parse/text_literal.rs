//! Text literals: a text in quotes, with CEL's escapes (`\"`, `\n`, `\u00e9`).

use super::lex::Fault;

/// Returns the text that a quoted token stands for. `start` is the token's place in the condition.
pub(super) fn text_value(written: &str, start: usize) -> Result<String, Fault> {
    let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or_default();
    let mut value = String::with_capacity(inner.len());
    let mut chars = inner.char_indices();
    while let Some((at, letter)) = chars.next() {
        if letter != '\\' {
            value.push(letter);
            continue;
        }
        let escape = chars.next().map_or('\\', |(_, escape)| escape);
        let digits = match escape {
            'x' | 'X' => Some((2, 16)),
            'u' => Some((4, 16)),
            'U' => Some((8, 16)),
            '0'..='3' => Some((3, 8)),
            _ => None,
        };
        let begin = if escape.is_ascii_digit() { at + 1 } else { at + 2 };
        let decoded = match digits {
            None => simple(escape),
            Some((count, radix)) => {
                let code = inner.get(begin..begin + count).filter(|code| code.chars().all(|c| c.is_digit(radix)));
                code.and_then(|code| u32::from_str_radix(code, radix).ok()).and_then(char::from_u32)
            }
        };
        let Some(decoded) = decoded else {
            let place = start + 1 + at..start + 1 + at + 1 + escape.len_utf8();
            let fault = Fault::new(place, format!("`\\{escape}` is not an escape that texts have"));
            return Err(fault.help("write \\\\ for a backslash, \\\" for a quote"));
        };
        value.push(decoded);
        if let Some((count, _)) = digits {
            let end = begin + count;
            chars = inner.char_indices();
            // Steps to the end of the digits.
            while chars.offset() < end && chars.next().is_some() {}
        }
    }
    Ok(value)
}

fn simple(escape: char) -> Option<char> {
    Some(match escape {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' | '"' | '\'' | '`' | '?' => escape,
        _ => return None,
    })
}
