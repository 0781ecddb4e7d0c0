//! One signal of a report in words: whom it is about, the results of its actions, and why.

use std::collections::BTreeMap;

use super::scan::{Report, RunMode};
use super::text::{clean, one_line};
use crate::apply::ActionStatus;
use crate::model::{ActionKind, Person, Reason, SubjectKind};
use crate::plan::Item;

/// The length at which a name is cut.
const NAME_CHARS: usize = 80;

/// Whom a signal is about, in one line or two: the account and its people, or the person and the account.
pub fn who(item: &Item) -> String {
    let people = match item.people.len() {
        0 => String::new(),
        1 => label(&item.representative),
        count => format!("{} and {} more", label(&item.representative), count - 1),
    };
    let account = item.account.as_deref().map(|name| one_line(name, NAME_CHARS));
    let text = match (item.subject().kind, account) {
        (SubjectKind::Account, Some(name)) => format!("{name}\n{people}"),
        (SubjectKind::Account, None) => format!("account {}\n{people}", item.subject().id),
        (SubjectKind::Contact, Some(name)) => format!("{people}\n{name}"),
        (SubjectKind::Contact, None) if people.is_empty() => format!("contact {}", item.subject().id),
        (SubjectKind::Contact, None) => people,
    };
    clean(text.trim_end())
}

fn label(person: &Person) -> String {
    if person.name.is_none() && person.email.is_none() {
        return format!("contact {}", person.id);
    }
    one_line(person.label(), NAME_CHARS)
}

/// What was done where, and why: `returned: Zoho task US-7K3F9Q2M`, `Slack message`, `9 Intercom tags`, ….
pub fn performed(report: &Report<'_>, item: &Item) -> String {
    let mut per_contact: BTreeMap<(ActionKind, ActionStatus, Reason), usize> = BTreeMap::new();
    let mut lines = Vec::new();
    for action in &item.actions {
        let (kind, ended) = (action.key.kind, report.ended(action));
        if kind.is_per_occasion() {
            let key = if kind.shows_key() { format!(" {}", action.short) } else { String::new() };
            lines.push((kind, 1, format!("{}{key}", kind.label()), ended.status, ended.reason));
        } else {
            *per_contact.entry((kind, ended.status, ended.reason)).or_default() += 1;
        }
    }
    let counted = per_contact.into_iter();
    lines.extend(counted.map(|((kind, status, reason), count)| (kind, count, kind.counted(count), status, reason)));
    let expected = match report.run.mode {
        RunMode::Apply => ActionStatus::Done,
        RunMode::DryRun => ActionStatus::Planned,
    };
    let shown = lines.into_iter().filter_map(|(kind, count, what, status, reason)| match status {
        ActionStatus::Skipped if reason == Reason::AlreadyDone => None,
        ActionStatus::Skipped if reason == item.reason && !kind.is_per_occasion() => None,
        ActionStatus::Skipped if reason == item.reason => Some(format!("no {}", kind.label_for(count))),
        ActionStatus::Skipped => Some(format!("no {}: {}", kind.label_for(count), reason.name())),
        status if status == expected => Some(what),
        status if status.name() == reason.name() => Some(format!("{what} {}", status.name().replace('_', " "))),
        status => Some(format!("{what} {}: {}", status.name().replace('_', " "), reason.name())),
    });
    let shown: Vec<_> = shown.collect();
    format!("{}\n{}", item.reason.name(), shown.join(", "))
}

/// The reason in a few words, for somebody who reads the report for the first time.
pub fn explain(reason: Reason) -> &'static str {
    match reason {
        Reason::AlreadyDone => "handled in this occasion, nothing more to do",
        Reason::AlreadyTagged => "somebody tagged them before; taken as handled",
        Reason::Baseline => "recorded as handled by --baseline",
        Reason::Snoozed => "the snooze tag is on the company or a contact",
        Reason::SinkOff => "the sink is switched off",
        Reason::Held => "beyond --top, stopped by the guard, or found by an incomplete read; comes up again",
        Reason::DataOutage => "the data that the rule needs broke off; comes up again when it is back",
        Reason::UntaggedByPerson => "a person took our tag off; nothing more until the signal clears",
        Reason::Clearing => "false at the moment; waits whether it stays so",
        Reason::Cleared => "no longer true; the occasion ended",
        Reason::ContactGone => "not in Intercom any more",
        Reason::Refused => "refused by the service; a person has to decide",
        Reason::WaitsForTask => "waits for the task",
        Reason::InDoubt => "sent, and no answer came; the next run asks",
        Reason::Unfinished => "wanted, and not done yet",
        Reason::Dismissed => "a person said not to do it",
        Reason::Resolved => "a person said that it is done",
        Reason::Forgotten => "the contact was forgotten",
        Reason::New
        | Reason::Returned
        | Reason::Escalated
        | Reason::Joined
        | Reason::TagRecreated
        | Reason::TagRestored => "nothing left to do for it",
    }
}
