//! The plan as a value.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::guard::Refusal;
use super::outage::Outage;
use crate::model::{
    ActionKey, ActionKind, Change, Date, Evidence, Message, OccasionId, Person, Priority, Reason, Share, Subject, Tag,
    Task,
};

/// Everything a run is going to do and to leave, with reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The Intercom workspace.
    pub workspace: String,
    /// The run's instant.
    pub as_of: Date,
    /// One for each subject and signal, most urgent first: by priority, due date, signal, subject.
    pub items: Vec<Item>,
    /// What was seen of occasions besides: true again, false for the first time, ended.
    pub observations: Vec<Change>,
    /// What later runs are to measure their data by, by attribute.
    pub shares: BTreeMap<String, Share>,
    /// Attributes that broke off, and the rules that are held for it; sorted by attribute.
    pub outages: Vec<Outage>,
    /// Why the guard stopped the new part, if it did.
    pub refusal: Option<Refusal>,
    /// What the texts of rules could not show.
    pub warnings: Vec<String>,
}

impl Plan {
    /// Every change that the ledger must hold before the first request leaves, in order.
    pub fn changes(&self) -> Vec<Change> {
        let of_items = self
            .items
            .iter()
            .flat_map(|item| item.changes.iter().chain(item.actions.iter().flat_map(|action| action.changes.iter())));
        self.observations.iter().chain(of_items).cloned().collect()
    }

    /// The actions to be done, in the order of the plan.
    pub fn to_do(&self) -> impl Iterator<Item = (&Item, &PlannedAction)> {
        let actions = self.items.iter().flat_map(|item| item.actions.iter().map(move |action| (item, action)));
        actions.filter(|(_, action)| action.decision == Decision::Do)
    }
}

/// One signal of one subject, and what is done about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The occasion: signal, subject, and when it opened (or would open).
    pub occasion: OccasionId,
    /// The level by name; empty for the rule's own condition.
    pub level: String,
    /// How urgent.
    pub priority: Priority,
    /// The account's name, where there is one and it is known.
    pub account: Option<String>,
    /// Whose figures these are.
    pub representative: Person,
    /// The contacts that signal now, sorted by id.
    pub people: Vec<Person>,
    /// The comparisons that held, with the representative's figures. Empty where the signal does not hold now.
    pub evidence: Vec<Evidence>,
    /// `83% storage used`.
    pub details: String,
    /// What a person should do.
    pub action: String,
    /// `hot_lead`, ….
    pub flags: Vec<String>,
    /// By when: as counted from this run where something is done now, else as it was told.
    pub due_date: NaiveDate,
    /// Why this is done or left as a whole.
    pub reason: Reason,
    /// What becomes of the occasion itself.
    pub changes: Vec<Change>,
    /// Task, message, tags: in the order in which they are done.
    pub actions: Vec<PlannedAction>,
    /// The same without its new part, where it has one: what is done when `--top` or the guard holds it back.
    pub(super) if_held: Option<Box<Item>>,
}

impl Item {
    /// Whether a task is to be made or brought forward.
    pub fn makes_task(&self) -> bool {
        self.actions.iter().any(|action| action.key.kind == ActionKind::Task && action.decision == Decision::Do)
    }

    /// Whom it is about.
    pub fn subject(&self) -> &Subject {
        &self.occasion.subject
    }

    /// Whether anything is to be done.
    pub fn has_work(&self) -> bool {
        self.actions.iter().any(|action| action.decision == Decision::Do)
    }
}

/// What is decided about an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is done.
    Do,
    /// It is left.
    Skip,
    /// An earlier run claimed it and its outcome is not known.
    InDoubt,
}

/// One action with its decision and reason.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedAction {
    /// Which action of the occasion.
    pub key: ActionKey,
    /// Its short key.
    pub short: String,
    /// Do, skip, or in doubt.
    pub decision: Decision,
    /// Why.
    pub reason: Reason,
    /// What exactly to do; there if and only if the decision is to do it.
    pub order: Option<Order>,
    /// The remote's id, where it was done before.
    pub remote_id: Option<String>,
    /// What the remote said when it failed before.
    pub error: Option<String>,
    /// What becomes of the ledger's entry.
    pub changes: Vec<Change>,
}

/// A rendered action. Boxed, because most actions are skipped.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// Make or bring forward a Zoho task.
    Task(Box<Task>),
    /// Post a Slack message.
    Message(Box<Message>),
    /// Add or remove a tag.
    Tag(Tag),
}

impl Item {
    /// Leaves the new part for a later run, for a reason: nothing of it is done or recorded. Without a new part, nothing
    /// changes.
    pub(super) fn hold(&mut self, reason: Reason) {
        if let Some(rest) = self.if_held.take() {
            *self = *rest;
            for action in self.actions.iter_mut().filter(|action| action.reason == Reason::Held) {
                action.reason = reason;
            }
            if !self.has_work() {
                self.reason = reason;
            }
        }
    }

    /// The item of a subject that is left as it is, with what would have been done.
    pub(super) fn leave_all(&mut self, reason: Reason) {
        self.changes.clear();
        self.reason = reason;
        for action in self.actions.iter_mut().filter(|action| action.decision != Decision::InDoubt) {
            // What is over and done with keeps its own reason.
            if action.decision == Decision::Do || !action.changes.is_empty() {
                action.leave(reason);
            }
        }
    }

    /// Tags wait for a task whose outcome is not known.
    pub(super) fn wait_for_task(&mut self) {
        let doubtful =
            |action: &PlannedAction| action.key.kind == ActionKind::Task && action.decision == Decision::InDoubt;
        if self.actions.iter().any(doubtful) {
            let tags = self.actions.iter_mut().filter(|action| action.key.kind == ActionKind::Tag);
            for tag in tags.filter(|tag| tag.decision == Decision::Do) {
                tag.decision = Decision::Skip; // the intent stays recorded
                tag.reason = Reason::WaitsForTask;
                tag.order = None;
            }
            if self.reason == Reason::Unfinished && !self.has_work() {
                self.reason = Reason::InDoubt;
            }
        }
    }
}

impl PlannedAction {
    fn leave(&mut self, reason: Reason) {
        self.decision = Decision::Skip;
        self.reason = reason;
        self.order = None;
        self.changes.clear();
    }
}
