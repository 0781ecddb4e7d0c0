//! A walk over all contacts: in one part where they are few, else in many that are read at the same time.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::client::{HELP, Intercom, Paging, SERVICE};
use super::completeness::{Completeness, Counts, Second};
use super::page::SearchPage;
use super::parts::{Part, Span};
use super::seen_ids::SeenIds;
use crate::model::Contact;
use crate::read::{Page, Pages};
use crate::remote::error::{ErrorKind, RemoteError};

/// Up to so many pages are read one after the other.
const FEW_PAGES: u64 = 8;
/// Contacts aimed at in a part: so many pages have to be read one after the other. Up to half as many more are not worth a cut,
/// and a day of one role cannot be cut.
const MOST_IN_PART: u64 = 3000;

/// Pages in a row without anybody new, before a search is taken for an endless one. A few are no harm: contacts that were
/// changed between two pages come twice.
const MOST_BARREN: u32 = 20;

/// A walk over all contacts.
///
/// The first page says how many there are. Where that is many, they are cut into parts; the first page of each part counts
/// it, and a part that is still too large is cut again. In the end what came is held against what Intercom counts
/// (`Counts`); where contacts are missing, everything is read once more in one part.
#[derive(Debug)]
pub struct Walk {
    intercom: Intercom,
    wanted: Arc<BTreeSet<String>>,
    waiting: Vec<PartWalk>,
    under_way: JoinSet<(PartWalk, Result<SearchPage, RemoteError>)>,
    span: Option<Span>,
    most_in_part: u64,
    seen: SeenIds,
    /// Contacts without an id: they cannot be told apart.
    nameless: u64,
    /// When the first page of the first read was answered, in Unix seconds.
    began_at: Option<i64>,
    /// Contacts that came though they were created after that.
    created_since: u64,
    /// How many the search counts for all.
    searched: Option<u64>,
    /// How many the workspace lists; asked only where there are many.
    listed: Option<u64>,
    counting: JoinSet<Option<u64>>,
    /// How many fewer than they counted the parts showed.
    shortfall: u64,
    /// While everything is read once more, and after that.
    second: Option<Second>,
    doubt: Option<String>,
}

/// A part, and how far it was read.
#[derive(Debug)]
struct PartWalk {
    /// None where the contacts of another query are read, which is never cut.
    part: Option<Part>,
    query: Value,
    cursor: Option<String>,
    cursors: HashSet<String>,
    pages: u64,
    /// Pages in a row that showed nobody new.
    barren: u32,
    /// How many contacts its first page counted.
    total: Option<u64>,
    /// How many its pages showed.
    shown: u64,
}

impl PartWalk {
    fn new(part: Option<Part>, query: Value) -> Self {
        PartWalk { part, query, cursor: None, cursors: HashSet::new(), pages: 0, barren: 0, total: None, shown: 0 }
    }

    fn of(part: Part) -> Self {
        PartWalk::new(Some(part), part.query())
    }

    /// Contacts that are still to come, as far as it is known.
    fn left(&self) -> Option<u64> {
        self.total.map(|total| total.saturating_sub(self.shown))
    }
}

impl Intercom {
    /// A walk over all contacts, keeping the attributes named in `wanted`.
    pub fn pages(&self, wanted: &BTreeSet<String>) -> Walk {
        self.walk(PartWalk::of(Part::ALL), wanted)
    }

    /// A walk over the contacts that carry a tag; one that was put on just now may not be known to the search yet.
    pub fn pages_with_tag(&self, tag_id: &str, wanted: &BTreeSet<String>) -> Walk {
        let carriers = json!({ "field": "tag_id", "operator": "=", "value": tag_id });
        self.walk(PartWalk::new(None, carriers), wanted)
    }

