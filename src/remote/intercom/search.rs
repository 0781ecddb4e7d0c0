//! All contacts, page by page.
//!
//! Sorted by `created_at`, which never changes: the default order (last request first) moves while it is paged and makes
//! duplicates and gaps. The search has no "everything", so it asks for what every contact has: a date of creation.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use serde_json::json;

use super::contact::{Undecodable, read_contact};
use super::wire::{List, Next};
use super::{Intercom, SERVICE};
use crate::model::Contact;
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::Request;
use crate::remote::outcomes::RequestKind;

/// One answer of the search.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The contacts that no earlier page had.
    pub contacts: Vec<Contact>,
    /// What could not be read as a contact.
    pub undecodable: Vec<Undecodable>,
    /// How many contacts the search counts in all; changes while paging.
    pub total: Option<u64>,
}

/// A walk over the contacts that fit a query.
#[derive(Debug)]
pub struct Pages {
    intercom: Intercom,
    query: serde_json::Value,
    wanted: Arc<BTreeSet<String>>,
    cursor: Option<String>,
    finished: bool,
    cursors: HashSet<String>,
    seen: Seen,
}

impl Intercom {
    /// A walk over all contacts, keeping the attributes named in `wanted`.
    pub fn pages(&self, wanted: &BTreeSet<String>) -> Pages {
        self.pages_of(json!({ "field": "created_at", "operator": ">", "value": 0 }), wanted)
    }

    /// A walk over the contacts that carry a tag; one that was put on just now may not be known to the search yet.
    pub fn pages_with_tag(&self, tag_id: &str, wanted: &BTreeSet<String>) -> Pages {
        self.pages_of(json!({ "field": "tag_id", "operator": "=", "value": tag_id }), wanted)
    }

    fn pages_of(&self, query: serde_json::Value, wanted: &BTreeSet<String>) -> Pages {
        Pages {
            intercom: self.clone(),
            query,
            wanted: Arc::new(wanted.clone()),
            cursor: None,
            finished: false,
            cursors: HashSet::new(),
            seen: Seen::default(),
        }
    }

    /// The contacts with exactly this e-mail, at most one page of them. E-mails are not unique.
    pub async fn contacts_with_email(&self, email: &str, wanted: &BTreeSet<String>) -> Result<Page, RemoteError> {
        let query = json!({ "field": "email", "operator": "=", "value": email });
        let mut seen = Seen::default();
        let (page, _next) = self.search(&query, None, wanted, &mut seen).await?;
        Ok(page)
    }

    async fn search(
        &self,
        query: &serde_json::Value,
        cursor: Option<&str>,
        wanted: &BTreeSet<String>,
        seen: &mut Seen,
    ) -> Result<(Page, Option<String>), RemoteError> {
        let mut pagination = json!({ "per_page": self.0.per_page });
        if let (Some(cursor), Some(pagination)) = (cursor, pagination.as_object_mut()) {
            // In the body: as a parameter of the address it is ignored, and the first page comes for ever.
            pagination.insert("starting_after".to_owned(), cursor.into());
        }
        let sort = json!({ "field": "created_at", "order": "ascending" });
        let body = json!({ "query": query, "sort": sort, "pagination": pagination });
        let request = Request::post(RequestKind::Search, &["contacts", "search"], body.to_string().into_bytes());
        let answer = self.success(&request).await?;
        // One contact with broken bytes is not to lose its page.
        let text = String::from_utf8_lossy(&answer.body);
        let list: List<'_> = serde_json::from_str(&text).map_err(|_| self.unreadable(&request, &answer))?;
        let items = list.items().ok_or_else(|| self.unreadable(&request, &answer))?;
        let mut page = Page { total: list.total(), ..Page::default() };
        for item in items {
            match read_contact(item.get(), wanted) {
                Ok(contact) if seen.is_new(&contact.id) => page.contacts.push(contact),
                Err(broken) if broken.id.as_deref().is_none_or(|id| seen.is_new(id)) => page.undecodable.push(broken),
                Ok(_) | Err(_) => {}
            }
        }
        let next = match list.next() {
            Some(Next::Cursor { starting_after }) => Some(starting_after),
            None => None,
            // Ending here would pass a part of the contacts off as all of them.
            Some(Next::Address(_) | Next::Other(_)) => return Err(self.unreadable(&request, &answer)),
        };
        Ok((page, next))
    }
}

impl Pages {
    /// The next page; None after the last one. A contact comes once, whatever the search does. After an error the walk can
    /// be taken up again at the same page.
    pub async fn next(&mut self) -> Result<Option<Page>, RemoteError> {
        if self.finished {
            return Ok(None);
        }
        let (page, next) =
            self.intercom.search(&self.query, self.cursor.as_deref(), &self.wanted, &mut self.seen).await?;
        match next {
            Some(next) if !self.cursors.insert(next.clone()) => {
                let message = "the search named the same cursor again: its pages have no end";
                return Err(RemoteError::new(ErrorKind::BadAnswer, SERVICE, message));
            }
            next => {
                self.finished = next.is_none();
                self.cursor = next;
            }
        }
        Ok(Some(page))
    }
}

