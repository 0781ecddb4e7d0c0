//! The wanted members of a contact's JSON, found by their key without an allocation.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::DateTime;

use crate::model::{Date, Value, Values};

/// Intercom's own fields that rules can use. All other attributes come from `custom_attributes`.
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

/// The end of the dates that make sense here: the year 2100. Milliseconds lie far beyond it.
const LATEST: i64 = 4_102_444_800;

/// Whether an attribute is Intercom's own; the others are custom attributes.
pub fn is_own_field(name: &str) -> bool {
    OWN_FIELDS.contains(&name) || name.starts_with("location.")
}

/// A member of a contact's JSON, by its key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Member {
    Id,
    Tags,
    Companies,
    CustomAttributes,
    Location,
    /// One of Intercom's own fields that is wanted.
    Own(Slot),
}

/// The place of a wanted value in the list of values read of a contact.
pub(super) type Slot = usize;

/// The wanted members of contacts, by their place in the JSON. Every wanted value has a slot. The slots of custom attributes
/// come first, in the order of their names.
pub(super) struct Wanted {
    /// The names of the attributes, sorted, each with the slot of Intercom's own field of the name, if there is one.
    attributes: Vec<(Arc<str>, Option<Slot>)>,
    pub members: Names<Member>,
    /// The members of `custom_attributes`.
    pub custom: Names<Slot>,
    /// The members of `location`, whose names begin with `location.`.
    pub location: Names<Slot>,
    pub slots: usize,
    /// This slot and the three below are read whatever the rules use.
    pub email: Slot,
    pub name: Slot,
    pub last_seen_at: Slot,
    pub created_at: Slot,
    /// Whether `email_domain` is wanted. If it is missing, it is taken from the e-mail.
    pub email_domain: bool,
}

impl Wanted {
    pub(super) fn new(wanted: &BTreeSet<String>) -> Self {
        let mut slots = 0..;
        let mut slot = || slots.next().unwrap_or_default();
        let custom: Vec<(&str, Slot)> = wanted.iter().map(|name| (name.as_str(), slot())).collect();
        let [email, name, last_seen_at, created_at] = std::array::from_fn(|_| slot());
        let always = [("email", email), ("name", name), ("last_seen_at", last_seen_at), ("created_at", created_at)];
        let mut own = Vec::from(always);
        let is_more = |name: &str| wanted.contains(name) && always.iter().all(|(known, _)| *known != name);
        own.extend(OWN_FIELDS.into_iter().filter(|name| is_more(name)).map(|name| (name, slot())));
        let location = wanted.iter().filter_map(|name| name.strip_prefix("location."));
        let location: Vec<(&str, Slot)> = location.map(|name| (name, slot())).collect();
        let own_slot = |name: &str| {
            let (list, key) = name.strip_prefix("location.").map_or((&own, name), |key| (&location, key));
            list.iter().find(|(known, _)| *known == key).map(|(_, slot)| *slot)
        };
        let members = [
            ("id", Member::Id),
            ("tags", Member::Tags),
            ("companies", Member::Companies),
            ("custom_attributes", Member::CustomAttributes),
            ("location", Member::Location),
        ];
        Wanted {
            attributes: wanted.iter().map(|name| (Arc::from(name.as_str()), own_slot(name))).collect(),
            email_domain: wanted.contains("email_domain"),
            members: Names::new(
                members.into_iter().chain(own.into_iter().map(|(name, slot)| (name, Member::Own(slot)))),
            ),
            custom: Names::new(custom),
            location: Names::new(location),
            slots: slot(),
            email,
            name,
            last_seen_at,
            created_at,
        }
    }

    /// Returns the attributes and their values. Intercom's own field wins over a custom attribute of the same name.
    pub(super) fn values(&self, found: &mut [Option<Value>]) -> Values {
        let mut take = |slot: Slot| found.get_mut(slot)?.take();
        let mut values = Vec::with_capacity(self.attributes.len());
        values.extend(self.attributes.iter().enumerate().filter_map(|(custom, (name, own))| {
            let own = own.and_then(&mut take).map(|value| own_value(name, value));
            Some((Arc::clone(name), own.or_else(|| take(custom))?))
        }));
        Values::from_sorted(values)
    }
}

pub(super) fn date_by_number(value: &Value) -> Option<Date> {
    match value {
        Value::Number(_) => value.read_date().ok(),
        _ => None,
    }
}

/// The value of one of Intercom's own fields. Customers' code writes milliseconds, the year 1 and negative numbers into dates.
/// Such a value is present but unreadable.
fn own_value(name: &str, value: Value) -> Value {
    match value {
        Value::Number(number) if name.ends_with("_at") && sensible_date(&value).is_none() => {
            Value::Text(format!("no date: {number}"))
        }
        _ => value,
    }
}

pub(super) fn sensible_date(value: &Value) -> Option<Date> {
    let latest = DateTime::from_timestamp(LATEST, 0)?;
    value.read_date().ok().filter(|date| *date > DateTime::UNIX_EPOCH && *date < latest)
}

/// The wanted members by their key, grouped by the length of the key. Most keys of a contact are not wanted, and most of
/// those have a length that no wanted key has.
pub(super) struct Names<T>(Vec<Vec<(Box<str>, T)>>);

impl<T: Copy> Names<T> {
    fn new<'a>(names: impl IntoIterator<Item = (&'a str, T)>) -> Self {
        let mut by_length: Vec<Vec<_>> = Vec::new();
        for (key, what) in names {
            by_length.resize_with(by_length.len().max(key.len() + 1), Vec::new);
            if let Some(same) = by_length.get_mut(key.len()) {
                same.push((key.into(), what));
            }
        }
        Names(by_length)
    }

    pub(super) fn get(&self, key: &str) -> Option<T> {
        let same = self.0.get(key.len())?;
        same.iter().find(|(known, _)| **known == *key).map(|(_, what)| *what)
    }
}
