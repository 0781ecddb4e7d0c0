//! Tallies: how often a condition and each of its comparisons were true over all contacts.

use std::collections::BTreeSet;

use crate::model::{Truth, UnknownReason};
use crate::rules::condition::{Comparison, Condition};
use crate::rules::source::{ContactView, Reading};

#[derive(Debug, Clone)]
pub(super) struct Tally<'r> {
    pub condition: &'r Condition,
    /// Contacts for which it was true.
    pub held: usize,
    /// Contacts for which it was unknown.
    pub unknown: usize,
    /// Its comparisons, in written order.
    pub comparisons: Vec<ComparisonTally<'r>>,
}

#[derive(Debug, Clone)]
pub(super) struct ComparisonTally<'r> {
    pub comparison: &'r Comparison,
    pub held: usize,
    pub failed: usize,
    /// The attributes that could not be read.
    pub unread: BTreeSet<(String, UnknownReason)>,
    /// The minimum and the maximum of the left side.
    pub range: Option<(f64, f64)>,
}

impl<'r> Tally<'r> {
    pub fn new(condition: &'r Condition) -> Self {
        let comparisons = condition.comparisons().into_iter().map(|comparison| ComparisonTally {
            comparison,
            held: 0,
            failed: 0,
            unread: BTreeSet::new(),
            range: None,
        });
        Tally { condition, held: 0, unknown: 0, comparisons: comparisons.collect() }
    }

    /// Counts one contact, and returns the result of the condition.
    pub fn add(&mut self, view: ContactView<'_>) -> Truth {
        self.comparisons.iter_mut().for_each(|compared| compared.add(view));
        let truth = self.condition.truth(view);
        match truth {
            Truth::True => self.held += 1,
            Truth::Unknown => self.unknown += 1,
            Truth::False => {}
        }
        truth
    }
}

impl ComparisonTally<'_> {
    fn add(&mut self, view: ContactView<'_>) {
        let Self { comparison, held, failed, unread, range } = self;
        if let Comparison::Compare { left, op: _, right } = comparison {
            if let Ok(Reading::Number(number)) = left.read(view) {
                let (least, most) = range.unwrap_or((number, number));
                *range = Some((least.min(number), most.max(number)));
            }
            // `holds` names only the first side that it cannot read.
            if let Err((name, reason)) = right.read(view) {
                note(unread, name, reason);
            }
        }
        match comparison.holds(view) {
            Ok(true) => *held += 1,
            Ok(false) => *failed += 1,
            Err((name, reason)) => note(unread, name, reason),
        }
    }

    /// Returns the number of contacts for which it was not unknown.
    pub fn decided(&self) -> usize {
        self.held + self.failed
    }
}

fn note(unread: &mut BTreeSet<(String, UnknownReason)>, name: &str, reason: UnknownReason) {
    // Copies the name only once.
    if !unread.iter().any(|(known, why)| known == name && *why == reason) {
        unread.insert((name.to_owned(), reason));
    }
}
