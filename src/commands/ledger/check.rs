//! `ledger check`: is the ledger sound?

use std::fmt::Write as _;

use serde_json::json;

use super::{Place, show_result};
use crate::cli::Common;
use crate::exit::{Exit, Fatal};
use crate::ledger::check::{Checked, check, is_older};
use crate::report::{clean, plural};

pub(super) fn run(common: &Common, place: &Place) -> Result<Exit, Fatal> {
    let checked = check(&place.file);
    let told = checked.closed.iter().chain(&checked.findings);
    let findings = told.map(|finding| json!({ "message": finding.message, "help": finding.help }));
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
        let verdict = if checked.closed.is_some() { "cannot be looked at" } else { "not sound" };
        let mut text = format!("{file}: {verdict}\n");
        for finding in &found {
            let _ = writeln!(text, "  {}", clean(&finding.message));
        }
        let mut helps: Vec<_> = found.iter().filter_map(|finding| finding.help.as_ref()).collect();
        helps.dedup();
        for help in helps {
            let _ = writeln!(text, "help: {help}");
        }
        return text;
    }
    match checked.version {
        None => place.nothing_yet(),
        Some(version) => {
            let newer = if is_older(version) { "; the next run brings it up to date" } else { "" };
            let actions = plural(checked.entries, "action");
            format!("{file}: ok, {actions}, schema version {version}{newer}\n")
        }
    }
}
