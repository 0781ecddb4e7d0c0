//! Opens the ledger's file for reading, without changing a byte of it.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::error::LedgerError;
use super::schema;

/// Reads a ledger: `work` gets the connection and the schema version, which may be an older one, because a migration would
/// change the file. `None` if the file is missing or empty.
pub(super) fn look<T>(
    path: &Path,
    work: impl FnOnce(&Connection, i64) -> Result<T, LedgerError>,
) -> Result<Option<T>, LedgerError> {
    if !path.try_exists().unwrap_or(true) {
        return Ok(None);
    }
    // To read a database with a write-ahead log, SQLite makes or changes files beside it. A ledger that was closed properly
    // has no log, and can be opened as immutable. If there is a log, a run is under way or was killed, and its last commits
    // are in the log: both files are copied, and the copy is read.
    let wal = with_suffix(path, "-wal");
    if !wal.exists() {
        return read(path, "mode=ro&immutable=1", work);
    }
    let copy = Copy::of(path, &wal).map_err(LedgerError::folder(path))?;
    read(&copy.ledger, "mode=rw", work)
}

fn read<T>(
    path: &Path,
    how: &str,
    work: impl FnOnce(&Connection, i64) -> Result<T, LedgerError>,
) -> Result<Option<T>, LedgerError> {
    let name = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(format!("file:{name}?{how}"), flags).map_err(LedgerError::open(path))?;
    match schema::check(&connection, path)? {
        0 => Ok(None),
        version => work(&connection, version).map(Some),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A copy of a ledger and its log in a private temporary folder, which is removed when the copy is dropped.
struct Copy {
    folder: PathBuf,
    ledger: PathBuf,
}

impl Copy {
    fn of(path: &Path, wal: &Path) -> std::io::Result<Copy> {
        let folder = std::env::temp_dir().join(format!("usage-signals-read-{:016x}", fastrand::u64(..)));
        std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
        let copy = Copy { ledger: folder.join("ledger.sqlite"), folder };
        // The log is copied first: a checkpoint in between moves commits from the log into the file, so no commit is missed.
        std::fs::copy(wal, with_suffix(&copy.ledger, "-wal"))?;
        std::fs::copy(path, &copy.ledger)?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // If this fails, the system clears its temporary folder anyway.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
