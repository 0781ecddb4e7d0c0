//! The lock that lets one run at a time write the ledger. Its file names the holder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use rustix::io::Errno;

use super::error::LedgerError;

/// The lock's file in the state folder. Separate from the ledger: closing any handle of an SQLite file drops its locks.
const LOCK_FILE: &str = "lock";

/// Held while it lives. The kernel releases it when the process ends, however it ends, so that no stale lock remains.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, and makes the state folder if it is missing. Fails at once if another process holds the lock.
    ///
    /// `holder` is one line for the other run's error message: process id, host, run id, start.
    pub fn take(state_dir: &Path, holder: &str) -> Result<Lock, LedgerError> {
        // Other users of the machine must not read ids of contacts and companies.
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
            Err(TryLockError::Error(source)) if has_no_locks(&source) => {
                return Err(LedgerError::NoLocks { path: state_dir.to_owned(), source });
            }
            Err(TryLockError::Error(source)) => return Err(LedgerError::Folder { path, source }),
        }
        write_holder(&mut file, holder).map_err(LedgerError::folder(&path))?;
        Ok(Lock { _file: file })
    }

    /// The holder of the lock; `None` if the lock is free or its state is unknown. Creates no file.
    ///
    /// On Linux it reads the kernel's list of locks, because trying to take the lock could turn away a run that starts just
    /// then. Elsewhere it takes a shared lock for a moment.
    pub fn holder(state_dir: &Path) -> Option<String> {
        let mut file = File::open(state_dir.join(LOCK_FILE)).ok()?;
        let holder = read_holder(&mut file);
        let held = match std::fs::read_to_string("/proc/locks") {
            Ok(list) => lists_flock(&list, file.metadata().ok()?.ino(), &holder),
            Err(_) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
        };
        held.then_some(holder)
    }
}

/// Whether the file system cannot lock files. NFS without its lock service answers ENOLCK.
fn has_no_locks(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(Errno::NOLCK.raw_os_error()) || error.kind() == ErrorKind::Unsupported
}

/// Whether `/proc/locks` lists a lock on the inode, held by the process that the holder's line names. Device numbers are not
/// compared: on some file systems they differ from those in the file's metadata.
fn lists_flock(list: &str, inode: u64, holder: &str) -> bool {
    list.lines().any(|line| {
        // `1: FLOCK  ADVISORY  WRITE 25175 fe:00:10020660 0 EOF`; `->` after the number marks a lock that waits.
        let mut words = line.split_whitespace().skip(1);
        let (Some("FLOCK"), Some(process), Some(file)) = (words.next(), words.nth(2), words.next()) else {
            return false;
        };
        let same_file = file.rsplit(':').next().and_then(|number| number.parse().ok()) == Some(inode);
        same_file && holder.starts_with(&format!("process {process},"))
    })
}

fn read_holder(file: &mut File) -> String {
    let mut holder = String::new();
    match file.read_to_string(&mut holder) {
        Ok(_) if !holder.trim().is_empty() => holder.trim().to_owned(),
        _ => "the holder is unknown".to_owned(),
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
        drop(held);
        Lock::take(folder.path(), "process 2").unwrap();
    }

    #[test]
    fn a_held_lock_is_seen_without_touching_it() {
        let list = "1: FLOCK  ADVISORY  WRITE 25175 fe:00:77 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 9 fe:00:78 0 EOF\n\
                    2: POSIX  ADVISORY  WRITE 4 fe:00:79 0 EOF\n3: nonsense\n";
        let cases = [
            (77, "process 25175, run 1", true),
            (77, "process 2517, run 1", false),
            (76, "process 25175, run 1", false),
            (78, "process 9, run 1", false),
            (79, "process 4, run 1", false),
        ];
        for (inode, holder, expected) in cases {
            assert_eq!(lists_flock(list, inode, holder), expected, "{inode} {holder}");
        }
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Lock::holder(folder.path()), None, "no lock file");
        let ours = format!("process {}, run 1", std::process::id());
        let held = Lock::take(folder.path(), &ours).unwrap();
        assert_eq!(Lock::holder(folder.path()), Some(ours));
        drop(held);
        assert_eq!(Lock::holder(folder.path()), None, "though its file still names the last one");
    }
}
