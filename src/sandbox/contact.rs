//! One contact, kept as the JSON text in which it is served.

use super::json::id_text;
use serde_json::{Value, json};
use std::cmp::Ordering;

/// How many tags and companies a contact shows; `url` leads to all of them.
const SHOWN: usize = 10;

/// One contact.
#[derive(Clone, Debug, PartialEq)]
pub struct Contact {
    pub(super) key: Box<str>,
    pub(super) created_at: Option<i64>,
    text: Box<str>,
    pub(super) tags: Vec<Attached>,
    companies: Vec<Attached>,
}

/// A tag or company on a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attached {
    pub id: String,
    /// When the tag was applied; `None` if the folder did not say.
    pub applied_at: Option<i64>,
}

impl Contact {
    /// Reads a contact as the API shows it. Its lists may have more than ten entries, and the entries may be bare ids.
    pub(super) fn new(mut value: Value, number: usize) -> Contact {
        // A contact without a usable id cannot be requested, but it appears on pages.
        let key = value.get("id").and_then(id_text).unwrap_or_else(|| format!("?{number}"));
        let tags = take_list(&mut value, "tags");
        let companies = take_list(&mut value, "companies");
        let created_at = value.get("created_at").and_then(Value::as_i64);
        let mut contact = Contact { key: key.into(), created_at, text: Box::default(), tags, companies };
        contact.render(value);
        contact
    }

    /// Renders the JSON text from `value` and the lists.
    pub(super) fn render(&mut self, mut value: Value) {
        for (name, kind, list) in [("tags", "tag", &self.tags), ("companies", "company", &self.companies)] {
            if let Value::Object(object) = &mut value
                && (!list.is_empty() || object.get(name).is_some_and(is_list))
            {
                object.insert(name.to_owned(), envelope(&self.key, name, kind, list));
            }
        }
        self.text = value.to_string().into();
    }

    /// Intercom's id as text.
    pub fn id(&self) -> &str {
        &self.key
    }

    /// Returns the JSON that the API shows.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the JSON that the API shows, parsed.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// Returns the creation time in Unix seconds; `None` if it is absent or not an integer.
    pub(super) fn created_at(&self) -> Option<i64> {
        self.created_at
    }

    /// Returns all tags, also those beyond the ten that are shown.
    pub(super) fn tags(&self) -> &[Attached] {
        &self.tags
    }

    /// Order by creation time, then id. Contacts without a time come first.
    pub(super) fn compare_creation(&self, other: &Contact) -> Ordering {
        self.created_at.cmp(&other.created_at).then_with(|| self.key.cmp(&other.key))
    }

    /// Returns all companies.
    pub(super) fn companies(&self) -> &[Attached] {
        &self.companies
    }

    /// Returns the contact with complete lists, as a folder may hold it.
    pub(super) fn full(&self) -> Value {
        let mut value = self.value();
        for (name, list) in [("tags", &self.tags), ("companies", &self.companies)] {
            if let Some(object) = value.get_mut(name).filter(|object| is_list(object)) {
                let entries = list.iter().map(|entry| match entry.applied_at {
                    Some(at) => json!({"id": entry.id, "applied_at": at}),
                    None => json!({"id": entry.id}),
                });
                *object = json!({"type": "list", "data": entries.collect::<Vec<_>>()});
            }
        }
        value
    }
}

fn is_list(value: &Value) -> bool {
    value.get("data").is_some_and(Value::is_array)
}

/// Reads a list. A value that is not a list stays as it is and counts as empty.
fn take_list(value: &mut Value, name: &str) -> Vec<Attached> {
    let data = value.get_mut(name).and_then(|list| list.get_mut("data")).and_then(Value::as_array_mut);
    let mut list: Vec<Attached> = Vec::new();
    for entry in data.into_iter().flatten() {
        if let Some(id) = entry.get("id").and_then(id_text)
            && !list.iter().any(|known| known.id == id)
        {
            list.push(Attached { id, applied_at: entry.get("applied_at").and_then(Value::as_i64) });
        }
    }
    list
}

fn envelope(contact: &str, name: &str, kind: &str, list: &[Attached]) -> Value {
    let data = list
        .iter()
        .take(SHOWN)
        .map(|entry| json!({"id": entry.id, "type": kind, "url": format!("/{name}/{}", entry.id)}))
        .collect::<Vec<_>>();
    json!({"type": "list", "data": data, "url": format!("/contacts/{contact}/{name}"), "total_count": list.len(),
        "has_more": list.len() > SHOWN})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_contacts_are_served_unchanged() {
        for value in
            [json!({"id": 5, "tags": null}), json!({"custom_attributes": "x"}), json!({"id": "a", "tags": 7}), json!(3)]
        {
            assert_eq!(Contact::new(value.clone(), 0).value(), value);
        }
    }
}
