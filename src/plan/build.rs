//! From groups and the ledger's knowledge to the plan.

use std::collections::BTreeSet;

use super::facts::Facts;
use super::group::{Group, SubjectIndex, group};
use super::guard;
use super::item::{Item, Plan};
use super::outage::{self, Judgement};
use super::settings::Settings;
use super::sightings::Sightings;
use crate::model::{ActionKey, Change, Date, Entry, Known, Links, Occasion, OccasionId, Reason, State};
use crate::rules::RuleSet;

/// Which sinks are switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SinksOn {
    /// Zoho tasks.
    pub tasks: bool,
    /// Slack messages.
    pub messages: bool,
    /// Intercom tags.
    pub tags: bool,
}

/// How the new part of the plan is treated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mode {
    /// `--baseline`: record what holds now as handled.
    pub baseline: bool,
    /// `--allow-large-plan`: the guard lets everything through.
    pub allow_large_plan: bool,
    /// `--accept`: the signals of rules that a data outage does not hold.
    pub accept: BTreeSet<String>,
}

/// What this run looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// False where the read broke off: nothing new is planned and nothing clears.
    pub complete: bool,
    /// `--only`: these signals; None means all.
    pub signals: Option<BTreeSet<String>>,
    /// `--contact`: these contacts; None means all.
    pub contacts: Option<BTreeSet<String>>,
}

impl Scope {
    /// The whole workspace, all rules.
    pub fn everything() -> Self {
        Scope { complete: true, signals: None, contacts: None }
    }

    /// Not seen is not false: only a run that looked at everything can see that a signal is gone.
    pub(super) fn sees_absence(&self) -> bool {
        self.complete && self.signals.is_none() && self.contacts.is_none()
    }

    /// Whether the run is concerned with a group at all: somebody may have been read for the figures of another's signal alone.
    pub(super) fn concerns(&self, group: &Group<'_>) -> bool {
        let Some(contacts) = &self.contacts else { return true };
        group.hits.iter().any(|hit| contacts.contains(&hit.contact.id))
            || group.open.is_some_and(|open| !contacts.is_disjoint(&open.contacts))
    }

    /// Whether the run is concerned with an occasion at all.
    pub fn covers(&self, occasion: &Occasion) -> bool {
        self.signals.as_ref().is_none_or(|signals| signals.contains(&occasion.id.signal))
            && self.contacts.as_ref().is_none_or(|contacts| !contacts.is_disjoint(&occasion.contacts))
    }
}

/// Everything that decisions depend on. The same input gives the same plan.
#[derive(Debug, Clone)]
pub struct Input<'a> {
    /// The Intercom workspace.
    pub workspace: &'a str,
    /// The run's instant.
    pub as_of: Date,
    /// The rules.
    pub rules: &'a RuleSet,
    /// The user's settings.
    pub settings: &'a Settings,
    /// How web addresses are made.
    pub links: &'a Links,
    /// Which sinks are on.
    pub sinks: SinksOn,
    /// How the new part is treated.
    pub mode: Mode,
    /// What this run looked at.
    pub scope: Scope,
    /// What was seen.
    pub sightings: &'a Sightings,
    /// What was asked besides.
    pub facts: &'a Facts,
    /// What the ledger knows.
    pub known: &'a Known,
}

/// Builds the plan.
pub fn build(input: &Input<'_>) -> Plan {
    let Judgement { outages, shares, held } = outage::judge(input);
    let mut builder = Builder {
        input,
        subject_index: SubjectIndex::of(input.sightings, input.facts),
        taken: input.known.shorts.clone(),
        warnings: BTreeSet::new(),
        observations: Vec::new(),
        held_signals: held,
        concerned: concerned(input.known),
    };
    let groups = group(input.rules, input.sightings, input.facts, input.known);
    let mut seen = BTreeSet::new();
    let mut items = Vec::new();
    for group in groups.iter().filter(|group| input.scope.concerns(group)) {
        if let Some(open) = group.open {
            seen.insert(open.id.clone());
        }
        let mut item = builder.decide(group);
        if !input.scope.complete {
            item.hold(Reason::Held);
        }
        items.push(item);
    }
    for occasion in input.known.occasions.iter().filter(|occasion| !seen.contains(&occasion.id)) {
        items.extend(builder.decide_unseen(occasion));
    }
    items.iter_mut().for_each(Item::wait_for_task);
    // An incomplete read leaves items with nothing to say.
    items.retain(|item| input.scope.complete || !item.actions.is_empty());
    items.sort_by_cached_key(rank);
    let refusal = guard::hold_back(&mut items, input);
    for item in items.iter_mut().filter(|item| !item.has_work()) {
        item.due_date = builder.due_date_told(item);
    }
    items.sort_by_cached_key(rank);
    let Builder { observations, warnings, .. } = builder;
    Plan {
        workspace: input.workspace.to_owned(),
        as_of: input.as_of,
        items,
        observations,
        shares,
        outages,
        refusal,
        warnings: warnings.into_iter().collect(),
    }
}

