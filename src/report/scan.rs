//! The report of a scan as a value, from which text and JSON are rendered.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use strum::IntoEnumIterator;

use crate::apply::sink::Failure;
use crate::apply::{ActionStatus, Results};
use crate::model::{ActionKind, Date, Reason, SinkKind, UnknownReason};
use crate::plan::{Decision, Plan, PlannedAction};

/// What kind of run it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunMode {
    /// The plan was applied.
    Apply,
    /// The plan was only shown.
    DryRun,
}

/// The run itself: the only part of a report that differs between two runs on the same input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// A fresh id, on every log line too.
    pub id: String,
    /// Apply or dry run.
    pub mode: RunMode,
    /// The instant for which everything was decided.
    pub as_of: Date,
    /// When it began.
    pub started_at: Date,
    /// When it ended.
    pub finished_at: Date,
    /// The workspace's id.
    pub workspace: String,
}

/// Something that went wrong, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Problem {
    /// One sentence.
    pub message: String,
    /// What to do about it, where there is something.
    pub help: Option<String>,
}

/// A task or message as it would look.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// What it is: `Zoho task US-7K3F9Q2M`.
    pub heading: String,
    /// What people would read, in lines.
    pub page: String,
    /// What would be sent, for programs.
    pub payload: Json,
}

/// The requests that a run would send, by sink, most urgent first. Sinks without a preview are not in it.
pub type Previews = BTreeMap<SinkKind, Vec<Preview>>;

/// Everything that is said about a scan.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// The run.
    pub run: Run,
    /// Contacts read.
    pub scanned: usize,
    /// Contacts that were left out, because a person had them forgotten.
    pub forgotten: usize,
    /// Contacts that could not be decoded: id, or where it stood, and why.
    pub undecodable: Vec<(String, String)>,
    /// Contacts for which at least one rule holds.
    pub signalled: usize,
    /// What was planned.
    pub plan: &'a Plan,
    /// What became of it; None in a dry run.
    pub results: Option<&'a Results>,
    /// How many contacts had an unknown value, by attribute and reason.
    pub unknown: &'a BTreeMap<(String, UnknownReason), usize>,
    /// What tasks and messages would look like, if that was asked for.
    pub previews: Option<Previews>,
    /// What a person should know, though nothing failed.
    pub warnings: Vec<Problem>,
    /// What failed.
    pub errors: Vec<Problem>,
    /// See `exit.rs`.
    pub exit_code: u8,
}

/// How an action ended, as reports show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Planned, done, ….
    pub status: ActionStatus,
    /// Why.
    pub reason: Reason,
    /// The remote's id, where there is one.
    pub remote_id: Option<String>,
    /// What went wrong, now or the last time.
    pub error: Option<String>,
}

impl Report<'_> {
    /// How an action ended.
    pub fn ended(&self, action: &PlannedAction) -> Ended {
        let performed = self.results.and_then(|results| results.performed.get(&action.short));
        let planned = match action.decision {
            Decision::Do => ActionStatus::Planned,
            Decision::Skip => ActionStatus::Skipped,
            Decision::InDoubt => ActionStatus::InDoubt,
        };
        match performed {
            Some(performed) => Ended {
                status: performed.status,
                reason: performed.reason.unwrap_or(action.reason),
                remote_id: performed.remote_id.clone().or_else(|| action.remote_id.clone()),
                error: performed.failure.as_ref().map(Failure::full_message),
            },
            None => Ended {
                status: planned,
                reason: action.reason,
                remote_id: action.remote_id.clone(),
                error: action.error.clone(),
            },
        }
    }

    /// How many actions of a kind ended in each way.
    pub fn counts(&self, kind: ActionKind) -> BTreeMap<ActionStatus, usize> {
        let mut counts: BTreeMap<_, _> = ActionStatus::iter().map(|status| (status, 0)).collect();
        let actions = self.plan.items.iter().flat_map(|item| &item.actions);
        for action in actions.filter(|action| action.key.kind == kind) {
            *counts.entry(self.ended(action).status).or_default() += 1;
        }
        counts
    }
}
