//! Rules that contacts can decide: how often they fire, or why they do not.

use usage_signals::model::Contact;
use usage_signals::rules::coverage::Coverage;

use super::case::{Case, check, definitions, rules};
use crate::support::{configure, contact, hour, number, text};

/// Returns one contact on the team plan for each `teammates_count`.
fn sizes(all: &[f64]) -> Vec<Contact> {
    let size = |size: &f64| contact("c", None, &[("teammates_count", number(*size)), ("plan_type", text("team"))]);
    all.iter().map(size).collect()
}

/// Returns a case in which two contacts with 3 and 7 teammates do not reach a threshold.
fn not_reached(when: &'static str, sentence: &'static str) -> Case {
    Case {
        name: when,
        when,
        contacts: sizes(&[3.0, 7.0]),
        verdict: "not_reached",
        cause: "not_reached",
        sentence,
        ..Case::default()
    }
}

#[test]
fn a_rule_that_no_contact_reaches_shows_the_range_of_the_values() {
    for case in [
        not_reached("teammates_count >= 8", "the largest teammates_count is 7; the rule needs 8 or more"),
        not_reached("8 <= teammates_count", "the largest teammates_count is 7; the rule needs 8 or more"),
        not_reached("teammates_count > 7", "the largest teammates_count is 7; the rule needs more than 7"),
        not_reached("teammates_count < 3", "the smallest teammates_count is 3; the rule needs less than 3"),
        not_reached("teammates_count <= 2", "the smallest teammates_count is 3; the rule needs 2 or less"),
        not_reached("!(teammates_count < 8)", "the largest teammates_count is 7; the rule needs 8 or more"),
        not_reached("!(teammates_count > 2)", "the smallest teammates_count is 3; the rule needs 2 or less"),
        not_reached("teammates_count == 5", "no teammates_count is 5: all are between 3 and 7"),
        not_reached("teammates_count in [4, 5]", "`teammates_count in [4, 5]` is true for no contact"),
        not_reached(
            "plan_type == \"business\"",
            "`plan_type == \"business\"` is true for no contact; common values: \"team\"",
        ),
        Case {
            cause: "misspelt",
            advice: "write it in the rule as the product does",
            ..not_reached(
                "plan_type == \"Team\"",
                "`plan_type == \"Team\"` is true for no contact; common values: \"team\"; did you mean \"team\"?",
            )
        },
        Case {
            cause: "misspelt",
            advice: "write it in the rule as the product does",
            ..not_reached(
                "plan_type in [\"teem\", \"x\"]",
                "`plan_type in [\"teem\", \"x\"]` is true for no contact; common values: \"team\"; did you mean \"team\"?",
            )
        },
        not_reached("!has(plan_type)", "`has(plan_type)` is false for no contact"),
    ] {
        check(&case);
    }
}

#[test]
fn a_rule_with_known_values_shows_how_often_it_fires() {
    for case in [
        Case {
            name: "each part for some contacts, both for none",
            when: "teammates_count > 5 && teammates_count < 5",
            contacts: sizes(&[3.0, 7.0]),
            verdict: "never_together",
            cause: "never_together",
            sentence: "each part of the condition is true for some contacts, but all parts together for none",
            ..Case::default()
        },
        Case { name: "half of them", contacts: sizes(&[7.0, 8.0]), verdict: "fires", ..Case::default() },
        Case {
            name: "more than half of them",
            contacts: sizes(&[7.0, 8.0, 9.0]),
            verdict: "fires_too_often",
            advice: "check the condition `teammates_count >= 8` and the values that the product writes",
            ..Case::default()
        },
        Case { name: "no contacts", contacts: vec![], verdict: "no_contacts", ..Case::default() },
        Case {
            name: "no included contacts",
            settings: "[scan]\ninclude = 'teammates_count > 100'\n",
            contacts: sizes(&[7.0]),
            verdict: "not_reached",
            cause: "nobody_included",
            sentence: "[scan] include, `teammates_count > 100`, is true for no contact",
            advice: "check [scan] include",
            ..Case::default()
        },
    ] {
        check(&case);
    }
}

#[test]
fn every_part_of_a_condition_counts() {
    // teammates_count is always 9; projects_count is defined and never filled; the workspace lacks workspaces_count.
    let (seen, blind, absent) = ("teammates_count > 5", "projects_count > 5", "workspaces_count > 5");
    for (when, verdict) in [
        (format!("{seen} && {blind}"), "never"),
        (format!("{seen} || {blind}"), "fires_too_often"),
        (format!("{blind} || {absent}"), "never"),
        (format!("!({blind} && {absent})"), "never"),
        // "Unknown and false" is false, so its opposite is true.
        (format!("!({blind} && teammates_count < 5)"), "fires_too_often"),
        (format!("!({blind} || teammates_count < 5)"), "never"),
        (format!("!(!({seen}) || {blind})"), "never"),
        (format!("({blind} || teammates_count > 99) && {seen}"), "not_reached"),
        (format!("({blind} || teammates_count > 99) && {absent}"), "never"),
        (format!("!has(projects_count) && {seen}"), "fires_too_often"),
        (format!("has(projects_count) || {absent}"), "never"),
    ] {
        let config = configure(&rules(&when, ""));
        let defined = definitions("teammates_count integer, projects_count integer");
        let mut coverage = Coverage::new(&config.rules, defined, hour(0));
        coverage.add(&contact("c", None, &[("teammates_count", number(9.0))]));
        let findings = coverage.findings();
        let outcome = &findings.iter().find(|finding| finding.rule.signal == "x").unwrap().outcome;
        assert_eq!(outcome.verdict.name(), verdict, "{when}: {outcome:?}");
        let blind_part = outcome.causes.iter().any(|cause| cause.attribute == "projects_count");
        assert_eq!(blind_part, when.contains("projects_count") && !when.contains("!has"), "{when}: {outcome:?}");
    }
}

#[test]
fn each_level_has_a_verdict_of_its_own() {
    let config = configure("");
    let mut coverage = Coverage::new(&config.rules, definitions("storage_percent float"), hour(0));
    for percent in [10.0, 20.0, 91.0] {
        coverage.add(&contact("c", None, &[("storage_percent", number(percent))]));
    }
    let findings = coverage.findings();
    let storage = findings.iter().find(|finding| finding.rule.signal == "storage_limit").unwrap();
    assert_eq!((storage.outcome.verdict.name(), storage.outcome.contacts), ("fires", 1));
    let (level, outcome) = &storage.levels[0];
    assert_eq!((level.name.as_str(), outcome.verdict.name(), outcome.contacts), ("critical", "not_reached", 0));
    assert_eq!(outcome.causes[0].message, "the largest storage_percent is 91; the rule needs 95 or more");
}
