//! `ledger`: shows the actions of all runs, and records people's decisions about them.

mod check;
mod decide;
mod export;
mod list;
mod show;

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::{Value as Json, json};

use super::{lock, sandbox, setup};
use crate::cli::{Common, Format, Ledger as Arguments, LedgerCommand, LedgerPlace};
use crate::exit::{Exit, Fatal};
use crate::ledger::lock::Lock;
use crate::ledger::{History, LEDGER_FILE, Writer};
use crate::model::{Date, Entry, Occasion, State};

/// Runs a `ledger` command.
pub fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Fatal> {
    let place = Place::of(common, &arguments.place)?;
    match &arguments.command {
        LedgerCommand::List(filters) => list::run(common, &place, filters),
        LedgerCommand::Show { key } => show::run(common, &place, key),
        LedgerCommand::Resolve(resolve) => decide::resolve(common, &place, resolve),
        LedgerCommand::Export => export::run(common, &place),
        LedgerCommand::Check => check::run(common, &place),
        LedgerCommand::Prune(prune) => decide::prune(common, &place, prune),
        LedgerCommand::Forget(forget) => decide::forget(common, &place, forget),
    }
}

/// The ledger that a command works on, and its instant.
pub(super) struct Place {
    /// The folder of ledger and lock.
    pub state_dir: PathBuf,
    /// The ledger's file.
    pub file: PathBuf,
    /// The instant from which ages are counted.
    pub now: Date,
    /// Whether it is the ledger of `scan --sandbox`.
    pub in_sandbox: bool,
    /// The command-line options that name this ledger.
    options: String,
    as_of: Option<Date>,
}

impl Place {
    /// Finds the ledger. Makes no file.
    pub(super) fn of(common: &Common, place: &LedgerPlace) -> Result<Place, Fatal> {
        let state_dir = setup::state_dir(common, &setup::process_environment())?;
        let state_dir = match &place.sandbox {
            Some(dir) => sandbox::folder_of(dir.as_deref(), &state_dir)?,
            None => state_dir,
        };
        let now = common.as_of.unwrap_or_else(|| Utc::now().trunc_subsecs(0));
        let file = state_dir.join(LEDGER_FILE);
        let options = options(common, place);
        Ok(Place { state_dir, file, now, in_sandbox: place.sandbox.is_some(), options, as_of: common.as_of })
    }

    /// A command line for this ledger, as a person types it.
    pub(super) fn command(&self, command: &str) -> String {
        format!("usage-signals {command}{}", self.options)
    }

    /// The ledger's contents; None before the first run.
    pub(super) fn history(&self) -> Result<Option<History>, Fatal> {
        Ok(History::open(&self.file)?)
    }

    /// The ledger's contents, for commands that need a ledger.
    fn some_history(&self) -> Result<History, Fatal> {
        self.history()?.ok_or_else(|| {
            Fatal::usage(anyhow::anyhow!("there is no ledger in {} yet", self.state_dir.display())).with_help(
                "name the state folder of the runs with --state-dir; for runs of scan --sandbox, add --sandbox",
            )
        })
    }

    /// The text before the first run.
    pub(super) fn nothing_yet(&self) -> String {
        format!("No run yet: there is no ledger in {}\n", self.state_dir.display())
    }

    /// The instant `ago` before now; 1970 if no date is that early.
    fn ago(&self, ago: Duration) -> Date {
        let ago = chrono::TimeDelta::from_std(ago).ok();
        ago.and_then(|ago| self.now.checked_sub_signed(ago)).unwrap_or_default()
    }

    /// The ledger for writing, with its lock. The callers have checked that the ledger exists.
    fn writer(&self, doing: &str, wait: Option<Duration>) -> Result<(Lock, Writer), Fatal> {
        if self.as_of.is_some() && !self.in_sandbox {
            return Err(Fatal::usage(anyhow::anyhow!("--as-of cannot be used to change the ledger of real runs"))
                .with_help("try it with the sandbox's ledger: --sandbox"));
        }
        let lock = lock::wait_blocking(&self.state_dir, wait, &format!("ledger {doing}"))?;
        let writer = Writer::open(&self.file, &lock)?;
        Ok((lock, writer))
    }
}

/// The options that name a ledger: ` --sandbox=W --state-dir=D`.
fn options(common: &Common, place: &LedgerPlace) -> String {
    let sandbox = place.sandbox.as_ref().map(|dir| match dir {
        Some(dir) => format!(" --sandbox={}", quoted(dir)),
        None => " --sandbox".to_owned(),
    });
    let state_dir = common.state_dir.as_ref().map(|dir| format!(" --state-dir={}", quoted(dir)));
    [sandbox, state_dir].into_iter().flatten().collect()
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |letter: char| letter.is_alphanumeric() || "/._-+,@%:".contains(letter);
    if path.chars().all(plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// Finds an action by its key as people write it.
fn find<'h>(place: &Place, history: &'h History, key: &str) -> Result<(&'h Occasion, &'h Entry), Fatal> {
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

/// The instant of the run that last changed the entry, or else of its occasion's opening.
fn when(occasion: &Occasion, entry: &Entry) -> Date {
    entry.closed_at.max(entry.claimed_at).unwrap_or(occasion.id.opened_at)
}

/// An action as JSON; the keys are documented in docs/json.md.
fn as_json(history: &History, occasion: &Occasion, entry: &Entry) -> Json {
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
pub(super) fn state_name(state: State) -> &'static str {
    match state {
        State::Claimed => "in_doubt",
        other => other.name(),
    }
}

fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// A time in JSON and CSV.
pub(super) fn rfc3339(at: Date) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// A time in text.
pub(super) fn minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// A table without borders, one line for each row; cells wrap where the terminal is too narrow.
pub(super) fn lines(header: &[&str], rows: &[Vec<String>]) -> String {
    use comfy_table::{ContentArrangement, Table, presets};
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.to_vec());
    match terminal_size::terminal_size_of(std::io::stdout()) {
        Some((terminal_size::Width(width), _)) => {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.clamp(80, 240));
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    table.add_rows(rows.iter().map(|row| row.iter().map(|cell| crate::report::clean(cell)).collect::<Vec<_>>()));
    let table = table.to_string();
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Prints JSON with `--format json`, else text.
fn show_result(common: &Common, text: &str, json: &Json) -> Result<(), Fatal> {
    match common.format {
        Format::Json => super::print_json(json),
        Format::Table | Format::Csv => super::print(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_where_a_shell_would_break_it() {
        for (path, expected) in
            [("/var/lib/x-1.0", "/var/lib/x-1.0"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("~", "'~'")]
        {
            assert_eq!(quoted(Path::new(path)), expected);
        }
    }

    #[test]
    fn a_key_is_found_as_people_write_it() {
        for written in ["US-7K3F9Q2M", "us-7k3f9q2m", "7k3f9q2m", " 7K3F9Q2M ", "US-7K3F9Q2m"] {
            assert_eq!(as_stored(written), "US-7K3F9Q2M", "{written}");
        }
        assert_eq!(as_stored("us-oil0"), "US-0110", "letters that the alphabet leaves out");
    }
}
