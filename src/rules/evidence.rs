//! The evidence for a condition: the comparisons that decided it, worded so that each is true.

use super::condition::{Comparison, Condition, Op};
use super::evaluate::negated;
use super::source::{ContactView, Source};
use crate::model::{Evidence, Truth, Value};

impl Condition {
    /// Adds the comparisons that made the condition `wanted`: true, or false below a "not".
    pub(super) fn collect_evidence(&self, view: ContactView<'_>, wanted: Truth, evidence: &mut Vec<Evidence>) {
        if self.truth(view) != wanted {
            return;
        }
        match self {
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().for_each(|part| part.collect_evidence(view, wanted, evidence));
            }
            Condition::Not(inner) => inner.collect_evidence(view, negated(wanted), evidence),
            Condition::Comparison(comparison) => {
                let found = comparison.evidence(view, wanted == Truth::True);
                if let Some(found) = found.filter(|found| !evidence.contains(found)) {
                    evidence.push(found);
                }
            }
        }
    }
}

impl Comparison {
    /// Returns the comparison with its values. If it is false, as below a "not", the evidence is its opposite.
    pub(super) fn evidence(&self, view: ContactView<'_>, holds: bool) -> Option<Evidence> {
        let (subject, words, threshold): (&Source, &str, Value) = match self {
            Comparison::Compare { left, op, right } => {
                let op = if holds { *op } else { op.opposite() };
                let threshold = right.read(view).ok()?.to_value();
                match (left.sized_list(), emptiness(op, &threshold)) {
                    (Some(list), Some(words)) => (list, words, Value::Null),
                    _ => (left, op.sign(), threshold),
                }
            }
            Comparison::OneOf { item, list } => (item, pick(holds, "in", "not in"), Value::List(list.clone())),
            Comparison::Contains { list, item } => {
                let item = item.read(view).ok()?.to_value();
                (list, pick(holds, "contains", "does not contain"), item)
            }
            Comparison::Filled(source) => {
                let value = source.read(view).map_or(Value::Null, |reading| reading.to_value());
                let words = pick(holds, "is filled", "is not filled");
                return Some(evidence(source, value, words, Value::Null));
            }
            Comparison::Yes(source) => (source, Op::Equal.sign(), Value::Bool(holds)),
        };
        let value = subject.read(view).ok()?.to_value();
        Some(evidence(subject, value, words, threshold))
    }
}

fn evidence(subject: &Source, value: Value, words: &str, threshold: Value) -> Evidence {
    Evidence { attribute: subject.text().to_owned(), value, comparison: words.to_owned(), threshold }
}

fn pick(holds: bool, yes: &'static str, no: &'static str) -> &'static str {
    if holds { yes } else { no }
}

/// Returns the words for `size(list) > 0` and its like. `None` if the number matters.
fn emptiness(op: Op, threshold: &Value) -> Option<&'static str> {
    let Value::Number(number) = threshold else { return None };
    let is = |wanted: f64| *number == wanted;
    match op {
        Op::Greater | Op::NotEqual if is(0.0) => Some("is not empty"),
        Op::GreaterOrEqual if is(1.0) => Some("is not empty"),
        Op::Equal | Op::LessOrEqual if is(0.0) => Some("is empty"),
        Op::Less if is(1.0) => Some("is empty"),
        _ => None,
    }
}
