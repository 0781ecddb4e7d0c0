//! A contact, reduced to the values that rules and texts can use.

use sha2::{Digest, Sha256};

use super::attribute::Date;
use super::values::Values;

/// The ids of a contact's tags or companies. Intercom lists at most ten of them on the contact itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct References {
    /// The listed ids, in Intercom's order.
    pub ids: Vec<String>,
    /// Whether the list is complete. False where Intercom says that there are more.
    pub complete: bool,
}

impl References {
    /// A complete list.
    pub fn all(ids: Vec<String>) -> Self {
        References { ids, complete: true }
    }

    /// Whether the id is listed. "No" is certain only if the list is complete.
    pub fn lists(&self, id: &str) -> bool {
        self.ids.iter().any(|listed| listed == id)
    }
}

/// A contact in Intercom: a user or a lead, in Intercom's words.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Contact {
    /// Intercom's id, 24 hex digits in every sample seen.
    pub id: String,
    /// The e-mail as stored: neither trimmed nor lower-cased, and not unique in a workspace. None when missing, null or `""`.
    pub email: Option<String>,
    /// The display name. None when missing, null or `""`.
    pub name: Option<String>,
    /// When the contact was created; None if the value is no number.
    pub created_at: Option<Date>,
    /// When the person was last seen; None for never, and for a value that is no date.
    pub last_seen_at: Option<Date>,
    /// The attributes that rules or texts name, by their name in rules (`role`, `location.country`, `teammates_count`).
    /// Intercom's own field wins over a custom attribute with its name.
    pub attributes: Values,
    /// Tag ids.
    pub tags: References,
    /// Company ids.
    pub companies: References,
}

impl Contact {
    /// The e-mail, trimmed and lower-cased. Contacts with one key are one subject.
    pub fn email_key(&self) -> Option<String> {
        email_key(self.email.as_deref()?)
    }

    /// The hash of the e-mail, for the ledger. It identifies a person whose contact was merged, deleted or not read, and the
    /// ledger holds no e-mail.
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
