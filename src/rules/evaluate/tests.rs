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
fn the_pushed_attributes_that_made_a_condition_unknown_are_listed_once() {
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
        // Decided parts are not the reason.
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
fn evidence_is_worded_so_that_it_is_true() {
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
