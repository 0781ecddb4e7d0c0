//! What people are to read, and the rendered actions.

use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, Utc};
use jiff::Timestamp;

use super::build::Builder;
use super::item::{Item, Order};
use crate::model::{
    ActionKind, Brief, Contact, Entry, Message, MessageRef, Occasion, Person, Reason, Tag, TagChange, Task, TaskNews,
};
use crate::rules::{Rendered, Rule, TextInput};

/// What is told of one signal, and what its orders are made of.
#[derive(Debug, Clone)]
pub(super) struct Rendering<'a> {
    pub rule: &'a Rule,
    pub brief: Brief,
    pub description: String,
    /// Whose Zoho record the task goes on: fixed when the occasion opened.
    pub record_person: Person,
}

/// Earlier actions that a new one goes on from.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Earlier<'a> {
    /// The occasion that is open.
    pub open: Option<&'a Occasion>,
    /// The occasion whose task is brought forward: the open one, or the one that ended last.
    pub prior: Option<&'a Occasion>,
}

/// As texts show them: without blanks around, and blank names are none.
pub(super) fn person(contact: &Contact) -> Person {
    let shown = |text: &Option<String>| {
        let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        text.map(str::to_owned)
    };
    Person { id: contact.id.clone(), email: shown(&contact.email), name: shown(&contact.name) }
}

