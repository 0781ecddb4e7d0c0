//! The lexer: splits a condition into words and signs, and recognizes common mistakes.
//!
//! It refuses unknown signs, and brackets that are unbalanced or nested too deep. The parser can then recurse without a limit
//! of its own.

use std::ops::Range;

use crate::rules::alias::alias_help;
use crate::rules::fault::Fault;
use crate::rules::functions::{self, Function, signatures};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub kind: TokenKind,
    /// The token as written, with its quotes.
    pub text: &'a str,
    pub span: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word,
    Number,
    Text,
    /// An operator, a bracket, a comma or a dot.
    Sign,
}

/// The most bytes of a condition. The built-in ones have about 50.
const MAX_LENGTH: usize = 4_000;
const MAX_TOKENS: usize = 800;
const MAX_FAULTS: usize = 10;
/// The most nested brackets. Parser and checker recurse into them.
const MAX_DEPTH: usize = 8;

/// The operators, each with the characters that must not follow it.
const OPERATORS: [(&str, &str); 9] = [
    ("==", "="),
    ("!=", "="),
    ("<=", "="),
    (">=", "="),
    ("&&", "&"),
    ("||", "|"),
    ("<", "=><"),
    (">", "=>"),
    ("!", "="),
];

/// Signs of other languages: how they begin, the message, and the help.
const FOREIGN_SIGNS: [(&str, &str, &str); 8] = [
    ("=>", "`=>` is not a comparison", "write `>=`"),
    ("=<", "`=<` is not a comparison", "write `<=`"),
    (">>", "`>>` is not a comparison", "write `>`"),
    ("<<", "`<<` is not a comparison", "write `<`"),
    ("<>", "`<>` is not a comparison", "write `!=` for \"is not equal to\""),
    ("=", "a single `=` is not a comparison", "write `==` for \"is equal to\""),
    ("&", "a single `&` is not part of conditions", "write `&&` for \"and\""),
    ("|", "a single `|` is not part of conditions", "write `||` for \"or\""),
];

/// Words of other languages, with the help.
const FOREIGN_WORDS: [(&str, &str); 6] = [
    ("and", "write `&&` for \"and\""),
    ("or", "write `||` for \"or\""),
    ("not", "write `!` for \"not\", as in !(a == 1)"),
    ("is", "write `==` for \"is\""),
    ("null", "write has(x) for \"x is filled\""),
    ("none", "write has(x) for \"x is filled\""),
];

/// Splits a condition into tokens. The error lists every fault of the signs.
pub(super) fn lex(text: &str) -> Result<Vec<Token<'_>>, Vec<Fault>> {
    if text.len() > MAX_LENGTH {
        let message = format!("the condition is longer than {MAX_LENGTH} characters");
        return Err(vec![Fault::new(0..text.len(), message).help("split it into several rules")]);
    }
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut faults: Vec<Fault> = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len();
        let length = match next_token(rest, first, tokens.last()) {
            Ok((kind, length)) => {
                let text = rest.get(..length).unwrap_or(rest);
                tokens.push(Token { kind, text, span: at..at + length });
                length
            }
            // Goes on behind the fault, because somebody who writes AND also writes OR and <>.
            Err(Fault { span, message, help }) => {
                let help = help.map(|help| match name_with_sign(text, at, tokens.last()) {
                    Some(name) => format!("{help}; {}", alias_help(name)),
                    None => help,
                });
                faults.push(Fault { span: at + span.start..at + span.end, message, help });
                span.end
            }
        };
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    if !faults.is_empty() {
        // A text that is not a condition has a fault at every sign.
        faults.truncate(MAX_FAULTS);
        return Err(faults);
    }
    check(0..text.len(), &tokens).map(|()| tokens).map_err(|fault| vec![fault])
}

