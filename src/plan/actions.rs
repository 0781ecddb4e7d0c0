//! One action with its decision (planned anew, resumed from the ledger, or skipped), and its order: what exactly a sink is to
//! do, made of the signal's texts and the ledger's entry.

use chrono::NaiveDate;

use super::builder::Builder;
use super::item::{Decision, Order, PlannedAction};
use super::rendering::Rendering;
use crate::model::{
    ActionKey, ActionKind, Brief, Change, Entry, Message, MessageRef, Occasion, OccasionId, Reason, State, Step, Tag,
    TagChange, Task, TaskNews,
};

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

    /// The order for an entry.
    pub(super) fn order(&self, rendering: &Rendering<'_>, entry: &Entry) -> Order {
        match entry.key.kind {
            ActionKind::Task => Order::Task(Box::new(self.task(rendering, entry))),
            ActionKind::Message => Order::Message(Box::new(self.message(rendering, entry))),
            ActionKind::Tag | ActionKind::Untag => tag_order(&rendering.rule.tag, entry),
        }
    }

    fn task(&self, rendering: &Rendering<'_>, entry: &Entry) -> Task {
        let Rendering { rule, brief, description, lead_fields, task_fields, record_person, earlier } = rendering;
        let level = if brief.level.is_empty() { String::new() } else { format!(" ({})", brief.level) };
        let today = self.local_date(self.input.as_of);
        Task {
            short: entry.short.clone(),
            subject: brief.title.clone(),
            description: description.clone(),
            forward_line: format!("{today}: {}{level}", brief.details),
            due_date: brief.due_date,
            overdue_before: (entry.reason == Reason::Returned).then_some(today),
            priority: brief.priority,
            person: record_person.clone(),
            company: brief.account.clone(),
            lead_status: rule.lead_status.clone(),
            owner: rule.task_owner.clone(),
            lead_fields: lead_fields.clone(),
            task_fields: task_fields.clone(),
            link: earlier.open.and_then(|occasion| occasion.link.clone()),
            prior: entry.prior.clone(),
        }
    }

    fn message(&self, rendering: &Rendering<'_>, entry: &Entry) -> Message {
        // A message that is sent late may show a lower level than the one it was planned for.
        let escalated = entry.reason == Reason::Escalated && entry.key.level == rendering.brief.level;
        let again_since = self.again_since(rendering, entry);
        Message {
            short: entry.short.clone(),
            brief: Brief { again_since, escalated, ..rendering.brief.clone() },
            task: rendering.earlier.open.map_or(TaskNews::None, |occasion| self.task_news(occasion)),
            thread: entry.prior.as_deref().and_then(MessageRef::from_remote_id),
            may_repeat: entry.may_repeat,
            without_key: false,
        }
    }

    /// When the previous occasion opened. A message that says "again" still says so when a later run sends it.
    fn again_since(&self, rendering: &Rendering<'_>, entry: &Entry) -> Option<NaiveDate> {
        match rendering.earlier.open.filter(|_| entry.reason == Reason::Returned) {
            Some(open) => self.input.known.before(open).map(|ended| self.local_date(ended.id.opened_at)),
            None => rendering.brief.again_since,
        }
    }

    /// The state of an occasion's task by the ledger. A task that is done in this run updates it when the message is sent.
    fn task_news(&self, occasion: &Occasion) -> TaskNews {
        if let Some(id) = occasion.last_done(ActionKind::Task).and_then(|entry| entry.remote_id.as_deref()) {
            let record_url = occasion.record().map(|record| self.input.links.record(record));
            return TaskNews::Done { task_url: self.input.links.task(id), record_url };
        }
        let tasks = occasion.entries.iter().filter(|entry| entry.key.kind == ActionKind::Task);
        match tasks.map(|entry| entry.state).next_back() {
            Some(State::Planned | State::Claimed) => TaskNews::Follows,
            Some(State::Refused) => TaskNews::Refused,
            _ => TaskNews::None,
        }
    }
}

/// The message to reply to: the first of its thread, because Slack threads have one level.
fn thread_root(message: &Entry) -> Option<String> {
    let root = message.prior.clone().filter(|prior| MessageRef::from_remote_id(prior).is_some());
    root.or_else(|| message.remote_id.clone())
}

/// The order to add or remove a rule's tag.
pub(super) fn tag_order(tag: &str, entry: &Entry) -> Order {
    let change = if entry.key.kind == ActionKind::Untag { TagChange::Remove } else { TagChange::Add };
    let Entry { key, short, prior, .. } = entry;
    Order::Tag(Box::new(Tag {
        short: short.clone(),
        contact: key.contact.clone(),
        tag: tag.to_owned(),
        change,
        tag_id: prior.clone(),
    }))
}
