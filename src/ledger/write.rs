//! Writing: plans, claims and outcomes, each in one transaction.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::error::LedgerError;
use super::{change, read, schema};
use crate::model::{Change, Date, Known, Reason, Share, Step, TaskLink};

/// The outcome of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The action's short key.
    pub short: String,
    /// What happened to it.
    pub step: Step,
    /// Why; None keeps the reason it was planned for.
    pub reason: Option<Reason>,
    /// The remote's id of what is there now.
    pub remote_id: Option<String>,
    /// What the remote said, scrubbed.
    pub error: Option<String>,
    /// It may have been done without our knowing.
    pub may_repeat: bool,
}

/// What is kept of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// The run's id.
    pub id: String,
    /// Its instant.
    pub as_of: Date,
    /// When it began by the clock; None in ledgers before version 3.
    pub started_at: Option<Date>,
    /// When it ended; None while it is under way, or where it was killed.
    pub finished_at: Option<Date>,
    /// Its exit code.
    pub exit_code: Option<u8>,
    /// Contacts read; None where it did not get so far.
    pub scanned: Option<usize>,
    /// Contacts that signalled.
    pub signalled: Option<usize>,
}

/// So many runs are remembered for each attribute: a few times what decisions look at, and little enough to read each time.
const SHARES_KEPT: i64 = 20;

/// The one writer of a ledger. Needs the lock.
#[derive(Debug)]
pub struct Writer {
    pub(super) connection: Connection,
    path: PathBuf,
}

impl Writer {
    /// Opens the ledger, making it if need be. `_lock` proves that no other run writes.
    pub fn open(path: &Path, _lock: &super::lock::Lock) -> Result<Writer, LedgerError> {
        let open_error = |source| LedgerError::Open { path: path.to_owned(), source };
        let connection = Connection::open(path).map_err(open_error)?;
        connection.busy_timeout(Duration::from_secs(5)).map_err(open_error)?;
        schema::check(&connection, path)?;
        // FULL, because with NORMAL a power failure can lose the last commits: a claim that never was means a second task.
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
            .map_err(open_error)?;
        schema::migrate(&connection, path)?;
        Ok(Writer { connection, path: path.to_owned() })
    }

    /// Binds an empty ledger to the workspace; refuses one that belongs to another.
    pub fn bind(&self, workspace: &str) -> Result<(), LedgerError> {
        match read::workspace(&self.connection)? {
            Some(bound) if bound == workspace => Ok(()),
            Some(bound) => {
                Err(LedgerError::OtherWorkspace { path: self.path.clone(), bound, asked: workspace.to_owned() })
            }
            None => self
                .connection
                .execute("INSERT INTO meta (name, value) VALUES ('workspace', $1)", [workspace])
                .map(drop)
                .map_err(LedgerError::statement("bind the ledger to the workspace")),
        }
    }

    /// Remembers that the credential (its fingerprint) belongs to the workspace that this ledger is bound to.
    pub fn remember_credential(&self, credential: &str) -> Result<(), LedgerError> {
        let statement = "INSERT INTO meta (name, value) VALUES ('credential', $1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let written = self.connection.execute(statement, [credential]);
        written.map(drop).map_err(LedgerError::statement("remember the credential"))
    }

    /// The workspace of the credential (its fingerprint), if it is the one that was remembered last.
    pub fn workspace_of(&self, credential: &str) -> Result<Option<String>, LedgerError> {
        read::workspace_of(&self.connection, credential)
    }

    /// What the ledger knows.
    pub fn known(&self) -> Result<Known, LedgerError> {
        read::known(&self.connection, schema::VERSION)
    }

    /// Commits everything a plan asks for, before any request leaves.
    pub fn record(&self, changes: &[Change]) -> Result<(), LedgerError> {
        self.transaction("record the plan", |transaction| {
            changes.iter().try_for_each(|change| change::make(transaction, change))
        })
    }

