//! The schema and its versions.

use std::path::Path;

use rusqlite::Connection;

use super::error::LedgerError;

/// The version this program writes. Version 0 is an empty file.
pub const VERSION: i64 = 1;

/// "USIG": marks the file as ours.
const APPLICATION_ID: i64 = 0x5553_4947;

/// One entry a version, in order; never changed once released.
const MIGRATIONS: [&str; 1] = ["
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
"];

/// Whether this is a ledger that this program can read, and whether it is still empty.
pub fn check(connection: &Connection, path: &Path) -> Result<i64, LedgerError> {
    let pragma = |name| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .map_err(|source| LedgerError::Open { path: path.to_owned(), source })
    };
    let version = pragma("user_version")?;
    if version > VERSION {
        return Err(LedgerError::Newer { path: path.to_owned(), found: version, known: VERSION });
    }
    if version > 0 && pragma("application_id")? != APPLICATION_ID {
        return Err(LedgerError::NotALedger { path: path.to_owned() });
    }
    if version == 0 {
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))
            .map_err(|source| LedgerError::Open { path: path.to_owned(), source })?;
        if tables > 0 {
            return Err(LedgerError::NotALedger { path: path.to_owned() });
        }
    }
    Ok(version)
}

/// Brings the file to this program's version, each step in a transaction of its own.
pub fn migrate(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let version = check(connection, path)?;
    for (number, statements) in (1i64..).zip(MIGRATIONS).filter(|(number, _)| *number > version) {
        let step = format!(
            "BEGIN IMMEDIATE; {statements} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}; COMMIT;"
        );
        connection.execute_batch(&step).map_err(|source| {
            // Nothing to undo where BEGIN itself failed.
            let _ = connection.execute_batch("ROLLBACK");
            LedgerError::Open { path: path.to_owned(), source }
        })?;
    }
    Ok(())
}
