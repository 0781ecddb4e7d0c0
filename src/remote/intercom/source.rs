//! Intercom as a source of contacts.

use std::collections::BTreeSet;

use super::client::Intercom;
use super::walk::Walk;
use crate::model::Contact;
use crate::read::{Company, ContactSource, ContactsRead, Page, SourceError, TagName, Undecodable};
use crate::remote::error::{ErrorKind, RemoteError};

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
        self.at_once()
    }

    fn pages(&self, wanted: &BTreeSet<String>) -> Walk {
        self.pages(wanted)
    }

    fn pages_with_tag(&self, tag_id: &str, wanted: &BTreeSet<String>) -> Walk {
        self.pages_with_tag(tag_id, wanted)
    }

    async fn contact(
        &self,
        id: &str,
        wanted: &BTreeSet<String>,
    ) -> Result<Option<Result<Contact, Undecodable>>, RemoteError> {
        self.contact(id, wanted).await
    }

    async fn contacts_with_email(&self, email: &str, wanted: &BTreeSet<String>) -> Result<Page, RemoteError> {
        self.contacts_with_email(email, wanted).await
    }

    async fn contact_tags(&self, id: &str) -> Result<Option<Vec<TagName>>, RemoteError> {
        self.contact_tags(id).await
    }

    async fn contact_companies(&self, id: &str) -> Result<Option<Vec<Company>>, RemoteError> {
        self.contact_companies(id).await
    }

    async fn company(&self, id: &str) -> Result<Option<Company>, RemoteError> {
        self.company(id).await
    }

    async fn tags(&self) -> Result<Vec<TagName>, RemoteError> {
        self.tags().await
    }
}
