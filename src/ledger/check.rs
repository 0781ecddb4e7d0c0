//! Whether the ledger's file is in order.

use std::path::Path;

use rusqlite::Connection;

use super::error::LedgerError;
use super::read::with_connection;
use super::schema;

/// What is wrong with the file, in SQLite's words; empty where all is well or there is no file. Changes nothing.
///
/// A file that cannot be opened as a database at all is an error.
pub fn check(path: &Path) -> Result<Vec<String>, LedgerError> {
    if !path.try_exists().unwrap_or(true) {
        return Ok(Vec::new());
    }
    with_connection(path, |connection| {
        schema::check(connection, path)?;
        let mut wrong = problems(connection)?;
        wrong.extend(orphans(connection)?);
        Ok(wrong)
    })
}

fn problems(connection: &Connection) -> Result<Vec<String>, LedgerError> {
    let failed = LedgerError::statement("check the ledger's file");
    let mut statement = connection.prepare("PRAGMA integrity_check").map_err(&failed)?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0)).map_err(&failed)?;
    let lines: Vec<String> = lines.collect::<Result<_, _>>().map_err(&failed)?;
    // One row may hold several lines.
    let lines = lines.iter().flat_map(|text| text.lines()).filter(|line| *line != "ok" && !line.starts_with("***"));
    Ok(lines.map(str::to_owned).collect())
}

/// Rows that belong to an occasion which is not there.
fn orphans(connection: &Connection) -> Result<Vec<String>, LedgerError> {
    let failed = LedgerError::statement("check the ledger's references");
    let mut statement = connection.prepare("PRAGMA foreign_key_check").map_err(&failed)?;
    let orphans = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?)));
    let orphans: Vec<_> = orphans.map_err(&failed)?.collect::<Result<_, _>>().map_err(&failed)?;
    let orphan = |(table, row): (String, Option<i64>)| {
        format!("row {} of {table} belongs to no occasion", row.unwrap_or_default())
    };
    Ok(orphans.into_iter().map(orphan).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::lock::Lock;
    use crate::ledger::{LEDGER_FILE, Writer};

    #[test]
    fn a_damaged_file_is_told_from_a_good_one_and_neither_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LEDGER_FILE);
        assert_eq!(check(&path).unwrap(), [] as [String; 0], "missing");
        let lock = Lock::take(folder.path(), "test").unwrap();
        Writer::open(&path, &lock).unwrap().bind("w1").unwrap();
        assert_eq!(check(&path).unwrap(), [] as [String; 0]);

        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("PRAGMA foreign_keys = OFF; INSERT INTO concerned VALUES (9, 'c1')").unwrap();
        drop(connection);
        let before = std::fs::read(&path).unwrap();
        assert_eq!(check(&path).unwrap(), ["row 1 of concerned belongs to no occasion"]);
        assert_eq!(std::fs::read(&path).unwrap(), before);

        let mut bytes = before;
        let last = bytes.len() - 4096;
        bytes[last..].fill(0xAB);
        std::fs::write(&path, &bytes).unwrap();
        assert!(check(&path).map_or(true, |wrong| !wrong.is_empty()));
    }
}
