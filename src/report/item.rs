//! One signal of a report in words: whom it is about, the results of its actions, and why.

use std::collections::BTreeMap;

use super::scan::{Ended, Report, RunMode};
use super::text::{clean, one_line};
use crate::apply::ActionStatus;
use crate::model::{ActionKind, Person, Reason, SubjectKind, UnknownReason};
use crate::plan::Item;

const NAME_CHARS: usize = 80;

/// The subject of a signal in one or two lines: the account and its people, or the person and the account.
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

/// The reason, then on a second line the results of the actions: `Zoho task US-7K3F9Q2M, Slack message, 9 Intercom tags`.
pub fn performed(report: &Report<'_>, item: &Item) -> String {
    let mut per_contact: BTreeMap<(ActionKind, ActionStatus, Reason), usize> = BTreeMap::new();
    let mut lines = Vec::new();
    for action in &item.actions {
        let (kind, ended) = (action.key.kind, Ended::of(action, report.results));
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

/// The reason why nothing is done, in a few words, for somebody who reads the report for the first time.
pub fn explain(reason: Reason) -> &'static str {
    match reason {
        Reason::AlreadyDone => "done earlier in this occasion",
        Reason::AlreadyTagged => "somebody added the tag before, so the signal counts as handled",
        Reason::Baseline => "recorded as handled by --baseline",
        Reason::Snoozed => "the snooze tag is on the company or a contact",
        Reason::SinkOff => "the sink is switched off",
        Reason::Held => "postponed by --top, the guard or an incomplete read; a later run decides again",
        Reason::DataOutage => "the rule is paused: an attribute it uses stopped arriving",
        Reason::UntaggedByPerson => "a person removed the tag; no more actions until the signal ends",
        Reason::Clearing => "false now; the occasion ends if it stays false",
        Reason::Cleared => "no longer true; the occasion ended",
        Reason::ContactGone => "no longer in Intercom",
        Reason::Refused => "refused by the service; a run tries again after scan.retry_refused_after",
        Reason::WaitsForTask => "waits for the task",
        Reason::InDoubt => "sent, but no answer came; the next run asks for the outcome",
        Reason::Unfinished => "planned, but not done yet",
        Reason::Dismissed => "a person decided against it",
        Reason::Resolved => "a person recorded it as done",
        Reason::Forgotten => "the contact was forgotten",
        Reason::New
        | Reason::Returned
        | Reason::Escalated
        | Reason::Joined
        | Reason::TagRecreated
        | Reason::TagRestored => "nothing left to do",
    }
}

/// The reason why something is done, in a few words; for other reasons, why nothing is done.
pub fn explain_work(reason: Reason) -> &'static str {
    match reason {
        Reason::New => "the first time that the subject signals",
        Reason::Returned => "the signal ended earlier, and is back",
        Reason::Escalated => "a higher level than before",
        Reason::Joined => "the contact joins an open occasion",
        Reason::TagRecreated => "the tag was missing from the workspace",
        Reason::TagRestored => "a person removed the tag, and on_untag restores it",
        reason => explain(reason),
    }
}

/// Why the value of an attribute is unknown, for a sentence that begins with the attribute's name.
pub fn explain_unknown(reason: UnknownReason) -> &'static str {
    match reason {
        UnknownReason::Missing => "is missing",
        UnknownReason::Unreadable => "cannot be read",
        UnknownReason::InTheFuture => "lies in the future",
        UnknownReason::WholeIsZero => "is zero, so there is no share of it",
    }
}
