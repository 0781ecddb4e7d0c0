//! What was asked besides the contacts themselves.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::{Contact, tag_key};

/// What a plan needs of a company.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Company {
    /// Its name; None where it has none, or the company is gone.
    pub name: Option<String>,
    /// The names of its tags.
    pub tags: Vec<String>,
}

/// Answers to the questions that sightings raise. All are reads: a dry run asks the same.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// The workspace's tags: ids by lower-cased name.
    pub tag_ids: BTreeMap<String, String>,
    /// The full list of tag ids, for contacts that were asked about; None where the contact is gone.
    pub tags_of: HashMap<String, Option<Vec<String>>>,
    /// The full list of company ids, for contacts whose own list is cut short.
    pub companies_of: HashMap<String, Vec<String>>,
    /// Companies by id.
    pub companies: HashMap<String, Company>,
    /// A question stayed without an answer, and those after it were not asked.
    pub unanswered: bool,
    /// Contacts that were asked for and are not in Intercom any more.
    pub gone: BTreeSet<String>,
}

/// Whether a contact has a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    /// It has.
    Yes,
    /// It has not.
    No,
    /// There is no such contact any more.
    Gone,
}

impl Facts {
    /// The id of a tag by name; names are compared without case, as Intercom does.
    pub fn tag_id(&self, name: &str) -> Option<&str> {
        self.tag_ids.get(&tag_key(name)).map(String::as_str)
    }

    /// Whether the workspace has a tag with this id.
    pub fn has_tag(&self, id: &str) -> bool {
        self.tag_ids.values().any(|known| known == id)
    }

    /// Whether the contact carries the tag, by the fullest list there is.
    pub fn carries(&self, contact: &Contact, tag_id: &str) -> Carries {
        match self.tags_of.get(&contact.id) {
            Some(None) => Carries::Gone,
            Some(Some(ids)) if ids.iter().any(|id| id == tag_id) => Carries::Yes,
            Some(Some(_)) => Carries::No,
            None if contact.tags.lists(tag_id) => Carries::Yes,
            None => Carries::No,
        }
    }

    /// The contact's company ids, by the fullest list there is, lowest first.
    pub fn companies_of(&self, contact: &Contact) -> Vec<String> {
        let mut ids = self.companies_of.get(&contact.id).unwrap_or(&contact.companies.ids).clone();
        ids.sort();
        ids
    }

    /// The company's name.
    pub fn company_name(&self, id: &str) -> Option<&str> {
        self.companies.get(id)?.name.as_deref()
    }
}
