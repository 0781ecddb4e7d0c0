//! The findings of coverage: each cause of a rule that does not fire, with its sentence and its advice.

use usage_signals::model::{AttributeDefinition, Contact, Value};
use usage_signals::rules::coverage::{Coverage, PlanName, ROLL_OUT};

use crate::support::{configure, contact, hour, number, text};

/// Parses attribute definitions such as `teammates_count integer, plan_type string`.
fn definitions(written: &str) -> Vec<AttributeDefinition> {
    let all = written.split(", ").filter_map(|one| one.split_once(' '));
    all.map(|(name, kind)| AttributeDefinition {
        name: name.into(),
        data_type: kind.into(),
        custom: true,
        archived: false,
    })
    .collect()
}

fn contacts(all: &[&[(&str, Value)]]) -> Vec<Contact> {
    (1..).zip(all).map(|(number, attributes)| contact(&format!("c{number}"), None, attributes)).collect()
}

/// Returns a configuration with one rule that has this condition. Other settings come first.
fn rules(when: &str, others: &str) -> String {
    format!(
        "{others}\n[[rules]]\nsignal = \"x\"\ntag = \"X\"\nwhen = '{when}'\npriority = \"low\"\nrespond_within_days = 1\n\
         details = \"d\"\naction = \"a\"\n"
    )
}

/// A configuration and a workspace with contacts, and the expected verdict, cause and advice.
struct Case {
    name: &'static str,
    when: &'static str,
    settings: &'static str,
    defined: &'static str,
    contacts: Vec<Contact>,
    verdict: &'static str,
    cause: &'static str,
    sentence: &'static str,
    advice: &'static str,
}

impl Default for Case {
    fn default() -> Case {
        Case {
            name: "",
            when: "teammates_count >= 8",
            settings: "",
            defined: "teammates_count integer",
            contacts: contacts(&[&[]]),
            verdict: "never",
            cause: "",
            sentence: "",
            advice: "",
        }
    }
}

#[track_caller]
fn check(case: &Case) {
    let Case { name, when, settings, defined, contacts, verdict, cause, sentence, advice } = case;
    let config = configure(&rules(when, settings));
    let mut coverage = Coverage::new(&config.rules, definitions(defined), hour(0));
    contacts.iter().for_each(|contact| coverage.add(contact));
    let findings = coverage.findings();
    let outcome = &findings.iter().find(|finding| finding.rule.signal == "x").unwrap().outcome;
    assert_eq!(outcome.verdict.name(), *verdict, "{name}: {outcome:?}");
    let found: Vec<_> = outcome.causes.iter().map(|cause| (cause.kind.name(), cause.message.as_str())).collect();
    let expected = if cause.is_empty() { vec![] } else { vec![(*cause, *sentence)] };
    assert_eq!(found, expected, "{name}");
    let to_do = coverage.to_do().into_iter().find(|to_do| to_do.rules.contains(&"x".to_owned()));
    let advised = to_do.map(|to_do| to_do.advice).unwrap_or_default();
    assert_eq!(advised, *advice, "{name}");
}

