//! `ledger`: shows the actions of all runs, and records people's decisions about them.

mod decide;
mod entry;
mod export;
mod place;
mod show;

use std::fmt::Write as _;

use serde_json::json;

use super::terminal::show_result;
use crate::cli::{Common, Ledger as Arguments, LedgerCommand};
use crate::exit::{Exit, Fatal};
use crate::ledger::{self, check::Checked};
use crate::report::{clean, plural};

pub(super) use entry::state_name;
pub(super) use place::Place;

pub fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Fatal> {
    let place = Place::of(common, &arguments.place)?;
    match &arguments.command {
        LedgerCommand::List(filters) => show::list(common, &place, filters),
        LedgerCommand::Show { key } => show::show(common, &place, key),
        LedgerCommand::Resolve(resolve) => decide::resolve(common, &place, resolve),
        LedgerCommand::Export => export::run(common, &place),
        LedgerCommand::Check => check(common, &place),
        LedgerCommand::Prune(prune) => decide::prune(common, &place, prune),
        LedgerCommand::Forget(forget) => decide::forget(common, &place, forget),
    }
}

/// `ledger check`: checks that the ledger is sound.
fn check(common: &Common, place: &Place) -> Result<Exit, Fatal> {
    let checked = ledger::check::check(&place.file);
    let findings = checked.closed.iter().chain(&checked.findings);
    let findings = findings.map(|finding| json!({ "message": finding.message, "help": finding.help }));
    let json = json!({
        "schema": 1,
        "ledger": place.file.display().to_string(),
        "version": checked.version,
        "actions": checked.entries,
        "findings": findings.collect::<Vec<_>>(),
    });
    show_result(common, &check_text(place, &checked), &json)?;
    Ok(if checked.closed.is_none() && checked.findings.is_empty() { Exit::Done } else { Exit::Failed })
}

fn check_text(place: &Place, checked: &Checked) -> String {
    let file = place.file.display();
    let found: Vec<_> = checked.closed.iter().chain(&checked.findings).collect();
    if !found.is_empty() {
        let result = if checked.closed.is_some() { "cannot be opened" } else { "not sound" };
        let mut text = format!("{file}: {result}\n");
        for finding in &found {
            let _ = writeln!(text, "  {}", clean(&finding.message));
        }
        let mut helps: Vec<_> = found.iter().map(|finding| finding.help).collect();
        helps.dedup();
        for help in helps {
            let _ = writeln!(text, "help: {help}");
        }
        return text;
    }
    match checked.version {
        None => place.nothing_yet(),
        Some(version) => {
            let newer = if ledger::check::is_older(version) { "; the next run migrates it" } else { "" };
            let actions = plural(checked.entries, "action");
            format!("{file}: ok, {actions}, schema version {version}{newer}\n")
        }
    }
}