/// Checks the tokens together: their number, and that every bracket has its partner and is not nested too deep.
fn check(everything: Range<usize>, tokens: &[Token<'_>]) -> Result<(), Fault> {
    if tokens.is_empty() {
        return Err(Fault::new(everything, "the condition is empty").help("for example: teammates_count >= 8"));
    }
    if tokens.len() > MAX_TOKENS {
        let message = format!("the condition has more than {MAX_TOKENS} words and signs");
        return Err(Fault::new(everything, message).help("split it into several rules"));
    }
    let mut open: Vec<&Token<'_>> = Vec::new();
    let partner = |opened: &Token<'_>| if opened.text == "(" { ")" } else { "]" };
    for token in tokens {
        match token.text {
            "(" | "[" => open.push(token),
            ")" | "]" => match open.pop().map(partner) {
                Some(sign) if sign == token.text => {}
                _ => {
                    let message = format!("this `{}` has no opening bracket", token.text);
                    return Err(Fault::new(token.span.clone(), message));
                }
            },
            _ => {}
        }
        if open.len() > MAX_DEPTH {
            return Err(Fault::new(token.span.clone(), "too many brackets inside each other"));
        }
    }
    match open.pop() {
        None => Ok(()),
        Some(opened) => Err(Fault::new(opened.span.clone(), format!("this `{}` is never closed", opened.text))
            .help(format!("add the missing `{}`", partner(opened)))),
    }
}

/// Returns the kind and the length of the token at the start of a text. The place of a fault counts from there.
fn next_token(rest: &str, first: char, before: Option<&Token<'_>>) -> Result<(TokenKind, usize), Fault> {
    match first {
        'a'..='z' | 'A'..='Z' | '_' => Ok((TokenKind::Word, word(rest)?)),
        '0'..='9' => Ok((TokenKind::Number, number(rest)?)),
        '"' | '\'' => Ok((TokenKind::Text, quoted(rest, first)?)),
        '(' | '[' | ')' | ']' | ',' | '.' => Ok((TokenKind::Sign, 1)),
        // A minus after a value would be a subtraction.
        '-' if rest.chars().nth(1).is_some_and(|next| next.is_ascii_digit()) && !before.is_some_and(ends_value) => {
            Ok((TokenKind::Sign, 1))
        }
        _ => {
            let is_next = |(sign, unless_before): &&(&str, &str)| {
                rest.strip_prefix(sign).is_some_and(|after| !after.starts_with(|next| unless_before.contains(next)))
            };
            let operator = OPERATORS.iter().find(is_next);
            operator.map(|(sign, _)| (TokenKind::Sign, sign.len())).ok_or_else(|| unknown_sign(rest, first))
        }
    }
}

/// Returns the name of which a sign is a part, as in `plan-type`: it stands between letters, without blanks.
fn name_with_sign<'a>(text: &'a str, at: usize, before: Option<&Token<'_>>) -> Option<&'a str> {
    let word = before.filter(|word| word.kind == TokenKind::Word && word.span.end == at)?;
    let is_part = |c: char| c.is_alphanumeric() || "_-/+%".contains(c);
    let name = text.get(word.span.start..)?.split(|c| !is_part(c)).next()?;
    (name.len() > word.text.len() && name.ends_with(char::is_alphanumeric)).then_some(name)
}

fn ends_value(token: &Token<'_>) -> bool {
    token.kind != TokenKind::Sign || matches!(token.text, ")" | "]")
}

/// Returns how many bytes at the start of a text fulfil a condition.
fn run_length(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is_part(c)).unwrap_or(text.len())
}

fn is_word_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn not_part(written: &str, help: impl Into<String>) -> Fault {
    Fault::new(0..written.len(), format!("`{written}` is not part of conditions")).help(help)
}

