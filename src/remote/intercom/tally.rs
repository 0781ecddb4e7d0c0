//! The tally of a walk: the contacts that came, and the counts to compare them with.

use super::completeness::{Counts, Second};
use super::page::SearchPage;
use super::part_walk::PartWalk;
use super::seen_ids::SeenIds;
use crate::model::Contact;
use crate::read::Page;

/// The contacts that came so far, and what Intercom counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    seen: SeenIds,
    /// Contacts without an id. Nobody can tell whether two of them are the same.
    nameless: u64,
    /// When the first page of the first read was answered, in Unix seconds.
    began_at: Option<i64>,
    /// Contacts that came although they were created after that.
    created_since: u64,
    /// How many contacts the search counts.
    searched: Option<u64>,
    /// How many contacts the workspace lists. Only a large workspace is asked.
    pub listed: Option<u64>,
    /// How many contacts fewer than they counted the parts brought.
    shortfall: u64,
    /// The second read, once it has begun.
    second: Option<Second>,
}

impl Tally {
    /// Notes the first page of all contacts, of the first or the second read.
    pub(super) fn begin(&mut self, found: &SearchPage) {
        self.searched = found.total;
        // The count of the second read includes those created since the first began.
        self.began_at = found.answered_at.filter(|_| !self.is_second_read());
        self.created_since = 0;
    }

    /// Begins the second read.
    pub(super) fn begin_again(&mut self) {
        self.second = Some(Second { before: self.counts().came, shown: 0 });
    }

    pub(super) fn is_second_read(&self) -> bool {
        self.second.is_some()
    }

    /// Whether a page brings a contact that has not come yet. During a second read most contacts are known, so every page
    /// counts as news.
    pub(super) fn is_news(&self, found: &SearchPage) -> bool {
        let is_new = |id: &str| !self.seen.has(id);
        self.is_second_read()
            || found.contacts.iter().any(|contact| is_new(&contact.id))
            || found.undecodable.iter().any(|broken| broken.id.as_deref().is_none_or(is_new))
    }

    /// Notes the last page of a part.
    pub(super) fn end_part(&mut self, reading: &PartWalk) {
        match &mut self.second {
            Some(second) => second.shown = reading.shown,
            None if reading.part.is_some() => self.shortfall += reading.left().unwrap_or(0),
            None => {}
        }
    }

    /// Takes a page in, and returns its contacts that had not come before. `again` says that its part is read once more, in
    /// pieces.
    pub(super) fn take(&mut self, found: SearchPage, place: String, again: bool) -> Page {
        let mut page = found.into_page(&mut self.seen, place);
        if again || self.is_second_read() {
            // A contact without an id comes again, or came already.
            page.undecodable.retain(|broken| broken.id.is_some());
        }
        let nameless = page.undecodable.iter().filter(|broken| broken.id.is_none()).count();
        self.nameless += u64::try_from(nameless).unwrap_or(0);
        let began_at = self.began_at.unwrap_or(i64::MAX);
        let is_since = |contact: &&Contact| contact.created_at.is_some_and(|at| at.timestamp() > began_at);
        let since = page.contacts.iter().filter(is_since).count();
        self.created_since += u64::try_from(since).unwrap_or(0);
        page
    }

    /// Notes a second count of the workspace's contacts. A contact that was deleted meanwhile is not missing.
    pub(super) fn recount(&mut self, now: u64) {
        let Some(before) = self.listed else { return };
        self.listed = Some(before.min(now));
        self.searched = self.searched.map(|searched| searched.min(now));
        self.shortfall = self.shortfall.saturating_sub(before.saturating_sub(now));
    }

    /// How many contacts there are; None while nobody knows.
    pub(super) fn expected(&self) -> Option<u64> {
        self.listed.or(self.searched)
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            came: (self.seen.len() + self.nameless).saturating_sub(self.created_since),
            searched: self.searched,
            listed: self.listed,
            shortfall: self.shortfall,
            second: self.second,
        }
    }
}
