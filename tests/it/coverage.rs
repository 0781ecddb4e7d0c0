//! `coverage`: each cause by which a rule does not fire with its sentence, and the command as people and programs see it.

use std::process::Command;

use serde_json::{Value as Json, json};
use usage_signals::model::{AttributeDefinition, Contact, Value};
use usage_signals::rules::coverage::{Coverage, PlanName, ROLL_OUT};
use usage_signals::sandbox::{Sandbox, World};

use crate::support::program::{AS_OF, Ran, finish, program, run};
use crate::support::services::{Services, full_accounts};
use crate::support::{configure, contact, hour, number, text};

/// `teammates_count integer, plan_type string`.
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

/// A rule of its own with this condition, on or off, in a configuration with these other lines before it.
fn rules(when: &str, others: &str) -> String {
    format!(
        "{others}\n[[rules]]\nsignal = \"x\"\ntag = \"X\"\nwhen = '{when}'\npriority = \"low\"\nrespond_within_days = 1\n\
         details = \"d\"\naction = \"a\"\n"
    )
}

/// One cause: the condition, other settings, what the workspace defines, what the contacts have; the verdict, and what is
/// said of it.
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
    let told: Vec<_> = outcome.causes.iter().map(|cause| (cause.kind.name(), cause.message.as_str())).collect();
    let expected = if cause.is_empty() { vec![] } else { vec![(*cause, *sentence)] };
    assert_eq!(told, expected, "{name}");
    let to_do = coverage.to_do().into_iter().find(|to_do| to_do.rules.contains(&"x".to_owned()));
    let advised = to_do.map(|to_do| to_do.advice).unwrap_or_default();
    assert_eq!(advised, *advice, "{name}");
}

