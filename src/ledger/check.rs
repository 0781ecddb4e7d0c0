//! Whether the ledger is sound: the file, its references, and what its rows say.

use std::path::Path;

use rusqlite::{Connection, Row};

use super::error::{LedgerError, RESTORE};
use super::{file, read, schema};
use crate::model::{ActionKind, FORGOTTEN, Reason, State, SubjectKind};

/// Of a damage that shows in thousands of rows, so many are told.
const TOLD: usize = 20;

/// What was looked at, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// The schema's version; None where there is no ledger yet, or where it cannot be told.
    pub version: Option<i64>,
    /// How many entries were looked at.
    pub entries: usize,
    /// Why it cannot be looked at, which says nothing of whether it is sound.
    pub closed: Option<Finding>,
    /// What is wrong, each with what to do about it; empty for a sound ledger. The first twenty.
    pub findings: Vec<Finding>,
}

/// Something that is wrong with the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// One sentence.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Checks the ledger, changing nothing: is it one, are the file and its references sound, does every row mean something, and
/// does every short key still belong to what it stands for?
pub fn check(path: &Path) -> Checked {
    let looked = file::look(path, |connection, version| {
        let said: Vec<String> = pragma(connection, "PRAGMA integrity_check", |row| row.get(0))?;
        // One row may hold several lines, and a heading.
        let lines = said.iter().flat_map(|said| said.lines()).filter(|line| *line != "ok" && !line.starts_with("***"));
        let mut findings: Vec<String> = lines.map(str::to_owned).collect();
        findings.extend(pragma(connection, "PRAGMA foreign_key_check", |row| {
            let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
            Ok(format!("a row of {table} belongs to a row of {parent} that is not there"))
        })?);
        let (entries, wrong) = rows(connection)?;
        findings.extend(wrong);
        findings.truncate(TOLD);
        let finding = |message| Finding { message, help: Some(RESTORE.to_owned()) };
        let findings = findings.into_iter().map(finding).collect();
        Ok(Checked { version: Some(version), entries, findings, ..Checked::default() })
    });
    match looked {
        Ok(checked) => checked.unwrap_or_default(),
        Err(error) => failed(&error),
    }
}

/// What an error tells of the ledger: that something is wrong with it, or only that it was not to be seen.
fn failed(error: &LedgerError) -> Checked {
    use rusqlite::ErrorCode::{CannotOpen, PermissionDenied};
    let denied = match error {
        LedgerError::Open { source, .. } | LedgerError::Statement { source, .. } => {
            matches!(source.sqlite_error_code(), Some(CannotOpen | PermissionDenied))
        }
        LedgerError::Folder { source, .. } => source.kind() == std::io::ErrorKind::PermissionDenied,
        _ => false,
    };
    let help = if denied { Some("run it as the user of the runs".to_owned()) } else { error.help() };
    let finding = Finding { message: error.full_message(), help };
    match error {
        LedgerError::Newer { .. } | LedgerError::Folder { .. } => {
            Checked { closed: Some(finding), ..Checked::default() }
        }
        _ if denied => Checked { closed: Some(finding), ..Checked::default() },
        _ => Checked { findings: vec![finding], ..Checked::default() },
    }
}

/// A ledger of this version is brought up to date by the next real run.
pub fn is_older(version: i64) -> bool {
    version < schema::VERSION
}

fn pragma<T>(
    connection: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, LedgerError> {
    let failed = LedgerError::statement("check the ledger's file");
    let mut statement = connection.prepare(sql).map_err(&failed)?;
    let rows = statement.query_map([], read).map_err(&failed)?;
    rows.collect::<Result<_, _>>().map_err(&failed)
}

/// How many entries there are, and what is wrong with them.
fn rows(connection: &Connection) -> Result<(usize, Vec<String>), LedgerError> {
    let failed = LedgerError::statement("check the ledger's rows");
    let workspace = read::workspace(connection)?;
    let mut statement = connection
        .prepare(
            "SELECT e.short, e.kind, e.state, e.reason, o.subject_kind, e.claimed_at IS NULL, o.signal, o.subject_id,
                    o.opened_at, e.level, e.contact_id
             FROM entries AS e JOIN occasions AS o ON o.id = e.occasion_id ORDER BY e.id",
        )
        .map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    let (mut entries, mut wrong) = (0, Vec::new());
    while let Some(row) = rows.next().map_err(&failed)? {
        entries += 1;
        wrong.extend(entry(row, workspace.as_deref())?);
    }
    Ok((entries, wrong))
}

/// What is wrong with an entry, if anything is.
fn entry(row: &Row<'_>, workspace: Option<&str>) -> Result<Option<String>, LedgerError> {
    let text = |column: usize| row.get::<_, String>(column).map_err(LedgerError::statement("check an entry"));
    let short = text(0)?;
    let known = [
        ("kind", 1, ActionKind::from_name(&text(1)?).is_some()),
        ("state", 2, State::from_name(&text(2)?).is_some()),
        ("reason", 3, Reason::from_name(&text(3)?).is_some()),
        ("kind of subject", 4, SubjectKind::from_name(&text(4)?).is_some()),
    ];
    if let Some((what, column, _)) = known.iter().find(|(_, _, known)| !known) {
        return Ok(Some(format!("{short} has {:?} as its {what}, which means nothing", text(*column)?)));
    }
    let never_claimed: bool = row.get(5).map_err(LedgerError::statement("check an entry"))?;
    if never_claimed && text(2)? == State::Claimed.name() {
        return Ok(Some(format!("{short} is claimed, and nothing says since when")));
    }
    let (subject, contact) = (text(7)?, text(10)?);
    // A forgotten contact's key was made of an id that is gone.
    if [&subject, &contact].iter().any(|id| id.starts_with(FORGOTTEN)) {
        return Ok(None);
    }
    let (Some(workspace), Some(kind), Some(subject_kind)) =
        (workspace, ActionKind::from_name(&text(1)?), SubjectKind::from_name(&text(4)?))
    else {
        return Ok(Some(format!("{short} belongs to no workspace")));
    };
    let key = crate::model::ActionKey { kind, level: text(9)?, contact };
    let subject = crate::model::Subject { kind: subject_kind, id: subject };
    let opened_at = read::time(row, 8)?.unwrap_or_default();
    let digits = short.chars().count().saturating_sub("US-".len());
    let expected = key.short(workspace, &text(6)?, &subject, opened_at, digits);
    Ok((expected != short).then(|| format!("{short} no longer belongs to its action, whose key is {expected}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_to_be_seen_is_not_called_wrong() {
        let sqlite = |code: i32| LedgerError::Open {
            path: "ledger.sqlite".into(),
            source: rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None),
        };
        let folder =
            |kind: std::io::ErrorKind| LedgerError::Folder { path: "ledger.sqlite".into(), source: kind.into() };
        let as_user = "run it as the user of the runs";
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
            assert!(help.is_none_or(|help| finding.help.as_deref() == Some(help)), "{finding:?}");
        }
    }
}
