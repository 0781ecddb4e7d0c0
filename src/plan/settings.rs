//! What a user can set about decisions and limits.

use chrono::TimeDelta;
use jiff::tz::TimeZone;

/// What a tag means that is there before the ledger knows anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingTag {
    /// Somebody handled it: open the occasion as handled.
    Handled,
    /// Nothing: treat the signal as new.
    Act,
}

/// What to do when a person took our tag off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnUntag {
    /// Nothing more for this contact until the occasion ends.
    Keep,
    /// Put the tag back, without task or message.
    Restore,
}

/// Limits over a whole plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// More new tasks than this refuse the new part of the plan.
    pub max_new_tasks: usize,
    /// A larger share of the scanned contacts newly signalled, in percent, refuses it too…
    pub max_share_percent: f64,
    /// …when at least so many contacts were scanned.
    pub max_share_from: usize,
    /// Only the most urgent subjects; None means all.
    pub top: Option<usize>,
}

/// From where on the data is no ground for decisions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DataLimits {
    /// A readable share that fell by more than this, in percent of what it was, is an outage.
    pub max_drop_percent: f64,
    /// So is a newest `last_seen_at` that stands still and is at least so old.
    pub stale_after: TimeDelta,
}

/// Everything that decisions depend on besides rules, contacts and the ledger.
#[derive(Debug, Clone)]
pub struct Settings {
    /// See [`ExistingTag`].
    pub existing_tag: ExistingTag,
    /// See [`OnUntag`].
    pub on_untag: OnUntag,
    /// How long a signal must have been false before its occasion ends.
    pub clear_after: TimeDelta,
    /// A tag on a company or contact with which people silence it. Compared without case.
    pub snooze_tag: String,
    /// The zone in which "in 7 days" is counted.
    pub timezone: TimeZone,
    /// See [`Limits`].
    pub limits: Limits,
    /// See [`DataLimits`].
    pub data: DataLimits,
}