#[test]
fn every_reason_why_a_rule_cannot_be_decided_has_its_sentence_and_what_to_do() {
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
            name: "it has one of nearly the same name",
            defined: "team_mates_count integer",
            cause: "not_defined",
            sentence: "the workspace has no attribute teammates_count",
            advice: "create it in Intercom as a number, then have the product write it (is `team_mates_count`, which the \
                     workspace has, the same?)",
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
            name: "a list that is not there yet",
            when: "size(departments_using) >= 2",
            cause: "not_defined",
            sentence: "the workspace has no attribute departments_using",
            advice: "create it in Intercom as text with the items separated by commas (Intercom cannot store lists), then \
                     have the product write it",
            ..Case::default()
        },
        Case {
            name: "a list in a type that holds none",
            when: "size(departments_using) >= 2",
            defined: "departments_using integer",
            cause: "list_not_storable",
            sentence: "departments_using is of type integer, in which Intercom cannot store a list",
            advice: "create another attribute as text with the items separated by commas (Intercom cannot store lists), for \
                     the product and the rule to use: the type of one that is there cannot be changed",
            ..Case::default()
        },
        Case {
            name: "yes and no where a number is compared",
            defined: "teammates_count boolean",
            contacts: teammates(Value::Bool(true)),
            cause: "wrong_type",
            sentence: "teammates_count is of type boolean, and a number is compared",
            advice: "create another attribute as a number, for the product and the rule to use: the type of one that is \
                     there cannot be changed",
            ..Case::default()
        },
        Case {
            name: "text where a number is compared",
            defined: "teammates_count string",
            contacts: teammates(text("eight")),
            cause: "wrong_type",
            sentence: "teammates_count is text where a number is compared: no number for any of 1, such as c1",
            advice: "have the product write a plain number, such as 83",
            ..Case::default()
        },
        Case {
            name: "nobody has it",
            cause: "never_filled",
            sentence: "teammates_count is defined, and no contact has it",
            advice: "have the product write it: a plain number, such as 83",
            ..Case::default()
        },
        Case {
            name: "nobody has a list, because arrays are refused",
            when: "size(enterprise_features_tried) > 0",
            defined: "enterprise_features_tried string",
            cause: "never_filled",
            sentence: "enterprise_features_tried is defined, and no contact has it",
            advice: "have the product write it: one text with the items separated by commas (Intercom cannot store lists)",
            ..Case::default()
        },
        Case {
            name: "nobody has one of Intercom's own",
            when: "days_since(last_contacted_at) > 9",
            cause: "never_filled",
            sentence: "no contact has last_contacted_at",
            advice: "Intercom fills it by itself, from what the Messenger and the product send",
            ..Case::default()
        },
        Case {
            name: "has(x) of what nobody has",
            when: "has(teammates_count)",
            cause: "never_filled",
            sentence: "teammates_count is defined, and no contact has it",
            advice: "have the product write it: a plain number, such as 83",
            ..Case::default()
        },
        Case {
            name: "a date that is none",
            when: "days_since(last_project_created) > 9",
            defined: "last_project_created date",
            contacts: contacts(&[&[("last_project_created", number(0.0))]]),
            cause: "unreadable",
            sentence: "last_project_created can be read as a date for none of 1, such as c1",
            advice: "have the product write Unix seconds, or a date such as 2025-12-20",
            ..Case::default()
        },
        Case {
            name: "dates that have not come yet",
            when: "days_since(last_project_created) > 9",
            defined: "last_project_created date",
            contacts: contacts(&[&[("last_project_created", text("2049-01-01"))], &[]]),
            cause: "never_known",
            sentence: "last_project_created lies in the future for every contact that has it",
            advice: "look at what the product writes: it makes no sense",
            ..Case::default()
        },
        Case {
            name: "a share of nothing",
            when: "storage_percent_computed >= 80",
            defined: "storage_used_mb integer, storage_limit_mb integer",
            contacts: contacts(&[&[("storage_used_mb", number(1.0)), ("storage_limit_mb", number(0.0))]]),
            cause: "never_known",
            sentence: "storage_limit_mb is zero for every contact that has it, and a share of it is asked for",
            advice: "look at what the product writes: it makes no sense",
            ..Case::default()
        },
        Case {
            name: "only those left out have it",
            settings: "[scan]\ninclude = 'role == \"user\"'\n",
            contacts: contacts(&[
                &[("role", text("lead")), ("teammates_count", number(9.0))],
                &[("role", text("user"))],
            ]),
            cause: "left_out",
            sentence: "[scan] include leaves out all 1 contacts that have teammates_count",
            advice: "look at [scan] include",
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
    // What two attributes lack together is said of both.
    let config = configure(&rules("storage_used_mb > storage_limit_mb", ""));
    let defined = definitions("storage_used_mb integer, storage_limit_mb integer");
    let mut coverage = Coverage::new(&config.rules, defined, hour(0));
    for contact in contacts(&[&[("storage_used_mb", number(1.0))], &[("storage_limit_mb", number(2.0))]]) {
        coverage.add(&contact);
    }
    let findings = coverage.findings();
    let outcome = &findings.iter().find(|finding| finding.rule.signal == "x").unwrap().outcome;
    let told: Vec<_> = outcome.causes.iter().map(|cause| (cause.kind.name(), cause.attribute.as_str())).collect();
    assert_eq!(told, [("never_both", "storage_limit_mb"), ("never_both", "storage_used_mb")]);
    assert_eq!(outcome.causes[1].message, "no contact has storage_used_mb together with what it is compared with");
}

#[test]
fn a_rule_that_can_be_decided_says_how_often_it_fires_or_how_far_the_values_go() {
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
        reached("teammates_count >= 8", "the largest teammates_count seen is 7; it takes 8 or more"),
        reached("8 <= teammates_count", "the largest teammates_count seen is 7; it takes 8 or more"),
        reached("teammates_count > 7", "the largest teammates_count seen is 7; it takes more than 7"),
        reached("teammates_count < 3", "the smallest teammates_count seen is 3; it takes less than 3"),
        reached("teammates_count <= 2", "the smallest teammates_count seen is 3; it takes 2 or less"),
        reached("!(teammates_count < 8)", "the largest teammates_count seen is 7; it takes 8 or more"),
        reached("!(teammates_count > 2)", "the smallest teammates_count seen is 3; it takes 2 or less"),
        reached("teammates_count == 5", "no teammates_count seen is 5: they are between 3 and 7"),
        reached("teammates_count in [4, 5]", "`teammates_count in [4, 5]` is true for nobody"),
        reached("plan_type == \"business\"", "`plan_type == \"business\"` is true for nobody: seen is \"team\""),
        Case {
            cause: "misspelt",
            advice: "write it in the rule as the product does",
            ..reached(
                "plan_type == \"Team\"",
                "`plan_type == \"Team\"` is true for nobody: seen is \"team\": did you mean \"team\"?",
            )
        },
        Case {
            cause: "misspelt",
            advice: "write it in the rule as the product does",
            ..reached(
                "plan_type in [\"teem\", \"x\"]",
                "`plan_type in [\"teem\", \"x\"]` is true for nobody: seen is \"team\": did you mean \"team\"?",
            )
        },
        reached("!has(plan_type)", "`has(plan_type)` is false for nobody"),
        Case {
            name: "each for somebody, both for nobody",
            when: "teammates_count > 5 && teammates_count < 5",
            contacts: sizes(&[3.0, 7.0]),
            verdict: "never_together",
            cause: "never_together",
            sentence: "each part of the condition is true for somebody, all of it for nobody",
            ..Case::default()
        },
        Case { name: "half of them", contacts: sizes(&[7.0, 8.0]), verdict: "fires", ..Case::default() },
        Case {
            name: "more than half of them",
            contacts: sizes(&[7.0, 8.0, 9.0]),
            verdict: "fires_too_often",
            advice: "look whether `teammates_count >= 8` says what is meant, and at what the product writes",
            ..Case::default()
        },
        Case { name: "nobody is there", contacts: vec![], verdict: "no_contacts", ..Case::default() },
        Case {
            name: "nobody is let through",
            settings: "[scan]\ninclude = 'teammates_count > 100'\n",
            contacts: sizes(&[7.0]),
            verdict: "not_reached",
            cause: "nobody_included",
            sentence: "[scan] include, `teammates_count > 100`, is true for nobody",
            advice: "look at [scan] include",
            ..Case::default()
        },
    ] {
        check(&case);
    }
}

