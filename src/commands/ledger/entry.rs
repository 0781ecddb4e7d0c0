//! One action: how it is found by the words that people type, and how it looks as text and as JSON.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::place::Place;
use crate::exit::Fatal;
use crate::ledger::History;
use crate::model::{Date, Entry, Occasion, State, rfc3339};
use crate::report::one_line;

/// The length at which a table cuts an error; `ledger show` has all of it.
const ERROR_CHARS: usize = 80;

/// The instant of the run that last changed the entry, or else of its occasion's opening.
pub fn when(occasion: &Occasion, entry: &Entry) -> Date {
    entry.closed_at.max(entry.claimed_at).unwrap_or(occasion.id.opened_at)
}

/// An action as JSON; the keys are documented in docs/json.md.
pub fn as_json(history: &History, occasion: &Occasion, entry: &Entry) -> Json {
    let resolutions = history.resolutions.get(&entry.short).into_iter().flatten().map(|resolved| {
        json!({
            "as": resolved.resolution.name(),
            "state_before": resolved.state.name(),
            "note": resolved.note,
            "by": resolved.by,
            "at": rfc3339(resolved.at),
        })
    });
    json!({
        "key": entry.short,
        "kind": entry.key.kind.name(),
        "state": state_name(entry.state),
        "reason": entry.reason.name(),
        "signal": occasion.id.signal,
        "level": filled(&entry.key.level),
        "subject": { "kind": occasion.id.subject.kind.name(), "id": occasion.id.subject.id },
        "contact": filled(&entry.key.contact),
        "opened_at": rfc3339(occasion.id.opened_at),
        "ended_at": occasion.ended_at.map(rfc3339),
        "claimed_at": entry.claimed_at.map(rfc3339),
        "closed_at": entry.closed_at.map(rfc3339),
        "remote_id": entry.remote_id,
        "error": entry.error,
        "may_repeat": entry.may_repeat,
        "resolutions": resolutions.collect::<Vec<_>>(),
    })
}

/// The state as reports name it: an open claim is in doubt.
pub fn state_name(state: State) -> &'static str {
    match state {
        State::Claimed => "in_doubt",
        other => other.name(),
    }
}

/// The text; None if it is empty.
pub fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// The reason, with the service's error for an action that was not done.
pub fn why(entry: &Entry) -> String {
    match &entry.error {
        Some(error) if entry.state != State::Done => {
            format!("{}: {}", entry.reason.name(), one_line(error, ERROR_CHARS))
        }
        _ => entry.reason.name().to_owned(),
    }
}

/// Finds an action by its key as people write it.
pub fn find<'h>(place: &Place, history: &'h History, key: &str) -> Result<(&'h Occasion, &'h Entry), Fatal> {
    let short = as_stored(key);
    history.entries().find(|(_, entry)| entry.short == short).ok_or_else(|| {
        let near = nearest(history, &short);
        let list = place.command("ledger list");
        let help = match near.len() {
            0 => format!("{list} shows all of them"),
            _ => format!("did you mean {}? {list} shows all of them", near.join(" or ")),
        };
        Fatal::usage(anyhow::anyhow!("the ledger has no action {short}")).with_help(help)
    })
}

/// The stored form of a key that a person wrote: in any case, with or without `US-`, with O for 0 and I or L for 1. The alphabet
/// of keys has none of these letters.
fn as_stored(key: &str) -> String {
    let key = key.trim().to_uppercase();
    let letters = key.strip_prefix("US-").unwrap_or(&key).chars().map(|letter| match letter {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    });
    format!("US-{}", letters.collect::<String>())
}

/// Up to three keys that differ in at most two letters.
fn nearest(history: &History, short: &str) -> Vec<String> {
    let distance = |entry: &Entry| strsim::damerau_levenshtein(&entry.short, short);
    let mut near: Vec<_> = history.entries().map(|(_, entry)| (distance(entry), entry.short.clone())).collect();
    near.retain(|(distance, _)| *distance <= 2);
    near.sort();
    near.into_iter().take(3).map(|(_, short)| short).collect()
}

/// Refuses a signal that the ledger does not have.
pub fn known_signals(history: &History, asked: &[String]) -> Result<(), Fatal> {
    let signals: BTreeSet<_> = history.occasions.iter().map(|occasion| occasion.id.signal.as_str()).collect();
    let Some(unknown) = asked.iter().find(|signal| !signals.contains(signal.as_str())) else { return Ok(()) };
    Err(Fatal::usage(anyhow::anyhow!("the ledger has no signal {unknown:?}"))
        .with_help(format!("it has: {}", signals.into_iter().collect::<Vec<_>>().join(", "))))
}

/// The contacts of a person.
///
/// # Errors
/// A person without a contact in the ledger is refused.
pub fn known_contacts(history: &History, who: &str) -> Result<BTreeSet<String>, Fatal> {
    let contacts = history.contacts_of(who);
    if contacts.is_empty() {
        let help = "an e-mail finds only contacts with a signal about the person; contacts of an account's signal are found by \
            their id in Intercom";
        return Err(Fatal::usage(anyhow::anyhow!("the ledger has no contact {who:?}")).with_help(help));
    }
    Ok(contacts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_as_people_write_it() {
        for written in ["US-7K3F9Q2M", "us-7k3f9q2m", "7k3f9q2m", " 7K3F9Q2M ", "US-7K3F9Q2m"] {
            assert_eq!(as_stored(written), "US-7K3F9Q2M", "{written}");
        }
        assert_eq!(as_stored("us-oil0"), "US-0110", "letters that the alphabet leaves out");
    }
}
