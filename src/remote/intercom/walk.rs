//! A walk over all contacts: in one part where they are few, else in many parts that are read in parallel.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::client::{Intercom, Paging, bad_answer};
use super::page::SearchPage;
use super::part_walk::PartWalk;
use super::parts::{Part, Span};
use super::tally::{Completeness, Counts, Tally};
use crate::read::{Page, Pages};
use crate::remote::error::{ErrorKind, RemoteError};

/// The most pages that are read one after the other without a cut.
const FEW_PAGES: u64 = 8;
/// The contacts in a part, which are read one page after the other. A part may be half as large again before it is cut; the
/// contacts of one day and one role cannot be cut.
const MOST_IN_PART: u64 = 3000;

/// A walk over all contacts.
///
/// The first page counts the contacts. If there are many, they are cut into parts. The first page of each part counts the
/// part, and a part that is still too large is cut again. In the end the walk compares the contacts that came with what
/// Intercom counts (`Counts`). If contacts are missing, it reads all of them once more, in one part.
#[derive(Debug)]
pub struct Walk {
    intercom: Intercom,
    wanted: Arc<BTreeSet<String>>,
    waiting: Vec<PartWalk>,
    under_way: JoinSet<(PartWalk, Result<SearchPage, RemoteError>)>,
    span: Option<Span>,
    most_in_part: u64,
    tally: Tally,
    /// The request for the number of contacts that the workspace lists.
    counting: JoinSet<Option<u64>>,
    doubt: Option<String>,
}

impl Pages for Walk {
    type Error = RemoteError;

    async fn next(&mut self) -> Result<Option<Page>, RemoteError> {
        loop {
            self.start();
            let Some(joined) = self.under_way.join_next().await else {
                if self.is_complete().await? {
                    return Ok(None);
                }
                continue;
            };
            // Only a panic in the task could fail here, and the task cannot panic.
            let (reading, found) = joined.map_err(|_| bad_answer("reading a page broke off"))?;
            let found = match found {
                Err(error) if error.kind == ErrorKind::Unreachable && reading.has_large_pages() => {
                    tracing::warn!("reading the part again from its first page, in small pages: {error}");
                    self.intercom.use_small_pages();
                    self.waiting.push(reading.again());
                    continue;
                }
                found => found?,
            };
            let place = reading.place();
            let comes_again = reading.is_repeated();
            let was_cut = self.go_on(reading, &found)?;
            return Ok(Some(self.tally.take(found, place, was_cut || comes_again)));
        }
    }

    fn expected(&self) -> Option<u64> {
        self.tally.expected()
    }

    fn doubt(&self) -> Option<&str> {
        self.doubt.as_deref()
    }

    /// Sends as many requests as may run in parallel, beginning with the parts that have most contacts to come (or do not
    /// know). The first call sends one request, for the first page.
    fn start(&mut self) {
        while self.under_way.len() < self.intercom.0.paging.at_once {
            let longest = self.waiting.iter().enumerate().max_by_key(|(_, reading)| reading.left().unwrap_or(u64::MAX));
            let Some(longest) = longest.map(|(place, _)| place) else { return };
            let mut reading = self.waiting.swap_remove(longest);
            let per_page = reading.begin(self.intercom.per_page());
            let (intercom, wanted) = (self.intercom.clone(), Arc::clone(&self.wanted));
            self.under_way.spawn(async move {
                let (cursor, tries) = (reading.cursor.as_deref(), reading.tries());
                let found = intercom.search(&reading.query, cursor, per_page, tries, &wanted).await;
                (reading, found)
            });
        }
    }
}

impl Walk {
    /// A walk that begins with `first`. Sends nothing yet.
    pub(super) fn new(intercom: &Intercom, first: PartWalk, wanted: &BTreeSet<String>) -> Walk {
        Walk {
            intercom: intercom.clone(),
            wanted: Arc::new(wanted.clone()),
            waiting: vec![first],
            under_way: JoinSet::new(),
            span: None,
            most_in_part: 0,
            tally: Tally::default(),
            counting: JoinSet::new(),
            doubt: None,
        }
    }

