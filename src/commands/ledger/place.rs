//! The ledger that a command works on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{SubsecRound, Utc};

use super::super::{lock, sandbox, setup};
use crate::cli::{Common, LedgerPlace};
use crate::exit::Fatal;
use crate::ledger::lock::Lock;
use crate::ledger::{History, LEDGER_FILE, Writer};
use crate::model::Date;

/// The ledger that a command works on, and its instant.
#[derive(Debug)]
pub struct Place {
    pub state_dir: PathBuf,
    pub file: PathBuf,
    /// The instant from which ages are counted.
    pub now: Date,
    pub in_sandbox: bool,
    /// The command-line options that name this ledger.
    options: String,
    as_of: Option<Date>,
}

impl Place {
    /// Finds the ledger. Makes no file.
    pub fn of(common: &Common, place: &LedgerPlace) -> Result<Place, Fatal> {
        let state_dir = setup::state_dir(common, &setup::process_environment())?;
        let state_dir = match &place.sandbox {
            Some(dir) => sandbox::folder_of(dir.as_deref(), &state_dir)?,
            None => state_dir,
        };
        let now = common.as_of.unwrap_or_else(|| Utc::now().trunc_subsecs(0));
        let file = state_dir.join(LEDGER_FILE);
        let options = options(common, place);
        Ok(Place { state_dir, file, now, in_sandbox: place.sandbox.is_some(), options, as_of: common.as_of })
    }

    /// A command line for this ledger, as a person types it.
    pub fn command(&self, command: &str) -> String {
        format!("usage-signals {command}{}", self.options)
    }

    /// The ledger's contents; None before the first run.
    pub fn history(&self) -> Result<Option<History>, Fatal> {
        Ok(History::open(&self.file)?)
    }

    /// The ledger's contents, for commands that need a ledger.
    pub fn some_history(&self) -> Result<History, Fatal> {
        self.history()?.ok_or_else(|| {
            Fatal::usage(anyhow::anyhow!("there is no ledger in {} yet", self.state_dir.display())).with_help(
                "name the state folder of the runs with --state-dir; for runs of scan --sandbox, add --sandbox",
            )
        })
    }

    pub fn nothing_yet(&self) -> String {
        format!("No run yet: there is no ledger in {}\n", self.state_dir.display())
    }

    /// The instant `ago` before now; 1970 if no date is that early.
    pub fn ago(&self, ago: Duration) -> Date {
        let ago = chrono::TimeDelta::from_std(ago).ok();
        ago.and_then(|ago| self.now.checked_sub_signed(ago)).unwrap_or_default()
    }

    /// The ledger for writing, with its lock. The callers have checked that the ledger exists.
    pub fn writer(&self, doing: &str, wait: Option<Duration>) -> Result<(Lock, Writer), Fatal> {
        if self.as_of.is_some() && !self.in_sandbox {
            return Err(Fatal::usage(anyhow::anyhow!("--as-of cannot be used to change the ledger of real runs"))
                .with_help("try it with the sandbox's ledger: --sandbox"));
        }
        let lock = lock::wait_blocking(&self.state_dir, wait, &format!("ledger {doing}"))?;
        let writer = Writer::open(&self.file, &lock)?;
        Ok((lock, writer))
    }
}

/// The options that name a ledger: ` --sandbox=W --state-dir=D`.
fn options(common: &Common, place: &LedgerPlace) -> String {
    let sandbox = place.sandbox.as_ref().map(|dir| match dir {
        Some(dir) => format!(" --sandbox={}", quoted(dir)),
        None => " --sandbox".to_owned(),
    });
    let state_dir = common.state_dir.as_ref().map(|dir| format!(" --state-dir={}", quoted(dir)));
    [sandbox, state_dir].into_iter().flatten().collect()
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |letter: char| letter.is_alphanumeric() || "/._-+,@%:".contains(letter);
    if path.chars().all(plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_where_a_shell_would_break_it() {
        for (path, expected) in
            [("/var/lib/x-1.0", "/var/lib/x-1.0"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("~", "'~'")]
        {
            assert_eq!(quoted(Path::new(path)), expected);
        }
    }
}
