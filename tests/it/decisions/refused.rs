//! Refused is not for ever: a refused action is planned again after `retry_refused_after`.

use super::*;

/// A world in which the service refused actions of these kinds in the first run, and would accept them now.
fn refused(kinds: &[ActionKind]) -> PlanWorld {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.fates.extend(kinds.iter().map(|kind| (*kind, Fate::Refused)));
    world.run(hour(0));
    world.fates.clear();
    world.news();
    world
}

fn states(world: &PlanWorld, kind: ActionKind) -> Vec<(State, Reason)> {
    let entries = world.occasion("storage_limit").entries.into_iter();
    entries.filter(|entry| entry.key.kind == kind).map(|entry| (entry.state, entry.reason)).collect()
}

#[test]
fn a_refused_task_message_and_tag_are_done_a_day_later_with_the_figures_of_then() {
    let mut world = refused(&[ActionKind::Task, ActionKind::Message, ActionKind::Tag]);
    world.set("c1", "storage_percent", number(85.0));
    let plan = world.run(hour(22));
    let found = item(&plan, "storage_limit");
    assert_eq!(found.reason, Reason::Refused);
    assert_eq!(actions(found), ["task skip refused", "message skip refused", "tag c1 skip refused"]);
    assert!(plan.changes().is_empty() && world.news().is_empty(), "an hour too early");
    let plan = world.run(hour(23));
    let found = item(&plan, "storage_limit");
    assert_eq!(found.reason, Reason::Unfinished);
    assert_eq!(actions(found), ["task do unfinished", "message do unfinished", "tag c1 do unfinished"]);
    assert_eq!(message(found).brief.details, "85% storage used");
    assert_eq!(world.news(), ["task storage_limit acme", "message storage_limit acme", "tag storage_limit c1"]);
    assert!(world.run(hour(48)).to_do().next().is_none(), "and once");
}

#[test]
fn a_task_that_is_refused_again_waits_again() {
    let mut world = refused(&[ActionKind::Task]);
    world.fates.insert(ActionKind::Task, Fate::Refused);
    world.run(hour(24));
    world.fates.clear();
    for hours in [30, 46] {
        assert_eq!(item(&world.run(hour(hours)), "storage_limit").reason, Reason::Refused, "{hours}");
    }
    world.run(hour(47));
    assert_eq!(world.news(), ["task storage_limit acme"]);
}

#[test]
fn never_leaves_it_refused_and_a_clock_that_was_ahead_does_not() {
    let mut never = refused(&[ActionKind::Task]);
    never.config.plan.retry_refused_after = None;
    assert_eq!(item(&never.run(hour(24 * 365)), "storage_limit").reason, Reason::Refused);
    let mut ahead = refused(&[ActionKind::Task]);
    ahead.run(hour(-24 * 365));
    assert_eq!(ahead.news(), ["task storage_limit acme"]);
}

#[test]
fn the_guard_and_top_do_not_count_it() {
    let mut world = refused(&[ActionKind::Task]);
    world.put(storage("c2", "beta", 96.0));
    world.config.plan.limits.top = Some(1);
    world.config.plan.limits.max_new_tasks = 1;
    let plan = world.run(hour(24));
    assert!(plan.refusal.is_none());
    let expected =
        [("storage_limit beta".to_owned(), Reason::New), ("storage_limit acme".to_owned(), Reason::Unfinished)];
    assert_eq!(reasons(&plan), expected);
    assert!(world.news().contains(&"task storage_limit acme".to_owned()));
}

/// A change of the world before a run reads it.
type Sees = fn(&mut PlanWorld);

#[test]
fn it_waits_where_unfinished_actions_wait() {
    let unknown: Sees = |world| world.set("c1", "storage_percent", Value::Null);
    let is_false: Sees = |world| world.set("c1", "storage_percent", number(1.0));
    let snoozed: Sees = |world| world.tag("c1", "Signals: Snoozed");
    let cases = [
        ("unknown", unknown, Reason::Unfinished),
        ("false", is_false, Reason::Clearing),
        ("snoozed", snoozed, Reason::Snoozed),
    ];
    for (what, sees, reason) in cases {
        let mut world = refused(&[ActionKind::Task, ActionKind::Message]);
        sees(&mut world);
        let plan = world.run(hour(24));
        let found = item(&plan, "storage_limit");
        let name = reason.name();
        assert_eq!(actions(found)[..2], [format!("task skip {name}"), format!("message skip {name}")], "{what}");
        assert!(world.news().is_empty(), "{what}");
        world.untag("c1", "Signals: Snoozed");
        world.set("c1", "storage_percent", number(84.0));
        world.run(hour(25));
        assert_eq!(world.news(), ["task storage_limit acme", "message storage_limit acme"], "{what}");
    }
}

#[test]
fn it_waits_while_the_data_of_its_rule_do_not_arrive() {
    let mut world = refused(&[ActionKind::Task]);
    many(10, 10.0).into_iter().for_each(|contact| world.put(contact));
    (1..4).for_each(|hours| drop(world.run(hour(hours))));
    let ids: Vec<_> = world.contacts.keys().cloned().collect();
    ids.iter().for_each(|id| world.set(id, "storage_percent", Value::Null));
    let plan = world.run(hour(24));
    assert_eq!(plan.outages.len(), 1);
    assert!(actions(item(&plan, "storage_limit")).contains(&"task skip unfinished".to_owned()));
    ids.iter().for_each(|id| world.set(id, "storage_percent", number(83.0)));
    world.mode = Mode { allow_large_plan: true, ..Mode::default() };
    world.run(hour(25));
    assert!(world.news().contains(&"task storage_limit acme".to_owned()));
}

