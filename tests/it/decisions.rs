//! docs/decisions.md, sentence by sentence: subjects, occasions, and every row of the decision table.

use std::collections::{BTreeMap, BTreeSet};

use usage_signals::model::{ActionKind, Contact, Message, Reason, References, SinkKind, State, SubjectKind, Value};
use usage_signals::plan::{Company, Item, Mode, Order, Plan, Scope};

use crate::support::*;

const STORAGE_TAG: &str = "Expansion: Storage Limit";
const ONLY_STORAGE: &str = "";

fn world(contacts: Vec<Contact>) -> PlanWorld {
    PlanWorld::new(ONLY_STORAGE, contacts)
}

// The rows of the table in 3.3.

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
fn a_tag_on_a_teammate_who_does_not_signal_counts_too() {
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
fn returned_brings_the_old_task_forward_and_says_again() {
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

/// The message that an item asks for.
fn message(item: &Item) -> Message {
    let order = item.actions.iter().find_map(|action| match &action.order {
        Some(Order::Message(message)) => Some(message.as_ref().clone()),
        _ => None,
    });
    order.unwrap()
}

#[test]
fn a_message_left_unfinished_still_says_again() {
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
    // A level reached meanwhile has news of its own.
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
fn a_tag_that_a_person_took_off_stays_off_until_the_occasion_ends() {
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
fn with_on_untag_restore_the_tag_comes_back_without_task_or_message() {
    let mut world = PlanWorld::new("on_untag = \"restore\"", vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    world.untag("c1", STORAGE_TAG);
    world.news();
    let plan = world.run(hour(6));
    assert_eq!(item(&plan, "storage_limit").reason, Reason::TagRestored);
    assert_eq!(world.news(), ["tag storage_limit c1"]);
}

#[test]
fn a_tag_gone_from_the_workspace_is_made_again_and_attached() {
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
fn a_message_says_that_the_level_rose_unless_it_fell_again_before_it_was_sent() {
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
fn a_due_date_stays_as_it_was_told_however_often_the_program_runs() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    let due = |plan: &Plan| item(plan, "storage_limit").due_date.to_string();
    let told = due(&world.run(hour(0)));
    assert_eq!(told, "2025-12-27");
    assert_eq!(due(&world.run(hour(48))), told, "already done");
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
fn falling_back_to_a_lower_level_does_nothing() {
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
fn an_escalation_of_what_was_handled_makes_a_new_task() {
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
fn a_claim_in_doubt_is_left_and_tags_wait_for_it() {
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
fn a_snooze_tag_with_blanks_around_it_silences_a_company_and_a_contact() {
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
fn a_snooze_tag_beyond_the_ten_listed_of_one_who_does_not_signal_now_is_found() {
    let mut world = world(vec![storage("c1", "acme", 83.0), storage("c2", "acme", 84.0)]);
    (0..10).for_each(|number| world.tag("c2", &format!("Something Else {number}")));
    world.run(hour(0));
    world.tag("c2", "Signals: Snoozed");
    world.set("c2", "storage_percent", number(10.0));
    world.set("c1", "storage_percent", number(96.0));
    assert_eq!(item(&world.plan(hour(6)), "storage_limit").reason, Reason::Snoozed);
}

#[test]
fn of_a_chosen_contact_the_colleagues_count_too() {
    let contacts = || vec![storage("c1", "acme", 83.0), storage("c2", "acme", 10.0), storage("c3", "beta", 84.0)];
    let chosen = || Scope { contacts: Some(["c1".to_owned()].into()), ..Scope::everything() };
    let mut handled = world(contacts());
    handled.tag("c2", STORAGE_TAG);
    handled.tag("c3", STORAGE_TAG);
    handled.scope = chosen();
    let plan = handled.plan(hour(0));
    assert_eq!(reasons(&plan), [("storage_limit acme".to_owned(), Reason::AlreadyTagged)]);
    assert_eq!(item(&plan, "storage_limit").people.len(), 1);

    let mut snoozed = world(vec![storage("c1", "acme", 83.0), storage("c2", "acme", 84.0)]);
    snoozed.run(hour(0));
    snoozed.tag("c2", "Signals: Snoozed");
    snoozed.set("c1", "storage_percent", number(96.0));
    snoozed.scope = chosen();
    assert_eq!(item(&snoozed.plan(hour(6)), "storage_limit").reason, Reason::Snoozed);
}

#[test]
fn a_colleague_who_is_read_for_a_chosen_contact_gets_nothing_of_its_own() {
    let full = |id: &str, projects: f64| {
        contact(id, Some("acme"), &[("storage_percent", number(83.0)), ("projects_count", number(projects))])
    };
    let mut world = world(vec![full("c1", 25.0), full("c2", 1.0)]);
    world.fates = BTreeMap::from([(ActionKind::Task, Fate::CarriedOver), (ActionKind::Message, Fate::CarriedOver)]);
    world.run(hour(0));
    world.fates.clear();
    world.scope = Scope { contacts: Some(["c2".to_owned()].into()), ..Scope::everything() };
    let mut known = world.known();
    let storage_limit = [("storage_limit acme".to_owned(), Reason::Unfinished)];
    assert_eq!(reasons(&world.plan_on(&known, hour(1))), storage_limit, "unfinished");
    known.occasions.retain(|occasion| occasion.id.signal == "storage_limit");
    assert_eq!(reasons(&world.plan_on(&known, hour(1))), storage_limit, "new");
}

#[test]
fn a_chosen_contact_that_cannot_be_read_leaves_the_unfinished_actions_of_others_alone() {
    let mut world = world(vec![storage("c1", "acme", 83.0), storage("c2", "beta", 83.0)]);
    world.fates.insert(ActionKind::Message, Fate::CarriedOver);
    world.run(hour(0));
    world.fates.clear();
    world.news();
    world.scope.contacts = Some(["c1".to_owned()].into());
    world.failing.insert("c1".into());
    let plan = world.run(hour(6));
    assert_eq!(reasons(&plan), []);
    assert!(world.news().is_empty());
    world.failing.clear();
    world.run(hour(12));
    assert_eq!(world.news(), ["message storage_limit acme"]);
}

#[test]
fn a_tag_dropped_because_the_contact_was_not_to_be_found_is_put_on_when_the_contact_is_read() {
    let mut world = world(vec![storage("c1", "acme", 83.0), storage("c2", "acme", 83.0)]);
    let plan = world.plan(hour(0));
    let hidden = world.contacts.remove("c2").unwrap(); // 404 as the tag is put on
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

/// What happens to the world before a run looks at it.
type Sees = fn(&mut PlanWorld);

#[test]
fn unfinished_tags_wait_while_somebody_concerned_is_snoozed_who_was_not_read() {
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
        // Nothing is true for c1 any more, and nothing false either.
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
fn an_action_whose_sink_is_off_is_skipped_for_good() {
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
fn beyond_top_nothing_opens_and_the_rest_comes_up_later() {
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

// The guard.

fn many(count: usize, percent: f64) -> Vec<Contact> {
    (0..count).map(|number| storage(&format!("c{number:03}"), &format!("company{number:03}"), percent)).collect()
}

#[test]
fn too_many_new_tasks_refuse_the_new_part_but_not_what_is_carried_over() {
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
fn exactly_as_many_new_tasks_as_allowed_pass() {
    let world = PlanWorld::new("max_new_tasks = 4", many(4, 83.0));
    assert!(world.plan(hour(0)).refusal.is_none());
}

#[test]
fn too_large_a_share_refuses_from_five_hundred_contacts_on() {
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
fn a_baseline_records_what_holds_at_its_level_and_tags_but_makes_no_task_and_no_message() {
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

// 3.1: the subject.

#[test]
fn contacts_with_the_same_email_are_one_subject() {
    let mut lead = contact("c2", None, &[("projects_count", number(25.0))]);
    lead.email = Some(" C1@Example.com ".into());
    let user = contact("c1", None, &[("projects_count", number(23.0))]);
    let mut world = world(vec![user, lead]);
    let plan = world.run(hour(0));
    let found = item(&plan, "power_user");
    assert_eq!((found.subject().kind, found.subject().id.as_str()), (SubjectKind::Contact, "c1"));
    assert_eq!(world.news(), ["task power_user c1", "message power_user c1", "tag power_user c1", "tag power_user c2"]);
}

#[test]
fn nine_teammates_are_nine_tags_one_task_and_one_message_which_names_them() {
    let team = (1..=9).map(|number| teammate(&format!("c{number}"), "acme", 9.0)).collect();
    let mut world = world(team);
    let plan = world.run(hour(0));
    let item = item(&plan, "team_size_limit");
    assert_eq!(item.people.len(), 9);
    let news = world.news();
    assert_eq!(news.iter().filter(|line| line.starts_with("task")).count(), 1);
    assert_eq!(news.iter().filter(|line| line.starts_with("message")).count(), 1);
    assert_eq!(news.iter().filter(|line| line.starts_with("tag")).count(), 9);
}

#[test]
fn of_several_companies_the_one_with_an_open_occasion_counts_else_the_lowest_id() {
    let mut both = storage("c1", "beta", 83.0);
    both.companies = References::all(vec!["beta".into(), "alpha".into()]);
    let world_of = |contacts| world(contacts);
    let mut fresh = world_of(vec![both.clone()]);
    assert_eq!(item(&fresh.run(hour(0)), "storage_limit").subject().id, "alpha");

    let mut with_occasion = world_of(vec![storage("c0", "beta", 83.0)]);
    with_occasion.run(hour(0));
    with_occasion.put(both);
    assert_eq!(item(&with_occasion.run(hour(6)), "storage_limit").subject().id, "beta");
}

#[test]
fn with_no_company_the_contact_is_the_subject() {
    let world = world(vec![contact("c1", None, &[("storage_percent", number(83.0))])]);
    let plan = world.plan(hour(0));
    assert_eq!(item(&plan, "storage_limit").subject().kind, SubjectKind::Contact);
}

#[test]
fn the_level_is_the_highest_of_the_contacts_and_the_text_does_not_contradict_it() {
    let mut primary = storage("c1", "acme", 83.0);
    primary.attributes.insert("user_type", text("primary"));
    let world = world(vec![primary, storage("c2", "acme", 96.0)]);
    let plan = world.plan(hour(0));
    let item = item(&plan, "storage_limit");
    assert_eq!((item.level.as_str(), item.details.as_str()), ("critical", "96% storage used"));
}

#[test]
fn the_representative_is_primary_first_then_seen_last_then_lowest_id() {
    let with = |id: &str, percent: f64, kind: Option<&str>, seen: Option<i64>| {
        let mut contact = storage(id, "acme", percent);
        if let Some(kind) = kind {
            contact.attributes.insert("user_type", text(kind));
        }
        contact.last_seen_at = seen.map(hour);
        contact
    };
    let cases = [
        (
            "primary",
            vec![with("c1", 81.0, None, Some(-1)), with("c2", 82.0, Some("primary"), None)],
            "82% storage used",
        ),
        ("seen last", vec![with("c1", 81.0, None, Some(-9)), with("c2", 82.0, None, Some(-1))], "82% storage used"),
        ("seen at all", vec![with("c1", 81.0, None, None), with("c2", 82.0, None, Some(-99))], "82% storage used"),
        ("lowest id", vec![with("c2", 82.0, None, None), with("c1", 81.0, None, None)], "81% storage used"),
    ];
    for (name, contacts, details) in cases {
        assert_eq!(item(&world(contacts).plan(hour(0)), "storage_limit").details, details, "{name}");
    }
}

#[test]
fn the_representative_is_fixed_when_the_occasion_opens() {
    let mut world = world(vec![storage("c1", "acme", 81.0)]);
    world.fates.insert(ActionKind::Task, Fate::CarriedOver);
    world.run(hour(0));
    let mut primary = storage("c2", "acme", 89.0);
    primary.attributes.insert("user_type", text("primary"));
    world.put(primary);
    assert_eq!(item(&world.plan(hour(6)), "storage_limit").details, "81% storage used");
}

#[test]
fn a_contact_stays_in_the_open_occasion_that_concerns_it() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    world.news();
    world.put(storage("c1", "other", 83.0));
    assert_eq!(item(&world.run(hour(6)), "storage_limit").subject().id, "acme");
    assert!(world.news().is_empty());
}

// 3.2: the occasion.

fn cleared(world: &PlanWorld) -> bool {
    world.occasion("storage_limit").ended_at.is_some()
}

#[test]
fn it_ends_when_two_observations_of_false_lie_a_day_apart() {
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
fn a_true_between_starts_the_count_again() {
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
fn a_contact_that_is_gone_from_intercom_does_not_keep_the_occasion_open() {
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
fn runs_that_do_not_see_everything_clear_nothing() {
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
fn an_incomplete_read_plans_nothing_new_but_does_what_is_unfinished() {
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
fn what_was_not_done_when_the_occasion_ends_is_dropped() {
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
fn with_remove_tag_clearing_takes_off_the_tags_we_added_and_touches_no_task() {
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
fn with_remove_tag_a_tag_that_was_there_before_stays() {
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
fn a_refused_task_holds_nothing_back_and_stays_in_every_report() {
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

// What others in this field get wrong: two things at once.

#[test]
fn the_guard_does_not_touch_occasions_that_end_or_go_on() {
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
fn a_held_escalation_still_does_what_is_unfinished_and_the_tag_waits() {
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

const LADDER: &str = r#"
[[rules]]
signal = "power_user"
enabled = false
[[rules]]
signal = "projects"
tag = "Expansion: Projects"
when = 'projects_count >= 10'
priority = "low"
respond_within_days = 30
details = "{{ projects_count }} projects"
action = "Call"
"#;
const MORE: &str = "[[rules.levels]]\nname = \"more\"\nwhen = 'projects_count >= 20'\npriority = \"medium\"\nrespond_within_days = 9\n";
const MOST: &str =
    "[[rules.levels]]\nname = \"most\"\nwhen = 'projects_count >= 30'\npriority = \"high\"\nrespond_within_days = 3\n";

#[test]
fn every_follow_up_replies_to_the_first_message_of_the_thread() {
    let projects = |count: f64| contact("c1", None, &[("projects_count", number(count))]);
    let mut world = PlanWorld::new(&format!("{LADDER}{MORE}{MOST}"), vec![projects(10.0)]);
    for (hours, count) in [(0, 10.0), (6, 20.0), (12, 30.0)] {
        world.put(projects(count));
        world.run(hour(hours));
    }
    let messages: Vec<_> = world.news().into_iter().filter(|line| line.starts_with("message")).collect();
    assert_eq!(messages, ["message projects c1", "message projects c1 in thread 2", "message projects c1 in thread 2"]);
}

#[test]
fn putting_the_levels_in_another_order_repeats_nothing() {
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
fn a_person_is_known_again_though_the_contact_of_the_occasion_was_not_read() {
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
fn a_rule_that_gets_another_tag_neither_blames_a_person_nor_takes_off_what_is_not_ours() {
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
fn while_the_figure_is_unknown_a_task_waits_and_is_not_told_with_unknown_figures() {
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
fn a_snoozed_return_leaves_the_tag_that_was_to_come_off_to_a_later_run() {
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
fn after_a_person_took_the_tag_off_a_higher_level_does_nothing_either() {
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
fn our_tag_is_known_by_its_id_whatever_the_rule_is_tagged_with_by_now() {
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
fn a_level_that_a_file_adds_comes_below_the_built_in_ones_it_does_not_name() {
    let level =
        "[[rules]]\nsignal = \"storage_limit\"\n[[rules.levels]]\nname = \"warning\"\nwhen = 'storage_percent >= 90'";
    let world = PlanWorld::new(level, vec![storage("c1", "a", 91.0), storage("c2", "b", 96.0)]);
    let plan = world.plan(hour(0));
    let levels: Vec<_> = plan.items.iter().map(|item| (item.subject().id.as_str(), item.level.as_str())).collect();
    assert_eq!(levels, [("b", "critical"), ("a", "warning")]);
}
