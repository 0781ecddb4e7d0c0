//! Why a rule holds for a contact, and why it does not: every comparison with what it saw.

use super::condition::{Comparison, Condition};
use super::evaluate::verdict;
use super::miss::Miss;
use super::rule::Rule;
use super::ruleset::RuleSet;
use super::source::{ContactView, Origin, Source};
use crate::model::{Contact, Date, Truth, Type, UnknownReason, Value};

/// One contact held against every rule, in full.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// [`RuleSet::include`]: a contact for which it is not true is not looked at, whatever the rules say.
    pub include: Option<Explained>,
    /// One for each rule that is on, in the order of [`RuleSet::rules`].
    pub rules: Vec<ExplainedRule>,
    /// The attributes that are not worked out from others: the catalogue's, then those that the configuration declares.
    pub attributes: Vec<AttributeSeen>,
}

/// What a rule says of a contact, in full.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedRule {
    /// The rule's signal.
    pub signal: String,
    /// Its own condition.
    pub own: Explained,
    /// Those of its ladder by name, lowest first. A level counts only where the rule's own condition holds too.
    pub levels: Vec<(String, Explained)>,
    /// The level that it reaches; empty for its own, and where it does not hold.
    pub reached: String,
}

/// A condition, held against a contact.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// As conditions are written.
    pub condition: String,
    /// What came out.
    pub truth: Truth,
    /// Every comparison in the order in which they are written, also where others decide alone.
    pub comparisons: Vec<ExplainedComparison>,
    /// How far it was from holding, where one figure alone decided.
    pub miss: Option<Miss>,
}

/// One comparison, held against a contact.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedComparison {
    /// As conditions are written.
    pub comparison: String,
    /// What came out.
    pub truth: Truth,
    /// What it read, without literals.
    pub values: Vec<Traced>,
}

/// A value: what was seen, how it was read, and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Traced {
    /// The attribute, the call as written, or the name of a rule's value.
    pub name: String,
    /// What it was to be read as.
    pub kind: Type,
    /// Where it came from.
    pub origin: Origin,
    /// The attributes behind it with their values as pushed, null where one is absent: the attribute itself first.
    pub seen: Vec<(String, Value)>,
    /// As it was read; else which attribute could not be, and why.
    pub read: Result<Value, (String, UnknownReason)>,
}

/// An attribute of a contact.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeSeen {
    /// Its name.
    pub name: String,
    /// How it is read.
    pub kind: Type,
    /// As pushed; null where it is absent.
    pub value: Value,
    /// As it was read, or why it could not be.
    pub read: Result<Value, UnknownReason>,
    /// The signals of the rules that depend on it; those of all rules where `include` does.
    pub used_by: Vec<String>,
}

impl Explanation {
    /// Of the rules that do not hold, the one that was nearest to it: by the share of its threshold that was missing.
    pub fn nearest(&self) -> Option<(&ExplainedRule, &Miss)> {
        let missed = self.rules.iter().filter(|rule| rule.own.truth == Truth::False);
        let missed = missed.filter_map(|rule| Some((rule, rule.own.miss.as_ref()?)));
        missed.min_by(|(_, a), (_, b)| a.share.total_cmp(&b.share))
    }

    /// Whether the contact is looked at: true without an `include`.
    pub fn included(&self) -> Truth {
        self.include.as_ref().map_or(Truth::True, |include| include.truth)
    }
}

impl RuleSet {
    /// Holds a contact against every rule, as [`RuleSet::evaluate`] does, and keeps everything that was seen. The contact
    /// should bring every attribute of [`RuleSet::explained_attributes`]. Rules are explained also where `include` is not true.
    pub fn explain(&self, contact: &Contact, as_of: Date) -> Explanation {
        let view = ContactView { contact, as_of };
        Explanation {
            include: self.include.as_ref().map(|include| include.explain(view)),
            rules: self.rules.iter().map(|rule| explain_rule(rule, view)).collect(),
            attributes: self.attributes_of(view),
        }
    }