    fn walk(&self, first: PartWalk, wanted: &BTreeSet<String>) -> Walk {
        Walk {
            intercom: self.clone(),
            wanted: Arc::new(wanted.clone()),
            waiting: vec![first],
            under_way: JoinSet::new(),
            span: None,
            most_in_part: 0,
            seen: SeenIds::default(),
            nameless: 0,
            began_at: None,
            created_since: 0,
            searched: None,
            listed: None,
            counting: JoinSet::new(),
            shortfall: 0,
            second: None,
            doubt: None,
        }
    }
}

impl Pages for Walk {
    type Error = RemoteError;

    /// The next page; None after the last one. A contact comes once, whatever the search does. Pages come in the order in
    /// which they arrive. After an error the walk is over.
    async fn next(&mut self) -> Result<Option<Page>, RemoteError> {
        loop {
            self.start();
            let Some(joined) = self.under_way.join_next().await else {
                if self.is_whole().await? {
                    return Ok(None);
                }
                continue;
            };
            // Only a panic in a task ends here, and there is none in what it does.
            let (reading, found) = joined.map_err(|_| bad_answer("reading a page broke off"))?;
            let found = found?;
            let place = place(&reading);
            let cut = self.go_on(reading, &found)?;
            let mut page = found.into_page(&mut self.seen, place);
            if cut || self.second.is_some() {
                // They come again, or came already.
                page.undecodable.retain(|broken| broken.id.is_some());
            }
            let nameless = page.undecodable.iter().filter(|broken| broken.id.is_none()).count();
            self.nameless += u64::try_from(nameless).unwrap_or(0);
            let began_at = self.began_at.unwrap_or(i64::MAX);
            let is_since = |contact: &&Contact| contact.created_at.is_some_and(|at| at.timestamp() > began_at);
            let since = page.contacts.iter().filter(is_since).count();
            self.created_since += u64::try_from(since).unwrap_or(0);
            return Ok(Some(page));
        }
    }

    /// How many contacts there are, as far as it is known yet.
    fn expected(&self) -> Option<u64> {
        self.listed.or(self.searched)
    }

    /// What is odd about the walk though it counts as whole, in words.
    fn doubt(&self) -> Option<&str> {
        self.doubt.as_deref()
    }

    /// Sends as many requests as may be under way, those first that have most before them (or do not know). [`Pages::next`]
    /// does it too; before that there is one request, for the first page.
    fn start(&mut self) {
        while self.under_way.len() < self.intercom.at_once() {
            let longest = self.waiting.iter().enumerate().max_by_key(|(_, reading)| reading.left().unwrap_or(u64::MAX));
            let Some(longest) = longest.map(|(place, _)| place) else { return };
            let reading = self.waiting.swap_remove(longest);
            let (intercom, wanted) = (self.intercom.clone(), Arc::clone(&self.wanted));
            self.under_way.spawn(async move {
                let found = intercom.search(&reading.query, reading.cursor.as_deref(), &wanted).await;
                (reading, found)
            });
        }
    }
}

impl Walk {
    /// What is to be read after a page: the part's next one, or the pieces that the part is cut into (true).
    fn go_on(&mut self, mut reading: PartWalk, found: &SearchPage) -> Result<bool, RemoteError> {
        reading.pages += 1;
        reading.shown += u64::try_from(found.contacts.len() + found.undecodable.len()).unwrap_or(0);
        if reading.pages == 1 {
            reading.total = found.total;
            if reading.part == Some(Part::ALL) {
                self.began(found);
            }
        }
        let Some(next) = found.next.clone() else {
            match &mut self.second {
                Some(second) => second.shown = reading.shown,
                None if reading.part.is_some() => self.shortfall += reading.left().unwrap_or(0),
                None => {}
            }
            return Ok(false);
        };
        if reading.pages == 1
            && let Some(part) = reading.part
            && let Some(pieces) = self.pieces(part, found)
        {
            self.waiting.extend(pieces.into_iter().map(PartWalk::of));
            return Ok(true);
        }
        if !reading.cursors.insert(next.clone()) {
            let message = "the search named the same cursor again: its pages have no end";
            return Err(bad_answer(message));
        }
        let is_new = |id: &str| !self.seen.has(id);
        // When all are read once more, most of them are known. Who could not be read is not known by that.
        let brings_news = self.second.is_some()
            || found.contacts.iter().any(|contact| is_new(&contact.id))
            || found.undecodable.iter().any(|broken| broken.id.as_deref().is_none_or(is_new));
        reading.barren = if brings_news { 0 } else { reading.barren + 1 };
        if reading.barren >= MOST_BARREN {
            return Err(bad_answer("the search shows the same contacts again and again: its pages have no end"));
        }
        reading.cursor = Some(next);
        self.waiting.push(reading);
        Ok(false)
    }

