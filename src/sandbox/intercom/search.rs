//! Pages of contacts: `POST /contacts/search` and `GET /contacts`.
//!
//! A cursor holds the (sort value, id) after which the next page starts. As with the real service, a contact whose sort value
//! changes between two pages is returned twice or not at all.

use super::super::contact::Contact;
use super::super::contacts::{Contacts, Row, SortValue};
use super::cursor::{self, Cursor};
use super::filter::{Candidate, Field, Filter};
use super::query::{Dictionary, Refused};
use serde_json::{Value, json};
use std::sync::Arc;

/// The most contacts on a page. A larger size is refused; the behaviour of the real service is not documented.
const MOST_PER_PAGE: usize = 150;

/// One page to be fetched.
pub(super) struct Request {
    filter: Filter,
    /// The key of the query in the cache. It holds all that determines the contacts and their order.
    name: String,
    sort: Field,
    descending: bool,
    per_page: usize,
    after: Option<Cursor>,
}

impl Request {
    /// Reads the body of a search.
    pub(super) fn of_search(body: &Value, dictionary: &Dictionary<'_>) -> Result<Request, Refused> {
        let query = body.get("query").ok_or_else(|| Refused("query is missing".to_owned()))?;
        let sort = body.get("sort").unwrap_or(&Value::Null);
        // The default ("last request, newest first") changes between pages. The sandbox keeps this trap.
        let field = match sort.get("field") {
            None | Some(Value::Null) => "last_seen_at",
            Some(field) => field.as_str().ok_or_else(|| Refused("sort.field is no string".to_owned()))?,
        };
        let page = body.get("pagination").unwrap_or(&Value::Null);
        let per_page = page.get("per_page").filter(|size| !size.is_null());
        Ok(Request {
            filter: dictionary.compile(query)?,
            name: format!("{query} {sort}"),
            sort: dictionary.field(field)?,
            // In 2.15, any other word than `ascending` silently means the default.
            descending: sort.get("order").and_then(Value::as_str) != Some("ascending"),
            per_page: per_page.map_or(Ok(50), |size| page_size(size.as_u64()))?,
            after: read_cursor(page.get("starting_after").filter(|cursor| !cursor.is_null()))?,
        })
    }

    /// Reads the parameters of the plain list, which defaults to ten contacts. Its order is not documented. It is newest first
    /// here, so that no client relies on the order of the search.
    pub(super) fn of_list(
        per_page: Option<&str>,
        after: Option<String>,
        dictionary: &Dictionary<'_>,
    ) -> Result<Request, Refused> {
        Ok(Request {
            filter: Filter::All(Vec::new()),
            name: "every contact".to_owned(),
            sort: dictionary.field("created_at")?,
            descending: true,
            per_page: per_page.map_or(Ok(10), |size| page_size(size.parse().ok()))?,
            after: read_cursor(after.map(Value::from).as_ref())?,
        })
    }

    /// Renders the body of the response.
    pub(super) fn page(&self, contacts: &mut Contacts) -> String {
        let found = self.select(contacts);
        let start = match &self.after {
            Some(cursor) => first(found.len(), |place| self.is_after(contacts, &found, place, cursor)),
            None => 0,
        };
        let end = (start + self.per_page).min(found.len());
        let shown: Vec<&Contact> = (start..end).filter_map(|place| contacts.at(found.position(place)?)).collect();
        let number = self.after.as_ref().map_or(1, |cursor| cursor.page);
        let mut pages = json!({"type": "pages", "page": number, "per_page": self.per_page,
            "total_pages": found.len().div_ceil(self.per_page)});
        // On the last page `next` is absent, not null.
        if end < found.len()
            && let (Some(last), Some(value)) = (shown.last(), self.value(contacts, &found, end.saturating_sub(1)))
        {
            let cursor = Cursor { value, id: last.id().to_owned(), page: number + 1 };
            if let Some(object) = pages.as_object_mut() {
                object.insert("next".to_owned(), json!({"page": number + 1, "starting_after": cursor.write()}));
            }
        }
        let mut body = String::from("{\"type\":\"list\",\"data\":[");
        for (place, contact) in shown.iter().enumerate() {
            if place > 0 {
                body.push(',');
            }
            body.push_str(contact.text());
        }
        body.push_str(&format!("],\"total_count\":{},\"pages\":{pages}}}", found.len()));
        body
    }

