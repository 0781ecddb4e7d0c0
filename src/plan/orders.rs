//! Orders: what exactly a sink is to do, made of a signal's texts and the ledger's entry.

use chrono::NaiveDate;

use super::builder::Builder;
use super::item::Order;
use super::rendering::Rendering;
use crate::model::{
    ActionKind, Brief, Entry, Message, MessageRef, Occasion, Reason, State, Tag, TagChange, Task, TaskNews,
};

impl Builder<'_> {
    /// The order for an entry.
    pub(super) fn order(&self, rendering: &Rendering<'_>, entry: &Entry) -> Order {
        match entry.key.kind {
            ActionKind::Task => Order::Task(Box::new(self.task(rendering, entry))),
            ActionKind::Message => Order::Message(Box::new(self.message(rendering, entry))),
            ActionKind::Tag | ActionKind::Untag => tag_order(&rendering.rule.tag, entry),
        }
    }

    fn task(&self, rendering: &Rendering<'_>, entry: &Entry) -> Task {
        let Rendering { rule, brief, description, record_person, earlier } = rendering;
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

/// The order to add or remove a rule's tag.
pub(super) fn tag_order(tag: &str, entry: &Entry) -> Order {
    let change = if entry.key.kind == ActionKind::Untag { TagChange::Remove } else { TagChange::Add };
    let Entry { key, short, prior, .. } = entry;
    Order::Tag(Tag {
        short: short.clone(),
        contact: key.contact.clone(),
        tag: tag.to_owned(),
        change,
        tag_id: prior.clone(),
    })
}
