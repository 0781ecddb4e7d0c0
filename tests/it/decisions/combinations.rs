//! Combinations of two events.

use super::*;

#[test]
fn the_guard_does_not_change_occasions_that_end_or_continue() {
    let inactive = |days: f64| contact("c1", None, &[("days_since_last_login", number(days))]);
    let mut world = PlanWorld::new("max_new_tasks = 2", vec![inactive(16.0), storage("a", "acme", 83.0)]);
    world.run(hour(0));
    world.put(inactive(0.0));
    world.run(hour(6));
    many(3, 83.0).into_iter().for_each(|contact| world.put(contact));
    world.news();
    let plan = world.run(hour(30));
    assert!(plan.refusal.is_some());
    assert_eq!(world.news(), ["untag churn_risk_inactivity c1"]);
    let of = |signal: &str, id: &str| {
        plan.items.iter().find(|item| item.occasion.signal == signal && item.subject().id == id).unwrap().reason
    };
    assert_eq!(
        (of("churn_risk_inactivity", "c1"), of("storage_limit", "acme")),
        (Reason::Cleared, Reason::AlreadyDone)
    );
    world.run(hour(36));
    world.run(hour(42));
    assert!(world.news().is_empty());
}

#[test]
fn a_held_escalation_still_finishes_actions_and_the_tag_waits() {
    let mut world = PlanWorld::new("max_new_tasks = 0", vec![storage("c1", "acme", 83.0)]);
    world.mode = Mode { allow_large_plan: true, ..Mode::default() };
    world.fates.insert(ActionKind::Task, Fate::CarriedOver);
    world.run(hour(0));
    world.mode = Mode::default();
    world.set("c1", "storage_percent", number(96.0));
    world.news();
    let plan = world.run(hour(6));
    assert!(plan.refusal.is_some());
    assert!(world.news().is_empty(), "the task failed again, and the tag waits for it");
    world.fates.clear();
    world.run(hour(12));
    assert_eq!(world.news(), ["task storage_limit acme", "tag storage_limit c1"]);
    world.mode = Mode { allow_large_plan: true, ..Mode::default() };
    world.run(hour(18));
    assert_eq!(world.news(), ["forward storage_limit T2", "message storage_limit acme in thread 1"]);
}

#[test]
fn a_baseline_over_an_escalation_keeps_the_unfinished_task() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.fates.insert(ActionKind::Task, Fate::CarriedOver);
    world.run(hour(0));
    world.fates.clear();
    world.news();
    world.set("c1", "storage_percent", number(96.0));
    world.mode = Mode { baseline: true, ..Mode::default() };
    world.run(hour(6));
    assert_eq!(world.news(), ["task storage_limit acme", "tag storage_limit c1"]);
    assert_eq!(world.occasion("storage_limit").level, "critical");
}

#[test]
fn reordering_the_levels_repeats_nothing() {
    let projects = |count: f64| contact("c1", None, &[("projects_count", number(count))]);
    let mut world = PlanWorld::new(&format!("{LADDER}{MORE}{MOST}"), vec![projects(20.0)]);
    world.run(hour(0));
    world.put(projects(30.0));
    world.run(hour(6));
    world.news();
    world.config = configure(&format!("[scan]\ntimezone = \"UTC\"\n{LADDER}{MOST}{MORE}"));
    world.run(hour(12));
    world.run(hour(18));
    assert!(world.news().is_empty());
}

#[test]
fn a_person_is_recognized_even_if_the_contact_of_the_occasion_was_not_read() {
    let twin = |id: &str| Contact {
        email: Some("Ann@example.com".into()),
        ..contact(id, None, &[("projects_count", number(23.0))])
    };
    let mut world = world(vec![twin("c1")]);
    world.run(hour(0));
    world.news();
    world.contacts.clear();
    world.put(twin("c2"));
    assert_eq!(item(&world.run(hour(6)), "power_user").reason, Reason::Joined);
    assert_eq!(world.news(), ["tag power_user c2"]);
}

#[test]
fn a_contact_without_a_company_follows_its_twin_that_has_one() {
    let mut lead = contact("c2", None, &[("storage_percent", number(85.0))]);
    lead.email = Some("c1@example.com".into());
    let mut world = world(vec![storage("c1", "acme", 83.0), lead]);
    let plan = world.run(hour(0));
    assert_eq!(item(&plan, "storage_limit").subject().id, "acme");
    assert_eq!(world.news().iter().filter(|line| line.starts_with("task")).count(), 1);
}

