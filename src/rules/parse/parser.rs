//! The Pratt parser that builds a syntax tree from tokens.
//!
//! The grammar is a part of CEL's. CEL parses every condition that this parser accepts to an equal tree; a property test checks it.

use std::ops::Range;

use super::expr::{Expr, ExprKind};
use super::lex::{Fault, Token, TokenKind};
use super::text_literal::text_value;
use crate::model::Value;
use crate::rules::condition::Op;

/// The binding powers of operators. A higher one binds first.
const ANY: u8 = 1;
const ALL: u8 = 2;
const COMPARISON: u8 = 3;
/// The reserved words of CEL.
const RESERVED: [&str; 18] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

#[derive(Clone, Copy)]
enum Operator {
    Any,
    All,
    In,
    Compare(Op),
}

/// Parses tokens. The lexer has checked that their brackets are balanced and not nested too deep.
pub(super) fn parse(text: &str, tokens: &[Token]) -> Result<Expr, Fault> {
    let mut parser = Parser { text, tokens, at: 0 };
    let expr = parser.expression(ANY)?;
    match parser.peek() {
        None => Ok(expr),
        Some(token) => Err(parser.unexpected(token, "comparisons are joined by && (and) or || (or)")),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn written(&self, token: &Token) -> &'a str {
        self.text.get(token.span.clone()).unwrap_or_default()
    }

    /// Consumes a sign or bracket if it comes next.
    fn take(&mut self, sign: &str) -> Option<Range<usize>> {
        let token = self.peek().filter(|token| self.written(token) == sign)?;
        self.at += 1;
        Some(token.span.clone())
    }

    fn unexpected(&self, token: &Token, help: &str) -> Fault {
        Fault::new(token.span.clone(), format!("did not expect `{}` here", self.written(token))).help(help)
    }

    /// Returns the fault for a missing value.
    fn no_value(&self) -> Fault {
        match self.peek() {
            Some(token) => self.unexpected(token, "an attribute or a value is missing before it"),
            None => {
                let end = self.tokens.last().map_or(0..self.text.len(), |token| token.span.clone());
                Fault::new(end, "the condition is incomplete")
                    .help("a value must follow, for example: teammates_count >= 8")
            }
        }
    }

    fn operator(&self) -> Option<(Operator, u8)> {
        Some(match self.written(self.peek()?) {
            "||" => (Operator::Any, ANY),
            "&&" => (Operator::All, ALL),
            "in" => (Operator::In, COMPARISON),
            sign => (Operator::Compare(Op::from_sign(sign)?), COMPARISON),
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
                return Err(
                    Fault::new(first.start..sign.end, message).help("join comparisons with && (and) or || (or)")
                );
            }
            self.at += 1;
            let right = self.expression(power + 1)?;
            let span = left.span.start..right.span.end;
            let kind = match operator {
                Operator::Any => ExprKind::Any(joined(left, right, any_parts)),
                Operator::All => ExprKind::All(joined(left, right, all_parts)),
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
        if !negated {
            return Ok(inner);
        }
        let span = start..inner.span.end;
        Ok(Expr { kind: ExprKind::Not(Box::new(inner)), span })
    }

    /// Parses a name, literal, list, call or bracket, and the members after it.
    fn value(&mut self) -> Result<Expr, Fault> {
        let mut expr = self.primary()?;
        loop {
            if let Some(bracket) = self.peek().filter(|token| self.written(token) == "[") {
                let fault = Fault::new(bracket.span.clone(), "conditions cannot use single items of a list");
                return Err(fault.help("for example: \"sso\" in enterprise_features_tried, or size(…) > 0"));
            }
            let Some(dot) = self.take(".") else { return Ok(expr) };
            expr = self.member(expr, dot)?;
        }
    }

    fn member(&mut self, before: Expr, dot: Range<usize>) -> Result<Expr, Fault> {
        let name = self.peek().filter(|token| token.kind == TokenKind::Word);
        let name = name.filter(|token| !matches!(self.written(token), "in" | "true" | "false"));
        let Some(name) = name else {
            let fault = Fault::new(dot, "did not expect `.` here");
            return Err(fault.help("a name has one dot at most, as in location.country"));
        };
        self.at += 1;
        let member = self.written(name).to_owned();
        if self.take("(").is_some() {
            // A call of a call would nest without brackets.
            if matches!(&before.kind, ExprKind::Call { target: Some(_), .. }) {
                return Err(Fault::new(dot, "did not expect `.` here").help("functions are called one at a time"));
            }
            let (arguments, end) = self.items(")")?;
            let span = before.span.start..end;
            return Ok(Expr {
                kind: ExprKind::Call { target: Some(Box::new(before)), function: member, arguments },
                span,
            });
        }
        if !matches!(before.kind, ExprKind::Name(_) | ExprKind::Call { target: None, .. }) {
            let fault = Fault::new(dot, "did not expect `.` here");
            return Err(fault.help("a name has one dot at most, as in location.country"));
        }
        let span = before.span.start..name.span.end;
        Ok(Expr { kind: ExprKind::Member(Box::new(before), member), span })
    }

    fn primary(&mut self) -> Result<Expr, Fault> {
        let Some(token) = self.peek() else { return Err(self.no_value()) };
        let (written, span) = (self.written(token), token.span.clone());
        match token.kind {
            TokenKind::Word => self.word(written, span),
            TokenKind::Number => {
                self.at += 1;
                number(written, span)
            }
            TokenKind::Text => {
                self.at += 1;
                let value = text_value(written, span.start)?;
                Ok(Expr { kind: ExprKind::Literal(Value::Text(value)), span })
            }
            TokenKind::Open if written == "(" => {
                self.at += 1;
                let inner = self.expression(ANY)?;
                match (self.take(")"), self.peek()) {
                    (Some(_), _) => Ok(inner),
                    (None, Some(token)) => Err(self.unexpected(token, "comparisons are joined by && (and) or || (or)")),
                    (None, None) => Err(self.no_value()),
                }
            }
            TokenKind::Open => {
                self.at += 1;
                let (items, end) = self.items("]")?;
                Ok(Expr { kind: ExprKind::List(items), span: span.start..end })
            }
            TokenKind::Sign if written == "-" => {
                self.at += 1;
                let Some(digits) = self.peek().filter(|token| token.kind == TokenKind::Number) else {
                    return Err(self.no_value());
                };
                self.at += 1;
                let span = span.start..digits.span.end;
                number(self.text.get(span.clone()).unwrap_or_default(), span)
            }
            TokenKind::Sign | TokenKind::Close => Err(self.no_value()),
        }
    }

    fn word(&mut self, word: &str, span: Range<usize>) -> Result<Expr, Fault> {
        match word {
            "in" => return Err(self.no_value()),
            "true" | "false" => {
                self.at += 1;
                return Ok(Expr { kind: ExprKind::Literal(Value::Bool(word == "true")), span });
            }
            _ if RESERVED.contains(&word) => {
                return Err(Fault::new(span, format!("`{word}` is a reserved word, not an attribute")));
            }
            _ => self.at += 1,
        }
        if self.take("(").is_none() {
            return Ok(Expr { kind: ExprKind::Name(word.to_owned()), span });
        }
        let (arguments, end) = self.items(")")?;
        let kind = ExprKind::Call { target: None, function: word.to_owned(), arguments };
        Ok(Expr { kind, span: span.start..end })
    }

    /// Parses the items up to the closing bracket, and returns them with its end. A list may end with a comma, as in CEL.
    fn items(&mut self, close: &str) -> Result<(Vec<Expr>, usize), Fault> {
        let mut items = Vec::new();
        loop {
            if (items.is_empty() || close == "]")
                && let Some(end) = self.take(close)
            {
                return Ok((items, end.end));
            }
            items.push(self.expression(ANY)?);
            if self.take(",").is_some() {
                continue;
            }
            if let Some(end) = self.take(close) {
                return Ok((items, end.end));
            }
            return Err(match self.peek() {
                Some(token) => self.unexpected(token, "values are separated by commas"),
                None => self.no_value(),
            });
        }
    }
}

fn joined(left: Expr, right: Expr, parts: fn(Expr) -> Vec<Expr>) -> Vec<Expr> {
    let mut all = parts(left);
    all.extend(parts(right));
    all
}

fn any_parts(expr: Expr) -> Vec<Expr> {
    match expr.kind {
        ExprKind::Any(parts) => parts,
        _ => vec![expr],
    }
}

fn all_parts(expr: Expr) -> Vec<Expr> {
    match expr.kind {
        ExprKind::All(parts) => parts,
        _ => vec![expr],
    }
}

/// Parses a number. CEL's whole numbers have 64 bits.
fn number(written: &str, span: Range<usize>) -> Result<Expr, Fault> {
    let fits = written.contains('.') || written.parse::<i64>().is_ok();
    let number = written.parse::<f64>().ok().filter(|number| fits && number.is_finite());
    match number {
        Some(number) => Ok(Expr { kind: ExprKind::Literal(Value::Number(number)), span }),
        None => Err(Fault::new(span, format!("`{written}` is too large a number"))),
    }
}
