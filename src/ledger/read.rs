//! Reads the ledger into values of the domain.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;

use chrono::DateTime;
use rusqlite::{Connection, Row};

use super::error::LedgerError;
use super::statement::rows;
use super::{file, schema};
use crate::model::{ActionKey, Date, Entry, Known, Occasion, OccasionId, Record, Share, Subject, TaskLink};

/// A ledger that was read without changing a byte of it. A dry run has nothing else.
#[derive(Debug, Default)]
pub struct LedgerReader {
    /// The schema version; 0 while the ledger is empty.
    pub version: i64,
    /// The workspace that the ledger belongs to; None while it is empty.
    pub workspace: Option<String>,
    /// The region that hosts the workspace, in Intercom's word; None while no run learned it.
    pub region: Option<String>,
    credential: Option<String>,
    /// Everything that decisions need.
    pub known: Known,
}

impl LedgerReader {
    /// Reads the ledger. A missing file reads as an empty ledger.
    ///
    /// A ledger of an older schema version is not migrated, because that would change it; newer tables read as empty.
    pub fn open(path: &Path) -> Result<LedgerReader, LedgerError> {
        let read = file::look(path, |connection, version| {
            let (workspace, credential) = (meta(connection, "workspace")?, meta(connection, "credential")?);
            let region = meta(connection, "region")?;
            Ok(LedgerReader { version, workspace, region, credential, known: known(connection, version)? })
        });
        Ok(read?.unwrap_or_default())
    }

    /// The workspace, if `credential` is the fingerprint that was recorded last.
    pub fn workspace_of(&self, credential: &str) -> Option<String> {
        self.workspace.clone().filter(|_| self.credential.as_deref() == Some(credential))
    }
}

/// Notes of the ledger besides its tables: the `workspace` that it belongs to, its `region`, and the `credential` that was used
/// last.
pub(super) fn meta(connection: &Connection, name: &str) -> Result<Option<String>, LedgerError> {
    let sql = "SELECT value FROM meta WHERE name = $1";
    let values: Vec<String> = rows(connection, "read the ledger's workspace", sql, [name], |row| Ok(row.get(0)?))?;
    Ok(values.into_iter().next())
}

/// Chooses the occasions that decisions need: see [`Known::occasions`].
const TO_DECIDE: &str = "
WHERE ended_at IS NULL
   OR opened_at = (SELECT max(opened_at) FROM occasions AS newest
                   WHERE newest.signal = o.signal AND newest.subject_kind = o.subject_kind
                     AND newest.subject_id = o.subject_id AND newest.ended_at IS NOT NULL)
   OR EXISTS (SELECT 1 FROM entries WHERE entries.occasion_id = o.id AND state IN ('planned', 'claimed', 'refused'))";

/// Everything that decisions need, from a ledger of this schema version.
pub(super) fn known(connection: &Connection, version: i64) -> Result<Known, LedgerError> {
    let (occasions, shorts) = occasions(connection, TO_DECIDE, version)?;
    let shares = if version >= schema::WITH_SHARES { shares(connection)? } else { BTreeMap::new() };
    let forgotten = if version >= schema::WITH_RESOLUTIONS { forgotten(connection)? } else { BTreeSet::new() };
    Ok(Known { occasions, shorts, shares, forgotten })
}

/// The occasions that the SQL condition chooses, sorted and with their entries, and every short key in use.
pub(super) fn occasions(
    connection: &Connection,
    condition: &str,
    version: i64,
) -> Result<(Vec<Occasion>, BTreeSet<String>), LedgerError> {
    let doing = "read the ledger";
    let mut order = Vec::new();
    let sql = format!(
        "SELECT id, signal, subject_kind, subject_id, opened_at, level, representative, record_module, record_id,
                unlinked, false_since, ended_at, person
         FROM occasions AS o {condition} ORDER BY signal, subject_kind, subject_id, opened_at"
    );
    let mut occasions: BTreeMap<i64, Occasion> = rows(connection, doing, &sql, [], |row| {
        let id = row.get(0)?;
        order.push(id);
        Ok((id, occasion(row)?))
    })?;
    let sql = "SELECT occasion_id, contact_id FROM concerned";
    rows::<_, ()>(connection, doing, sql, [], |row| {
        if let Some(occasion) = occasions.get_mut(&row.get(0)?) {
            occasion.contacts.insert(row.get(1)?);
        }
        Ok(())
    })?;
    let sent_to = if version >= schema::WITH_RESOLUTIONS { "sent_to" } else { "NULL" };
    let sql = format!(
        "SELECT occasion_id, level, kind, contact_id, short, state, reason, remote_id, error, claimed_at, closed_at,
                may_repeat, prior, {sent_to}
         FROM entries ORDER BY id"
    );
    let shorts = rows(connection, doing, &sql, [], |row| {
        if let Some(occasion) = occasions.get_mut(&row.get(0)?) {
            occasion.entries.push(entry(row)?);
        }
        Ok(row.get(4)?)
    })?;
    Ok((order.iter().filter_map(|id| occasions.remove(id)).collect(), shorts))
}

