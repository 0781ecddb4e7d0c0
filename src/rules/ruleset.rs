//! All rules of a configuration, and what a contact gives when held against them.

use std::collections::BTreeSet;

use super::attributes::Attributes;
use super::condition::Condition;
use super::evaluate::{RuleVerdict, unknown, verdict};
use super::rule::Rule;
use super::source::{ContactView, Source};
use super::text::Texts;
use crate::model::{Contact, Date, Truth, UnknownReason};

/// The rules that are on, and all that they need.
#[derive(Clone)]
pub struct RuleSet {
    /// The rules that are on, sorted by signal.
    pub rules: Vec<Rule>,
    /// The rules that are off, sorted by signal; nothing is held against them.
    pub disabled: Vec<Rule>,
    /// The condition for all rules: a contact for which it is not true is not looked at further.
    pub include: Option<Condition>,
    attributes: Attributes,
    wanted: BTreeSet<String>,
    used: Vec<Source>,
    pub(super) texts: Texts,
}

/// What a contact gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Whether the contact is looked at: [`RuleSet::include`], or true without it.
    pub included: Truth,
    /// What left that unknown.
    pub include_unknown: Vec<(String, UnknownReason)>,
    /// One for each rule of [`RuleSet::rules`], in that order; empty when not included.
    pub verdicts: Vec<RuleVerdict>,
    /// For each attribute of [`RuleSet::used`], in that order: whether it has a value that can be read. Also where nothing
    /// was decided by it, and for contacts that are not included: a share must not depend on what the other values are.
    pub readable: Vec<bool>,
    /// When the contact was last seen, unless that lies after the run's instant.
    pub last_seen_at: Option<Date>,
}

impl RuleSet {
    /// Puts checked rules together.
    pub fn new(rules: Vec<Rule>, mut disabled: Vec<Rule>, include: Option<Condition>, attributes: Attributes) -> Self {
        let mut rules = rules;
        rules.sort_by(|a, b| a.signal.cmp(&b.signal));
        disabled.sort_by(|a, b| a.signal.cmp(&b.signal));
        let texts = Texts::new(&attributes);
        let wanted = wanted(&rules, include.as_ref(), &texts);
        let used = used(rules.iter().flat_map(Rule::conditions).chain(&include));
        let used = used.into_iter().filter_map(|name| Some(Source::attribute(name, attributes.kind(name)?))).collect();
        RuleSet { rules, disabled, include, attributes, wanted, used, texts }
    }

    /// The names of the attributes that conditions depend on, each once, sorted: pushed ones and Intercom's own; of what is
    /// worked out, the parts.
    pub fn used(&self) -> impl Iterator<Item = &str> {
        self.used.iter().map(Source::text)
    }

    /// The attributes that a rule depends on, by its conditions (the ladder's and `include` among them), with what stands in
    /// for them. Texts do not count: they decide nothing.
    pub fn used_by<'s>(&'s self, rule: &'s Rule) -> BTreeSet<&'s str> {
        used(rule.conditions().chain(&self.include))
    }

    /// The names of the attributes that conditions, fallbacks and texts need: all that has to be decoded of a contact.
    ///
    /// `user_type` is always among them, because it decides who represents an account.
    pub fn wanted(&self) -> &BTreeSet<String> {
        &self.wanted
    }

    /// What attributes there are, with their types.
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// The rule of a signal, if it is on.
    pub fn rule(&self, signal: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.signal == signal)
    }

    /// Holds a contact against every rule.
    pub fn evaluate(&self, contact: &Contact, as_of: Date) -> Evaluation {
        let view = ContactView { contact, as_of };
        let included = self.include.as_ref().map_or(Truth::True, |include| include.truth(view));
        let mut evaluation = Evaluation {
            included,
            include_unknown: Vec::new(),
            verdicts: Vec::new(),
            readable: self.readable(contact),
            last_seen_at: contact.last_seen_at.filter(|at| *at <= as_of),
        };
        match (included, &self.include) {
            (Truth::True, _) => evaluation.verdicts = self.rules.iter().map(|rule| verdict(rule, view)).collect(),
            (Truth::Unknown, Some(include)) => evaluation.include_unknown = unknown(include, view),
            (Truth::False | Truth::Unknown, _) => {}
        }
        evaluation
    }

    /// Names and values are both sorted by name: they are walked side by side, and nothing is looked up.
    fn readable(&self, contact: &Contact) -> Vec<bool> {
        let mut values = contact.attributes.iter().peekable();
        let readable = |attribute: &Source| {
            while values.next_if(|(name, _)| *name < attribute.text()).is_some() {}
            let value = values.next_if(|(name, _)| *name == attribute.text());
            value.is_some_and(|(_, value)| attribute.is_readable(value))
        };
        self.used.iter().map(readable).collect()
    }
}

/// Without the compiled texts, which are long and say nothing new.
impl std::fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let RuleSet { rules, disabled, include, attributes, wanted, used: _, texts: _ } = self;
        f.debug_struct("RuleSet")
            .field("rules", rules)
            .field("disabled", disabled)
            .field("include", include)
            .field("attributes", attributes)
            .field("wanted", wanted)
            .finish_non_exhaustive()
    }
}

fn used<'c>(conditions: impl Iterator<Item = &'c Condition>) -> BTreeSet<&'c str> {
    let mut names = BTreeSet::new();
    for comparison in conditions.flat_map(Condition::comparisons) {
        for source in comparison.all_sources() {
            source.visit_attributes(&mut |name| {
                names.insert(name);
            });
        }
    }
    names
}

fn wanted(rules: &[Rule], include: Option<&Condition>, texts: &Texts) -> BTreeSet<String> {
    let mut wanted = BTreeSet::from(["user_type".to_owned()]);
    let mut add = |name: &str| {
        wanted.insert(name.to_owned());
    };
    used(rules.iter().flat_map(Rule::conditions).chain(include)).into_iter().for_each(&mut add);
    for text in rules.iter().flat_map(Rule::all_texts).chain(texts.standard()) {
        text.sources().for_each(|source| source.visit_attributes(&mut add));
    }
    wanted
}
