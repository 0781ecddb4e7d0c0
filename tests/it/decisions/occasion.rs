//! The start and the end of occasions.

use super::*;

#[test]
fn an_occasion_ends_after_two_false_observations_a_day_apart() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    world.set("c1", "storage_percent", number(10.0));
    world.run(hour(6));
    world.run(hour(29));
    assert!(!cleared(&world), "23 hours are not a day");
    world.run(hour(30));
    assert!(cleared(&world));
}

#[test]
fn a_true_observation_between_restarts_the_count() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    for (hours, percent) in [(6, 10.0), (18, 83.0), (24, 10.0), (36, 10.0)] {
        world.set("c1", "storage_percent", number(percent));
        world.run(hour(hours));
    }
    assert!(!cleared(&world));
    world.run(hour(48));
    assert!(cleared(&world));
    assert_eq!(world.effects.len(), 3, "a wobble does nothing: {:?}", world.effects);
}

#[test]
fn unknown_neither_starts_nor_advances_nor_resets() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    for hours in [6, 36, 66] {
        world.set("c1", "storage_percent", Value::Null);
        world.run(hour(hours));
    }
    assert!(!cleared(&world), "unknown is not false");
    world.set("c1", "storage_percent", number(10.0));
    world.run(hour(72));
    world.set("c1", "storage_percent", text("n/a"));
    world.run(hour(100));
    assert!(!cleared(&world), "unknown does not end it either");
    world.set("c1", "storage_percent", number(10.0));
    world.run(hour(101));
    assert!(cleared(&world), "and did not reset the first observation");
}

#[test]
fn one_unread_contact_keeps_the_occasion_open() {
    let mut world = world(vec![storage("c1", "acme", 83.0), storage("c2", "acme", 84.0)]);
    world.run(hour(0));
    world.unread.insert("c2".into());
    world.set("c1", "storage_percent", number(10.0));
    world.run(hour(6));
    world.run(hour(60));
    assert!(!cleared(&world));
}

#[test]
fn a_contact_deleted_from_intercom_does_not_keep_the_occasion_open() {
    let mut world = world(vec![storage("c1", "acme", 83.0), storage("c2", "acme", 84.0)]);
    world.run(hour(0));
    world.contacts.remove("c2");
    world.run(hour(6));
    assert!(!cleared(&world), "the other still signals");
    world.set("c1", "storage_percent", number(10.0));
    world.run(hour(12));
    world.run(hour(60));
    assert!(cleared(&world));
}

#[test]
fn partial_runs_clear_nothing() {
    let scopes = [
        Scope { signals: Some(["storage_limit".to_owned()].into()), ..Scope::everything() },
        Scope { contacts: Some(["c1".to_owned()].into()), ..Scope::everything() },
        Scope { complete: false, ..Scope::everything() },
    ];
    for scope in scopes {
        let mut world = world(vec![storage("c1", "acme", 83.0)]);
        world.run(hour(0));
        world.set("c1", "storage_percent", number(10.0));
        world.scope = scope.clone();
        world.run(hour(6));
        world.run(hour(60));
        assert!(!cleared(&world), "{scope:?}");
        assert_eq!(world.occasion("storage_limit").false_since, None, "{scope:?}");
    }
}

#[test]
fn an_incomplete_read_plans_nothing_new_but_finishes_actions() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.fates.insert(ActionKind::Message, Fate::CarriedOver);
    world.run(hour(0));
    world.fates.clear();
    world.news();
    world.put(storage("c9", "beta", 83.0));
    world.scope = Scope { complete: false, ..Scope::everything() };
    let plan = world.run(hour(6));
    assert!(!changes_occasions(&plan));
    assert_eq!(world.news(), ["message storage_limit acme"]);
}

