//! The contacts that a run keeps, and its counts. Every other contact is dropped with its page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{Contact, Date, Entry, Evidence, Known, State, Truth, UnknownReason, forgotten_mark};
use crate::rules::{Evaluation, RuleSet, RuleVerdict};

/// A contact for which a rule holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The contact.
    pub contact: Arc<Contact>,
    /// The highest level that holds; empty for the rule's own condition.
    pub level: String,
    /// The comparisons that held.
    pub evidence: Vec<Evidence>,
    /// Whether `[scan] primary_when` is true, so that the contact represents an account before others.
    pub is_primary: bool,
}

/// The contacts that a scan keeps, and its counts. Memory grows with signals, not with contacts: a scan keeps the contacts that
/// signal, those that an open occasion concerns, and those that carry a rule's tag (or more tags than are listed).
#[derive(Debug, Clone, Default)]
pub struct Sightings {
    /// Contacts read.
    pub scanned: usize,
    /// Ids of the contacts for which at least one rule holds.
    pub signalled: BTreeSet<String>,
    /// The number of contacts with an unknown value, by attribute and reason.
    pub unknown: BTreeMap<(String, UnknownReason), usize>,
    /// The number of contacts for which each rule is true or false, by signal.
    pub decided: BTreeMap<String, usize>,
    /// The number of contacts with a readable value, by attribute that a condition uses.
    pub readable: BTreeMap<String, usize>,
    /// The number of contacts skipped because they were forgotten on request.
    pub forgotten: usize,
    /// The latest `last_seen_at` of any contact.
    pub newest_seen: Option<Date>,
    hits: BTreeMap<String, BTreeMap<String, Hit>>,
    kept: BTreeMap<String, Arc<Contact>>,
    truths: BTreeMap<String, BTreeMap<String, Truth>>,
    watched: BTreeSet<String>,
    rule_tags: BTreeSet<String>,
    /// The marks of forgotten contacts.
    marks: BTreeSet<String>,
}

impl Sightings {
    /// Empty sightings. `rule_tags` are the ids of those tags of rules that the workspace has.
    pub fn new(known: &Known, rule_tags: BTreeSet<String>) -> Self {
        let unfinished = |entry: &Entry| matches!(entry.state, State::Planned | State::Claimed | State::Refused);
        let concerned =
            known.occasions.iter().filter(|occasion| occasion.is_open() || occasion.entries.iter().any(unfinished));
        let watched = concerned.flat_map(|occasion| occasion.contacts.iter().cloned()).collect();
        Sightings { watched, rule_tags, marks: known.forgotten.clone(), ..Sightings::default() }
    }

    /// Counts one contact of the scan, and keeps it if needed.
    pub fn add(&mut self, contact: Contact, evaluation: Evaluation, rules: &RuleSet) {
        if self.is_forgotten(&contact) {
            self.forgotten += 1;
            return;
        }
        self.scanned += 1;
        self.count_unknown(&evaluation);
        self.count_readable(&evaluation, rules);
        self.count_decided(&evaluation, rules);
        if evaluation.verdicts.iter().any(|verdict| verdict.truth == Truth::True) {
            self.signalled.insert(contact.id.clone());
        }
        self.look_up(contact, evaluation, rules);
    }

    /// Keeps a contact that was requested on its own, because an unfinished action needs its figures. It is not counted.
    pub fn look_up(&mut self, contact: Contact, evaluation: Evaluation, rules: &RuleSet) {
        if self.is_forgotten(&contact) {
            return;
        }
        let holds = evaluation.verdicts.iter().any(|verdict| verdict.truth == Truth::True);
        let watched = self.watched.contains(&contact.id);
        let tagged = !contact.tags.complete || contact.tags.ids.iter().any(|id| self.rule_tags.contains(id));
        if !(holds || watched || tagged) {
            return;
        }
        let (contact, is_primary) = (Arc::new(contact), evaluation.is_primary);
        self.kept.insert(contact.id.clone(), Arc::clone(&contact));
        for (rule, verdict) in rules.rules.iter().zip(evaluation.verdicts) {
            if watched {
                self.truths.entry(contact.id.clone()).or_default().insert(rule.signal.clone(), verdict.truth);
            }
            if verdict.truth == Truth::True {
                let RuleVerdict { level, evidence, .. } = verdict;
                let hit = Hit { contact: Arc::clone(&contact), level, evidence, is_primary };
                self.hits.entry(rule.signal.clone()).or_default().insert(contact.id.clone(), hit);
            }
        }
    }

    /// Whether the contact was forgotten. It then neither raises nor keeps a signal.
    fn is_forgotten(&self, contact: &Contact) -> bool {
        !self.marks.is_empty() && self.marks.contains(&forgotten_mark(&contact.id))
    }

    /// Keeps a contact for its tags alone. No rule is evaluated for it.
    pub fn keep(&mut self, contact: Contact) {
        self.kept.entry(contact.id.clone()).or_insert_with(|| Arc::new(contact));
    }

    /// The contacts for which the rule holds, by id.
    pub fn hits(&self, signal: &str) -> impl Iterator<Item = &Hit> {
        self.hits.get(signal).into_iter().flat_map(BTreeMap::values)
    }

    /// A contact that was kept.
    pub fn contact(&self, id: &str) -> Option<&Arc<Contact>> {
        self.kept.get(id)
    }

    /// All contacts that were kept, by id.
    pub fn kept(&self) -> impl Iterator<Item = &Arc<Contact>> {
        self.kept.values()
    }

    /// The rule's truth for a watched contact; None where the contact was not read.
    pub fn truth(&self, contact: &str, signal: &str) -> Option<Truth> {
        self.truths.get(contact)?.get(signal).copied()
    }

    /// Verdicts and counts are both sorted by signal, so no look-up is needed.
    fn count_decided(&mut self, evaluation: &Evaluation, rules: &RuleSet) {
        if self.decided.is_empty() {
            let counts = rules.rules.iter().zip(&evaluation.verdicts).map(|(rule, _)| (rule.signal.clone(), 0));
            self.decided = counts.collect();
        }
        for (count, verdict) in self.decided.values_mut().zip(&evaluation.verdicts) {
            *count += usize::from(verdict.truth != Truth::Unknown);
        }
    }

    /// Readable values and counts are both sorted by attribute, so no look-up is needed.
    fn count_readable(&mut self, evaluation: &Evaluation, rules: &RuleSet) {
        if self.readable.is_empty() {
            self.readable = rules.used().map(|attribute| (attribute.to_owned(), 0)).collect();
        }
        for (count, readable) in self.readable.values_mut().zip(&evaluation.readable) {
            *count += usize::from(*readable);
        }
        self.newest_seen = self.newest_seen.max(evaluation.last_seen_at);
    }

    fn count_unknown(&mut self, evaluation: &Evaluation) {
        let of_rules = evaluation.verdicts.iter().flat_map(|verdict| verdict.unknown.iter());
        let mut all: Vec<_> = of_rules.chain(&evaluation.include_unknown).collect();
        all.sort_unstable();
        all.dedup();
        for unknown in all {
            match self.unknown.get_mut(unknown) {
                Some(count) => *count += 1,
                None => drop(self.unknown.insert(unknown.clone(), 1)),
            }
        }
    }
}