#[test]
fn a_rule_with_a_new_tag_neither_blames_a_person_nor_removes_a_foreign_tag() {
    let inactive = |days: f64| contact("c1", None, &[("days_since_last_login", number(days))]);
    let mut world = world(vec![inactive(16.0)]);
    world.run(hour(0));
    world.news();
    world.tag("c1", "Win Back");
    world.config =
        configure("[scan]\ntimezone = \"UTC\"\n[[rules]]\nsignal = \"churn_risk_inactivity\"\ntag = \"Win Back\"");
    assert_eq!(item(&world.run(hour(6)), "churn_risk_inactivity").reason, Reason::AlreadyDone);
    world.put(inactive(0.0));
    world.run(hour(12));
    let plan = world.run(hour(40));
    let order = plan.to_do().find_map(|(_, action)| match &action.order {
        Some(usage_signals::plan::Order::Tag(tag)) => tag.tag_id.clone(),
        _ => None,
    });
    assert_eq!(order.as_deref(), Some("tag1"), "ours, by its id");
}

#[test]
fn a_task_waits_while_its_figure_is_unknown() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.fates.insert(ActionKind::Task, Fate::CarriedOver);
    world.run(hour(0));
    world.fates.clear();
    world.news();
    world.set("c1", "storage_percent", text("n/a"));
    let plan = world.run(hour(6));
    assert_eq!(actions(item(&plan, "storage_limit")), ["task skip unfinished", "tag c1 skip waits_for_task"]);
    world.set("c1", "storage_percent", number(85.0));
    world.run(hour(12));
    assert_eq!(world.news(), ["task storage_limit acme", "tag storage_limit c1"]);
}

#[test]
fn an_unfinished_tag_needs_no_figures() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.fates.insert(ActionKind::Tag, Fate::CarriedOver);
    world.run(hour(0));
    world.fates.clear();
    world.news();
    world.unread.insert("c1".into());
    world.scope = Scope { complete: false, ..Scope::everything() };
    world.run(hour(6));
    assert_eq!(world.news(), ["tag storage_limit c1"]);
}

#[test]
fn a_snoozed_return_leaves_the_removal_of_the_tag_to_a_later_run() {
    let inactive = |days: f64| contact("c1", Some("acme"), &[("days_since_last_login", number(days))]);
    let mut world = world(vec![inactive(16.0)]);
    world.run(hour(0));
    world.put(inactive(0.0));
    world.run(hour(6));
    world.fates.insert(ActionKind::Untag, Fate::CarriedOver);
    world.run(hour(30));
    world.fates.clear();
    world.put(inactive(15.0));
    let snoozed = Company { name: None, tags: vec!["Signals: Snoozed".into()] };
    world.companies.insert("acme".into(), snoozed);
    world.run(hour(36));
    world.put(inactive(0.0));
    world.news();
    world.run(hour(42));
    assert_eq!(world.news(), ["untag churn_risk_inactivity c1"]);
}

#[test]
fn after_a_person_removed_the_tag_a_higher_level_does_nothing() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    world.untag("c1", STORAGE_TAG);
    world.set("c1", "storage_percent", number(96.0));
    world.news();
    assert_eq!(item(&world.run(hour(6)), "storage_limit").reason, Reason::UntaggedByPerson);
    world.run(hour(12));
    assert!(world.news().is_empty());
}

#[test]
fn our_tag_is_recognized_by_its_id_even_if_the_rule_has_a_new_tag() {
    let mut world = world(vec![contact("c1", None, &[("days_since_last_login", number(16.0))])]);
    world.run(hour(0));
    world.tag("c1", "Win Back");
    world.untag("c1", "Churn Risk: Inactive 14 Days");
    world.config =
        configure("[scan]\ntimezone = \"UTC\"\n[[rules]]\nsignal = \"churn_risk_inactivity\"\ntag = \"Win Back\"");
    let plan = world.plan(hour(6));
    assert_eq!(
        item(&plan, "churn_risk_inactivity").reason,
        Reason::UntaggedByPerson,
        "ours is gone, theirs is not ours"
    );
}

#[test]
fn a_new_level_ranks_below_unnamed_built_in_levels() {
    let level =
        "[[rules]]\nsignal = \"storage_limit\"\n[[rules.levels]]\nname = \"warning\"\nwhen = 'storage_percent >= 90'";
    let world = PlanWorld::new(level, vec![storage("c1", "a", 91.0), storage("c2", "b", 96.0)]);
    let plan = world.plan(hour(0));
    let levels: Vec<_> = plan.items.iter().map(|item| (item.subject().id.as_str(), item.level.as_str())).collect();
    assert_eq!(levels, [("b", "critical"), ("a", "warning")]);
}
