//! Writing: plans, claims and outcomes, each in one transaction.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::error::LedgerError;
use super::read;
use super::schema;
use crate::model::{Change, Date, Entry, Known, OccasionId, Reason, Share, State, Step, TaskLink};

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
    /// When it ended.
    pub finished_at: Date,
    /// Its exit code.
    pub exit_code: u8,
    /// Contacts read.
    pub scanned: usize,
    /// Contacts that signalled.
    pub signalled: usize,
}

/// So many runs are remembered for each attribute: a few times what decisions look at, and little enough to read each time.
const SHARES_KEPT: i64 = 20;

/// The one writer of a ledger. Needs the lock.
#[derive(Debug)]
pub struct Writer {
    connection: Connection,
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

    /// What the ledger knows.
    pub fn known(&self) -> Result<Known, LedgerError> {
        Ok(Known { shares: read::shares(&self.connection)?, ..read::known(&self.connection, schema::VERSION)? })
    }

    /// Commits everything a plan asks for, before any request leaves.
    pub fn record(&self, changes: &[Change]) -> Result<(), LedgerError> {
        self.transaction("record the plan", |transaction| {
            changes.iter().try_for_each(|change| apply_change(transaction, change))
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
                step(transaction, short, Step::Claim)?;
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
                let (module, id, unlinked) = link_columns(*link);
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
            closings.iter().try_for_each(|closing| close_one(transaction, closing, at))
        })
    }

    /// Writes down how a run ended.
    pub fn finish_run(&self, run: &RunRecord) -> Result<(), LedgerError> {
        self.connection
            .execute(
                "INSERT INTO runs (id, as_of, finished_at, exit_code, scanned, signalled) VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (id) DO UPDATE SET finished_at = $3, exit_code = $4, scanned = $5, signalled = $6",
                params![
                    run.id,
                    run.as_of.timestamp(),
                    run.finished_at.timestamp(),
                    run.exit_code,
                    count(run.scanned),
                    count(run.signalled)
                ],
            )
            .map(drop)
            .map_err(LedgerError::statement("record the run"))
    }

