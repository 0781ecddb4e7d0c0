//! Refusals are not for ever: people remove causes without a word to this program. A refused action is planned again after
//! `[scan] retry_refused_after`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use crate::model::{ActionKind, Change, Date, Entry, Known, Occasion, Reason, SinkKind, State, Step};
use crate::rules::RuleSet;

/// The refusals that a run tries again.
#[derive(Debug, Clone, Copy)]
pub struct RetryRefused<'a> {
    /// `[scan] retry_refused_after`; None means never.
    pub after: Option<TimeDelta>,
    /// The run's instant.
    pub as_of: Date,
    /// The rules that are on. The occasions of other rules do not change.
    pub rules: &'a RuleSet,
    /// The sinks that are on. An action of another sink stays refused, because as a planned one it would be skipped for good.
    pub sinks: &'a BTreeSet<SinkKind>,
}

impl RetryRefused<'_> {
    /// Turns old refusals into planned actions. Returns the changes that do the same to the ledger.
    ///
    /// A real run records the changes before it reads and plans. From then on the actions are unfinished like any others: they are
    /// done, wait or are dropped like them.
    pub fn plan_again(&self, known: &mut Known) -> Vec<Change> {
        let occasions = known.occasions.iter().filter(|occasion| self.rules.rule(&occasion.id.signal).is_some());
        let due = occasions.flat_map(|occasion| {
            let due = occasion.entries.iter().filter(|entry| self.is_due(occasion, entry));
            due.map(|entry| (entry.short.clone(), first_reason(known, occasion, entry)))
        });
        let due: BTreeMap<String, Reason> = due.collect();
        for entry in known.occasions.iter_mut().flat_map(|occasion| &mut occasion.entries) {
            if let Some(reason) = due.get(&entry.short) {
                entry.state = State::Planned;
                entry.reason = *reason;
            }
        }
        due.into_iter().map(|(short, reason)| Change::Step { short, step: Step::Retry, reason }).collect()
    }

    fn is_due(&self, occasion: &Occasion, entry: &Entry) -> bool {
        // Of an ended occasion, only its tags still come off; everything else is dropped.
        let is_needed = occasion.is_open() || entry.key.kind == ActionKind::Untag;
        // A refusal in the future comes from a clock that was ahead.
        let is_old = |after| entry.closed_at.is_none_or(|at| at > self.as_of || self.as_of - at >= after);
        entry.state == State::Refused
            && is_needed
            && self.sinks.contains(&entry.key.kind.sink())
            && self.after.is_some_and(is_old)
    }
}

/// The reason for which a refused action was planned at first. The refusal replaced it in the ledger, and the texts need it: a
/// message of a returned signal says "again".
fn first_reason(known: &Known, occasion: &Occasion, entry: &Entry) -> Reason {
    let mut earlier = occasion.entries.iter().take_while(|other| other.short != entry.short);
    match entry.key.kind {
        ActionKind::Untag => Reason::Cleared,
        ActionKind::Tag => Reason::New,
        kind if earlier.any(|other| other.key.kind == kind) => Reason::Escalated,
        _ if known.before(occasion).is_some() => Reason::Returned,
        _ => Reason::New,
    }
}
