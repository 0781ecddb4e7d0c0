//! What the contacts say about a rule.

use super::cause::Cause;
use super::verdict::ConditionVerdict;
use crate::rules::rule::{Level, Rule};

/// What is said of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleFinding<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// Whether it is on.
    pub enabled: bool,
    /// What the contacts say about its condition.
    pub outcome: ConditionFinding,
    /// The same for each rung of its ladder, lowest first.
    pub levels: Vec<(&'r Level, ConditionFinding)>,
}

/// What the contacts say about a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionFinding {
    /// In a word.
    pub verdict: ConditionVerdict,
    /// For so many contacts it is true.
    pub contacts: usize,
    /// For so many it cannot be decided.
    pub unknown: usize,
    /// Why it is true for nobody; where it is true for somebody, what part of it can be decided for nobody.
    pub causes: Vec<Cause>,
}
