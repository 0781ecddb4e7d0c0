//! Places in the files that were read.

use std::ops::Range;

/// A place in one of the files that were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The file, by its number among `Findings::files`.
    pub file: usize,
    /// In bytes.
    pub span: Range<usize>,
    /// The key by its path.
    pub key: String,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Located<T> {
    pub value: T,
    pub place: Place,
}

/// The place in the file of a place in a text value: `span` is the value with its quotes, `inside` counts bytes of the text.
pub(super) fn inside(source: &str, span: &Range<usize>, inside: &Range<usize>) -> Range<usize> {
    let raw = source.get(span.clone()).unwrap_or_default();
    let quotes = ["'''", "\"\"\"", "'", "\""].into_iter().find(|quotes| raw.starts_with(quotes));
    let Some(quotes) = quotes else {
        return span.clone();
    };
    let mut begin = quotes.len();
    if quotes.len() == 3 {
        let content = raw.get(begin..).unwrap_or_default();
        begin += ["\r\n", "\n"].into_iter().find(|line| content.starts_with(line)).map_or(0, str::len);
    }
    let content = raw.get(begin..raw.len() - quotes.len()).unwrap_or_default();
    let at = |offset: usize| match quotes.starts_with('\'') {
        true => offset,
        false => escaped_offset(content, offset),
    };
    let start = span.start + begin + at(inside.start);
    start..(span.start + begin + at(inside.end)).max(start)
}

/// How far into a text with escapes its `offset`-th byte stands.
fn escaped_offset(content: &str, offset: usize) -> usize {
    let mut read = 0;
    let mut chars = content.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if read >= offset && c != '\\' {
            return at;
        }
        if c != '\\' {
            read += c.len_utf8();
            continue;
        }
        let Some((_, escape)) = chars.next() else { break };
        if escape.is_whitespace() {
            // A backslash at the end of a line takes the break and the indent with it.
            while chars.next_if(|(_, c)| c.is_whitespace()).is_some() {}
            continue;
        }
        if read >= offset {
            return at;
        }
        let digits = match escape {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        let code: String = chars.by_ref().take(digits).map(|(_, digit)| digit).collect();
        let escaped = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
        read += escaped.map_or(1, char::len_utf8);
    }
    content.len()
}
