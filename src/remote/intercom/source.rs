//! Intercom as a source of contacts.
//!
//! The pages of a search are sorted by `created_at`, which never changes. The default order (last request first) changes
//! between two pages, which causes duplicates and gaps.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::json;

use super::client::Intercom;
use super::contact::read_contact;
use super::page::{NoPage, SearchPage, read_page};
use super::part_walk::PartWalk;
use super::parts::Part;
use super::tally::Tally;
use super::walk::Walk;
use super::wire::List;
use super::workspace::{read_company, read_tag};
use crate::model::Contact;
use crate::read::{Company, ContactSource, ContactsRead, Page, SourceError, TagName, Undecodable};
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{HttpAnswer, Request, RequestKind};
use crate::remote::service_status::date;

/// The contacts that were read from Intercom.
pub type IntercomRead = ContactsRead<RemoteError>;

impl SourceError for RemoteError {
    fn is_credential_refused(&self) -> bool {
        self.kind == ErrorKind::Credential
    }
}

impl ContactSource for Intercom {
    type Error = RemoteError;
    type Pages = Walk;

    fn at_once(&self) -> usize {
        self.0.paging.at_once
    }

    fn pages(&self, wanted: &BTreeSet<String>) -> Walk {
        Walk::new(self, PartWalk::of(Part::ALL), wanted)
    }

    fn pages_with_tag(&self, tag_id: &str, wanted: &BTreeSet<String>) -> Walk {
        let carriers = json!({ "field": "tag_id", "operator": "=", "value": tag_id });
        Walk::new(self, PartWalk::new(None, carriers), wanted)
    }

    async fn contact(
        &self,
        id: &str,
        wanted: &BTreeSet<String>,
    ) -> Result<Option<Result<Contact, Undecodable>>, RemoteError> {
        let request = Request::get(RequestKind::Facts, &["contacts", id]);
        let answer = self.found(id, &request).await?;
        Ok(answer.map(|answer| read_contact(&answer.text(), wanted)))
    }

    async fn contacts_with_email(&self, email: &str, wanted: &BTreeSet<String>) -> Result<Page, RemoteError> {
        let query = json!({ "field": "email", "operator": "=", "value": email });
        let found = self.search(&query, None, wanted).await?;
        Ok(Tally::default().take(found, "asked for".to_owned(), false))
    }

    async fn contact_tags(&self, id: &str) -> Result<Option<Vec<TagName>>, RemoteError> {
        self.list(id, Request::get(RequestKind::Facts, &["contacts", id, "tags"]), read_tag).await
    }

    async fn contact_companies(&self, id: &str) -> Result<Option<Vec<Company>>, RemoteError> {
        self.list(id, Request::get(RequestKind::Facts, &["contacts", id, "companies"]), read_company).await
    }

    async fn company(&self, id: &str) -> Result<Option<Company>, RemoteError> {
        let request = Request::get(RequestKind::Facts, &["companies", id]);
        let Some(answer) = self.found(id, &request).await? else { return Ok(None) };
        let company = read_company(&answer.text());
        company.map(Some).ok_or_else(|| self.unreadable(&request, &answer))
    }

    async fn tags(&self) -> Result<Vec<TagName>, RemoteError> {
        self.tags_for(RequestKind::Tags).await
    }
}

impl Intercom {
    /// Returns the number of contacts that the workspace lists, from an endpoint that does not depend on the search. None if
    /// Intercom does not say, or if the request fails, which is no reason to end a walk.
    pub(super) async fn listed(&self) -> Option<u64> {
        let request = Request::get(RequestKind::Facts, &["contacts"]).query("per_page", "1");
        let counted = self.success(&request).await.and_then(|answer| {
            let list: List<'_> = self.0.client.decode(&request, &answer)?;
            Ok(list.total())
        });
        counted.unwrap_or_else(|error| {
            tracing::warn!("the number of contacts in the workspace is unknown: {error}");
            None
        })
    }

    pub(super) async fn search(
        &self,
        query: &serde_json::Value,
        cursor: Option<&str>,
        wanted: &BTreeSet<String>,
    ) -> Result<SearchPage, RemoteError> {
        let mut pagination = json!({ "per_page": self.0.paging.per_page });
        if let (Some(cursor), Some(pagination)) = (cursor, pagination.as_object_mut()) {
            // The cursor goes into the body. As a parameter of the address Intercom ignores it and returns the first page again.
            pagination.insert("starting_after".to_owned(), cursor.into());
        }
        let sort = json!({ "field": "created_at", "order": "ascending" });
        let body = json!({ "query": query, "sort": sort, "pagination": pagination });
        let request = Request::post(RequestKind::Search, &["contacts", "search"], &body);
        // Reading the page tells whether it is JSON, so nothing checks the body before.
        let read = |answer: &HttpAnswer| match read_page(&answer.body, wanted) {
            Err(NoPage::NotJson) if answer.status != StatusCode::NO_CONTENT => None,
            read => Some(read),
        };
        let (answer, page) = self.0.client.send_and_read(&request, &self.0.stop, read).await?;
        let page = page.ok_or_else(|| self.0.client.refused(&request, &answer))?;
        let found = page.map_err(|_| self.unreadable(&request, &answer))?;
        Ok(SearchPage { answered_at: date(&answer.headers).map(|date| date.timestamp()), ..found })
    }
}
