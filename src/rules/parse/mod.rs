//! Parses a text to a [`Condition`]: the lexer cuts it into tokens, the parser builds a tree, the checker looks up names and
//! types.

mod check;
mod lex;
#[cfg(test)]
mod tests;
mod text_literal;
mod tree;
mod types;

use std::collections::BTreeMap;

use super::attributes::{Attributes, nearest};
use super::condition::Condition;
use super::source::Source;
use crate::model::Value;
use check::Checker;
pub use lex::Fault;
use lex::lex;

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
    /// Parses a condition and checks it. The list has one fault of syntax, or every fault of names and types.
    pub fn parse(text: &str, scope: Scope<'_>) -> Result<Condition, Vec<Fault>> {
        let tokens = lex(text)?;
        let expr = tree::parse(text, &tokens).map_err(|fault| vec![fault])?;
        let mut checker = Checker::new(text, scope);
        match checker.condition(&expr) {
            Some(condition) if checker.faults.is_empty() => Ok(condition),
            Some(_) => Err(checker.faults),
            None if checker.faults.is_empty() => Err(vec![Fault::new(0..text.len(), "this is not a condition")]),
            None => Err(checker.faults),
        }
    }
}
