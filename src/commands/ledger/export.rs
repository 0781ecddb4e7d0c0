//! `ledger export`: all actions, for programs and spreadsheets.

use serde_json::json;

use super::super::terminal::{print, print_json};
use super::entry::{as_json, state_name};
use super::place::Place;
use crate::cli::{Common, Format};
use crate::exit::{Exit, Fatal};
use crate::ledger::History;
use crate::model::{Date, Entry, Occasion, Record, rfc3339};

const COLUMNS: [&str; 22] = [
    "key",
    "kind",
    "state",
    "reason",
    "signal",
    "level",
    "subject_kind",
    "subject_id",
    "contact",
    "opened_at",
    "ended_at",
    "claimed_at",
    "closed_at",
    "record_module",
    "record_id",
    "remote_id",
    "error",
    "may_repeat",
    "resolved_as",
    "resolved_at",
    "resolved_by",
    "note",
];

pub(super) fn run(common: &Common, place: &Place) -> Result<Exit, Fatal> {
    let history = place.some_history()?;
    match common.format {
        Format::Csv => print(&csv(&history)?)?,
        // An export has no table form; JSON is the default.
        Format::Json | Format::Table => {
            let actions = history.entries().map(|(occasion, entry)| as_json(&history, occasion, entry));
            let actions: Vec<_> = actions.collect();
            print_json(&json!({ "schema": 1, "workspace": history.workspace, "actions": actions }))?;
        }
    }
    Ok(Exit::Done)
}

fn csv(history: &History) -> Result<String, Fatal> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write =
        |row: Vec<String>| writer.write_record(row.iter().map(|cell| no_formula(cell))).map_err(Fatal::usage);
    write(COLUMNS.map(str::to_owned).to_vec())?;
    for (occasion, entry) in history.entries() {
        write(row(history, occasion, entry))?;
    }
    let bytes = writer.into_inner().map_err(|error| Fatal::usage(anyhow::anyhow!("write the export: {error}")))?;
    String::from_utf8(bytes).map_err(Fatal::usage)
}

fn row(history: &History, occasion: &Occasion, entry: &Entry) -> Vec<String> {
    let time = |at: Option<Date>| at.map(rfc3339).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let record = |part: fn(&Record) -> &String| occasion.record().map(part).cloned().unwrap_or_default();
    let resolved = history.resolutions.get(&entry.short).and_then(|all| all.last());
    vec![
        entry.short.clone(),
        entry.key.kind.name().to_owned(),
        state_name(entry.state).to_owned(),
        entry.reason.name().to_owned(),
        occasion.id.signal.clone(),
        entry.key.level.clone(),
        occasion.id.subject.kind.name().to_owned(),
        occasion.id.subject.id.clone(),
        entry.key.contact.clone(),
        rfc3339(occasion.id.opened_at),
        time(occasion.ended_at),
        time(entry.claimed_at),
        time(entry.closed_at),
        record(|record| &record.module),
        record(|record| &record.id),
        text(&entry.remote_id),
        text(&entry.error),
        entry.may_repeat.to_string(),
        resolved.map(|resolved| resolved.resolution.name().to_owned()).unwrap_or_default(),
        time(resolved.map(|resolved| resolved.at)),
        resolved.map(|resolved| text(&resolved.by)).unwrap_or_default(),
        resolved.map(|resolved| text(&resolved.note)).unwrap_or_default(),
    ]
}

/// Keeps a spreadsheet from reading a cell as a formula, since notes and errors may hold any text. A leading apostrophe makes the
/// cell text (OWASP, "CSV Injection").
fn no_formula(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, expected) in [
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(no_formula(cell), expected);
        }
    }
}
