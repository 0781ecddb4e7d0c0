//! The result of a condition: its truth, the evidence, the priority.

use super::attribute::Value;
use strum::{EnumIter, IntoStaticStr};

/// The three values of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Truth {
    /// The condition holds.
    True,
    /// The condition was evaluated and does not hold.
    False,
    /// A value is unknown. The rule neither fires nor clears.
    Unknown,
}

/// One comparison that made a condition hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The compared attribute, or the call as written (`days_since(last_seen_at)`).
    pub attribute: String,
    /// The value as it was read: `"8"` compared with a number is 8.
    pub value: Value,
    /// `==`, `>=`, `in`, …
    pub comparison: String,
    /// The value that it was compared with.
    pub threshold: Value,
}

/// The urgency. The lowest comes first, so that `max` is the most urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum Priority {
    /// Some day.
    Low,
    /// In weeks.
    Medium,
    /// In days.
    High,
    /// Now.
    Urgent,
}
