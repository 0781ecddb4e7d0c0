//! The lexer: splits a condition into words and signs, and recognizes common mistakes.
//!
//! It refuses unknown signs, and brackets that are unbalanced or nested too deep. The parser can then recurse without a limit
//! of its own.

use std::ops::Range;

use crate::rules::functions::{self, Function, signatures};

/// A mistake in a condition or text, with its place in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The place in the condition or text, in bytes.
    pub span: Range<usize>,
    /// What is wrong. Lower case, no full stop.
    pub message: String,
    /// How to fix it, if known.
    pub help: Option<String>,
}

impl Fault {
    pub(in crate::rules) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Fault { span, message: message.into(), help: None }
    }

    pub(in crate::rules) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A token and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub span: Range<usize>,
}

/// The kind of a token. Its text is in the condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word,
    Number,
    Text,
    Sign,
    Open,
    Close,
}

/// Returns the help for an unknown sign.
pub(super) fn parts() -> String {
    format!("conditions have comparisons, && || !, `in`; {}", functions::help())
}

/// The most bytes of a condition. The built-in ones have about 50.
const MAX_LENGTH: usize = 4_000;
const MAX_TOKENS: usize = 800;
const MAX_FAULTS: usize = 10;
/// The most nested brackets. Parser and checker recurse into them.
const MAX_DEPTH: usize = 8;

/// Splits a condition into tokens. The error lists every fault of the signs.
pub(super) fn lex(text: &str) -> Result<Vec<Token>, Vec<Fault>> {
    if text.len() > MAX_LENGTH {
        let message = format!("the condition is longer than {MAX_LENGTH} characters");
        return Err(vec![Fault::new(0..text.len(), message).help("split it into several rules")]);
    }
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens: Vec<Token> = Vec::new();
    let mut faults: Vec<Fault> = Vec::new();
    loop {
        match lexer.next(tokens.last()) {
            Ok(Some(token)) => tokens.push(token),
            Ok(None) => break,
            Err(fault) => {
                // Goes on behind the fault, because somebody who writes AND also writes OR and <>.
                lexer.at = fault.span.end.max(lexer.at + 1);
                faults.push(fault);
            }
        }
    }
    if !faults.is_empty() {
        // A text that is not a condition has a fault at every sign.
        faults.truncate(MAX_FAULTS);
        return Err(faults);
    }
    check(text, &tokens).map(|()| tokens).map_err(|fault| vec![fault])
}

/// Checks the tokens together: their number and their brackets.
fn check(text: &str, tokens: &[Token]) -> Result<(), Fault> {
    let everything = 0..text.len();
    if tokens.is_empty() {
        return Err(Fault::new(everything, "the condition is empty").help("for example: teammates_count >= 8"));
    }
    if tokens.len() > MAX_TOKENS {
        let message = format!("the condition has more than {MAX_TOKENS} words and signs");
        return Err(Fault::new(everything, message).help("split it into several rules"));
    }
    balanced(text, tokens)
}