#[test]
fn every_reason_for_an_undecided_rule_has_its_sentence_and_advice() {
    let teammates = |value: Value| contacts(&[&[("teammates_count", value)]]);
    for case in [
        Case {
            name: "the workspace lacks the attribute",
            defined: "plan_type string",
            cause: "not_defined",
            sentence: "the workspace has no attribute teammates_count",
            advice: "create it in Intercom as a number, then have the product write it",
            ..Case::default()
        },
        Case {
            name: "the workspace has an attribute of a similar name",
            defined: "team_mates_count integer",
            cause: "not_defined",
            sentence: "the workspace has no attribute teammates_count",
            advice: "create it in Intercom as a number, then have the product write it (the workspace has `team_mates_count`: \
                     is it meant?)",
            ..Case::default()
        },
        Case {
            name: "the workspace lacks the attribute, and has no contacts either",
            defined: "",
            contacts: vec![],
            cause: "not_defined",
            sentence: "the workspace has no attribute teammates_count",
            advice: "create it in Intercom as a number, then have the product write it",
            ..Case::default()
        },
        Case {
            name: "the workspace lacks a list",
            when: "size(departments_using) >= 2",
            cause: "not_defined",
            sentence: "the workspace has no attribute departments_using",
            advice: "create it in Intercom as text with the items separated by commas (Intercom cannot store lists), then \
                     have the product write it",
            ..Case::default()
        },
        Case {
            name: "a list in a type that cannot store it",
            when: "size(departments_using) >= 2",
            defined: "departments_using integer",
            cause: "list_not_storable",
            sentence: "departments_using is of type integer, in which Intercom cannot store a list",
            advice: "create another attribute as text with the items separated by commas (Intercom cannot store lists), and \
                     use it in the product and in the rule: Intercom cannot change the type of an existing one",
            ..Case::default()
        },
        Case {
            name: "yes and no where a number is compared",
            defined: "teammates_count boolean",
            contacts: teammates(Value::Bool(true)),
            cause: "wrong_type",
            sentence: "teammates_count is of type boolean, and the rule compares a number",
            advice: "create another attribute as a number, and use it in the product and in the rule: Intercom cannot change \
                     the type of an existing one",
            ..Case::default()
        },
        Case {
            name: "text where a number is compared",
            defined: "teammates_count string",
            contacts: teammates(text("eight")),
            cause: "wrong_type",
            sentence: "teammates_count holds text values, and the rule compares a number (contacts with a value: 1, for \
                       example c1)",
            advice: "have the product write a plain number, such as 83",
            ..Case::default()
        },
        Case {
            name: "no contact has it",
            cause: "never_filled",
            sentence: "teammates_count is defined, and no contact has it",
            advice: "have the product write it: a plain number, such as 83",
            ..Case::default()
        },
        Case {
            name: "no contact has a list, because Intercom refuses arrays",
            when: "size(enterprise_features_tried) > 0",
            defined: "enterprise_features_tried string",
            cause: "never_filled",
            sentence: "enterprise_features_tried is defined, and no contact has it",
            advice: "have the product write it: one text with the items separated by commas (Intercom cannot store lists)",
            ..Case::default()
        },
        Case {
            name: "no contact has one of Intercom's own attributes",
            when: "days_since(last_contacted_at) > 9",
            cause: "never_filled",
            sentence: "no contact has last_contacted_at",
            advice: "nothing: Intercom fills it from what the Messenger and the product send",
            ..Case::default()
        },
        Case {
            name: "has(x) of an attribute that no contact has",
            when: "has(teammates_count)",
            cause: "never_filled",
            sentence: "teammates_count is defined, and no contact has it",
            advice: "have the product write it: a plain number, such as 83",
            ..Case::default()
        },
        Case {
            name: "an invalid date",
            when: "days_since(last_project_created) > 9",
            defined: "last_project_created date",
            contacts: contacts(&[&[("last_project_created", number(0.0))]]),
            cause: "unreadable",
            sentence: "last_project_created is never readable as a date (contacts with a value: 1, for example c1)",
            advice: "have the product write Unix seconds, or a date such as 2025-12-20",
            ..Case::default()
        },
        Case {
            name: "dates in the future",
            when: "days_since(last_project_created) > 9",
            defined: "last_project_created date",
            contacts: contacts(&[&[("last_project_created", text("2049-01-01"))], &[]]),
            cause: "never_known",
            sentence: "last_project_created lies in the future for every contact that has it",
            advice: "check the values that the product writes",
            ..Case::default()
        },
        Case {
            name: "a share of nothing",
            when: "storage_percent_computed >= 80",
            defined: "storage_used_mb integer, storage_limit_mb integer",
            contacts: contacts(&[&[("storage_used_mb", number(1.0)), ("storage_limit_mb", number(0.0))]]),
            cause: "never_known",
            sentence: "storage_limit_mb is zero for every contact that has it, and the rule needs a share of it",
            advice: "check the values that the product writes",
            ..Case::default()
        },
        Case {
            name: "only contacts that are not included have it",
            settings: "[scan]\ninclude = 'role == \"user\"'\n",
            contacts: contacts(&[
                &[("role", text("lead")), ("teammates_count", number(9.0))],
                &[("role", text("user"))],
            ]),
            cause: "left_out",
            sentence: "[scan] include leaves out all 1 contacts that have teammates_count",
            advice: "check [scan] include",
            ..Case::default()
        },
        Case {
            name: "include itself cannot be decided",
            settings: "[scan]\ninclude = 'plan_type == \"team\"'\n",
            contacts: teammates(number(9.0)),
            cause: "not_defined",
            sentence: "the workspace has no attribute plan_type",
            advice: "create it in Intercom as text, then have the product write it",
            ..Case::default()
        },
    ] {
        check(&case);
    }
    // If no contact has both attributes, each is a cause.
    let config = configure(&rules("storage_used_mb > storage_limit_mb", ""));
    let defined = definitions("storage_used_mb integer, storage_limit_mb integer");
    let mut coverage = Coverage::new(&config.rules, defined, hour(0));
    for contact in contacts(&[&[("storage_used_mb", number(1.0))], &[("storage_limit_mb", number(2.0))]]) {
        coverage.add(&contact);
    }
    let findings = coverage.findings();
    let outcome = &findings.iter().find(|finding| finding.rule.signal == "x").unwrap().outcome;
    let found: Vec<_> = outcome.causes.iter().map(|cause| (cause.kind.name(), cause.attribute.as_str())).collect();
    assert_eq!(found, [("never_both", "storage_limit_mb"), ("never_both", "storage_used_mb")]);
    assert_eq!(
        outcome.causes[1].message,
        "no contact has both storage_used_mb and the attribute that it is compared with"
    );
}

