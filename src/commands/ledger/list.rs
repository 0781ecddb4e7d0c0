//! `ledger list`: every action with its state.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::super::terminal::{show_result, terminal_width};
use super::entry::{as_json, known_contacts, state_name, when, why};
use super::place::Place;
use crate::cli::{Common, LedgerList as Filters, Since};
use crate::exit::{Exit, Fatal};
use crate::ledger::History;
use crate::model::{Entry, Occasion, minute};
use crate::report::{Ruling, TextTable, plural, with_level};

pub(super) fn run(common: &Common, place: &Place, filters: &Filters) -> Result<Exit, Fatal> {
    let Some(history) = place.history()? else {
        show_result(common, &place.nothing_yet(), &json!({ "schema": 1, "workspace": null, "actions": [] }))?;
        return Ok(Exit::Done);
    };
    let chosen = choose(&history, filters, place)?;
    let actions: Vec<_> = chosen.iter().map(|(occasion, entry)| as_json(&history, occasion, entry)).collect();
    let json = json!({ "schema": 1, "workspace": history.workspace, "actions": actions });
    show_result(common, &text(place, &chosen), &json)?;
    Ok(Exit::Done)
}

/// The actions that the filters let through, in the order of the ledger.
fn choose<'h>(history: &'h History, filters: &Filters, place: &Place) -> Result<Vec<(&'h Occasion, &'h Entry)>, Fatal> {
    let since = filters.since.map(|since| match since {
        Since::At(at) => at,
        Since::Ago(ago) => place.ago(ago),
    });
    let persons = filters.contact.as_ref().map(|who| known_contacts(history, who)).transpose()?;
    let signals: BTreeSet<_> = history.occasions.iter().map(|occasion| occasion.id.signal.as_str()).collect();
    if let Some(unknown) = filters.signal.iter().find(|signal| !signals.contains(signal.as_str())) {
        return Err(Fatal::usage(anyhow::anyhow!("the ledger has no signal {unknown:?}"))
            .with_help(format!("it has: {}", signals.into_iter().collect::<Vec<_>>().join(", "))));
    }
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

fn text(place: &Place, chosen: &[(&Occasion, &Entry)]) -> String {
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
