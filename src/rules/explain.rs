//! Explanations: why a rule holds for a contact or not, with every comparison and its values.

use super::condition::{Comparison, Condition};
use super::evaluate::verdict;
use super::miss::Miss;
use super::rule::Rule;
use super::ruleset::RuleSet;
use super::source::{ContactView, Origin, Source};
use crate::model::{Contact, Date, Truth, Type, UnknownReason, Value};

/// The complete evaluation of every rule for one contact.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// [`RuleSet::include`]. If it is not true, a scan leaves the contact out.
    pub include: Option<Explained>,
    /// One explanation for each enabled rule, in the order of [`RuleSet::rules`].
    pub rules: Vec<ExplainedRule>,
    /// The attributes, without derived ones: the catalogue's, then the declared ones.
    pub attributes: Vec<AttributeSeen>,
}

/// The complete evaluation of a rule for a contact.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedRule {
    /// The rule's signal.
    pub signal: String,
    /// The rule's own condition.
    pub own: Explained,
    /// The conditions of its levels by name, lowest first. A level counts only if the rule's own condition holds too.
    pub levels: Vec<(String, Explained)>,
    /// The level that is reached; empty for the rule's own, and if the rule does not hold.
    pub reached: String,
}

/// A condition, evaluated for a contact.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The condition as written.
    pub condition: String,
    /// The result.
    pub truth: Truth,
    /// Every comparison, in written order, even if others decided alone.
    pub comparisons: Vec<ExplainedComparison>,
    /// How far the condition is from holding, if one figure alone decided.
    pub miss: Option<Miss>,
}

/// One comparison, evaluated for a contact.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedComparison {
    /// The comparison as written.
    pub comparison: String,
    /// The result.
    pub truth: Truth,
    /// The values that it read, without literals.
    pub values: Vec<Traced>,
}

/// A value with its origin: as pushed, and as read.
#[derive(Debug, Clone, PartialEq)]
pub struct Traced {
    /// The attribute, the call as written, or the name of a rule's value.
    pub name: String,
    /// The type as which it is read.
    pub kind: Type,
    /// The origin.
    pub origin: Origin,
    /// The attributes behind it with their pushed values: the attribute itself first. An absent one is null.
    pub seen: Vec<(String, Value)>,
    /// The value as read, or the attribute that could not be read, and why.
    pub read: Result<Value, (String, UnknownReason)>,
}

/// An attribute of a contact.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeSeen {
    /// The name in rules.
    pub name: String,
    /// The name in Intercom.
    pub stored: String,
    /// The type as which it is read.
    pub kind: Type,
    /// The pushed value; null if absent.
    pub value: Value,
    /// The value as read, or why it could not be read.
    pub read: Result<Value, UnknownReason>,
    /// Its users, as [`RuleSet::users_of`] names them.
    pub used_by: Vec<String>,
}

impl Explanation {
    /// Returns the rule that was nearest to holding: the one that missed the smallest share of its threshold.
    pub fn nearest(&self) -> Option<(&ExplainedRule, &Miss)> {
        let missed = self.rules.iter().filter(|rule| rule.own.truth == Truth::False);
        let missed = missed.filter_map(|rule| Some((rule, rule.own.miss.as_ref()?)));
        missed.min_by(|(_, a), (_, b)| a.share.total_cmp(&b.share))
    }

    /// Returns whether a scan includes the contact: true without an `include`.
    pub fn included(&self) -> Truth {
        self.include.as_ref().map_or(Truth::True, |include| include.truth)
    }
}

impl RuleSet {
    /// Evaluates every rule for a contact, as [`RuleSet::evaluate`] does, and keeps every value. The contact should have every
    /// attribute of [`RuleSet::explained_attributes`]. Rules are explained even if `include` is not true.
    pub fn explain(&self, contact: &Contact, as_of: Date) -> Explanation {
        let view = ContactView { contact, as_of };
        Explanation {
            include: self.include.as_ref().map(|include| include.explain(view)),
            rules: self.rules.iter().map(|rule| explain_rule(rule, view)).collect(),
            attributes: self.attributes_of(view),
        }
    }

    /// Returns the names in Intercom of the attributes that an explanation shows: those that rules and texts need, and all known
    /// ones.
    pub fn explained_attributes(&self) -> std::collections::BTreeSet<String> {
        let named = self.attributes().names().map(|name| self.attributes().stored(name).to_owned());
        self.wanted().iter().cloned().chain(named).collect()
    }

    fn attributes_of(&self, view: ContactView<'_>) -> Vec<AttributeSeen> {
        let pushed = self.attributes().names().filter(|name| !self.attributes().is_derived(name));
        let attribute = |name: &str| {
            // Without its fallback, because the explanation is about the attribute itself.
            let source = self.pushed(name, self.attributes().kind(name)?);
            Some(AttributeSeen {
                name: name.to_owned(),
                stored: self.attributes().stored(name).to_owned(),
                kind: source.kind(),
                value: source.pushed(view).clone(),
                read: source.read(view).map(|reading| reading.to_value()).map_err(|(_, reason)| reason),
                used_by: self.users_of(name).into_iter().map(str::to_owned).collect(),
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
    /// Evaluates the condition for a contact, and keeps every value.
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
        let sources = self.all_sources().into_iter().map(|source| source.sized_list().unwrap_or(source));
        let listed = sources.filter(|source| !source.is_fixed() || source.is_named_value());
        ExplainedComparison {
            comparison: self.to_string(),
            truth: self.truth(view),
            values: listed.map(|source| source.trace(view)).collect(),
        }
    }
}

impl Source {
    fn trace(&self, view: ContactView<'_>) -> Traced {
        let mut seen: Vec<(String, Value)> = Vec::new();
        for attribute in self.attributes() {
            if seen.iter().all(|(other, _)| other != attribute.text()) {
                seen.push((attribute.text().to_owned(), attribute.pushed(view).clone()));
            }
        }
        Traced {
            name: self.text().to_owned(),
            kind: self.kind(),
            origin: self.origin(view),
            seen,
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

    /// Returns the only value of the only comparison.
    fn traced(condition: &str, contact: &[(&str, Value)]) -> Traced {
        let mut explained = explained(condition, contact);
        assert_eq!(explained.comparisons.len(), 1, "{condition}");
        explained.comparisons[0].values.remove(0)
    }

    #[test]
    fn a_value_shows_its_pushed_form_how_it_was_read_and_its_origin() {
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
