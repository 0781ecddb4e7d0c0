//! The contacts of the workspace, kept as the JSON text in which they are served.
//!
//! Benchmarks run with a million of them: a page is stored text joined together, and an index by creation time answers the
//! usual queries (a range of `created_at`, sorted by it) without looking at a contact. What was decoded at load is only what
//! tags, companies and that index need; everything else stays as odd as it came.

use super::workspace::{Transient, id_text};
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::ser::{SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// How many tags and companies a contact shows; the rest is behind `url`.
const SHOWN: usize = 10;

/// One contact.
#[derive(Clone, Debug, PartialEq)]
pub struct Contact {
    key: Box<str>,
    created_at: Option<i64>,
    text: Box<str>,
    tags: Vec<Attached>,
    companies: Vec<Attached>,
}

/// A tag or company on a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attached {
    pub id: String,
    /// When a tag was applied; unknown for what the folder brought without it.
    pub applied_at: Option<i64>,
}

impl Contact {
    /// Takes a contact as the API shows it, except that its lists may be longer than ten and their entries bare ids.
    fn new(mut value: Value, number: usize) -> Contact {
        // A contact without a usable id cannot be asked for, but it has a place in the order of pages.
        let key = value.get("id").and_then(id_text).unwrap_or_else(|| format!("?{number}"));
        let tags = take_list(&mut value, "tags");
        let companies = take_list(&mut value, "companies");
        let created_at = value.get("created_at").and_then(Value::as_i64);
        let mut contact = Contact { key: key.into(), created_at, text: Box::default(), tags, companies };
        contact.render(value);
        contact
    }

    fn render(&mut self, mut value: Value) {
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

    /// What the API shows.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the API shows, parsed.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// Seconds; nothing when absent or not an integer.
    pub(super) fn created_at(&self) -> Option<i64> {
        self.created_at
    }

    /// All tags, also those the contact itself does not show.
    pub(super) fn tags(&self) -> &[Attached] {
        &self.tags
    }

    /// All companies.
    pub(super) fn companies(&self) -> &[Attached] {
        &self.companies
    }

    /// The contact with whole lists, as a folder may hold it.
    fn full(&self) -> Value {
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

/// Reads the whole list; what is no list (null, absent, broken) stays as it is and counts as empty.
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

/// All contacts, in order of arrival.
#[derive(Clone, Debug, Default)]
pub struct Contacts {
    list: Vec<Contact>,
    positions: HashMap<Box<str>, usize>,
    index: Transient<Index>,
}

/// Derived from the list when first needed, thrown away when the list changes.
#[derive(Debug, Default)]
struct Index {
    by_creation: Option<Arc<[u32]>>,
    results: Vec<(String, Arc<Vec<Row>>)>,
}

/// A value to sort by. Absent ones come first in ascending order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SortValue {
    Missing,
    Number(i64),
    Text(String),
}

/// One contact of a result, with the value it is sorted by.
#[derive(Debug)]
pub(super) struct Row {
    pub value: SortValue,
    pub position: u32,
}

/// How many results are kept: a client pages through several parts at the same time.
const KEPT_RESULTS: usize = 16;

impl Contacts {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// In order of arrival.
    pub fn iter(&self) -> impl Iterator<Item = &Contact> {
        self.list.iter()
    }

    /// The contact with this id.
    pub fn get(&self, id: &str) -> Option<&Contact> {
        self.list.get(*self.positions.get(id)?)
    }

    /// Adds a contact, or puts it in the place of the one with its id.
    pub fn insert(&mut self, value: Value) {
        let contact = Contact::new(value, self.list.len());
        match self.positions.get(&contact.key).and_then(|position| self.list.get_mut(*position)) {
            Some(old) => {
                if old.created_at != contact.created_at {
                    self.index.0.by_creation = None;
                }
                *old = contact;
                self.index.0.results.clear();
            }
            None => self.push(contact),
        }
    }

    /// Adds a contact even when its id is taken: a broken workspace can show one twice.
    fn push(&mut self, contact: Contact) {
        self.positions.entry(contact.key.clone()).or_insert(self.list.len());
        self.list.push(contact);
        self.index.0 = Index::default();
    }

    /// Takes a contact away; whether it was there.
    pub fn remove(&mut self, id: &str) -> bool {
        let Some(position) = self.positions.get(id).copied() else {
            return false;
        };
        self.list.remove(position);
        self.positions.clear();
        for (position, contact) in self.list.iter().enumerate() {
            self.positions.entry(contact.key.clone()).or_insert(position);
        }
        self.index.0 = Index::default();
        true
    }

    /// Changes the contact's JSON, lists in full; whether the contact is there.
    pub(super) fn edit(&mut self, id: &str, change: impl FnOnce(&mut Value)) -> bool {
        let Some(mut value) = self.get(id).map(Contact::full) else {
            return false;
        };
        change(&mut value);
        self.insert(value);
        true
    }

    /// Attaches a tag; whether that changed anything (`None`: no such contact).
    pub(super) fn attach(&mut self, id: &str, tag: &str, at: i64) -> Option<bool> {
        let contact = self.list.get_mut(*self.positions.get(id)?)?;
        if contact.tags.iter().any(|known| known.id == tag) {
            return Some(false);
        }
        contact.tags.push(Attached { id: tag.to_owned(), applied_at: Some(at) });
        contact.render(contact.value());
        self.index.0.results.clear();
        Some(true)
    }

    /// Takes a tag off; what it was (`None`: no such contact, or it did not carry the tag).
    pub(super) fn detach(&mut self, id: &str, tag: &str) -> Option<Attached> {
        let contact = self.list.get_mut(*self.positions.get(id)?)?;
        let place = contact.tags.iter().position(|known| known.id == tag)?;
        let removed = contact.tags.remove(place);
        contact.render(contact.value());
        self.index.0.results.clear();
        Some(removed)
    }

    /// Takes a tag off every contact.
    pub(super) fn detach_everywhere(&mut self, tag: &str) {
        let carriers = self.list.iter().filter(|contact| contact.tags.iter().any(|known| known.id == tag));
        for id in carriers.map(|contact| contact.key.clone()).collect::<Vec<_>>() {
            self.detach(&id, tag);
        }
    }

    /// The contact at a position that the index gave.
    pub(super) fn at(&self, position: u32) -> Option<&Contact> {
        self.list.get(usize::try_from(position).ok()?)
    }

    /// Positions by creation time, then id; those without a time come first.
    pub(super) fn by_creation(&mut self) -> Arc<[u32]> {
        if let Some(order) = &self.index.0.by_creation {
            return Arc::clone(order);
        }
        let mut keyed: Vec<(&Contact, u32)> = self.list.iter().zip(0..).collect();
        keyed.sort_unstable_by(|(a, _), (b, _)| compare(a, b));
        let order: Arc<[u32]> = keyed.into_iter().map(|(_, position)| position).collect();
        self.index.0.by_creation = Some(Arc::clone(&order));
        order
    }

    /// A result that was worked out for an earlier page of the same query.
    pub(super) fn result(&self, query: &str) -> Option<Arc<Vec<Row>>> {
        self.index.0.results.iter().find(|(known, _)| known == query).map(|(_, rows)| Arc::clone(rows))
    }

    /// Keeps a result for the following pages, until a contact changes.
    pub(super) fn keep_result(&mut self, query: String, rows: Arc<Vec<Row>>) {
        if self.index.0.results.len() >= KEPT_RESULTS {
            self.index.0.results.remove(0);
        }
        self.index.0.results.push((query, rows));
    }
}

fn compare(a: &Contact, b: &Contact) -> Ordering {
    a.created_at.cmp(&b.created_at).then_with(|| a.key.cmp(&b.key))
}

impl PartialEq for Contacts {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

impl Serialize for Contacts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.list.len()))?;
        for contact in &self.list {
            list.serialize_element(&contact.full())?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for Contacts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(OneByOne)
    }
}

