//! Intercom as a source of contacts.

use std::collections::BTreeSet;

use serde_json::json;

use super::client::Intercom;
use super::contact::read_contact;
use super::part_walk::PartWalk;
use super::parts::Part;
use super::tally::Tally;
use super::walk::Walk;
use super::workspace::{read_company, read_tag};
use crate::model::Contact;
use crate::read::{Company, ContactSource, Page, SourceError, TagName, Undecodable};
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{Request, RequestKind};

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
        let found = self.search(&query, None, self.per_page(), RequestKind::Search.tries(), wanted).await?;
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