    /// Returns all matches in the requested order. A range of creation times, sorted by creation time, is a range of the index
    /// and costs nothing. Any other result is computed once and cached for the next pages.
    fn select(&self, contacts: &mut Contacts) -> Matches {
        let order = contacts.by_creation();
        let (from, before, exact) = self.filter.creation_range();
        let bounded = from.is_some() || before.is_some();
        // Contacts without a creation time come first in the index; a bound excludes them.
        let created = |position: &u32| contacts.at(*position).and_then(Contact::created_at);
        let start = order.partition_point(|position| match created(position) {
            None => bounded,
            Some(at) => from.is_some_and(|from| at < from),
        });
        let end = match before {
            Some(before) => order.partition_point(|position| created(position).is_none_or(|at| at < before)),
            None => order.len(),
        };
        let (start, end) = (start, end.max(start));
        if exact && self.sort.is_created_at() {
            return Matches::Stretch { order, start, end, descending: self.descending };
        }
        if let Some(rows) = contacts.result(&self.name) {
            return Matches::Rows(rows);
        }
        let mut rows = Vec::new();
        for position in order.iter().skip(start).take(end - start) {
            let Some(candidate) = contacts.at(*position).map(Candidate::new) else {
                continue;
            };
            if self.filter.holds(&candidate) {
                rows.push(Row { value: self.sort_value(&candidate), position: *position });
            }
        }
        let id = |row: &Row| contacts.at(row.position).map(Contact::id);
        rows.sort_by(|a, b| a.value.cmp(&b.value).then_with(|| id(a).cmp(&id(b))));
        if self.descending {
            rows.reverse();
        }
        let rows = Arc::new(rows);
        contacts.keep_result(self.name.clone(), Arc::clone(&rows));
        Matches::Rows(rows)
    }

    fn sort_value(&self, candidate: &Candidate<'_>) -> SortValue {
        if self.sort.is_created_at() {
            return candidate.contact.created_at().map_or(SortValue::Missing, SortValue::Number);
        }
        match candidate.get(&self.sort) {
            Some(Value::String(text)) => SortValue::Text(text.clone()),
            Some(Value::Bool(flag)) => SortValue::Number(i64::from(*flag)),
            // A float sorts by its integer part, because no client sorts by floats.
            Some(Value::Number(number)) => number
                .as_i64()
                .or_else(|| format!("{:.0}", number.as_f64()?.floor()).parse().ok())
                .map_or(SortValue::Missing, SortValue::Number),
            _ => SortValue::Missing,
        }
    }

    fn value(&self, contacts: &Contacts, found: &Matches, place: usize) -> Option<SortValue> {
        match found {
            Matches::Rows(rows) => rows.get(place).map(|row| row.value.clone()),
            Matches::Stretch { .. } => Some(self.sort_value(&Candidate::new(contacts.at(found.position(place)?)?))),
        }
    }

    fn is_after(&self, contacts: &Contacts, found: &Matches, place: usize, cursor: &Cursor) -> bool {
        let id = found.position(place).and_then(|position| contacts.at(position)).map(Contact::id);
        let key = (self.value(contacts, found, place), id);
        let bound = (Some(cursor.value.clone()), Some(cursor.id.as_str()));
        if self.descending { key < bound } else { key > bound }
    }
}

/// Returns the first place for which `holds` is true; it must be true for all later places.
fn first(places: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, places);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

/// The contacts that match a request, in its order.
enum Matches {
    /// A range of the index by creation time.
    Stretch {
        order: Arc<[u32]>,
        start: usize,
        end: usize,
        descending: bool,
    },
    Rows(Arc<Vec<Row>>),
}

impl Matches {
    fn len(&self) -> usize {
        match self {
            Matches::Stretch { start, end, .. } => end - start,
            Matches::Rows(rows) => rows.len(),
        }
    }

    /// Returns the position at which the contact of this place is stored.
    fn position(&self, place: usize) -> Option<u32> {
        match self {
            Matches::Stretch { order, start, descending: false, .. } => order.get(start + place).copied(),
            Matches::Stretch { order, end, .. } => order.get(end.checked_sub(place + 1)?).copied(),
            Matches::Rows(rows) => rows.get(place).map(|row| row.position),
        }
    }
}

fn page_size(size: Option<u64>) -> Result<usize, Refused> {
    size.and_then(|size| usize::try_from(size).ok())
        .filter(|size| (1..=MOST_PER_PAGE).contains(size))
        .ok_or_else(|| Refused(format!("per_page must be a number from 1 to {MOST_PER_PAGE}")))
}

fn read_cursor(cursor: Option<&Value>) -> Result<Option<Cursor>, Refused> {
    let Some(cursor) = cursor else { return Ok(None) };
    let read = cursor.as_str().and_then(cursor::read);
    read.map(Some).ok_or_else(|| Refused("starting_after is not a cursor".to_owned()))
}
