//! Builds the plan: an item for every subject that signals, and for every occasion whose signal was not seen.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::builder::Builder;
use super::data_health::{self, DataHealth};
use super::group::group;
use super::guard;
use super::input::Input;
use super::item::{Item, Plan};
use crate::model::Reason;

/// Builds the plan.
pub fn build(input: &Input<'_>) -> Plan {
    let DataHealth { outages, shares, paused } = data_health::judge_data(input);
    let mut builder = Builder::new(input, paused);
    let groups = group(input.rules, input.sightings, input.facts, input.known);
    let mut seen = BTreeSet::new();
    let mut items = Vec::new();
    for group in groups.iter().filter(|group| input.scope.concerns(group)) {
        seen.extend(group.open.map(|open| open.id.clone()));
        let mut item = builder.decide(group);
        if !input.scope.complete {
            item.hold(Reason::Held);
        }
        items.push(item);
    }
    for occasion in input.known.occasions.iter().filter(|occasion| !seen.contains(&occasion.id)) {
        items.extend(builder.decide_unseen(occasion));
    }
    items.iter_mut().for_each(Item::wait_for_task);
    // After an incomplete read, items without any action say nothing.
    items.retain(|item| input.scope.complete || !item.actions.is_empty());
    items.sort_by_cached_key(rank);
    let refusal = guard::hold_items(&mut items, input);
    for item in items.iter_mut().filter(|item| !item.has_work()) {
        item.due_date = builder.communicated_due_date(item);
    }
    items.sort_by_cached_key(rank);
    let Builder { observations, warnings, .. } = builder;
    Plan {
        workspace: input.workspace.to_owned(),
        as_of: input.as_of,
        items,
        observations,
        shares,
        outages,
        refusal,
        warnings: warnings.into_iter().collect(),
    }
}

/// Most urgent first: by priority, due date, then id, so that the order is total.
fn rank(item: &Item) -> impl Ord + use<> {
    (Reverse(item.priority), item.due_date, item.occasion.clone())
}
