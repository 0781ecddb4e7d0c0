//! The fragments of a message's text: who, what, until when, and the links. Pure, escaped, and cut to their limits.

use chrono::NaiveDate;

use super::markup::{line, link};
use crate::model::{ActionKind, Brief, Message, Person, TaskNews};

/// The most characters of a name, an e-mail or an account.
const NAME_CHARS: usize = 100;
/// The most characters of a link. A longer one is left out.
const LINK_CHARS: usize = 500;
/// The most people named besides the representative.
const PEOPLE: usize = 10;

/// The fields of the first section, each under its label.
pub(super) fn fields(brief: &Brief) -> Vec<String> {
    let Brief { level, representative: person, priority, respond_within_days, details, .. } = brief;
    let days = if *respond_within_days == 1 { "day" } else { "days" };
    let name = name(person);
    let email = line(person.email.as_deref().unwrap_or_default(), NAME_CHARS);
    let email = if email == name { String::new() } else { email };
    let level = line(level, 60);
    let level = if level.is_empty() { level } else { format!(" ({level})") };
    labelled([
        ("Contact", joined([name, email], "\n")),
        ("Account", account(brief)),
        ("Signal", joined([format!("{}{level}", words(&brief.signal)), line(details, 400)], "\n")),
        ("Urgency", format!("{}, within {respond_within_days} {days}", words(priority.name()))),
    ])
}

/// The task, the reason, and the other people.
pub(super) fn body(brief: &Brief) -> String {
    let by = format!("To do by {}", date(brief.due_date));
    let parts = [
        (by.as_str(), line(&brief.action, 600)),
        ("Why now", line(&brief.why_now, 400)),
        ("Also concerned", others(brief)),
    ];
    labelled(parts).join("\n")
}

/// The texts that are not empty, each under its label.
fn labelled<'a>(texts: impl IntoIterator<Item = (&'a str, String)>) -> Vec<String> {
    let shown = texts.into_iter().filter(|(_, text)| !text.is_empty());
    shown.map(|(label, text)| format!("*{label}*\n{text}")).collect()
}

/// Everyone but the representative, once each.
fn others(brief: &Brief) -> String {
    let Brief { representative, people, .. } = brief;
    let is_other = |person: &&Person| person.id != representative.id && person.label() != representative.label();
    let mut labels: Vec<String> = Vec::new();
    for label in people.iter().filter(is_other).map(name) {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    let more = labels.len().saturating_sub(PEOPLE);
    labels.truncate(PEOPLE);
    match (labels.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => labels.join(", "),
        (false, more) => format!("{} and {more} more", labels.join(", ")),
    }
}

/// Notes on a message that is not an ordinary one: flags, escalation, repetition.
pub(super) fn notes(order: &Message) -> String {
    let mut notes: Vec<String> = order.brief.flags.iter().take(5).map(|flag| words(flag)).collect();
    let level = line(&order.brief.level, 60);
    if order.brief.escalated && !level.is_empty() {
        notes.push(format!("Now {level}"));
    }
    notes.extend(order.brief.again_since.map(|since| format!("Again, last on {}", date(since))));
    if order.may_repeat {
        notes.push("May be a repeat".to_owned());
    }
    joined(notes, " · ")
}

/// Links to the contact, the record and the task, or the state of a task that has no link yet.
pub(super) fn links(order: &Message) -> String {
    let mut links = vec![link(&order.brief.contact_url, "Intercom", LINK_CHARS)];
    match &order.task {
        TaskNews::None => {}
        TaskNews::Done { task_url, record_url } => {
            links.push(record_url.as_deref().and_then(|url| link(url, "Zoho record", LINK_CHARS)));
            links.push(link(task_url, ActionKind::Task.label(), LINK_CHARS));
        }
        TaskNews::Follows => links.push(Some(format!("The {} follows", ActionKind::Task.label()))),
        TaskNews::Refused => links.push(Some("Zoho refused the task".to_owned())),
    }
    joined(links.into_iter().flatten(), " · ")
}

pub(super) fn summary(brief: &Brief) -> String {
    let who = joined([name(&brief.representative), account(brief)], ", ");
    let title = or_signal(line(&brief.title, 300), brief);
    format!("{title} · {who} · by {}", date(brief.due_date))
}

/// The name of a person, else the e-mail.
pub(super) fn name(person: &Person) -> String {
    let shown = |text: &Option<String>| line(text.as_deref().unwrap_or_default(), NAME_CHARS);
    let known = [shown(&person.name), shown(&person.email)].into_iter().find(|text| !text.is_empty());
    known.unwrap_or_else(|| "unknown".to_owned())
}

/// The account's name; empty where there is none.
pub(super) fn account(brief: &Brief) -> String {
    line(brief.account.as_deref().unwrap_or_default(), NAME_CHARS)
}

/// The title, or the name of the signal where nothing of the title is visible.
pub(super) fn or_signal(title: String, brief: &Brief) -> String {
    if title.is_empty() { format!("Signal: {}", words(&brief.signal)) } else { title }
}

/// An identifier as people write it: `hot_lead` becomes `Hot lead`.
pub(super) fn words(id: &str) -> String {
    let text = line(&id.replace('_', " "), 60);
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

pub(super) fn date(date: NaiveDate) -> String {
    date.format("%-d %b %Y").to_string()
}

/// Joins the parts that are not empty.
pub(super) fn joined(parts: impl IntoIterator<Item = String>, between: &str) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}
