//! `ledger resolve`, `prune` and `forget`: record decisions of people, under the lock.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::super::terminal::show_result;
use super::entry::{find, known_contacts, known_signals, state_name, when};
use super::place::Place;
use crate::cli::{Common, LedgerForget, LedgerPrune, LedgerResolve};
use crate::exit::{Exit, Fatal};
use crate::ledger::{Forgotten, History, ManualResolution, Pruned};
use crate::model::{
    ActionKind, Entry, Occasion, Resolution, State, Step, SubjectKind, forgotten_mark, minute, rfc3339,
};
use crate::remote::sink_facts::WrongId;
use crate::remote::sinks;
use crate::report::{joined, plural, with_level};

pub(super) fn resolve(common: &Common, place: &Place, arguments: &LedgerResolve) -> Result<Exit, Fatal> {
    // The actions are looked up twice: before the lock, so that a mistyped key fails at once, and again under it.
    chosen(place, &place.some_history()?, arguments)?;
    let (_lock, ledger) = place.writer("resolve", arguments.wait_lock)?;
    let history = place.some_history()?;
    let chosen = chosen(place, &history, arguments)?;
    let decided = chosen.iter().map(|(occasion, entry)| Decided::of(place, occasion, entry, arguments));
    let decided: Vec<Decided<'_>> = decided.collect::<Result<_, _>>()?;
    let decisions: Vec<_> = decided.iter().map(|decided| decided.record(arguments)).collect();
    ledger.resolve(&decisions, place.now)?;
    let text: String = decided.iter().map(Decided::text).collect();
    let text = if text.is_empty() { "No action matches.\n".to_owned() } else { text };
    let actions: Vec<_> = decided.iter().map(Decided::json).collect();
    let mut json = json!({ "schema": 1, "as": arguments.resolution.name(), "actions": actions });
    if let [one] = decided.as_slice() {
        json = joined(json, one.json());
    }
    show_result(common, &text, &json)?;
    Ok(Exit::Done)
}

/// The actions that the keys name, each once, or that are in the state.
fn chosen<'h>(
    place: &Place,
    history: &'h History,
    arguments: &LedgerResolve,
) -> Result<Vec<(&'h Occasion, &'h Entry)>, Fatal> {
    known_signals(history, &arguments.signal)?;
    if arguments.remote_id.is_some() && arguments.keys.len() != 1 {
        return Err(Fatal::usage(anyhow::anyhow!("--remote-id goes with one key only")).with_help("name one action"));
    }
    let Some(state) = arguments.state else {
        let found = arguments.keys.iter().map(|key| find(place, history, key));
        let mut found: Vec<_> = found.collect::<Result<_, _>>()?;
        let mut seen = BTreeSet::new();
        found.retain(|(_, entry)| seen.insert(&entry.short));
        return Ok(found);
    };
    let of_signal = |signal: &String| arguments.signal.is_empty() || arguments.signal.contains(signal);
    let fits = |(occasion, entry): &(&Occasion, &Entry)| entry.state == state && of_signal(&occasion.id.signal);
    Ok(history.entries().filter(fits).collect())
}

/// A person's decision about one action.
struct Decided<'h> {
    occasion: &'h Occasion,
    entry: &'h Entry,
    resolution: Resolution,
    /// The state after the decision.
    state: State,
}

impl<'h> Decided<'h> {
    fn of(
        place: &Place,
        occasion: &'h Occasion,
        entry: &'h Entry,
        arguments: &LedgerResolve,
    ) -> Result<Decided<'h>, Fatal> {
        let resolution = arguments.resolution;
        let state = entry.state.after(Step::Resolve(resolution));
        let state = state.ok_or_else(|| nothing_to_decide(place, occasion, entry))?;
        check_remote_id(entry.key.kind, resolution, arguments.remote_id.as_deref())?;
        Ok(Decided { occasion, entry, resolution, state })
    }

    fn record(&self, arguments: &LedgerResolve) -> ManualResolution {
        let user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
        let blank = |text: &String| text.trim().is_empty();
        ManualResolution {
            short: self.entry.short.clone(),
            resolution: self.resolution,
            remote_id: arguments.remote_id.clone(),
            note: arguments.note.clone().filter(|note| !blank(note)),
            by: user.filter(|user| !blank(user)),
        }
    }

    fn text(&self) -> String {
        let Decided { occasion, entry, resolution, state } = self;
        format!(
            "{} ({} of {} for {}) was {} and is now {}: {}\n",
            entry.short,
            entry.key.kind.name(),
            with_level(&occasion.id.signal, &entry.key.level),
            occasion.id.subject,
            state_name(entry.state).replace('_', " "),
            state_name(*state).replace('_', " "),
            consequence(occasion, entry, *resolution),
        )
    }

    fn json(&self) -> Json {
        let Decided { occasion, entry, resolution, state } = self;
        json!({
            "key": entry.short,
            "state_before": state_name(entry.state),
            "state": state_name(*state),
            "next_step": consequence(occasion, entry, *resolution),
        })
    }
}