/// Checks that every bracket has its partner, and that they are not nested too deep.
fn balanced(text: &str, tokens: &[Token]) -> Result<(), Fault> {
    let mut open: Vec<(&str, Range<usize>)> = Vec::new();
    let partner = |sign: &str| if sign == "(" { ")" } else { "]" };
    for token in tokens {
        let sign = text.get(token.span.clone()).unwrap_or_default();
        match token.kind {
            TokenKind::Open => open.push((sign, token.span.clone())),
            TokenKind::Close => match open.pop() {
                Some((opened, _)) if partner(opened) == sign => {}
                _ => return Err(Fault::new(token.span.clone(), format!("this `{sign}` has no opening bracket"))),
            },
            TokenKind::Word | TokenKind::Number | TokenKind::Text | TokenKind::Sign => {}
        }
        if open.len() > MAX_DEPTH {
            return Err(Fault::new(token.span.clone(), "too many brackets inside each other"));
        }
    }
    match open.pop() {
        Some((opened, span)) => {
            let missing = partner(opened);
            Err(Fault::new(span, format!("this `{opened}` is never closed"))
                .help(format!("add the missing `{missing}`")))
        }
        None => Ok(()),
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, kind: TokenKind, length: usize) -> Option<Token> {
        let span = self.at..self.at + length;
        self.at = span.end;
        Some(Token { kind, span })
    }

    fn next(&mut self, before: Option<&Token>) -> Result<Option<Token>, Fault> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(None);
        };
        match first {
            'a'..='z' | 'A'..='Z' | '_' => self.word(),
            '0'..='9' => self.number(),
            '"' | '\'' => self.quoted(first),
            '(' | '[' => Ok(self.take(TokenKind::Open, 1)),
            ')' | ']' => Ok(self.take(TokenKind::Close, 1)),
            ',' | '.' => Ok(self.take(TokenKind::Sign, 1)),
            '-' if rest.chars().nth(1).is_some_and(|next| next.is_ascii_digit()) && !ends_value(before) => {
                Ok(self.take(TokenKind::Sign, 1))
            }
            _ => match comparison_length(rest) {
                Some(length) => Ok(self.take(TokenKind::Sign, length)),
                None => Err(self.slip(first)),
            },
        }
    }

    fn word(&mut self) -> Result<Option<Token>, Fault> {
        let rest = self.rest();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        let span = self.at..self.at + length;
        let fault = |message: String, help: &str| Err(Fault::new(span.clone(), message).help(help));
        match word.to_ascii_lowercase().as_str() {
            "and" => fault(format!("`{word}` is not part of conditions"), "write `&&` for \"and\""),
            "or" => fault(format!("`{word}` is not part of conditions"), "write `||` for \"or\""),
            "not" => fault(format!("`{word}` is not part of conditions"), "write `!` for \"not\", as in !(a == 1)"),
            "is" => fault(format!("`{word}` is not part of conditions"), "write `==` for \"is\""),
            "null" | "none" => fault(format!("`{word}` is not part of conditions"), "write has(x) for \"x is filled\""),
            lower @ ("true" | "false") if word != lower => {
                fault(format!("`{word}` is not a name that can be compared"), &format!("write `{lower}`"))
            }
            _ if after.starts_with(['"', '\'']) => {
                let message = format!("`{word}` stands directly before a quote");
                fault(message, "texts are written \"like this\", without a prefix")
            }
            _ => Ok(self.take(TokenKind::Word, length)),
        }
    }

    fn number(&mut self) -> Result<Option<Token>, Fault> {
        let rest = self.rest();
        let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let mut length = digits(rest);
        let tail = rest.get(length..).unwrap_or_default();
        if let Some(fraction) = tail.strip_prefix('.').map(digits).filter(|digits| *digits > 0) {
            length += 1 + fraction;
        }
        let tail = rest.get(length..).unwrap_or_default();
        let glued = tail.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(tail.len());
        if glued > 0 {
            let span = self.at..self.at + length + glued;
            let written = rest.get(..length + glued).unwrap_or_default();
            return Err(
                Fault::new(span, format!("`{written}` is not a number")).help("write digits only, as in 14 or 0.5")
            );
        }
        if tail.starts_with('%') {
            let span = self.at + length..self.at + length + 1;
            return Err(Fault::new(span, "a number has no percent sign").help("write the number alone: 80"));
        }
        Ok(self.take(TokenKind::Number, length))
    }

    fn quoted(&mut self, quote: char) -> Result<Option<Token>, Fault> {
        let rest = self.rest();
        let mut escaped = false;
        for (index, c) in rest.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '\n' | '\r' => break,
                _ if c == quote => return Ok(self.take(TokenKind::Text, index + 1)),
                _ => {}
            }
        }
        let line = rest.lines().next().unwrap_or(rest);
        let span = self.at..self.at + line.len();
        Err(Fault::new(span, "this quote is never closed").help(format!("add the missing {quote}")))
    }

    fn slip(&self, first: char) -> Fault {
        let rest = self.rest();
        let fault = |length: usize, message: String| Fault::new(self.at..self.at + length, message);
        let plain = || fault(first.len_utf8(), format!("`{first}` is not part of conditions"));
        match first {
            '=' if rest.starts_with("=>") => fault(2, "`=>` is not a comparison".into()).help("write `>=`"),
            '=' if rest.starts_with("=<") => fault(2, "`=<` is not a comparison".into()).help("write `<=`"),
            '<' => fault(2, "`<>` is not a comparison".into()).help("write `!=` for \"is not equal to\""),
            '=' => fault(1, "a single `=` is not a comparison".into()).help("write `==` for \"is equal to\""),
            '&' => fault(1, "a single `&` is not part of conditions".into()).help("write `&&` for \"and\""),
            '|' => fault(1, "a single `|` is not part of conditions".into()).help("write `||` for \"or\""),
            '+' | '-' | '*' | '/' | '%' => {
                plain().help(format!("to calculate, use {}", signatures(Function::that_calculate())))
            }
            '?' | ':' => plain().help("a condition is true or false; write two rules instead"),
            '“' | '”' | '„' | '‘' | '’' => {
                let closing = rest.char_indices().skip(1).find(|(_, c)| "“”„‘’".contains(*c));
                let length = closing.map_or(first.len_utf8(), |(at, c)| at + c.len_utf8());
                fault(length, format!("`{first}` is not part of conditions")).help("write straight quotes: \"team\"")
            }
            _ => plain().help(parts()),
        }
    }
}

/// Returns the length of the operator at the start of the text.
fn comparison_length(text: &str) -> Option<usize> {
    let follows = |sign: &str, not: &str| {
        let after = text.strip_prefix(sign)?;
        (not.is_empty() || !after.starts_with(not)).then_some(sign.len())
    };
    follows("==", "=")
        .or_else(|| follows("!=", "="))
        .or_else(|| follows("<=", "="))
        .or_else(|| follows(">=", "="))
        .or_else(|| follows("&&", "&"))
        .or_else(|| follows("||", "|"))
        .or_else(|| follows("<", "=").filter(|_| !text.starts_with("<>")))
        .or_else(|| follows(">", "="))
        .or_else(|| follows("!", "="))
}

/// Returns whether the token ends a value. A minus after a value would be a subtraction.
fn ends_value(token: Option<&Token>) -> bool {
    token.is_some_and(|token| !matches!(token.kind, TokenKind::Sign | TokenKind::Open))
}