#[test]
fn an_escalation_drops_what_was_refused_for_a_lower_level() {
    for hours in [6, 24] {
        let mut world = refused(&[ActionKind::Task, ActionKind::Message]);
        world.set("c1", "storage_percent", number(96.0));
        let plan = world.run(hour(hours));
        assert_eq!(item(&plan, "storage_limit").reason, Reason::Escalated, "{hours}");
        assert_eq!(world.news(), ["task storage_limit acme", "message storage_limit acme"], "{hours}");
        for kind in [ActionKind::Task, ActionKind::Message] {
            let expected = [(State::Dropped, Reason::Escalated), (State::Done, Reason::Escalated)];
            assert_eq!(states(&world, kind), expected, "{hours}");
        }
        assert!(world.run(hour(60)).to_do().next().is_none(), "{hours}");
    }
}

#[test]
fn the_end_of_the_occasion_drops_it() {
    let mut world = refused(&[ActionKind::Task, ActionKind::Tag]);
    world.set("c1", "storage_percent", number(10.0));
    world.run(hour(1));
    world.config.plan.retry_refused_after = None;
    let plan = world.run(hour(25));
    assert_eq!(actions(item(&plan, "storage_limit")), ["task skip cleared", "tag c1 skip cleared"]);
    for kind in [ActionKind::Task, ActionKind::Tag] {
        assert_eq!(states(&world, kind), [(State::Dropped, Reason::Cleared)]);
    }
    assert!(world.run(hour(72)).items.is_empty(), "no report names it any more");
}

#[test]
fn an_incomplete_read_asks_for_the_figures_of_a_refused_task() {
    let mut world = refused(&[ActionKind::Task]);
    world.unread.insert("c1".into());
    world.scope = Scope { complete: false, ..Scope::everything() };
    world.run(hour(24));
    assert_eq!(world.news(), ["task storage_limit acme"]);
}

#[test]
fn it_stays_refused_while_its_sink_or_its_rule_is_off() {
    let mut world = refused(&[ActionKind::Task]);
    world.sinks.remove(&SinkKind::Tasks);
    world.run(hour(24));
    world.sinks = all_sinks();
    let off = configure("[scan]\ntimezone = \"UTC\"\n[[rules]]\nsignal = \"storage_limit\"\nenabled = false");
    let on = std::mem::replace(&mut world.config, off);
    let plan = world.run(hour(30));
    assert_eq!(actions(item(&plan, "storage_limit")), ["task skip refused"]);
    world.config = on;
    world.run(hour(36));
    assert_eq!(world.news(), ["task storage_limit acme"]);
}

#[test]
fn a_refused_message_of_a_returned_signal_still_says_again() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    world.set("c1", "storage_percent", number(10.0));
    world.run(hour(6));
    world.run(hour(30));
    world.set("c1", "storage_percent", number(85.0));
    world.fates.insert(ActionKind::Message, Fate::Refused);
    world.run(hour(36));
    let sent = message(item(&world.plan(hour(60)), "storage_limit"));
    assert_eq!(sent.brief.again_since, Some(hour(0).date_naive()));
    // The level rises, and that message is refused too.
    world.set("c1", "storage_percent", number(97.0));
    world.run(hour(60));
    let sent = message(item(&world.plan(hour(84)), "storage_limit"));
    assert!(sent.brief.escalated && sent.brief.again_since.is_none());
}

const INACTIVE_TAG: &str = "Churn Risk: Inactive 14 Days";

/// A world in which Intercom refused to remove the tag of an occasion that ended at hour 30.
fn with_a_refused_untag() -> PlanWorld {
    let mut world = world(vec![contact("c1", None, &[("days_since_last_login", number(16.0))])]);
    world.run(hour(0));
    world.set("c1", "days_since_last_login", number(0.0));
    world.run(hour(6));
    world.fates.insert(ActionKind::Untag, Fate::Refused);
    world.run(hour(30));
    world.fates.clear();
    world.news();
    world
}

#[test]
fn a_refused_removal_of_a_tag_is_tried_again_after_its_occasion_ended() {
    let mut world = with_a_refused_untag();
    let plan = world.run(hour(52));
    assert_eq!(actions(item(&plan, "churn_risk_inactivity")), ["untag c1 skip refused"]);
    let plan = world.run(hour(53));
    assert_eq!(actions(item(&plan, "churn_risk_inactivity")), ["untag c1 do unfinished"]);
    assert_eq!(world.news(), ["untag churn_risk_inactivity c1"]);
}

#[test]
fn a_refused_removal_of_a_tag_is_dropped_where_the_signal_is_back() {
    for hours in [36, 60] {
        let mut world = with_a_refused_untag();
        world.set("c1", "days_since_last_login", number(16.0));
        world.run(hour(hours));
        world.news();
        assert!(world.run(hour(100)).to_do().next().is_none(), "{hours}");
        let untags = world.known().occasions.into_iter().flat_map(|occasion| occasion.entries);
        let untags: Vec<_> = untags.filter(|entry| entry.key.kind == ActionKind::Untag).collect();
        assert_eq!((untags[0].state, untags[0].reason), (State::Dropped, Reason::Returned), "{hours}");
        assert!(world.contacts["c1"].tags.ids.contains(&world.tag_ids[&INACTIVE_TAG.to_lowercase()]), "{hours}");
    }
}
