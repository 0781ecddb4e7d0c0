//! All rules of a configuration, and their evaluation for a contact.

use std::collections::BTreeSet;

use super::attributes::Attributes;
use super::condition::{Comparison, Condition};
use super::evaluate::{RuleVerdict, unknown, verdict};
use super::rule::Rule;
use super::source::{ContactView, Source};
use super::text::{RecordFields, Text, Texts};
use crate::model::{Contact, Date, Truth, Type, UnknownReason};

/// The rules of a configuration, with the attributes and texts that they use.
#[derive(Debug, Clone)]
pub struct RuleSet {
    /// The enabled rules, sorted by signal.
    pub rules: Vec<Rule>,
    /// The disabled rules, sorted by signal. They are not evaluated.
    pub disabled: Vec<Rule>,
    /// The condition for all rules. If it is not true for a contact, no rule is evaluated for the contact.
    pub include: Option<Condition>,
    /// The condition for the contacts that represent their account before others. Without it, no contact comes first.
    pub primary_when: Option<Condition>,
    attributes: Attributes,
    wanted: BTreeSet<String>,
    used: Vec<Source>,
    /// The attributes that a condition compares with a word such as `null`. There it is a value like any other.
    with_words: BTreeSet<String>,
    pub(super) texts: Texts,
    /// The texts for further fields of new records.
    pub(super) fields: RecordFields,
}

/// The result of all rules for one contact.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The result of [`RuleSet::include`]; true without one.
    pub included: Truth,
    /// The attributes that made `included` unknown.
    pub include_unknown: Vec<(String, UnknownReason)>,
    /// One verdict for each rule of [`RuleSet::rules`], in the order of the rules. Empty if the contact is not included.
    pub verdicts: Vec<RuleVerdict>,
    /// Whether a rule holds and [`RuleSet::primary_when`] is true. An unknown condition is not true.
    pub is_primary: bool,
    /// For each attribute of [`RuleSet::used`], in their order: whether its value can be read. Every contact counts here, also
    /// one that is not included: the share of readable values must not depend on other attributes.
    pub readable: Vec<bool>,
    /// When the contact was last seen. `None` for an instant after the run's.
    pub last_seen_at: Option<Date>,
}

impl RuleSet {
    /// Combines checked rules.
    pub fn new(
        mut rules: Vec<Rule>,
        mut disabled: Vec<Rule>,
        include: Option<Condition>,
        primary_when: Option<Condition>,
        attributes: Attributes,
    ) -> Self {
        rules.sort_by(|a, b| a.signal.cmp(&b.signal));
        disabled.sort_by(|a, b| a.signal.cmp(&b.signal));
        let texts = Texts::new(&attributes);
        let wanted = wanted(&rules, include.iter().chain(&primary_when), &texts);
        let all = rules.iter().chain(&disabled).flat_map(Rule::conditions).chain(&include).chain(&primary_when);
        let with_words = sources(all).filter(|source| source.takes_words()).map(|source| source.text().to_owned());
        let with_words = with_words.collect();
        let mut set = RuleSet {
            rules,
            disabled,
            include,
            primary_when,
            attributes,
            wanted,
            used: Vec::new(),
            with_words,
            texts,
            fields: RecordFields::default(),
        };
        let used = used(set.rules.iter().flat_map(Rule::conditions).chain(&set.include));
        let used = used.into_iter().filter_map(|name| Some(set.pushed(name, set.attributes.kind(name)?)));
        let mut used: Vec<_> = used.collect();
        used.sort_by(|a, b| a.stored().cmp(&b.stored()));
        set.used = used;
        set
    }

    /// Adds the texts for further fields of new records, and the attributes that they show.
    #[must_use]
    pub fn with_fields(mut self, fields: RecordFields) -> Self {
        let texts = fields.lead.values().chain(fields.task.values());
        self.wanted.extend(stored(texts.flat_map(Text::attributes)));
        self.fields = fields;
        self
    }

    /// Returns the names of the attributes that conditions depend on, each once, in the order of their names in Intercom. Instead
    /// of a derived attribute, it returns the parts.
    pub fn used(&self) -> impl Iterator<Item = &str> {
        self.used.iter().map(Source::text)
    }

