//! The results of a plan.

use std::collections::BTreeMap;
use strum::{EnumIter, IntoStaticStr};

use super::sink::Failure;
use super::stop::StopReason;
use crate::model::Reason;

/// The status of one action at the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, IntoStaticStr, EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum ActionStatus {
    /// To be done, but this run did not reach it, or is a dry run.
    #[default]
    Planned,
    /// Done and confirmed.
    Done,
    /// Failed: carried over, or refused.
    Failed,
    /// A request left, and its answer is lost.
    InDoubt,
    /// Not to be done.
    Skipped,
}

impl ActionStatus {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The result of one action.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Performed {
    /// The status.
    pub status: ActionStatus,
    /// The reason, if it differs from the plan's.
    pub reason: Option<Reason>,
    /// The service's id of the effect.
    pub remote_id: Option<String>,
    /// The failure, if there was one.
    pub failure: Option<Failure>,
}

/// The results of all actions that were to be done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Results {
    /// The results by short key. An action without one was not reached.
    pub performed: BTreeMap<String, Performed>,
    /// Why the run stopped early, if it did.
    pub stopped: Option<StopReason>,
}

impl Results {
    pub(super) fn merge(&mut self, other: Results) {
        self.performed.extend(other.performed);
        self.stopped = self.stopped.or(other.stopped);
    }
}
