//! Tests of docs/decisions.md, sentence by sentence: subjects, occasions, and every row of the decision table.

mod chosen;
mod combinations;
mod guard;
mod held_back;
mod occasion;
mod refused;
mod subject;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use usage_signals::model::{ActionKind, Contact, Message, Reason, References, SinkKind, State, SubjectKind, Value};
use usage_signals::plan::{Company, Item, Mode, Order, Plan, Scope};

use crate::support::*;

const STORAGE_TAG: &str = "Expansion: Storage Limit";
const ONLY_STORAGE: &str = "";

fn world(contacts: Vec<Contact>) -> PlanWorld {
    PlanWorld::new(ONLY_STORAGE, contacts)
}

/// Returns the planned message of an item.
fn message(item: &Item) -> Message {
    let order = item.actions.iter().find_map(|action| match &action.order {
        Some(Order::Message(message)) => Some(message.as_ref().clone()),
        _ => None,
    });
    order.unwrap()
}

fn many(count: usize, percent: f64) -> Vec<Contact> {
    (0..count).map(|number| storage(&format!("c{number:03}"), &format!("company{number:03}"), percent)).collect()
}

fn cleared(world: &PlanWorld) -> bool {
    world.occasion("storage_limit").ended_at.is_some()
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