    /// The first page of all contacts came, of the first or of the second read.
    fn began(&mut self, found: &SearchPage) {
        self.searched = found.total;
        // A second read counts whoever came by then: those created since the first began are among them.
        self.began_at = found.answered_at.filter(|_| self.second.is_none());
        self.created_since = 0;
        if self.second.is_none() && found.total.is_some_and(|total| total > self.few()) {
            let intercom = self.intercom.clone();
            self.counting.spawn(async move { intercom.listed().await });
        }
    }

    /// So many contacts are read one page after the other.
    fn few(&self) -> u64 {
        FEW_PAGES.saturating_mul(self.intercom.0.paging.per_page.into())
    }

    /// The pieces of a part whose first page counts too many.
    fn pieces(&mut self, part: Part, found: &SearchPage) -> Option<Vec<Part>> {
        let Paging { per_page, at_once } = self.intercom.0.paging;
        let (per_page, total) = (u64::from(per_page), found.total?);
        if at_once < 2 || self.second.is_some() {
            return None;
        }
        if part == Part::ALL {
            if total <= self.few() {
                return None;
            }
            self.span = found.oldest().zip(found.answered_at).map(|(oldest, newest)| Span { oldest, newest });
            // A few more parts than requests under way, so that none is left alone with the longest part.
            let at_once = u64::try_from(at_once).unwrap_or(u64::MAX);
            let even = total / (at_once + at_once / 4);
            self.most_in_part = even.min(MOST_IN_PART).max(2 * per_page);
            return part.split(total, self.most_in_part, self.span?);
        }
        if total <= self.most_in_part + self.most_in_part / 2 {
            return None;
        }
        part.split(total, self.most_in_part, self.span?)
    }

    /// Whether everything came. Where contacts are missing, they are all asked for once more, one page after the other.
    async fn is_whole(&mut self) -> Result<bool, RemoteError> {
        while let Some(listed) = self.counting.join_next().await {
            self.listed = listed.ok().flatten();
        }
        if self.counts().completeness() != Completeness::Complete
            && let Some(before) = self.listed
            && let Some(now) = self.intercom.listed().await
        {
            // Contacts that were deleted meanwhile are not missing.
            self.listed = Some(before.min(now));
            self.searched = self.searched.map(|searched| searched.min(now));
            self.shortfall = self.shortfall.saturating_sub(before.saturating_sub(now));
        }
        let counts = self.counts();
        let Counts { came, searched, listed, second, .. } = counts;
        let counted = listed.max(searched).unwrap_or(came);
        match counts.completeness() {
            Completeness::Complete => Ok(true),
            Completeness::InDoubt => {
                let why = match second {
                    Some(second) if second.before == came => "read twice, they were the same ones",
                    _ => "that is as many as its search counts, which learns of new ones some minutes late",
                };
                self.doubt = Some(format!("Intercom counts {counted} contacts and shows {came}; {why}"));
                Ok(true)
            }
            Completeness::ReadAgain => {
                tracing::warn!(contacts = came, counted, "contacts are missing; all are read once more, in one part");
                self.second = Some(Second { before: came, shown: 0 });
                self.waiting.push(PartWalk::of(Part::ALL));
                Ok(false)
            }
            Completeness::Incomplete => Err(bad_answer(&format!(
                "it counts {counted} contacts; {} came at first, and {came} with all read once more",
                second.map_or(came, |second| second.before)
            ))),
        }
    }

