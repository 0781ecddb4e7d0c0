//! True, false or unknown, with evidence.

use super::condition::{Comparison, Condition, Op};
use super::rule::Rule;
use super::source::{ContactView, Reading, Source, Unread};
use crate::model::{Evidence, Truth, UnknownReason, Value};

/// The result of one rule for one contact.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleVerdict {
    /// Whether the rule's own condition holds.
    pub truth: Truth,
    /// The highest level that holds; empty for the rule's own. Means something only when true.
    pub level: String,
    /// The comparisons that made it hold, the rule's and then the level's; empty unless true.
    pub evidence: Vec<Evidence>,
    /// The attributes that left the rule unknown, or a level of a rule that holds. Each once.
    pub unknown: Vec<(String, UnknownReason)>,
}

/// Evaluates a rule for one contact.
pub(super) fn verdict(rule: &Rule, view: ContactView<'_>) -> RuleVerdict {
    let truth = rule.when.truth(view);
    let mut verdict = RuleVerdict { truth, level: String::new(), evidence: Vec::new(), unknown: Vec::new() };
    match truth {
        Truth::True => {
            rule.when.collect_evidence(view, Truth::True, &mut verdict.evidence);
            let highest = rule.levels.iter().rev().find(|level| level.when.truth(view) == Truth::True);
            if let Some(level) = highest {
                level.name.clone_into(&mut verdict.level);
                level.when.collect_evidence(view, Truth::True, &mut verdict.evidence);
            }
            // An unknown level is reported like an unknown rule.
            let mut blind: Vec<_> = rule.levels.iter().flat_map(|level| unknown_if(&level.when, view)).collect();
            blind.sort();
            blind.dedup();
            verdict.unknown = blind;
        }
        Truth::Unknown => verdict.unknown = unknown(&rule.when, view),
        Truth::False => {}
    }
    verdict
}

fn unknown_if(condition: &Condition, view: ContactView<'_>) -> Vec<(String, UnknownReason)> {
    if condition.truth(view) == Truth::Unknown { unknown(condition, view) } else { Vec::new() }
}

/// Returns the attributes that left a condition unknown, each once.
pub(super) fn unknown(condition: &Condition, view: ContactView<'_>) -> Vec<(String, UnknownReason)> {
    let mut unread = Vec::new();
    condition.collect_unread(view, &mut unread);
    unread.into_iter().map(|(name, reason)| (name.to_owned(), reason)).collect()
}

impl Condition {
    /// True, false or unknown for one contact.
    pub fn truth(&self, view: ContactView<'_>) -> Truth {
        match self {
            Condition::All(parts) => joined(parts, view, Truth::False, Truth::True),
            Condition::Any(parts) => joined(parts, view, Truth::True, Truth::False),
            Condition::Not(inner) => match inner.truth(view) {
                Truth::True => Truth::False,
                Truth::False => Truth::True,
                Truth::Unknown => Truth::Unknown,
            },
            Condition::Comparison(comparison) => match comparison.holds(view) {
                Ok(true) => Truth::True,
                Ok(false) => Truth::False,
                Err(_) => Truth::Unknown,
            },
        }
    }

    /// Adds the comparisons that made the condition `wanted` (true, or false below a not).
    pub(super) fn collect_evidence(&self, view: ContactView<'_>, wanted: Truth, evidence: &mut Vec<Evidence>) {
        if self.truth(view) != wanted {
            return;
        }
        match self {
            Condition::All(parts) | Condition::Any(parts) => {
                for part in parts {
                    part.collect_evidence(view, wanted, evidence);
                }
            }
            Condition::Not(inner) => {
                let opposite = if wanted == Truth::True { Truth::False } else { Truth::True };
                inner.collect_evidence(view, opposite, evidence);
            }
            Condition::Comparison(comparison) => {
                let found = comparison.evidence(view, wanted == Truth::True);
                if let Some(found) = found.filter(|found| !evidence.contains(found)) {
                    evidence.push(found);
                }
            }
        }
    }

    /// Adds what could not be read, wherever that left a part unknown.
    pub(super) fn collect_unread<'a>(&'a self, view: ContactView<'a>, unread: &mut Vec<Unread<'a>>) {
        match self {
            Condition::All(parts) | Condition::Any(parts) => {
                for part in parts.iter().filter(|part| part.truth(view) == Truth::Unknown) {
                    part.collect_unread(view, unread);
                }
            }
            Condition::Not(inner) => inner.collect_unread(view, unread),
            Condition::Comparison(comparison) => {
                for source in comparison.sources() {
                    if let Err(found) = source.read(view)
                        && !unread.contains(&found)
                    {
                        unread.push(found);
                    }
                }
            }
        }
    }
}