pub(super) fn forgotten(connection: &Connection) -> Result<BTreeSet<String>, LedgerError> {
    rows(connection, "read the forgotten contacts", "SELECT mark FROM forgotten", [], |row| Ok(row.get(0)?))
}

fn shares(connection: &Connection) -> Result<BTreeMap<String, Vec<Share>>, LedgerError> {
    let mut shares: BTreeMap<String, Vec<Share>> = BTreeMap::new();
    let sql = "SELECT attribute, readable, scanned, newest, accepted FROM shares ORDER BY id";
    rows::<_, ()>(connection, "read the shares of earlier runs", sql, [], |row| {
        let share = Share {
            readable: count(row, 1)?,
            scanned: count(row, 2)?,
            newest: time(row, 3)?,
            accepted: row.get::<_, i64>(4)? != 0,
        };
        shares.entry(row.get(0)?).or_default().push(share);
        Ok(())
    })?;
    Ok(shares)
}

pub(super) fn count(row: &Row<'_>, column: usize) -> Result<usize, LedgerError> {
    let count: i64 = row.get(column)?;
    usize::try_from(count).map_err(|_| LedgerError::Nonsense { what: "a count", value: count.to_string() })
}

fn occasion(row: &Row<'_>) -> Result<Occasion, LedgerError> {
    let link = match (row.get(7)?, row.get(8)?, row.get::<_, i64>(9)?) {
        (Some(module), Some(id), _) => Some(TaskLink::Record(Record { module, id })),
        (_, _, 0) => None,
        _ => Some(TaskLink::Unlinked),
    };
    let id = OccasionId {
        signal: row.get(1)?,
        subject: Subject { kind: named(row, 2, "kind of subject")?, id: row.get(3)? },
        opened_at: time(row, 4)?.unwrap_or_default(),
    };
    Ok(Occasion {
        id,
        level: row.get(5)?,
        representative: row.get(6)?,
        link,
        false_since: time(row, 10)?,
        ended_at: time(row, 11)?,
        person: row.get(12)?,
        contacts: BTreeSet::new(),
        entries: Vec::new(),
    })
}

fn entry(row: &Row<'_>) -> Result<Entry, LedgerError> {
    Ok(Entry {
        key: ActionKey { level: row.get(1)?, kind: named(row, 2, "kind of action")?, contact: row.get(3)? },
        short: row.get(4)?,
        state: named(row, 5, "state")?,
        reason: named(row, 6, "reason")?,
        remote_id: row.get(7)?,
        error: row.get(8)?,
        claimed_at: time(row, 9)?,
        closed_at: time(row, 10)?,
        may_repeat: row.get::<_, i64>(11)? != 0,
        prior: row.get(12)?,
        sent_to: row.get(13)?,
    })
}

pub(super) fn time(row: &Row<'_>, column: usize) -> Result<Option<Date>, LedgerError> {
    let seconds: Option<i64> = row.get(column)?;
    let Some(seconds) = seconds else { return Ok(None) };
    let nonsense = || LedgerError::Nonsense { what: "a time", value: seconds.to_string() };
    DateTime::from_timestamp(seconds, 0).ok_or_else(nonsense).map(Some)
}

pub(super) fn named<T: FromStr>(row: &Row<'_>, column: usize, what: &'static str) -> Result<T, LedgerError> {
    let name: String = row.get(column)?;
    name.parse().map_err(|_| LedgerError::Nonsense { what, value: name })
}