    /// Everything that an explanation shows: what rules and texts need, and all attributes that have a name here.
    pub fn explained_attributes(&self) -> std::collections::BTreeSet<String> {
        let named = self.attributes().names().map(str::to_owned);
        self.wanted().iter().cloned().chain(named).collect()
    }

    fn attributes_of(&self, view: ContactView<'_>) -> Vec<AttributeSeen> {
        let pushed = self.attributes().names().filter(|name| !self.attributes().is_derived(name));
        let attribute = |name: &str| {
            // Without what stands in for it: this is about the attribute itself.
            let source = Source::attribute(name, self.attributes().kind(name)?);
            let used_by = self.rules.iter().filter(|rule| self.used_by(rule).contains(name));
            Some(AttributeSeen {
                name: name.to_owned(),
                kind: source.kind(),
                value: view.contact.attributes.get(name).cloned().unwrap_or(Value::Null),
                read: source.read(view).map(|reading| reading.to_value()).map_err(|(_, reason)| reason),
                used_by: used_by.map(|rule| rule.signal.clone()).collect(),
            })
        };
        pushed.filter_map(attribute).collect()
    }
}

fn explain_rule(rule: &Rule, view: ContactView<'_>) -> ExplainedRule {
    ExplainedRule {
        signal: rule.signal.clone(),
        own: rule.when.explain(view),
        levels: rule.levels.iter().map(|level| (level.name.clone(), level.when.explain(view))).collect(),
        reached: verdict(rule, view).level,
    }
}

impl Condition {
    /// Holds the condition against a contact, and keeps everything that was seen.
    pub fn explain(&self, view: ContactView<'_>) -> Explained {
        let mut comparisons: Vec<ExplainedComparison> = Vec::new();
        for comparison in self.comparisons() {
            let compared = comparison.explain(view);
            if !comparisons.contains(&compared) {
                comparisons.push(compared);
            }
        }
        Explained { condition: self.to_string(), truth: self.truth(view), comparisons, miss: self.miss(view) }
    }
}

impl Comparison {
    fn explain(&self, view: ContactView<'_>) -> ExplainedComparison {
        let truth = match self.holds(view) {
            Ok(true) => Truth::True,
            Ok(false) => Truth::False,
            Err(_) => Truth::Unknown,
        };
        let sources = self.all_sources().into_iter().map(|source| source.sized_list().unwrap_or(source));
        let listed = sources.filter(|source| !source.is_fixed() || source.is_named_value());
        ExplainedComparison {
            comparison: self.to_string(),
            truth,
            values: listed.map(|source| source.trace(view)).collect(),
        }
    }
}

