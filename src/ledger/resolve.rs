//! What a person says about an action.

use rusqlite::params;

use super::change;
use super::error::LedgerError;
use super::write::Writer;
use crate::model::{Date, Reason, Resolution, Step};

/// What a person says about an action, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualResolution {
    /// The action's short key.
    pub short: String,
    /// What is said.
    pub resolution: Resolution,
    /// The remote's id of what is there, where the person knows it.
    pub remote_id: Option<String>,
    /// Why, in the person's own words.
    pub note: Option<String>,
    /// The person's name on this machine.
    pub by: Option<String>,
}

impl Writer {
    /// Writes down what a person says; an action that is over takes no such step, see [`crate::model::State::after`].
    pub fn resolve(&self, verdict: &ManualResolution, at: Date) -> Result<(), LedgerError> {
        let ManualResolution { short, resolution, remote_id, note, by } = verdict;
        let (reason, closed_at) = match resolution {
            Resolution::Done => (Reason::Resolved, Some(at.timestamp())),
            Resolution::Dismissed => (Reason::Dismissed, Some(at.timestamp())),
            Resolution::Failed => (Reason::Unfinished, None),
        };
        self.transaction("write down a decision", |transaction| {
            let before = change::step(transaction, short, Step::Resolve(*resolution))?;
            // What the remote said stays with what did not get done. Who says that it failed says that it is no repeat.
            transaction
                .execute(
                    "UPDATE entries SET reason = $1, remote_id = coalesce($2, remote_id), closed_at = coalesce($3, closed_at),
                                        error = CASE WHEN state = 'done' THEN NULL ELSE error END, may_repeat = 0
                     WHERE short = $4",
                    params![reason.name(), remote_id, closed_at, short],
                )
                .map_err(LedgerError::statement("write down a decision"))?;
            transaction
                .execute(
                    "INSERT INTO resolutions (entry_id, resolution, state, note, decided_by, decided_at)
                     SELECT id, $1, $2, $3, $4, $5 FROM entries WHERE short = $6",
                    params![resolution.name(), before.name(), note, by, at.timestamp(), short],
                )
                .map(drop)
                .map_err(LedgerError::statement("write down a decision"))
        })
    }
}
