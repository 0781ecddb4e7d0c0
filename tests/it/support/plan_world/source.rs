//! The world as a source of contacts.

use std::collections::BTreeSet;
use std::fmt;

use usage_signals::model::{Contact, References};
use usage_signals::read::{Company, ContactSource, Page, Pages, Progress, SourceError, TagName, Undecodable};

use super::PlanWorld;

/// A request that failed.
#[derive(Debug)]
pub struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request failed")
    }
}

impl std::error::Error for Unreadable {}

impl SourceError for Unreadable {
    fn is_credential_refused(&self) -> bool {
        false
    }
}

/// A progress display that shows nothing.
pub struct Unobserved;

impl Progress for Unobserved {
    fn advance(&self, _: usize, _: Option<u64>) {}

    fn finish(&self) {}
}

/// A walk of one page.
pub struct OnePage(Option<Page>);

impl Pages for OnePage {
    type Error = Unreadable;

    async fn next(&mut self) -> Result<Option<Page>, Unreadable> {
        Ok(self.0.take())
    }

    fn expected(&self) -> Option<u64> {
        None
    }

    fn doubt(&self) -> Option<&str> {
        None
    }
}

impl PlanWorld {
    /// Returns the contacts that a search finds, in the order of arrival.
    fn found(&self, is_wanted: impl Fn(&Contact) -> bool) -> Page {
        let there = self.contacts.values().filter(|contact| !self.unread.contains(&contact.id));
        let mut contacts: Vec<_> = there.map(|contact| self.as_searched(contact)).filter(is_wanted).collect();
        if self.backwards {
            contacts.reverse();
        }
        Page { contacts, ..Page::default() }
    }

    /// Returns a contact as the search shows it, with tags that can be outdated.
    fn as_searched(&self, contact: &Contact) -> Contact {
        let tags = self.behind.get(&contact.id).map_or(contact.tags.clone(), |tags| References::all(tags.clone()));
        as_listed(&Contact { tags, ..contact.clone() })
    }

    fn company_of(&self, id: &str) -> Company {
        let company = self.companies.get(id).cloned().unwrap_or_default();
        Company { id: id.to_owned(), name: company.name, tags: company.tags }
    }

    fn tag_name(&self, id: &str) -> TagName {
        let name = self.tag_ids.iter().find(|(_, tag_id)| *tag_id == id).map(|(name, _)| name.clone());
        TagName { id: id.to_owned(), name: name.unwrap_or_default() }
    }
}

/// Returns a contact as Intercom lists it, with at most ten tags.
fn as_listed(contact: &Contact) -> Contact {
    let mut listed = contact.clone();
    listed.tags.complete = listed.tags.ids.len() <= 10;
    listed.tags.ids.truncate(10);
    listed
}

impl ContactSource for PlanWorld {
    type Error = Unreadable;
    type Pages = OnePage;

    fn at_once(&self) -> usize {
        4
    }

    fn pages(&self, _: &BTreeSet<String>) -> OnePage {
        OnePage(Some(self.found(|_| true)))
    }

    fn pages_with_tag(&self, tag_id: &str, _: &BTreeSet<String>) -> OnePage {
        OnePage(Some(self.found(|contact| contact.tags.ids.iter().any(|id| id == tag_id))))
    }

    async fn contact(
        &self,
        id: &str,
        _: &BTreeSet<String>,
    ) -> Result<Option<Result<Contact, Undecodable>>, Unreadable> {
        if self.failing.contains(id) {
            return Err(Unreadable);
        }
        Ok(self.contacts.get(id).map(|contact| Ok(as_listed(contact))))
    }

    async fn contacts_with_email(&self, email: &str, _: &BTreeSet<String>) -> Result<Page, Unreadable> {
        Ok(self.found(|contact| contact.email.as_deref() == Some(email)))
    }

    async fn contact_tags(&self, id: &str) -> Result<Option<Vec<TagName>>, Unreadable> {
        let tags = |contact: &Contact| contact.tags.ids.iter().map(|id| self.tag_name(id)).collect();
        Ok(self.contacts.get(id).map(tags))
    }

    async fn contact_companies(&self, id: &str) -> Result<Option<Vec<Company>>, Unreadable> {
        let companies = |contact: &Contact| contact.companies.ids.iter().map(|id| self.company_of(id)).collect();
        Ok(self.contacts.get(id).map(companies))
    }

    async fn company(&self, id: &str) -> Result<Option<Company>, Unreadable> {
        Ok(self.companies.contains_key(id).then(|| self.company_of(id)))
    }

    async fn tags(&self) -> Result<Vec<TagName>, Unreadable> {
        Ok(self.tag_ids.values().map(|id| self.tag_name(id)).collect())
    }
}
