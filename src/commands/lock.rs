//! Takes the lock of a state folder, and waits while another process holds it.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::apply::stop::{Stop, StopReason};
use crate::exit::Fatal;
use crate::ledger::LedgerError;
use crate::ledger::lock::Lock;
use crate::model::rfc3339;

/// The time between two attempts.
const POLL: Duration = Duration::from_millis(100);

/// The line with which this process names itself in the lock file. `doing` is a few words, such as `run 4f2a`.
fn holder(doing: &str, since: DateTime<Utc>) -> String {
    format!("process {}, {doing}, since {}", std::process::id(), rfc3339(since))
}

/// Takes the lock, and waits for it up to `wait`. Blocks the thread.
pub(super) fn wait_blocking(state_dir: &Path, wait: Option<Duration>, doing: &str) -> Result<Lock, Fatal> {
    let mut left = wait.unwrap_or_default();
    loop {
        match Lock::take(state_dir, &holder(doing, Utc::now())) {
            Err(LedgerError::Locked { .. }) if !left.is_zero() => std::thread::sleep(POLL.min(left)),
            taken => return Ok(taken?),
        }
        left = left.saturating_sub(POLL);
    }
}

/// Like [`wait_blocking`], for a run: a signal or the run's deadline ends the wait too.
pub(super) async fn wait(
    state_dir: &Path,
    wait: Option<Duration>,
    doing: &str,
    since: DateTime<Utc>,
    stop: &Stop,
) -> Result<Lock, Fatal> {
    let mut left = wait.unwrap_or_default();
    loop {
        match Lock::take(state_dir, &holder(doing, since)) {
            Err(locked @ LedgerError::Locked { .. }) if !left.is_zero() => match stop.sleep(POLL.min(left)).await {
                Ok(()) => left = left.saturating_sub(POLL),
                Err(StopReason::Deadline) => return Err(locked.into()),
                Err(reason) => return Err(stopped(reason)),
            },
            taken => return Ok(taken?),
        }
    }
}

fn stopped(reason: StopReason) -> Fatal {
    let help = Some("nothing was done; run the command again, or wait for the next run".to_owned());
    Fatal { exit: reason.into(), error: anyhow::anyhow!("interrupted while waiting for the lock"), help }
}
