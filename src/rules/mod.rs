//! Rules: conditions over a contact's attributes, what they ask for, and the texts that say it. Pure.
//!
//! A configuration gives [`Condition`]s and [`Text`]s by their `parse`, which find every fault when it is loaded; put
//! together as a [`RuleSet`], they are held against one contact after another ([`RuleSet::evaluate`]) and say what was seen
//! ([`RuleSet::render`]).
//!
//! Unknown is neither true nor false nor zero: a value that is missing or cannot be read leaves a condition undecided, unless
//! the rest of it decides alone (`false and unknown` is false).

mod attributes;
mod condition;
pub mod coverage;
mod engine;
mod evaluate;
mod explain;
mod functions;
mod miss;
mod parse;
mod render;
mod rule;
mod ruleset;
mod source;
mod text;

pub use attributes::{Attributes, CATALOGUE, KnownAttribute, nearest};
pub use condition::{Comparison, Condition, Op};
pub use evaluate::RuleVerdict;
pub use explain::{AttributeSeen, Explained, ExplainedComparison, ExplainedRule, Explanation, Traced};
pub use functions::{FUNCTIONS, Function};
pub use miss::{Miss, figure};
pub use parse::{Fault, Scope};
pub use render::{Rendered, TextInput};
pub use rule::{Level, OnClear, Rule};
pub use ruleset::{Evaluation, RuleSet};
pub use source::{ContactView, Fallback, FallbackWhen, Origin, Reading, Source, Unread};
pub use text::{Text, TextKey, is_reserved};