/// Most urgent first: by priority, due date, then id, so that the order is total.
pub(super) fn rank(item: &Item) -> impl Ord + use<> {
    (std::cmp::Reverse(item.priority), item.due_date, item.occasion.clone())
}

fn free_short(taken: &BTreeSet<String>, workspace: &str, id: &OccasionId, key: &ActionKey) -> String {
    let of_length = |digits| key.short(workspace, &id.signal, &id.subject, id.opened_at, digits);
    // The hash has 32 characters to give; that all of them collide does not happen.
    (8..32).map(of_length).find(|short| !taken.contains(short)).unwrap_or_else(|| of_length(32))
}

/// The plan in the making.
pub(super) struct Builder<'a> {
    pub(super) input: &'a Input<'a>,
    pub(super) subject_index: SubjectIndex<'a>,
    pub(super) observations: Vec<Change>,
    pub(super) warnings: BTreeSet<String>,
    /// The rules that a data outage holds.
    pub(super) held_signals: BTreeSet<String>,
    taken: BTreeSet<String>,
    /// Signals and contacts of open occasions.
    concerned: BTreeSet<(&'a str, &'a str)>,
}

fn concerned<'known>(known: &'known Known) -> BTreeSet<(&'known str, &'known str)> {
    let open = known.occasions.iter().filter(|occasion| occasion.is_open());
    let contacts = |occasion: &'known Occasion| {
        occasion.contacts.iter().map(|contact| (occasion.id.signal.as_str(), contact.as_str()))
    };
    open.flat_map(contacts).collect()
}

impl Builder<'_> {
    /// The short form of a new action's key, lengthened where it is taken.
    pub(super) fn short(&mut self, id: &OccasionId, key: &ActionKey) -> String {
        let short = free_short(&self.taken, self.input.workspace, id, key);
        self.taken.insert(short.clone());
        short
    }

    /// A new entry for the ledger.
    pub(super) fn entry(&mut self, id: &OccasionId, key: &ActionKey, state: State, reason: Reason) -> Entry {
        Entry {
            key: key.clone(),
            short: self.short(id, key),
            state,
            reason,
            prior: None,
            remote_id: None,
            error: None,
            claimed_at: None,
            sent_to: None,
            closed_at: (state != State::Planned).then_some(self.input.as_of),
            may_repeat: false,
        }
    }

    /// Whether an open occasion of the signal concerns the contact.
    pub(super) fn is_concerned(&self, signal: &str, contact: &str) -> bool {
        self.concerned.contains(&(signal, contact))
    }

    /// Whether the sink of such actions is on.
    pub(super) fn sink_on(&self, key: &ActionKey) -> bool {
        use crate::model::ActionKind;
        match key.kind {
            ActionKind::Task => self.input.sinks.tasks,
            ActionKind::Message => self.input.sinks.messages,
            ActionKind::Tag | ActionKind::Untag => self.input.sinks.tags,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::model::{ActionKind, Subject, SubjectKind};

    #[test]
    fn a_short_key_that_is_taken_is_lengthened() {
        let subject = Subject { kind: SubjectKind::Account, id: "acme".into() };
        let opened_at = DateTime::from_timestamp(0, 0).unwrap();
        let id = OccasionId { signal: "storage_limit".into(), subject, opened_at };
        let key = ActionKey { kind: ActionKind::Task, level: String::new(), contact: String::new() };
        let first = free_short(&BTreeSet::new(), "w", &id, &key);
        assert_eq!(first.len(), "US-".len() + 8);
        let second = free_short(&BTreeSet::from([first.clone()]), "w", &id, &key);
        assert_eq!(second.len(), first.len() + 1);
        assert!(second.starts_with(&first));
    }
}