fn nothing_to_decide(place: &Place, occasion: &Occasion, entry: &Entry) -> Fatal {
    let (short, reason) = (&entry.short, entry.reason.name());
    let since = minute(when(occasion, entry));
    let message = match entry.state {
        State::Planned => format!("{short} is planned; the next run does it anyway"),
        State::Skipped => format!("{short} is skipped anyway ({reason})"),
        state => format!("{short} is {} since {since} ({reason}); there is nothing to decide", state_name(state)),
    };
    Fatal::usage(anyhow::Error::msg(message))
        .with_help(format!("{} shows the details", place.command(&format!("ledger show {short}"))))
}

/// A wrong id would send a later run to somebody else's task or message.
fn check_remote_id(kind: ActionKind, resolution: Resolution, remote_id: Option<&str>) -> Result<(), Fatal> {
    let Some(id) = remote_id else { return Ok(()) };
    let refuse = |message: String, help: &str| Err(Fatal::usage(anyhow::Error::msg(message)).with_help(help));
    if resolution != Resolution::Done {
        return refuse("--remote-id goes with --as done only".to_owned(), "leave it out");
    }
    (sinks::facts(kind.sink()).check_remote_id)(id).or_else(|WrongId { message, help }| refuse(message, help))
}

/// The next run's step after the decision.
fn consequence(occasion: &Occasion, entry: &Entry, resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Failed if occasion.is_open() || entry.key.kind == ActionKind::Untag => "the next run does it",
        Resolution::Failed => "the signal has ended, so the next run drops it",
        Resolution::Done => "no run does it again",
        Resolution::Dismissed => {
            "no run does it while the signal lasts; if the signal ends and returns, the action is new"
        }
    }
}

/// Removes occasions and runs that no decision needs.
pub(super) fn prune(common: &Common, place: &Place, arguments: &LedgerPrune) -> Result<Exit, Fatal> {
    place.some_history()?;
    let (_lock, ledger) = place.writer("prune", arguments.wait_lock)?;
    let before = place.ago(arguments.older_than);
    let Pruned { occasions, entries, runs } = ledger.prune(before)?;
    let text = format!(
        "Removed {} with {}, and {}, from before {}\n",
        plural(occasions, "occasion"),
        plural(entries, "action"),
        plural(runs, "record of a run").replace("record of a runs", "records of runs"),
        minute(before),
    );
    let removed = json!({ "occasions": occasions, "actions": entries, "runs": runs });
    show_result(common, &text, &json!({ "schema": 1, "before": rfc3339(before), "removed": removed }))?;
    Ok(Exit::Done)
}

pub(super) fn forget(common: &Common, place: &Place, arguments: &LedgerForget) -> Result<Exit, Fatal> {
    let who = arguments.contact.trim();
    let history = place.some_history()?;
    let forgotten_before = history.forgotten.contains(&forgotten_mark(who));
    if !forgotten_before {
        known_contacts(&history, who)?;
    }
    let (_lock, ledger) = place.writer("forget", arguments.wait_lock)?;
    let history = place.some_history()?;
    let contacts = history.contacts_of(who);
    check_doubts(place, &history, &contacts)?;
    // Done even if no contact is left to forget: a process that was killed may have left bytes in the file.
    let Forgotten { occasions, dropped } = ledger.forget(&contacts, place.now)?;
    let ids: Vec<_> = contacts.iter().map(String::as_str).collect();
    let keys: Vec<_> = dropped.iter().map(String::as_str).collect();
    let mut text = match ids.len() {
        0 => format!("{who} was forgotten before; the ledger holds no more data about the contact\n"),
        _ => format!(
            "Forgotten: {} ({}), named in {}\n",
            plural(ids.len(), "contact"),
            ids.join(", "),
            plural(occasions, "signal")
        ),
    };
    if !keys.is_empty() {
        text.push_str(&format!("Dropped actions: {}\n", keys.join(", ")));
    }
    text.push_str(
        "Later runs skip the contact. Intercom, Zoho, Slack and backups of the ledger still hold their data.\n",
    );
    let json = json!({ "schema": 1, "contacts": ids, "occasions": occasions, "dropped": keys });
    show_result(common, &text, &json)?;
    Ok(Exit::Done)
}

/// Refuses to forget a contact with an action in doubt: without the ids, nobody can ask for its outcome.
fn check_doubts(place: &Place, history: &History, contacts: &BTreeSet<String>) -> Result<(), Fatal> {
    let concerns = |(occasion, entry): &(&Occasion, &Entry)| {
        let person = occasion.id.subject.kind == SubjectKind::Contact && !contacts.is_disjoint(&occasion.contacts);
        entry.state == State::Claimed
            && (person || contacts.contains(&occasion.representative) || contacts.contains(&entry.key.contact))
    };
    let doubtful: Vec<_> = history.entries().filter(concerns).map(|(_, entry)| entry.short.as_str()).collect();
    if doubtful.is_empty() {
        return Ok(());
    }
    let (keys, resolve) = (doubtful.join(", "), place.command("ledger resolve KEY"));
    Err(Fatal::usage(anyhow::anyhow!("the contact cannot be forgotten while actions are in doubt: {keys}")).with_help(
        format!("run a scan, which asks for the outcome, or decide with {resolve} --as …; then forget the contact"),
    ))
}
