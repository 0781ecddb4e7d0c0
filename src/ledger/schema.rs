//! The schema and its versions.

use std::path::Path;

use rusqlite::Connection;

use super::error::LedgerError;

/// The version this program writes. Version 0 is an empty file.
pub(super) const VERSION: i64 = 3;

/// "USIG": marks the file as ours.
const APPLICATION_ID: i64 = 0x5553_4947;

/// The statements of each version, in order. They never change once released.
const MIGRATIONS: [&str; 3] = [
    "
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE occasions (
    id             INTEGER PRIMARY KEY,
    signal         TEXT NOT NULL,
    subject_kind   TEXT NOT NULL,
    subject_id     TEXT NOT NULL,
    opened_at      BIGINT NOT NULL,
    level          TEXT NOT NULL,
    representative TEXT NOT NULL,
    record_module  TEXT,
    record_id      TEXT,
    person         TEXT,
    unlinked       BIGINT NOT NULL DEFAULT 0,
    false_since    BIGINT,
    ended_at       BIGINT,
    UNIQUE (signal, subject_kind, subject_id, opened_at)
);
-- Whatever a plan says, a subject has one open occasion of a signal.
CREATE UNIQUE INDEX one_open_occasion ON occasions (signal, subject_kind, subject_id) WHERE ended_at IS NULL;
CREATE TABLE concerned (
    occasion_id BIGINT NOT NULL REFERENCES occasions (id),
    contact_id  TEXT NOT NULL,
    PRIMARY KEY (occasion_id, contact_id)
);
CREATE TABLE entries (
    id          INTEGER PRIMARY KEY,
    occasion_id BIGINT NOT NULL REFERENCES occasions (id),
    level       TEXT NOT NULL,
    kind        TEXT NOT NULL,
    contact_id  TEXT NOT NULL,
    short       TEXT NOT NULL UNIQUE,
    state       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    prior       TEXT,
    remote_id   TEXT,
    error       TEXT,
    claimed_at  BIGINT,
    closed_at   BIGINT,
    may_repeat  BIGINT NOT NULL DEFAULT 0,
    UNIQUE (occasion_id, level, kind, contact_id)
);
CREATE INDEX entries_to_look_at ON entries (state) WHERE state IN ('planned', 'claimed', 'refused');
CREATE TABLE runs (
    id          TEXT NOT NULL PRIMARY KEY,
    as_of       BIGINT NOT NULL,
    finished_at BIGINT,
    exit_code   BIGINT,
    scanned     BIGINT,
    signalled   BIGINT
);
",
    "
-- For how many contacts each attribute could be read, by runs that are a measure for later ones.
CREATE TABLE shares (
    id        INTEGER PRIMARY KEY,
    run_id    TEXT NOT NULL,
    attribute TEXT NOT NULL,
    readable  BIGINT NOT NULL,
    scanned   BIGINT NOT NULL,
    newest    BIGINT,
    accepted  BIGINT NOT NULL DEFAULT 0,
    UNIQUE (attribute, run_id)
);
",
    "
ALTER TABLE runs ADD COLUMN started_at BIGINT;
-- What people said about entries, oldest first.
CREATE TABLE resolutions (
    id         INTEGER PRIMARY KEY,
    entry_id   BIGINT NOT NULL REFERENCES entries (id),
    resolution TEXT NOT NULL,
    state      TEXT NOT NULL,
    note       TEXT,
    decided_by TEXT,
    decided_at BIGINT NOT NULL
);
-- What is left of contacts that were forgotten: a hash in place of the id.
CREATE TABLE forgotten (
    mark         TEXT NOT NULL PRIMARY KEY,
    forgotten_at BIGINT NOT NULL
);
-- Where a claim was sent, where that can change from run to run: a Slack channel.
ALTER TABLE entries ADD COLUMN sent_to TEXT;
",
];

/// The first version that has the table `shares`.
pub(super) const WITH_SHARES: i64 = 2;

/// The first version that has the tables `resolutions` and `forgotten`, the start of a run, and where a claim was sent.
pub(super) const WITH_RESOLUTIONS: i64 = 3;

/// Checks that this program can read the file as a ledger, and returns the schema version; 0 for an empty file.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<i64, LedgerError> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(LedgerError::open(path));
    let version = number("PRAGMA user_version")?;
    if version > VERSION {
        return Err(LedgerError::Newer { path: path.to_owned(), found: version, known: VERSION });
    }
    let is_ours = match version {
        0 => number("SELECT count(*) FROM sqlite_master")? == 0,
        _ => number("PRAGMA application_id")? == APPLICATION_ID,
    };
    if is_ours { Ok(version) } else { Err(LedgerError::NotALedger { path: path.to_owned() }) }
}

