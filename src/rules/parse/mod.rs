//! Parses a text to a [`Condition`]: the lexer cuts it into tokens, the parser builds a tree, the checker looks up names and
//! types.

mod check;
mod lex;
mod scope;
#[cfg(test)]
mod tests;
mod text_literal;
mod tree;
mod types;

use super::condition::Condition;
use check::Checker;
pub use lex::Fault;
use lex::lex;
pub use scope::Scope;

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
