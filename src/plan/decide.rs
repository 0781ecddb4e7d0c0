//! The decision table: what is done about a subject whose rule is true.
//!
//! One function decides each reason of the table in `docs/decisions.md`:
//!
//! | reason | decided by |
//! |---|---|
//! | `new`, `already_tagged`, `returned`, `baseline` | [`Builder::opening_reason`] |
//! | `escalated` | [`Builder::escalated_level`] |
//! | `already_done`, `unfinished`, `in_doubt`, `refused` | [`Builder::resume`] |
//! | `joined` | [`Builder::continue_tags`] |
//! | `untagged_by_person`, `tag_recreated`, `tag_restored`, `contact_gone` | [`Builder::continue_tag`] |
//! | `snoozed` | [`Builder::snooze`] |
//! | `sink_off` | [`Builder::plan_action`] |
//! | `held` | [`hold_items`](super::guard::hold_items) |
//! | `data_outage` | [`judge_data`](super::data_health::judge_data) |
//! | `clearing`, `cleared` | [`Builder::decide_unseen`] |
//! | `waits_for_task` | [`Item::wait_for_task`] |

use chrono::TimeDelta;

use super::builder::Builder;
use super::continuation::{Continuation, Extent};
use super::group::Group;
use super::item::{Item, PlannedAction};
use super::rendering::{Earlier, Rendering};
use super::settings::ExistingTag;
use super::snooze::Snooze;
use crate::model::{ActionKey, ActionKind, Change, Occasion, OccasionId, Reason, State, Step, SubjectKind};

impl Builder<'_> {
    /// Decides what is done about a subject whose rule is true.
    pub(super) fn decide(&mut self, group: &Group<'_>) -> Item {
        let mut item = match group.open {
            Some(open) => self.continue_occasion(group, open),
            None => self.open_occasion(group),
        };
        match self.snooze(group.company(self.input.facts).as_deref(), &group.hits, group.open) {
            Snooze::Yes => item.skip_all(Reason::Snoozed),
            Snooze::Unknown => item.skip_all(Reason::Unfinished),
            Snooze::No if self.is_paused(group.rule) => item.hold(Reason::DataOutage),
            Snooze::No => {}
        }
        item
    }

    /// No occasion is open: one opens, with one action of each kind [per occasion](ActionKind::per_occasion), and a tag for every contact.
    fn open_occasion(&mut self, group: &Group<'_>) -> Item {
        let reason = self.opening_reason(group);
        let id = self.new_occasion_id(group);
        let prior = group.ended.filter(|_| group.continues_ended && reason == Reason::Returned);
        let rendering = self.render_group(group, group.level(), Earlier { open: None, prior });
        let mut item = group_item(group, &rendering, id.clone(), reason);
        item.changes.push(opening(group, &rendering, &id));
        for hit in &group.hits {
            item.changes.extend(self.keep_pending_untags(group.rule, &hit.contact));
        }
        for kind in ActionKind::per_occasion() {
            let key = ActionKey::of_level(kind, group.level());
            item.actions.push(match reason {
                Reason::New | Reason::Returned => self.plan_action(&rendering, &id, &key, reason),
                _ => self.record_skipped(&id, &key, reason),
            });
        }
        for hit in &group.hits {
            item.actions.push(self.tag_entering_contact(group, &rendering, &id, &hit.contact, reason));
        }
        let mut held = item.clone();
        held.skip_all(Reason::Held);
        Item { if_held: Some(Box::new(held)), ..item }
    }

    /// Why an occasion opens: the rows of the decision table for a subject without an open occasion.
    fn opening_reason(&self, group: &Group<'_>) -> Reason {
        let handled = group.ended.is_none()
            && self.input.settings.existing_tag == ExistingTag::Handled
            && self.any_carries(group);
        match group.ended {
            _ if handled => Reason::AlreadyTagged,
            _ if self.input.mode.baseline => Reason::Baseline,
            Some(_) => Reason::Returned,
            None => Reason::New,
        }
    }

    fn new_occasion_id(&self, group: &Group<'_>) -> OccasionId {
        // Always later than the previous occasion: if the clock was set back, the two would have one id.
        let earliest = group.ended.map(|ended| ended.id.opened_at + TimeDelta::seconds(1));
        let opened_at = earliest.map_or(self.input.as_of, |earliest| earliest.max(self.input.as_of));
        OccasionId { signal: group.rule.signal.clone(), subject: group.subject.clone(), opened_at }
    }

    /// An occasion is open: unfinished actions are done, and new ones too unless the item is held.
    fn continue_occasion(&mut self, group: &Group<'_>, open: &Occasion) -> Item {
        if open.false_since.is_some() {
            self.observations.push(Change::FalseSince { id: open.id.clone(), since: None });
        }
        let escalated_level = self.escalated_level(group, open);
        // The texts show the level that holds now, unless the occasion has to wait before it escalates to that level.
        let is_higher = group.rule.rank(group.level()) > group.rule.rank(&open.level);
        let level = if is_higher { &open.level } else { group.level() };
        let earlier = Earlier { open: Some(open), prior: Some(open) };
        let rendering = self.render_group(group, level, earlier);
        let unfinished_only =
            Continuation { group, open, rendering: &rendering, extent: Extent::UnfinishedOnly, escalated_to: None };
        let if_held = self.continue_as(unfinished_only);
        let everything = Continuation { extent: Extent::Everything, ..unfinished_only };
        let item = match &escalated_level {
            Some(level) => {
                let rendering = self.render_group(group, group.level(), earlier);
                self.continue_as(Continuation { rendering: &rendering, escalated_to: Some(level), ..everything })
            }
            None => self.continue_as(everything),
        };
        if item == if_held { item } else { Item { if_held: Some(Box::new(if_held)), ..item } }
    }

    fn continue_as(&mut self, continuation: Continuation<'_>) -> Item {
        let Continuation { group, open, rendering, .. } = continuation;
        let mut item = group_item(group, rendering, open.id.clone(), Reason::AlreadyDone);
        self.continue_per_occasion(continuation, &mut item);
        self.continue_tags(continuation, &mut item);
        item.actions.sort_by(|one, other| one.key.cmp(&other.key));
        item.reason = match continuation.escalated_to {
            Some(_) => self.escalation_reason(),
            None => leading_reason(&item.actions),
        };
        item
    }

    fn continue_per_occasion(&mut self, continuation: Continuation<'_>, item: &mut Item) {
        let Continuation { open, rendering, escalated_to, .. } = continuation;
        let reason = self.escalation_reason();
        let is_escalating = escalated_to.is_some() && reason == Reason::Escalated;
        for entry in &open.entries {
            item.actions.push(match (entry.key.kind, entry.state) {
                (kind, _) if !kind.is_per_occasion() => continue,
                // The action of the higher level replaces it.
                (_, State::Planned | State::Refused) if is_escalating => {
                    self.skip_and_step(entry, Step::Drop, Reason::Escalated)
                }
                _ => self.resume(rendering, entry),
            });
        }
        let Some(level) = escalated_to else { return };
        item.changes.push(Change::Raise { id: open.id.clone(), level: level.to_owned() });
        for kind in ActionKind::per_occasion() {
            let key = ActionKey::of_level(kind, level);
            item.actions.push(match reason {
                Reason::Escalated => self.plan_action(rendering, &open.id, &key, reason),
                _ => self.record_skipped(&open.id, &key, reason),
            });
        }
    }

    /// The level to which the occasion escalates; None where it stays at its level.
    fn escalated_level(&self, group: &Group<'_>, open: &Occasion) -> Option<String> {
        // A task in doubt may exist. It can be brought forward once the answer is known.
        if open.entries.iter().any(|entry| entry.key.kind == ActionKind::Task && entry.state == State::Claimed) {
            return None;
        }
        // A contact whose tag a person took off raises no level until the occasion ends.
        let hits = group.hits.iter().filter(|hit| !self.was_untagged(group, open, &hit.contact));
        let level = hits.map(|hit| hit.level.as_str()).max_by_key(|level| group.rule.rank(level))?;
        // A level that was acted on once is not acted on again, even after the rule's levels were put in another order.
        let entry = |kind| open.entry(&ActionKey::of_level(kind, level));
        let acted_on = ActionKind::per_occasion().any(|kind| entry(kind).is_some());
        (group.rule.rank(level) > group.rule.rank(&open.level) && !acted_on).then(|| level.to_owned())
    }

    /// A baseline records the higher level as handled.
    fn escalation_reason(&self) -> Reason {
        if self.input.mode.baseline { Reason::Baseline } else { Reason::Escalated }
    }
}

