//! The properties: of a plan before it is applied, of the ledger and the world after each run, and of the end of a history.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use usage_signals::model::{ActionKind, Change, Entry, Known, Occasion, OccasionId, Reason, State, SubjectKind, Truth};
use usage_signals::plan::settings::OnUntag;
use usage_signals::plan::{Decision, Item, Plan, PlannedAction};

use super::history::History;
use crate::support::*;

type Holds = Result<(), TestCaseError>;

pub(super) fn plan(history: &History, plan: &Plan, before: &Known) -> Holds {
    let mut keys = BTreeSet::new();
    let mut shorts = BTreeSet::new();
    for item in &plan.items {
        let occasion = before.occasions.iter().find(|occasion| occasion.id == item.occasion);
        for action in &item.actions {
            prop_assert!(keys.insert((item.occasion.clone(), action.key.clone())), "planned twice: {action:?}");
            prop_assert!(shorts.insert(action.short.clone()), "one short key for two: {action:?}");
            prop_assert_eq!(action.order.is_some(), action.decision == Decision::Do, "{:?}", action);
            prop_assert!(gives_a_reason(action), "{action:?} of {item:#?}");
            let entry = occasion.and_then(|occasion| occasion.entry(&action.key));
            if action.decision == Decision::Do {
                only_what_is_wanted(history, action, entry)?;
            }
        }
        snoozed(history, item, occasion)?;
        if let Some(chosen) = &history.world.scope.contacts {
            let concerned = occasion.into_iter().flat_map(|occasion| &occasion.contacts);
            let mut concerned = concerned.chain(item.people.iter().map(|person| &person.id));
            prop_assert!(concerned.any(|id| chosen.contains(id)), "the scope does not include it: {item:#?}");
        }
    }
    let mut changed = BTreeSet::new();
    for change in plan.changes() {
        let short = match &change {
            Change::Enter { entry, .. } => &entry.short,
            Change::Step { short, .. } => short,
            _ => continue,
        };
        prop_assert!(changed.insert(short.clone()), "changed twice: {change:?}");
        let done = plan.to_do().find(|(_, action)| action.short == *short && !action.changes.contains(&change));
        prop_assert!(done.is_none(), "changed and done besides: {change:?} {done:#?}");
    }
    limits(history, plan, before)
}

/// Returns whether the reason fits the action: an action that is not done must not be "new".
fn gives_a_reason(action: &PlannedAction) -> bool {
    use Reason::{
        AlreadyDone, AlreadyTagged, Baseline, Cleared, Clearing, ContactGone, DataOutage, Dismissed, Escalated,
        Forgotten, Held, InDoubt, Joined, New, Refused, Resolved, Returned, SinkOff, Snoozed, TagRecreated,
        TagRestored, Unfinished, UntaggedByPerson, WaitsForTask,
    };
    match action.decision {
        Decision::InDoubt => action.reason == InDoubt,
        Decision::Do => match action.reason {
            New | Returned | Escalated | Unfinished => true,
            AlreadyTagged | Joined | TagRecreated | TagRestored | Baseline => action.key.kind == ActionKind::Tag,
            Cleared => action.key.kind == ActionKind::Untag,
            _ => false,
        },
        Decision::Skip => match action.reason {
            AlreadyTagged | Baseline | AlreadyDone | UntaggedByPerson | Snoozed | SinkOff | Held | DataOutage
            | Clearing | Cleared | ContactGone | Refused | WaitsForTask | Unfinished => true,
            Escalated => matches!(action.key.kind, ActionKind::Task | ActionKind::Message),
            Returned => action.key.kind == ActionKind::Untag,
            // No history contains commands of a person.
            Resolved | Dismissed | Forgotten => false,
            New | InDoubt | Joined | TagRecreated | TagRestored => false,
        },
    }
}

/// Checks that the plan repeats nothing. The exception is a tag that is gone from the workspace, or that a person removed from the
/// contact while `on_untag` is "restore".
fn only_what_is_wanted(history: &History, action: &PlannedAction, entry: Option<&Entry>) -> Holds {
    let Some(entry) = entry else { return Ok(()) };
    let gone = entry.remote_id.as_ref().is_none_or(|id| !history.world.tag_ids.values().any(|known| known == id));
    match (entry.state, action.reason) {
        (State::Planned, _) => {}
        (State::Dropped, Reason::Unfinished) => {
            prop_assert!(entry.reason == Reason::ContactGone, "dropped for good: {action:?} {entry:?}");
        }
        (State::Done, Reason::TagRecreated) => prop_assert!(gone, "the tag is there: {action:?}"),
        (State::Done | State::Undone, Reason::TagRestored) => {
            prop_assert!(history.on_untag == OnUntag::Restore, "a person took it off: {action:?}");
        }
        _ => prop_assert!(false, "done or in doubt, and planned again: {action:?} {entry:?}"),
    }
    Ok(())
}

