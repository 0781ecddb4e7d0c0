//! Evaluates conditions and rules for one contact: true, false or unknown, with the comparisons that decided it as evidence.

use std::collections::BTreeSet;

use super::condition::{Comparison, Condition, Op};
use super::rule::Rule;
use super::source::{ContactView, Reading, Source, Unread};
use crate::model::{Evidence, Truth, UnknownReason, Value};

/// The result of one rule for one contact.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleVerdict {
    /// The result of the rule's own condition.
    pub truth: Truth,
    /// The highest level that is true; empty for the rule's own level. Meaningful only if `truth` is true.
    pub level: String,
    /// The comparisons that made the rule true, then those of its level. Empty unless `truth` is true.
    pub evidence: Vec<Evidence>,
    /// The attributes that made the rule unknown, or, for a true rule, one of its levels. Each once.
    pub unknown: Vec<(String, UnknownReason)>,
}

pub(super) fn verdict(rule: &Rule, view: ContactView<'_>) -> RuleVerdict {
    let truth = rule.when.truth(view);
    let mut verdict = RuleVerdict { truth, level: String::new(), evidence: Vec::new(), unknown: Vec::new() };
    match truth {
        Truth::True => {
            rule.when.collect_evidence(view, Truth::True, &mut verdict.evidence);
            let highest = rule.levels.iter().rev().find(|level| level.when.truth(view) == Truth::True);
            if let Some(level) = highest {
                level.name.clone_into(&mut verdict.level);
                level.when.collect_evidence(view, Truth::True, &mut verdict.evidence);
            }
            // An unknown level is reported like an unknown rule.
            let blind: BTreeSet<_> = rule.levels.iter().flat_map(|level| unknown(&level.when, view)).collect();
            verdict.unknown = blind.into_iter().collect();
        }
        Truth::Unknown => verdict.unknown = unknown(&rule.when, view),
        Truth::False => {}
    }
    verdict
}

/// Returns the attributes that made a condition unknown, each once. Empty if it is not unknown.
pub(super) fn unknown(condition: &Condition, view: ContactView<'_>) -> Vec<(String, UnknownReason)> {
    let mut unread = Vec::new();
    condition.collect_unread(view, &mut unread);
    unread.into_iter().map(|(name, reason)| (name.to_owned(), reason)).collect()
}

impl Condition {
    /// Evaluates the condition for one contact.
    pub fn truth(&self, view: ContactView<'_>) -> Truth {
        match self {
            Condition::All(parts) => joined(parts, view, Truth::False, Truth::True),
            Condition::Any(parts) => joined(parts, view, Truth::True, Truth::False),
            Condition::Not(inner) => negated(inner.truth(view)),
            Condition::Comparison(comparison) => comparison.truth(view),
        }
    }

    /// Adds the unreadable attributes of the condition, and of every part of it, that is unknown.
    pub(super) fn collect_unread<'a>(&'a self, view: ContactView<'a>, unread: &mut Vec<Unread<'a>>) {
        match self {
            _ if self.truth(view) != Truth::Unknown => {}
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().for_each(|part| part.collect_unread(view, unread));
            }
            Condition::Not(inner) => inner.collect_unread(view, unread),
            Condition::Comparison(comparison) => {
                for source in comparison.sources() {
                    if let Err(found) = source.read(view)
                        && !unread.contains(&found)
                    {
                        unread.push(found);
                    }
                }
            }
        }
    }

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

/// Returns the opposite. Unknown stays unknown.
pub(super) fn negated(truth: Truth) -> Truth {
    match truth {
        Truth::True => Truth::False,
        Truth::False => Truth::True,
        Truth::Unknown => Truth::Unknown,
    }
}

/// Combines parts by Kleene's logic: one `decisive` part decides; else one unknown part makes the result unknown.
fn joined(parts: &[Condition], view: ContactView<'_>, decisive: Truth, otherwise: Truth) -> Truth {
    let mut result = otherwise;
    for part in parts {
        match part.truth(view) {
            truth if truth == decisive => return decisive,
            Truth::Unknown => result = Truth::Unknown,
            _ => {}
        }
    }
    result
}

impl Op {
    /// Returns the operator that is true where this one is false. Numbers are never NaN here, so there always is one.
    pub(super) fn opposite(self) -> Op {
        match self {
            Op::Equal => Op::NotEqual,
            Op::NotEqual => Op::Equal,
            Op::Less => Op::GreaterOrEqual,
            Op::LessOrEqual => Op::Greater,
            Op::Greater => Op::LessOrEqual,
            Op::GreaterOrEqual => Op::Less,
        }
    }

    fn holds(self, left: &Reading<'_>, right: &Reading<'_>) -> bool {
        match self {
            Op::Equal => left == right,
            Op::NotEqual => left != right,
            Op::Less => left < right,
            Op::LessOrEqual => left <= right,
            Op::Greater => left > right,
            Op::GreaterOrEqual => left >= right,
        }
    }
}

impl Comparison {
    pub(super) fn truth(&self, view: ContactView<'_>) -> Truth {
        match self.holds(view) {
            Ok(true) => Truth::True,
            Ok(false) => Truth::False,
            Err(_) => Truth::Unknown,
        }
    }

    /// Evaluates the comparison. The error names the attribute that could not be read.
    pub fn holds<'a>(&'a self, view: ContactView<'a>) -> Result<bool, Unread<'a>> {
        match self {
            // The parser refuses sides of different types.
            Comparison::Compare { left, op, right } => Ok(op.holds(&left.read(view)?, &right.read(view)?)),
            Comparison::OneOf { item, list } => Ok(list.contains(&item.read(view)?.to_value())),
            Comparison::Contains { list, item } => Ok(match (list.read(view)?, item.read(view)?) {
                (Reading::List(items), Reading::Text(text)) => items.contains(&text),
                _ => false,
            }),
            Comparison::Filled(source) => Ok(source.is_filled(view)),
            Comparison::Yes(source) => Ok(source.read(view)? == Reading::YesNo(true)),
        }
    }

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
            Comparison::Filled(source) => (source, pick(holds, "is filled", "is not filled"), Value::Null),
            Comparison::Yes(source) => (source, Op::Equal.sign(), Value::Bool(holds)),
        };
        // Only the argument of has(x) can be unreadable here.
        let value = subject.read(view).map_or(Value::Null, |reading| reading.to_value());
        Some(Evidence { attribute: subject.text().to_owned(), value, comparison: words.to_owned(), threshold })
    }
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

#[cfg(test)]
mod tests;
