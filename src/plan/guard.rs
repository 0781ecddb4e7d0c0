//! Limits over the whole plan: the most urgent first, and never a flood.

use std::collections::BTreeSet;
use std::fmt;

use super::build::Input;
use super::item::Item;
use crate::model::{Reason, Subject};

/// Why the new part of a plan was refused, with the figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Signals that would have been acted on.
    pub new_tasks: usize,
    /// `scan.max_new_tasks`.
    pub max_new_tasks: usize,
    /// Contacts that newly signal.
    pub new_contacts: usize,
    /// Contacts scanned.
    pub scanned: usize,
    /// `scan.max_share`, in percent.
    pub max_share_percent: f64,
    /// Whether it was the number of tasks that is too large.
    pub by_tasks: bool,
    /// Whether it was the share of contacts.
    pub by_share: bool,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the guard stopped the new part of this plan: ")?;
        if self.by_tasks {
            write!(f, "{} new tasks, and scan.max_new_tasks is {}", self.new_tasks, self.max_new_tasks)?;
        }
        if self.by_tasks && self.by_share {
            f.write_str("; ")?;
        }
        if self.by_share {
            let share = percent(self.new_contacts, self.scanned);
            write!(
                f,
                "{} of {} scanned contacts ({share:.0} %) newly signal, and scan.max_share is {} %",
                self.new_contacts, self.scanned, self.max_share_percent
            )?;
        }
        Ok(())
    }
}

/// The ways out, for the line that begins with `help:`.
pub const WAYS_OUT: &str = "look at the list with --dry-run, then run once with --baseline (record what holds now as handled, \
    without tasks and messages), --top N (only the N most urgent subjects; the rest come up in later runs), or \
    --allow-large-plan";

/// Holds back what is beyond `--top`, then everything new if the rest is still too much.
pub(super) fn hold_back(items: &mut [Item], input: &Input<'_>) -> Option<Refusal> {
    if input.mode.baseline {
        return None; // nothing of a baseline reaches a person
    }
    if let Some(top) = input.settings.limits.top {
        hold_beyond(items, top);
    }
    let refusal = judge(items, input)?;
    for item in items {
        item.hold(Reason::Held);
    }
    Some(refusal)
}

fn acts(item: &Item) -> bool {
    matches!(item.reason, Reason::New | Reason::Returned | Reason::Escalated)
}

/// Items come most urgent first, so the first subjects are the most urgent ones.
fn hold_beyond(items: &mut [Item], top: usize) {
    let mut chosen: BTreeSet<Subject> = BTreeSet::new();
    for item in items.iter_mut().filter(|item| acts(item)) {
        if chosen.contains(item.subject()) || chosen.len() < top {
            chosen.insert(item.subject().clone());
        } else {
            item.hold(Reason::Held);
        }
    }
}

fn judge(items: &[Item], input: &Input<'_>) -> Option<Refusal> {
    if input.mode.allow_large_plan {
        return None;
    }
    let limits = input.settings.limits;
    let scanned = input.sightings.scanned;
    // Counted with the task sink off too: something else may make tasks from the tags.
    let new_tasks = items.iter().filter(|item| acts(item)).count();
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

fn percent(part: usize, whole: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of contacts are far below 2^53")]
    let of = |count: usize| count as f64;
    if whole == 0 { 0.0 } else { of(part) * 100.0 / of(whole) }
}
