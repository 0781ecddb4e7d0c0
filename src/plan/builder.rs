//! The plan in the making: what every decision may look at, the short keys that are given out, and dates where the sales
//! people are.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use jiff::Timestamp;

use super::group::SubjectIndex;
use super::input::Input;
use super::item::Item;
use crate::model::{ActionKey, ActionKind, Change, Date, Entry, Known, Occasion, OccasionId, Reason, State};
use crate::rules::Rule;

pub(super) struct Builder<'a> {
    pub(super) input: &'a Input<'a>,
    /// The contacts that the run kept, by subject.
    pub(super) subject_index: SubjectIndex<'a>,
    /// Observations of signals without an action: true again, or false for the first time.
    pub(super) observations: Vec<Change>,
    pub(super) warnings: BTreeSet<String>,
    /// The signals of the rules that a data outage pauses.
    paused: BTreeSet<String>,
    short_keys: BTreeSet<String>,
    /// The contacts of open occasions, each with the signal.
    concerned: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(input: &'a Input<'a>, paused: BTreeSet<String>) -> Self {
        Builder {
            input,
            subject_index: SubjectIndex::of(input.sightings, input.facts),
            observations: Vec::new(),
            warnings: BTreeSet::new(),
            paused,
            short_keys: input.known.shorts.clone(),
            concerned: concerned(input.known),
        }
    }

    pub(super) fn is_paused(&self, rule: &Rule) -> bool {
        self.paused.contains(&rule.signal)
    }

    /// Whether an open occasion of the signal concerns the contact.
    pub(super) fn is_concerned(&self, signal: &str, contact: &str) -> bool {
        self.concerned.contains(&(signal, contact))
    }

    pub(super) fn sink_on(&self, key: &ActionKey) -> bool {
        self.input.sinks.contains(&key.kind.sink())
    }

    /// A new entry for the ledger, with a short key that no other entry has.
    pub(super) fn entry(&mut self, id: &OccasionId, key: &ActionKey, state: State, reason: Reason) -> Entry {
        let short = free_short_key(&self.short_keys, self.input.workspace, id, key);
        self.short_keys.insert(short.clone());
        Entry {
            key: key.clone(),
            short,
            state,
            reason,
            prior: None,
            remote_id: None,
            error: None,
            claimed_at: None,
            sent_to: None,
            closed_at: (state != State::Planned).then_some(self.input.as_of),
            may_repeat: false,
        }
    }
}

impl Builder<'_> {
    /// The date a number of days after this run.
    pub(super) fn due_date(&self, days: u32) -> NaiveDate {
        days_after(self.local_date(self.input.as_of), days)
    }

    /// The due date of an item without work in this run, as people know it.
    ///
    /// It is counted from the run that last sent the task, or else the message or another action of the occasion. Where neither
    /// was sent, it is counted from the opening of the occasion; where the ledger has no occasion, from this run.
    pub(super) fn communicated_due_date(&self, item: &Item) -> NaiveDate {
        let Some(occasion) = self.input.known.occasions.iter().find(|known| known.id == item.occasion) else {
            return item.due_date;
        };
        let sent = ActionKind::per_occasion().find_map(|kind| occasion.last_done(kind));
        let level = sent.map_or(&occasion.level, |entry| &entry.key.level);
        let since = sent.and_then(|entry| entry.claimed_at).unwrap_or(occasion.id.opened_at);
        let rule = self.input.rules.rule(&occasion.id.signal);
        let days = rule.map_or(0, |rule| rule.respond_within_days_at(level));
        days_after(self.local_date(since), days)
    }

    /// The calendar date of an instant in the configured time zone.
    pub(super) fn local_date(&self, at: Date) -> NaiveDate {
        let local = Timestamp::from_second(at.timestamp()).map(|instant| {
            let date = self.input.settings.timezone.to_datetime(instant).date();
            NaiveDate::from_ymd_opt(
                i32::from(date.year()),
                date.month().unsigned_abs().into(),
                date.day().unsigned_abs().into(),
            )
        });
        local.ok().flatten().unwrap_or_else(|| at.date_naive())
    }
}

fn days_after(date: NaiveDate, days: u32) -> NaiveDate {
    date.checked_add_days(Days::new(u64::from(days))).unwrap_or(date)
}

fn concerned<'known>(known: &'known Known) -> BTreeSet<(&'known str, &'known str)> {
    let open = known.occasions.iter().filter(|occasion| occasion.is_open());
    let contacts = |occasion: &'known Occasion| {
        occasion.contacts.iter().map(|contact| (occasion.id.signal.as_str(), contact.as_str()))
    };
    open.flat_map(contacts).collect()
}

/// The shortest form of the key that is free, from eight characters on.
fn free_short_key(taken: &BTreeSet<String>, workspace: &str, id: &OccasionId, key: &ActionKey) -> String {
    let of_length = |digits| key.short(workspace, &id.signal, &id.subject, id.opened_at, digits);
    // The hash has 32 characters. A collision of all of them does not happen.
    (8..32).map(of_length).find(|short| !taken.contains(short)).unwrap_or_else(|| of_length(32))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::model::{ActionKind, Subject, SubjectKind};

    #[test]
    fn a_short_key_that_is_taken_is_lengthened() {
        let subject = Subject { kind: SubjectKind::Account, id: "acme".into() };
        let opened_at = DateTime::from_timestamp(0, 0).unwrap();
        let id = OccasionId { signal: "storage_limit".into(), subject, opened_at };
        let key = ActionKey { kind: ActionKind::Task, level: String::new(), contact: String::new() };
        let first = free_short_key(&BTreeSet::new(), "w", &id, &key);
        assert_eq!(first.len(), "US-".len() + 8);
        let second = free_short_key(&BTreeSet::from([first.clone()]), "w", &id, &key);
        assert_eq!(second.len(), first.len() + 1);
        assert!(second.starts_with(&first));
    }
}
