//! What became of a plan.

use std::collections::BTreeMap;
use strum::{EnumIter, IntoStaticStr};

use super::sink::Failure;
use super::stop::StopReason;
use crate::model::Reason;

/// How one action ended in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum ActionStatus {
    /// Wanted; this run did not get to it, or is a dry run.
    Planned,
    /// Done and confirmed.
    Done,
    /// It failed: carried over, or refused.
    Failed,
    /// A request left and no answer came.
    InDoubt,
    /// Left alone.
    Skipped,
}

impl ActionStatus {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// What became of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Performed {
    /// How it ended.
    pub status: ActionStatus,
    /// Why, where it is another reason than the plan's.
    pub reason: Option<Reason>,
    /// The remote's id.
    pub remote_id: Option<String>,
    /// What went wrong.
    pub failure: Option<Failure>,
}

/// What became of all actions that were to be done, by short key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Results {
    /// By short key. An action without an entry was not reached.
    pub performed: BTreeMap<String, Performed>,
    /// Why the run stopped early, if it did.
    pub stopped: Option<StopReason>,
}

impl Results {
    /// Takes in the results of another sink.
    pub fn merge(&mut self, other: Results) {
        self.performed.extend(other.performed);
        self.stopped = self.stopped.or(other.stopped);
    }
}