    fn transaction<T>(
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

fn apply_change(transaction: &Transaction<'_>, change: &Change) -> Result<(), LedgerError> {
    match change {
        Change::Open { id, level, representative, contacts, link, person } => {
            let (module, record, unlinked) = link_columns(link.as_ref());
            transaction
                .execute(
                    "INSERT INTO occasions (signal, subject_kind, subject_id, opened_at, level, representative,
                                            record_module, record_id, unlinked, person)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                    params![
                        id.signal,
                        id.subject.kind.name(),
                        id.subject.id,
                        id.opened_at.timestamp(),
                        level,
                        representative,
                        module,
                        record,
                        unlinked,
                        person
                    ],
                )
                .map_err(LedgerError::statement("open an occasion"))?;
            contacts.iter().try_for_each(|contact| join(transaction, id, contact))
        }
        Change::Join { id, contact } => join(transaction, id, contact),
        Change::Raise { id, level } => update_occasion(transaction, id, "level", level),
        Change::FalseSince { id, since } => {
            update_occasion(transaction, id, "false_since", since.map(|since| since.timestamp()))
        }
        Change::End { id, at } => update_occasion(transaction, id, "ended_at", at.timestamp()),
        Change::Enter { id, entry } => enter(transaction, id, entry),
        Change::Step { short, step: wanted, reason } => {
            step(transaction, short, *wanted)?;
            transaction
                .execute("UPDATE entries SET reason = $1 WHERE short = $2", params![reason.name(), short])
                .map(drop)
                .map_err(LedgerError::statement("record a step"))
        }
    }
}

fn link_columns(link: Option<&TaskLink>) -> (Option<&str>, Option<&str>, i64) {
    match link {
        Some(TaskLink::Record(record)) => (Some(&record.module), Some(&record.id), 0),
        Some(TaskLink::Unlinked) => (None, None, 1),
        None => (None, None, 0),
    }
}

fn occasion_row(transaction: &Transaction<'_>, id: &OccasionId) -> Result<i64, LedgerError> {
    transaction
        .prepare_cached(
            "SELECT id FROM occasions WHERE signal = $1 AND subject_kind = $2 AND subject_id = $3 AND opened_at = $4",
        )
        .and_then(|mut statement| {
            statement
                .query_row(params![id.signal, id.subject.kind.name(), id.subject.id, id.opened_at.timestamp()], |row| {
                    row.get(0)
                })
                .optional()
        })
        .map_err(LedgerError::statement("look up an occasion"))?
        .ok_or_else(|| LedgerError::Unknown { what: format!("occasion of {} for {}", id.signal, id.subject) })
}

fn join(transaction: &Transaction<'_>, id: &OccasionId, contact: &str) -> Result<(), LedgerError> {
    let row = occasion_row(transaction, id)?;
    transaction
        .prepare_cached("INSERT INTO concerned (occasion_id, contact_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .and_then(|mut statement| statement.execute(params![row, contact]))
        .map(drop)
        .map_err(LedgerError::statement("add a contact to an occasion"))
}

fn update_occasion(
    transaction: &Transaction<'_>,
    id: &OccasionId,
    column: &'static str,
    value: impl rusqlite::ToSql,
) -> Result<(), LedgerError> {
    let row = occasion_row(transaction, id)?;
    transaction
        .execute(&format!("UPDATE occasions SET {column} = $1 WHERE id = $2"), params![value, row])
        .map(drop)
        .map_err(LedgerError::statement("change an occasion"))
}

fn enter(transaction: &Transaction<'_>, id: &OccasionId, entry: &Entry) -> Result<(), LedgerError> {
    let row = occasion_row(transaction, id)?;
    let Entry { key, short, state, reason, prior, remote_id, error, claimed_at, sent_to, closed_at, may_repeat } =
        entry;
    transaction
        .prepare_cached(
            "INSERT INTO entries (occasion_id, level, kind, contact_id, short, state, reason, remote_id, error, claimed_at,
                                  closed_at, may_repeat, prior, sent_to)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                row,
                key.level,
                key.kind.name(),
                key.contact,
                short,
                state.name(),
                reason.name(),
                remote_id,
                error,
                claimed_at.map(|at| at.timestamp()),
                closed_at.map(|at| at.timestamp()),
                i64::from(*may_repeat),
                prior,
                sent_to
            ])
        })
        .map(drop)
        .map_err(LedgerError::statement("enter an action"))
}

/// Takes a legal step, or refuses: the state machine is in the model, the ledger only obeys it.
fn step(transaction: &Transaction<'_>, short: &str, step: Step) -> Result<(), LedgerError> {
    let failed = LedgerError::statement("take a step");
    let name: Option<String> = transaction
        .prepare_cached("SELECT state FROM entries WHERE short = $1")
        .and_then(|mut statement| statement.query_row([short], |row| row.get(0)).optional())
        .map_err(&failed)?;
    let name = name.ok_or_else(|| LedgerError::Unknown { what: format!("action {short}") })?;
    let state = State::from_name(&name).ok_or(LedgerError::Nonsense { what: "state", value: name })?;
    let next = state.after(step).ok_or(LedgerError::IllegalStep { short: short.to_owned(), state, step })?;
    transaction
        .prepare_cached("UPDATE entries SET state = $1 WHERE short = $2")
        .and_then(|mut statement| statement.execute(params![next.name(), short]))
        .map(drop)
        .map_err(&failed)
}