/// Turns each contact into text before it reads the next: a million parsed ones at once would not fit.
struct OneByOne;

impl<'de> Visitor<'de> for OneByOne {
    type Value = Contacts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of contacts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Contacts, A::Error> {
        let mut contacts = Contacts::default();
        while let Some(value) = list.next_element::<Value>()? {
            contacts.push(Contact::new(value, contacts.len()));
        }
        Ok(contacts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(prefix: &str, count: usize) -> Vec<Value> {
        (0..count).map(|n| json!({"id": format!("{prefix}{n}")})).collect()
    }

    #[test]
    fn a_contact_shows_ten_tags_and_remembers_all() {
        let mut contacts = Contacts::default();
        contacts.insert(json!({"id": "c1", "tags": {"data": ids("t", 12)}, "companies": {"data": ids("k", 2)}}));
        let shown = contacts.get("c1").unwrap().value();
        assert_eq!(shown["tags"]["data"].as_array().unwrap().len(), 10);
        assert_eq!(shown["tags"]["data"][0], json!({"id": "t0", "type": "tag", "url": "/tags/t0"}));
        assert_eq!((&shown["tags"]["total_count"], &shown["tags"]["has_more"]), (&json!(12), &json!(true)));
        assert_eq!((&shown["tags"]["type"], &shown["tags"]["url"]), (&json!("list"), &json!("/contacts/c1/tags")));
        assert_eq!((&shown["companies"]["total_count"], &shown["companies"]["has_more"]), (&json!(2), &json!(false)));
        assert_eq!(contacts.get("c1").unwrap().tags().len(), 12);
    }

    #[test]
    fn odd_contacts_are_served_as_they_came() {
        for odd in
            [json!({"id": 5, "tags": null}), json!({"custom_attributes": "x"}), json!({"id": "a", "tags": 7}), json!(3)]
        {
            assert_eq!(Contact::new(odd.clone(), 0).value(), odd);
        }
    }

    #[test]
    fn a_saved_list_reads_back_the_same() {
        let mut contacts = Contacts::default();
        contacts.insert(json!({"id": "c1", "created_at": 5, "tags": {"data": ids("t", 12)}}));
        contacts.insert(json!({"id": "c2"}));
        contacts.attach("c2", "t3", 99);
        let text = serde_json::to_string(&contacts).unwrap();
        assert_eq!(serde_json::from_str::<Contacts>(&text).unwrap(), contacts);
        assert_eq!(contacts.get("c2").unwrap().tags()[0].applied_at, Some(99));
    }

    #[test]
    fn the_index_follows_changes() {
        let mut contacts = Contacts::default();
        for (id, at) in [("b", 2), ("a", 2), ("c", 1)] {
            contacts.insert(json!({"id": id, "created_at": at}));
        }
        contacts.insert(json!({"id": "z"}));
        let order = |contacts: &mut Contacts| -> Vec<String> {
            let positions = contacts.by_creation();
            positions.iter().map(|position| contacts.at(*position).unwrap().id().to_owned()).collect()
        };
        assert_eq!(order(&mut contacts), ["z", "c", "a", "b"]);
        contacts.edit("c", |value| value["created_at"] = json!(9));
        assert!(contacts.remove("a"));
        assert_eq!(order(&mut contacts), ["z", "b", "c"]);
        assert!(!contacts.remove("a"));
    }
}
