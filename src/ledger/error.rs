//! Errors of the ledger, in words for the operator.

use std::path::{Path, PathBuf};

use rusqlite::ffi;

use crate::model::{State, Step};

/// An error of the ledger. The failed transaction was rolled back, and no request left without a claim.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of a variant says what its fields are")]
pub enum LedgerError {
    /// The file cannot be opened or made.
    #[error("open the ledger {path}")]
    Open { path: PathBuf, source: rusqlite::Error },
    /// A newer version of the program wrote the ledger.
    #[error("the ledger {path} has schema version {found}, and this program knows versions up to {known}")]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// A database, but not a ledger.
    #[error("{path} is not a ledger of usage-signals")]
    NotALedger { path: PathBuf },
    /// The ledger belongs to another workspace.
    #[error("the ledger {path} belongs to the Intercom workspace {bound}, and the token is for {asked}")]
    OtherWorkspace { path: PathBuf, bound: String, asked: String },
    /// A statement failed.
    #[error("{doing}")]
    Statement { doing: &'static str, source: rusqlite::Error },
    /// The ledger holds a value that no version of the program writes.
    #[error("the ledger holds the unknown value {value:?} as {what}")]
    Nonsense { what: &'static str, value: String },
    /// A step that the state does not allow. This is a defect of the program; the step was not taken.
    #[error("the action {short} is {state:?} and cannot take the step {step:?}")]
    IllegalStep { short: String, state: State, step: Step },
    /// An action or occasion that the ledger does not have.
    #[error("the ledger has no {what}")]
    Unknown { what: String },
    /// Another run holds the lock.
    #[error("another run holds the lock {path}: {holder}")]
    Locked { path: PathBuf, holder: String },
    /// The file system cannot lock files.
    #[error("the file system of {path} has no locks, so two runs could do everything twice")]
    NoLocks { path: PathBuf, source: std::io::Error },
    /// The state folder or the lock file cannot be made.
    #[error("use the state folder, {path}")]
    Folder { path: PathBuf, source: std::io::Error },
}

/// The way out for a damaged ledger.
pub(super) const RESTORE: &str = "restore the ledger from a backup. Without a backup, move the file away: contacts that carry the \
    tag then count as handled, so nothing is sent twice for them";

/// The way out for a file system on which a ledger cannot be kept safely.
const LOCAL_DISK: &str = "the file system lacks locks or shared memory (mmap), as NFS may: keep the state folder on a local disk \
    (--state-dir), or mount the file system with both";

/// SQLite's codes for a file system without locks or shared memory.
const NOT_A_LOCAL_DISK: [i32; 7] = [
    ffi::SQLITE_IOERR_LOCK,
    ffi::SQLITE_IOERR_RDLOCK,
    ffi::SQLITE_IOERR_UNLOCK,
    ffi::SQLITE_IOERR_CHECKRESERVEDLOCK,
    ffi::SQLITE_IOERR_SHMLOCK,
    ffi::SQLITE_IOERR_SHMMAP,
    ffi::SQLITE_PROTOCOL,
];

/// A column of a row that cannot be read.
impl From<rusqlite::Error> for LedgerError {
    fn from(source: rusqlite::Error) -> LedgerError {
        LedgerError::Statement { doing: "read a row of the ledger", source }
    }
}

impl LedgerError {
    pub(super) fn statement(doing: &'static str) -> impl Fn(rusqlite::Error) -> LedgerError {
        move |source| LedgerError::Statement { doing, source }
    }

    pub(super) fn open(path: &Path) -> impl Fn(rusqlite::Error) -> LedgerError + '_ {
        move |source| LedgerError::Open { path: path.to_owned(), source }
    }

    pub(super) fn folder(path: &Path) -> impl Fn(std::io::Error) -> LedgerError + '_ {
        move |source| LedgerError::Folder { path: path.to_owned(), source }
    }

    /// The message with its first cause. Deeper causes are left out, because SQLite's errors repeat themselves.
    pub fn full_message(&self) -> String {
        let cause = std::error::Error::source(self).map_or(String::new(), |cause| format!(": {cause}"));
        format!("{self}{cause}")
    }

    /// Whether SQLite found the file damaged.
    pub fn is_corrupt(&self) -> bool {
        matches!(self, LedgerError::Open { source, .. } | LedgerError::Statement { source, .. }
            if source.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt))
    }

    /// The way out, for the line that begins with `help:`.
    pub fn help(&self) -> &'static str {
        use rusqlite::ErrorCode::{
            CannotOpen, ConstraintViolation, DatabaseBusy, DatabaseLocked, DiskFull, PermissionDenied, ReadOnly,
            SystemIoFailure,
        };
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        const ROOM: &str = "free some space on the disk, and check that the disk works; nothing is lost, and the next run \
            continues";
        const DEFECT: &str = "this is a defect of the program; every request that left is in the ledger. Keep a copy of the \
            ledger, and report the defect";
        match self {
            LedgerError::Newer { .. } => {
                "run the newer program, or restore a backup of the ledger from before the newer program ran"
            }
            LedgerError::NotALedger { .. } => "name another folder with --state-dir",
            LedgerError::OtherWorkspace { .. } => "use one --state-dir for each workspace",
            LedgerError::NoLocks { .. } => LOCAL_DISK,
            LedgerError::Locked { .. } => "wait for the other run (--wait-lock 10m), or stop it",
            LedgerError::Folder { source, .. } => match source.kind() {
                StorageFull | FileTooLarge | QuotaExceeded => ROOM,
                _ => "make the folder writable, or name another with --state-dir",
            },
            LedgerError::Open { source, .. } | LedgerError::Statement { source, .. } => {
                let extended_code = source.sqlite_error().map_or(0, |error| error.extended_code);
                match source.sqlite_error_code() {
                    _ if NOT_A_LOCAL_DISK.contains(&extended_code) => LOCAL_DISK,
                    Some(DiskFull | SystemIoFailure) => ROOM,
                    Some(ReadOnly | CannotOpen | PermissionDenied) => {
                        "make the state folder writable, or name another with --state-dir"
                    }
                    Some(DatabaseBusy | DatabaseLocked) => {
                        "another program holds the ledger file open: close it. If there is none, the file system lacks locks, as \
                            NFS may: keep the state folder on a local disk (--state-dir)"
                    }
                    Some(ConstraintViolation) => DEFECT,
                    // The file is corrupt, or has other tables or types than ours.
                    _ => RESTORE,
                }
            }
            LedgerError::Nonsense { .. } => RESTORE,
            LedgerError::IllegalStep { .. } | LedgerError::Unknown { .. } => DEFECT,
        }
    }
}
