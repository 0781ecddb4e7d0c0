//! Writes the changes of a plan and the outcomes of actions, inside one transaction.

use rusqlite::{Transaction, params};

use super::error::LedgerError;
use super::statement::{execute, rows};
use crate::model::{ActionKey, Change, Date, Entry, OccasionId, Reason, State, Step, TaskLink};

/// The outcome of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The action's short key.
    pub short: String,
    /// The step that its entry takes.
    pub step: Step,
    /// The reason; None keeps the one it was planned for.
    pub reason: Option<Reason>,
    /// The remote's id of the task, message or tag.
    pub remote_id: Option<String>,
    /// The remote's error, sanitized.
    pub error: Option<String>,
    /// Whether the action may have been done although no answer said so.
    pub may_repeat: bool,
    /// Whether the action is done apart from its `prior`: a reply became a message of its own, with a thread of its own.
    pub leaves_prior: bool,
}

/// Makes a change that a plan asks for.
pub(super) fn make(transaction: &Transaction<'_>, change: &Change) -> Result<(), LedgerError> {
    match change {
        Change::Open { id, level, representative, contacts, link, person } => {
            let (module, record, unlinked) = link_columns(link.as_ref());
            let OccasionId { signal, subject, opened_at } = id;
            let (kind, opened_at) = (subject.kind.name(), opened_at.timestamp());
            execute(
                transaction,
                "open an occasion",
                "INSERT INTO occasions (signal, subject_kind, subject_id, opened_at, level, representative,
                                        record_module, record_id, unlinked, person)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                params![signal, kind, subject.id, opened_at, level, representative, module, record, unlinked, person],
            )?;
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
            let sql = "UPDATE entries SET reason = $1 WHERE short = $2";
            execute(transaction, "record a step", sql, params![reason.name(), short]).map(drop)
        }
    }
}

/// The columns `record_module`, `record_id` and `unlinked`.
pub(super) fn link_columns(link: Option<&TaskLink>) -> (Option<&str>, Option<&str>, i64) {
    match link {
        Some(TaskLink::Record(record)) => (Some(&record.module), Some(&record.id), 0),
        Some(TaskLink::Unlinked) => (None, None, 1),
        None => (None, None, 0),
    }
}

fn occasion_row(transaction: &Transaction<'_>, id: &OccasionId) -> Result<i64, LedgerError> {
    let found: Vec<i64> = rows(
        transaction,
        "look up an occasion",
        "SELECT id FROM occasions WHERE signal = $1 AND subject_kind = $2 AND subject_id = $3 AND opened_at = $4",
        params![id.signal, id.subject.kind.name(), id.subject.id, id.opened_at.timestamp()],
        |row| Ok(row.get(0)?),
    )?;
    let unknown = || LedgerError::Unknown { what: format!("occasion of {} for {}", id.signal, id.subject) };
    found.first().copied().ok_or_else(unknown)
}

fn join(transaction: &Transaction<'_>, id: &OccasionId, contact: &str) -> Result<(), LedgerError> {
    let row = occasion_row(transaction, id)?;
    let sql = "INSERT INTO concerned (occasion_id, contact_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    execute(transaction, "add a contact to an occasion", sql, params![row, contact]).map(drop)
}

fn update_occasion(
    transaction: &Transaction<'_>,
    id: &OccasionId,
    column: &'static str,
    value: impl rusqlite::ToSql,
) -> Result<(), LedgerError> {
    let row = occasion_row(transaction, id)?;
    let sql = format!("UPDATE occasions SET {column} = $1 WHERE id = $2");
    execute(transaction, "change an occasion", &sql, params![value, row]).map(drop)
}

fn enter(transaction: &Transaction<'_>, id: &OccasionId, entry: &Entry) -> Result<(), LedgerError> {
    let row = occasion_row(transaction, id)?;
    let Entry { key, short, state, reason, prior, remote_id, error, claimed_at, sent_to, closed_at, may_repeat } =
        entry;
    let ActionKey { kind, level, contact } = key;
    let (kind, state, reason) = (kind.name(), state.name(), reason.name());
    let [claimed_at, closed_at] = [claimed_at, closed_at].map(|at| at.map(|at| at.timestamp()));
    let may_repeat = i64::from(*may_repeat);
    execute(
        transaction,
        "enter an action",
        "INSERT INTO entries (occasion_id, level, kind, contact_id, short, state, reason, remote_id, error, claimed_at,
                              closed_at, may_repeat, prior, sent_to)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        params![
            row, level, kind, contact, short, state, reason, remote_id, error, claimed_at, closed_at, may_repeat,
            prior, sent_to
        ],
    )
    .map(drop)
}

/// Takes a step that the state machine in `model` allows, and returns the state before it.
pub(super) fn step(transaction: &Transaction<'_>, short: &str, step: Step) -> Result<State, LedgerError> {
    let sql = "SELECT state FROM entries WHERE short = $1";
    let names: Vec<String> = rows(transaction, "take a step", sql, [short], |row| Ok(row.get(0)?))?;
    let unknown = || LedgerError::Unknown { what: format!("action {short}") };
    let name = names.into_iter().next().ok_or_else(unknown)?;
    let state: State = name.parse().map_err(|_| LedgerError::Nonsense { what: "state", value: name })?;
    let next = state.after(step).ok_or(LedgerError::IllegalStep { short: short.to_owned(), state, step })?;
    let sql = "UPDATE entries SET state = $1 WHERE short = $2";
    execute(transaction, "take a step", sql, params![next.name(), short])?;
    Ok(state)
}

/// Writes the outcome of an action.
pub(super) fn close(transaction: &Transaction<'_>, closing: &Closing, at: Date) -> Result<(), LedgerError> {
    let Closing { short, step: wanted, reason, remote_id, error, may_repeat, leaves_prior } = closing;
    step(transaction, short, *wanted)?;
    let (reason, may_repeat) = (reason.map(Reason::name), i64::from(*may_repeat));
    execute(
        transaction,
        "close an action",
        "UPDATE entries SET reason = coalesce($1, reason), remote_id = coalesce($2, remote_id), error = $3,
                            closed_at = $4, may_repeat = CASE WHEN may_repeat = 1 THEN 1 ELSE $5 END,
                            prior = CASE WHEN $6 = 1 THEN NULL ELSE prior END
         WHERE short = $7",
        params![reason, remote_id, error, at.timestamp(), may_repeat, i64::from(*leaves_prior), short],
    )
    .map(drop)
}
