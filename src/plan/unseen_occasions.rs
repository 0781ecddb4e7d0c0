//! Occasions whose signal was not seen to be true in this run: they clear, wait, or have something unfinished.

use std::sync::Arc;

use super::build::Builder;
use super::decide::{item_from, leading_reason};
use super::facts::Facts;
use super::item::Order;
use super::item::{Decision, Item, PlannedAction};
use super::orders::{Earlier, Rendering, person, tag_order};
use super::sightings::Sightings;
use crate::model::{
    ActionKey, ActionKind, Change, Contact, Entry, Occasion, Person, Reason, State, Step, SubjectKind, Truth,
};
use crate::rules::{OnClear, Rule};

impl Builder<'_> {
    /// What is done about an occasion without a signal.
    pub(super) fn decide_unseen(&mut self, occasion: &Occasion) -> Option<Item> {
        if !self.input.scope.covers(occasion) {
            return None;
        }
        let rule = self.input.rules.rules.iter().find(|rule| rule.signal == occasion.id.signal);
        let Some(rule) = rule else { return self.frozen(occasion) };
        let mut changes = Vec::new();
        let actions = if occasion.is_open() {
            match self.observe(rule, occasion) {
                Observed::Ends => {
                    changes.push(Change::End { id: occasion.id.clone(), at: self.input.as_of });
                    self.end(rule, occasion)
                }
                Observed::False => self.left(occasion, Reason::Clearing),
                Observed::Unknown => return self.go_on_unseen(rule, occasion),
            }
        } else {
            self.after_the_end(rule, occasion)
        };
        let idle = changes.is_empty() && actions.is_empty();
        (!idle).then(|| self.unseen_item(rule, occasion, changes, actions))
    }

    /// *False* means that every concerned contact was read and is false, or is not in Intercom any more; the second one long
    /// enough after ends the occasion.
    fn observe(&mut self, rule: &Rule, occasion: &Occasion) -> Observed {
        let input = self.input;
        if self.is_held(rule) {
            return Observed::Unknown; // false by data that broke off is not false
        }
        let truth = |contact: &String| input.sightings.truth(contact, &occasion.id.signal);
        let is_false = |contact: &String| truth(contact) == Some(Truth::False) || input.facts.gone.contains(contact);
        let all_false = occasion.contacts.iter().all(is_false);
        if !all_false || !input.scope.complete {
            return Observed::Unknown;
        }
        if !input.scope.sees_absence() {
            return Observed::False;
        }
        match occasion.false_since {
            Some(since) if input.as_of - since >= input.settings.clear_after => Observed::Ends,
            Some(since) if since <= input.as_of => Observed::False,
            // Also where the clock was ahead at the first one: or the occasion would stay open until that time comes.
            Some(_) | None => {
                self.observations.push(Change::FalseSince { id: occasion.id.clone(), since: Some(input.as_of) });
                Observed::False
            }
        }
    }

    /// The rule is switched off or gone: the occasion stays as it is, but what needs a person stays in the report.
    fn frozen(&mut self, occasion: &Occasion) -> Option<Item> {
        let open = occasion.entries.iter().filter(|entry| matches!(entry.state, State::Claimed | State::Refused));
        let actions: Vec<_> = open.map(|entry| self.stuck(entry)).collect();
        if actions.is_empty() {
            return None;
        }
        Some(Item {
            occasion: occasion.id.clone(),
            level: occasion.level.clone(),
            priority: crate::model::Priority::Medium,
            account: None,
            representative: Person { id: occasion.representative.clone(), email: None, name: None },
            people: Vec::new(),
            evidence: Vec::new(),
            details: String::new(),
            action: String::new(),
            flags: Vec::new(),
            due_date: self.local_date(self.input.as_of),
            reason: leading_reason(&actions),
            changes: Vec::new(),
            actions,
            if_held: None,
        })
    }

    fn stuck(&self, entry: &Entry) -> PlannedAction {
        match entry.state {
            State::Claimed => PlannedAction { decision: Decision::InDoubt, ..self.skip(entry, Reason::InDoubt) },
            _ => self.skip(entry, Reason::Refused),
        }
    }

    /// An ended occasion with something left: tags to take off, a claim in doubt, a refusal.
    fn after_the_end(&mut self, rule: &Rule, occasion: &Occasion) -> Vec<PlannedAction> {
        let mut actions = Vec::new();
        for entry in &occasion.entries {
            match (entry.state, entry.key.kind) {
                (State::Claimed | State::Refused, _) => actions.push(self.stuck(entry)),
                // The tag is another occasion's by now.
                (State::Planned, ActionKind::Untag) if self.is_concerned(&rule.signal, &entry.key.contact) => {
                    actions.push(self.step(entry, Step::Drop, Reason::Returned));
                }
                // Whether it stays on is decided with the occasion that opens or is joined, or is held.
                (State::Planned, ActionKind::Untag) if self.signals(rule, &entry.key.contact) => {
                    actions.push(self.skip(entry, Reason::Returned));
                }
                (State::Planned, ActionKind::Untag) => actions.push(self.untag(rule, entry)),
                (State::Planned, _) => actions.push(self.step(entry, Step::Drop, Reason::Cleared)),
                _ => {}
            }
        }
        actions
    }

    fn signals(&self, rule: &Rule, contact: &str) -> bool {
        self.input.sightings.hits(&rule.signal).any(|hit| hit.contact.id == contact)
    }

    fn untag(&mut self, rule: &Rule, entry: &Entry) -> PlannedAction {
        if !self.sink_on(&entry.key) {
            return self.step(entry, Step::Skip, Reason::SinkOff);
        }
        let order = Order::Tag(tag_order(&rule.tag, entry));
        PlannedAction { decision: Decision::Do, order: Some(order), ..self.skip(entry, Reason::Unfinished) }
    }

    /// The occasion ends: what was not done is moot, and with `remove_tag` the tags that we added come off.
    fn end(&mut self, rule: &Rule, occasion: &Occasion) -> Vec<PlannedAction> {
        let mut actions = Vec::new();
        for entry in &occasion.entries {
            match entry.state {
                State::Planned => actions.push(self.step(entry, Step::Drop, Reason::Cleared)),
                State::Claimed | State::Refused => actions.push(self.stuck(entry)),
                State::Done if entry.key.kind == ActionKind::Tag && rule.on_clear == OnClear::RemoveTag => {
                    actions.push(self.want_untag(rule, occasion, entry));
                }
                State::Done | State::Skipped | State::Dropped | State::Undone => {}
            }
        }
        actions
    }

    fn want_untag(&mut self, rule: &Rule, occasion: &Occasion, tagged: &Entry) -> PlannedAction {
        let key = ActionKey { kind: ActionKind::Untag, ..tagged.key.clone() };
        let on = self.sink_on(&key);
        let (state, reason) = if on { (State::Planned, Reason::Cleared) } else { (State::Skipped, Reason::SinkOff) };
        let mut entry = self.entry(&occasion.id, &key, state, reason);
        entry.prior.clone_from(&tagged.remote_id);
        let enter = Change::Enter { id: occasion.id.clone(), entry: entry.clone() };
        let order = on.then(|| Order::Tag(tag_order(&rule.tag, &entry)));
        let decision = if on { Decision::Do } else { Decision::Skip };
        PlannedAction { decision, order, changes: vec![enter], ..self.skip(&entry, reason) }
    }

    /// What is left of an open occasion, for the report.
    fn left(&self, occasion: &Occasion, reason: Reason) -> Vec<PlannedAction> {
        let entries = occasion.entries.iter();
        let left = entries.filter_map(|entry| match entry.state {
            State::Planned => Some(self.skip(entry, reason)),
            State::Claimed | State::Refused => Some(self.stuck(entry)),
            State::Done | State::Skipped | State::Dropped | State::Undone => None,
        });
        left.collect()
    }

    /// Neither true nor false: an unknown value does not clear a signal. Unfinished tags are put on; a task or message waits
    /// for a run that reads the figures it is about.
    fn go_on_unseen(&mut self, rule: &Rule, occasion: &Occasion) -> Option<Item> {
        let concerned = occasion.contacts.iter().filter_map(|id| self.input.sightings.contact(id));
        let company = occasion_company(occasion, self.input.facts, self.input.sightings);
        let snoozed = self.is_snoozed(company.as_deref(), concerned);
        let may_be_snoozed = self.may_be_snoozed(company.as_deref(), occasion);
        let task_is_open = |entry: &Entry| {
            entry.key.kind == ActionKind::Task && matches!(entry.state, State::Planned | State::Claimed)
        };
        let waits = occasion.entries.iter().any(task_is_open);
        let mut actions = Vec::new();
        for entry in &occasion.entries {
            match (entry.state, entry.key.kind) {
                (State::Planned, _) if snoozed => actions.push(self.skip(entry, Reason::Snoozed)),
                (State::Planned, _) if may_be_snoozed => actions.push(self.skip(entry, Reason::Unfinished)),
                (State::Planned, _) if !self.sink_on(&entry.key) => {
                    actions.push(self.step(entry, Step::Skip, Reason::SinkOff));
                }
                (State::Planned, ActionKind::Tag) if waits => actions.push(self.skip(entry, Reason::WaitsForTask)),
                (State::Planned, ActionKind::Tag) => {
                    let order = Order::Tag(tag_order(&rule.tag, entry));
                    let skipped = self.skip(entry, Reason::Unfinished);
                    actions.push(PlannedAction { decision: Decision::Do, order: Some(order), ..skipped });
                }
                (State::Planned, _) => actions.push(self.skip(entry, Reason::Unfinished)),
                (State::Claimed | State::Refused, _) => actions.push(self.stuck(entry)),
                (State::Done | State::Skipped | State::Dropped | State::Undone, _) => {}
            }
        }
        (!actions.is_empty()).then(|| self.unseen_item(rule, occasion, Vec::new(), actions))
    }

    /// The figures of the representative, or of anybody concerned who was read.
    fn render_unseen<'r>(&mut self, rule: &'r Rule, occasion: &Occasion) -> Option<Rendering<'r>> {
        let sightings = self.input.sightings;
        let known: Vec<&Arc<Contact>> = occasion.contacts.iter().filter_map(|id| sightings.contact(id)).collect();
        let representative = sightings.contact(&occasion.representative).or(known.first().copied())?;
        let people = known.iter().map(|contact| person(contact)).collect();
        let company = occasion_company(occasion, self.input.facts, sightings);
        let earlier = Earlier { open: Some(occasion), prior: Some(occasion) };
        Some(self.render(rule, &occasion.level, representative, people, company.as_deref(), earlier))
    }

    fn unseen_item(
        &mut self,
        rule: &Rule,
        occasion: &Occasion,
        changes: Vec<Change>,
        actions: Vec<PlannedAction>,
    ) -> Item {
        let ends = changes.iter().any(|change| matches!(change, Change::End { .. }));
        let reason = if ends { Reason::Cleared } else { leading_reason(&actions) };
        let nobody = Arc::new(Contact::default());
        let rendering = self.render_unseen(rule, occasion).unwrap_or_else(|| {
            let earlier = Earlier { open: Some(occasion), prior: Some(occasion) };
            self.render(rule, &occasion.level, &nobody, Vec::new(), None, earlier)
        });
        Item { actions, ..item_from(&rendering, occasion.id.clone(), reason, changes) }
    }
}

/// The company of an occasion: the account itself, or that of the person, if that was read.
pub(super) fn occasion_company(occasion: &Occasion, facts: &Facts, sightings: &Sightings) -> Option<String> {
    match occasion.id.subject.kind {
        SubjectKind::Account => Some(occasion.id.subject.id.clone()),
        SubjectKind::Contact => {
            let person = sightings.contact(&occasion.representative)?;
            facts.companies_of(person).into_iter().next()
        }
    }
}

enum Observed {
    Ends,
    False,
    Unknown,
}
