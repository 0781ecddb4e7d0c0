//! The guard: limits over the whole plan. The most urgent subjects come first, and a plan that is too large is refused.

use std::collections::BTreeSet;

use super::input::Input;
use super::item::{Item, Refusal};
use crate::model::{Reason, Subject, percent};

/// Holds every item beyond `--top`, then every new item if the rest still exceeds a limit.
pub(super) fn hold_items(items: &mut [Item], input: &Input<'_>) -> Option<Refusal> {
    if input.mode.baseline {
        return None; // a baseline sends nothing to a person
    }
    if let Some(top) = input.settings.limits.top {
        hold_beyond(items, top);
    }
    let refusal = exceeded_limits(items, input)?;
    for item in items {
        item.hold(Reason::Held);
    }
    Some(refusal)
}

/// Whether the item brings something new to a person.
fn is_new(item: &Item) -> bool {
    matches!(item.reason, Reason::New | Reason::Returned | Reason::Escalated)
}

/// Keeps the items of the first `top` subjects. Items are sorted, the most urgent first.
fn hold_beyond(items: &mut [Item], top: usize) {
    let mut chosen: BTreeSet<Subject> = BTreeSet::new();
    for item in items.iter_mut().filter(|item| is_new(item)) {
        if chosen.contains(item.subject()) || chosen.len() < top {
            chosen.insert(item.subject().clone());
        } else {
            item.hold(Reason::Held);
        }
    }
}

/// Compares the new items with the limits.
fn exceeded_limits(items: &[Item], input: &Input<'_>) -> Option<Refusal> {
    if input.mode.allow_large_plan {
        return None;
    }
    let limits = input.settings.limits;
    let scanned = input.sightings.scanned;
    // Items count even while the task sink is off: something else may make tasks from the tags.
    let new_tasks = items.iter().filter(|item| is_new(item)).count();
    let newly = items.iter().filter(|item| matches!(item.reason, Reason::New | Reason::Returned));
    let new_contacts: BTreeSet<_> = newly.flat_map(|item| item.people.iter().map(|person| &person.id)).collect();
    let new_contacts = new_contacts.len();
    let by_tasks = new_tasks > limits.max_new_tasks;
    let by_share = scanned >= limits.max_share_from && percent(new_contacts, scanned) > limits.max_share_percent;
    (by_tasks || by_share).then_some(Refusal {
        new_tasks,
        max_new_tasks: limits.max_new_tasks,
        new_contacts,
        scanned,
        max_share_percent: limits.max_share_percent,
        by_tasks,
        by_share,
    })
}