/// Migrates the file to this program's version, each step in its own transaction.
pub(super) fn migrate(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let version = check(connection, path)?;
    for (number, statements) in (1i64..).zip(MIGRATIONS).filter(|(number, _)| *number > version) {
        let step = format!(
            "BEGIN IMMEDIATE; {statements} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}; COMMIT;"
        );
        connection.execute_batch(&step).map_err(|source| {
            // If BEGIN itself failed, there is nothing to roll back.
            let _ = connection.execute_batch("ROLLBACK");
            LedgerError::open(path)(source)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::DateTime;

    use super::*;
    use crate::ledger::lock::Lock;
    use crate::ledger::{History, LEDGER_FILE, LedgerReader, ManualResolution, Writer};
    use crate::model::{Resolution, Share, State};

    /// As the first version left it, with one occasion.
    fn of_version_1(path: &Path) {
        let connection = Connection::open(path).unwrap();
        connection.execute_batch(MIGRATIONS[0]).unwrap();
        connection
            .execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;"))
            .unwrap();
        connection
            .execute_batch(
                "INSERT INTO meta (name, value) VALUES ('workspace', 'w1');
                 INSERT INTO occasions (signal, subject_kind, subject_id, opened_at, level, representative)
                 VALUES ('storage_limit', 'account', 'acme', 10, '', 'c1')",
            )
            .unwrap();
    }

    #[test]
    fn a_ledger_of_version_1_is_read_as_it_is_and_written_as_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LEDGER_FILE);
        of_version_1(&path);
        let before = std::fs::read(&path).unwrap();
        let known = LedgerReader::open(&path).unwrap().known;
        assert_eq!((known.occasions.len(), known.shares), (1, BTreeMap::new()));
        assert_eq!(std::fs::read(&path).unwrap(), before, "a reader changes nothing");

        let lock = Lock::take(folder.path(), "test").unwrap();
        let writer = Writer::open(&path, &lock).unwrap();
        writer.bind("w1").unwrap();
        assert_eq!(writer.known().unwrap().occasions, known.occasions);
        let shares =
            BTreeMap::from([("storage_percent".to_owned(), Share { readable: 3, scanned: 4, ..Share::default() })]);
        writer.remember("run1", &shares).unwrap();
        drop(writer);
        let known = LedgerReader::open(&path).unwrap().known;
        assert_eq!(known.shares["storage_percent"], [shares["storage_percent"]]);
        assert_eq!(known.occasions.len(), 1);
    }

    #[test]
    fn a_ledger_of_version_2_keeps_its_runs_and_learns_what_people_decide() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LEDGER_FILE);
        of_version_1(&path);
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(MIGRATIONS[1]).unwrap();
        connection
            .execute_batch(
                "PRAGMA user_version = 2;
                 INSERT INTO entries (occasion_id, level, kind, contact_id, short, state, reason, claimed_at)
                 VALUES (1, '', 'task', '', 'US-1', 'refused', 'refused', 10);
                 INSERT INTO runs (id, as_of, finished_at, exit_code, scanned, signalled) VALUES ('r1', 10, 12, 1, 4, 3)",
            )
            .unwrap();
        drop(connection);
        let before = History::open(&path).unwrap().unwrap();
        assert_eq!((before.runs.len(), before.runs[0].started_at, before.runs[0].scanned), (1, None, Some(4)));
        assert!(before.resolutions.is_empty());

        let lock = Lock::take(folder.path(), "test").unwrap();
        let writer = Writer::open(&path, &lock).unwrap();
        let resolution = Resolution::Done;
        let decision =
            ManualResolution { short: "US-1".into(), resolution, remote_id: None, note: Some("yes".into()), by: None };
        writer.resolve(&[decision], DateTime::from_timestamp(20, 0).unwrap()).unwrap();
        drop(writer);
        let after = History::open(&path).unwrap().unwrap();
        assert_eq!(after.runs, before.runs);
        assert_eq!(after.occasions[0].entries[0].state, State::Done);
        assert_eq!(after.resolutions["US-1"][0].note.as_deref(), Some("yes"));
    }

    #[test]
    fn the_version_is_that_of_the_last_migration() {
        assert_eq!(i64::try_from(MIGRATIONS.len()).unwrap(), VERSION);
    }
}
