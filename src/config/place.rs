//! Places in the configuration files.

use std::ops::Range;

/// A place in one of the configuration files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The index of the file in `Findings::files`.
    pub file: usize,
    /// Byte range.
    pub span: Range<usize>,
    /// The path of the key, such as `rules.storage_limit.when`.
    pub key: String,
}

/// A value with its place.
#[derive(Debug, Clone)]
pub(super) struct Located<T> {
    pub value: T,
    pub place: Place,
}

/// Translates a byte range within a text value into a byte range of the file. `span` covers the value with its quotes.
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

/// Returns where the byte at `offset` of the unescaped text stands in the escaped text.
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
            // A backslash at the end of a line removes the line break and the next line's indent.
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