fn close_one(transaction: &Transaction<'_>, closing: &Closing, at: Date) -> Result<(), LedgerError> {
    let Closing { short, step: wanted, reason, remote_id, error, may_repeat } = closing;
    step(transaction, short, *wanted)?;
    transaction
        .prepare_cached(
            "UPDATE entries SET reason = coalesce($1, reason), remote_id = coalesce($2, remote_id), error = $3,
                                closed_at = $4, may_repeat = $5
             WHERE short = $6",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                reason.map(Reason::name),
                remote_id,
                error,
                at.timestamp(),
                i64::from(*may_repeat),
                short
            ])
        })
        .map(drop)
        .map_err(LedgerError::statement("close an action"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::DateTime;

    use super::*;
    use crate::ledger::lock::Lock;
    use crate::ledger::{LEDGER_FILE, Reader, open_claims};
    use crate::model::{ActionKey, Kind, Record, Subject, SubjectKind};

    fn at(seconds: i64) -> Date {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn id(subject: &str, opened_at: i64) -> OccasionId {
        let subject = Subject { kind: SubjectKind::Account, id: subject.into() };
        OccasionId { signal: "storage_limit".into(), subject, opened_at: at(opened_at) }
    }

    fn open(id: &OccasionId) -> Change {
        Change::Open {
            id: id.clone(),
            level: String::new(),
            representative: "c1".into(),
            contacts: BTreeSet::from(["c1".to_owned(), "c2".to_owned()]),
            link: None,
            person: None,
        }
    }

    fn planned(id: &OccasionId, short: &str, kind: Kind) -> Change {
        let entry = Entry {
            key: ActionKey { kind, level: String::new(), contact: String::new() },
            short: short.into(),
            state: State::Planned,
            reason: Reason::New,
            prior: None,
            remote_id: None,
            error: None,
            claimed_at: None,
            sent_to: None,
            closed_at: None,
            may_repeat: false,
        };
        Change::Enter { id: id.clone(), entry }
    }

    fn closing(short: &str, step: Step) -> Closing {
        Closing { short: short.into(), step, reason: None, remote_id: None, error: None, may_repeat: false }
    }

    struct Folder {
        folder: tempfile::TempDir,
        lock: Lock,
    }

    impl Folder {
        fn new() -> Folder {
            let folder = tempfile::tempdir().unwrap();
            let lock = Lock::take(folder.path(), "test").unwrap();
            Folder { folder, lock }
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join(LEDGER_FILE)
        }

        fn writer(&self) -> Writer {
            Writer::open(&self.path(), &self.lock).unwrap()
        }
    }

    #[test]
    fn an_action_goes_from_planned_to_done_and_is_read_back() {
        let folder = Folder::new();
        let writer = folder.writer();
        writer.bind("w1").unwrap();
        let id = id("acme", 10);
        writer.record(&[open(&id), planned(&id, "US-1", Kind::Task)]).unwrap();
        writer.claim(&["US-1"], at(10), None).unwrap();
        assert_eq!(open_claims(&writer.known().unwrap()).len(), 1);
        let link = TaskLink::Record(Record { module: "Leads".into(), id: "57".into() });
        writer.link(&[("US-1", Some(&link))]).unwrap();
        writer.close(&[Closing { remote_id: Some("99".into()), ..closing("US-1", Step::Confirm) }], at(11)).unwrap();
        drop(writer);

        let known = Reader::open(&folder.path()).unwrap().known().clone();
        let occasion = &known.occasions[0];
        assert_eq!(occasion.id, id);
        assert_eq!(occasion.link, Some(link));
        assert_eq!(occasion.contacts.len(), 2);
        let entry = &occasion.entries[0];
        assert_eq!((entry.state, entry.remote_id.as_deref()), (State::Done, Some("99")));
        assert_eq!((entry.claimed_at, entry.closed_at), (Some(at(10)), Some(at(11))));
        assert_eq!(known.shorts, BTreeSet::from(["US-1".to_owned()]));
    }

    #[test]
    fn a_plan_with_one_bad_change_leaves_no_trace() {
        let folder = Folder::new();
        let writer = folder.writer();
        let id = id("acme", 10);
        let error = writer.record(&[open(&id), planned(&id, "US-1", Kind::Task), open(&id)]).unwrap_err();
        assert!(error.to_string().contains("open an occasion"), "{error}");
        assert_eq!(writer.known().unwrap(), Known::default());
    }

    #[test]
    fn a_subject_has_one_open_occasion_of_a_signal() {
        let folder = Folder::new();
        let writer = folder.writer();
        writer.record(&[open(&id("acme", 10))]).unwrap();
        writer.record(&[open(&id("acme", 20))]).unwrap_err();
        writer.record(&[Change::End { id: id("acme", 10), at: at(15) }, open(&id("acme", 20))]).unwrap();
    }

    #[test]
    fn an_illegal_step_is_refused_and_changes_nothing() {
        let folder = Folder::new();
        let writer = folder.writer();
        let id = id("acme", 10);
        writer.record(&[open(&id), planned(&id, "US-1", Kind::Task)]).unwrap();
        writer.close(&[closing("US-1", Step::Confirm)], at(11)).unwrap_err();
        writer.claim(&["US-1"], at(11), None).unwrap();
        let error = writer.claim(&["US-1"], at(11), None).unwrap_err();
        assert!(matches!(error, LedgerError::IllegalStep { .. }), "{error}");
        writer.claim(&["US-2"], at(11), None).unwrap_err();
    }

    #[test]
    fn a_ledger_belongs_to_one_workspace() {
        let folder = Folder::new();
        folder.writer().bind("w1").unwrap();
        folder.writer().bind("w1").unwrap();
        let error = folder.writer().bind("w2").unwrap_err();
        assert!(error.to_string().contains("belongs to the Intercom workspace w1"), "{error}");
    }

    #[test]
    fn the_last_twenty_runs_are_remembered_for_each_attribute_by_itself() {
        let folder = Folder::new();
        let writer = folder.writer();
        let share = |readable: usize| Share { readable, scanned: 100, newest: Some(at(7)), accepted: readable == 30 };
        for run in 1..=30 {
            let mut shares = BTreeMap::from([("plan_type".to_owned(), share(run))]);
            if run <= 3 {
                shares.insert("storage_percent".to_owned(), share(run));
            }
            writer.remember(&format!("run{run}"), &shares).unwrap();
        }
        let known = writer.known().unwrap();
        assert_eq!(known.shares["plan_type"], (11..=30).map(share).collect::<Vec<_>>(), "oldest first");
        assert_eq!(known.shares["storage_percent"], [share(1), share(2), share(3)]);
    }

    #[test]
    fn reading_makes_no_file_and_changes_none() {
        let folder = Folder::new();
        let missing = folder.folder.path().join("nowhere").join(LEDGER_FILE);
        assert_eq!(Reader::open(&missing).unwrap().known(), &Known::default());
        assert!(!missing.parent().unwrap().exists());

        let writer = folder.writer();
        writer.record(&[open(&id("acme", 10))]).unwrap();
        drop(writer);
        let files = || {
            let mut files: Vec<_> = std::fs::read_dir(folder.folder.path())
                .unwrap()
                .map(|file| file.unwrap().path())
                .map(|path| (path.clone(), std::fs::read(path).unwrap()))
                .collect();
            files.sort();
            files
        };
        let before = files();
        let reader = Reader::open(&folder.path()).unwrap();
        assert_eq!(reader.known().occasions.len(), 1);
        assert_eq!(files(), before);
    }

    #[test]
    fn a_reader_sees_the_last_commits_of_a_run_that_is_under_way() {
        let folder = Folder::new();
        let writer = folder.writer();
        writer.record(&[open(&id("acme", 10))]).unwrap();
        let known = Reader::open(&folder.path()).unwrap().known().clone();
        assert_eq!(known.occasions.len(), 1);
        drop(writer);
    }

    #[test]
    fn foreign_newer_and_broken_files_are_refused_with_a_way_out() {
        let folder = Folder::new();
        let path = folder.path();
        std::fs::write(
            &path,
            "this is not a database, but long enough to be read as the header of one, and so on and on",
        )
        .unwrap();
        let error = Writer::open(&path, &folder.lock).unwrap_err();
        assert!(error.help().unwrap().contains("backup"), "{error}");
        std::fs::remove_file(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
        let error = Writer::open(&path, &folder.lock).unwrap_err();
        assert!(matches!(error, LedgerError::NotALedger { .. }), "{error}");
        std::fs::remove_file(&path).unwrap();
        drop(folder.writer());
        Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
        let error = Writer::open(&path, &folder.lock).unwrap_err();
        assert!(error.to_string().contains("schema version 99"), "{error}");
    }
}