    /// Returns the source of an attribute without its fallback, as conditions read it.
    pub(super) fn pushed(&self, name: &str, kind: Type) -> Source {
        let source = self.attributes.pushed(name, kind);
        if self.with_words.contains(name) { source.taking_words() } else { source }
    }

    /// Returns the attributes that a rule's conditions depend on, with their fallbacks. The conditions of its levels and
    /// `include` count. Texts do not count, because they decide nothing.
    pub fn used_by<'s>(&'s self, rule: &'s Rule) -> BTreeSet<&'s str> {
        used(rule.conditions().chain(&self.include))
    }

    /// Returns the attributes that [`RuleSet::primary_when`] depends on. They are not among [`RuleSet::used`]: without them the
    /// rules still decide, so their outage pauses none.
    pub fn used_for_primary(&self) -> BTreeSet<&str> {
        used(self.primary_when.iter())
    }

    /// Returns the users of an attribute: the signals of the rules that depend on it, then `[scan] primary_when`. If `include`
    /// depends on the attribute, every rule does.
    pub fn users_of(&self, name: &str) -> Vec<&str> {
        let rules = self.rules.iter().filter(|rule| self.used_by(rule).contains(name));
        let primary = self.used_for_primary().contains(name).then_some("[scan] primary_when");
        rules.map(|rule| rule.signal.as_str()).chain(primary).collect()
    }

    /// Returns the names in Intercom of the attributes that conditions, fallbacks and texts need. Only these are decoded for a
    /// contact.
    pub fn wanted(&self) -> &BTreeSet<String> {
        &self.wanted
    }

    /// Returns the attributes of the configuration.
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// Returns the enabled rule of a signal.
    pub fn rule(&self, signal: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.signal == signal)
    }

    /// Evaluates every rule for a contact.
    pub fn evaluate(&self, contact: &Contact, as_of: Date) -> Evaluation {
        let view = ContactView { contact, as_of };
        let included = self.include.as_ref().map_or(Truth::True, |include| include.truth(view));
        let rules = if included == Truth::True { self.rules.as_slice() } else { &[] };
        let verdicts: Vec<_> = rules.iter().map(|rule| verdict(rule, view)).collect();
        let holds = verdicts.iter().any(|verdict| verdict.truth == Truth::True);
        let is_primary = |primary_when: &Condition| primary_when.truth(view) == Truth::True;
        Evaluation {
            included,
            include_unknown: self.include.iter().flat_map(|include| unknown(include, view)).collect(),
            verdicts,
            is_primary: holds && self.primary_when.as_ref().is_some_and(is_primary),
            readable: self.readable(contact),
            last_seen_at: contact.last_seen_at.filter(|at| *at <= as_of),
        }
    }

    /// Returns which used attributes are readable. Both lists are sorted by the name in Intercom, so that one walk over them is
    /// enough.
    fn readable(&self, contact: &Contact) -> Vec<bool> {
        let mut values = contact.attributes.iter().peekable();
        let mut readable = |attribute: &Source| {
            let stored = attribute.stored()?;
            while values.next_if(|(name, _)| *name < stored).is_some() {}
            let value = values.next_if(|(name, _)| *name == stored);
            value.map(|(_, value)| attribute.is_readable(value))
        };
        self.used.iter().map(|attribute| readable(attribute).unwrap_or_default()).collect()
    }
}

/// Returns the attributes that conditions read.
fn sources<'c>(conditions: impl Iterator<Item = &'c Condition>) -> impl Iterator<Item = &'c Source> {
    let sources = conditions.flat_map(Condition::comparisons).flat_map(Comparison::all_sources);
    sources.flat_map(Source::attributes)
}

fn used<'c>(conditions: impl Iterator<Item = &'c Condition>) -> BTreeSet<&'c str> {
    sources(conditions).map(Source::text).collect()
}

fn wanted<'c>(rules: &'c [Rule], others: impl Iterator<Item = &'c Condition>, texts: &'c Texts) -> BTreeSet<String> {
    let used = sources(rules.iter().flat_map(Rule::conditions).chain(others));
    let texts = rules.iter().flat_map(Rule::all_texts).chain(texts.standard.values());
    stored(used.chain(texts.flat_map(Text::attributes))).collect()
}

/// Returns the names of attributes in Intercom.
fn stored<'s>(sources: impl Iterator<Item = &'s Source>) -> impl Iterator<Item = String> {
    sources.filter_map(Source::stored).map(str::to_owned)
}
