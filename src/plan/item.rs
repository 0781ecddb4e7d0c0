//! The plan as a value.

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;

use super::outage::Outage;
use crate::model::{
    ActionKey, ActionKind, Change, Date, Evidence, Message, OccasionId, Person, Priority, Reason, Share, Subject, Tag,
    Task, percent,
};

/// Everything that a run does and leaves, each with a reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The Intercom workspace.
    pub workspace: String,
    /// The run's instant.
    pub as_of: Date,
    /// One item for each subject and signal, most urgent first: by priority, due date, signal, subject.
    pub items: Vec<Item>,
    /// Observations of occasions: true again, or false for the first time.
    pub observations: Vec<Change>,
    /// The shares that later runs are compared with, by attribute.
    pub shares: BTreeMap<String, Share>,
    /// Attributes that stopped arriving, with the rules that are paused; sorted by attribute.
    pub outages: Vec<Outage>,
    /// Why the guard refused the new part, if it did.
    pub refusal: Option<Refusal>,
    /// Placeholders that the texts of rules could not fill.
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

/// Why the guard refused the new part of a plan, with the figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Items with something new: `new`, `returned` or `escalated`, whether or not the task sink is on.
    pub new_tasks: usize,
    /// `scan.max_new_tasks`.
    pub max_new_tasks: usize,
    /// Contacts that newly signal.
    pub new_contacts: usize,
    /// Contacts read.
    pub scanned: usize,
    /// `scan.max_share`, in percent.
    pub max_share_percent: f64,
    /// Whether there are too many new tasks.
    pub by_tasks: bool,
    /// Whether too large a share of the contacts newly signals.
    pub by_share: bool,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut exceeded = Vec::new();
        if self.by_tasks {
            exceeded.push(format!("{} new tasks, and scan.max_new_tasks is {}", self.new_tasks, self.max_new_tasks));
        }
        if self.by_share {
            let share = percent(self.new_contacts, self.scanned);
            exceeded.push(format!(
                "{} of {} scanned contacts ({share:.0} %) newly signal, and scan.max_share is {} %",
                self.new_contacts, self.scanned, self.max_share_percent
            ));
        }
        write!(f, "the guard refused the new part of this plan: {}", exceeded.join("; "))
    }
}

/// The ways out, for the line that begins with `help:`.
pub const WAYS_OUT: &str = "look at the plan with --dry-run, then run once with --baseline (record the present signals as handled, \
    without tasks and messages), --top N (only the N most urgent subjects; later runs take up the rest), or \
    --allow-large-plan";

/// One signal of one subject, with its actions.
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
    /// The contact whose figures are shown.
    pub representative: Person,
    /// The contacts that signal now, sorted by id.
    pub people: Vec<Person>,
    /// The comparisons that held, with the representative's figures. Empty where the signal does not hold now.
    pub evidence: Vec<Evidence>,
    /// `83% storage used`.
    pub details: String,
    /// The advice to a person.
    pub action: String,
    /// `hot_lead`, ….
    pub flags: Vec<String>,
    /// The due date. It is counted from this run where something is done now, else it is the one that people know.
    pub due_date: NaiveDate,
    /// Why the item is done or left.
    pub reason: Reason,
    /// The changes of the occasion itself.
    pub changes: Vec<Change>,
    /// Task, message, tags: in the order in which they are done.
    pub actions: Vec<PlannedAction>,
    /// The item that takes the place of this one when `--top`, the guard or an outage holds it: only unfinished actions. None
    /// where the item has nothing new.
    pub(super) if_held: Option<Box<Item>>,
}

impl Item {
    /// The task that is to be made or brought forward, if there is one.
    pub fn task_to_do(&self) -> Option<&PlannedAction> {
        self.actions.iter().find(|action| action.key.kind == ActionKind::Task && action.decision == Decision::Do)
    }

    /// The account or person that the item is about.
    pub fn subject(&self) -> &Subject {
        &self.occasion.subject
    }

    /// Whether anything is to be done.
    pub fn has_work(&self) -> bool {
        self.actions.iter().any(|action| action.decision == Decision::Do)
    }

    /// Holds the new part for a later run: nothing of it is done or recorded. An item without a new part does not change.
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

    /// Skips every action that would be done or recorded, but shows it. The occasion does not change.
    pub(super) fn skip_all(&mut self, reason: Reason) {
        self.if_held = None;
        self.changes.clear();
        self.reason = reason;
        for action in self.actions.iter_mut().filter(|action| action.decision != Decision::InDoubt) {
            // A finished action keeps its own reason.
            if action.decision == Decision::Do || !action.changes.is_empty() {
                action.skip(reason);
            }
        }
    }

    /// Makes tags wait for a task whose outcome is unknown.
    pub(super) fn wait_for_task(&mut self) {
        let doubtful =
            |action: &PlannedAction| action.key.kind == ActionKind::Task && action.decision == Decision::InDoubt;
        if self.actions.iter().any(doubtful) {
            let tags = self.actions.iter_mut().filter(|action| action.key.kind == ActionKind::Tag);
            for tag in tags.filter(|tag| tag.decision == Decision::Do) {
                tag.decision = Decision::Skip; // the ledger keeps the planned entry
                tag.reason = Reason::WaitsForTask;
                tag.order = None;
            }
            if self.reason == Reason::Unfinished && !self.has_work() {
                self.reason = Reason::InDoubt;
            }
        }
    }
}

/// The decision about an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is done.
    Do,
    /// It is not done.
    Skip,
    /// An earlier run claimed it, and its outcome is unknown.
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
    /// The order for the sink; present if and only if the decision is to do it.
    pub order: Option<Order>,
    /// The remote's id of an action that was done before.
    pub remote_id: Option<String>,
    /// The remote's error, if the action failed before.
    pub error: Option<String>,
    /// The changes of the ledger's entry.
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
    Tag(Box<Tag>),
}

impl Order {
    /// The action's short key.
    pub fn short(&self) -> &str {
        match self {
            Order::Task(task) => &task.short,
            Order::Message(message) => &message.short,
            Order::Tag(tag) => &tag.short,
        }
    }
}

impl PlannedAction {
    /// The action, to be done by this order.
    pub(super) fn with_order(self, order: Order) -> Self {
        PlannedAction { decision: Decision::Do, order: Some(order), ..self }
    }

    fn skip(&mut self, reason: Reason) {
        self.decision = Decision::Skip;
        self.reason = reason;
        self.order = None;
        self.changes.clear();
    }
}
