//! The rows of the decision table.

use super::*;

#[test]
fn new_opens_an_occasion_with_task_message_and_tag() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    let plan = world.run(hour(0));
    let item = item(&plan, "storage_limit");
    assert_eq!(item.reason, Reason::New);
    assert_eq!(actions(item), ["task do new", "message do new", "tag c1 do new"]);
    assert_eq!(world.news(), ["task storage_limit acme", "message storage_limit acme", "tag storage_limit c1"]);
}

#[test]
fn already_tagged_opens_as_handled_and_tags_the_others() {
    let mut world = world(vec![storage("c1", "acme", 96.0), storage("c2", "acme", 81.0)]);
    world.tag("c2", STORAGE_TAG);
    let plan = world.run(hour(0));
    let found = item(&plan, "storage_limit");
    assert_eq!(found.reason, Reason::AlreadyTagged);
    assert_eq!(
        actions(found),
        [
            "task/critical skip already_tagged",
            "message/critical skip already_tagged",
            "tag c1 do already_tagged",
            "tag c2 skip already_tagged"
        ]
    );
    assert_eq!(world.news(), ["tag storage_limit c1"]);
    assert_eq!(world.occasion("storage_limit").level, "critical", "opened at the level seen");
    assert_eq!(item(&world.run(hour(6)), "storage_limit").reason, Reason::AlreadyDone);
    assert!(world.news().is_empty());
}

#[test]
fn a_tag_on_a_teammate_without_the_signal_counts_too() {
    let mut world = world(vec![storage("c1", "acme", 83.0), storage("c2", "acme", 10.0)]);
    world.tag("c2", STORAGE_TAG);
    assert_eq!(item(&world.plan(hour(0)), "storage_limit").reason, Reason::AlreadyTagged);
}

#[test]
fn a_tag_beyond_the_ten_listed_is_found() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    for number in 0..11 {
        world.tag("c1", &format!("Other {number}"));
    }
    assert_eq!(item(&world.plan(hour(0)), "storage_limit").reason, Reason::New);
    world.tag("c1", STORAGE_TAG);
    assert_eq!(item(&world.plan(hour(0)), "storage_limit").reason, Reason::AlreadyTagged);
}

#[test]
fn with_existing_tag_act_a_tagged_contact_is_new() {
    let mut world = PlanWorld::new("existing_tag = \"act\"", vec![storage("c1", "acme", 83.0)]);
    world.tag("c1", STORAGE_TAG);
    let plan = world.run(hour(0));
    assert_eq!(item(&plan, "storage_limit").reason, Reason::New);
    assert_eq!(world.news(), ["task storage_limit acme", "message storage_limit acme"]);
}

#[test]
fn a_returned_signal_brings_the_old_task_forward_and_the_message_says_again() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    world.set("c1", "storage_percent", number(10.0));
    world.run(hour(6));
    let plan = world.run(hour(30));
    assert_eq!(item(&plan, "storage_limit").reason, Reason::Cleared);
    world.news();
    world.set("c1", "storage_percent", number(85.0));
    let plan = world.run(hour(36));
    let found = item(&plan, "storage_limit");
    assert_eq!(found.reason, Reason::Returned);
    // The tag stayed (keep_tag), so there is nothing to add.
    assert_eq!(actions(found), ["task do returned", "message do returned", "tag c1 skip already_tagged"]);
    assert_eq!(world.news(), ["forward storage_limit T1", "message storage_limit acme in thread 2"]);
    assert_eq!(message(found).brief.again_since, Some(hour(0).date_naive()));
}

#[test]
fn an_unfinished_message_of_a_returned_signal_still_says_again() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    world.set("c1", "storage_percent", number(10.0));
    world.run(hour(6));
    world.run(hour(30));
    world.set("c1", "storage_percent", number(85.0));
    world.fates.insert(ActionKind::Message, Fate::CarriedOver);
    world.run(hour(36));
    let plan = world.plan(hour(37));
    let found = item(&plan, "storage_limit");
    assert_eq!(actions(found), ["task skip already_done", "message do unfinished", "tag c1 skip already_done"]);
    assert_eq!(message(found).brief.again_since, Some(hour(0).date_naive()));
    // The higher level replaces "again".
    world.set("c1", "storage_percent", number(97.0));
    let plan = world.plan(hour(37));
    assert_eq!(message(item(&plan, "storage_limit")).brief.again_since, None);
}

#[test]
fn already_done_does_nothing() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    world.news();
    let plan = world.run(hour(6));
    let item = item(&plan, "storage_limit");
    assert_eq!(item.reason, Reason::AlreadyDone);
    assert_eq!(actions(item), ["task skip already_done", "message skip already_done", "tag c1 skip already_done"]);
    assert!(plan.changes().is_empty());
    assert!(world.news().is_empty());
}

#[test]
fn a_tag_that_a_person_removed_stays_off_until_the_occasion_ends() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    world.untag("c1", STORAGE_TAG);
    world.news();
    for run in 1..3 {
        let plan = world.run(hour(6 * run));
        assert_eq!(item(&plan, "storage_limit").reason, Reason::UntaggedByPerson, "run {run}");
    }
    assert!(world.news().is_empty());
}

#[test]
fn with_on_untag_restore_the_tag_is_attached_again_without_task_or_message() {
    let mut world = PlanWorld::new("on_untag = \"restore\"", vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    world.untag("c1", STORAGE_TAG);
    world.news();
    let plan = world.run(hour(6));
    assert_eq!(item(&plan, "storage_limit").reason, Reason::TagRestored);
    assert_eq!(world.news(), ["tag storage_limit c1"]);
}

#[test]
fn a_tag_deleted_from_the_workspace_is_created_and_attached_again() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    world.delete_tag(STORAGE_TAG);
    world.news();
    let plan = world.run(hour(6));
    assert_eq!(item(&plan, "storage_limit").reason, Reason::TagRecreated);
    assert_eq!(world.news(), ["tag storage_limit c1"]);
}

