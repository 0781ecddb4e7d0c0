//! The tally of a walk: whether a read is complete, by the contacts that came and Intercom's two counts.
//!
//! Neither count is known to be exact (docs/services/intercom.md, "How complete a search is"). The search learns of a new
//! contact some minutes late, and nobody knows how it counts many. The list may count contacts that the search never shows. So
//! a read that brought as many contacts as the search counts is complete, and the report names the contacts that only the list
//! counts.

use std::collections::HashSet;

use super::page::SearchPage;
use super::part_walk::PartWalk;
use crate::model::Contact;
use crate::read::Page;

/// The counts at the end of a read. None is an unknown count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// The different contacts that came, without those created since the read began: they would hide missing ones.
    pub came: u64,
    /// How many contacts the search counts.
    pub searched: Option<u64>,
    /// How many contacts the workspace lists.
    pub listed: Option<u64>,
    /// How many contacts fewer than they counted the parts brought.
    pub shortfall: u64,
    pub second: Option<Second>,
}

/// A second read of all contacts, in one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Second {
    /// How many contacts had come before it.
    pub before: u64,
    /// How many contacts it brought.
    pub shown: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Completeness {
    /// All contacts came.
    Complete,
    /// All contacts came that Intercom shows, although it counts more.
    InDoubt,
    /// Contacts are missing, and a second read may bring them.
    ReadAgain,
    /// Contacts are missing after two reads, which brought different ones.
    Incomplete,
}

impl Counts {
    pub(super) fn completeness(self) -> Completeness {
        let Counts { came, searched, listed, shortfall, second } = self;
        let reached = |count: Option<u64>| count.is_none_or(|count| came >= count);
        // A count far below the contacts that came cannot say when all came.
        let search_is_exact = searched.is_some_and(|count| came >= count && came - count <= came / 100);
        match second {
            None if shortfall > 0 || !reached(searched) => Completeness::ReadAgain,
            _ if reached(searched) && reached(listed) => Completeness::Complete,
            _ if search_is_exact => Completeness::InDoubt,
            None => Completeness::ReadAgain,
            // Both reads brought the same contacts, so the count includes something else.
            Some(second) if second.before == came && second.shown >= came => Completeness::InDoubt,
            Some(_) => Completeness::Incomplete,
        }
    }
}

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
    /// All counts but `came`. Only a large workspace is asked how many contacts it lists.
    pub counted: Counts,
}

impl Tally {
    /// Notes the first page of all contacts, of the first or the second read.
    pub(super) fn begin(&mut self, found: &SearchPage) {
        self.counted.searched = found.total;
        // The count of the second read includes those created since the first began.
        self.began_at = found.answered_at.filter(|_| !self.is_second_read());
        self.created_since = 0;
    }

    pub(super) fn begin_again(&mut self) {
        self.counted.second = Some(Second { before: self.counts().came, shown: 0 });
    }

    pub(super) fn is_second_read(&self) -> bool {
        self.counted.second.is_some()
    }

    /// Whether a page brings a contact that has not come yet. During a second read most contacts are known, so every page
    /// counts as news.
    pub(super) fn is_news(&self, found: &SearchPage) -> bool {
        let is_new = |id: &str| !self.seen.has(id);
        self.is_second_read()
            || found.contacts.iter().any(|contact| is_new(&contact.id))
            || found.undecodable.iter().any(|broken| broken.id.as_deref().is_none_or(is_new))
    }

    pub(super) fn end_part(&mut self, reading: &PartWalk) {
        match &mut self.counted.second {
            Some(second) => second.shown = reading.shown,
            None if reading.part.is_some() => self.counted.shortfall += reading.left().unwrap_or(0),
            None => {}
        }
    }

    /// Takes a page in, and returns its contacts that had not come before. `again` says that its part is read once more, in
    /// pieces.
    pub(super) fn take(&mut self, found: SearchPage, place: String, again: bool) -> Page {
        let SearchPage { mut contacts, mut undecodable, total: _, next: _, answered_at: _ } = found;
        contacts.retain(|contact| self.seen.is_new(&contact.id));
        undecodable.retain(|broken| broken.id.as_deref().is_none_or(|id| self.seen.is_new(id)));
        if again || self.is_second_read() {
            // A contact without an id comes again, or came already.
            undecodable.retain(|broken| broken.id.is_some());
        }
        let nameless = undecodable.iter().filter(|broken| broken.id.is_none()).count();
        self.nameless += u64::try_from(nameless).unwrap_or(0);
        let began_at = self.began_at.unwrap_or(i64::MAX);
        let is_since = |contact: &&Contact| contact.created_at.is_some_and(|at| at.timestamp() > began_at);
        let since = contacts.iter().filter(is_since).count();
        self.created_since += u64::try_from(since).unwrap_or(0);
        Page { contacts, undecodable, place }
    }

