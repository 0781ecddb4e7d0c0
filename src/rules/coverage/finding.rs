//! What the contacts say about a rule.

use super::cause::Cause;
use super::verdict::ConditionVerdict;
use crate::rules::rule::{Level, Rule};

/// What the contacts say about a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleFinding<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// Whether the rule is enabled.
    pub enabled: bool,
    /// The finding for the rule's own condition.
    pub outcome: ConditionFinding,
    /// The finding for each level, lowest first.
    pub levels: Vec<(&'r Level, ConditionFinding)>,
}

/// What the contacts say about a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionFinding {
    /// The verdict.
    pub verdict: ConditionVerdict,
    /// The number of contacts for which the condition is true.
    pub contacts: usize,
    /// The number of contacts for which it is unknown.
    pub unknown: usize,
    /// Why the condition is never true. If it is true for somebody: which parts are unknown for all contacts.
    pub causes: Vec<Cause>,
}
