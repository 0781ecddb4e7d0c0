//! The decision table: what is done about a subject whose rule is true.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::build::Builder;
use super::facts::Carries;
use super::group::Group;
use super::item::{Decision, Item, PlannedAction};
use super::orders::{Earlier, Rendering, person};
use super::settings::{ExistingTag, OnUntag};
use crate::model::{
    ActionKey, ActionKind, Change, Contact, Entry, MessageRef, Occasion, OccasionId, Person, Reason, State, Step,
    SubjectKind,
};
use crate::rules::Rule;

impl Builder<'_> {
    /// What is done about a subject whose rule is true.
    pub(super) fn decide(&mut self, group: &Group<'_>) -> Item {
        let mut item = match group.open {
            Some(open) => self.go_on(group, open),
            None => self.open(group),
        };
        let concerned = group.open.iter().flat_map(|open| &open.contacts);
        let concerned = concerned.filter_map(|id| self.input.sightings.contact(id));
        let contacts = group.hits.iter().map(|hit| &hit.contact).chain(concerned);
        let company = group.company(self.input.facts);
        if self.is_snoozed(company.as_deref(), contacts) {
            item.leave_all(Reason::Snoozed);
            item.if_held = None;
        } else if group.open.is_some_and(|open| self.may_be_snoozed(company.as_deref(), open)) {
            item.leave_all(Reason::Unfinished);
            item.if_held = None;
        } else if self.is_held(group.rule) {
            item.hold(Reason::DataOutage);
        }
        item
    }

    /// Whether the rule is held by a data outage.
    pub(super) fn is_held(&self, rule: &Rule) -> bool {
        self.held_signals.contains(&rule.signal)
    }

    /// Whether the snooze tag is on the company or on one of the contacts.
    pub(super) fn is_snoozed<'c>(
        &self,
        company: Option<&str>,
        mut contacts: impl Iterator<Item = &'c Arc<Contact>>,
    ) -> bool {
        let facts = self.input.facts;
        let snooze_tag = &self.input.settings.snooze_tag;
        let is_snooze_tag = |tag: &String| tag.to_lowercase() == snooze_tag.to_lowercase();
        let company = company.and_then(|id| facts.companies.get(id));
        if company.is_some_and(|company| company.tags.iter().any(is_snooze_tag)) {
            return true;
        }
        let Some(tag_id) = facts.tag_id(snooze_tag) else { return false };
        contacts.any(|contact| facts.carries(contact, tag_id) == Carries::Yes)
    }

    /// Whether the answer is missing that would tell: what is unfinished then waits.
    pub(super) fn may_be_snoozed(&self, company: Option<&str>, occasion: &Occasion) -> bool {
        let (facts, sightings) = (self.input.facts, self.input.sightings);
        let is_known = |id: &String| {
            let contact = sightings.contact(id);
            facts.gone.contains(id)
                || facts.tags_of.contains_key(id)
                || contact.is_some_and(|contact| contact.tags.complete)
        };
        let company_is_known = company.is_none_or(|id| facts.companies.contains_key(id));
        facts.unanswered && !(company_is_known && occasion.contacts.iter().all(is_known))
    }

    /// No occasion is open: one opens, as new, again, or handled.
    fn open(&mut self, group: &Group<'_>) -> Item {
        let reason = self.opening_reason(group);
        let level = group.level().to_owned();
        let id = self.new_occasion_id(group);
        let earlier =
            Earlier { open: None, prior: group.ended.filter(|_| group.continues_ended && reason == Reason::Returned) };
        let rendering = self.render_group(group, &level, earlier);
        let open = self.opening(group, &rendering, &id, &level, earlier);
        let mut item = self.item(group, &rendering, id.clone(), reason, vec![open]);
        for hit in &group.hits {
            item.changes.extend(self.leave_on(group.rule, &hit.contact));
        }
        for kind in [ActionKind::Task, ActionKind::Message] {
            let key = ActionKey { kind, level: level.clone(), contact: String::new() };
            item.actions.push(match reason {
                Reason::New | Reason::Returned => self.want(&rendering, &id, &key, reason, earlier),
                _ => self.record_skip(&id, &key, reason),
            });
        }
        for hit in &group.hits {
            let key = ActionKey { kind: ActionKind::Tag, level: String::new(), contact: hit.contact.id.clone() };
            item.actions.push(match self.carries(group, &hit.contact) {
                Carries::Yes => self.record_tag_found(group, &id, &key),
                Carries::No => self.want(&rendering, &id, &key, reason, earlier),
                Carries::Gone => self.record_skip(&id, &key, Reason::ContactGone),
            });
        }
        let mut held = item.clone();
        held.leave_all(Reason::Held);
        Item { if_held: Some(Box::new(held)), ..item }
    }

    /// A tag of an occasion before that was still to come off stays on when the contact comes into another: it is true again.
    /// A contact signals in one group only, so that nothing is dropped twice.
    fn leave_on(&self, rule: &Rule, contact: &Contact) -> Vec<Change> {
        if self.is_concerned(&rule.signal, &contact.id) {
            return Vec::new(); // dropped with what is left of the occasion before
        }
        let earlier = self.input.known.occasions.iter().filter(|occasion| occasion.id.signal == rule.signal);
        let late = earlier.flat_map(|occasion| &occasion.entries).filter(|entry| {
            entry.key.kind == ActionKind::Untag && entry.state == State::Planned && entry.key.contact == contact.id
        });
        let drop =
            |entry: &Entry| Change::Step { short: entry.short.clone(), step: Step::Drop, reason: Reason::Returned };
        late.map(drop).collect()
    }

    fn opening(
        &self,
        group: &Group<'_>,
        rendering: &Rendering<'_>,
        id: &OccasionId,
        level: &str,
        earlier: Earlier<'_>,
    ) -> Change {
        let person = (group.subject.kind == SubjectKind::Contact)
            .then(|| group.hits.iter().find_map(|hit| hit.contact.person()))
            .flatten();
        Change::Open {
            id: id.clone(),
            level: level.to_owned(),
            representative: rendering.brief.representative.id.clone(),
            contacts: group.hits.iter().map(|hit| hit.contact.id.clone()).collect(),
            // The old task is brought forward where it is, and a new one belongs beside it.
            link: earlier.prior.and_then(|ended| ended.link.clone()),
            person,
        }
    }

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
        // Later than the one before even when the clock jumped back, or two occasions would be one.
        let earliest = group.ended.map(|ended| ended.id.opened_at + chrono::TimeDelta::seconds(1));
        let opened_at = earliest.map_or(self.input.as_of, |earliest| earliest.max(self.input.as_of));
        OccasionId { signal: group.rule.signal.clone(), subject: group.subject.clone(), opened_at }
    }

    fn carries(&self, group: &Group<'_>, contact: &Contact) -> Carries {
        let facts = self.input.facts;
        facts.tag_id(&group.rule.tag).map_or(Carries::No, |tag_id| facts.carries(contact, tag_id))
    }

    fn any_carries(&self, group: &Group<'_>) -> bool {
        let others = self.subject_index.others(group);
        let signalling = group.hits.iter().map(|hit| hit.contact.as_ref());
        signalling.chain(others).any(|contact| self.carries(group, contact) == Carries::Yes)
    }

    /// An occasion is open: what is missing is done, and what is new about it.
    fn go_on(&mut self, group: &Group<'_>, open: &Occasion) -> Item {
        if open.false_since.is_some() {
            self.observations.push(Change::FalseSince { id: open.id.clone(), since: None });
        }
        let rest = self.go_on_with(group, open, Extent::UnfinishedOnly);
        let whole = self.go_on_with(group, open, Extent::Everything);
        if whole == rest {
            return rest;
        }
        Item { if_held: Some(Box::new(rest)), ..whole }
    }

    fn go_on_with(&mut self, group: &Group<'_>, open: &Occasion, extent: Extent) -> Item {
        let id = &open.id;
        let earlier = Earlier { open: Some(open), prior: Some(open) };
        let higher = self.higher_level(group, open).filter(|_| extent == Extent::Everything);
        // What is rendered must not contradict itself: the level that holds now, unless it is one that has to wait.
        let waits = higher.is_none() && group.rule.rank(group.level()) > group.rule.rank(&open.level);
        let level = if waits { open.level.clone() } else { group.level().to_owned() };
        let rendering = self.render_group(group, &level, earlier);
        let mut item = self.item(group, &rendering, id.clone(), Reason::AlreadyDone, Vec::new());
        let reason = if self.input.mode.baseline { Reason::Baseline } else { Reason::Escalated };
        for entry in
            open.entries.iter().filter(|entry| matches!(entry.key.kind, ActionKind::Task | ActionKind::Message))
        {
            let superseded = higher.is_some() && reason == Reason::Escalated && entry.state == State::Planned;
            item.actions.push(if superseded {
                self.step(entry, Step::Drop, Reason::Escalated) // the higher level says it all
            } else {
                self.carry_on(&rendering, entry, earlier)
            });
        }
        if let Some(higher) = &higher {
            item.changes.push(Change::Raise { id: id.clone(), level: higher.clone() });
            for kind in [ActionKind::Task, ActionKind::Message] {
                let key = ActionKey { kind, level: higher.clone(), contact: String::new() };
                item.actions.push(match reason {
                    Reason::Escalated => self.want(&rendering, id, &key, reason, earlier),
                    _ => self.record_skip(id, &key, reason),
                });
            }
        }
        self.go_on_with_tags(group, open, &rendering, extent, &mut item);
        item.actions.sort_by(|one, other| one.key.cmp(&other.key));
        item.reason = higher.map_or_else(|| leading_reason(&item.actions), |_| reason);
        item
    }

    /// The level to which the occasion escalates, if it does.
    fn higher_level(&self, group: &Group<'_>, open: &Occasion) -> Option<String> {
        // A task in doubt may be there; bringing it forward has to wait for the answer.
        if open.entries.iter().any(|entry| entry.key.kind == ActionKind::Task && entry.state == State::Claimed) {
            return None;
        }
        // Of a contact whose tag a person took off, nothing more until the occasion ends.
        let hits = group.hits.iter().filter(|hit| !self.taken_off(group, open, &hit.contact));
        let level = hits.map(|hit| hit.level.as_str()).max_by_key(|level| group.rule.rank(level))?;
        // A level that was acted on before stays so, even when the rule's levels are put in another order.
        let known = |kind| ActionKey { kind, level: level.to_owned(), contact: String::new() };
        let acted_on =
            [ActionKind::Task, ActionKind::Message].into_iter().any(|kind| open.entry(&known(kind)).is_some());
        (group.rule.rank(level) > group.rule.rank(&open.level) && !acted_on).then(|| level.to_owned())
    }

    fn taken_off(&self, group: &Group<'_>, open: &Occasion, contact: &Contact) -> bool {
        let key = ActionKey { kind: ActionKind::Tag, level: String::new(), contact: contact.id.clone() };
        let entry = open.entry(&key).filter(|entry| matches!(entry.state, State::Done | State::Undone));
        let Some(entry) = entry else { return false }; // what was never on was not taken off
        self.input.settings.on_untag == OnUntag::Keep
            && match self.find_tag(group, entry, contact) {
                TagPresence::TakenOff => true,
                TagPresence::Present | TagPresence::GoneFromWorkspace | TagPresence::ContactGone => false,
            }
    }

    fn go_on_with_tags(
        &mut self,
        group: &Group<'_>,
        open: &Occasion,
        rendering: &Rendering<'_>,
        extent: Extent,
        item: &mut Item,
    ) {
        let earlier = Earlier { open: Some(open), prior: Some(open) };
        let signalling: BTreeSet<_> = group.hits.iter().map(|hit| hit.contact.id.as_str()).collect();
        for hit in &group.hits {
            let key = ActionKey { kind: ActionKind::Tag, level: String::new(), contact: hit.contact.id.clone() };
            let action = match open.entry(&key) {
                Some(entry) => self.keep_tag(group, open, rendering, entry, &hit.contact, extent),
                None if extent == Extent::UnfinishedOnly => continue,
                None => {
                    item.changes.push(Change::Join { id: open.id.clone(), contact: hit.contact.id.clone() });
                    item.changes.extend(self.leave_on(group.rule, &hit.contact));
                    match self.carries(group, &hit.contact) {
                        Carries::Yes => self.record_tag_found(group, &open.id, &key),
                        Carries::No => self.want(rendering, &open.id, &key, Reason::Joined, earlier),
                        Carries::Gone => self.record_skip(&open.id, &key, Reason::ContactGone),
                    }
                }
            };
            item.actions.push(action);
        }
        let silent =
            |entry: &&Entry| entry.key.kind == ActionKind::Tag && !signalling.contains(entry.key.contact.as_str());
        for entry in open.entries.iter().filter(silent) {
            item.actions.push(self.carry_on(rendering, entry, earlier));
        }
    }

    /// Where the tag is that an entry put on a contact: by its id, whatever it or the rule is called by now.
    fn find_tag(&self, group: &Group<'_>, entry: &Entry, contact: &Contact) -> TagPresence {
        let facts = self.input.facts;
        let ours = entry.remote_id.as_deref().filter(|id| !id.is_empty());
        let Some(tag_id) = ours.or_else(|| facts.tag_id(&group.rule.tag)) else {
            return TagPresence::GoneFromWorkspace;
        };
        match facts.carries(contact, tag_id) {
            Carries::Yes => TagPresence::Present,
            Carries::Gone => TagPresence::ContactGone,
            Carries::No if !facts.has_tag(tag_id) => TagPresence::GoneFromWorkspace,
            Carries::No if entry.state == State::Undone => TagPresence::TakenOff,
            // The search may be behind: only the contact itself can say that the tag is gone.
            Carries::No if facts.tags_of.contains_key(&contact.id) => TagPresence::TakenOff,
            Carries::No => TagPresence::Present,
        }
    }

    /// A tag that an earlier run put on a contact that still signals.
    fn keep_tag(
        &mut self,
        group: &Group<'_>,
        open: &Occasion,
        rendering: &Rendering<'_>,
        entry: &Entry,
        contact: &Contact,
        extent: Extent,
    ) -> PlannedAction {
        if entry.state == State::Dropped && entry.reason == Reason::ContactGone {
            return self.revive(group, open, rendering, entry, contact, extent);
        }
        if !matches!(entry.state, State::Done | State::Undone) {
            let earlier = Earlier { open: Some(open), prior: Some(open) };
            return self.carry_on(rendering, entry, earlier);
        }
        let restore = self.input.settings.on_untag == OnUntag::Restore;
        match (self.find_tag(group, entry, contact), entry.state) {
            (TagPresence::Present, _) => self.skip(entry, Reason::AlreadyDone),
            (TagPresence::ContactGone, State::Done) => self.step(entry, Step::Drop, Reason::ContactGone),
            (TagPresence::ContactGone, _) => self.skip(entry, Reason::ContactGone),
            (TagPresence::GoneFromWorkspace, State::Done) => {
                self.reopen(rendering, open, entry, Step::Reopen, Reason::TagRecreated, extent)
            }
            (TagPresence::TakenOff | TagPresence::GoneFromWorkspace, _) if restore => {
                self.reopen(rendering, open, entry, Step::Reopen, Reason::TagRestored, extent)
            }
            (TagPresence::TakenOff, State::Done) => self.step(entry, Step::Undo, Reason::UntaggedByPerson),
            (TagPresence::TakenOff | TagPresence::GoneFromWorkspace, _) => self.skip(entry, Reason::UntaggedByPerson),
        }
    }

    /// A tag of a contact that was not to be found once, and was read in this run.
    fn revive(
        &mut self,
        group: &Group<'_>,
        open: &Occasion,
        rendering: &Rendering<'_>,
        entry: &Entry,
        contact: &Contact,
        extent: Extent,
    ) -> PlannedAction {
        match self.carries(group, contact) {
            Carries::Gone => self.skip(entry, Reason::ContactGone),
            Carries::Yes => self.skip(entry, Reason::AlreadyTagged),
            Carries::No => self.reopen(rendering, open, entry, Step::Revive, Reason::Unfinished, extent),
        }
    }

    fn reopen(
        &mut self,
        rendering: &Rendering<'_>,
        open: &Occasion,
        entry: &Entry,
        step: Step,
        reason: Reason,
        extent: Extent,
    ) -> PlannedAction {
        if extent == Extent::UnfinishedOnly {
            return self.skip(entry, Reason::Held);
        }
        if !self.sink_on(&entry.key) {
            return self.skip(entry, Reason::SinkOff); // stays done: comes up again when the sink is on
        }
        let earlier = Earlier { open: Some(open), prior: Some(open) };
        let change = Change::Step { short: entry.short.clone(), step, reason };
        PlannedAction {
            decision: Decision::Do,
            reason,
            order: Some(self.order(rendering, entry, earlier)),
            changes: vec![change],
            ..self.skip(entry, reason)
        }
    }

    /// An entry of an earlier run, whatever became of it.
    pub(super) fn carry_on(&mut self, rendering: &Rendering<'_>, entry: &Entry, earlier: Earlier<'_>) -> PlannedAction {
        match entry.state {
            State::Planned if !self.sink_on(&entry.key) => self.step(entry, Step::Skip, Reason::SinkOff),
            State::Planned => PlannedAction {
                decision: Decision::Do,
                order: Some(self.order(rendering, entry, earlier)),
                ..self.skip(entry, Reason::Unfinished)
            },
            State::Claimed => PlannedAction { decision: Decision::InDoubt, ..self.skip(entry, Reason::InDoubt) },
            State::Done => self.skip(entry, Reason::AlreadyDone),
            State::Refused => self.skip(entry, Reason::Refused),
            State::Undone => self.skip(entry, Reason::UntaggedByPerson),
            State::Skipped | State::Dropped => self.skip(entry, entry.reason),
        }
    }

    /// A new action: done if its sink is on, else skipped for good.
    fn want(
        &mut self,
        rendering: &Rendering<'_>,
        id: &OccasionId,
        key: &ActionKey,
        reason: Reason,
        earlier: Earlier<'_>,
    ) -> PlannedAction {
        if !self.sink_on(key) {
            return self.record_skip(id, key, Reason::SinkOff);
        }
        let mut entry = self.entry(id, key, State::Planned, reason);
        let last = earlier.prior.and_then(|occasion| occasion.last_done(key.kind));
        entry.prior = match key.kind {
            ActionKind::Task => last.and_then(|task| task.remote_id.clone()),
            ActionKind::Message => last.and_then(thread_root),
            ActionKind::Tag | ActionKind::Untag => None,
        };
        PlannedAction {
            decision: Decision::Do,
            order: Some(self.order(rendering, &entry, earlier)),
            changes: vec![Change::Enter { id: id.clone(), entry: entry.clone() }],
            ..self.skip(&entry, reason)
        }
    }

    /// Nothing is done, and that is written down.
    fn record_skip(&mut self, id: &OccasionId, key: &ActionKey, reason: Reason) -> PlannedAction {
        let state = if reason == Reason::ContactGone { State::Dropped } else { State::Skipped };
        let entry = self.entry(id, key, state, reason);
        PlannedAction {
            changes: vec![Change::Enter { id: id.clone(), entry: entry.clone() }],
            ..self.skip(&entry, reason)
        }
    }

    /// The contact carries the tag before this occasion: ours from an occasion earlier, or somebody else's.
    fn record_tag_found(&mut self, group: &Group<'_>, id: &OccasionId, key: &ActionKey) -> PlannedAction {
        let ours = group.ended.and_then(|ended| ended.entry(key)).filter(|entry| entry.state == State::Done);
        let Some(ours) = ours else { return self.record_skip(id, key, Reason::AlreadyTagged) };
        let mut entry = self.entry(id, key, State::Done, Reason::AlreadyTagged);
        entry.remote_id.clone_from(&ours.remote_id);
        PlannedAction {
            changes: vec![Change::Enter { id: id.clone(), entry: entry.clone() }],
            ..self.skip(&entry, Reason::AlreadyTagged)
        }
    }

    /// An entry that is left as it is.
    pub(super) fn skip(&self, entry: &Entry, reason: Reason) -> PlannedAction {
        PlannedAction {
            key: entry.key.clone(),
            short: entry.short.clone(),
            decision: Decision::Skip,
            reason,
            order: None,
            remote_id: entry.remote_id.clone(),
            // What a person dismissed is no failure any more.
            error: entry.error.clone().filter(|_| entry.state != State::Skipped),
            changes: Vec::new(),
        }
    }

    /// An entry that is not done, and takes a step.
    pub(super) fn step(&self, entry: &Entry, step: Step, reason: Reason) -> PlannedAction {
        let change = Change::Step { short: entry.short.clone(), step, reason };
        PlannedAction { changes: vec![change], ..self.skip(entry, reason) }
    }

    fn render_group<'g>(&mut self, group: &Group<'g>, level: &str, earlier: Earlier<'_>) -> Rendering<'g> {
        let people: Vec<Person> = group.hits.iter().map(|hit| person(&hit.contact)).collect();
        let company = group.company(self.input.facts);
        // A group is never empty; the fallback keeps that a matter of types.
        let representative =
            group.representative().map_or_else(|| Arc::new(Contact::default()), |hit| Arc::clone(&hit.contact));
        self.render(group.rule, level, &representative, people, company.as_deref(), earlier)
    }

    fn item(
        &self,
        group: &Group<'_>,
        rendering: &Rendering<'_>,
        occasion: OccasionId,
        reason: Reason,
        changes: Vec<Change>,
    ) -> Item {
        let evidence = group.representative().map(|hit| hit.evidence.clone()).unwrap_or_default();
        Item { evidence, ..item_from(rendering, occasion, reason, changes) }
    }
}

/// Whether what is new about an open occasion is done, or left for a later run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Everything,
    UnfinishedOnly,
}

/// What became of a tag that we put on a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TagPresence {
    Present,
    TakenOff,
    GoneFromWorkspace,
    ContactGone,
}

/// The message to reply to: the first of its thread, because Slack threads have one level.
fn thread_root(message: &Entry) -> Option<String> {
    let root = message.prior.clone().filter(|prior| MessageRef::from_remote_id(prior).is_some());
    root.or_else(|| message.remote_id.clone())
}

/// An item without actions and evidence.
pub(super) fn item_from(rendering: &Rendering<'_>, occasion: OccasionId, reason: Reason, changes: Vec<Change>) -> Item {
    let brief = &rendering.brief;
    Item {
        occasion,
        level: brief.level.clone(),
        priority: brief.priority,
        account: brief.account.clone(),
        representative: brief.representative.clone(),
        people: brief.people.clone(),
        evidence: Vec::new(),
        details: brief.details.clone(),
        action: brief.action.clone(),
        flags: brief.flags.clone(),
        due_date: brief.due_date,
        reason,
        changes,
        actions: Vec::new(),
        if_held: None,
    }
}

/// The reason that says most about an item: of what is done first, else of what is left.
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