#[test]
fn a_decided_rule_shows_how_often_it_fires_or_the_range_of_the_values() {
    let sizes = |all: &[f64]| {
        let size = |size: &f64| contact("c", None, &[("teammates_count", number(*size)), ("plan_type", text("team"))]);
        all.iter().map(size).collect::<Vec<_>>()
    };
    let reached = |when, sentence| Case {
        name: when,
        when,
        contacts: sizes(&[3.0, 7.0]),
        verdict: "not_reached",
        cause: "not_reached",
        sentence,
        ..Case::default()
    };
    for case in [
        reached("teammates_count >= 8", "the largest teammates_count is 7; the rule needs 8 or more"),
        reached("8 <= teammates_count", "the largest teammates_count is 7; the rule needs 8 or more"),
        reached("teammates_count > 7", "the largest teammates_count is 7; the rule needs more than 7"),
        reached("teammates_count < 3", "the smallest teammates_count is 3; the rule needs less than 3"),
        reached("teammates_count <= 2", "the smallest teammates_count is 3; the rule needs 2 or less"),
        reached("!(teammates_count < 8)", "the largest teammates_count is 7; the rule needs 8 or more"),
        reached("!(teammates_count > 2)", "the smallest teammates_count is 3; the rule needs 2 or less"),
        reached("teammates_count == 5", "no teammates_count is 5: all are between 3 and 7"),
        reached("teammates_count in [4, 5]", "`teammates_count in [4, 5]` is true for no contact"),
        reached(
            "plan_type == \"business\"",
            "`plan_type == \"business\"` is true for no contact; common values: \"team\"",
        ),
        Case {
            cause: "misspelt",
            advice: "write it in the rule as the product does",
            ..reached(
                "plan_type == \"Team\"",
                "`plan_type == \"Team\"` is true for no contact; common values: \"team\"; did you mean \"team\"?",
            )
        },
        Case {
            cause: "misspelt",
            advice: "write it in the rule as the product does",
            ..reached(
                "plan_type in [\"teem\", \"x\"]",
                "`plan_type in [\"teem\", \"x\"]` is true for no contact; common values: \"team\"; did you mean \"team\"?",
            )
        },
        reached("!has(plan_type)", "`has(plan_type)` is false for no contact"),
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

#[test]
fn advice_is_in_the_order_of_the_roll_out() {
    let config = configure(
        "[[rules]]\nsignal = \"power_user\"\nwhen = 'projects_count > 1 && days_since(last_project_created) < 9'\n",
    );
    let coverage = Coverage::new(&config.rules, vec![], hour(0));
    let named: Vec<_> = coverage.to_do().into_iter().filter_map(|to_do| to_do.attribute).collect();
    assert_eq!(named[..6], ROLL_OUT);
    // The attributes of enabled rules follow, then the rest.
    assert_eq!(named[6..8], ["plan_type", "api_usage_last_30_days"]);
    let attributes: Vec<_> = coverage.attributes().iter().map(|attribute| attribute.name.as_str()).collect();
    assert_eq!(attributes[..6], ROLL_OUT);
    assert_eq!(attributes[6], "plan_type");
}

#[test]
fn a_gap_counts_included_contacts_only() {
    let config = configure(&rules("teammates_count >= 8", "[scan]\ninclude = 'role == \"user\"'\n"));
    let mut coverage = Coverage::new(&config.rules, definitions("teammates_count integer"), hour(0));
    let role = |role: &str| ("role", text(role));
    for contact in contacts(&[&[role("lead")], &[role("user")], &[role("user"), ("teammates_count", number(7.0))]]) {
        coverage.add(&contact);
    }
    let all = coverage.to_do();
    let found = all.iter().find(|to_do| to_do.attribute.as_deref() == Some("teammates_count")).unwrap();
    assert_eq!(found.cause, "teammates_count has no usable value for 1 of 2 contacts");
    assert_eq!((found.advice.as_str(), &found.meanwhile), ("have the product write it for all contacts", &None));
    assert!(!all.iter().any(|to_do| to_do.attribute.as_deref() == Some("role")), "Intercom fills its own: {all:#?}");
}

#[test]
fn the_largest_plans_are_listed_by_name_in_any_order_of_contacts() {
    // Sixteen plans of 1, 1, 2, 2, … 8, 8 contacts, the first half of each with a value, and three contacts without a plan.
    let plans = (0..16_usize).flat_map(|plan| (0..plan / 2 + 1).map(move |index| (plan, index)));
    let all = plans.map(|(plan, index)| {
        let filled = (index < (plan / 2).div_ceil(2)).then(|| ("teammates_count", number(9.0)));
        let attributes: Vec<_> = [("plan_type", text(&format!("plan {plan:02}")))].into_iter().chain(filled).collect();
        contact(&format!("c{plan:02}{index}"), None, &attributes)
    });
    let mut all: Vec<_> = all.chain((0..3).map(|number| contact(&format!("d{number}"), None, &[]))).collect();
    let config = configure("");
    let found = |all: &[Contact]| {
        let mut coverage = Coverage::new(&config.rules, definitions("teammates_count integer"), hour(0));
        all.iter().for_each(|contact| coverage.add(contact));
        let teammates = coverage.attribute("teammates_count").unwrap();
        let plans = coverage.plans().into_iter();
        plans.map(|plan| (plan.name.clone(), plan.contacts, plan.readable(teammates))).collect::<Vec<_>>()
    };
    let forwards = found(&all);
    all.reverse();
    assert_eq!(forwards, found(&all));
    let named = |plan: usize| (PlanName::Named(format!("plan {plan:02}")), plan / 2 + 1, (plan / 2).div_ceil(2));
    let mut expected = vec![(PlanName::NoPlan, 3, 0)];
    expected.extend([14, 15, 12, 13, 10, 11, 8, 9, 6, 7, 4, 5].map(named));
    expected.push((PlanName::Others, 6, 2));
    assert_eq!(forwards, expected);
    // With twelve plans there are no others.
    all.retain(|contact| !["c00", "c01", "c02", "c03"].iter().any(|plan| contact.id.starts_with(plan)));
    let twelve = found(&all);
    assert_eq!(twelve, expected[..13]);
}

#[test]
fn an_archived_attribute_should_be_restored() {
    let found = |defined: Vec<AttributeDefinition>, value: Value| {
        let config = configure(&rules("teammates_count >= 8", ""));
        let mut coverage = Coverage::new(&config.rules, defined, hour(0));
        contacts(&[&[("teammates_count", value)]]).iter().for_each(|contact| coverage.add(contact));
        let found = coverage.to_do().into_iter().find(|it| it.attribute.as_deref() == Some("teammates_count"));
        let names: Vec<_> = coverage.attributes().iter().map(|attribute| attribute.name.clone()).collect();
        assert!(!names.contains(&"old".to_owned()), "no rule uses it: {names:?}");
        found.map(|it| (it.cause, it.advice))
    };
    let archived = || {
        definitions("teammates_count integer, old string")
            .into_iter()
            .map(|it| AttributeDefinition { archived: true, ..it })
    };
    let restore = "restore it in Intercom, and check that the product still writes it".to_owned();
    let frozen = "teammates_count is archived in Intercom: the values of 1 contact are not updated any more".to_owned();
    assert_eq!(found(archived().collect(), number(7.0)), Some((frozen, restore.clone())));
    let empty = "teammates_count is archived in Intercom, and no contact has a value that can be read".to_owned();
    assert_eq!(found(archived().collect(), Value::Null), Some((empty, restore)));
    // An active attribute of the same name counts, wherever it is in the list.
    let active = definitions("teammates_count integer");
    assert_eq!(found(archived().chain(active.clone()).collect(), number(7.0)), None);
    assert_eq!(found(active.into_iter().chain(archived()).collect(), number(7.0)), None);
}
