//! What a rule found.

use super::attribute::Value;
use strum::{EnumIter, IntoStaticStr};

/// The three values of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Truth {
    /// It holds.
    True,
    /// It was read and does not hold.
    False,
    /// It could not be decided. Neither true nor false: it does not fire and does not clear.
    Unknown,
}

/// One comparison that made a condition hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The attribute compared, or the call as written (`days_since(last_seen_at)`).
    pub attribute: String,
    /// The value seen, as it was read (`"8"` compared with a number is 8).
    pub value: Value,
    /// `==`, `>=`, `in`, …
    pub comparison: String,
    /// What it was compared with.
    pub threshold: Value,
}

/// Urgency, lowest first, so that `max` is the most urgent.
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

impl Priority {
    /// The name in configuration and reports.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
