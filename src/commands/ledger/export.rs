//! `ledger export`: all actions, for programs and spreadsheets.

use serde_json::json;

use super::super::terminal::{json_text, print};
use super::entry::{as_json, state_name};
use super::place::Place;
use crate::cli::{Common, Format};
use crate::exit::{Exit, Fatal};
use crate::ledger::{History, Resolved};
use crate::model::{Date, Entry, Occasion, rfc3339};

struct Row<'a> {
    occasion: &'a Occasion,
    entry: &'a Entry,
    /// The last decision of a person.
    resolved: Option<&'a Resolved>,
}

type Cell = fn(&Row<'_>) -> String;

/// The columns in their order: the title, and the cell of a row.
const COLUMNS: [(&str, Cell); 22] = [
    ("key", |row| row.entry.short.clone()),
    ("kind", |row| row.entry.key.kind.name().to_owned()),
    ("state", |row| state_name(row.entry.state).to_owned()),
    ("reason", |row| row.entry.reason.name().to_owned()),
    ("signal", |row| row.occasion.id.signal.clone()),
    ("level", |row| row.entry.key.level.clone()),
    ("subject_kind", |row| row.occasion.id.subject.kind.name().to_owned()),
    ("subject_id", |row| row.occasion.id.subject.id.clone()),
    ("contact", |row| row.entry.key.contact.clone()),
    ("opened_at", |row| rfc3339(row.occasion.id.opened_at)),
    ("ended_at", |row| time(row.occasion.ended_at)),
    ("claimed_at", |row| time(row.entry.claimed_at)),
    ("closed_at", |row| time(row.entry.closed_at)),
    ("record_module", |row| row.occasion.record().map(|record| record.module.clone()).unwrap_or_default()),
    ("record_id", |row| row.occasion.record().map(|record| record.id.clone()).unwrap_or_default()),
    ("remote_id", |row| row.entry.remote_id.clone().unwrap_or_default()),
    ("error", |row| row.entry.error.clone().unwrap_or_default()),
    ("may_repeat", |row| row.entry.may_repeat.to_string()),
    ("resolved_as", |row| row.resolved.map_or("", |resolved| resolved.resolution.name()).to_owned()),
    ("resolved_at", |row| time(row.resolved.map(|resolved| resolved.at))),
    ("resolved_by", |row| row.resolved.and_then(|resolved| resolved.by.clone()).unwrap_or_default()),
    ("note", |row| row.resolved.and_then(|resolved| resolved.note.clone()).unwrap_or_default()),
];

fn time(at: Option<Date>) -> String {
    at.map(rfc3339).unwrap_or_default()
}

pub(super) fn run(common: &Common, place: &Place) -> Result<Exit, Fatal> {
    let history = place.some_history()?;
    match common.format {
        Format::Csv => print(&csv(&history)?)?,
        // An export has no table form; JSON is the default.
        Format::Json | Format::Table => {
            let actions = history.entries().map(|(occasion, entry)| as_json(&history, occasion, entry));
            let actions: Vec<_> = actions.collect();
            let all = json!({ "schema": 1, "workspace": history.workspace, "actions": actions });
            print(&json_text(&all))?;
        }
    }
    Ok(Exit::Done)
}

fn csv(history: &History) -> Result<String, Fatal> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS.map(|(title, _)| title)).map_err(Fatal::usage)?;
    for (occasion, entry) in history.entries() {
        let resolved = history.resolutions.get(&entry.short).and_then(|all| all.last());
        let row = Row { occasion, entry, resolved };
        writer.write_record(COLUMNS.map(|(_, cell)| no_formula(&cell(&row)))).map_err(Fatal::usage)?;
    }
    let bytes = writer.into_inner().map_err(|error| Fatal::usage(anyhow::anyhow!("write the export: {error}")))?;
    String::from_utf8(bytes).map_err(Fatal::usage)
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
