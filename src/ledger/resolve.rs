//! A person's decision about an action.

use rusqlite::params;

use super::change;
use super::error::LedgerError;
use super::statement::execute;
use super::write::Writer;
use crate::model::{Date, Reason, Resolution, Step};

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

impl Writer {
    /// Records the decision.
    ///
    /// # Errors
    /// A state that cannot be resolved is refused; see [`crate::model::State::after`].
    pub fn resolve(&self, decision: &ManualResolution, at: Date) -> Result<(), LedgerError> {
        let ManualResolution { short, resolution, remote_id, note, by } = decision;
        let (reason, closed_at) = match resolution {
            Resolution::Done => (Reason::Resolved, Some(at.timestamp())),
            Resolution::Dismissed => (Reason::Dismissed, Some(at.timestamp())),
            Resolution::Failed => (Reason::Unfinished, None),
        };
        self.transaction("record a decision", |transaction| {
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
        })
    }
}
