//! Tries out a place for a ledger.

use std::path::Path;

use super::LEDGER_FILE;
use super::error::LedgerError;
use super::lock::Lock;
use super::write::{RunRecord, Writer};

/// Takes a lock and writes a ledger as a run does, in a folder that is made for it and removed again.
pub fn try_out(trial: &Path) -> Result<(), LedgerError> {
    let tried = lock_and_write(trial);
    // What cannot be removed is of no use to anybody, and does no harm.
    let _ = std::fs::remove_dir_all(trial);
    tried
}

fn lock_and_write(trial: &Path) -> Result<(), LedgerError> {
    let lock = Lock::take(trial, "doctor")?;
    let writer = Writer::open(&trial.join(LEDGER_FILE), &lock)?;
    writer.write_run(&RunRecord { id: "trial".to_owned(), ..RunRecord::default() })
}
