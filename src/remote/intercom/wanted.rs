//! Which members of a contact's JSON are wanted, found by their key without making a text of it.

use std::collections::BTreeSet;

/// Intercom's own fields that rules can use. Others come from `custom_attributes`, or not at all.
pub const OWN_FIELDS: [&str; 20] = [
    "role",
    "name",
    "email",
    "email_domain",
    "phone",
    "external_id",
    "created_at",
    "updated_at",
    "signed_up_at",
    "last_seen_at",
    "last_replied_at",
    "last_contacted_at",
    "last_email_opened_at",
    "last_email_clicked_at",
    "browser",
    "browser_language",
    "os",
    "language_override",
    "unsubscribed_from_emails",
    "has_hard_bounced",
];

/// Own fields that are read in any case.
const ALWAYS: [&str; 3] = ["email", "name", "last_seen_at"];

/// Whether an attribute is Intercom's own; the others are custom attributes.
pub fn is_own_field(name: &str) -> bool {
    OWN_FIELDS.contains(&name) || name.starts_with("location.")
}

/// The attributes that are wanted of contacts, by where they stand.
pub(super) struct Wanted<'w> {
    all: &'w BTreeSet<String>,
    /// Intercom's own fields; some are needed whatever the rules say.
    pub own: Names<'w>,
    /// The members of `custom_attributes`.
    pub custom: Names<'w>,
    /// The members of `location`, whose names begin with `location.`.
    pub location: Names<'w>,
}

impl<'w> Wanted<'w> {
    pub(super) fn new(wanted: &'w BTreeSet<String>) -> Self {
        let own = OWN_FIELDS.into_iter().filter(|name| ALWAYS.contains(name) || wanted.contains(*name));
        let names = || wanted.iter().map(String::as_str);
        Wanted {
            all: wanted,
            own: Names::new(own.map(|name| (name, name))),
            custom: Names::new(names().map(|name| (name, name))),
            location: Names::new(names().filter_map(|name| Some((name.strip_prefix("location.")?, name)))),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.all.contains(name)
    }
}

/// Names by the key under which they stand, and those by their length: most keys of a contact are not wanted, and of those most
/// have a length that no wanted one has.
pub(super) struct Names<'w>(Vec<Vec<(&'w str, &'w str)>>);

impl<'w> Names<'w> {
    fn new(names: impl Iterator<Item = (&'w str, &'w str)>) -> Self {
        let mut by_length: Vec<Vec<_>> = Vec::new();
        for (key, name) in names {
            by_length.resize_with(by_length.len().max(key.len() + 1), Vec::new);
            if let Some(same) = by_length.get_mut(key.len()) {
                same.push((key, name));
            }
        }
        Names(by_length)
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    pub(super) fn get(&self, key: &str) -> Option<&'w str> {
        let same = self.0.get(key.len())?;
        same.iter().find(|(known, _)| *known == key).map(|(_, name)| *name)
    }
}
