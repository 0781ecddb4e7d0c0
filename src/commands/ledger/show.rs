//! `ledger show`: one action with its occasion.

use std::fmt::Write as _;

use serde_json::json;

use super::super::terminal::{show_result, terminal_width};
use super::entry::{as_json, filled, find, state_name, why};
use super::place::Place;
use crate::cli::Common;
use crate::exit::{Exit, Fatal};
use crate::ledger::History;
use crate::model::{Entry, Occasion, State, TaskLink, minute, rfc3339};
use crate::report::{Ruling, TextTable, clean, explain_work, with_level};

pub(super) fn run(common: &Common, place: &Place, key: &str) -> Result<Exit, Fatal> {
    let history = place.some_history()?;
    let (occasion, entry) = find(place, &history, key)?;
    let others = occasion.entries.iter().filter(|other| other.short != entry.short);
    let others: Vec<_> = others.map(|other| as_json(&history, occasion, other)).collect();
    let next = next_step(place, occasion, entry);
    let json = json!({
        "schema": 1,
        "workspace": history.workspace,
        "action": as_json(&history, occasion, entry),
        "occasion": {
            "level": filled(&occasion.level),
            "representative": occasion.representative,
            "contacts": occasion.contacts,
            "record": occasion.record().map(|record| json!({ "module": record.module, "id": record.id })),
            "false_since": occasion.false_since.map(rfc3339),
            "actions": others,
        },
        "next_step": next,
    });
    show_result(common, &text(&history, occasion, entry, next.as_deref()), &json)?;
    Ok(Exit::Done)
}

fn text(history: &History, occasion: &Occasion, entry: &Entry, next: Option<&str>) -> String {
    let state = state_name(entry.state).replace('_', " ");
    let mut text = format!("{} · {} · {state}\n", entry.short, entry.key.kind.name());
    for (name, value) in facts(occasion, entry) {
        let _ = writeln!(text, "  {name:<12}{}", clean(&value));
    }
    let resolutions = history.resolutions.get(&entry.short).into_iter().flatten();
    for resolved in resolutions {
        let by = resolved.by.as_ref().map_or(String::new(), |by| format!(" by {by}"));
        let note = resolved.note.as_ref().map_or(String::new(), |note| format!(": {note}"));
        let line = format!(
            "{} as {}{by}, was {}{note}",
            minute(resolved.at),
            resolved.resolution.name(),
            state_name(resolved.state).replace('_', " ")
        );
        let _ = writeln!(text, "  {:<12}{}", "resolved", clean(&line).replace('\n', " "));
    }
    let others: Vec<_> = occasion.entries.iter().filter(|other| other.short != entry.short).collect();
    if !others.is_empty() {
        let mut table = TextTable::new(Ruling::None, ["key", "kind", "state", "level", "tag on contact", "why"]);
        others.into_iter().for_each(|other| table.add_row(row(other)));
        let _ = write!(text, "\nOther actions of this occasion\n{}", table.render(terminal_width()));
    }
    if let Some(next) = next {
        let _ = writeln!(text, "\nhelp: {next}");
    }
    text
}

fn row(entry: &Entry) -> [String; 6] {
    let state = state_name(entry.state).replace('_', " ");
    let Entry { short, key, .. } = entry;
    [short.clone(), key.kind.name().to_owned(), state, key.level.clone(), key.contact.clone(), why(entry)]
}

fn facts(occasion: &Occasion, entry: &Entry) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("signal", with_level(&occasion.id.signal, &entry.key.level)),
        ("about", occasion.id.subject.to_string()),
        ("opened", minute(occasion.id.opened_at)),
    ];
    let mut add = |name, value: Option<String>| facts.extend(value.map(|value| (name, value)));
    add("ended", occasion.ended_at.map(minute));
    add("false since", occasion.false_since.filter(|_| occasion.is_open()).map(minute));
    add("tag on", filled(&entry.key.contact).map(str::to_owned));
    let contacts: Vec<_> = occasion.contacts.iter().map(String::as_str).collect();
    add("contacts", filled(&contacts.join(", ")).map(str::to_owned));
    add(
        "record",
        match &occasion.link {
            Some(TaskLink::Record(record)) => Some(format!("{} {} in Zoho", record.module, record.id)),
            Some(TaskLink::Unlinked) => Some("none: the contact has no e-mail to find a record by".to_owned()),
            None => None,
        },
    );
    add("reason", Some(format!("{}: {}", entry.reason.name(), explain_work(entry.reason))));
    add("claimed", entry.claimed_at.map(minute));
    add("closed", entry.closed_at.map(minute));
    add("remote id", entry.remote_id.clone());
    add("error", entry.error.clone());
    facts
}

/// The decision that a person can record about the action, if any.
fn next_step(place: &Place, occasion: &Occasion, entry: &Entry) -> Option<String> {
    let resolve = place.command(&format!("ledger resolve {}", entry.short));
    match entry.state {
        State::Refused if occasion.is_open() => Some(format!(
            "no run tries it again. Remove the cause, then run {resolve} --as failed (the next run tries again), --as done (it was \
             made by hand), or --as dismissed (nobody does it)"
        )),
        State::Refused => Some(format!(
            "the signal has ended, so the action is no longer needed: {resolve} --as dismissed removes it from the reports, or \
             --as done if it was made by hand"
        )),
        State::Claimed => Some(format!(
            "the next run asks for the outcome. If you know the outcome: {resolve} --as done (it is there), --as failed (the next \
             run does it), or --as dismissed (nobody does it)"
        )),
        State::Planned => Some(format!("the next run does it; {resolve} --as dismissed prevents that")),
        State::Skipped if occasion.is_open() => {
            Some(format!("with {resolve} --as failed, the next run does it after all"))
        }
        State::Skipped | State::Done | State::Dropped | State::Undone => None,
    }
}
