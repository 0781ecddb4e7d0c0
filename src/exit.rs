//! Exit codes, and the error that ends the program.

use std::fmt::Write as _;

use strum::{EnumIter, IntoEnumIterator};

use crate::apply::sink::FailureKind;
use crate::apply::stop::StopReason;
use crate::ledger::LedgerError;
use crate::remote::error::{ErrorKind, RemoteError};

/// The exit codes, the most important first: of several, the first in this order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter)]
pub enum Exit {
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// Usage or configuration.
    Usage,
    /// A credential or permission was refused.
    Credential,
    /// Another run holds the lock.
    Locked,
    /// A service was unreachable, so the scan is incomplete.
    Incomplete,
    /// The guard stopped the plan, or rules are paused because an attribute stopped arriving.
    Guard,
    /// The run finished, but something failed, was refused or is in doubt. A later run tries again.
    Failed,
    /// `--dry-run --detailed-exit-code`: there is something to do.
    ToDo,
    /// Done, also if there was nothing to do.
    Done,
}

impl Exit {
    fn code_and_meaning(self) -> (u8, &'static str) {
        match self {
            Exit::Done => (0, "done"),
            Exit::Failed => (1, "something failed or is in doubt"),
            Exit::Usage => (2, "wrong command line or configuration"),
            Exit::Credential => (3, "a credential or permission was refused"),
            Exit::Locked => (4, "another run held the lock"),
            Exit::Guard => (5, "stopped by the guard, or rules are paused"),
            Exit::Incomplete => (6, "a service was unreachable"),
            Exit::ToDo => (10, "there is something to do"),
            Exit::Interrupted => (130, "interrupted"),
            Exit::Terminated => (143, "interrupted"),
        }
    }

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        self.code_and_meaning().0
    }

    /// The meaning in a few words, for people.
    pub fn meaning(self) -> &'static str {
        self.code_and_meaning().1
    }

    /// The inverse of [`Exit::code`].
    pub fn from_code(code: u8) -> Option<Exit> {
        Exit::iter().find(|exit| exit.code() == code)
    }

    /// The most important of several; [`Exit::Done`] if there are none.
    pub fn first(exits: &[Exit]) -> Exit {
        exits.iter().copied().min().unwrap_or(Exit::Done)
    }
}

impl From<StopReason> for Exit {
    fn from(reason: StopReason) -> Exit {
        match reason {
            StopReason::Deadline => Exit::Incomplete,
            StopReason::Interrupted => Exit::Interrupted,
            StopReason::Terminated => Exit::Terminated,
        }
    }
}

impl From<FailureKind> for Exit {
    fn from(kind: FailureKind) -> Exit {
        match kind {
            FailureKind::Action | FailureKind::Unreachable => Exit::Failed,
            FailureKind::Credential => Exit::Credential,
            FailureKind::Configuration => Exit::Usage,
        }
    }
}

/// An error that ends the program, with its exit code and the way out.
#[derive(Debug)]
pub struct Fatal {
    /// The exit code.
    pub exit: Exit,
    /// The error with its causes.
    pub error: anyhow::Error,
    /// The way out.
    pub help: Option<String>,
}

impl Fatal {
    /// An error of usage or configuration.
    pub fn usage(error: impl Into<anyhow::Error>) -> Fatal {
        Fatal { exit: Exit::Usage, error: error.into(), help: None }
    }

    /// Adds the way out.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Fatal {
        Fatal { help: Some(help.into()), ..self }
    }

    /// The error with its causes in one paragraph, then the way out on a line of its own.
    pub fn message(&self) -> String {
        let mut message = format!("{:#}", self.error);
        if let Some(help) = &self.help {
            let _ = write!(message, "\nhelp: {help}");
        }
        message
    }
}

impl From<LedgerError> for Fatal {
    fn from(error: LedgerError) -> Fatal {
        let exit = match &error {
            LedgerError::Locked { .. } => Exit::Locked,
            LedgerError::Open { .. }
            | LedgerError::Newer { .. }
            | LedgerError::NotALedger { .. }
            | LedgerError::OtherWorkspace { .. }
            | LedgerError::NoLocks { .. }
            | LedgerError::Folder { .. } => Exit::Usage,
            // Running again does not repair the file.
            LedgerError::Statement { .. } if error.is_corrupt() => Exit::Usage,
            LedgerError::Statement { .. }
            | LedgerError::Nonsense { .. }
            | LedgerError::IllegalStep { .. }
            | LedgerError::Unknown { .. } => Exit::Failed,
        };
        Fatal { exit, help: Some(error.help().to_owned()), error: anyhow::Error::msg(error.full_message()) }
    }
}

impl From<RemoteError> for Fatal {
    fn from(error: RemoteError) -> Fatal {
        Fatal { exit: exit_of(&error), help: error.help().map(str::to_owned), error: error.into() }
    }
}

/// The exit code for a failed read from a service.
pub fn exit_of(error: &RemoteError) -> Exit {
    match error.kind {
        ErrorKind::Credential => Exit::Credential,
        ErrorKind::Settings => Exit::Usage,
        ErrorKind::Stopped(reason) => reason.into(),
        ErrorKind::Unreachable
        | ErrorKind::OutcomeUnknown
        | ErrorKind::Throttled
        | ErrorKind::Rejected
        | ErrorKind::Foreign
        | ErrorKind::CodeUnknown
        | ErrorKind::Later
        | ErrorKind::BadAnswer => Exit::Incomplete,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_the_documented_order_decides() {
        assert_eq!(Exit::first(&[]), Exit::Done);
        assert_eq!(Exit::first(&[Exit::Failed, Exit::Guard]), Exit::Guard);
        assert_eq!(Exit::first(&[Exit::Guard, Exit::Incomplete]), Exit::Incomplete);
        assert_eq!(Exit::first(&[Exit::Incomplete, Exit::Locked]), Exit::Locked);
        assert_eq!(Exit::first(&[Exit::Locked, Exit::Credential]), Exit::Credential);
        assert_eq!(Exit::first(&[Exit::Credential, Exit::Usage]), Exit::Usage);
    }

    #[test]
    fn an_error_of_the_ledger_names_its_cause_once() {
        let path = std::path::PathBuf::from("/state/lock");
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let fatal = Fatal::from(LedgerError::Folder { path: path.clone(), source: denied });
        let message = fatal.message();
        assert!(message.starts_with("use the state folder, /state/lock: permission denied\nhelp: "), "{message}");
        let fatal = Fatal::from(LedgerError::Locked { path, holder: "process 7".to_owned() });
        assert_eq!(fatal.message().matches("process 7").count(), 1);
    }
}
