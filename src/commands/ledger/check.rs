//! `ledger check`: checks that the ledger is sound.

use std::fmt::Write as _;

use serde_json::json;

use super::super::terminal::show_result;
use super::place::Place;
use crate::cli::Common;
use crate::exit::{Exit, Fatal};
use crate::ledger::check::{Checked, check, is_older};
use crate::report::{clean, plural};

pub(super) fn run(common: &Common, place: &Place) -> Result<Exit, Fatal> {
    let checked = check(&place.file);
    let findings = checked.closed.iter().chain(&checked.findings);
    let findings = findings.map(|finding| json!({ "message": finding.message, "help": finding.help }));
    let json = json!({
        "schema": 1,
        "ledger": place.file.display().to_string(),
        "version": checked.version,
        "actions": checked.entries,
        "findings": findings.collect::<Vec<_>>(),
    });
    show_result(common, &text(place, &checked), &json)?;
    Ok(if checked.closed.is_none() && checked.findings.is_empty() { Exit::Done } else { Exit::Failed })
}

fn text(place: &Place, checked: &Checked) -> String {
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
            let newer = if is_older(version) { "; the next run migrates it" } else { "" };
            let actions = plural(checked.entries, "action");
            format!("{file}: ok, {actions}, schema version {version}{newer}\n")
        }
    }
}
