//! Tags: put on contacts that enter an occasion, and looked after as long as it is open.

use std::collections::BTreeSet;

use super::builder::Builder;
use super::continuation::{Continuation, Extent};
use super::facts::Carries;
use super::group::Group;
use super::item::{Item, PlannedAction};
use super::rendering::Rendering;
use super::settings::OnUntag;
use crate::model::{ActionKey, ActionKind, Change, Contact, Entry, Occasion, OccasionId, Reason, State, Step};
use crate::rules::Rule;

/// Where the tag is that we put on a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TagPresence {
    /// On the contact, as far as anybody knows.
    Present,
    /// A person took it off.
    TakenOff,
    /// The workspace does not have the tag any more.
    GoneFromWorkspace,
    /// The contact is not in Intercom any more.
    ContactGone,
}

impl Builder<'_> {
    /// Tags a contact that enters an occasion, unless it carries the tag already.
    pub(super) fn tag_entering_contact(
        &mut self,
        group: &Group<'_>,
        rendering: &Rendering<'_>,
        id: &OccasionId,
        contact: &Contact,
        reason: Reason,
    ) -> PlannedAction {
        let key = ActionKey::of_contact(ActionKind::Tag, &contact.id);
        match self.carries(group, contact) {
            Carries::Yes => self.record_existing_tag(group, id, &key),
            Carries::No => self.plan_action(rendering, id, &key, reason),
            Carries::Gone => self.record_skipped(id, &key, Reason::ContactGone),
        }
    }

    /// The contact carries the tag before the occasion opens. A tag that we added in the previous occasion stays ours, so
    /// that it can be taken off again.
    fn record_existing_tag(&mut self, group: &Group<'_>, id: &OccasionId, key: &ActionKey) -> PlannedAction {
        let ours = group.ended.and_then(|ended| ended.entry(key)).filter(|entry| entry.state == State::Done);
        let Some(ours) = ours else { return self.record_skipped(id, key, Reason::AlreadyTagged) };
        let mut entry = self.entry(id, key, State::Done, Reason::AlreadyTagged);
        entry.remote_id.clone_from(&ours.remote_id);
        self.record(id, &entry)
    }

    /// Drops the removal of a tag that an ended occasion still has to take off: the contact signals again, and keeps the tag.
    ///
    /// A contact signals in one group only, so that no removal is dropped twice.
    pub(super) fn keep_pending_untags(&self, rule: &Rule, contact: &Contact) -> Vec<Change> {
        if self.is_concerned(&rule.signal, &contact.id) {
            return Vec::new(); // the ended occasion drops it
        }
        let occasions = self.input.known.occasions.iter().filter(|occasion| occasion.id.signal == rule.signal);
        let pending = occasions.flat_map(|occasion| &occasion.entries).filter(|entry| {
            entry.key.kind == ActionKind::Untag
                && matches!(entry.state, State::Planned | State::Refused)
                && entry.key.contact == contact.id
        });
        let drop =
            |entry: &Entry| Change::Step { short: entry.short.clone(), step: Step::Drop, reason: Reason::Returned };
        pending.map(drop).collect()
    }

    /// Whether any contact of the subject carries the rule's tag, signalling or not.
    pub(super) fn any_carries(&self, group: &Group<'_>) -> bool {
        let others = self.subject_index.others(group);
        let signalling = group.hits.iter().map(|hit| hit.contact.as_ref());
        signalling.chain(others).any(|contact| self.carries(group, contact) == Carries::Yes)
    }

    fn carries(&self, group: &Group<'_>, contact: &Contact) -> Carries {
        let facts = self.input.facts;
        facts.tag_id(&group.rule.tag).map_or(Carries::No, |tag_id| facts.carries(contact, tag_id))
    }

    /// The tags of an open occasion: those of contacts that signal, joined ones included, and the unfinished ones of others.
    pub(super) fn continue_tags(&mut self, continuation: Continuation<'_>, item: &mut Item) {
        let Continuation { group, open, rendering, extent, .. } = continuation;
        for hit in &group.hits {
            let contact = &hit.contact;
            let action = match open.entry(&ActionKey::of_contact(ActionKind::Tag, &contact.id)) {
                Some(entry) => self.continue_tag(continuation, entry, contact),
                None if extent == Extent::UnfinishedOnly => continue,
                None => {
                    item.changes.push(Change::Join { id: open.id.clone(), contact: contact.id.clone() });
                    item.changes.extend(self.keep_pending_untags(group.rule, contact));
                    self.tag_entering_contact(group, rendering, &open.id, contact, Reason::Joined)
                }
            };
            item.actions.push(action);
        }
        let signalling: BTreeSet<_> = group.hits.iter().map(|hit| hit.contact.id.as_str()).collect();
        let tags = open.entries.iter().filter(|entry| entry.key.kind == ActionKind::Tag);
        let of_others = tags.filter(|entry| !signalling.contains(entry.key.contact.as_str()));
        item.actions.extend(of_others.map(|entry| self.resume(rendering, entry)));
    }

    /// The tag of a contact that still signals.
    fn continue_tag(&self, continuation: Continuation<'_>, entry: &Entry, contact: &Contact) -> PlannedAction {
        let Continuation { group, rendering, .. } = continuation;
        if entry.state == State::Dropped && entry.reason == Reason::ContactGone {
            return self.tag_returned_contact(continuation, entry, contact);
        }
        if !matches!(entry.state, State::Done | State::Undone) {
            return self.resume(rendering, entry);
        }
        let restore = self.input.settings.on_untag == OnUntag::Restore;
        match (self.presence(group, entry, contact), entry.state) {
            (TagPresence::Present, _) => self.skip(entry, Reason::AlreadyDone),
            (TagPresence::ContactGone, State::Done) => self.skip_and_step(entry, Step::Drop, Reason::ContactGone),
            (TagPresence::ContactGone, _) => self.skip(entry, Reason::ContactGone),
            (TagPresence::GoneFromWorkspace, State::Done) => {
                self.attach_again(continuation, entry, Step::Reopen, Reason::TagRecreated)
            }
            (TagPresence::TakenOff | TagPresence::GoneFromWorkspace, _) if restore => {
                self.attach_again(continuation, entry, Step::Reopen, Reason::TagRestored)
            }
            (TagPresence::TakenOff, State::Done) => self.skip_and_step(entry, Step::Undo, Reason::UntaggedByPerson),
            (TagPresence::TakenOff | TagPresence::GoneFromWorkspace, _) => self.skip(entry, Reason::UntaggedByPerson),
        }
    }

    /// The tag of a contact that an earlier run did not find in Intercom, and this one read.
    fn tag_returned_contact(&self, continuation: Continuation<'_>, entry: &Entry, contact: &Contact) -> PlannedAction {
        match self.carries(continuation.group, contact) {
            Carries::Gone => self.skip(entry, Reason::ContactGone),
            Carries::Yes => self.skip(entry, Reason::AlreadyTagged),
            Carries::No => self.attach_again(continuation, entry, Step::Revive, Reason::Unfinished),
        }
    }

    fn attach_again(&self, continuation: Continuation<'_>, entry: &Entry, step: Step, reason: Reason) -> PlannedAction {
        if continuation.extent == Extent::UnfinishedOnly {
            return self.skip(entry, Reason::Held);
        }
        if !self.sink_on(&entry.key) {
            return self.skip(entry, Reason::SinkOff); // the entry stays done, and comes up again when the sink is on
        }
        self.skip_and_step(entry, step, reason).with_order(self.order(continuation.rendering, entry))
    }

    /// Whether a person took our tag off the contact, and the settings say to leave it off.
    pub(super) fn was_untagged(&self, group: &Group<'_>, open: &Occasion, contact: &Contact) -> bool {
        let entry = open.entry(&ActionKey::of_contact(ActionKind::Tag, &contact.id));
        // A tag that was never on was not taken off.
        let entry = entry.filter(|entry| matches!(entry.state, State::Done | State::Undone));
        self.input.settings.on_untag == OnUntag::Keep
            && entry.is_some_and(|entry| self.presence(group, entry, contact) == TagPresence::TakenOff)
    }

    /// Looks for the tag that an entry put on a contact, by the tag's id: the tag or the rule may have another name by now.
    fn presence(&self, group: &Group<'_>, entry: &Entry, contact: &Contact) -> TagPresence {
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
            // Intercom's search may be behind. Only the contact itself can say that the tag is gone.
            Carries::No if facts.tags_of.contains_key(&contact.id) => TagPresence::TakenOff,
            Carries::No => TagPresence::Present,
        }
    }
}
