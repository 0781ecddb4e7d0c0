//! One page of the search, from bytes to contacts.

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

/// Intercom's largest page.
const MOST_PER_PAGE: usize = 150;

/// One page of the search.
#[derive(Debug, Default, PartialEq)]
pub struct SearchPage {
    /// The contacts.
    pub contacts: Vec<Contact>,
    /// The items that are no readable contact.
    pub undecodable: Vec<Undecodable>,
    /// How many contacts the query finds.
    pub total: Option<u64>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// The time of the answer by the service's clock, in Unix seconds. It stands in a header, not in the body.
    pub answered_at: Option<i64>,
}

/// The reason why the body of an answer is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPage {
    /// No JSON: empty, cut off, an HTML page.
    NotJson,
    /// JSON of another shape, or with a next page that cannot be requested.
    OtherShape,
}

/// Reads one page of the search, keeping the attributes named in `wanted`.
///
/// `at_once` reads the page in one pass, which nearly every page allows. Where it finds anything unusual, `with_care` reads
/// the page again, contact by contact, so that only the broken contact is lost. The result is that of `with_care` in every
/// case; `at_once` is only faster. With it, the process takes 1.87 times the processor time of `serde_json::from_slice` into
/// a struct, without it 3.30 times (`cargo bench --bench whole -- cpu`, 27 November 2026).
pub fn read_page(body: &[u8], wanted: &BTreeSet<String>) -> Result<SearchPage, NoPage> {
    let wanted = Wanted::new(wanted);
    match at_once(body, &wanted) {
        Some(found) => Ok(found),
        None => with_care(body, &wanted),
    }
}

/// Reads each contact alone. A broken contact loses neither the others nor its own id.
fn with_care(body: &[u8], wanted: &Wanted) -> Result<SearchPage, NoPage> {
    serde_json::from_slice::<IgnoredAny>(body).map_err(|_| NoPage::NotJson)?;
    // One contact with broken bytes must not lose the page.
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

/// Reads the page in one pass; None if anything in it is malformed.
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
        // An end here would pass some of the contacts off as all of them.
        Some(Next::Address(_) | Next::Other(_)) => Err(NoPage::OtherShape),
    }
}

/// Reads a page. Fails wherever `with_care` could return anything else.
struct PageVisitor<'a>(&'a Wanted);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    Data,
    TotalCount,
    Pages,
    // Keys of other lists.
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
        let malformed = || A::Error::custom("malformed");
        let mut contacts = None;
        let mut list = List::<'de, IgnoredAny>::default();
        while let Some(key) = map.next_key()? {
            let twice = match key {
                Key::Data => contacts.replace(map.next_value_seed(Contacts(self.0))?).is_some(),
                Key::TotalCount => list.total_count.replace(map.next_value()?).is_some(),
                Key::Pages => list.pages.replace(map.next_value()?).is_some(),
                Key::Companies | Key::Tags | Key::HasMore => return Err(malformed()),
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                    false
                }
            };
            if twice {
                return Err(malformed());
            }
        }
        let contacts = contacts.ok_or_else(malformed)?;
        let next = cursor(&list).map_err(|_| malformed())?;
        Ok(SearchPage { contacts, next, total: list.total(), ..SearchPage::default() })
    }
}

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
