//! The Pratt parser that builds a syntax tree from tokens.
//!
//! The grammar is a part of CEL's. CEL parses every condition that this parser accepts to an equal tree; a property test checks it.

use std::ops::Range;

use super::lex::{Token, TokenKind, text_value};
use crate::model::Value;
use crate::rules::alias::alias_help;
use crate::rules::condition::Op;
use crate::rules::fault::Fault;

/// An expression and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expr {
    pub kind: ExprKind,
    /// All its tokens, without the brackets around it.
    pub span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum ExprKind {
    Literal(Value),
    /// A name with at most one dot: `location.country`.
    Name(String),
    /// A member of a call: `f("x").member`.
    Member(Box<Expr>, String),
    Call {
        /// The value before the dot of `value.function(…)`.
        target: Option<Box<Expr>>,
        function: String,
        arguments: Vec<Expr>,
    },
    List(Vec<Expr>),
    Not(Box<Expr>),
    Compare(Box<Expr>, Op, Box<Expr>),
    In(Box<Expr>, Box<Expr>),
    /// `a && b && c` as one list, even with brackets around two of them.
    Joined(Join, Vec<Expr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    All,
    Any,
}

#[derive(Clone, Copy)]
enum Operator {
    Join(Join),
    In,
    Compare(Op),
}

/// The binding powers of operators. A higher one binds first.
const ANY: u8 = 1;
const ALL: u8 = 2;
const COMPARISON: u8 = 3;

const JOIN_HELP: &str = "comparisons are joined by && (and) or || (or)";

/// The reserved words of CEL, separated by spaces.
const RESERVED: &str =
    "as break const continue else for function if import in let loop package namespace return var void while";

/// Parses tokens. The lexer has checked that their brackets are balanced and not nested too deep.
pub(super) fn parse(tokens: &[Token<'_>]) -> Result<Expr, Fault> {
    let mut parser = Parser { tokens, at: 0 };
    let expr = parser.expression(ANY)?;
    match parser.peek() {
        None => Ok(expr),
        Some(token) if token.text == "," => {
            Err(unexpected(token, "write numbers without separators (1000); items of a list stand in brackets"))
        }
        Some(token) => match parser.words_here().as_deref() {
            Some(name) => Err(unexpected(token, &format!("{JOIN_HELP}; if it is one name, {}", alias_help(name)))),
            None => Err(unexpected(token, JOIN_HELP)),
        },
    }
}

fn unexpected(token: &Token<'_>, help: &str) -> Fault {
    Fault::new(token.span.clone(), format!("did not expect `{}` here", token.text)).help(help)
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.at)
    }

    /// Returns the words before and behind the present place, if they may be one name (`Seats Used`).
    fn words_here(&self) -> Option<String> {
        let is_word = |token: &&Token<'_>| token.kind == TokenKind::Word;
        let (before, behind) = self.tokens.split_at_checked(self.at)?;
        let before: Vec<_> = before.iter().rev().take_while(is_word).map(|token| token.text).collect();
        let behind: Vec<_> = behind.iter().take_while(is_word).map(|token| token.text).collect();
        let words: Vec<_> = before.iter().rev().chain(&behind).copied().collect();
        (!before.is_empty() && !behind.is_empty()).then(|| words.join(" "))
    }

    fn take(&mut self, sign: &str) -> Option<&'a Token<'a>> {
        let token = self.peek().filter(|token| token.text == sign)?;
        self.at += 1;
        Some(token)
    }

    /// Consumes a closing bracket, and returns its end.
    fn close(&mut self, bracket: &str, help: &str) -> Result<usize, Fault> {
        match (self.take(bracket), self.peek()) {
            (Some(token), _) => Ok(token.span.end),
            (None, Some(token)) => Err(unexpected(token, help)),
            (None, None) => Err(self.no_value()),
        }
    }

    fn no_value(&self) -> Fault {
        match self.peek() {
            Some(token) => unexpected(token, "an attribute or a value is missing before it"),
            None => {
                let end = self.tokens.last().map_or(0..0, |token| token.span.clone());
                Fault::new(end, "the condition is incomplete")
                    .help("a value must follow, for example: teammates_count >= 8")
            }
        }
    }

    fn operator(&self) -> Option<(Operator, u8)> {
        Some(match self.peek()?.text {
            "||" => (Operator::Join(Join::Any), ANY),
            "&&" => (Operator::Join(Join::All), ALL),
            "in" => (Operator::In, COMPARISON),
            sign => (Operator::Compare(sign.parse().ok()?), COMPARISON),
        })
    }

    /// Parses an expression whose operators bind at least as strongly as `lowest`.
    fn expression(&mut self, lowest: u8) -> Result<Expr, Fault> {
        let mut left = self.prefix()?;
        let mut compared: Option<Range<usize>> = None;
        while let Some((operator, power)) = self.operator().filter(|(_, power)| *power >= lowest) {
            let sign = self.peek().map_or(0..0, |token| token.span.clone());
            if let Some(first) = compared.replace(sign.clone()).filter(|_| power == COMPARISON) {
                let message = "a comparison is true or false and cannot be compared again";
                let fault = Fault::new(first.start..sign.end, message);
                return Err(fault.help("join comparisons with && (and) or || (or)"));
            }
            self.at += 1;
            let right = self.expression(power + 1)?;
            let span = left.span.start..right.span.end;
            let kind = match operator {
                Operator::Join(join) => {
                    ExprKind::Joined(join, parts(left, join).into_iter().chain(parts(right, join)).collect())
                }
                Operator::In => ExprKind::In(Box::new(left), Box::new(right)),
                Operator::Compare(op) => ExprKind::Compare(Box::new(left), op, Box::new(right)),
            };
            left = Expr { kind, span };
        }
        Ok(left)
    }

    /// Parses a value with the `!` before it. Two of them cancel each other, as in CEL.
    fn prefix(&mut self) -> Result<Expr, Fault> {
        let start = self.peek().map_or(0, |token| token.span.start);
        let mut negated = false;
        while self.take("!").is_some() {
            negated = !negated;
        }
        let inner = self.value()?;
        let span = start..inner.span.end;
        Ok(if negated { Expr { kind: ExprKind::Not(Box::new(inner)), span } } else { inner })
    }

    /// Parses a name, literal, list, call or bracket, and the members after it.
    fn value(&mut self) -> Result<Expr, Fault> {
        let mut expr = self.primary()?;
        loop {
            if let Some(bracket) = self.peek().filter(|token| token.text == "[") {
                let fault = Fault::new(bracket.span.clone(), "conditions cannot use single items of a list");
                return Err(fault.help("for example: \"sso\" in enterprise_features_tried, or size(…) > 0"));
            }
            let Some(dot) = self.take(".") else { return Ok(expr) };
            expr = self.member(expr, dot)?;
        }
    }

    fn member(&mut self, before: Expr, dot: &Token<'_>) -> Result<Expr, Fault> {
        let refused = || Err(unexpected(dot, "a name has one dot at most, as in location.country"));
        let name = self.peek().filter(|token| token.kind == TokenKind::Word);
        let Some(name) = name.filter(|token| !matches!(token.text, "in" | "true" | "false")) else { return refused() };
        self.at += 1;
        let (start, member) = (before.span.start, name.text.to_owned());
        if self.take("(").is_some() {
            // A call of a call would nest without brackets.
            if matches!(&before.kind, ExprKind::Call { target: Some(_), .. }) {
                return Err(unexpected(dot, "functions are called one at a time"));
            }
            let (arguments, end) = self.items(")")?;
            let kind = ExprKind::Call { target: Some(Box::new(before)), function: member, arguments };
            return Ok(Expr { kind, span: start..end });
        }
        let kind = match &before.kind {
            ExprKind::Name(root) if !root.contains('.') => ExprKind::Name(format!("{root}.{member}")),
            ExprKind::Call { target: None, .. } => ExprKind::Member(Box::new(before), member),
            _ => return refused(),
        };
        Ok(Expr { kind, span: start..name.span.end })
    }

    fn primary(&mut self) -> Result<Expr, Fault> {
        let Some(token) = self.peek() else { return Err(self.no_value()) };
        let mut span = token.span.clone();
        if token.text == "in" || (token.kind == TokenKind::Sign && !matches!(token.text, "(" | "[" | "-")) {
            return Err(self.no_value());
        }
        self.at += 1;
        let kind = match (token.kind, token.text) {
            (_, "true" | "false") => ExprKind::Literal(Value::Bool(token.text == "true")),
            (TokenKind::Word, word) if RESERVED.split(' ').any(|reserved| reserved == word) => {
                return Err(Fault::new(span, format!("`{word}` is a reserved word, not an attribute")));
            }
            (TokenKind::Word, word) if self.take("(").is_none() => ExprKind::Name(word.to_owned()),
            (TokenKind::Word, word) => {
                let (arguments, end) = self.items(")")?;
                span.end = end;
                ExprKind::Call { target: None, function: word.to_owned(), arguments }
            }
            (TokenKind::Number, digits) => ExprKind::Literal(number(digits, &span)?),
            (TokenKind::Text, _) => ExprKind::Literal(Value::Text(text_value(token)?)),
            (TokenKind::Sign, "(") => {
                let inner = self.expression(ANY)?;
                return self.close(")", JOIN_HELP).map(|_| inner);
            }
            (TokenKind::Sign, "[") => {
                let (items, end) = self.items("]")?;
                span.end = end;
                ExprKind::List(items)
            }
            // A minus.
            (TokenKind::Sign, _) => {
                let digits = self.peek().filter(|token| token.kind == TokenKind::Number);
                let Some(digits) = digits else { return Err(self.no_value()) };
                self.at += 1;
                span.end = digits.span.end;
                ExprKind::Literal(number(&format!("-{}", digits.text), &span)?)
            }
        };
        Ok(Expr { kind, span })
    }

    /// Parses the items up to the closing bracket, and returns them with its end. A list may end with a comma, as in CEL.
    fn items(&mut self, close: &str) -> Result<(Vec<Expr>, usize), Fault> {
        let mut items = Vec::new();
        loop {
            if (items.is_empty() || close == "]")
                && let Some(end) = self.take(close)
            {
                return Ok((items, end.span.end));
            }
            items.push(self.expression(ANY)?);
            if self.take(",").is_none() {
                let end = self.close(close, "values are separated by commas")?;
                return Ok((items, end));
            }
        }
    }
}

/// Returns the parts of an expression that is joined by `join`; another expression is one part.
fn parts(expr: Expr, join: Join) -> Vec<Expr> {
    match expr.kind {
        ExprKind::Joined(own, parts) if own == join => parts,
        _ => vec![expr],
    }
}

/// Parses a number. CEL's whole numbers have 64 bits.
fn number(written: &str, span: &Range<usize>) -> Result<Value, Fault> {
    let fits = written.contains('.') || written.parse::<i64>().is_ok();
    let number = written.parse::<f64>().ok().filter(|number| fits && number.is_finite());
    number.map(Value::Number).ok_or_else(|| Fault::new(span.clone(), format!("`{written}` is too large a number")))
}