    fn counts(&self) -> Counts {
        Counts {
            came: (self.seen.len() + self.nameless).saturating_sub(self.created_since),
            searched: self.searched,
            listed: self.listed,
            shortfall: self.shortfall,
            second: self.second,
        }
    }
}

impl Intercom {
    /// How many contacts the workspace lists; None where that cannot be learnt, which is no reason to end a walk.
    async fn listed(&self) -> Option<u64> {
        let counted = self.count().await;
        counted.unwrap_or_else(|error| {
            tracing::warn!("how many contacts the workspace lists is not known: {error}");
            None
        })
    }
}

fn bad_answer(message: &str) -> RemoteError {
    RemoteError::new(ErrorKind::BadAnswer, SERVICE, message).with_help(HELP.unreachable)
}

/// Where a page stood, for people.
fn place(reading: &PartWalk) -> String {
    let page = reading.pages + 1;
    match reading.part.filter(|part| *part != Part::ALL) {
        Some(part) => format!("on page {page} of {part}"),
        None => format!("on page {page}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::intercom::tests::intercom;
    use crate::remote::script::{Reply, Script};

    fn page(ids: &str, next: Option<&str>) -> Reply {
        let contacts: Vec<String> = ids.split(' ').map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
        let next = next.map_or("null".to_owned(), |cursor| format!(r#"{{"page":2,"starting_after":"{cursor}"}}"#));
        Reply::json(&format!(
            r#"{{"type":"list","data":[{}],"total_count":3,"pages":{{"per_page":"150","next":{next}}}}}"#,
            contacts.join(",")
        ))
    }

    async fn ids(pages: &mut Walk) -> Result<Option<Vec<String>>, RemoteError> {
        let page = pages.next().await?;
        Ok(page.map(|page| page.contacts.into_iter().map(|contact| contact.id).collect()))
    }

    #[tokio::test]
    async fn pages_follow_the_cursor_in_the_body_and_a_contact_comes_once() {
        let same = "63a07ddf05a32042dffac965";
        let script = Script::play([page(&format!("1 {same}"), Some("c1")), page(&format!("{same} 2"), None)]).await;
        let mut pages = intercom(&script).pages(&BTreeSet::new());
        assert_eq!(ids(&mut pages).await.unwrap(), Some(vec!["1".to_owned(), same.to_owned()]));
        assert_eq!(ids(&mut pages).await.unwrap(), Some(vec!["2".to_owned()]));
        assert_eq!(ids(&mut pages).await.unwrap(), None);
        let asked = script.requests();
        assert_eq!(asked.len(), 2);
        assert_eq!(asked[0].line, "POST /contacts/search HTTP/1.1");
        assert!(asked[0].head.contains("intercom-version: 2.15"), "{}", asked[0].head);
        let expected = json!({
            "query": { "field": "created_at", "operator": ">", "value": 0 },
            "sort": { "field": "created_at", "order": "ascending" },
            "pagination": { "per_page": 150 },
        });
        assert_eq!(serde_json::from_str::<serde_json::Value>(&asked[0].body).unwrap(), expected);
        assert!(asked[1].body.contains(r#""starting_after":"c1""#), "{}", asked[1].body);
    }

    #[tokio::test]
    async fn contacts_created_during_a_read_do_not_make_up_for_missing_ones() {
        let created = |id: &str, at: i64| format!(r#"{{"id":"{id}","created_at":{at}}}"#);
        let page = |contacts: &[String], next: &str| {
            let contacts = contacts.join(",");
            Reply::json(&format!(r#"{{"data":[{contacts}],"total_count":3,"pages":{{"next":{next}}}}}"#))
                .header("Date", "Sat, 20 Dec 2025 06:00:00 GMT")
        };
        let (old, new) = (1_700_000_000, 1_800_000_000);
        let more = r#"{"starting_after":"c1"}"#;
        let first = [page(&[created("1", old)], more), page(&[created("2", old), created("4", new)], "null")];
        let all = [created("1", old), created("2", old), created("3", old), created("4", new)];
        let script = Script::play(first.into_iter().chain([page(&all, "null")])).await;
        let mut pages = intercom(&script).pages(&BTreeSet::new());
        let mut came = Vec::new();
        while let Some(ids) = ids(&mut pages).await.unwrap() {
            came.extend(ids);
        }
        assert_eq!(came, ["1", "2", "4", "3"]);
        assert_eq!((script.requests().len(), pages.doubt()), (3, None));
    }

    #[tokio::test]
    async fn a_cursor_that_comes_again_is_an_error() {
        let script = Script::play([page("1", Some("c1")), page("2", Some("c2")), page("3", Some("c1"))]).await;
        let mut pages = intercom(&script).pages(&BTreeSet::new());
        assert!(ids(&mut pages).await.is_ok());
        assert!(ids(&mut pages).await.is_ok());
        let error = ids(&mut pages).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadAnswer, "{error}");
    }

    #[tokio::test]
    async fn the_same_contacts_under_ever_new_cursors_are_an_error() {
        let script = Script::play((0..30).map(|number| page("1 2", Some(&format!("c{number}"))))).await;
        let mut pages = intercom(&script).pages(&BTreeSet::new());
        let error = loop {
            match ids(&mut pages).await {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind, ErrorKind::BadAnswer, "{error}");
        assert_eq!(script.requests().len(), 21);
    }

    #[tokio::test]
    async fn a_bad_contact_loses_neither_its_page_nor_its_name() {
        let script = Script::play([Reply::json(
            r#"{"data":[{"id":"1"},{"id":"2","name":"\ud800"},7,{"id":"3"}],"total_count":"4","pages":null}"#,
        )])
        .await;
        let mut pages = intercom(&script).pages(&BTreeSet::new());
        let page = pages.next().await.unwrap().unwrap();
        assert_eq!(page.contacts.iter().map(|contact| contact.id.as_str()).collect::<Vec<_>>(), ["1", "3"]);
        let broken: Vec<_> = page.undecodable.iter().map(|broken| broken.id.as_deref()).collect();
        assert_eq!(broken, [Some("2"), None]);
    }

    #[tokio::test]
    async fn an_empty_answer_is_asked_for_again_and_an_empty_workspace_is_fine() {
        let empty = include_str!("../../../fixtures/intercom-examples/search-empty.json");
        let script = Script::play([Reply::json(""), Reply::json(empty)]).await;
        let mut pages = intercom(&script).pages(&BTreeSet::new());
        let page = pages.next().await.unwrap().unwrap();
        assert!(page.contacts.is_empty() && page.undecodable.is_empty());
        assert_eq!(pages.next().await.unwrap(), None);
        assert_eq!(script.requests().len(), 2);
    }

    #[tokio::test]
    async fn a_page_that_ends_in_the_middle_is_asked_for_again() {
        let cut = r#"{"data":[{"id":"1"},{"id":"2"}],"total_count":2,"pages":{"next":nu"#;
        let script = Script::play([Reply::json(cut), page("1 2 3", None)]).await;
        let mut pages = intercom(&script).pages(&BTreeSet::new());
        assert_eq!(ids(&mut pages).await.unwrap().unwrap().len(), 3);
        assert_eq!(script.requests().len(), 2);
    }

    #[tokio::test]
    async fn an_answer_without_a_list_is_no_empty_page() {
        let script = Script::play([Reply::json(r#"{"message":"welcome"}"#)]).await;
        let error = intercom(&script).pages(&BTreeSet::new()).next().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadAnswer, "{error}");
    }
}