#[test]
fn a_contact_that_joins_gets_the_tag_and_nothing_else() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    world.put(storage("c2", "acme", 84.0));
    world.news();
    let plan = world.run(hour(6));
    assert_eq!(item(&plan, "storage_limit").reason, Reason::Joined);
    assert_eq!(world.news(), ["tag storage_limit c2"]);
    assert!(world.occasion("storage_limit").contacts.contains("c2"));
}

#[test]
fn escalated_brings_the_task_forward_and_replies_in_the_thread() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    world.set("c1", "storage_percent", number(96.0));
    world.news();
    let plan = world.run(hour(6));
    assert_eq!(item(&plan, "storage_limit").reason, Reason::Escalated);
    assert_eq!(world.news(), ["forward storage_limit T1", "message storage_limit acme in thread 2"]);
    assert_eq!(world.occasion("storage_limit").level, "critical");
    world.run(hour(12));
    assert!(world.news().is_empty());
}

#[test]
fn a_message_reports_a_rise_of_the_level_unless_it_fell_before_the_message_was_sent() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    let first = world.run(hour(0));
    assert!(!message(item(&first, "storage_limit")).brief.escalated);
    world.set("c1", "storage_percent", number(96.0));
    world.fates.insert(ActionKind::Message, Fate::CarriedOver);
    for run in 1..3 {
        let plan = world.run(hour(6 * run));
        assert!(message(item(&plan, "storage_limit")).brief.escalated, "run {run}");
    }
    world.set("c1", "storage_percent", number(85.0));
    let plan = world.run(hour(18));
    assert!(!message(item(&plan, "storage_limit")).brief.escalated, "85% are not critical");
}

#[test]
fn a_communicated_due_date_stays_in_all_later_runs() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    let due = |plan: &Plan| item(plan, "storage_limit").due_date.to_string();
    let first = due(&world.run(hour(0)));
    assert_eq!(first, "2025-12-27");
    assert_eq!(due(&world.run(hour(48))), first, "already done");
    world.set("c1", "storage_percent", number(96.0));
    assert_eq!(due(&world.run(hour(72))), "2025-12-26", "escalated: three days from then");
    assert_eq!(due(&world.run(hour(96))), "2025-12-26");
    world.set("c1", "storage_percent", number(10.0));
    world.run(hour(120));
    assert_eq!(due(&world.run(hour(144))), "2025-12-26", "cleared");
    world.set("c1", "storage_percent", number(96.0));
    assert_eq!(due(&world.run(hour(240))), "2026-01-02", "returned");
}

#[test]
fn a_falling_level_does_nothing() {
    let mut world = world(vec![storage("c1", "acme", 96.0)]);
    world.run(hour(0));
    world.set("c1", "storage_percent", number(83.0));
    world.run(hour(6));
    world.set("c1", "storage_percent", number(97.0));
    world.news();
    world.run(hour(12));
    assert!(world.news().is_empty(), "critical was reached before in this occasion");
}

#[test]
fn an_escalation_of_a_handled_signal_makes_a_new_task() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.tag("c1", STORAGE_TAG);
    world.run(hour(0));
    world.set("c1", "storage_percent", number(96.0));
    assert!(world.news().is_empty());
    world.run(hour(6));
    assert_eq!(world.news(), ["task storage_limit acme", "message storage_limit acme"]);
}

#[test]
fn unfinished_actions_are_done_and_nothing_else() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.fates.insert(ActionKind::Task, Fate::CarriedOver);
    world.run(hour(0));
    assert_eq!(world.news(), ["message storage_limit acme"], "the tag waits for the task");
    world.fates.clear();
    let plan = world.run(hour(6));
    let item = item(&plan, "storage_limit");
    assert_eq!(item.reason, Reason::Unfinished);
    assert_eq!(actions(item), ["task do unfinished", "message skip already_done", "tag c1 do unfinished"]);
    assert_eq!(world.news(), ["task storage_limit acme", "tag storage_limit c1"]);
}

#[test]
fn a_claim_in_doubt_is_not_repeated_and_tags_wait_for_it() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.fates.extend([(ActionKind::Task, Fate::InDoubt), (ActionKind::Tag, Fate::CarriedOver)]);
    world.run(hour(0));
    world.fates.clear();
    world.news();
    world.set("c1", "storage_percent", number(96.0));
    let plan = world.run(hour(6));
    let item = item(&plan, "storage_limit");
    assert_eq!(item.reason, Reason::InDoubt, "no escalation over a task in doubt");
    assert_eq!(actions(item), ["task in doubt in_doubt", "message skip already_done", "tag c1 skip waits_for_task"]);
    assert!(world.news().is_empty());
}

#[test]
fn a_tag_dropped_for_a_missing_contact_is_attached_when_the_contact_is_read() {
    let mut world = world(vec![storage("c1", "acme", 83.0), storage("c2", "acme", 83.0)]);
    let plan = world.plan(hour(0));
    let hidden = world.contacts.remove("c2").unwrap(); // Intercom answers 404 to the request for the tag
    world.carry_out(&plan);
    world.run(hour(1));
    world.put(hidden);
    world.news();
    let plan = world.run(hour(6));
    let found = item(&plan, "storage_limit");
    assert_eq!(found.reason, Reason::Unfinished);
    let tags = ["tag c1 skip already_done", "tag c2 do unfinished"];
    assert_eq!(actions(found)[2..], tags);
    assert_eq!(world.news(), ["tag storage_limit c2"]);
    assert!(world.run(hour(12)).changes().is_empty());
}
