//! Parses a text to a [`Condition`]. The lexer splits it into tokens, the parser builds a tree, and the checker looks up names
//! and types.

mod check;
mod expr;
mod lex;
mod parser;
mod scope;
#[cfg(test)]
mod tests;
mod text_literal;
mod types;

use super::condition::Condition;
use check::Checker;
pub use lex::Fault;
use lex::lex;
pub use scope::Scope;

impl Condition {
    /// Parses and checks a condition. The error lists one syntax fault, or every fault of names and types.
    pub fn parse(text: &str, scope: Scope<'_>) -> Result<Condition, Vec<Fault>> {
        let tokens = lex(text)?;
        let expr = parser::parse(text, &tokens).map_err(|fault| vec![fault])?;
        let mut checker = Checker::new(text, scope);
        match checker.condition(&expr) {
            Some(condition) if checker.faults.is_empty() => Ok(condition),
            Some(_) => Err(checker.faults),
            None if checker.faults.is_empty() => Err(vec![Fault::new(0..text.len(), "this is not a condition")]),
            None => Err(checker.faults),
        }
    }
}
