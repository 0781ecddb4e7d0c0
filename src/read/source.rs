//! A place that contacts are read from, and the loop over its pages.

use std::collections::BTreeSet;

use crate::model::{Contact, tag_key};

/// A page of contacts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The contacts that no earlier page had.
    pub contacts: Vec<Contact>,
    /// Entries of the page that cannot be read as a contact.
    pub undecodable: Vec<Undecodable>,
    /// The position of the page, for people: `on page 3`.
    pub place: String,
}

impl Page {
    /// Whether the page has neither a contact nor an entry that could be one.
    pub fn is_empty(&self) -> bool {
        self.contacts.is_empty() && self.undecodable.is_empty()
    }
}

/// A contact that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecodable {
    /// Its id, if that could be read.
    pub id: Option<String>,
    /// The fault, without a quotation of the value, which may be personal.
    pub why: String,
}

impl Undecodable {
    /// The contact's id and the fault. Without an id, the position of its page stands in its stead.
    pub fn located(self, place: &str) -> (String, String) {
        (self.id.unwrap_or_else(|| format!("without a readable id, {place}")), self.why)
    }
}

/// A tag with its name. Contacts carry ids only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TagName {
    /// Its id.
    pub id: String,
    /// Its name as a person wrote it. Case does not distinguish names.
    pub name: String,
}

impl TagName {
    /// Whether the tag has this name; case and blanks around it do not count.
    pub fn is_named(&self, name: &str) -> bool {
        tag_key(&self.name) == tag_key(name)
    }
}

/// A company: the account of contacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    /// The source's id, not the customer's.
    pub id: String,
    /// Its name; None when missing, null or `""`.
    pub name: Option<String>,
    /// The names of its tags.
    pub tags: Vec<String>,
}

impl Company {
    /// Returns its name, or its id if it has no name.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    /// Whether it has a tag of this name; case and blanks around it do not count.
    pub fn has_tag(&self, name: &str) -> bool {
        self.tags.iter().any(|tag| tag_key(tag) == tag_key(name))
    }
}

/// An error of a source.
pub trait SourceError: std::error::Error {
    /// Whether the source refused the credential. Reading on is pointless then.
    fn is_credential_refused(&self) -> bool;
}

/// A walk over contacts, page by page.
pub trait Pages {
    /// The error that ends the walk.
    type Error;

    /// Sends the first requests, so that they are under way before [`Pages::next`] waits for them.
    fn start(&mut self) {}

    /// Returns the next page, or None after the last one. A contact comes once. The order is that of arrival. After an
    /// error the walk is over.
    fn next(&mut self) -> impl Future<Output = Result<Option<Page>, Self::Error>>;

    /// The number of contacts that the walk expects, as far as it is known yet.
    fn expected(&self) -> Option<u64>;

    /// A doubt about the number of contacts, though the walk counts as complete.
    fn doubt(&self) -> Option<&str>;
}

/// An observer of a walk, such as a progress bar.
pub trait Progress {
    /// A page with so many contacts arrived; `expected` is the number of all, as far as it is known yet.
    fn advance(&self, contacts: usize, expected: Option<u64>);

    /// The walk is over, with or without an error.
    fn finish(&self);
}

/// Hands every page of a walk to `take`, and reports the progress. Returns the error that broke the walk off, if one did.
pub async fn for_each_page<P: Pages>(
    pages: &mut P,
    progress: &dyn Progress,
    mut take: impl FnMut(Page),
) -> Result<(), P::Error> {
    let result = loop {
        match pages.next().await {
            Ok(Some(page)) => {
                progress.advance(page.contacts.len(), pages.expected());
                tracing::debug!(contacts = page.contacts.len(), "page read {}", page.place);
                take(page);
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    progress.finish();
    result
}

/// A source of contacts, their tags and their companies.
///
/// The set `wanted` names the attributes to keep of a contact. None in a result means that the source does not have the
/// contact or company (any more).
pub trait ContactSource {
    /// The error of a failed request.
    type Error: SourceError;
    /// A walk over contacts.
    type Pages: Pages<Error = Self::Error>;

    /// How many requests may be under way at the same time; one at least.
    fn at_once(&self) -> usize;

    /// Begins a walk over all contacts. Sends nothing yet.
    fn pages(&self, wanted: &BTreeSet<String>) -> Self::Pages;

    /// Begins a walk over the contacts that carry a tag. A search index may miss a tag that was put on just now.
    fn pages_with_tag(&self, tag_id: &str, wanted: &BTreeSet<String>) -> Self::Pages;

    /// Returns one contact.
    fn contact(
        &self,
        id: &str,
        wanted: &BTreeSet<String>,
    ) -> impl Future<Output = Result<Option<Result<Contact, Undecodable>>, Self::Error>>;

    /// Returns the contacts with exactly this e-mail, at most one page of them. E-mails are not unique.
    fn contacts_with_email(
        &self,
        email: &str,
        wanted: &BTreeSet<String>,
    ) -> impl Future<Output = Result<Page, Self::Error>>;

    /// Returns all tags of a contact.
    fn contact_tags(&self, id: &str) -> impl Future<Output = Result<Option<Vec<TagName>>, Self::Error>>;

    /// Returns all companies of a contact.
    fn contact_companies(&self, id: &str) -> impl Future<Output = Result<Option<Vec<Company>>, Self::Error>>;

    /// Returns one company.
    fn company(&self, id: &str) -> impl Future<Output = Result<Option<Company>, Self::Error>>;

    /// Returns all tags of the workspace.
    fn tags(&self) -> impl Future<Output = Result<Vec<TagName>, Self::Error>>;
}
