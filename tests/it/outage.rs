//! Rules pause during a data outage of an attribute that they use. No signal starts, ends or is lost.

use std::collections::BTreeSet;

use usage_signals::model::{ActionKind, Contact, Reason, Value};
use usage_signals::plan::{Mode, Plan, Scope};

use crate::support::program::{AS_OF, run, scan_sandbox};
use crate::support::*;

const ALL: usize = 40;
/// 60 %.
const MOST: usize = 24;

fn id(number: usize) -> String {
    format!("c{number:02}")
}

/// Returns forty accounts with one contact each, after a number of runs. The runs are six hours apart, and the last one is at
/// hour -6. The first account is over its storage limit.
fn after_runs(runs: i64) -> PlanWorld {
    let percent = |number: usize| if number == 0 { 83.0 } else { 10.0 };
    let contacts = (0..ALL).map(|number| storage(&id(number), &format!("a{number:02}"), percent(number)));
    let mut world = PlanWorld::new("", contacts.collect());
    for back in (1..=runs).rev() {
        assert!(world.run(hour(-6 * back)).outages.is_empty());
    }
    world.news();
    world
}

/// Removes the attribute from this many contacts, beginning with the last.
fn vanishes(world: &mut PlanWorld, attribute: &str, contacts: usize) {
    for number in ALL - contacts..ALL {
        world.set(&id(number), attribute, Value::Null);
    }
}

fn accept(signals: &[&str]) -> Mode {
    Mode { accept: signals.iter().map(|&signal| signal.to_owned()).collect(), ..Mode::default() }
}

fn held(plan: &Plan) -> Vec<&str> {
    plan.outages.iter().flat_map(|outage| outage.paused.iter().map(String::as_str)).collect()
}

fn nothing_cleared(world: &PlanWorld) -> bool {
    let occasion = world.occasion("storage_limit");
    occasion.false_since.is_none() && occasion.ended_at.is_none()
}

#[test]
fn while_most_contacts_lack_an_attribute_no_signal_starts_or_ends() {
    let mut world = after_runs(3);
    vanishes(&mut world, "storage_percent", MOST);
    world.set("c00", "storage_percent", number(10.0));
    world.set("c01", "storage_percent", number(90.0));
    for (at, run) in [(0, "first"), (30, "a day later")] {
        let plan = world.run(hour(at));
        assert_eq!(held(&plan), ["storage_limit"], "{run}");
        assert_eq!(reasons(&plan), [("storage_limit a01".to_owned(), Reason::DataOutage)], "{run}");
        assert!(plan.changes().is_empty() && world.news().is_empty(), "{run}: {:?}", plan.changes());
        assert!(nothing_cleared(&world), "{run}");
        assert!(plan.outages[0].to_string().contains("16 of 40 contacts (40 %)"), "{}", plan.outages[0]);
    }
    // The data comes back, and the rules continue.
    for number_of in 2..ALL {
        world.set(&id(number_of), "storage_percent", number(10.0));
    }
    let plan = world.run(hour(36));
    assert!(plan.outages.is_empty());
    assert_eq!(world.news()[0], "task storage_limit a01");
    let first = world.known().occasions.into_iter().find(|occasion| occasion.id.subject.id == "a00").unwrap();
    assert_eq!(first.false_since, Some(hour(36)));
}

#[test]
fn a_rule_that_is_true_without_a_value_pauses_too() {
    let rule = "[[rules]]\nsignal = \"no_plan\"\ntag = \"No Plan\"\nwhen = '!has(plan_type)'\npriority = \"low\"\n\
                respond_within_days = 7\ndetails = \"no plan\"\naction = \"ask\"";
    let contacts = (0..ALL).map(|number| contact(&id(number), None, &[("plan_type", text("team"))]));
    let mut world = PlanWorld::new(rule, contacts.collect());
    (0..3).for_each(|run| drop(world.run(hour(6 * run))));
    vanishes(&mut world, "plan_type", ALL);
    let plan = world.run(hour(18));
    assert_eq!(held(&plan), ["no_plan", "team_size_limit"]);
    assert!(plan.items.iter().all(|item| item.reason == Reason::DataOutage));
    assert!(world.news().is_empty());
}

#[test]
fn rules_that_do_not_use_the_attribute_continue() {
    let mut world = after_runs(3);
    vanishes(&mut world, "storage_percent", MOST);
    world.set("c00", "projects_count", number(25.0));
    world.run(hour(0));
    assert_eq!(world.news(), ["task power_user c00", "message power_user c00", "tag power_user c00"]);
}

