//! The rows of the decision table for signals that are held back: snoozed, beyond `--top`, or for a sink that is off.

use super::*;

#[test]
fn a_snoozed_company_or_contact_opens_no_occasion_and_is_new_when_lifted() {
    let mut by_company = world(vec![storage("c1", "acme", 83.0)]);
    let snoozed = Company { name: Some("Acme".into()), tags: vec!["signals: snoozed".into()] };
    by_company.companies.insert("acme".into(), snoozed);
    let mut by_contact = world(vec![storage("c1", "acme", 83.0), storage("c2", "acme", 84.0)]);
    by_contact.tag("c2", "Signals: Snoozed");
    for (name, world) in [("company", &mut by_company), ("contact", &mut by_contact)] {
        let plan = world.run(hour(0));
        assert_eq!(item(&plan, "storage_limit").reason, Reason::Snoozed, "{name}");
        assert!(!changes_occasions(&plan), "{name}");
        assert!(world.news().is_empty(), "{name}");
    }
    by_company.companies.clear();
    by_contact.untag("c2", "Signals: Snoozed");
    for world in [&mut by_company, &mut by_contact] {
        assert_eq!(item(&world.run(hour(6)), "storage_limit").reason, Reason::New);
    }
}

#[test]
fn a_snooze_tag_with_spaces_around_it_silences_a_company_and_a_contact() {
    let mut by_company = world(vec![storage("c1", "acme", 83.0)]);
    let snoozed = Company { name: Some("Acme".into()), tags: vec!["  Signals: Snoozed ".into()] };
    by_company.companies.insert("acme".into(), snoozed);
    let mut by_contact = world(vec![storage("c1", "acme", 83.0)]);
    by_contact.tag("c1", "Signals: Snoozed");
    by_contact.config.plan.snooze_tag = " signals: snoozed ".into();
    for world in [by_company, by_contact] {
        assert_eq!(item(&world.plan(hour(0)), "storage_limit").reason, Reason::Snoozed);
    }
}

#[test]
fn a_snooze_tag_beyond_the_ten_listed_is_found_on_a_contact_without_the_signal() {
    let mut world = world(vec![storage("c1", "acme", 83.0), storage("c2", "acme", 84.0)]);
    (0..10).for_each(|number| world.tag("c2", &format!("Something Else {number}")));
    world.run(hour(0));
    world.tag("c2", "Signals: Snoozed");
    world.set("c2", "storage_percent", number(10.0));
    world.set("c1", "storage_percent", number(96.0));
    assert_eq!(item(&world.plan(hour(6)), "storage_limit").reason, Reason::Snoozed);
}

#[test]
fn snoozing_an_open_occasion_stops_escalation_and_unfinished_actions() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.fates.insert(ActionKind::Message, Fate::CarriedOver);
    world.run(hour(0));
    world.fates.clear();
    world.news();
    world.tag("c1", "Signals: Snoozed");
    world.set("c1", "storage_percent", number(96.0));
    let plan = world.run(hour(6));
    assert_eq!(item(&plan, "storage_limit").reason, Reason::Snoozed);
    assert!(world.news().is_empty());
    world.untag("c1", "Signals: Snoozed");
    let plan = world.run(hour(12));
    assert_eq!(item(&plan, "storage_limit").reason, Reason::Escalated);
}

/// A change of the world before a run reads it.
type Sees = fn(&mut PlanWorld);

#[test]
fn unfinished_tags_wait_while_an_unread_contact_concerned_is_snoozed() {
    let chosen = |world: &mut PlanWorld| world.scope.contacts = Some(["c1".to_owned()].into());
    let incomplete = |world: &mut PlanWorld| {
        world.scope.complete = false;
        world.unread.extend(["c2".to_owned()]);
    };
    let runs: [(&str, Sees); 2] = [("chosen", chosen), ("incomplete", incomplete)];
    for (what, sees) in runs {
        let mut world = world(vec![storage("c1", "acme", 83.0), storage("c2", "acme", 83.0)]);
        world.fates.insert(ActionKind::Tag, Fate::CarriedOver);
        world.run(hour(0));
        world.fates.clear();
        world.news();
        world.tag("c2", "Signals: Snoozed");
        // For c1, no rule is true or false any more.
        world.set("c1", "storage_percent", Value::Null);
        sees(&mut world);
        let plan = world.run(hour(6));
        assert_eq!(actions(item(&plan, "storage_limit")), ["tag c1 skip snoozed", "tag c2 skip snoozed"], "{what}");
        world.untag("c2", "Signals: Snoozed");
        world.run(hour(12));
        assert_eq!(world.news(), ["tag storage_limit c1", "tag storage_limit c2"], "{what}");
    }
}

#[test]
fn an_action_of_a_disabled_sink_is_skipped_permanently() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.sinks = BTreeSet::from([SinkKind::Tags]);
    let plan = world.run(hour(0));
    assert_eq!(actions(item(&plan, "storage_limit")), ["task skip sink_off", "message skip sink_off", "tag c1 do new"]);
    assert_eq!(world.news(), ["tag storage_limit c1"]);
    world.sinks = all_sinks();
    world.run(hour(6));
    assert!(world.news().is_empty());
}

#[test]
fn signals_beyond_top_open_in_later_runs() {
    let mut world = world(vec![storage("c1", "a", 83.0), storage("c2", "b", 96.0), storage("c3", "c", 84.0)]);
    world.config.plan.limits.top = Some(1);
    let plan = world.run(hour(0));
    assert_eq!(
        reasons(&plan),
        [
            ("storage_limit b".to_owned(), Reason::New),
            ("storage_limit a".to_owned(), Reason::Held),
            ("storage_limit c".to_owned(), Reason::Held)
        ],
        "most urgent first, then by id"
    );
    assert_eq!(world.news().first().map(String::as_str), Some("task storage_limit b"));
    world.run(hour(6));
    assert_eq!(world.news().first().map(String::as_str), Some("task storage_limit a"));
    world.run(hour(12));
    assert_eq!(world.news().first().map(String::as_str), Some("task storage_limit c"));
    world.run(hour(18));
    assert!(world.news().is_empty());
}
