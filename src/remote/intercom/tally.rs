//! The tally of a walk: the contacts that came, and the counts to compare them with.

use std::collections::HashSet;

use super::completeness::{Counts, Second};
use super::page::SearchPage;
use super::part_walk::PartWalk;
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

    /// Begins the second read.
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

    /// Notes the last page of a part.
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

    /// Whether an id came already.
    fn has(&self, id: &str) -> bool {
        packed(id).map_or_else(|| self.other.contains(id), |id| self.short.contains(&id))
    }

    /// The number of different ids.
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
}