/// The ids that were handed out. Ids of 24 hexadecimal digits, which is all seen so far, are kept as numbers.
#[derive(Debug, Default)]
struct Seen {
    numbers: HashSet<u128>,
    texts: HashSet<String>,
}

impl Seen {
    fn is_new(&mut self, id: &str) -> bool {
        let plain = id.len() == 24 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match u128::from_str_radix(id, 16) {
            Ok(number) if plain => self.numbers.insert(number),
            _ => self.texts.insert(id.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::intercom::tests::intercom;
    use crate::remote::script::{Reply, Script};

    fn page(ids: &str, next: Option<&str>) -> Reply {
        let contacts: Vec<String> = ids.split(' ').map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
        let next = next.map_or("null".to_owned(), |cursor| format!(r#"{{"page":2,"starting_after":"{cursor}"}}"#));
        Reply::json(&format!(
            r#"{{"type":"list","data":[{}],"total_count":3,"pages":{{"per_page":"150","next":{next}}}}}"#,
            contacts.join(",")
        ))
    }

    async fn ids(pages: &mut Pages) -> Result<Option<Vec<String>>, RemoteError> {
        let page = pages.next().await?;
        Ok(page.map(|page| page.contacts.into_iter().map(|contact| contact.id).collect()))
    }

    #[tokio::test]
    async fn pages_follow_the_cursor_in_the_body_and_a_contact_comes_once() {
        let same = "63a07ddf05a32042dffac965";
        let script = Script::play([page(&format!("1 {same}"), Some("c1")), page(&format!("{same} 2"), None)]).await;
        let mut pages = intercom(&script).pages(&BTreeSet::new());
        assert_eq!(ids(&mut pages).await.unwrap(), Some(vec!["1".to_owned(), same.to_owned()]));
        assert_eq!(ids(&mut pages).await.unwrap(), Some(vec!["2".to_owned()]));
        assert_eq!(ids(&mut pages).await.unwrap(), None);
        let asked = script.requests();
        assert_eq!(asked.len(), 2);
        assert_eq!(asked[0].line, "POST /contacts/search HTTP/1.1");
        assert!(asked[0].head.contains("intercom-version: 2.15"), "{}", asked[0].head);
        let expected = json!({
            "query": { "field": "created_at", "operator": ">", "value": 0 },
            "sort": { "field": "created_at", "order": "ascending" },
            "pagination": { "per_page": 150 },
        });
        assert_eq!(serde_json::from_str::<serde_json::Value>(&asked[0].body).unwrap(), expected);
        assert!(asked[1].body.contains(r#""starting_after":"c1""#), "{}", asked[1].body);
    }

    #[tokio::test]
    async fn a_cursor_that_comes_again_is_an_error() {
        let script = Script::play([page("1", Some("c1")), page("2", Some("c2")), page("3", Some("c1"))]).await;
        let mut pages = intercom(&script).pages(&BTreeSet::new());
        assert!(ids(&mut pages).await.is_ok());
        assert!(ids(&mut pages).await.is_ok());
        let error = ids(&mut pages).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadAnswer, "{error}");
    }

    #[tokio::test]
    async fn a_bad_contact_loses_neither_its_page_nor_its_name() {
        let script = Script::play([Reply::json(
            r#"{"data":[{"id":"1"},{"id":"2","name":"\ud800"},7,{"id":"3"}],"total_count":"4","pages":null}"#,
        )])
        .await;
        let mut pages = intercom(&script).pages(&BTreeSet::new());
        let page = pages.next().await.unwrap().unwrap();
        assert_eq!(page.contacts.iter().map(|contact| contact.id.as_str()).collect::<Vec<_>>(), ["1", "3"]);
        let broken: Vec<_> = page.undecodable.iter().map(|broken| broken.id.as_deref()).collect();
        assert_eq!(broken, [Some("2"), None]);
    }

    #[tokio::test]
    async fn an_empty_answer_is_asked_for_again_and_an_empty_workspace_is_fine() {
        let empty = include_str!("../../../fixtures/intercom-examples/search-empty.json");
        let script = Script::play([Reply::json(""), Reply::json(empty)]).await;
        let mut pages = intercom(&script).pages(&BTreeSet::new());
        let page = pages.next().await.unwrap().unwrap();
        assert_eq!(page, Page { total: Some(0), ..Page::default() });
        assert_eq!(pages.next().await.unwrap(), None);
        assert_eq!(script.requests().len(), 2);
    }

    #[tokio::test]
    async fn an_answer_without_a_list_is_no_empty_page() {
        let script = Script::play([Reply::json(r#"{"message":"welcome"}"#)]).await;
        let error = intercom(&script).pages(&BTreeSet::new()).next().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadAnswer, "{error}");
    }
}
