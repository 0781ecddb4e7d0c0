//! Writes the changes of a plan and the outcomes of actions, inside one transaction.

use rusqlite::{OptionalExtension, Transaction, params};

use super::error::LedgerError;
use crate::model::{Change, Date, Entry, OccasionId, Reason, State, Step, TaskLink};

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
}

/// Makes a change that a plan asks for.
pub(super) fn make(transaction: &Transaction<'_>, change: &Change) -> Result<(), LedgerError> {
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

/// The columns `record_module`, `record_id` and `unlinked`.
pub(super) fn link_columns(link: Option<&TaskLink>) -> (Option<&str>, Option<&str>, i64) {
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

/// Takes a step that the state machine in `model` allows, and returns the state before it.
pub(super) fn step(transaction: &Transaction<'_>, short: &str, step: Step) -> Result<State, LedgerError> {
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
        .map_err(&failed)?;
    Ok(state)
}

/// Writes the outcome of an action.
pub(super) fn close(transaction: &Transaction<'_>, closing: &Closing, at: Date) -> Result<(), LedgerError> {
    let Closing { short, step: wanted, reason, remote_id, error, may_repeat } = closing;
    step(transaction, short, *wanted)?;
    transaction
        .prepare_cached(
            "UPDATE entries SET reason = coalesce($1, reason), remote_id = coalesce($2, remote_id), error = $3,
                                closed_at = $4, may_repeat = CASE WHEN may_repeat = 1 THEN 1 ELSE $5 END
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