/// Kleene's and, or: one `decisive` part decides; otherwise an unknown one leaves it open.
fn joined(parts: &[Condition], view: ContactView<'_>, decisive: Truth, otherwise: Truth) -> Truth {
    let mut result = otherwise;
    for part in parts {
        match part.truth(view) {
            truth if truth == decisive => return decisive,
            Truth::Unknown => result = Truth::Unknown,
            _ => {}
        }
    }
    result
}

impl Op {
    /// True where this is false. Numbers here are never NaN, so that every comparison has an opposite.
    pub(super) fn opposite(self) -> Op {
        match self {
            Op::Equal => Op::NotEqual,
            Op::NotEqual => Op::Equal,
            Op::Less => Op::GreaterOrEqual,
            Op::LessOrEqual => Op::Greater,
            Op::Greater => Op::LessOrEqual,
            Op::GreaterOrEqual => Op::Less,
        }
    }

    fn holds<T: PartialOrd + ?Sized>(self, left: &T, right: &T) -> bool {
        match self {
            Op::Equal => left == right,
            Op::NotEqual => left != right,
            Op::Less => left < right,
            Op::LessOrEqual => left <= right,
            Op::Greater => left > right,
            Op::GreaterOrEqual => left >= right,
        }
    }
}

impl Comparison {
    /// Whether it holds, or what could not be read.
    pub fn holds<'a>(&'a self, view: ContactView<'a>) -> Result<bool, Unread<'a>> {
        match self {
            Comparison::Compare { left, op, right } => Ok(match (left.read(view)?, right.read(view)?) {
                (Reading::Number(left), Reading::Number(right)) => op.holds(&left, &right),
                (Reading::Text(left), Reading::Text(right)) => op.holds(&*left, &*right),
                (Reading::YesNo(left), Reading::YesNo(right)) => op.holds(&left, &right),
                // Loading refuses other pairs.
                _ => false,
            }),
            Comparison::OneOf { item, list } => {
                let item = item.read(view)?;
                Ok(list.iter().any(|value| equals(&item, value)))
            }
            Comparison::Contains { list, item } => Ok(match (list.read(view)?, item.read(view)?) {
                (Reading::List(items), Reading::Text(text)) => items.contains(&text),
                _ => false,
            }),
            Comparison::Filled(source) => Ok(source.is_filled(view)),
            Comparison::Yes(source) => Ok(source.read(view)? == Reading::YesNo(true)),
        }
    }

    /// The comparison with the values seen, said so that it is true: as written where it `holds`, turned round below a not.
    pub(super) fn evidence(&self, view: ContactView<'_>, holds: bool) -> Option<Evidence> {
        let (subject, words, threshold): (&Source, &str, Value) = match self {
            Comparison::Compare { left, op, right } => {
                let op = if holds { *op } else { op.opposite() };
                let threshold = right.read(view).ok()?.to_value();
                match (left.sized_list(), emptiness(op, &threshold)) {
                    (Some(list), Some(words)) => (list, words, Value::Null),
                    _ => (left, op.sign(), threshold),
                }
            }
            Comparison::OneOf { item, list } => (item, pick(holds, "in", "not in"), Value::List(list.clone())),
            Comparison::Contains { list, item } => {
                let item = item.read(view).ok()?.to_value();
                (list, pick(holds, "contains", "does not contain"), item)
            }
            Comparison::Filled(source) => {
                let value = source.read(view).map_or(Value::Null, |reading| reading.to_value());
                let words = pick(holds, "is filled", "is not filled");
                return Some(evidence(source, value, words, Value::Null));
            }
            Comparison::Yes(source) => (source, Op::Equal.sign(), Value::Bool(holds)),
        };
        let value = subject.read(view).ok()?.to_value();
        Some(evidence(subject, value, words, threshold))
    }
}

fn evidence(subject: &Source, value: Value, words: &str, threshold: Value) -> Evidence {
    Evidence { attribute: subject.text().to_owned(), value, comparison: words.to_owned(), threshold }
}

fn pick(holds: bool, yes: &'static str, no: &'static str) -> &'static str {
    if holds { yes } else { no }
}

/// `size(list) > 0` in words; None where the number matters.
fn emptiness(op: Op, threshold: &Value) -> Option<&'static str> {
    let Value::Number(number) = threshold else { return None };
    let is = |wanted: f64| *number == wanted;
    match op {
        Op::Greater | Op::NotEqual if is(0.0) => Some("is not empty"),
        Op::GreaterOrEqual if is(1.0) => Some("is not empty"),
        Op::Equal | Op::LessOrEqual if is(0.0) => Some("is empty"),
        Op::Less if is(1.0) => Some("is empty"),
        _ => None,
    }
}