    /// Notes a second count of the workspace's contacts. A contact that was deleted meanwhile is not missing.
    pub(super) fn recount(&mut self, now: u64) {
        let Counts { searched, listed, shortfall, .. } = &mut self.counted;
        let Some(before) = *listed else { return };
        *listed = Some(before.min(now));
        *searched = searched.map(|searched| searched.min(now));
        *shortfall = shortfall.saturating_sub(before.saturating_sub(now));
    }

    /// How many contacts there are; None while nobody knows.
    pub(super) fn expected(&self) -> Option<u64> {
        self.counted.listed.or(self.counted.searched)
    }

    pub(super) fn counts(&self) -> Counts {
        let came = (self.seen.len() + self.nameless).saturating_sub(self.created_since);
        Counts { came, ..self.counted }
    }
}

/// The ids that came. An id of 24 hexadecimal digits, which is the only known form, takes twelve bytes.
#[derive(Debug, Default)]
struct SeenIds {
    short: HashSet<[u8; 12]>,
    other: HashSet<Box<str>>,
}

impl SeenIds {
    /// Notes an id. Returns whether it came for the first time.
    fn is_new(&mut self, id: &str) -> bool {
        match packed(id) {
            Some(id) => self.short.insert(id),
            None => self.other.insert(id.into()),
        }
    }

    fn has(&self, id: &str) -> bool {
        packed(id).map_or_else(|| self.other.contains(id), |id| self.short.contains(&id))
    }

    fn len(&self) -> u64 {
        u64::try_from(self.short.len() + self.other.len()).unwrap_or(u64::MAX)
    }
}

/// Packs lower-case digits only: `0A` and `0a` are two ids, but one number.
fn packed(id: &str) -> Option<[u8; 12]> {
    let plain = id.len() == 24 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let number = u128::from_str_radix(id, 16).ok().filter(|_| plain)?;
    let [_, _, _, _, bytes @ ..] = number.to_be_bytes();
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once_and_ids_that_look_alike_are_different_ones() {
        let mut seen = SeenIds::default();
        let ids = [
            "63a07ddf05a32042dffac965",
            "63A07DDF05A32042DFFAC965",
            "063a07ddf05a32042dffac965",
            "+3a07ddf05a32042dffac9651",
            "000000000000000000000001",
            "1",
            "01",
            "ffffffffffffffffffffffff",
        ];
        assert!(ids.iter().all(|id| seen.is_new(id)));
        assert!(!ids.iter().any(|id| seen.is_new(id)));
        assert!(ids.iter().all(|id| seen.has(id)) && !seen.has("2"));
        assert_eq!(seen.len(), 8);
    }

    #[test]
    fn the_counts_decide_whether_a_read_is_complete_or_repeated() {
        let figures = |came, searched, listed| Counts { came, searched, listed, ..Counts::default() };
        let again =
            |before, figures: Counts| Counts { second: Some(Second { before, shown: figures.came }), ..figures };
        let broken = Second { before: 550, shown: 30 };
        let cases = [
            ("nothing is counted", figures(600, None, None), Completeness::Complete),
            ("both counts", figures(600, Some(600), Some(600)), Completeness::Complete),
            ("more than counted", figures(605, Some(600), Some(602)), Completeness::Complete),
            ("the search counts more", figures(599, Some(600), Some(599)), Completeness::ReadAgain),
            ("a few pages, one missing", figures(599, Some(600), None), Completeness::ReadAgain),
            (
                "a part is short, and others make up for it",
                Counts { shortfall: 1, ..figures(600, Some(600), None) },
                Completeness::ReadAgain,
            ),
            (
                "the list knows three that the search does not",
                figures(600, Some(600), Some(603)),
                Completeness::InDoubt,
            ),
            (
                "the search counts no more than ten thousand",
                figures(99_000, Some(10_000), Some(100_000)),
                Completeness::ReadAgain,
            ),
            ("the list alone counts, and more", figures(600, None, Some(601)), Completeness::ReadAgain),
            ("twice the same", again(599, figures(599, Some(600), Some(600))), Completeness::InDoubt),
            (
                "the second read broke off",
                Counts { second: Some(broken), ..figures(550, Some(600), Some(600)) },
                Completeness::Incomplete,
            ),
            ("the second read found them", again(590, figures(600, Some(600), Some(600))), Completeness::Complete),
            (
                "the second read found those that the search counts",
                again(590, figures(600, Some(600), Some(700))),
                Completeness::InDoubt,
            ),
            ("the second read found some", again(590, figures(595, Some(600), Some(600))), Completeness::Incomplete),
            (
                "some, and the search cannot count",
                again(98_000, figures(99_000, Some(10_000), Some(100_000))),
                Completeness::Incomplete,
            ),
            (
                "a second read needs no parts",
                Counts { shortfall: 3, ..again(597, figures(600, Some(600), None)) },
                Completeness::Complete,
            ),
        ];
        for (what, figures, verdict) in cases {
            assert_eq!(figures.completeness(), verdict, "{what}: {figures:?}");
        }
    }
}
