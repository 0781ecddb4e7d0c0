//! Checks the ledger: the file, its references, and the values in its rows.

use std::path::Path;

use rusqlite::{Connection, Row};

use super::error::{LedgerError, RESTORE};
use super::statement::rows;
use super::{file, read, schema};
use crate::model::{ActionKey, ActionKind, FORGOTTEN, Reason, State, Subject, SubjectKind};

/// The number of findings that are reported: one damage can show in thousands of rows.
const MAX_FINDINGS: usize = 20;

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// The schema version; `None` without a ledger, or if it could not be read.
    pub version: Option<i64>,
    /// The number of entries checked.
    pub entries: usize,
    /// Why the ledger could not be opened. It may still be sound.
    pub closed: Option<Finding>,
    /// The first twenty problems; empty for a sound ledger.
    pub findings: Vec<Finding>,
}

/// A problem of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The problem, in one sentence.
    pub message: String,
    /// How to repair it.
    pub help: &'static str,
}

/// Checks the ledger without changing it: the file and its references are sound, every value in a row is known, and every short
/// key is the hash of its action's full key.
pub fn check(path: &Path) -> Checked {
    let result = file::look(path, |connection, version| {
        let doing = "check the ledger's file";
        let lines: Vec<String> = rows(connection, doing, "PRAGMA integrity_check", [], |row| Ok(row.get(0)?))?;
        // One row may hold several lines, and a heading.
        let lines = lines.iter().flat_map(|row| row.lines()).filter(|line| *line != "ok" && !line.starts_with("***"));
        let mut findings: Vec<String> = lines.map(str::to_owned).collect();
        let orphans: Vec<String> = rows(connection, doing, "PRAGMA foreign_key_check", [], |row| {
            let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
            Ok(format!("a row of {table} refers to a missing row of {parent}"))
        })?;
        findings.extend(orphans);
        let (entries, wrong) = check_entries(connection)?;
        findings.extend(wrong);
        findings.truncate(MAX_FINDINGS);
        let finding = |message| Finding { message, help: RESTORE };
        let findings = findings.into_iter().map(finding).collect();
        Ok(Checked { version: Some(version), entries, findings, ..Checked::default() })
    });
    match result {
        Ok(checked) => checked.unwrap_or_default(),
        Err(error) => failed(&error),
    }
}

/// Whether an error means that the ledger is damaged, or only that it could not be opened.
fn failed(error: &LedgerError) -> Checked {
    use rusqlite::ErrorCode::{CannotOpen, PermissionDenied};
    let denied = match error {
        LedgerError::Open { source, .. } | LedgerError::Statement { source, .. } => {
            matches!(source.sqlite_error_code(), Some(CannotOpen | PermissionDenied))
        }
        LedgerError::Folder { source, .. } => source.kind() == std::io::ErrorKind::PermissionDenied,
        _ => false,
    };
    let help = if denied { "run the command as the user of the scheduled runs" } else { error.help() };
    let finding = Finding { message: error.full_message(), help };
    if denied || matches!(error, LedgerError::Newer { .. } | LedgerError::Folder { .. }) {
        Checked { closed: Some(finding), ..Checked::default() }
    } else {
        Checked { findings: vec![finding], ..Checked::default() }
    }
}

/// Whether the next real run migrates a ledger of this version.
pub fn is_older(version: i64) -> bool {
    version < schema::VERSION
}

/// The number of entries, and the problems of their rows.
fn check_entries(connection: &Connection) -> Result<(usize, Vec<String>), LedgerError> {
    let workspace = read::meta(connection, "workspace")?;
    let sql = "SELECT e.short, e.kind, e.state, e.reason, o.subject_kind, e.claimed_at IS NULL, o.signal, o.subject_id,
                o.opened_at, e.level, e.contact_id
         FROM entries AS e JOIN occasions AS o ON o.id = e.occasion_id ORDER BY e.id";
    let read = |row: &Row<'_>| entry(row, workspace.as_deref());
    let problems: Vec<_> = rows(connection, "check the ledger's rows", sql, [], read)?;
    Ok((problems.len(), problems.into_iter().flatten().collect()))
}

/// The problem of an entry, if it has one.
fn entry(row: &Row<'_>, workspace: Option<&str>) -> Result<Option<String>, LedgerError> {
    let text = |column: usize| row.get::<_, String>(column);
    let short = text(0)?;
    let known = [
        ("kind", 1, text(1)?.parse::<ActionKind>().is_ok()),
        ("state", 2, text(2)?.parse::<State>().is_ok()),
        ("reason", 3, text(3)?.parse::<Reason>().is_ok()),
        ("kind of subject", 4, text(4)?.parse::<SubjectKind>().is_ok()),
    ];
    if let Some((what, column, _)) = known.iter().find(|(_, _, known)| !known) {
        return Ok(Some(format!("{short} has the unknown {what} {:?}", text(*column)?)));
    }
    let never_claimed: bool = row.get(5)?;
    if never_claimed && text(2)? == State::Claimed.name() {
        return Ok(Some(format!("{short} is claimed, but the time of the claim is missing")));
    }
    let (subject, contact) = (text(7)?, text(10)?);
    // The key of a forgotten contact was derived from an id that is gone.
    if [&subject, &contact].iter().any(|id| id.starts_with(FORGOTTEN)) {
        return Ok(None);
    }
    let Some(workspace) = workspace else {
        return Ok(Some(format!("{short} belongs to a ledger without a workspace")));
    };
    let key = ActionKey { kind: read::named(row, 1, "kind of action")?, level: text(9)?, contact };
    let subject = Subject { kind: read::named(row, 4, "kind of subject")?, id: subject };
    let opened_at = read::time(row, 8)?.unwrap_or_default();
    let digits = short.chars().count().saturating_sub("US-".len());
    let expected = key.short(workspace, &text(6)?, &subject, opened_at, digits);
    Ok((expected != short).then(|| format!("{short} is not the key of its action; that is {expected}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_that_cannot_be_opened_is_not_called_damaged() {
        let sqlite = |code: i32| LedgerError::Open {
            path: "ledger.sqlite".into(),
            source: rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None),
        };
        let folder =
            |kind: std::io::ErrorKind| LedgerError::Folder { path: "ledger.sqlite".into(), source: kind.into() };
        let as_user = "run the command as the user of the scheduled runs";
        let cases = [
            (sqlite(rusqlite::ffi::SQLITE_CANTOPEN), true, Some(as_user)),
            (sqlite(rusqlite::ffi::SQLITE_PERM), true, Some(as_user)),
            (folder(std::io::ErrorKind::PermissionDenied), true, Some(as_user)),
            (folder(std::io::ErrorKind::StorageFull), true, None),
            (sqlite(rusqlite::ffi::SQLITE_NOTADB), false, Some(RESTORE)),
        ];
        for (error, closed, help) in cases {
            let checked = failed(&error);
            assert_eq!((checked.closed.is_some(), checked.findings.is_empty()), (closed, closed), "{error:?}");
            let finding = checked.closed.iter().chain(&checked.findings).next().unwrap();
            assert!(help.is_none_or(|help| finding.help == help), "{finding:?}");
        }
    }
}