fn word(rest: &str) -> Result<usize, Fault> {
    let length = run_length(rest, is_word_part);
    let (word, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
    let lower = word.to_ascii_lowercase();
    if let Some((_, help)) = FOREIGN_WORDS.iter().find(|(foreign, _)| *foreign == lower) {
        return Err(not_part(word, *help));
    }
    if matches!(lower.as_str(), "true" | "false") && word != lower {
        let message = format!("`{word}` is not a name that can be compared");
        return Err(Fault::new(0..length, message).help(format!("write `{lower}`")));
    }
    if after.starts_with(['"', '\'']) {
        let message = format!("`{word}` stands directly before a quote");
        return Err(Fault::new(0..length, message).help("texts are written \"like this\", without a prefix"));
    }
    Ok(length)
}

fn number(rest: &str) -> Result<usize, Fault> {
    let after = |length: usize| rest.get(length..).unwrap_or_default();
    let digits = |text: &str| run_length(text, |c| c.is_ascii_digit());
    let whole = digits(rest);
    let fraction = after(whole).strip_prefix('.').map_or(0, digits);
    let length = if fraction > 0 { whole + 1 + fraction } else { whole };
    let glued = length + run_length(after(length), is_word_part);
    if glued > length {
        let message = format!("`{}` is not a number", rest.get(..glued).unwrap_or_default());
        return Err(Fault::new(0..glued, message).help("write digits only, as in 14 or 0.5"));
    }
    if after(length).starts_with('%') {
        let fault = Fault::new(length..length + 1, "a number has no percent sign");
        return Err(fault.help("write the number alone: 80"));
    }
    Ok(length)
}

fn quoted(rest: &str, quote: char) -> Result<usize, Fault> {
    let mut escaped = false;
    for (index, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' | '\r' => break,
            _ if c == quote => {
                let length = index + 1;
                // CEL has texts in three quotes, which may span lines.
                return match rest.get(length..).is_some_and(|after| after.starts_with(quote)) {
                    true => {
                        Err(Fault::new(0..length + 1, "a text stands between one pair of quotes")
                            .help("write \"team\""))
                    }
                    false => Ok(length),
                };
            }
            _ => {}
        }
    }
    let line = rest.lines().next().unwrap_or(rest);
    Err(Fault::new(0..line.len(), "this quote is never closed").help(format!("add the missing {quote}")))
}

fn unknown_sign(rest: &str, first: char) -> Fault {
    if let Some((sign, message, help)) = FOREIGN_SIGNS.iter().find(|(sign, ..)| rest.starts_with(sign)) {
        return Fault::new(0..sign.len(), *message).help(*help);
    }
    let sign = first.to_string();
    match first {
        '+' | '-' | '*' | '/' | '%' => {
            not_part(&sign, format!("to calculate, use {}", signatures(Function::that_calculate())))
        }
        '?' | ':' => not_part(&sign, "a condition is true or false; write two rules instead"),
        '“' | '”' | '„' | '‘' | '’' => {
            let closing = rest.char_indices().skip(1).find(|(_, c)| "“”„‘’".contains(*c));
            let length = closing.map_or(sign.len(), |(at, c)| at + c.len_utf8());
            Fault { span: 0..length, ..not_part(&sign, "write straight quotes: \"team\"") }
        }
        _ => not_part(&sign, format!("conditions have comparisons, && || !, `in`; {}", functions::help())),
    }
}

/// Returns the text that a quoted token stands for, with CEL's escapes (`\"`, `\n`, `\u00e9`) resolved.
pub(super) fn text_value(token: &Token<'_>) -> Result<String, Fault> {
    let inner = token.text.get(1..token.text.len().saturating_sub(1)).unwrap_or_default();
    let mut value = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((before, escaped)) = rest.split_once('\\') {
        value.push_str(before);
        let escape = escaped.chars().next().unwrap_or('\\');
        // The bytes before the digits of a code, the number of digits, and their base.
        let (begin, count, radix) = match escape {
            'x' | 'X' => (1, 2, 16),
            'u' => (1, 4, 16),
            'U' => (1, 8, 16),
            '0'..='3' => (0, 3, 8),
            _ => (1, 0, 0),
        };
        let decoded = if count == 0 {
            simple_escape(escape)
        } else {
            let code = escaped.get(begin..begin + count).filter(|code| code.chars().all(|c| c.is_digit(radix)));
            code.and_then(|code| u32::from_str_radix(code, radix).ok()).and_then(char::from_u32)
        };
        let Some(decoded) = decoded else {
            let at = token.span.start + inner.len() - escaped.len();
            let message = format!("`\\{escape}` is not an escape that texts have");
            let fault = Fault::new(at..at + 1 + escape.len_utf8(), message);
            return Err(fault.help("write \\\\ for a backslash, \\\" for a quote"));
        };
        value.push(decoded);
        rest = escaped.get(begin + count..).unwrap_or_default();
    }
    Ok(value + rest)
}

fn simple_escape(escape: char) -> Option<char> {
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