fn opening(group: &Group<'_>, rendering: &Rendering<'_>, id: &OccasionId) -> Change {
    let of_person = group.subject.kind == SubjectKind::Contact;
    Change::Open {
        id: id.clone(),
        level: rendering.brief.level.clone(),
        representative: rendering.brief.representative.id.clone(),
        contacts: group.hits.iter().map(|hit| hit.contact.id.clone()).collect(),
        // The old task is brought forward where it is, and a new one goes on the same record.
        link: rendering.earlier.prior.and_then(|ended| ended.link.clone()),
        person: of_person.then(|| group.hits.iter().find_map(|hit| hit.contact.person())).flatten(),
    }
}

/// An item of a subject that signals, without actions and changes.
fn group_item(group: &Group<'_>, rendering: &Rendering<'_>, occasion: OccasionId, reason: Reason) -> Item {
    let evidence = group.representative().map(|hit| hit.evidence.clone()).unwrap_or_default();
    Item { evidence, ..rendering.item(occasion, reason) }
}

/// The most telling reason among the actions: first of what is done, then of what is left.
pub(super) fn leading_reason(actions: &[PlannedAction]) -> Reason {
    const BY_WEIGHT: [Reason; 14] = [
        Reason::TagRecreated,
        Reason::TagRestored,
        Reason::Joined,
        Reason::Unfinished,
        Reason::InDoubt,
        Reason::Refused,
        Reason::UntaggedByPerson,
        Reason::Clearing,
        Reason::Cleared,
        Reason::ContactGone,
        Reason::WaitsForTask,
        Reason::AlreadyDone,
        Reason::SinkOff,
        Reason::Dismissed,
    ];
    let has = |reason: &&Reason| actions.iter().any(|action| action.reason == **reason);
    BY_WEIGHT.iter().find(has).copied().unwrap_or(Reason::AlreadyDone)
}
