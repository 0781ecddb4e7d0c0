//! The snooze tag, with which people silence the signals of a company or a contact.

use super::builder::Builder;
use super::facts::Carries;
use super::sightings::Hit;
use crate::model::{Contact, Occasion, tag_key};

/// Whether people silenced a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Snooze {
    /// The snooze tag is on the company, or on a contact that signals or is concerned.
    Yes,
    /// The tags of all of them are known, and none is the snooze tag.
    No,
    /// A question about their tags stayed without an answer.
    Unknown,
}

impl Builder<'_> {
    /// Looks for the snooze tag on the company, on the contacts that signal, and on those that the open occasion concerns.
    pub(super) fn snooze(&self, company: Option<&str>, hits: &[&Hit], open: Option<&Occasion>) -> Snooze {
        let concerned = open.into_iter().flat_map(|open| &open.contacts);
        let concerned = concerned.filter_map(|id| self.input.sightings.contact(id));
        let mut contacts = hits.iter().map(|hit| &hit.contact).chain(concerned);
        if self.company_carries_snooze_tag(company) || contacts.any(|contact| self.carries_snooze_tag(contact)) {
            return Snooze::Yes;
        }
        if open.is_some_and(|open| !self.tags_are_known(company, open)) { Snooze::Unknown } else { Snooze::No }
    }

    fn company_carries_snooze_tag(&self, company: Option<&str>) -> bool {
        let snooze_tag = tag_key(&self.input.settings.snooze_tag);
        let company = company.and_then(|id| self.input.facts.companies.get(id));
        company.is_some_and(|company| company.tags.iter().any(|tag| tag_key(tag) == snooze_tag))
    }

    fn carries_snooze_tag(&self, contact: &Contact) -> bool {
        let facts = self.input.facts;
        facts.tag_id(&self.input.settings.snooze_tag).is_some_and(|tag| facts.carries(contact, tag) == Carries::Yes)
    }

    /// False where a question stayed without an answer, and the tags of the company or of a concerned contact are not known
    /// otherwise.
    fn tags_are_known(&self, company: Option<&str>, open: &Occasion) -> bool {
        let facts = self.input.facts;
        let is_known = |id: &String| {
            let contact = self.input.sightings.contact(id);
            facts.gone.contains(id)
                || facts.tags_of.contains_key(id)
                || contact.is_some_and(|contact| contact.tags.complete)
        };
        let company_is_known = company.is_none_or(|id| facts.companies.contains_key(id));
        !facts.unanswered || (company_is_known && open.contacts.iter().all(is_known))
    }
}
