//! A person record in Intercom, reduced to what rules and texts can use.

use sha2::{Digest, Sha256};

use super::attribute::Date;
use super::values::Values;

/// Ids that a contact refers to. Intercom lists at most ten of them on the contact itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct References {
    /// The ids listed, in Intercom's order.
    pub ids: Vec<String>,
    /// False where Intercom said that there are more than it listed.
    pub complete: bool,
}

impl References {
    /// A list known to be whole.
    pub fn all(ids: Vec<String>) -> Self {
        References { ids, complete: true }
    }

    /// Whether the id is among those listed; "no" means little unless the list is complete.
    pub fn lists(&self, id: &str) -> bool {
        self.ids.iter().any(|listed| listed == id)
    }
}

/// A person record in Intercom (a user or a lead, in Intercom's words).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Contact {
    /// Intercom's id, 24 hex digits in every sample seen.
    pub id: String,
    /// As stored: not trimmed, not lower-cased, not unique in a workspace. None when missing, null or `""`.
    pub email: Option<String>,
    /// The display name. None when missing, null or `""`.
    pub name: Option<String>,
    /// When the record was created; None where that is no number.
    pub created_at: Option<Date>,
    /// When the person was last seen; None when never, or when the value makes no sense as a date.
    pub last_seen_at: Option<Date>,
    /// Every attribute that rules or texts name, Intercom's own fields included, by the name used in rules (`role`,
    /// `location.country`, `teammates_count`). An own field wins over a custom attribute of the same name.
    pub attributes: Values,
    /// Tag ids.
    pub tags: References,
    /// Company ids.
    pub companies: References,
}

impl Contact {
    /// The e-mail by which contacts are one subject: trimmed and lower-cased.
    pub fn email_key(&self) -> Option<String> {
        email_key(self.email.as_deref()?)
    }

    /// What the ledger keeps of the e-mail: a hash, by which a person is known again when a contact is merged, deleted, or
    /// simply not read, without the e-mail being written anywhere.
    pub fn person(&self) -> Option<String> {
        person_of(self.email.as_deref()?)
    }
}

/// See [`Contact::person`]; None for a blank e-mail.
pub fn person_of(email: &str) -> Option<String> {
    let hash = Sha256::digest(email_key(email)?.as_bytes());
    Some(hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}

fn email_key(email: &str) -> Option<String> {
    let email = email.trim().to_lowercase();
    (!email.is_empty()).then_some(email)
}