/// Checks that a snoozed subject gets no task, message or tag, and that no occasion of it opens or rises.
fn snoozed(history: &History, item: &Item, occasion: Option<&Occasion>) -> Holds {
    let concerned = occasion.filter(|occasion| occasion.is_open()).into_iter().flat_map(|occasion| &occasion.contacts);
    let mut concerned = concerned.chain(item.people.iter().map(|person| &person.id));
    let company = match item.subject().kind {
        SubjectKind::Account => Some(item.subject().id.clone()),
        SubjectKind::Contact => {
            let representative = history.world.contacts.get(&item.representative.id);
            representative.and_then(|contact| contact.companies.ids.iter().min().cloned())
        }
    };
    let company_is = company.is_some_and(|company| history.is_company_snoozed(&company));
    if !company_is && !concerned.any(|id| history.is_snoozed(id)) {
        return Ok(());
    }
    let done =
        item.actions.iter().filter(|action| action.decision == Decision::Do && action.key.kind != ActionKind::Untag);
    prop_assert_eq!(done.count(), 0, "done though it is snoozed: {:#?}", item);
    let opens = item.changes.iter().any(|change| matches!(change, Change::Open { .. } | Change::Raise { .. }));
    prop_assert!(!opens, "opened though it is snoozed: {item:#?}");
    Ok(())
}

/// Checks the limits: `--top`, the guard, `--baseline`, an incomplete read and a data outage hold back new signals, and never
/// unfinished actions.
fn limits(history: &History, plan: &Plan, before: &Known) -> Holds {
    let PlanWorld { mode, config, scope, .. } = &history.world;
    let limits = config.plan.limits;
    let states: BTreeMap<&str, State> = before
        .occasions
        .iter()
        .flat_map(|occasion| &occasion.entries)
        .map(|entry| (entry.short.as_str(), entry.state))
        .collect();
    let is_new = |action: &PlannedAction| states.get(action.short.as_str()) != Some(&State::Planned);
    let is_communicated = |action: &PlannedAction| matches!(action.key.kind, ActionKind::Task | ActionKind::Message);
    let changes = plan.changes();
    let opens = |change: &&Change| matches!(change, Change::Open { .. } | Change::Raise { .. });
    if plan.refusal.is_some() || !scope.complete {
        prop_assert_eq!(changes.iter().find(opens), None, "opened though it was refused");
        let new = plan.to_do().find(|(_, action)| is_new(action) && action.key.kind != ActionKind::Untag);
        prop_assert!(new.is_none(), "new though it was refused: {new:#?}");
    }
    prop_assert!(plan.refusal.is_none() || !(mode.allow_large_plan || mode.baseline));
    if mode.baseline {
        let communicated = plan.to_do().find(|(_, action)| is_communicated(action) && is_new(action));
        prop_assert!(communicated.is_none(), "communicated by a baseline: {communicated:#?}");
    }
    let acts = |item: &&Item| {
        matches!(item.reason, Reason::New | Reason::Returned | Reason::Escalated) && item.has_work()
            || item
                .actions
                .iter()
                .any(|action| is_communicated(action) && is_new(action) && action.decision == Decision::Do)
    };
    let subjects: BTreeSet<_> = plan.items.iter().filter(acts).map(Item::subject).collect();
    if let Some(top) = limits.top {
        prop_assert!(subjects.len() <= top, "beyond --top {top}: {subjects:?}");
    }
    let new_tasks = plan.to_do().filter(|(_, action)| action.key.kind == ActionKind::Task && is_new(action)).count();
    prop_assert!(mode.allow_large_plan || new_tasks <= limits.max_new_tasks, "{new_tasks} new tasks pass the guard");
    for item in plan.items.iter().filter(|item| item.reason == Reason::Held) {
        prop_assert_eq!(item.changes.iter().find(opens), None, "opened though it is held");
    }
    let held: BTreeSet<_> = plan.outages.iter().flat_map(|outage| &outage.paused).collect();
    for change in &changes {
        let id = match change {
            Change::Open { id, .. } | Change::Raise { id, .. } | Change::End { id, .. } | Change::Join { id, .. } => id,
            Change::FalseSince { id, since: Some(_) } => id,
            _ => continue,
        };
        prop_assert!(!held.contains(&id.signal), "an outage holds it: {change:?}");
    }
    Ok(())
}

