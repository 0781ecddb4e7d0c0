//! One answer of the search, from bytes to contacts.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::contact::{contact, read_by_itself};
use super::fields::{FieldsReader, Leniency};
use super::wanted::Wanted;
use super::wire::{List, Next};
use crate::model::Contact;
use crate::read::Undecodable;

/// No page that Intercom answers is larger.
const MOST_PER_PAGE: usize = 150;

/// One answer of the search, as it is.
#[derive(Debug, Default, PartialEq)]
pub struct SearchPage {
    /// The contacts.
    pub contacts: Vec<Contact>,
    /// What could not be read as a contact.
    pub undecodable: Vec<Undecodable>,
    /// How many the query finds.
    pub total: Option<u64>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// When the answer was given, by the clock of the service, in Unix seconds; the body does not tell.
    pub answered_at: Option<i64>,
}

impl SearchPage {
    /// When the first contact that tells was created, in Unix seconds.
    pub(super) fn oldest(&self) -> Option<i64> {
        self.contacts.iter().find_map(|contact| contact.created_at).map(|at| at.timestamp())
    }
}

/// Why the body of an answer is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPage {
    /// It is not even JSON: empty, cut off, an HTML page.
    NotJson,
    /// It is JSON of another shape, or names a next page in a way that nobody can follow.
    OtherShape,
}

/// Reads one answer of the search, keeping the attributes named in `wanted`.
///
/// In one go over the bytes, which is what nearly every page allows. Where anything is odd, the page is read again with care, so
/// that only what is odd is lost: `with_care` says what the result is, and reading in one go is only a faster way to it.
pub fn read_page(body: &[u8], wanted: &BTreeSet<String>) -> Result<SearchPage, NoPage> {
    let wanted = Wanted::new(wanted);
    match at_once(body, &wanted) {
        Some(found) => Ok(found),
        None => with_care(body, &wanted),
    }
}

/// Each contact by itself: a broken one loses neither the others nor its own name.
fn with_care(body: &[u8], wanted: &Wanted) -> Result<SearchPage, NoPage> {
    serde_json::from_slice::<IgnoredAny>(body).map_err(|_| NoPage::NotJson)?;
    // One contact with broken bytes is not to lose its page.
    let text = String::from_utf8_lossy(body);
    let list: List<'_> = serde_json::from_str(&text).map_err(|_| NoPage::OtherShape)?;
    let items = list.items().ok_or(NoPage::OtherShape)?;
    let mut found = SearchPage { total: list.total(), next: cursor(&list)?, ..SearchPage::default() };
    for item in items {
        match read_by_itself(item.get(), wanted) {
            Ok(contact) => found.contacts.push(contact),
            Err(broken) => found.undecodable.push(broken),
        }
    }
    Ok(found)
}

/// The whole page in one go; None where anything is odd.
fn at_once(body: &[u8], wanted: &Wanted) -> Option<SearchPage> {
    let mut parser = serde_json::Deserializer::from_str(str::from_utf8(body).ok()?);
    let found = parser.deserialize_map(PageVisitor(wanted)).ok()?;
    parser.end().ok()?;
    Some(found)
}

fn cursor<T>(list: &List<'_, T>) -> Result<Option<String>, NoPage> {
    match list.next() {
        Some(Next::Cursor { starting_after }) => Ok(Some(starting_after)),
        None => Ok(None),
        // Ending here would pass a part of the contacts off as all of them.
        Some(Next::Address(_) | Next::Other(_)) => Err(NoPage::OtherShape),
    }
}

/// The page itself. An error wherever `with_care` might come to anything else.
struct PageVisitor<'a>(&'a Wanted);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    Data,
    TotalCount,
    Pages,
    // Of other lists.
    Companies,
    Tags,
    HasMore,
    #[serde(other)]
    Other,
}

impl<'de> Visitor<'de> for PageVisitor<'_> {
    type Value = SearchPage;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SearchPage, A::Error> {
        let odd = || A::Error::custom("odd");
        let mut contacts = None;
        let mut list = List::<'de, IgnoredAny>::default();
        while let Some(key) = map.next_key()? {
            let twice = match key {
                Key::Data => contacts.replace(map.next_value_seed(Contacts(self.0))?).is_some(),
                Key::TotalCount => list.total_count.replace(map.next_value()?).is_some(),
                Key::Pages => list.pages.replace(map.next_value()?).is_some(),
                Key::Companies | Key::Tags | Key::HasMore => return Err(odd()),
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                    false
                }
            };
            if twice {
                return Err(odd());
            }
        }
        let contacts = contacts.ok_or_else(odd)?;
        let next = cursor(&list).map_err(|_| odd())?;
        Ok(SearchPage { contacts, next, total: list.total(), ..SearchPage::default() })
    }
}

/// The contacts.
struct Contacts<'a>(&'a Wanted);

impl<'de> DeserializeSeed<'de> for Contacts<'_> {
    type Value = Vec<Contact>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Contacts<'_> {
    type Value = Vec<Contact>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("contacts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut contacts = Vec::with_capacity(MOST_PER_PAGE);
        while let Some(fields) = items.next_element_seed(FieldsReader { wanted: self.0, leniency: Leniency::Refuse })? {
            contacts.push(contact(fields, self.0).ok_or_else(|| A::Error::missing_field("id"))?);
        }
        Ok(contacts)
    }
}

#[cfg(test)]
mod tests;
