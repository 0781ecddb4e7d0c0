//! The guard.

use super::*;

#[test]
fn too_many_new_tasks_stop_new_signals_but_not_unfinished_actions() {
    let mut world = PlanWorld::new("max_new_tasks = 3", vec![storage("a", "acme", 83.0)]);
    world.fates.insert(ActionKind::Message, Fate::CarriedOver);
    world.run(hour(0));
    world.fates.clear();
    world.news();
    many(4, 83.0).into_iter().for_each(|contact| world.put(contact));
    let plan = world.run(hour(6));
    let refusal = plan.refusal.clone().unwrap();
    assert_eq!((refusal.new_tasks, refusal.by_tasks, refusal.by_share), (4, true, false));
    assert!(refusal.to_string().contains("scan.max_new_tasks"), "{refusal}");
    assert_eq!(plan.items.iter().filter(|item| item.reason == Reason::Held).count(), 4);
    assert_eq!(world.news(), ["message storage_limit acme"]);
    world.mode = Mode { allow_large_plan: true, ..Mode::default() };
    assert!(world.run(hour(12)).refusal.is_none());
    assert_eq!(world.news().len(), 12);
}

#[test]
fn the_allowed_number_of_new_tasks_passes() {
    let world = PlanWorld::new("max_new_tasks = 4", many(4, 83.0));
    assert!(world.plan(hour(0)).refusal.is_none());
}

#[test]
fn too_large_a_share_stops_new_signals_from_five_hundred_contacts_on() {
    let share = |signalling, all| {
        let mut contacts = many(signalling, 83.0);
        contacts.extend((signalling..all).map(|number| storage(&format!("c{number:03}"), "quiet", 10.0)));
        PlanWorld::new("max_new_tasks = 1000", contacts).plan(hour(0)).refusal
    };
    assert!(share(150, 500).is_none(), "30 % is allowed");
    assert!(share(151, 500).unwrap().by_share);
    assert!(share(300, 499).is_none(), "too few contacts to judge");
}

#[test]
fn a_baseline_records_signals_at_their_level_with_tags_but_without_tasks_and_messages() {
    let mut world = PlanWorld::new("max_new_tasks = 3", many(10, 83.0));
    world.mode = Mode { baseline: true, ..Mode::default() };
    let plan = world.run(hour(0));
    assert!(plan.refusal.is_none());
    assert!(plan.items.iter().all(|item| item.reason == Reason::Baseline));
    let news = world.news();
    assert_eq!(news.len(), 10);
    assert!(news.iter().all(|line| line.starts_with("tag ")), "{news:?}");
    world.mode = Mode::default();
    world.run(hour(6));
    assert!(world.news().is_empty());
    world.set("c003", "storage_percent", number(96.0));
    world.run(hour(12));
    assert_eq!(world.news(), ["task storage_limit company003", "message storage_limit company003"]);
}