#[test]
fn the_whole_condition_is_walked() {
    // teammates_count is 9 for everybody; projects_count is defined and never filled; nobody knows workspaces_count.
    let (seen, blind, absent) = ("teammates_count > 5", "projects_count > 5", "workspaces_count > 5");
    for (when, verdict) in [
        (format!("{seen} && {blind}"), "never"),
        (format!("{seen} || {blind}"), "fires_too_often"),
        (format!("{blind} || {absent}"), "never"),
        (format!("!({blind} && {absent})"), "never"),
        // Unknown and false is false, so that its opposite is true.
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
    assert_eq!(outcome.causes[0].message, "the largest storage_percent seen is 91; it takes 95 or more");
}

#[test]
fn what_to_do_comes_in_the_order_of_the_roll_out() {
    let config = configure(
        "[[rules]]\nsignal = \"power_user\"\nwhen = 'projects_count > 1 && days_since(last_project_created) < 9'\n",
    );
    let coverage = Coverage::new(&config.rules, vec![], hour(0));
    let named: Vec<_> = coverage.to_do().into_iter().filter_map(|to_do| to_do.attribute).collect();
    assert_eq!(named[..6], ROLL_OUT);
    // Then what a rule that is on needs, then the rest.
    assert_eq!(named[6..8], ["plan_type", "api_usage_last_30_days"]);
    let attributes: Vec<_> = coverage.attributes().iter().map(|attribute| attribute.name.as_str()).collect();
    assert_eq!(attributes[..6], ROLL_OUT);
    assert_eq!(attributes[6], "plan_type");
}

#[test]
fn a_gap_is_told_of_the_contacts_that_rules_see_with_or_without_a_stand_in() {
    let config = configure(&rules("teammates_count >= 8", "[scan]\ninclude = 'role == \"user\"'\n"));
    let mut coverage = Coverage::new(&config.rules, definitions("teammates_count integer"), hour(0));
    let role = |role: &str| ("role", text(role));
    for contact in contacts(&[&[role("lead")], &[role("user")], &[role("user"), ("teammates_count", number(7.0))]]) {
        coverage.add(&contact);
    }
    let all = coverage.to_do();
    let told = all.iter().find(|to_do| to_do.attribute.as_deref() == Some("teammates_count")).unwrap();
    assert_eq!(told.cause, "teammates_count is unknown for 1 of 2 contacts");
    assert_eq!((told.advice.as_str(), &told.meanwhile), ("have the product write it for everybody", &None));
    assert!(!all.iter().any(|to_do| to_do.attribute.as_deref() == Some("role")), "Intercom fills its own: {all:#?}");
}

#[test]
fn the_largest_plans_are_told_by_name_whatever_the_order_of_the_contacts() {
    // Sixteen plans of 1, 1, 2, 2, … 8, 8 contacts, the first half of each with a value, and three contacts without a plan.
    let plans = (0..16_usize).flat_map(|plan| (0..plan / 2 + 1).map(move |number| (plan, number)));
    let all = plans.map(|(plan, number)| {
        let filled = (number < (plan / 2).div_ceil(2)).then(|| ("teammates_count", crate::support::number(9.0)));
        let attributes: Vec<_> = [("plan_type", text(&format!("plan {plan:02}")))].into_iter().chain(filled).collect();
        contact(&format!("c{plan:02}{number}"), None, &attributes)
    });
    let mut all: Vec<_> = all.chain((0..3).map(|number| contact(&format!("d{number}"), None, &[]))).collect();
    let config = configure("");
    let told = |all: &[Contact]| {
        let mut coverage = Coverage::new(&config.rules, definitions("teammates_count integer"), hour(0));
        all.iter().for_each(|contact| coverage.add(contact));
        let teammates = coverage.attribute("teammates_count").unwrap();
        let plans = coverage.plans().into_iter();
        plans.map(|plan| (plan.name.clone(), plan.contacts, plan.readable(teammates))).collect::<Vec<_>>()
    };
    let forwards = told(&all);
    all.reverse();
    assert_eq!(forwards, told(&all));
    let named = |plan: usize| (PlanName::Named(format!("plan {plan:02}")), plan / 2 + 1, (plan / 2).div_ceil(2));
    let mut expected = vec![(PlanName::NoPlan, 3, 0)];
    expected.extend([14, 15, 12, 13, 10, 11, 8, 9, 6, 7, 4, 5].map(named));
    expected.push((PlanName::Others, 6, 2));
    assert_eq!(forwards, expected);
    // Twelve need no others.
    all.retain(|contact| !["c00", "c01", "c02", "c03"].iter().any(|plan| contact.id.starts_with(plan)));
    let twelve = told(&all);
    assert_eq!(twelve, expected[..13]);
}

#[test]
fn an_archived_attribute_is_to_be_restored() {
    let told = |defined: Vec<AttributeDefinition>, value: Value| {
        let config = configure(&rules("teammates_count >= 8", ""));
        let mut coverage = Coverage::new(&config.rules, defined, hour(0));
        contacts(&[&[("teammates_count", value)]]).iter().for_each(|contact| coverage.add(contact));
        let told = coverage.to_do().into_iter().find(|it| it.attribute.as_deref() == Some("teammates_count"));
        let names: Vec<_> = coverage.attributes().iter().map(|attribute| attribute.name.clone()).collect();
        assert!(!names.contains(&"old".to_owned()), "nothing asks for it: {names:?}");
        told.map(|it| (it.cause, it.advice))
    };
    let archived = || {
        definitions("teammates_count integer, old string")
            .into_iter()
            .map(|it| AttributeDefinition { archived: true, ..it })
    };
    let restore = "restore it in Intercom, and see that the product still writes it".to_owned();
    let frozen = "teammates_count is archived in Intercom: the values of 1 contact are not updated any more".to_owned();
    assert_eq!(told(archived().collect(), number(7.0)), Some((frozen, restore.clone())));
    let empty = "teammates_count is archived in Intercom, and no contact has a value that can be read".to_owned();
    assert_eq!(told(archived().collect(), Value::Null), Some((empty, restore)));
    // The one that took its place counts, wherever it stands in the list.
    let active = definitions("teammates_count integer");
    assert_eq!(told(archived().chain(active.clone()).collect(), number(7.0)), None);
    assert_eq!(told(active.into_iter().chain(archived()).collect(), number(7.0)), None);
}

/// The program with the environment of a world.
fn with(sandbox: &Sandbox, home: &std::path::Path) -> Command {
    let mut command = program(home);
    command.envs(sandbox.env()).args(["coverage", "--as-of", AS_OF]);
    command
}

fn world(contacts: &Json, attributes: &Json) -> World {
    let (contacts, attributes) = (contacts.to_string(), attributes.to_string());
    World::from_files(&|name| match name {
        "contacts.json" => Some(contacts.clone()),
        "data_attributes.json" => Some(attributes.clone()),
        _ => None,
    })
    .unwrap()
}

fn demo() -> Sandbox {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    Sandbox::start(World::load(&folder).unwrap(), None).unwrap()
}

/// The contacts and Intercom's own fields of the demo, before anything was pushed.
fn first_day() -> Sandbox {
    let read = |name: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo").join(name);
        serde_json::from_str::<Json>(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let (mut contacts, mut attributes) = (read("contacts.json"), read("data_attributes.json"));
    for contact in contacts.as_array_mut().unwrap() {
        let contact = contact.as_object_mut().unwrap();
        for pushed in ["custom_attributes", "tags", "companies"] {
            contact.remove(pushed);
        }
    }
    attributes.as_array_mut().unwrap().retain(|attribute| attribute["custom"] == false);
    Sandbox::start(world(&contacts, &attributes), None).unwrap()
}

#[test]
fn the_demo_as_people_see_it() {
    let (sandbox, home) = (demo(), tempfile::tempdir().unwrap());
    let ran = finish(&mut with(&sandbox, home.path())).expect(0);
    insta::assert_snapshot!(ran.out);
    // Only looking: nothing is left behind, nothing was changed.
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    assert!(sandbox.with_world(|world| world.effects.is_empty()));
}

#[test]
fn the_first_day_as_people_see_it() {
    let (sandbox, home) = (first_day(), tempfile::tempdir().unwrap());
    insta::assert_snapshot!(finish(with(&sandbox, home.path()).args(["--fail-on", "dead-rule"])).expect(1).out);
}

#[test]
fn the_demo_as_programs_see_it() {
    let (sandbox, home) = (demo(), tempfile::tempdir().unwrap());
    let json = finish(with(&sandbox, home.path()).args(["--format", "json"])).expect(0).json();
    let keys = |value: &Json| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(keys(&json), "schema run contacts attributes not_usable rules to_do errors exit_code");
    assert_eq!((&json["schema"], &json["exit_code"], &json["run"]["complete"]), (&json!(1), &json!(0), &json!(true)));
    let named = |list: &str, key: &str, name: &str| {
        json[list].as_array().unwrap().iter().find(|one| one[key] == name).unwrap().clone()
    };
    insta::assert_snapshot!(format!(
        "{:#}\n{:#}\n{:#}\n{:#}\n{:#}",
        json["contacts"],
        named("attributes", "attribute", "teammates_count"),
        named("attributes", "attribute", "enterprise_features_tried"),
        named("rules", "signal", "storage_limit"),
        named("to_do", "attribute", "days_since_last_login"),
    ));
    assert_eq!(named("attributes", "attribute", "email")["values"], Json::Null);
}

#[test]
fn the_setting_that_it_names_brings_the_rule_to_life() {
    let (sandbox, home) = (first_day(), tempfile::tempdir().unwrap());
    let rule = |ran: Ran| {
        let json = ran.json();
        let rule = json["rules"].as_array().unwrap().iter().find(|rule| rule["signal"] == "churn_risk_inactivity");
        (rule.unwrap().clone(), json["to_do"].as_array().unwrap().clone())
    };
    let ask = || rule(finish(with(&sandbox, home.path()).args(["--format", "json"])).expect(0));
    let (before, to_do) = ask();
    assert_eq!((&before["verdict"], &before["causes"][0]["cause"]), (&json!("never"), &json!("not_defined")));
    let meanwhile: Vec<_> = to_do.iter().filter_map(|to_do| to_do["meanwhile"]["setting"].as_str()).collect();
    assert_eq!(meanwhile.len(), 1, "{to_do:#?}");
    std::fs::write(home.path().join("usage-signals.toml"), meanwhile[0]).unwrap();
    let (after, to_do) = ask();
    assert_eq!((&after["verdict"], &after["unknown"]), (&json!("fires"), &json!(4)), "{after:#}");
    assert!(to_do.iter().all(|to_do| to_do["meanwhile"].is_null()), "{to_do:#?}");
}

#[test]
fn fail_on_dead_rule_is_about_rules_that_are_on_and_cannot_be_decided() {
    let home = tempfile::tempdir().unwrap();
    let all = "[[rules]]\nsignal = \"team_size_limit\"\nenabled = false\n[[rules]]\nsignal = \"power_user\"\nenabled = false\n\
               [[rules]]\nsignal = \"enterprise_feature_interest\"\nenabled = false\n[[rules]]\n\
               signal = \"churn_risk_inactivity\"\nenabled = false\n";
    std::fs::write(home.path().join("usage-signals.toml"), all).unwrap();
    let sandbox = |percent: &Json| {
        let attributes = json!([{ "name": "storage_percent", "full_name": "custom_attributes.storage_percent",
            "data_type": "float", "custom": true, "model": "contact" }]);
        let mut contacts = json!(full_accounts(3));
        for contact in contacts.as_array_mut().unwrap() {
            contact["custom_attributes"]["storage_percent"] = percent.clone();
            contact.as_object_mut().unwrap().remove("companies");
        }
        Sandbox::start(world(&contacts, &attributes), None).unwrap()
    };
    for (percent, code) in [(json!(83), 0), (json!(12), 0), (Json::Null, 1), (json!("12%"), 1)] {
        let sandbox = sandbox(&percent);
        let fail =
            finish(with(&sandbox, home.path()).args(["--fail-on", "dead-rule", "--format", "json"])).expect(code);
        let errors = fail.json()["errors"].as_array().unwrap().len();
        assert_eq!((errors, fail.json()["exit_code"].clone()), (usize::from(code == 1), json!(code)), "{percent}");
        finish(&mut with(&sandbox, home.path())).expect(0);
    }
    assert!(run(home.path(), &["coverage", "--fail-on", "sunday"]).expect(2).err.contains("dead-rule"));
}

#[test]
fn an_empty_workspace_is_no_fault_of_the_rules() {
    let attributes = std::fs::read_to_string("fixtures/demo/data_attributes.json").unwrap();
    let sandbox = Sandbox::start(world(&json!([]), &serde_json::from_str(&attributes).unwrap()), None).unwrap();
    let home = tempfile::tempdir().unwrap();
    let ran = finish(with(&sandbox, home.path()).args(["--fail-on", "dead-rule"])).expect(0);
    assert!(ran.out.contains("0 contacts read") && ran.out.contains("no contacts"), "{}", ran.out);
    // What the workspace does not even define is wrong all the same.
    assert!(ran.out.contains("the workspace has no attribute departments_using"), "{}", ran.out);
}

#[test]
fn a_read_that_breaks_off_says_so_and_a_refused_token_ends_it() {
    let search = "/contacts/search";
    let services = Services::new(&full_accounts(1));
    services.fault(json!({ "service": "intercom", "path_prefix": search, "kind": "status", "status": 400,
        "body": { "type": "error.list", "errors": [{ "code": "client_error", "message": "no" }] } }));
    let ask = |arguments: &[&str]| finish(services.program().arg("coverage").args(arguments));
    let ran = ask(&["--fail-on", "dead-rule"]).expect(6);
    assert!(ran.out.contains("not all of them") && ran.out.contains("the contacts were not all read"), "{}", ran.out);
    assert_eq!(ask(&["--format", "json"]).expect(6).json()["run"]["complete"], false);
    services.mend();
    for path in ["/me", "/data_attributes", search] {
        services.fault(json!({ "service": "intercom", "path_prefix": path, "kind": "status", "status": 401,
            "body": { "type": "error.list", "errors": [{ "code": "unauthorized", "message": "Access Token Invalid" }] } }));
        let ran = ask(&[]).expect(3);
        assert!(ran.out.is_empty() && ran.err.contains("INTERCOM_ACCESS_TOKEN"), "{path}: {ran:?}");
        services.mend();
    }
}

#[test]
fn nothing_that_strangers_wrote_reaches_the_terminal_and_nothing_personal_is_listed() {
    let evil = "\u{1b}[31mred\u{7}\r\n\u{202e}evil";
    let mut contacts = json!(full_accounts(4));
    for contact in contacts.as_array_mut().unwrap() {
        contact["name"] = json!("Ann Example");
        contact["custom_attributes"] = json!({
            "plan_type": evil, "owner_phone": "+1 555 0100", "contact_of": "ann@example.com", "tone \u{1b}[31m": evil,
            "gv_version": "x".repeat(100_000), "only": format!("secret {}", contact["id"]), "teammates_count": evil,
        });
        contact.as_object_mut().unwrap().remove("companies");
    }
    let names = ["plan_type", "owner_phone", "contact_of", "tone \u{1b}[31m", "gv_version", "only", "teammates_count"];
    let attributes: Vec<_> = names.map(|name| {
        json!({ "name": name, "full_name": format!("custom_attributes.{name}"), "data_type": "string", "custom": true,
            "model": "contact" })
    }).into();
    let sandbox = Sandbox::start(world(&contacts, &json!(attributes)), None).unwrap();
    let home = tempfile::tempdir().unwrap();
    let table = finish(&mut with(&sandbox, home.path())).expect(0).out;
    let harmful = |letter: char| letter != '\n' && (letter.is_control() || letter == '\u{202e}');
    assert!(!table.contains(harmful), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 200) && table.contains("[31mred evil×4"), "{table}");
    let json = finish(with(&sandbox, home.path()).args(["--format", "json"])).expect(0).out;
    for report in [table, json] {
        for personal in ["Ann Example", "555 0100", "ann@example.com", "secret"] {
            assert!(!report.contains(personal), "{personal}: {report}");
        }
    }
}
