//! What the ledger knows, as values of the domain.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use chrono::DateTime;
use rusqlite::{Connection, OpenFlags, Row};

use super::error::LedgerError;
use super::schema;
use crate::model::{
    ActionKey, Date, Entry, Kind, Known, Occasion, OccasionId, Reason, Record, Share, State, Subject, SubjectKind,
    TaskLink,
};

/// A claim without an outcome, with its occasion.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenClaim {
    /// The occasion.
    pub occasion: Occasion,
    /// The claimed entry.
    pub entry: Entry,
}

/// The claims that no outcome was written for.
pub fn open_claims(known: &Known) -> Vec<OpenClaim> {
    let claimed = |entry: &&Entry| entry.state == State::Claimed;
    let claims = |occasion: &Occasion| -> Vec<OpenClaim> {
        let claim = |entry: &Entry| OpenClaim { occasion: occasion.clone(), entry: entry.clone() };
        occasion.entries.iter().filter(claimed).map(claim).collect()
    };
    known.occasions.iter().flat_map(claims).collect()
}

/// What a ledger holds, read without changing a byte of it: all that a dry run has.
#[derive(Debug, Default)]
pub struct Reader {
    workspace: Option<String>,
    known: Known,
}

impl Reader {
    /// Reads the ledger in one go; a missing file reads as an empty ledger.
    ///
    /// One of an older version is not brought up to date here, because that would be a change; it knows what its version knew.
    pub fn open(path: &Path) -> Result<Reader, LedgerError> {
        if !path.try_exists().unwrap_or(true) {
            return Ok(Reader::default());
        }
        // To read a database with a write-ahead log, SQLite makes or changes files beside it. A ledger that was closed properly
        // has no such log, and can be read as if nobody wrote. Where there is one, a run is under way or was killed, and its
        // last commits are in the log: both files are copied, and the copy is read.
        let wal = with_suffix(path, "-wal");
        if !wal.exists() {
            return Reader::read(path, "mode=ro&immutable=1");
        }
        let copy = Copy::of(path, &wal).map_err(LedgerError::folder(path))?;
        Reader::read(&copy.ledger, "mode=rw")
    }

    fn read(path: &Path, how: &str) -> Result<Reader, LedgerError> {
        let open_error = |source| LedgerError::Open { path: path.to_owned(), source };
        let name: String = path.to_string_lossy().chars().flat_map(escape_in_uri).collect();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(format!("file:{name}?{how}"), flags).map_err(open_error)?;
        let version = schema::check(&connection, path)?;
        if version == 0 {
            return Ok(Reader::default());
        }
        let workspace = workspace(&connection)?;
        let mut known = known(&connection, version)?;
        if version >= schema::WITH_SHARES {
            known.shares = shares(&connection)?;
        }
        Ok(Reader { workspace, known })
    }

    /// The workspace that the ledger belongs to; None while it is empty.
    pub fn workspace(&self) -> Option<&str> {
        self.workspace.as_deref()
    }

