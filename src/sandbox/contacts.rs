//! The contacts of the workspace, kept as the JSON text in which they are served.
//!
//! Benchmarks use a million contacts. A page joins stored texts, and an index by creation time answers the usual query (a range
//! of `created_at`, sorted by it) without reading a contact. Loading decodes only the tags, the companies and the creation
//! time. All else stays as it came, even if it is malformed.

use super::contact::{Attached, Contact};
use super::transient::Transient;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::ser::{SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// All contacts, in order of arrival.
#[derive(Clone, Debug, Default)]
pub struct Contacts {
    list: Vec<Contact>,
    positions: HashMap<Box<str>, usize>,
    index: Transient<Index>,
}

/// Derived from the list when needed, and discarded when the list changes.
#[derive(Debug, Default)]
struct Index {
    by_creation: Option<Arc<[u32]>>,
    results: Vec<(String, Arc<Vec<Row>>)>,
}

/// A value to sort by. Missing values come first in ascending order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SortValue {
    Missing,
    Number(i64),
    Text(String),
}

/// One contact of a result, with its sort value.
#[derive(Debug)]
pub(super) struct Row {
    pub value: SortValue,
    pub position: u32,
}

/// How many results are cached. A client reads several parts at the same time.
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

    /// Adds a contact, or replaces the one with its id.
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

    /// Adds a contact even if its id is taken, because a broken workspace can list a contact twice.
    fn push(&mut self, contact: Contact) {
        self.positions.entry(contact.key.clone()).or_insert(self.list.len());
        self.list.push(contact);
        self.index.0 = Index::default();
    }

    /// Removes a contact. Returns whether it existed.
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

    /// Changes the contact's JSON, with complete lists. Returns whether the contact exists.
    pub(super) fn edit(&mut self, id: &str, change: impl FnOnce(&mut Value)) -> bool {
        let Some(mut value) = self.get(id).map(Contact::full) else {
            return false;
        };
        change(&mut value);
        self.insert(value);
        true
    }

    /// Attaches a tag. Returns whether that changed anything; `None` if there is no such contact.
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

    /// Removes a tag and returns it; `None` if there is no such contact or it does not carry the tag.
    pub(super) fn detach(&mut self, id: &str, tag: &str) -> Option<Attached> {
        let contact = self.list.get_mut(*self.positions.get(id)?)?;
        let place = contact.tags.iter().position(|known| known.id == tag)?;
        let removed = contact.tags.remove(place);
        contact.render(contact.value());
        self.index.0.results.clear();
        Some(removed)
    }

    /// Removes a tag from every contact.
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
        keyed.sort_unstable_by(|(a, _), (b, _)| a.compare_creation(b));
        let order: Arc<[u32]> = keyed.into_iter().map(|(_, position)| position).collect();
        self.index.0.by_creation = Some(Arc::clone(&order));
        order
    }

    /// Returns the cached result of a query.
    pub(super) fn result(&self, query: &str) -> Option<Arc<Vec<Row>>> {
        self.index.0.results.iter().find(|(known, _)| known == query).map(|(_, rows)| Arc::clone(rows))
    }

    /// Caches a result for the following pages, until a contact changes.
    pub(super) fn keep_result(&mut self, query: String, rows: Arc<Vec<Row>>) {
        if self.index.0.results.len() >= KEPT_RESULTS {
            self.index.0.results.remove(0);
        }
        self.index.0.results.push((query, rows));
    }
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

/// Converts each contact into text before it reads the next, because a million parsed contacts would not fit in memory.
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
    use serde_json::json;

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
