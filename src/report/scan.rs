//! The report of a scan as a value, from which text and JSON are rendered.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;
use strum::IntoEnumIterator;

use crate::apply::sink::Failure;
use crate::apply::{ActionStatus, Results};
use crate::model::{ActionKind, Date, Reason, SinkKind};
use crate::plan::{Decision, Plan, PlannedAction, Sightings};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunMode {
    Apply,
    DryRun,
}

/// The run itself: the only part of a report that differs between two runs on the same input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// A fresh id, on every log line too.
    pub id: String,
    pub mode: RunMode,
    /// The instant for which everything was decided.
    pub as_of: Date,
    pub started_at: Date,
    pub finished_at: Date,
    pub workspace: String,
}

/// Something that went wrong, with the way out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Problem {
    pub message: String,
    pub help: Option<String>,
}

/// A task or message as it would look.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The title: `Zoho task US-7K3F9Q2M`.
    pub heading: String,
    pub page: String,
    pub payload: Json,
}

/// The requests that a run would send, by sink, most urgent first. Sinks without a preview are left out.
pub type Previews = BTreeMap<SinkKind, Vec<Preview>>;

#[derive(Debug, Clone)]
pub struct Report<'a> {
    pub run: Run,
    pub sightings: &'a Sightings,
    /// Contacts that could not be decoded: id or place in the page, and the reason.
    pub undecodable: Vec<(String, String)>,
    pub plan: &'a Plan,
    pub results: Option<&'a Results>,
    /// The previews of tasks and messages, with `--preview`.
    pub previews: Option<Previews>,
    /// Facts that a person should know, although nothing failed.
    pub warnings: Vec<Problem>,
    pub errors: Vec<Problem>,
    pub exit_code: u8,
}

/// The end of an action, as reports show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub status: ActionStatus,
    pub reason: Reason,
    pub remote_id: Option<String>,
    /// The error of this run, else of the last attempt.
    pub error: Option<String>,
}

impl Ended {
    pub fn of(action: &PlannedAction, results: Option<&Results>) -> Ended {
        let PlannedAction { decision, reason, remote_id, error, .. } = action;
        let Some(performed) = results.and_then(|results| results.performed.get(&action.short)) else {
            let status = match decision {
                Decision::Do => ActionStatus::Planned,
                Decision::Skip => ActionStatus::Skipped,
                Decision::InDoubt => ActionStatus::InDoubt,
            };
            return Ended { status, reason: *reason, remote_id: remote_id.clone(), error: error.clone() };
        };
        Ended {
            status: performed.status,
            reason: performed.reason.unwrap_or(*reason),
            remote_id: performed.remote_id.as_ref().or(remote_id.as_ref()).cloned(),
            error: performed.failure.as_ref().map(Failure::full_message),
        }
    }
}

impl Report<'_> {
    /// Returns how many actions of a kind ended in each way.
    pub fn counts(&self, kind: ActionKind) -> BTreeMap<ActionStatus, usize> {
        let mut counts: BTreeMap<_, _> = ActionStatus::iter().map(|status| (status, 0)).collect();
        let actions = self.plan.items.iter().flat_map(|item| &item.actions);
        for action in actions.filter(|action| action.key.kind == kind) {
            *counts.entry(Ended::of(action, self.results).status).or_default() += 1;
        }
        counts
    }
}