#[test]
fn unfinished_actions_are_done_and_an_escalation_waits() {
    let mut world = after_runs(3);
    world.fates.insert(ActionKind::Task, Fate::CarriedOver);
    world.set("c01", "storage_percent", number(84.0));
    world.run(hour(0));
    world.fates.clear();
    world.news();
    vanishes(&mut world, "storage_percent", MOST);
    world.set("c01", "storage_percent", number(96.0));
    world.run(hour(6));
    assert_eq!(world.news(), ["task storage_limit a01", "tag storage_limit c01"], "at the level that it had");
    let plan = world.run(hour(12));
    assert!(reasons(&plan).contains(&("storage_limit a01".to_owned(), Reason::DataOutage)), "{:?}", reasons(&plan));
    assert!(world.news().is_empty());
    world.mode = accept(&["storage_limit"]);
    let plan = world.run(hour(18));
    assert!(reasons(&plan).contains(&("storage_limit a01".to_owned(), Reason::Escalated)), "{:?}", reasons(&plan));
}

#[test]
fn a_surge_of_high_values_is_left_to_the_guard() {
    let mut world = after_runs(5);
    for number_of in 1..ALL {
        world.set(&id(number_of), "storage_percent", number(95.0));
    }
    let plan = world.plan(hour(0));
    assert!(plan.outages.is_empty());
    assert_eq!(plan.items.iter().filter(|item| item.reason == Reason::New).count(), ALL - 1);
}

#[test]
fn a_surge_beyond_the_guard_is_not_an_outage() {
    let mut world = after_runs(3);
    world.config.plan.limits.max_new_tasks = 3;
    vanishes(&mut world, "storage_percent", MOST);
    world.set("c01", "storage_percent", number(90.0));
    for number_of in 0..ALL {
        world.set(&id(number_of), "projects_count", number(30.0));
    }
    let plan = world.plan(hour(0));
    assert_eq!(plan.refusal.as_ref().map(|refusal| refusal.new_tasks), Some(ALL), "held signals are not counted");
    let of = |signal: &str| {
        plan.items
            .iter()
            .find(|item| item.occasion.signal == signal && matches!(item.subject().id.as_str(), "a01" | "c01"))
            .unwrap()
            .reason
    };
    assert_eq!((of("storage_limit"), of("power_user")), (Reason::DataOutage, Reason::Held));
}

#[test]
fn accepting_resumes_the_rule_and_makes_the_share_the_new_baseline() {
    let mut world = after_runs(5);
    vanishes(&mut world, "storage_percent", MOST);
    world.set("c01", "storage_percent", number(90.0));
    world.mode = accept(&["storage_limit"]);
    let plan = world.run(hour(0));
    assert!(held(&plan).is_empty());
    assert_eq!(plan.outages[0].accepted, ["storage_limit"]);
    assert_eq!(world.news()[0], "task storage_limit a01");
    world.mode = Mode::default();
    assert!(world.run(hour(6)).outages.is_empty(), "accepting once is enough");
    vanishes(&mut world, "storage_percent", 33);
    let plan = world.plan(hour(12));
    assert_eq!(held(&plan), ["storage_limit"], "7 of 40 are less than half of 16");
    assert!(plan.outages[0].to_string().contains("the median of the last 2 runs is 40 %"), "{}", plan.outages[0]);
}

#[test]
fn a_run_counts_when_every_rule_that_it_holds_is_accepted() {
    let second = "[[rules]]\nsignal = \"full\"\ntag = \"Full\"\nwhen = 'storage_percent >= 99'\npriority = \"low\"\n\
                  respond_within_days = 7\ndetails = \"full\"\naction = \"ask\"";
    let contacts = (0..ALL).map(|number| storage(&id(number), &format!("a{number:02}"), 10.0));
    let mut world = PlanWorld::new(second, contacts.collect());
    (0..3).for_each(|run| drop(world.run(hour(6 * run))));
    vanishes(&mut world, "storage_percent", MOST);
    world.mode = accept(&["full"]);
    assert_eq!(held(&world.run(hour(18))), ["storage_limit"]);
    world.mode = Mode::default();
    assert_eq!(held(&world.run(hour(24))), ["full", "storage_limit"], "one must not release the other");
    world.mode = accept(&["full", "storage_limit"]);
    world.run(hour(30));
    world.mode = Mode::default();
    assert!(world.run(hour(36)).outages.is_empty());
}

