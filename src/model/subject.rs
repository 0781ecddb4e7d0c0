//! Subjects: the account or person that a signal is about.

use std::fmt;
use strum::{EnumString, IntoStaticStr};

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
