//! The answers of Intercom to the questions that the sightings raised.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::{Contact, tag_key};

/// The facts of a company that a plan needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Company {
    /// Its name; None where the company has no name or is gone.
    pub name: Option<String>,
    /// The names of its tags.
    pub tags: Vec<String>,
}

/// The answers to the questions that sightings raise. All questions are reads, so a dry run asks them too.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// The ids of the workspace's tags, by `tag_key` of the name.
    pub tag_ids: BTreeMap<String, String>,
    /// The complete list of tag ids of each contact that was asked about; None where the contact is gone.
    pub tags_of: HashMap<String, Option<Vec<String>>>,
    /// The complete list of company ids of each contact whose own list is cut short.
    pub companies_of: HashMap<String, Vec<String>>,
    /// Companies by id.
    pub companies: HashMap<String, Company>,
    /// Whether a question stayed without an answer. The questions after it were not asked.
    pub unanswered: bool,
    /// Contacts that were requested and are not in Intercom any more.
    pub gone: BTreeSet<String>,
}

/// Whether a contact has a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carries {
    Yes,
    No,
    /// The contact is not in Intercom any more.
    Gone,
}

impl Facts {
    /// The id of a tag by name, compared by `tag_key`.
    pub fn tag_id(&self, name: &str) -> Option<&str> {
        self.tag_ids.get(&tag_key(name)).map(String::as_str)
    }

    /// Whether the workspace has a tag with this id.
    pub fn has_tag(&self, id: &str) -> bool {
        self.tag_ids.values().any(|known| known == id)
    }

    /// Whether the contact carries the tag, by its complete list if that was asked for, else by its own list.
    pub(super) fn carries(&self, contact: &Contact, tag_id: &str) -> Carries {
        match self.tags_of.get(&contact.id) {
            Some(None) => Carries::Gone,
            Some(Some(ids)) if ids.iter().any(|id| id == tag_id) => Carries::Yes,
            Some(Some(_)) => Carries::No,
            None if contact.tags.lists(tag_id) => Carries::Yes,
            None => Carries::No,
        }
    }

    /// The contact's company ids, by its complete list if that was asked for, else by its own list, lowest first.
    pub fn companies_of(&self, contact: &Contact) -> Vec<String> {
        let mut ids = self.companies_of.get(&contact.id).unwrap_or(&contact.companies.ids).clone();
        ids.sort();
        ids
    }
}