impl Builder<'_> {
    /// Renders the texts of a signal, with the figures of `representative`.
    pub(super) fn render<'a>(
        &mut self,
        rule: &'a Rule,
        level: &str,
        representative: &Arc<Contact>,
        people: Vec<Person>,
        company: Option<&str>,
        earlier: Earlier<'_>,
    ) -> Rendering<'a> {
        let input = self.input;
        let respond_within_days = rule.respond_within_days_at(level);
        let due_date = self.due_date(respond_within_days);
        let account = company.and_then(|id| input.facts.company_name(id));
        let contact_url = input.links.contact(input.workspace, &representative.id);
        let texts = TextInput {
            contact: representative,
            account,
            people: &people,
            as_of: input.as_of,
            due_date,
            contact_url: &contact_url,
        };
        let Rendered { details, action, task_subject, task_description, message, why_now, warnings } =
            input.rules.render(rule, level, &texts);
        self.warnings.extend(warnings);
        let fixed = earlier.open.and_then(|occasion| input.sightings.contact(&occasion.representative));
        let record_person = person(fixed.unwrap_or(representative));
        let again_since = match earlier {
            Earlier { open: None, prior: Some(ended) } => Some(self.local_date(ended.id.opened_at)),
            _ => None,
        };
        let brief = Brief {
            signal: rule.signal.clone(),
            level: level.to_owned(),
            title: task_subject,
            priority: rule.priority_at(level),
            account: account.map(str::to_owned),
            representative: person(representative),
            people,
            details,
            action,
            due_date,
            respond_within_days,
            why_now,
            flags: rule.flags.clone(),
            contact_url,
            again_since,
            escalated: false,
            message,
        };
        Rendering { rule, brief, description: task_description, record_person }
    }

    /// The order for an entry of a rendering's occasion.
    pub(super) fn order(&self, rendering: &Rendering<'_>, entry: &Entry, earlier: Earlier<'_>) -> Order {
        match entry.key.kind {
            ActionKind::Task => Order::Task(Box::new(self.task(rendering, entry, earlier))),
            ActionKind::Message => Order::Message(Box::new(self.message(rendering, entry, earlier))),
            ActionKind::Tag | ActionKind::Untag => Order::Tag(tag_order(&rendering.rule.tag, entry)),
        }
    }

    fn task(&self, rendering: &Rendering<'_>, entry: &Entry, earlier: Earlier<'_>) -> Task {
        let Rendering { rule, brief, description, record_person } = rendering;
        let level = if brief.level.is_empty() { String::new() } else { format!(" ({})", brief.level) };
        Task {
            short: entry.short.clone(),
            subject: brief.title.clone(),
            description: description.clone(),
            forward_line: format!("{}: {}{level}", self.local_date(self.input.as_of), brief.details),
            due_date: brief.due_date,
            overdue_before: (entry.reason == Reason::Returned).then(|| self.local_date(self.input.as_of)),
            priority: brief.priority,
            person: record_person.clone(),
            company: brief.account.clone(),
            lead_status: rule.lead_status.clone(),
            owner: rule.task_owner.clone(),
            link: earlier.open.and_then(|occasion| occasion.link.clone()),
            prior: entry.prior.clone(),
        }
    }

    fn message(&self, rendering: &Rendering<'_>, entry: &Entry, earlier: Earlier<'_>) -> Message {
        // Sent late, it may tell of a lower level than the one that it was planned for.
        let escalated = entry.reason == Reason::Escalated && entry.key.level == rendering.brief.level;
        let again_since = self.again_since(rendering, entry, earlier);
        Message {
            short: entry.short.clone(),
            brief: Brief { again_since, escalated, ..rendering.brief.clone() },
            task: earlier.open.map_or(TaskNews::None, |occasion| self.task_news(occasion)),
            thread: entry.prior.as_deref().and_then(MessageRef::from_remote_id),
            may_repeat: entry.may_repeat,
        }
    }

    /// When the signal was last there: a message that says "again" still says so when a later run sends it.
    fn again_since(&self, rendering: &Rendering<'_>, entry: &Entry, earlier: Earlier<'_>) -> Option<NaiveDate> {
        match earlier.open.filter(|_| entry.reason == Reason::Returned) {
            Some(open) => self.input.known.before(open).map(|ended| self.local_date(ended.id.opened_at)),
            None => rendering.brief.again_since,
        }
    }

    /// What the ledger knows of an occasion's task; applying knows better where a task is done in the same run.
    fn task_news(&self, occasion: &Occasion) -> TaskNews {
        use crate::model::State;
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

    fn due_date(&self, days: u32) -> NaiveDate {
        days_after(self.local_date(self.input.as_of), days)
    }

    /// By when an item is due of which nothing is done now: as its task or message said when it was sent last, or would have
    /// when the occasion opened. What was never told is due from now on.
    pub(super) fn due_date_told(&self, item: &Item) -> NaiveDate {
        let Some(occasion) = self.input.known.occasions.iter().find(|known| known.id == item.occasion) else {
            return item.due_date;
        };
        let told = occasion.last_done(ActionKind::Task).or_else(|| occasion.last_done(ActionKind::Message));
        let level = told.map_or(&occasion.level, |entry| &entry.key.level);
        let since = told.and_then(|entry| entry.claimed_at).unwrap_or(occasion.id.opened_at);
        let rule = self.input.rules.rules.iter().find(|rule| rule.signal == occasion.id.signal);
        let days = rule.map_or(0, |rule| rule.respond_within_days_at(level));
        days_after(self.local_date(since), days)
    }

    /// The calendar date of an instant where the sales people are.
    pub(super) fn local_date(&self, at: DateTime<Utc>) -> NaiveDate {
        let local = Timestamp::from_second(at.timestamp()).map(|instant| {
            let date = self.input.settings.timezone.to_datetime(instant).date();
            NaiveDate::from_ymd_opt(
                i32::from(date.year()),
                date.month().unsigned_abs().into(),
                date.day().unsigned_abs().into(),
            )
        });
        local.ok().flatten().unwrap_or_else(|| at.date_naive())
    }
}

fn days_after(date: NaiveDate, days: u32) -> NaiveDate {
    date.checked_add_days(Days::new(u64::from(days))).unwrap_or(date)
}

/// The order to add or remove a rule's tag.
pub(super) fn tag_order(tag: &str, entry: &Entry) -> Tag {
    let change = if entry.key.kind == ActionKind::Untag { TagChange::Remove } else { TagChange::Add };
    let Entry { key, short, prior, .. } = entry;
    Tag { short: short.clone(), contact: key.contact.clone(), tag: tag.to_owned(), change, tag_id: prior.clone() }
}
