//! Removes what nobody may keep or needs: personal data of a forgotten contact, and occasions and runs that no decision needs.
//! The keys that prevent repeated actions stay.

use std::collections::BTreeSet;

use rusqlite::types::FromSql;
use rusqlite::{ToSql, Transaction, params};

use super::change;
use super::error::LedgerError;
use super::statement::{execute, rows};
use super::write::Writer;
use crate::model::{Date, Reason, Step, forgotten_mark};

/// The result of forgetting.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forgotten {
    /// Occasions that named the contacts.
    pub occasions: usize,
    /// Short keys of unfinished actions that were dropped.
    pub dropped: BTreeSet<String>,
}

/// Chooses the occasions that are about the contact `$1` itself.
const ABOUT: &str = "SELECT id FROM occasions WHERE subject_kind = 'contact'
    AND (subject_id = $1 OR representative = $1 OR id IN (SELECT occasion_id FROM concerned WHERE contact_id = $1))";
/// Chooses the occasions of accounts whose task is on the contact's record.
const REPRESENTED: &str = "SELECT id FROM occasions WHERE subject_kind = 'account' AND representative = $1";
/// Chooses all occasions that name the contact.
const NAMES: &str = "SELECT id FROM occasions WHERE subject_id = $1 AND subject_kind = 'contact' OR representative = $1
    OR id IN (SELECT occasion_id FROM concerned WHERE contact_id = $1)
    OR id IN (SELECT occasion_id FROM entries WHERE contact_id = $1)";

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
    /// Forgets the contacts, which are one person.
    ///
    /// The ids are replaced by hashes, by which later runs recognise and skip the contact. Removed are the hash of the e-mail,
    /// the ids of Zoho records, tasks and messages about the person, errors of services, and notes of people. Nothing of them
    /// stays in the bytes of the file. Occasions of the person end; those of an account continue without the contact. Short
    /// keys stay.
    pub fn forget(&self, contacts: &BTreeSet<String>, at: Date) -> Result<Forgotten, LedgerError> {
        self.connection
            .execute_batch("PRAGMA secure_delete = ON")
            .map_err(LedgerError::statement("make deleting thorough"))?;
        let forgotten = self.transaction("forget a contact", |transaction| {
            let mut forgotten = Forgotten::default();
            let mut occasions = BTreeSet::new();
            for contact in contacts {
                occasions.extend(named_by::<i64>(transaction, NAMES, contact)?);
                forgotten.dropped.extend(forget_one(transaction, contact, at)?);
            }
            forgotten.occasions = occasions.len();
            Ok(forgotten)
        })?;
        self.compact()?;
        Ok(forgotten)
    }

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

    /// Removes free pages from the file and empties its log, because both can still hold deleted rows.
    fn compact(&self) -> Result<(), LedgerError> {
        self.connection
            .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")
            .map_err(LedgerError::statement("compact the ledger"))
    }
}

fn forget_one(transaction: &Transaction<'_>, contact: &str, at: Date) -> Result<BTreeSet<String>, LedgerError> {
    let mark = forgotten_mark(contact);
    // By name: to SQLite, `$2` is the first one where it stands first.
    let run = |sql: &str, values: &[(&str, &dyn ToSql)]| execute(transaction, "forget a contact", sql, values);
    let dropped = drop_open(transaction, contact, at)?;
    let of_entries = "UPDATE entries SET remote_id = NULL, prior = NULL, error = NULL WHERE";
    for sql in [
        format!(
            "UPDATE resolutions SET note = NULL
                 WHERE entry_id IN (SELECT id FROM entries WHERE occasion_id IN ({NAMES}))"
        ),
        format!("{of_entries} occasion_id IN ({ABOUT})"),
        format!("{of_entries} kind = 'task' AND occasion_id IN ({REPRESENTED})"),
        "UPDATE entries SET error = NULL WHERE contact_id = $1".to_owned(),
        format!(
            "UPDATE occasions SET record_module = NULL, record_id = NULL, unlinked = 0
                 WHERE id IN ({ABOUT}) OR id IN ({REPRESENTED})"
        ),
    ] {
        run(&sql, &[("$1", &contact)])?;
    }
    let over = format!(
        "UPDATE occasions SET person = NULL, false_since = NULL, ended_at = coalesce(ended_at, $2)
                        WHERE id IN ({ABOUT})"
    );
    run(&over, &[("$1", &contact), ("$2", &at.timestamp())])?;
    run("DELETE FROM concerned WHERE contact_id = $1", &[("$1", &contact)])?;
    for sql in [
        "UPDATE entries SET contact_id = $2 WHERE contact_id = $1",
        "UPDATE occasions SET representative = $2 WHERE representative = $1",
        "UPDATE occasions SET subject_id = $2 WHERE subject_id = $1 AND subject_kind = 'contact'",
    ] {
        run(sql, &[("$1", &contact), ("$2", &mark)])?;
    }
    let remember = "INSERT INTO forgotten (mark, forgotten_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    run(remember, &[("$1", &mark), ("$2", &at.timestamp())])?;
    Ok(dropped)
}

/// Drops the contact's planned and refused actions, and its tags in occasions of accounts: no run may ask Intercom for a hash.
fn drop_open(transaction: &Transaction<'_>, contact: &str, at: Date) -> Result<BTreeSet<String>, LedgerError> {
    let open = format!(
        "SELECT short FROM entries WHERE state IN ('planned', 'refused')
                        AND (contact_id = $1 OR occasion_id IN ({ABOUT}))"
    );
    let tags = "SELECT short FROM entries WHERE state = 'done' AND contact_id = $1";
    let dropped: BTreeSet<String> = named_by(transaction, &open, contact)?;
    let tags: BTreeSet<String> = named_by(transaction, tags, contact)?;
    for short in dropped.iter().chain(&tags) {
        change::step(transaction, short, Step::Drop)?;
        let doing = "drop the unfinished actions of a forgotten contact";
        let sql = "UPDATE entries SET reason = $1, closed_at = $2 WHERE short = $3";
        execute(transaction, doing, sql, params![Reason::Forgotten.name(), at.timestamp(), short])?;
    }
    Ok(dropped)
}

fn named_by<T: FromSql + Ord>(
    transaction: &Transaction<'_>,
    sql: &str,
    contact: &str,
) -> Result<BTreeSet<T>, LedgerError> {
    rows(transaction, "look for a contact", sql, [contact], |row| Ok(row.get(0)?))
}

fn prune_runs(transaction: &Transaction<'_>, before: Date) -> Result<usize, LedgerError> {
    let sql = "DELETE FROM runs WHERE as_of < $1 AND id NOT IN (SELECT id FROM runs ORDER BY as_of DESC, id LIMIT $2)";
    execute(transaction, "prune the runs", sql, params![before.timestamp(), RUNS_KEPT])
}
