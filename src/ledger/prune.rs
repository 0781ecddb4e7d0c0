//! Removes occasions and runs that no decision needs.

use rusqlite::{Transaction, params};

use super::error::LedgerError;
use super::statement::execute;
use super::write::Writer;
use crate::model::Date;

/// The number of runs that are always kept: `status` shows some of them, and derives the usual gap from all.
const RUNS_KEPT: i64 = 20;

/// Chooses the occasions that no decision needs: they ended before the instant `$1`, none of their actions is planned, in doubt
/// or refused, and a later occasion of the same signal and subject has ended too.
///
/// The last ended occasion stays, however old. A run needs it to see that a signal *returned*. Without it, the tag that is
/// still on the contact would mean "somebody handled it", and a signal would be lost.
const NOT_NEEDED: &str = "
SELECT o.id FROM occasions AS o
WHERE o.ended_at < $1
  AND EXISTS (SELECT 1 FROM occasions AS later
              WHERE later.signal = o.signal AND later.subject_kind = o.subject_kind AND later.subject_id = o.subject_id
                AND later.ended_at IS NOT NULL AND later.opened_at > o.opened_at)
  AND NOT EXISTS (SELECT 1 FROM entries WHERE entries.occasion_id = o.id AND state IN ('planned', 'claimed', 'refused'))";

/// The numbers of removed rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Occasions.
    pub occasions: usize,
    /// Their entries.
    pub entries: usize,
    /// Records of runs.
    pub runs: usize,
}

impl Writer {
    /// Removes unneeded occasions and runs from before the instant, and shrinks the file.
    pub fn prune(&self, before: Date) -> Result<Pruned, LedgerError> {
        let pruned = self.transaction("prune the ledger", |transaction| {
            let delete = |sql: &str| execute(transaction, "prune the ledger", sql, [before.timestamp()]);
            let of_them = "entries WHERE occasion_id IN";
            delete(&format!("DELETE FROM resolutions WHERE entry_id IN (SELECT id FROM {of_them} ({NOT_NEEDED}))"))?;
            let entries = delete(&format!("DELETE FROM {of_them} ({NOT_NEEDED})"))?;
            delete(&format!("DELETE FROM concerned WHERE occasion_id IN ({NOT_NEEDED})"))?;
            let occasions = delete(&format!("DELETE FROM occasions WHERE id IN ({NOT_NEEDED})"))?;
            Ok(Pruned { occasions, entries, runs: prune_runs(transaction, before)? })
        })?;
        self.compact()?;
        Ok(pruned)
    }
}

fn prune_runs(transaction: &Transaction<'_>, before: Date) -> Result<usize, LedgerError> {
    let sql = "DELETE FROM runs WHERE as_of < $1 AND id NOT IN (SELECT id FROM runs ORDER BY as_of DESC, id LIMIT $2)";
    execute(transaction, "prune the runs", sql, params![before.timestamp(), RUNS_KEPT])
}
