//! Rules that no contact can decide: each cause with its sentence and its advice.

use usage_signals::model::{Contact, Value};
use usage_signals::rules::coverage::Coverage;

use super::case::{Case, check, contacts, definitions, rules};
use crate::support::{configure, hour, number, text};

/// Returns one contact with this `teammates_count`.
fn teammates(value: Value) -> Vec<Contact> {
    contacts(&[&[("teammates_count", value)]])
}

#[test]
fn an_attribute_that_the_workspace_lacks_is_a_cause() {
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
            name: "the workspace lacks the attribute that an alias names",
            settings: "[attributes.alias]\nteammates_count = \"Team mates (all)\"\n",
            defined: "plan_type string",
            cause: "not_defined",
            sentence: "the workspace has no attribute \"Team mates (all)\", whose alias is teammates_count",
            advice: "create it in Intercom as a number, then have the product write it",
            ..Case::default()
        },
        Case {
            name: "the workspace has an attribute of a similar name, which needs an alias",
            defined: "team-mates-count integer",
            cause: "not_defined",
            sentence: "the workspace has no attribute teammates_count",
            advice: "create it in Intercom as a number, then have the product write it (the workspace has `team-mates-count`: \
                     if it is meant, add under [attributes.alias]: teammates_count = \"team-mates-count\")",
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
    ] {
        check(&case);
    }
}

#[test]
fn an_attribute_of_the_wrong_type_is_a_cause() {
    for case in [
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
    ] {
        check(&case);
    }
}

#[test]
fn an_attribute_that_no_contact_has_is_a_cause() {
    for case in [
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
    ] {
        check(&case);
    }
}

#[test]
fn an_attribute_without_a_usable_value_is_a_cause() {
    for case in [
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
    ] {
        check(&case);
    }
}

#[test]
fn contacts_that_include_leaves_out_are_a_cause() {
    for case in [
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
}

#[test]
fn two_attributes_that_no_contact_has_together_are_two_causes() {
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