impl Source {
    fn trace(&self, view: ContactView<'_>) -> Traced {
        let mut attributes: Vec<(String, Value)> = Vec::new();
        self.visit_attributes(&mut |name| {
            let value = view.contact.attributes.get(name).cloned().unwrap_or(Value::Null);
            if attributes.iter().all(|(other, _)| other != name) {
                attributes.push((name.to_owned(), value));
            }
        });
        Traced {
            name: self.text().to_owned(),
            kind: self.kind(),
            origin: self.origin(view),
            seen: attributes,
            read: self.read(view).map(|reading| reading.to_value()).map_err(|(name, why)| (name.to_owned(), why)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::DateTime;

    use super::*;
    use crate::rules::{Attributes, FallbackWhen, Scope};

    fn explained(condition: &str, contact: &[(&str, Value)]) -> Explained {
        let mut attributes = Attributes::default();
        let (login, seen) = ("days_since_last_login", "days_since_last_seen");
        attributes.set_fallback(login.into(), seen.into(), FallbackWhen::Larger);
        let params = BTreeMap::from([("seat_limit".to_owned(), Value::Number(10.0))]);
        let scope = Scope { attributes: &attributes, params: &params };
        let condition = Condition::parse(condition, scope).unwrap_or_else(|faults| panic!("{condition}: {faults:?}"));
        let values = contact.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let contact = Contact { attributes: values.collect(), ..Contact::default() };
        let as_of = DateTime::parse_from_rfc3339("2025-12-20T06:00:00Z").unwrap().to_utc();
        condition.explain(ContactView { contact: &contact, as_of })
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    /// Name, origin, what was seen, and how it was read, of the only value of the only comparison.
    fn traced(condition: &str, contact: &[(&str, Value)]) -> Traced {
        let mut explained = explained(condition, contact);
        assert_eq!(explained.comparisons.len(), 1, "{condition}");
        explained.comparisons[0].values.remove(0)
    }

    #[test]
    fn a_value_tells_what_was_seen_how_it_was_read_and_where_it_came_from() {
        use Origin::{Attribute, Computed, StandIn};
        let number = Value::Number;
        let missing = |name: &str| Err((name.to_owned(), UnknownReason::Missing));
        let unreadable = |name: &str| Err((name.to_owned(), UnknownReason::Unreadable));
        let login = "days_since_last_login >= 14";
        let in_march = || ("last_seen_at", text("2025-03-20"));
        let cases = [
            (
                "a text with a figure",
                "teammates_count >= 8",
                vec![("teammates_count", text("8"))],
                Attribute,
                Ok(number(8.0)),
            ),
            ("nothing", "teammates_count >= 8", vec![], Attribute, missing("teammates_count")),
            (
                "no figure",
                "teammates_count >= 8",
                vec![("teammates_count", text("n/a"))],
                Attribute,
                unreadable("teammates_count"),
            ),
            ("days", "days_since(last_seen_at) > 1", vec![in_march()], Computed, Ok(number(275.0))),
            ("a derived one", "days_since_last_seen > 1", vec![in_march()], Computed, Ok(number(275.0))),
            ("days of nothing", "days_since(last_seen_at) > 1", vec![], Computed, missing("last_seen_at")),
            (
                "the larger one stands in",
                login,
                vec![("days_since_last_login", number(2.0)), in_march()],
                StandIn("days_since_last_seen".into()),
                Ok(number(275.0)),
            ),
            (
                "what could stand in is smaller",
                login,
                vec![("days_since_last_login", number(300.0)), in_march()],
                Attribute,
                Ok(number(300.0)),
            ),
            (
                "a list by its items, though only their number is compared",
                "size(departments_using) > 1",
                vec![("departments_using", text("a; b"))],
                Attribute,
                Ok(Value::List(vec![text("a"), text("b")])),
            ),
        ];
        for (name, condition, contact, origin, read) in cases {
            let traced = traced(condition, &contact);
            assert_eq!((traced.origin, traced.read), (origin, read), "{name}");
            for (attribute, value) in contact {
                assert!(traced.seen.contains(&(attribute.to_owned(), value)), "{name}: {:?}", traced.seen);
            }
        }
    }

    #[test]
    fn named_values_of_a_rule_are_listed_and_literals_are_not() {
        let of = |condition: &str| -> Vec<String> {
            let explained = explained(condition, &[]);
            explained.comparisons.iter().flat_map(|one| &one.values).map(|value| value.name.clone()).collect()
        };
        assert_eq!(of("teammates_count >= seat_limit"), ["teammates_count", "seat_limit"]);
        assert_eq!(of(r#"plan_type == "team" && teammates_count >= 8.0"#), ["plan_type", "teammates_count"]);
        assert_eq!(of("has(plan_type)"), ["plan_type"]);
    }

    #[test]
    fn every_comparison_is_listed_once_with_its_own_truth() {
        let explained = explained(
            r#"(plan_type == "team" && teammates_count >= 8) || (plan_type == "team" && projects_count >= 20)"#,
            &[("plan_type", text("team")), ("projects_count", Value::Number(19.0))],
        );
        let listed: Vec<_> = explained.comparisons.iter().map(|one| (one.comparison.as_str(), one.truth)).collect();
        let expected = [
            (r#"plan_type == "team""#, Truth::True),
            ("teammates_count >= 8", Truth::Unknown),
            ("projects_count >= 20", Truth::False),
        ];
        assert_eq!((explained.truth, listed.as_slice()), (Truth::Unknown, expected.as_slice()));
    }
}