    /// What the ledger knows.
    pub fn known(&self) -> &Known {
        &self.known
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A ledger and its log in a private temporary folder, which goes with it.
struct Copy {
    folder: PathBuf,
    ledger: PathBuf,
}

impl Copy {
    fn of(path: &Path, wal: &Path) -> std::io::Result<Copy> {
        let folder = std::env::temp_dir().join(format!("usage-signals-read-{:016x}", fastrand::u64(..)));
        std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
        let copy = Copy { ledger: folder.join("ledger.sqlite"), folder };
        // The log first: a checkpoint in between moves commits from it into the file, and none is missed.
        std::fs::copy(wal, with_suffix(&copy.ledger, "-wal"))?;
        std::fs::copy(path, &copy.ledger)?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // It is in the temporary folder: the system clears what is left.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn escape_in_uri(character: char) -> Vec<char> {
    match character {
        '%' => "%25".chars().collect(),
        '?' => "%3f".chars().collect(),
        '#' => "%23".chars().collect(),
        other => vec![other],
    }
}

pub(super) fn workspace(connection: &Connection) -> Result<Option<String>, LedgerError> {
    let failed = LedgerError::statement("read the ledger's workspace");
    let mut statement = connection.prepare("SELECT value FROM meta WHERE name = 'workspace'").map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    rows.next().map_err(&failed)?.map(|row| row.get(0)).transpose().map_err(&failed)
}

const OCCASIONS: &str = "
SELECT id, signal, subject_kind, subject_id, opened_at, level, representative, record_module, record_id, unlinked,
       false_since, ended_at, person
FROM occasions AS o
WHERE ended_at IS NULL
   OR opened_at = (SELECT max(opened_at) FROM occasions AS newest
                   WHERE newest.signal = o.signal AND newest.subject_kind = o.subject_kind
                     AND newest.subject_id = o.subject_id AND newest.ended_at IS NOT NULL)
   OR EXISTS (SELECT 1 FROM entries WHERE entries.occasion_id = o.id AND state IN ('planned', 'claimed', 'refused'))
ORDER BY signal, subject_kind, subject_id, opened_at";

pub(super) fn known(connection: &Connection, version: i64) -> Result<Known, LedgerError> {
    let failed = LedgerError::statement("read the ledger");
    let mut occasions = BTreeMap::new();
    let mut order = Vec::new();
    let mut statement = connection.prepare(OCCASIONS).map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    while let Some(row) = rows.next().map_err(&failed)? {
        let id: i64 = row.get(0).map_err(&failed)?;
        occasions.insert(id, occasion(row)?);
        order.push(id);
    }
    let mut statement = connection.prepare("SELECT occasion_id, contact_id FROM concerned").map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    while let Some(row) = rows.next().map_err(&failed)? {
        let id: i64 = row.get(0).map_err(&failed)?;
        if let Some(occasion) = occasions.get_mut(&id) {
            occasion.contacts.insert(row.get(1).map_err(&failed)?);
        }
    }
    let mut shorts = BTreeSet::new();
    let sent_to = if version >= schema::WITH_SENT_TO { "sent_to" } else { "NULL" };
    let mut statement = connection
        .prepare(&format!(
            "SELECT occasion_id, level, kind, contact_id, short, state, reason, remote_id, error, claimed_at, closed_at,
                    may_repeat, prior, {sent_to}
             FROM entries ORDER BY id"
        ))
        .map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    while let Some(row) = rows.next().map_err(&failed)? {
        let id: i64 = row.get(0).map_err(&failed)?;
        shorts.insert(row.get(4).map_err(&failed)?);
        if let Some(occasion) = occasions.get_mut(&id) {
            occasion.entries.push(entry(row)?);
        }
    }
    let occasions = order.iter().filter_map(|id| occasions.remove(id)).collect();
    Ok(Known { occasions, shorts, shares: BTreeMap::new() })
}

pub(super) fn shares(connection: &Connection) -> Result<BTreeMap<String, Vec<Share>>, LedgerError> {
    let failed = LedgerError::statement("read what earlier runs saw");
    let mut shares: BTreeMap<String, Vec<Share>> = BTreeMap::new();
    let mut statement = connection
        .prepare("SELECT attribute, readable, scanned, newest, accepted FROM shares ORDER BY id")
        .map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    while let Some(row) = rows.next().map_err(&failed)? {
        let share = Share {
            readable: count(row, 1)?,
            scanned: count(row, 2)?,
            newest: time(row, 3)?,
            accepted: row.get::<_, i64>(4).map_err(&failed)? != 0,
        };
        shares.entry(row.get(0).map_err(&failed)?).or_default().push(share);
    }
    Ok(shares)
}

fn count(row: &Row<'_>, column: usize) -> Result<usize, LedgerError> {
    let count: i64 = row.get(column).map_err(LedgerError::statement("read a count"))?;
    usize::try_from(count).map_err(|_| LedgerError::Nonsense { what: "a count", value: count.to_string() })
}

fn occasion(row: &Row<'_>) -> Result<Occasion, LedgerError> {
    let failed = LedgerError::statement("read an occasion");
    let link = match (text(row, 7)?, text(row, 8)?, row.get::<_, i64>(9).map_err(&failed)?) {
        (Some(module), Some(id), _) => Some(TaskLink::Record(Record { module, id })),
        (_, _, 0) => None,
        _ => Some(TaskLink::Unlinked),
    };
    let id = OccasionId {
        signal: row.get(1).map_err(&failed)?,
        subject: Subject {
            kind: named(row, 2, "kind of subject", SubjectKind::from_name)?,
            id: row.get(3).map_err(&failed)?,
        },
        opened_at: time(row, 4)?.unwrap_or_default(),
    };
    Ok(Occasion {
        id,
        level: row.get(5).map_err(&failed)?,
        representative: row.get(6).map_err(&failed)?,
        link,
        false_since: time(row, 10)?,
        ended_at: time(row, 11)?,
        person: text(row, 12)?,
        contacts: BTreeSet::new(),
        entries: Vec::new(),
    })
}

fn entry(row: &Row<'_>) -> Result<Entry, LedgerError> {
    let failed = LedgerError::statement("read an entry");
    Ok(Entry {
        key: ActionKey {
            level: row.get(1).map_err(&failed)?,
            kind: named(row, 2, "kind of action", Kind::from_name)?,
            contact: row.get(3).map_err(&failed)?,
        },
        short: row.get(4).map_err(&failed)?,
        state: named(row, 5, "state", State::from_name)?,
        reason: named(row, 6, "reason", Reason::from_name)?,
        remote_id: text(row, 7)?,
        error: text(row, 8)?,
        claimed_at: time(row, 9)?,
        closed_at: time(row, 10)?,
        may_repeat: row.get::<_, i64>(11).map_err(&failed)? != 0,
        prior: text(row, 12)?,
        sent_to: text(row, 13)?,
    })
}

fn text(row: &Row<'_>, column: usize) -> Result<Option<String>, LedgerError> {
    row.get(column).map_err(LedgerError::statement("read a text"))
}

fn time(row: &Row<'_>, column: usize) -> Result<Option<Date>, LedgerError> {
    let seconds: Option<i64> = row.get(column).map_err(LedgerError::statement("read a time"))?;
    seconds
        .map(|seconds| {
            let nonsense = || LedgerError::Nonsense { what: "a time", value: seconds.to_string() };
            DateTime::from_timestamp(seconds, 0).ok_or_else(nonsense)
        })
        .transpose()
}

fn named<T>(
    row: &Row<'_>,
    column: usize,
    what: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, LedgerError> {
    let name: String = row.get(column).map_err(LedgerError::statement("read a name"))?;
    read(&name).ok_or(LedgerError::Nonsense { what, value: name })
}