    /// Queues what follows a page: the next page of its part, or the pieces of its part. Returns whether the part was cut.
    fn go_on(&mut self, mut reading: PartWalk, found: &SearchPage) -> Result<bool, RemoteError> {
        reading.count(found);
        if reading.pages == 1 && reading.part == Some(Part::ALL) {
            self.begin(found);
        }
        let Some(next) = found.next.clone() else {
            self.tally.end_part(&reading);
            return Ok(false);
        };
        if reading.pages == 1
            && let Some(part) = reading.part
            && let Some(pieces) = self.pieces(part, found)
        {
            self.waiting.extend(pieces.into_iter().map(PartWalk::of));
            return Ok(true);
        }
        let brings_news = reading.is_repeated() || self.tally.is_news(found);
        reading.advance(next, brings_news)?;
        self.waiting.push(reading);
        Ok(false)
    }

    fn begin(&mut self, found: &SearchPage) {
        self.tally.begin(found);
        if !self.tally.is_second_read() && found.total.is_some_and(|total| total > self.few()) {
            let intercom = self.intercom.clone();
            self.counting.spawn(async move { intercom.listed().await });
        }
    }

    /// The most contacts that are read without a cut.
    fn few(&self) -> u64 {
        FEW_PAGES.saturating_mul(self.intercom.per_page().into())
    }

    /// Cuts a part whose first page counts too many contacts.
    fn pieces(&mut self, part: Part, found: &SearchPage) -> Option<Vec<Part>> {
        let Paging { at_once, .. } = self.intercom.0.paging;
        let (per_page, total) = (u64::from(self.intercom.per_page()), found.total?);
        if at_once < 2 || self.tally.is_second_read() {
            return None;
        }
        if part == Part::ALL {
            if total <= self.few() {
                return None;
            }
            let oldest = found.contacts.iter().find_map(|contact| contact.created_at).map(|at| at.timestamp());
            self.span = oldest.zip(found.answered_at).map(|(oldest, newest)| Span { oldest, newest });
            // A few more parts than parallel requests, so that no request is left alone with the longest part.
            let at_once = u64::try_from(at_once).unwrap_or(u64::MAX);
            let even = total / (at_once + at_once / 4);
            self.most_in_part = even.min(MOST_IN_PART).max(2 * per_page);
        } else if total <= self.most_in_part + self.most_in_part / 2 {
            return None;
        }
        part.split(total, self.most_in_part, self.span?)
    }

    /// Whether all contacts came. If some are missing, queues a second read of all, one page after the other.
    async fn is_complete(&mut self) -> Result<bool, RemoteError> {
        while let Some(listed) = self.counting.join_next().await {
            self.tally.counted.listed = listed.ok().flatten();
        }
        if self.tally.counts().completeness() != Completeness::Complete
            && self.tally.counted.listed.is_some()
            && let Some(now) = self.intercom.listed().await
        {
            self.tally.recount(now);
        }
        let counts = self.tally.counts();
        let Counts { came, searched, listed, second, .. } = counts;
        let counted = listed.max(searched).unwrap_or(came);
        match counts.completeness() {
            Completeness::Complete => Ok(true),
            Completeness::InDoubt => {
                let why = match second {
                    Some(second) if second.before == came => "a second read brought the same ones",
                    _ => "its search counts no more of them, and learns of new ones some minutes late",
                };
                self.doubt = Some(format!("Intercom counts {counted} contacts but shows {came}; {why}"));
                Ok(true)
            }
            Completeness::ReadAgain => {
                tracing::warn!(
                    contacts = came,
                    counted,
                    "contacts are missing; reading all of them once more, in one part"
                );
                self.tally.begin_again();
                self.waiting.push(PartWalk::of(Part::ALL));
                Ok(false)
            }
            Completeness::Incomplete => Err(bad_answer(&format!(
                "it counts {counted} contacts; the first read brought {}, and both reads together {came}",
                second.map_or(came, |second| second.before)
            ))),
        }
    }
}

#[cfg(test)]
mod tests;
