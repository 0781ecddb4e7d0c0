//! The advice of coverage, and its counts by attribute and plan.

use usage_signals::model::{AttributeDefinition, Contact, Value};
use usage_signals::rules::coverage::{Coverage, PlanName, ROLL_OUT};

use super::case::{contacts, definitions, rules};
use crate::support::{configure, contact, hour, number, text};

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