/// Checks the properties that hold at any time.
pub(super) fn state(history: &History) -> Holds {
    let world = &history.world;
    let known = world.known();
    let mut open = BTreeSet::new();
    let mut concerned = BTreeSet::new();
    for occasion in known.occasions.iter().filter(|occasion| occasion.is_open()) {
        prop_assert!(open.insert((&occasion.id.signal, &occasion.id.subject)), "two are open: {occasion:#?}");
        for contact in &occasion.contacts {
            prop_assert!(concerned.insert((&occasion.id.signal, contact)), "{contact} is in two: {known:#?}");
        }
        for entry in occasion.entries.iter().filter(|entry| entry.state == State::Undone) {
            let person =
                history.taken_off.iter().any(|(id, signal)| (id, *signal) == (&entry.key.contact, &occasion.id.signal));
            prop_assert!(person, "no person removed it: {entry:?} of {known:#?}");
        }
    }
    let mut left_open: BTreeMap<&OccasionId, usize> = BTreeMap::new();
    for (id, whose) in &world.tasks {
        *left_open.entry(&whose.0).or_default() += usize::from(!world.completed.contains(id));
    }
    for (what, all) in [("tasks", &world.tasks), ("messages", &world.messages)] {
        let mut made: BTreeMap<&(OccasionId, String), usize> = BTreeMap::new();
        all.values().for_each(|whose| *made.entry(whose).or_default() += 1);
        prop_assert!(made.values().all(|count| *count == 1), "two {what} for one occasion and level: {made:#?}");
    }
    prop_assert!(left_open.values().all(|count| *count <= 1), "two open tasks for one occasion: {left_open:#?}");
    Ok(())
}

/// Checks the end of a history: every subject that signals has an open occasion at its level. The task and the message of the
/// level are done, refused, or skipped for good.
pub(super) fn nothing_lost(history: &History) -> Holds {
    let world = &history.world;
    let known = world.known();
    let rules = &world.config.rules;
    for contact in world.contacts.values() {
        let evaluation = rules.evaluate(contact, hour(history.now));
        for (rule, verdict) in rules.rules.iter().zip(&evaluation.verdicts) {
            if verdict.truth != Truth::True {
                continue;
            }
            let mut occasions = known.occasions.iter().filter(|occasion| {
                occasion.is_open() && occasion.id.signal == rule.signal && occasion.contacts.contains(&contact.id)
            });
            let Some(occasion) = occasions.next() else {
                prop_assert!(false, "{} of {} is lost", rule.signal, contact.id);
                continue;
            };
            let tag = occasion
                .entries
                .iter()
                .find(|entry| entry.key.kind == ActionKind::Tag && entry.key.contact == contact.id);
            prop_assert!(tag.is_some(), "{} has no tag: {occasion:#?}", contact.id);
            // If a person removed the tag, the contact gets nothing more until the occasion ends.
            let given_up = tag.is_some_and(|tag| tag.state == State::Undone) && history.on_untag == OnUntag::Keep;
            let reached = rule.rank(&occasion.level) >= rule.rank(&verdict.level);
            prop_assert!(reached || given_up, "a level is lost: {occasion:#?}");
            for kind in [ActionKind::Task, ActionKind::Message] {
                let of_level = |entry: &&Entry| entry.key.kind == kind && entry.key.level == occasion.level;
                let entry = occasion.entries.iter().find(of_level);
                prop_assert!(entry.is_some_and(is_finished), "no {} for the level: {:#?}", kind.name(), occasion);
            }
            let open = |entry: &Entry| matches!(entry.state, State::Planned | State::Claimed);
            prop_assert!(!occasion.entries.iter().any(open), "left undone: {occasion:#?}");
        }
    }
    Ok(())
}

/// Checks that a refusal is not for ever.
pub(super) fn nothing_refused(history: &History) -> Holds {
    let occasions = history.world.known().occasions;
    let refused = occasions.iter().flat_map(|occasion| &occasion.entries).find(|entry| entry.state == State::Refused);
    prop_assert!(refused.is_none(), "refused for ever: {refused:?} of {occasions:#?}");
    Ok(())
}

/// Returns whether an action is done, refused by the service, or skipped for good.
fn is_finished(entry: &Entry) -> bool {
    match entry.state {
        State::Done | State::Refused => true,
        State::Skipped => matches!(entry.reason, Reason::SinkOff | Reason::Baseline | Reason::AlreadyTagged),
        State::Planned | State::Claimed | State::Dropped | State::Undone => false,
    }
}
