//! Why the guard refused the new part of a plan.

use std::fmt;

/// Why the guard refused the new part of a plan, with the figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Items with something new: `new`, `returned` or `escalated`, whether or not the task sink is on.
    pub new_tasks: usize,
    /// `scan.max_new_tasks`.
    pub max_new_tasks: usize,
    /// Contacts that newly signal.
    pub new_contacts: usize,
    /// Contacts read.
    pub scanned: usize,
    /// `scan.max_share`, in percent.
    pub max_share_percent: f64,
    /// Whether there are too many new tasks.
    pub by_tasks: bool,
    /// Whether too large a share of the contacts newly signals.
    pub by_share: bool,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the guard refused the new part of this plan: ")?;
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
pub const WAYS_OUT: &str = "look at the plan with --dry-run, then run once with --baseline (record the present signals as handled, \
    without tasks and messages), --top N (only the N most urgent subjects; later runs take up the rest), or \
    --allow-large-plan";

/// The share in percent; 0 of nothing.
pub(super) fn percent(part: usize, whole: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of contacts are far below 2^53")]
    let of = |count: usize| count as f64;
    if whole == 0 { 0.0 } else { of(part) * 100.0 / of(whole) }
}
