//! Parses a text to a [`Condition`]. The lexer splits it into tokens, the parser builds a tree, and the checker looks up names
//! and types.

mod check;
mod lex;
mod parser;
#[cfg(test)]
mod tests;

use super::attributes::Scope;
use super::condition::Condition;
use super::fault::Fault;
use check::Checker;

impl Condition {
    /// Parses and checks a condition. The error lists one syntax fault, or every fault of names and types.
    pub fn parse(text: &str, scope: Scope<'_>) -> Result<Condition, Vec<Fault>> {
        let tokens = lex::lex(text)?;
        let expr = parser::parse(&tokens).map_err(|fault| vec![fault])?;
        let mut checker = Checker { text, scope, faults: Vec::new() };
        match checker.condition(&expr) {
            Some(condition) if checker.faults.is_empty() => Ok(condition),
            _ => Err(checker.faults),
        }
    }
}
