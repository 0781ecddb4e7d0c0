//! Occasions whose signal was not seen to be true in this run: they clear, wait, or have unfinished actions.

use std::sync::Arc;

use super::actions::tag_order;
use super::builder::Builder;
use super::decide::leading_reason;
use super::facts::Facts;
use super::item::{Item, PlannedAction};
use super::rendering::{Earlier, Rendering, person};
use super::sightings::Sightings;
use super::snooze::Snooze;
use crate::model::{
    ActionKey, ActionKind, Change, Contact, Entry, Occasion, Person, Priority, Reason, State, Step, SubjectKind, Truth,
};
use crate::rules::{OnClear, Rule};

/// The state of an open occasion's signal, as far as this run saw it.
enum Observation {
    /// False, and long enough after the first *false* to end the occasion.
    Ends,
    /// False.
    False,
    /// Neither true nor false.
    Unknown,
}

impl Builder<'_> {
    /// Decides what is done about an occasion whose signal was not seen. None where there is nothing to do or to report.
    pub(super) fn decide_unseen(&mut self, occasion: &Occasion) -> Option<Item> {
        if !self.input.scope.covers(occasion) {
            return None;
        }
        let Some(rule) = self.input.rules.rule(&occasion.id.signal) else { return self.frozen(occasion) };
        let mut changes = Vec::new();
        let actions = if occasion.is_open() {
            match self.observe(rule, occasion) {
                Observation::Ends => {
                    changes.push(Change::End { id: occasion.id.clone(), at: self.input.as_of });
                    self.end(rule, occasion)
                }
                Observation::False => self.wait_for_end(occasion),
                Observation::Unknown => self.continue_unseen(rule, occasion),
            }
        } else {
            self.finish_ended(rule, occasion)
        };
        if changes.is_empty() && actions.is_empty() {
            return None;
        }
        let reason = if changes.is_empty() { leading_reason(&actions) } else { Reason::Cleared };
        let item = self.render_unseen(rule, occasion).item(occasion.id.clone(), reason);
        Some(Item { changes, actions, ..item })
    }

    /// Observes whether the signal is false. It is false if every concerned contact was read and is false, or is not in
    /// Intercom any more. Two observations of *false* at least `clear_after` apart end the occasion.
    fn observe(&mut self, rule: &Rule, occasion: &Occasion) -> Observation {
        let input = self.input;
        if self.is_paused(rule) {
            return Observation::Unknown; // during a data outage, false means nothing
        }
        let truth = |contact: &String| input.sightings.truth(contact, &occasion.id.signal);
        let is_false = |contact: &String| truth(contact) == Some(Truth::False) || input.facts.gone.contains(contact);
        if !input.scope.complete || !occasion.contacts.iter().all(is_false) {
            return Observation::Unknown;
        }
        if !input.scope.sees_absence() {
            return Observation::False;
        }
        match occasion.false_since {
            Some(since) if input.as_of - since >= input.settings.clear_after => Observation::Ends,
            Some(since) if since <= input.as_of => Observation::False,
            // A first *false* in the future comes from a clock that was ahead. Left as it is, it would keep the occasion open
            // until then.
            Some(_) | None => {
                self.observations.push(Change::FalseSince { id: occasion.id.clone(), since: Some(input.as_of) });
                Observation::False
            }
        }
    }

    /// The rule is switched off or gone. The occasion stays as it is; actions that need a person stay in the report.
    fn frozen(&self, occasion: &Occasion) -> Option<Item> {
        let actions: Vec<_> = occasion.entries.iter().filter_map(|entry| self.needs_person(entry)).collect();
        if actions.is_empty() {
            return None;
        }
        Some(Item {
            occasion: occasion.id.clone(),
            level: occasion.level.clone(),
            priority: Priority::Medium,
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

    /// An action that was refused or whose outcome is unknown; None for any other.
    fn needs_person(&self, entry: &Entry) -> Option<PlannedAction> {
        match entry.state {
            State::Claimed => Some(self.in_doubt(entry)),
            State::Refused => Some(self.skip(entry, Reason::Refused)),
            State::Planned | State::Done | State::Skipped | State::Dropped | State::Undone => None,
        }
    }

    /// The occasion ends now. Unfinished actions are moot, and with `remove_tag` the tags that we added come off.
    fn end(&mut self, rule: &Rule, occasion: &Occasion) -> Vec<PlannedAction> {
        let mut actions = Vec::new();
        for entry in &occasion.entries {
            match entry.state {
                State::Planned | State::Refused => {
                    actions.push(self.skip_and_step(entry, Step::Drop, Reason::Cleared));
                }
                State::Done if entry.key.kind == ActionKind::Tag && rule.on_clear == OnClear::RemoveTag => {
                    actions.push(self.plan_untag(rule, occasion, entry));
                }
                _ => actions.extend(self.needs_person(entry)),
            }
        }
        actions
    }

    fn plan_untag(&mut self, rule: &Rule, occasion: &Occasion, tagged: &Entry) -> PlannedAction {
        let key = ActionKey { kind: ActionKind::Untag, ..tagged.key.clone() };
        let on = self.sink_on(&key);
        let (state, reason) = if on { (State::Planned, Reason::Cleared) } else { (State::Skipped, Reason::SinkOff) };
        let mut entry = self.entry(&occasion.id, &key, state, reason);
        entry.prior.clone_from(&tagged.remote_id);
        let recorded = self.record(&occasion.id, &entry);
        if on { recorded.with_order(tag_order(&rule.tag, &entry)) } else { recorded }
    }

    /// An ended occasion with something left: tags to take off, a claim in doubt, a refusal.
    fn finish_ended(&self, rule: &Rule, occasion: &Occasion) -> Vec<PlannedAction> {
        let signals = |contact: &str| self.input.sightings.hits(&rule.signal).any(|hit| hit.contact.id == contact);
        let finish = |entry: &Entry| match (entry.state, entry.key.kind) {
            // The tag belongs to another occasion by now.
            (State::Planned | State::Refused, ActionKind::Untag)
                if self.is_concerned(&rule.signal, &entry.key.contact) =>
            {
                Some(self.skip_and_step(entry, Step::Drop, Reason::Returned))
            }
            // The occasion that the contact opens or joins decides whether the tag stays on.
            (State::Planned | State::Refused, ActionKind::Untag) if signals(&entry.key.contact) => {
                Some(self.skip(entry, Reason::Returned))
            }
            (State::Planned, ActionKind::Untag) => Some(self.resume_tag(rule, entry)),
            (State::Refused, ActionKind::Untag) => Some(self.skip(entry, Reason::Refused)),
            (State::Planned | State::Refused, _) => Some(self.skip_and_step(entry, Step::Drop, Reason::Cleared)),
            _ => self.needs_person(entry),
        };
        occasion.entries.iter().filter_map(finish).collect()
    }

    /// Adds or removes a tag that an earlier run planned.
    fn resume_tag(&self, rule: &Rule, entry: &Entry) -> PlannedAction {
        if !self.sink_on(&entry.key) {
            return self.skip_and_step(entry, Step::Skip, Reason::SinkOff);
        }
        self.skip(entry, Reason::Unfinished).with_order(tag_order(&rule.tag, entry))
    }

    /// The signal is false, but not for long enough to end the occasion. Nothing is done; the report shows what is left.
    fn wait_for_end(&self, occasion: &Occasion) -> Vec<PlannedAction> {
        let wait = |entry: &Entry| match entry.state {
            State::Planned => Some(self.skip(entry, Reason::Clearing)),
            _ => self.needs_person(entry),
        };
        occasion.entries.iter().filter_map(wait).collect()
    }

    /// The signal is neither true nor false; an unknown value ends nothing. Unfinished tags are put on. A task or message
    /// waits for a run that reads the figures it shows.
    fn continue_unseen(&self, rule: &Rule, occasion: &Occasion) -> Vec<PlannedAction> {
        let company = occasion_company(occasion, self.input.facts, self.input.sightings);
        let snooze = self.snooze(company.as_deref(), &[], Some(occasion));
        let task_is_open = |entry: &Entry| {
            entry.key.kind == ActionKind::Task && matches!(entry.state, State::Planned | State::Claimed)
        };
        let waits = occasion.entries.iter().any(task_is_open);
        let proceed = |entry: &Entry| match (entry.state, entry.key.kind) {
            (State::Planned, _) if snooze == Snooze::Yes => Some(self.skip(entry, Reason::Snoozed)),
            (State::Planned, _) if snooze == Snooze::Unknown => Some(self.skip(entry, Reason::Unfinished)),
            (State::Planned, _) if !self.sink_on(&entry.key) => {
                Some(self.skip_and_step(entry, Step::Skip, Reason::SinkOff))
            }
            (State::Planned, ActionKind::Tag) if waits => Some(self.skip(entry, Reason::WaitsForTask)),
            (State::Planned, ActionKind::Tag) => Some(self.resume_tag(rule, entry)),
            (State::Planned, _) => Some(self.skip(entry, Reason::Unfinished)),
            _ => self.needs_person(entry),
        };
        occasion.entries.iter().filter_map(proceed).collect()
    }

    /// The texts with the figures of the representative, or of any concerned contact that was read.
    fn render_unseen<'r>(&mut self, rule: &'r Rule, occasion: &'r Occasion) -> Rendering<'r> {
        let sightings = self.input.sightings;
        let earlier = Earlier { open: Some(occasion), prior: Some(occasion) };
        let kept: Vec<&Arc<Contact>> = occasion.contacts.iter().filter_map(|id| sightings.contact(id)).collect();
        let Some(representative) = sightings.contact(&occasion.representative).or(kept.first().copied()) else {
            return self.render(rule, &occasion.level, &Arc::new(Contact::default()), Vec::new(), None, earlier);
        };
        let people = kept.iter().map(|contact| person(contact)).collect();
        let company = occasion_company(occasion, self.input.facts, sightings);
        self.render(rule, &occasion.level, representative, people, company.as_deref(), earlier)
    }
}

/// The company of an occasion: the account itself, or the company of the person, if the person was read.
pub(super) fn occasion_company(occasion: &Occasion, facts: &Facts, sightings: &Sightings) -> Option<String> {
    match occasion.id.subject.kind {
        SubjectKind::Account => Some(occasion.id.subject.id.clone()),
        SubjectKind::Contact => {
            let person = sightings.contact(&occasion.representative)?;
            facts.companies_of(person).into_iter().next()
        }
    }
}