#[test]
fn an_outage_does_not_become_normal_however_long_it_lasts() {
    let mut world = after_runs(3);
    vanishes(&mut world, "storage_percent", MOST);
    for run in 0..30 {
        assert_eq!(held(&world.run(hour(6 * run))), ["storage_limit"], "run {run}");
    }
}

#[test]
fn the_first_runs_are_not_held() {
    for runs in 0..3 {
        let mut world = after_runs(runs);
        vanishes(&mut world, "storage_percent", MOST);
        assert!(world.run(hour(0)).outages.is_empty(), "after {runs} runs");
    }
}

#[test]
fn runs_that_do_not_read_everything_do_not_count() {
    let scopes = [
        Scope { signals: Some(["storage_limit".to_owned()].into()), ..Scope::everything() },
        Scope { contacts: Some(["c39".to_owned()].into()), ..Scope::everything() },
        Scope { complete: false, ..Scope::everything() },
    ];
    for scope in scopes {
        let mut world = after_runs(0);
        world.scope = scope.clone();
        (0..5).for_each(|run| drop(world.run(hour(6 * run))));
        assert!(world.known().shares.is_empty(), "{scope:?}");
        world.scope = Scope::everything();
        vanishes(&mut world, "storage_percent", ALL);
        assert!(world.run(hour(30)).outages.is_empty(), "{scope:?}");
    }
}

#[test]
fn a_chosen_contact_is_not_held_but_chosen_rules_are() {
    let mut world = after_runs(3);
    vanishes(&mut world, "storage_percent", MOST);
    world.scope.contacts = Some(BTreeSet::from(["c39".to_owned()]));
    assert!(world.plan(hour(0)).outages.is_empty(), "one contact has no share");
    world.scope = Scope { signals: Some(BTreeSet::from(["storage_limit".to_owned()])), ..Scope::everything() };
    assert_eq!(held(&world.plan(hour(0))), ["storage_limit"], "all contacts are read");
}

#[test]
fn a_last_seen_at_that_stands_still_pauses_only_the_rules_that_use_it() {
    let rule = "[attributes.fallback]\ndays_since_last_login = { from = \"days_since_last_seen\", when = \"larger\" }";
    let seen = |number: usize, at: i64| -> Contact {
        let mut contact = storage(&id(number), &format!("a{number:02}"), 10.0);
        contact.last_seen_at = Some(hour(at));
        contact.attributes.insert("last_seen_at", text(&hour(at).to_rfc3339()));
        contact
    };
    // A wrong clock wrote a last_seen_at in the future for the last contact.
    let contacts = (0..ALL).map(|number| seen(number, if number == 39 { 9000 } else { -290 }));
    let mut world = PlanWorld::new(rule, contacts.collect());
    for day in [-3, -2, -1] {
        world.put(seen(1, 24 * day - 1));
        assert!(world.run(hour(24 * day)).outages.is_empty(), "a contact is seen every day");
    }
    assert!(world.run(hour(40)).outages.is_empty(), "65 hours are less than 72");
    // By now all other contacts seem to be inactive for 14 days.
    let plan = world.run(hour(48));
    assert_eq!(held(&plan), ["churn_risk_inactivity"]);
    assert!(plan.items.iter().all(|item| item.reason == Reason::DataOutage) && !plan.items.is_empty());
    assert!(plan.outages[0].to_string().contains("has not moved since 2025-12-19 05:00 UTC, 73 hours ago"));
    world.mode = accept(&["churn_risk_inactivity"]);
    assert!(world.plan(hour(48)).items.iter().all(|item| item.reason == Reason::New));
    world.mode = Mode::default();
    world.put(seen(1, 53));
    assert!(world.run(hour(54)).outages.is_empty());
}

#[test]
fn accepting_an_unknown_rule_is_wrong_usage() {
    let home = tempfile::tempdir().unwrap();
    let ran = run(home.path(), &["scan", "--sandbox", "--as-of", AS_OF, "--accept", "storage_limt"]).expect(2);
    assert!(ran.err.contains("--accept names \"storage_limt\"") && ran.err.contains("storage_limit"), "{ran:#?}");
    scan_sandbox(home.path(), &["--accept", "storage_limit,power_user"]).expect(0);
}
