//! The user's settings for decisions and limits.

use chrono::TimeDelta;
use jiff::tz::TimeZone;

/// The meaning of a rule's tag on a contact about which the ledger has no occasion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingTag {
    /// Somebody handled the signal: the occasion opens as handled.
    Handled,
    /// The tag means nothing: the signal is new.
    Act,
}

/// The reaction to a person who takes our tag off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnUntag {
    /// Nothing more for this contact until the occasion ends.
    Keep,
    /// The tag is put back, without task or message.
    Restore,
}

/// The way to treat a message if nobody can find out whether it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenInDoubt {
    /// Post it again, marked "may be a repeat".
    Resend,
    /// Leave it to a person.
    Hold,
}

/// Limits over a whole plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The guard refuses a plan with more new tasks…
    pub max_new_tasks: usize,
    /// …or with a larger share, in percent, of contacts that newly signal…
    pub max_share_percent: f64,
    /// …if at least this many contacts were scanned.
    pub max_share_from: usize,
    /// Only the most urgent subjects; None means all.
    pub top: Option<usize>,
}

/// The limits beyond which an attribute is in an outage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DataLimits {
    /// The largest drop of an attribute's readable share, in percent of the earlier share.
    pub max_drop_percent: f64,
    /// The age at which a newest `last_seen_at` that no longer moves is an outage.
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
    /// How long after its refusal a refused action is tried again; None means never.
    pub retry_refused_after: Option<TimeDelta>,
    /// The tag with which people silence a company or a contact. Compared by `tag_key`.
    pub snooze_tag: String,
    /// The zone in which "in 7 days" is counted.
    pub timezone: TimeZone,
    /// See [`Limits`].
    pub limits: Limits,
    /// See [`DataLimits`].
    pub data: DataLimits,
}
