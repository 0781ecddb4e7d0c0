//! One run at a time: a lock file that names its holder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use super::error::LedgerError;

/// The lock's file in the state folder. Separate from the ledger: closing any handle of an SQLite file drops its locks.
const LOCK_FILE: &str = "lock";

/// Held while it lives. The kernel releases it when the process ends, however it ends, so that no stale lock remains.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, making the state folder if need be, or fails at once with the holder's name.
    ///
    /// `holder` is one line for the other run's error message: process id, host, run id, start.
    pub fn take(state_dir: &Path, holder: &str) -> Result<Lock, LedgerError> {
        // Ids of contacts and companies are nobody else's business.
        let mut folder = std::fs::DirBuilder::new();
        folder.recursive(true).mode(0o700).create(state_dir).map_err(LedgerError::folder(state_dir))?;
        let path = state_dir.join(LOCK_FILE);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(LedgerError::folder(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LedgerError::Locked { holder: read_holder(&mut file), path });
            }
            Err(TryLockError::Error(source)) => return Err(LedgerError::Folder { path, source }),
        }
        write_holder(&mut file, holder).map_err(LedgerError::folder(&path))?;
        Ok(Lock { _file: file })
    }

    /// Who holds the lock at the moment; None where nobody does, or where that cannot be told. Makes no file.
    ///
    /// To find out, it is shared for the blink of an eye.
    pub fn holder(state_dir: &Path) -> Option<String> {
        let mut file = File::open(state_dir.join(LOCK_FILE)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(read_holder(&mut file)),
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
    }
}

fn read_holder(file: &mut File) -> String {
    let mut holder = String::new();
    match file.read_to_string(&mut holder) {
        Ok(_) if !holder.trim().is_empty() => holder.trim().to_owned(),
        _ => "it did not say who it is".to_owned(),
    }
}

fn write_holder(file: &mut File, holder: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    writeln!(file, "{holder}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_taker_learns_who_holds_it_and_gets_it_when_released() {
        let folder = tempfile::tempdir().unwrap();
        let held = Lock::take(folder.path(), "process 1").unwrap();
        let error = Lock::take(folder.path(), "process 2").unwrap_err();
        assert!(error.to_string().contains("process 1"), "{error}");
        assert_eq!(Lock::holder(folder.path()).as_deref(), Some("process 1"));
        drop(held);
        assert_eq!(Lock::holder(folder.path()), None, "though its file still names the last one");
        let held = Lock::take(folder.path(), "process 2").unwrap();
        assert_eq!(Lock::holder(folder.path()).as_deref(), Some("process 2"));
        drop(held);
        assert_eq!(Lock::holder(&folder.path().join("nowhere")), None);
    }
}
