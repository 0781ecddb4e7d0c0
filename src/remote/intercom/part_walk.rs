//! A walk over the pages of one part.

use serde_json::Value;

use super::client::{SMALL_PAGE, bad_answer};
use super::page::SearchPage;
use super::parts::Part;
use crate::remote::error::RemoteError;
use crate::remote::http::RequestKind;
use crate::remote::page_guard::PageGuard;

/// Pages in a row without a new contact, before a search counts as endless. A few are harmless: a contact that changes between
/// two pages comes twice.
const MOST_BARREN: u32 = 20;
/// The most tries of a page. After them its part is read in smaller pages.
const TRIES_OF_A_LARGE_PAGE: u32 = 3;

/// A part, and how far it was read.
#[derive(Debug)]
pub(super) struct PartWalk {
    /// None for the contacts of another query, which is never cut.
    pub part: Option<Part>,
    pub query: Value,
    pub cursor: Option<String>,
    cursors: PageGuard<String>,
    pub pages: u64,
    /// How many pages in a row brought no new contact.
    barren: u32,
    /// How many contacts the first page counted.
    pub total: Option<u64>,
    /// How many contacts the pages brought.
    pub shown: u64,
    /// The contacts in one page. A cursor is valid for one size only.
    per_page: Option<u32>,
    /// How many contacts an earlier walk over the part brought, in larger pages.
    before: u64,
}

impl PartWalk {
    pub(super) fn of(part: Part) -> Self {
        PartWalk::new(Some(part), part.query())
    }

    pub(super) fn new(part: Option<Part>, query: Value) -> Self {
        let cursors = PageGuard::new(String::new(), usize::MAX);
        PartWalk {
            part,
            query,
            cursor: None,
            cursors,
            pages: 0,
            barren: 0,
            total: None,
            shown: 0,
            per_page: None,
            before: 0,
        }
    }

    /// A walk over the part from its first page.
    pub(super) fn again(self) -> Self {
        let before = self.before.max(self.shown);
        PartWalk { before, ..PartWalk::new(self.part, self.query) }
    }

    /// Returns the contacts to ask for in the next page: `per_page`, if it is the first one.
    pub(super) fn begin(&mut self, per_page: u32) -> u32 {
        *self.per_page.get_or_insert(per_page)
    }

    /// Whether the part can be read in smaller pages.
    pub(super) fn has_large_pages(&self) -> bool {
        self.per_page.is_some_and(|per_page| per_page > SMALL_PAGE)
    }

    /// The most tries of the next page.
    pub(super) fn tries(&self) -> u32 {
        if self.has_large_pages() { TRIES_OF_A_LARGE_PAGE } else { RequestKind::Search.tries() }
    }

    /// Whether the next page repeats contacts of an earlier walk over the part.
    pub(super) fn is_repeated(&self) -> bool {
        self.shown < self.before
    }

    /// Contacts still to come; None while nobody knows.
    pub(super) fn left(&self) -> Option<u64> {
        self.total.map(|total| total.saturating_sub(self.shown))
    }

    pub(super) fn count(&mut self, found: &SearchPage) {
        self.pages += 1;
        self.shown += u64::try_from(found.contacts.len() + found.undecodable.len()).unwrap_or(0);
        if self.pages == 1 {
            self.total = found.total;
        }
    }

    /// Moves on to the page with cursor `next`. Fails if the pages seem to have no end.
    pub(super) fn advance(&mut self, next: String, brings_news: bool) -> Result<(), RemoteError> {
        if self.cursors.allow(next.clone()).is_err() {
            return Err(bad_answer("the search named the same cursor again: its pages have no end"));
        }
        self.barren = if brings_news { 0 } else { self.barren + 1 };
        if self.barren >= MOST_BARREN {
            return Err(bad_answer("the search shows the same contacts again and again: its pages have no end"));
        }
        self.cursor = Some(next);
        Ok(())
    }

    /// The place of the page that is read, for people.
    pub(super) fn place(&self) -> String {
        let page = self.pages + 1;
        match self.part.filter(|part| *part != Part::ALL) {
            Some(part) => format!("on page {page} of {part}"),
            None => format!("on page {page}"),
        }
    }
}
