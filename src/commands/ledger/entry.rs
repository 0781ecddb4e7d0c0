//! One action as text and as JSON.

use serde_json::{Value as Json, json};

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