#[test]
fn unfinished_actions_are_dropped_when_the_occasion_ends() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.fates.insert(ActionKind::Task, Fate::CarriedOver);
    world.run(hour(0));
    world.fates.clear();
    world.news();
    world.set("c1", "storage_percent", number(10.0));
    let plan = world.run(hour(6));
    assert_eq!(actions(item(&plan, "storage_limit")), ["task skip clearing", "tag c1 skip clearing"]);
    let plan = world.run(hour(30));
    assert_eq!(actions(item(&plan, "storage_limit")), ["task skip cleared", "tag c1 skip cleared"]);
    assert!(world.news().is_empty());
    let task =
        world.occasion("storage_limit").entries.into_iter().find(|entry| entry.key.kind == ActionKind::Task).unwrap();
    assert_eq!((task.state, task.reason), (State::Dropped, Reason::Cleared));
}

#[test]
fn with_remove_tag_clearing_removes_our_tags_and_no_task() {
    let inactive = |id: &str, days: f64| contact(id, None, &[("days_since_last_login", number(days))]);
    let mut world = world(vec![inactive("c1", 16.0)]);
    world.run(hour(0));
    world.news();
    world.put(inactive("c1", 0.0));
    world.run(hour(6));
    world.run(hour(30));
    assert_eq!(world.news(), ["untag churn_risk_inactivity c1"]);
    world.put(inactive("c1", 15.0));
    world.run(hour(36));
    assert_eq!(
        world.news(),
        [
            "forward churn_risk_inactivity T1",
            "message churn_risk_inactivity c1 in thread 2",
            "tag churn_risk_inactivity c1"
        ]
    );
}

#[test]
fn with_remove_tag_an_existing_tag_stays() {
    let inactive = |days: f64| contact("c1", None, &[("days_since_last_login", number(days))]);
    let mut world = world(vec![inactive(16.0)]);
    world.tag("c1", "Churn Risk: Inactive 14 Days");
    world.run(hour(0));
    world.put(inactive(0.0));
    world.run(hour(6));
    world.run(hour(30));
    assert!(world.news().is_empty());
}

#[test]
fn a_rule_that_is_switched_off_freezes_its_occasions() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    world.news();
    let on = std::mem::replace(
        &mut world.config,
        configure("[scan]\ntimezone = \"UTC\"\n[[rules]]\nsignal = \"storage_limit\"\nenabled = false"),
    );
    world.set("c1", "storage_percent", number(10.0));
    world.run(hour(6));
    world.run(hour(60));
    assert!(!cleared(&world));
    world.config = on;
    world.set("c1", "storage_percent", number(83.0));
    assert_eq!(item(&world.run(hour(66)), "storage_limit").reason, Reason::AlreadyDone);
    assert!(world.news().is_empty());
}

#[test]
fn a_refused_task_blocks_nothing_and_stays_in_every_report() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.fates.insert(ActionKind::Task, Fate::Refused);
    world.run(hour(0));
    assert_eq!(world.news(), ["message storage_limit acme", "tag storage_limit c1"]);
    world.fates.clear();
    let plan = world.run(hour(6));
    assert!(actions(item(&plan, "storage_limit")).contains(&"task skip refused".to_owned()));
    assert!(world.news().is_empty());
    world.set("c1", "storage_percent", Value::Null);
    assert_eq!(item(&world.plan(hour(12)), "storage_limit").reason, Reason::Refused);
}

#[test]
fn a_lost_ledger_repeats_nothing() {
    let team: Vec<_> = (1..=9).map(|number| teammate(&format!("c{number}"), "acme", 9.0)).collect();
    let mut world = world(team);
    world.run(hour(0));
    world.news();
    world.lose_ledger();
    world.put(teammate("d1", "acme", 10.0));
    let plan = world.run(hour(6));
    assert_eq!(item(&plan, "team_size_limit").reason, Reason::AlreadyTagged);
    assert_eq!(world.news(), ["tag team_size_limit d1"]);
}

#[test]
fn the_plan_does_not_depend_on_the_order_of_arrival_or_on_the_run() {
    let contacts: Vec<_> = (1..=9).map(|number| teammate(&format!("c{number}"), "acme", 9.0)).collect();
    let reversed: Vec<_> = contacts.iter().rev().cloned().collect();
    let mut other_way = world(reversed);
    other_way.backwards = true;
    assert_eq!(world(contacts).plan(hour(0)), other_way.plan(hour(0)));
}
