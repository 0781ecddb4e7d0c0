//! One action with its decision: planned anew, resumed from the ledger, or skipped.

use super::builder::Builder;
use super::item::{Decision, PlannedAction};
use super::rendering::Rendering;
use crate::model::{ActionKey, ActionKind, Change, Entry, MessageRef, OccasionId, Reason, State, Step};

impl Builder<'_> {
    /// Plans a new action. Where its sink is off, it is skipped for good, for this occasion.
    pub(super) fn plan_action(
        &mut self,
        rendering: &Rendering<'_>,
        id: &OccasionId,
        key: &ActionKey,
        reason: Reason,
    ) -> PlannedAction {
        if !self.sink_on(key) {
            return self.record_skipped(id, key, Reason::SinkOff);
        }
        let mut entry = self.entry(id, key, State::Planned, reason);
        let last = rendering.earlier.prior.and_then(|occasion| occasion.last_done(key.kind));
        entry.prior = match key.kind {
            ActionKind::Task => last.and_then(|task| task.remote_id.clone()),
            ActionKind::Message => last.and_then(thread_root),
            _ => None,
        };
        self.record(id, &entry).with_order(self.order(rendering, &entry))
    }

    /// Skips a new action, and records that in the ledger.
    pub(super) fn record_skipped(&mut self, id: &OccasionId, key: &ActionKey, reason: Reason) -> PlannedAction {
        let state = if reason == Reason::ContactGone { State::Dropped } else { State::Skipped };
        let entry = self.entry(id, key, state, reason);
        self.record(id, &entry)
    }

    /// A new action whose entry is in its last state already: skipped, and recorded in the ledger.
    pub(super) fn record(&self, id: &OccasionId, entry: &Entry) -> PlannedAction {
        let change = Change::Enter { id: id.clone(), entry: entry.clone() };
        PlannedAction { changes: vec![change], ..self.skip(entry, entry.reason) }
    }

    /// Resumes an entry of an earlier run: a planned action is done now, any other state keeps its reason.
    pub(super) fn resume(&self, rendering: &Rendering<'_>, entry: &Entry) -> PlannedAction {
        match entry.state {
            State::Planned if !self.sink_on(&entry.key) => self.skip_and_step(entry, Step::Skip, Reason::SinkOff),
            State::Planned => self.skip(entry, Reason::Unfinished).with_order(self.order(rendering, entry)),
            State::Claimed => self.in_doubt(entry),
            State::Done => self.skip(entry, Reason::AlreadyDone),
            State::Refused => self.skip(entry, Reason::Refused),
            State::Undone => self.skip(entry, Reason::UntaggedByPerson),
            State::Skipped | State::Dropped => self.skip(entry, entry.reason),
        }
    }

    /// An entry whose outcome is unknown.
    pub(super) fn in_doubt(&self, entry: &Entry) -> PlannedAction {
        PlannedAction { decision: Decision::InDoubt, ..self.skip(entry, Reason::InDoubt) }
    }

    /// Skips the action; its entry stays as it is.
    pub(super) fn skip(&self, entry: &Entry, reason: Reason) -> PlannedAction {
        PlannedAction {
            key: entry.key.clone(),
            short: entry.short.clone(),
            decision: Decision::Skip,
            reason,
            order: None,
            remote_id: entry.remote_id.clone(),
            // The error of an action that a person dismissed is no failure any more.
            error: entry.error.clone().filter(|_| entry.state != State::Skipped),
            changes: Vec::new(),
        }
    }

    /// Skips the action, and takes its entry one step further.
    pub(super) fn skip_and_step(&self, entry: &Entry, step: Step, reason: Reason) -> PlannedAction {
        let change = Change::Step { short: entry.short.clone(), step, reason };
        PlannedAction { changes: vec![change], ..self.skip(entry, reason) }
    }
}

/// The message to reply to: the first of its thread, because Slack threads have one level.
fn thread_root(message: &Entry) -> Option<String> {
    let root = message.prior.clone().filter(|prior| MessageRef::from_remote_id(prior).is_some());
    root.or_else(|| message.remote_id.clone())
}