fn equals(reading: &Reading<'_>, value: &Value) -> bool {
    match (reading, value) {
        (Reading::Number(left), Value::Number(right)) => left == right,
        (Reading::Text(left), Value::Text(right)) => left == right,
        (Reading::YesNo(left), Value::Bool(right)) => left == right,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Contact, Date};
    use crate::rules::{Attributes, Scope};
    use Truth::{False, True, Unknown};

    fn parse(text: &str) -> Condition {
        let scope = Scope { attributes: &Attributes::default(), params: &BTreeMap::new() };
        Condition::parse(text, scope).unwrap_or_else(|faults| panic!("{text}: {faults:?}"))
    }

    fn contact(attributes: &[(&str, Value)]) -> Contact {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        Contact { attributes: attributes.collect(), ..Contact::default() }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn as_of() -> Date {
        DateTime::parse_from_rfc3339("2025-12-20T06:00:00Z").unwrap().to_utc()
    }

    fn truth(condition: &str, contact: &Contact) -> Truth {
        let view = ContactView { contact, as_of: as_of() };
        parse(condition).truth(view)
    }

    #[test]
    fn and_or_not_follow_the_three_valued_tables() {
        // a comparison of each truth
        let contact = contact(&[("projects_count", Value::Number(5.0))]);
        let (t, f, u) = ("projects_count == 5", "projects_count == 6", "teammates_count == 1");
        let name = |truth| match truth {
            True => t,
            False => f,
            Unknown => u,
        };
        let and = [
            (True, True, True),
            (True, False, False),
            (True, Unknown, Unknown),
            (False, False, False),
            (False, Unknown, False),
            (Unknown, Unknown, Unknown),
        ];
        let or = [
            (True, True, True),
            (True, False, True),
            (True, Unknown, True),
            (False, False, False),
            (False, Unknown, Unknown),
            (Unknown, Unknown, Unknown),
        ];
        for (table, sign) in [(and, "&&"), (or, "||")] {
            for (left, right, expected) in table {
                for (left, right) in [(left, right), (right, left)] {
                    let condition = format!("{} {sign} {}", name(left), name(right));
                    assert_eq!(truth(&condition, &contact), expected, "{condition}");
                }
            }
        }
        for (inner, expected) in [(True, False), (False, True), (Unknown, Unknown)] {
            assert_eq!(truth(&format!("!({})", name(inner)), &contact), expected);
        }
    }

    #[test]
    fn every_comparison_reads_its_type() {
        let contact = contact(&[
            ("plan_type", text("team")),
            ("projects_count", text(" 20 ")),
            ("departments_using", text("Sales; Legal")),
            ("enterprise_features_tried", text("[]")),
            ("gv_version", text("")),
            ("os", Value::Null),
            ("last_seen_at", text("2025-12-06T06:00:00Z")),
            ("created_at", text("2025-12-06T06:00:01Z")),
            ("signed_up_at", text("2026-01-01")),
            ("storage_used_mb", Value::Number(829.0)),
            ("storage_limit_mb", Value::Number(0.0)),
            ("active_projects", Value::Bool(true)),
        ]);
        for (condition, expected) in [
            ("projects_count == 20", True),
            ("projects_count > 20", False),
            ("projects_count <= 20 && projects_count != 21 && 21 > projects_count", True),
            ("plan_type == \"Team\"", False),
            ("plan_type in [\"free\", \"team\"]", True),
            ("projects_count in [19, 21]", False),
            ("\"Legal\" in departments_using", True),
            ("\"legal\" in departments_using", False),
            ("plan_type in departments_using", False),
            ("size(departments_using) == 2", True),
            ("size(enterprise_features_tried) > 0", False),
            ("size(integrations_enabled) > 0", Unknown),
            ("has(plan_type)", True),
            ("has(gv_version)", False),
            ("has(os)", False),
            ("has(browser)", False),
            ("has(active_projects)", True),
            ("active_projects > 1", Unknown),
            ("days_since(last_seen_at) == 14", True),
            ("days_since(created_at) == 13", True),
            ("days_since_last_seen >= 14", True),
            ("days_since_signup >= 0", Unknown),
            ("percent(storage_used_mb, projects_count) == 4145", True),
            ("storage_percent_computed >= 0", Unknown),
            ("storage_used_mb > storage_limit_mb", True),
        ] {
            assert_eq!(truth(condition, &contact), expected, "{condition}");
        }
    }

    #[test]
    fn what_left_it_unknown_is_named_by_the_pushed_attribute_each_once() {
        use UnknownReason::{InTheFuture, Missing, Unreadable, WholeIsZero};
        let contact = contact(&[
            ("plan_type", text("team")),
            ("projects_count", text("many")),
            ("signed_up_at", text("2026-01-01")),
            ("storage_used_mb", Value::Number(1.0)),
            ("storage_limit_mb", Value::Number(0.0)),
        ]);
        let cases = [
            ("teammates_count > 1 && teammates_count < 9", vec![("teammates_count", Missing)]),
            ("projects_count > 1 || plan_type == \"free\"", vec![("projects_count", Unreadable)]),
            (
                "days_since_signup > 1 && days_since(last_seen_at) > 1",
                vec![("signed_up_at", InTheFuture), ("last_seen_at", Missing)],
            ),
            ("!(storage_percent_computed > 1)", vec![("storage_limit_mb", WholeIsZero)]),
            // The parts that are decided have nothing to do with it.
            ("(plan_type == \"free\" && os == \"x\") || browser == \"y\"", vec![("browser", Missing)]),
        ];
        for (condition, expected) in cases {
            let parsed = parse(condition);
            let view = ContactView { contact: &contact, as_of: as_of() };
            assert_eq!(parsed.truth(view), Unknown, "{condition}");
            let found = unknown(&parsed, view);
            let found: Vec<_> = found.iter().map(|(name, reason)| (name.as_str(), *reason)).collect();
            assert_eq!(found, expected, "{condition}");
        }
    }

    #[test]
    #[rustfmt::skip]
    fn evidence_is_said_so_that_it_is_true() {
        let contact = contact(&[
            ("plan_type", text("team")),
            ("projects_count", text("20")),
            ("departments_using", text("Sales")),
        ]);
        for (condition, expected) in [
            ("projects_count >= 20", vec!["projects_count >= Number(20.0)"]),
            ("20 <= projects_count", vec!["projects_count >= Number(20.0)"]),
            (
                "projects_count > 10 || plan_type == \"team\" || plan_type == \"x\"",
                vec!["projects_count > Number(10.0)", "plan_type == Text(\"team\")"],
            ),
            (
                "!(projects_count < 20 || plan_type == \"free\")",
                vec!["projects_count >= Number(20.0)", "plan_type != Text(\"free\")"],
            ),
            (
                "!(has(os) || \"HR\" in departments_using || plan_type in [\"x\"])",
                vec![
                    "os is not filled Null",
                    "departments_using does not contain Text(\"HR\")",
                    "plan_type not in List([Text(\"x\")])",
                ],
            ),
            (
                "has(plan_type) && \"Sales\" in departments_using",
                vec!["plan_type is filled Null", "departments_using contains Text(\"Sales\")"],
            ),
            (
                "size(departments_using) >= 1",
                vec!["departments_using is not empty Null"],
            ),
            (
                "size(departments_using) < 2",
                vec!["size(departments_using) < Number(2.0)"],
            ),
            (
                "projects_count > 5 && projects_count > 5",
                vec!["projects_count > Number(5.0)"],
            ),
            ("projects_count > 50", vec![]),
        ] {
            let mut evidence = Vec::new();
            let view = ContactView {
                contact: &contact,
                as_of: as_of(),
            };
            parse(condition).collect_evidence(view, True, &mut evidence);
            let said = evidence
                .iter()
                .map(|one| format!("{} {} {:?}", one.attribute, one.comparison, one.threshold));
            assert_eq!(said.collect::<Vec<_>>(), expected, "{condition}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            Just(Value::Object),
            any::<bool>().prop_map(Value::Bool),
            any::<f64>().prop_map(Value::Number),
            "\\PC{0,12}|[0-9]{1,14}|team|\\[\"a\"\\]".prop_map(Value::Text),
            prop::collection::vec("[a-c]".prop_map(Value::Text), 0..3).prop_map(Value::List),
        ]
    }

    const CONDITION: &str = "(plan_type in [\"team\", \"a\"] || \"a\" in departments_using || size(departments_using) > 1) \
        && !(projects_count >= 3 && has(os)) && (days_since(last_seen_at) > 3 || percent(projects_count, teammates_count) < 9)";

    proptest! {
        #[test]
        fn any_contact_gives_an_answer_with_reasons(
            values in prop::collection::vec(any_value(), 6),
            seconds in -70_000_000_000i64..70_000_000_000,
        ) {
            let names = ["plan_type", "departments_using", "projects_count", "teammates_count", "os", "last_seen_at"];
            let has: Vec<_> = names.into_iter().zip(values).collect();
            let contact = contact(&has);
            let condition = parse(CONDITION);
            let view = ContactView { contact: &contact, as_of: DateTime::from_timestamp(seconds, 0).unwrap() };
            let mut evidence = Vec::new();
            condition.collect_evidence(view, True, &mut evidence);
            let truth = condition.truth(view);
            prop_assert_eq!(truth == True, !evidence.is_empty());
            prop_assert!(truth != Unknown || !unknown(&condition, view).is_empty());
        }
    }
}
