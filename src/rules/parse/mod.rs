//! Text to [`Condition`]: CEL's parser for the syntax, our own checks for names and types.
//!
//! The only folder that knows the `cel` crate, whose interface changes every few months.

mod lex;
mod place;
mod reader;
#[cfg(test)]
mod tests;
mod types;

use std::collections::BTreeMap;

use super::attributes::{Attributes, nearest};
use super::condition::Condition;
use super::source::Source;
use crate::model::Value;
pub use lex::Fault;
use lex::{Kind, Token, lex};
use place::Places;
use reader::Reader;

const FUNCTIONS: [&str; 4] = ["size", "has", "days_since", "percent"];

/// The names that a condition or text may use.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The attributes.
    pub attributes: &'a Attributes,
    /// The rule's own named values (`seat_limit`).
    pub params: &'a BTreeMap<String, Value>,
}

impl Scope<'_> {
    /// What to read for a name.
    pub(super) fn source(&self, name: &str) -> Option<Source> {
        let param = self.params.get(name).and_then(|value| Source::fixed(name, value.clone()));
        param.or_else(|| self.attributes.source(name))
    }

    /// "did you mean", or where new names are declared.
    pub(super) fn help_for(&self, name: &str) -> String {
        let names = self.params.keys().map(String::as_str).chain(self.attributes.names());
        match nearest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "if the workspace has it, declare its type under [attributes.types]: {name} = \"number\" \
                 (or \"text\", \"yes_no\", \"list\", \"date\")"
            ),
        }
    }
}

impl Condition {
    /// Reads a condition and checks it: every fault that can be told apart is in the list.
    pub fn parse(text: &str, scope: Scope<'_>) -> Result<Condition, Vec<Fault>> {
        let tokens = lex(text)?;
        // An empty environment has no macros: has(x) stays a call instead of being refused.
        let parser = cel::Env::default().with_optional_support(false).parser();
        let (expr, info) = match parser.parse_with_source_info(text) {
            Ok(parsed) => parsed,
            Err(errors) => return Err(vec![syntax_fault(text, &tokens, &errors)]),
        };
        let mut reader = Reader::new(Places { text, tokens, info }, scope);
        match reader.condition(&expr) {
            Some(condition) if reader.faults.is_empty() => Ok(condition),
            Some(_) => Err(reader.faults),
            None if reader.faults.is_empty() => Err(vec![Fault::new(0..text.len(), "this is not a condition")]),
            None => Err(reader.faults),
        }
    }
}

/// CEL's first complaint, as a place; its words are about grammar rules and help nobody.
fn syntax_fault(text: &str, tokens: &[Token], errors: &cel::ParseErrors) -> Fault {
    let first = errors.errors.first();
    let reserved = first.is_some_and(|error| error.msg.starts_with("reserved identifier"));
    let at = first.and_then(|error| byte_offset(text, error.pos)).unwrap_or(text.len());
    let token = tokens.iter().find(|token| token.span.end > at);
    let Some(token) = token else {
        let end = tokens.last().map_or(0..text.len(), |token| token.span.clone());
        return Fault::new(end, "the condition breaks off here")
            .help("something has to follow, for example: teammates_count >= 8");
    };
    let written = text.get(token.span.clone()).unwrap_or_default();
    if reserved {
        return Fault::new(token.span.clone(), format!("`{written}` is a reserved word, not an attribute"));
    }
    let fault = Fault::new(token.span.clone(), format!("did not expect `{written}` here"));
    match token.kind {
        Kind::Word | Kind::Number | Kind::Text | Kind::Open => {
            fault.help("comparisons are joined by && (and) or || (or)")
        }
        Kind::Sign | Kind::Close => fault.help("an attribute or a value is missing before it"),
    }
}

/// A line and column, both from 1, columns in characters.
fn byte_offset(text: &str, (line, column): (isize, isize)) -> Option<usize> {
    let line = usize::try_from(line).ok()?.checked_sub(1)?;
    let column = usize::try_from(column).ok()?.checked_sub(1)?;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(start..)?;
    Some(start + rest.chars().take(column).map(char::len_utf8).sum::<usize>())
}
