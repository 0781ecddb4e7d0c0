//! Writing: plans, claims, outcomes and decisions of people, each in one transaction.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::change::Closing;
use super::error::LedgerError;
use super::statement::execute;
use super::{change, read, schema};
use crate::model::{Change, Date, Known, Reason, Resolution, Share, Step, TaskLink};

/// The record of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunRecord {
    /// The run's id.
    pub id: String,
    /// The instant for which it decided.
    pub as_of: Date,
    /// When it began by the clock; None in ledgers before version 3.
    pub started_at: Option<Date>,
    /// When it ended; None for a run that is under way or was killed.
    pub finished_at: Option<Date>,
    /// Its exit code.
    pub exit_code: Option<u8>,
    /// Contacts read; None for a run that ended before it read any.
    pub scanned: Option<usize>,
    /// Contacts that signalled.
    pub signalled: Option<usize>,
}

/// A person's decision about an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualResolution {
    /// The action's short key.
    pub short: String,
    /// The decision.
    pub resolution: Resolution,
    /// The remote's id of the task or message, if the person knows it.
    pub remote_id: Option<String>,
    /// The reason, in the person's own words.
    pub note: Option<String>,
    /// The person's name on this machine.
    pub by: Option<String>,
}

/// The number of shares kept for each attribute: four times as many as decisions use, and few enough to read in every run.
const SHARES_KEPT: i64 = 20;

/// The only writer of a ledger. It needs the lock.
#[derive(Debug)]
pub struct Writer {
    pub(super) connection: Connection,
    path: PathBuf,
}

impl Writer {
    /// Opens the ledger, and makes it if it is missing. `_lock` proves that no other run writes.
    pub fn open(path: &Path, _lock: &super::lock::Lock) -> Result<Writer, LedgerError> {
        let connection = Connection::open(path).map_err(LedgerError::open(path))?;
        connection.busy_timeout(Duration::from_secs(5)).map_err(LedgerError::open(path))?;
        schema::check(&connection, path)?;
        // With NORMAL, a power failure can lose the last commits. A lost claim means a second task, so FULL it is.
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
            .map_err(LedgerError::open(path))?;
        schema::migrate(&connection, path)?;
        Ok(Writer { connection, path: path.to_owned() })
    }

    /// Binds an empty ledger to the workspace.
    ///
    /// # Errors
    /// A ledger of another workspace is refused.
    pub fn bind(&self, workspace: &str) -> Result<(), LedgerError> {
        match read::meta(&self.connection, "workspace")? {
            Some(bound) if bound == workspace => Ok(()),
            Some(bound) => {
                Err(LedgerError::OtherWorkspace { path: self.path.clone(), bound, asked: workspace.to_owned() })
            }
            None => {
                let sql = "INSERT INTO meta (name, value) VALUES ('workspace', $1)";
                execute(&self.connection, "bind the ledger to the workspace", sql, [workspace]).map(drop)
            }
        }
    }

    /// Records the fingerprint of the credential that belongs to this ledger's workspace.
    pub fn remember_credential(&self, credential: &str) -> Result<(), LedgerError> {
        self.note("credential", credential)
    }

    /// Records the region that hosts the workspace, for runs that cannot ask Intercom.
    pub fn remember_region(&self, region: &str) -> Result<(), LedgerError> {
        self.note("region", region)
    }

    fn note(&self, name: &str, value: &str) -> Result<(), LedgerError> {
        let sql = "INSERT INTO meta (name, value) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        execute(&self.connection, "note a fact about the workspace", sql, [name, value]).map(drop)
    }

    /// The region that a run recorded last.
    pub fn region(&self) -> Result<Option<String>, LedgerError> {
        read::meta(&self.connection, "region")
    }

    /// The workspace, if `credential` is the fingerprint that was recorded last.
    pub fn workspace_of(&self, credential: &str) -> Result<Option<String>, LedgerError> {
        let is_known = read::meta(&self.connection, "credential")?.as_deref() == Some(credential);
        if is_known { read::meta(&self.connection, "workspace") } else { Ok(None) }
    }

    /// Everything that decisions need.
    pub fn known(&self) -> Result<Known, LedgerError> {
        read::known(&self.connection, schema::VERSION)
    }

    /// Commits all changes of a plan, before any request leaves.
    pub fn record(&self, changes: &[Change]) -> Result<(), LedgerError> {
        self.transaction("record the plan", |transaction| {
            changes.iter().try_for_each(|change| change::make(transaction, change))
        })
    }

    /// Records the shares of a run's attributes, for later runs to compare with.
    ///
    /// Old shares are removed per attribute. During an outage no share of the attribute is recorded, and its earlier shares
    /// must not be removed by runs that record the other attributes.
    pub fn remember(&self, run: &str, shares: &BTreeMap<String, Share>) -> Result<(), LedgerError> {
        self.transaction("record the shares of attributes", |transaction| {
            shares.iter().try_for_each(|(attribute, share)| remember_one(transaction, run, attribute, *share))
        })
    }