    /// Writes down what a run saw of its attributes, for later runs to compare with.
    ///
    /// Old ones are forgotten for each attribute by itself: one that broke off is not written, and must not lose the memory
    /// of better times while the others go on.
    pub fn remember(&self, run: &str, shares: &BTreeMap<String, Share>) -> Result<(), LedgerError> {
        self.transaction("remember what the run saw", |transaction| {
            shares.iter().try_for_each(|(attribute, share)| remember_one(transaction, run, attribute, *share))
        })
    }

    /// Writes down that the actions are about to be tried, and where they are sent if that can change.
    pub fn claim(&self, shorts: &[&str], at: Date, sent_to: Option<&str>) -> Result<(), LedgerError> {
        self.transaction("claim", |transaction| {
            for short in shorts {
                change::step(transaction, short, Step::Claim)?;
                transaction
                    .execute(
                        "UPDATE entries SET claimed_at = $1, sent_to = $2 WHERE short = $3",
                        params![at.timestamp(), sent_to, short],
                    )
                    .map_err(LedgerError::statement("claim"))?;
            }
            Ok(())
        })
    }

    /// Writes down where the tasks of these actions go, before any of them is made; None forgets a record that is gone.
    pub fn link(&self, links: &[(&str, Option<&TaskLink>)]) -> Result<(), LedgerError> {
        self.transaction("record where tasks go", |transaction| {
            for (short, link) in links {
                let (module, id, unlinked) = change::link_columns(*link);
                transaction
                    .execute(
                        "UPDATE occasions SET record_module = $1, record_id = $2, unlinked = $3
                         WHERE id = (SELECT occasion_id FROM entries WHERE short = $4)",
                        params![module, id, unlinked, short],
                    )
                    .map_err(LedgerError::statement("record where a task goes"))?;
            }
            Ok(())
        })
    }

    /// Writes down what became of actions.
    pub fn close(&self, closings: &[Closing], at: Date) -> Result<(), LedgerError> {
        self.transaction("close", |transaction| {
            closings.iter().try_for_each(|closing| change::close(transaction, closing, at))
        })
    }

    /// Writes down that a run begins, or how it ended.
    pub fn write_run(&self, run: &RunRecord) -> Result<(), LedgerError> {
        self.connection
            .execute(
                "INSERT INTO runs (id, as_of, started_at, finished_at, exit_code, scanned, signalled)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (id) DO UPDATE SET finished_at = $4, exit_code = $5, scanned = $6, signalled = $7",
                params![
                    run.id,
                    run.as_of.timestamp(),
                    run.started_at.map(|at| at.timestamp()),
                    run.finished_at.map(|at| at.timestamp()),
                    run.exit_code,
                    run.scanned.map(count),
                    run.signalled.map(count)
                ],
            )
            .map(drop)
            .map_err(LedgerError::statement("record the run"))
    }

    pub(super) fn transaction<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)
            .map_err(LedgerError::statement(doing))?;
        let result = work(&transaction)?; // dropped on an error, which rolls back
        transaction.commit().map_err(LedgerError::statement(doing))?;
        Ok(result)
    }
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn remember_one(transaction: &Transaction<'_>, run: &str, attribute: &str, share: Share) -> Result<(), LedgerError> {
    let failed = LedgerError::statement("remember what the run saw");
    let Share { readable, scanned, newest, accepted } = share;
    let newest = newest.map(|newest| newest.timestamp());
    transaction
        .execute(
            "INSERT INTO shares (run_id, attribute, readable, scanned, newest, accepted) VALUES ($1, $2, $3, $4, $5, $6)",
            params![run, attribute, count(readable), count(scanned), newest, i64::from(accepted)],
        )
        .map_err(&failed)?;
    transaction
        .execute(
            "DELETE FROM shares WHERE attribute = $1
             AND id <= (SELECT id FROM shares WHERE attribute = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
            params![attribute, SHARES_KEPT],
        )
        .map(drop)
        .map_err(&failed)
}
