//! Signals: the account or person that one is about, the truth of its condition, the evidence, the priority.

use std::fmt;

use strum::{EnumIter, EnumString, IntoStaticStr};

use super::attribute::Value;

/// The two kinds of subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum SubjectKind {
    /// The contact's company in Intercom.
    Account,
    /// One person, who may have several contacts with the same e-mail.
    Contact,
}

/// An account, by its company id, or a person, by the lowest id of the contacts that had the e-mail when the occasion opened.
/// An e-mail is no identity, because it changes and is personal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// Account or contact.
    pub kind: SubjectKind,
    /// Intercom's company id or contact id.
    pub id: String,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.name(), self.id)
    }
}

/// The three values of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Truth {
    /// The condition holds.
    True,
    /// The condition was evaluated and does not hold.
    False,
    /// A value is unknown. The rule starts no signal and ends none.
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