    /// Claims the actions: they are about to be tried. `sent_to` is the Slack channel of messages.
    pub fn claim(&self, shorts: &[&str], at: Date, sent_to: Option<&str>) -> Result<(), LedgerError> {
        self.transaction("claim", |transaction| {
            for short in shorts {
                change::step(transaction, short, Step::Claim)?;
                let sql = "UPDATE entries SET claimed_at = $1, sent_to = $2 WHERE short = $3";
                execute(transaction, "claim", sql, params![at.timestamp(), sent_to, short])?;
            }
            Ok(())
        })
    }

    /// Changes the address of claims, before the actions are tried in another way.
    pub fn readdress(&self, shorts: &[&str], sent_to: &str) -> Result<(), LedgerError> {
        self.transaction("change the address of a claim", |transaction| {
            let sql = "UPDATE entries SET sent_to = $1 WHERE short = $2 AND state = 'claimed'";
            let change = |short: &&str| execute(transaction, "change the address of a claim", sql, [sent_to, *short]);
            shorts.iter().try_for_each(|short| change(short).map(drop))
        })
    }

    /// Records the Zoho record on which each action's task goes, before any task is made. `None` removes a deleted record.
    pub fn link(&self, links: &[(&str, Option<&TaskLink>)]) -> Result<(), LedgerError> {
        self.transaction("record the Zoho records of tasks", |transaction| {
            for (short, link) in links {
                let (module, id, unlinked) = change::link_columns(*link);
                let sql = "UPDATE occasions SET record_module = $1, record_id = $2, unlinked = $3
                    WHERE id = (SELECT occasion_id FROM entries WHERE short = $4)";
                execute(transaction, "record the Zoho record of a task", sql, params![module, id, unlinked, short])?;
            }
            Ok(())
        })
    }

    /// Records the outcomes of actions.
    pub fn close(&self, closings: &[Closing], at: Date) -> Result<(), LedgerError> {
        self.transaction("close", |transaction| {
            closings.iter().try_for_each(|closing| change::close(transaction, closing, at))
        })
    }

    /// Records the decisions: all of them, or none.
    ///
    /// # Errors
    /// A state that cannot be resolved is refused; see [`crate::model::State::after`].
    pub fn resolve(&self, decisions: &[ManualResolution], at: Date) -> Result<(), LedgerError> {
        self.transaction("record a decision", |transaction| {
            decisions.iter().try_for_each(|decision| resolve_one(transaction, decision, at))
        })
    }

    /// Records that a run begins, or how it ended.
    pub fn write_run(&self, run: &RunRecord) -> Result<(), LedgerError> {
        let [started_at, finished_at] = [run.started_at, run.finished_at].map(|at| at.map(|at| at.timestamp()));
        let [scanned, signalled] = [run.scanned, run.signalled].map(|number| number.map(count));
        let sql = "INSERT INTO runs (id, as_of, started_at, finished_at, exit_code, scanned, signalled)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (id) DO UPDATE SET finished_at = $4, exit_code = $5, scanned = $6, signalled = $7";
        let values = params![run.id, run.as_of.timestamp(), started_at, finished_at, run.exit_code, scanned, signalled];
        execute(&self.connection, "record the run", sql, values).map(drop)
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

fn resolve_one(transaction: &Transaction<'_>, decision: &ManualResolution, at: Date) -> Result<(), LedgerError> {
    let ManualResolution { short, resolution, remote_id, note, by } = decision;
    let (reason, closed_at) = match resolution {
        Resolution::Done => (Reason::Resolved, Some(at.timestamp())),
        Resolution::Dismissed => (Reason::Dismissed, Some(at.timestamp())),
        Resolution::Failed => (Reason::Unfinished, None),
    };
    let before = change::step(transaction, short, Step::Resolve(*resolution))?;
    // An action that was not done keeps the remote's error. If it failed, trying it again repeats nothing.
    let sql = "UPDATE entries SET reason = $1, remote_id = coalesce($2, remote_id),
                   closed_at = coalesce($3, closed_at), may_repeat = 0,
                   error = CASE WHEN state = 'done' THEN NULL ELSE error END
        WHERE short = $4";
    execute(transaction, "record a decision", sql, params![reason.name(), remote_id, closed_at, short])?;
    let sql = "INSERT INTO resolutions (entry_id, resolution, state, note, decided_by, decided_at)
        SELECT id, $1, $2, $3, $4, $5 FROM entries WHERE short = $6";
    let values = params![resolution.name(), before.name(), note, by, at.timestamp(), short];
    execute(transaction, "record a decision", sql, values).map(drop)
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn remember_one(transaction: &Transaction<'_>, run: &str, attribute: &str, share: Share) -> Result<(), LedgerError> {
    let doing = "record the shares of attributes";
    let Share { readable, scanned, newest, accepted } = share;
    let newest = newest.map(|newest| newest.timestamp());
    let sql =
        "INSERT INTO shares (run_id, attribute, readable, scanned, newest, accepted) VALUES ($1, $2, $3, $4, $5, $6)";
    let values = params![run, attribute, count(readable), count(scanned), newest, i64::from(accepted)];
    execute(transaction, doing, sql, values)?;
    let sql = "DELETE FROM shares WHERE attribute = $1
         AND id <= (SELECT id FROM shares WHERE attribute = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)";
    execute(transaction, doing, sql, params![attribute, SHARES_KEPT]).map(drop)
}
