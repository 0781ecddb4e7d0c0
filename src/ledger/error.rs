//! What can go wrong with the ledger, in words for the operator.

use std::path::{Path, PathBuf};

use crate::model::{State, Step};

/// An error of the ledger. Nothing was sent that it does not know of: the failed transaction was rolled back.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file cannot be opened or made.
    #[error("open the ledger {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// It was written by a newer version of the program.
    #[error("the ledger {path} has schema version {found}, and this program knows versions up to {known}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A database, but not a ledger.
    #[error("{path} is not a ledger of usage-signals")]
    NotALedger {
        /// The file.
        path: PathBuf,
    },
    /// It belongs to another workspace.
    #[error("the ledger {path} belongs to the Intercom workspace {bound}, and the token is for {asked}")]
    OtherWorkspace {
        /// The file.
        path: PathBuf,
        /// The workspace it belongs to.
        bound: String,
        /// The workspace of the token.
        asked: String,
    },
    /// A statement failed.
    #[error("{doing}")]
    Statement {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        source: rusqlite::Error,
    },
    /// A value that no version of the program writes.
    #[error("the ledger holds {value:?} as {what}, which means nothing")]
    Nonsense {
        /// Which column.
        what: &'static str,
        /// What it holds.
        value: String,
    },
    /// A step that the state does not allow: a defect of this program, stopped before it did harm.
    #[error("the action {short} is {state:?} and cannot take the step {step:?}")]
    IllegalStep {
        /// The action's short key.
        short: String,
        /// Its state.
        state: State,
        /// The step.
        step: Step,
    },
    /// An action or occasion that the ledger does not have.
    #[error("the ledger has no {what}")]
    Unknown {
        /// What was looked for.
        what: String,
    },
    /// Another run holds the lock.
    #[error("another run holds the lock {path}: {holder}")]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// What it says of its holder.
        holder: String,
    },
    /// The state folder or the lock file cannot be made.
    #[error("use the state folder, {path}")]
    Folder {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// What to do about a ledger that is damaged.
pub(super) const RESTORE: &str = "restore the ledger from a backup. Without it, move the file away: contacts that carry the tag \
    are then taken as handled, so nothing is sent twice for them";

impl LedgerError {
    pub(super) fn statement(doing: &'static str) -> impl Fn(rusqlite::Error) -> LedgerError {
        move |source| LedgerError::Statement { doing, source }
    }

    pub(super) fn folder(path: &Path) -> impl Fn(std::io::Error) -> LedgerError + '_ {
        move |source| LedgerError::Folder { path: path.to_owned(), source }
    }

    /// The sentence with its cause. Not the whole chain: SQLite's errors say the same again in other words.
    pub fn full_message(&self) -> String {
        let cause = std::error::Error::source(self).map_or(String::new(), |cause| format!(": {cause}"));
        format!("{self}{cause}")
    }

    /// Whether SQLite found the file damaged.
    pub fn is_corrupt(&self) -> bool {
        matches!(self, LedgerError::Open { source, .. } | LedgerError::Statement { source, .. }
            if source.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt))
    }

    /// What to do about it, where there is something to do.
    pub fn help(&self) -> Option<String> {
        use rusqlite::ErrorCode::{
            CannotOpen, ConstraintViolation, DatabaseBusy, DatabaseLocked, DiskFull, PermissionDenied, ReadOnly,
            SystemIoFailure,
        };
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        const ROOM: &str = "make room on the disk, and look whether it is in order; nothing is lost, the next run goes on \
            from here";
        const DEFECT: &str = "this is a defect of the program: nothing was sent that the ledger does not know of. Keep a copy of \
            the ledger, and report it";
        Some(match self {
            LedgerError::Newer { .. } => "run the newer program, or restore the ledger from before it ran".into(),
            LedgerError::NotALedger { .. } => "name another folder with --state-dir".into(),
            LedgerError::OtherWorkspace { .. } => "use one --state-dir for each workspace".into(),
            LedgerError::Locked { .. } => "wait for it (--wait-lock 10m), or stop it".into(),
            LedgerError::Folder { source, .. }
                if matches!(source.kind(), StorageFull | FileTooLarge | QuotaExceeded) =>
            {
                ROOM.into()
            }
            LedgerError::Folder { .. } => "make the folder writable, or name another with --state-dir".into(),
            LedgerError::Open { source, .. } | LedgerError::Statement { source, .. } => {
                match source.sqlite_error_code() {
                    Some(DiskFull | SystemIoFailure) => ROOM.into(),
                    Some(ReadOnly | CannotOpen | PermissionDenied) => {
                        "make the state folder writable, or name another with --state-dir".into()
                    }
                    Some(DatabaseBusy | DatabaseLocked) => {
                        "another program holds the ledger file open; close it".into()
                    }
                    Some(ConstraintViolation) => DEFECT.into(),
                    // Corrupt, of another shape than ours, or with values of another type.
                    _ => RESTORE.into(),
                }
            }
            LedgerError::Nonsense { .. } => RESTORE.into(),
            LedgerError::IllegalStep { .. } | LedgerError::Unknown { .. } => DEFECT.into(),
        })
    }
}
