//! `ledger list` and `ledger show`: every action with its state, and one action with its occasion.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::json;

use super::super::terminal::{show_result, terminal_width};
use super::entry::{as_json, filled, find, known_contacts, known_signals, state_name, when, why};
use super::place::Place;
use crate::cli::{Common, LedgerList as Filters, Since};
use crate::exit::{Exit, Fatal};
use crate::ledger::History;
use crate::model::{ActionKind, Entry, Occasion, State, TaskLink, minute, rfc3339};
use crate::report::{Ruling, TextTable, clean, explain_work, plural, with_level};

pub(super) fn list(common: &Common, place: &Place, filters: &Filters) -> Result<Exit, Fatal> {
    let Some(history) = place.history()? else {
        show_result(common, &place.nothing_yet(), &json!({ "schema": 1, "workspace": null, "actions": [] }))?;
        return Ok(Exit::Done);
    };
    let chosen = choose(&history, filters, place)?;
    let actions: Vec<_> = chosen.iter().map(|(occasion, entry)| as_json(&history, occasion, entry)).collect();
    let json = json!({ "schema": 1, "workspace": history.workspace, "actions": actions });
    show_result(common, &list_text(place, &chosen), &json)?;
    Ok(Exit::Done)
}

/// The actions that the filters let through, in the order of the ledger.
fn choose<'h>(history: &'h History, filters: &Filters, place: &Place) -> Result<Vec<(&'h Occasion, &'h Entry)>, Fatal> {
    let since = filters.since.map(|since| match since {
        Since::At(at) => at,
        Since::Ago(ago) => place.ago(ago),
    });
    let persons = filters.contact.as_ref().map(|who| known_contacts(history, who)).transpose()?;
    known_signals(history, &filters.signal)?;
    let fits = |(occasion, entry): &(&Occasion, &Entry)| {
        (filters.signal.is_empty() || filters.signal.contains(&occasion.id.signal))
            && (filters.state.is_empty() || filters.state.contains(&entry.state))
            && since.is_none_or(|since| when(occasion, entry) >= since)
            && persons.as_ref().is_none_or(|persons| is_about(occasion, entry, persons))
    };
    Ok(history.entries().filter(fits).collect())
}

/// Whether an action is about one of the persons. A tag is about its contact; a task and a message are about all contacts concerned.
fn is_about(occasion: &Occasion, entry: &Entry, persons: &BTreeSet<String>) -> bool {
    if !entry.key.contact.is_empty() {
        return persons.contains(&entry.key.contact);
    }
    !persons.is_disjoint(&occasion.contacts)
        || persons.contains(&occasion.representative)
        || persons.contains(&occasion.id.subject.id)
}

fn list_text(place: &Place, chosen: &[(&Occasion, &Entry)]) -> String {
    if chosen.is_empty() {
        return "No action matches.\n".to_owned();
    }
    let header = ["key", "kind", "state", "when", "signal", "about", "tag on contact", "why"];
    let mut table = TextTable::new(Ruling::None, header);
    for (occasion, entry) in chosen {
        table.add_row([
            entry.short.clone(),
            entry.key.kind.name().to_owned(),
            state_name(entry.state).replace('_', " "),
            minute(when(occasion, entry)),
            with_level(&occasion.id.signal, &entry.key.level),
            occasion.id.subject.to_string(),
            entry.key.contact.clone(),
            why(entry),
        ]);
    }
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, entry) in chosen {
        *states.entry(state_name(entry.state)).or_default() += 1;
    }
    let table = table.render(terminal_width());
    let counts = states.iter().map(|(state, count)| format!("{count} {}", state.replace('_', " ")));
    let counts = counts.collect::<Vec<_>>().join(", ");
    let mut text = format!("{table}\n{}: {counts}\n", plural(chosen.len(), "action"));
    if states.contains_key("refused") || states.contains_key("in_doubt") {
        let show = place.command("ledger show KEY");
        text.push_str(&format!("help: {show} says what you can do about a refused action or one in doubt\n"));
    }
    text
}

pub(super) fn show(common: &Common, place: &Place, key: &str) -> Result<Exit, Fatal> {
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
    show_result(common, &action_text(&history, occasion, entry, next.as_deref()), &json)?;
    Ok(Exit::Done)
}

fn action_text(history: &History, occasion: &Occasion, entry: &Entry, next: Option<&str>) -> String {
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
        State::Refused if occasion.is_open() || entry.key.kind == ActionKind::Untag => Some(format!(
            "remove the cause. A run tries again after retry_refused_after in [scan]; the next run does after {resolve} --as \
             failed. Use --as done if it was made by hand, and --as dismissed if nobody should do it"
        )),
        State::Refused => Some("the signal has ended, so the next run drops the action".to_owned()),
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
