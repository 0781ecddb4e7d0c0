//! Rules: conditions over a contact's attributes, and texts about the contacts that fulfil them. Pure.
//!
//! `Condition::parse` and `Text::parse` report every fault when the configuration is loaded. A [`RuleSet`] holds the parsed
//! rules. [`RuleSet::evaluate`] evaluates them for one contact, and [`RuleSet::render`] renders the texts of a signal.
//!
//! Unknown is neither true nor false nor zero. A missing or unreadable value makes a condition unknown, unless its other
//! parts decide it (`false and unknown` is false).

mod alias;
mod attributes;
mod condition;
pub mod coverage;
mod engine;
mod evaluate;
mod explain;
mod fault;
mod functions;
mod miss;
mod parse;
mod render;
mod rule;
mod ruleset;
mod source;
mod text;
mod text_values;

pub use alias::{alias_for, alias_help, alias_line, is_name};
pub use attributes::{Attributes, CATALOGUE, Scope, nearest};
pub use condition::Condition;
pub use evaluate::RuleVerdict;
pub use explain::{AttributeSeen, Explained, ExplainedComparison, ExplainedRule, Explanation, Traced};
pub use fault::Fault;
pub use functions::FUNCTIONS;
pub use miss::{Miss, figure};
pub use render::Rendered;
pub use rule::{Level, OnClear, Rule};
pub use ruleset::{Evaluation, RuleSet};
pub use source::{FallbackWhen, Origin};
pub use text::{RecordFields, Text, TextKey, is_reserved};
pub use text_values::TextInput;
