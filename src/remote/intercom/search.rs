//! The search of contacts, page by page, and the number of contacts that the workspace lists.
//!
//! The pages of a search are sorted by `created_at`, which never changes. The default order (last request first) changes
//! between two pages, which causes duplicates and gaps.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::json;

use super::client::Intercom;
use super::page::{NoPage, SearchPage, read_page};
use super::wire::List;
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{HttpAnswer, Request, RequestKind};
use crate::remote::service_status::date;

const PAGE_HELP: &str = "check INTERCOM_BASE_URL and the network; https://www.intercomstatus.com shows outages; if only pages of \
                         contacts fail, set a smaller per_page in [intercom]";

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
        per_page: u32,
        tries: u32,
        wanted: &BTreeSet<String>,
    ) -> Result<SearchPage, RemoteError> {
        let mut pagination = json!({ "per_page": per_page });
        if let (Some(cursor), Some(pagination)) = (cursor, pagination.as_object_mut()) {
            // The cursor goes into the body. As a parameter of the address Intercom ignores it and returns the first page again.
            pagination.insert("starting_after".to_owned(), cursor.into());
        }
        let sort = json!({ "field": "created_at", "order": "ascending" });
        let body = json!({ "query": query, "sort": sort, "pagination": pagination });
        let request = Request::post(RequestKind::Search, &["contacts", "search"], &body).at_most(tries);
        // Reading the page tells whether it is JSON, so nothing checks the body before.
        let read = |answer: &HttpAnswer| match read_page(&answer.body, wanted) {
            Err(NoPage::NotJson) if answer.status != StatusCode::NO_CONTENT => None,
            read => Some(read),
        };
        let sent = self.0.client.send_and_read(&request, &self.0.stop, read).await;
        let (answer, page) = sent.map_err(|error| match error.kind {
            ErrorKind::Unreachable => error.with_help(PAGE_HELP),
            _ => error,
        })?;
        let page = page.ok_or_else(|| self.0.client.refused(&request, &answer))?;
        let found = page.map_err(|_| self.unreadable(&request, &answer))?;
        Ok(SearchPage { answered_at: date(&answer.headers).map(|date| date.timestamp()), ..found })
    }
}
