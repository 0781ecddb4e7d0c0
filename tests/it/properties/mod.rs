//! Properties that hold after any sequence of events. The events are:
//! - values that change, and data outages;
//! - contacts that disappear, return, move and merge;
//! - tags that people add, remove and delete, and tasks that they complete;
//! - sinks that are turned off and on, failures and crashes;
//! - limited runs, refused runs and baselines, and a clock that jumps back.
//!
//! `PROPTEST_CASES=2000 cargo test --test it properties` tries more histories.

mod event;
mod history;
mod holds;

use proptest::prelude::*;
use usage_signals::model::ActionKind;

use self::event::{events, habits};
use self::history::History;
use crate::support::*;

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_leaves_nothing_twice_and_nothing_lost(
        habits in habits(), history in prop::collection::vec(events(), 1..30)
    ) {
        let mut simulated = History::new(habits);
        for event in &history {
            simulated.happen(event)?;
        }
        simulated.mend()?;
    }
}

#[test]
fn a_clock_that_was_ahead_once_does_not_keep_an_occasion_open_for_years() {
    let mut world = PlanWorld::new("", vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    world.set("c1", "storage_percent", number(10.0));
    world.run(hour(24 * 365)); // the wrong clock
    world.run(hour(6));
    world.run(hour(30));
    assert!(world.occasion("storage_limit").ended_at.is_some(), "two observations lie a day apart");
}

#[test]
fn the_last_done_action_is_the_last_planned_one_for_any_clock() {
    let mut world = PlanWorld::new("", vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    world.completed.insert("T1".into());
    world.set("c1", "storage_percent", number(96.0));
    world.run(hour(-6)); // the clock was set back, so the newer task seems to be older
    let made: Vec<_> = world.tasks.keys().cloned().collect();
    assert_eq!(made.len(), 2, "T1 was completed, so that the higher level made another");
    let last = world.occasion("storage_limit").last_done(ActionKind::Task).and_then(|entry| entry.remote_id.clone());
    assert_ne!(last.as_deref(), Some("T1"));
}
