//! Calendar dates where the sales people are.

use chrono::{DateTime, Days, NaiveDate, Utc};
use jiff::Timestamp;

use super::builder::Builder;
use super::item::Item;
use crate::model::ActionKind;

impl Builder<'_> {
    /// The date a number of days after this run.
    pub(super) fn due_date(&self, days: u32) -> NaiveDate {
        days_after(self.local_date(self.input.as_of), days)
    }

    /// The due date of an item without work in this run, as people know it.
    ///
    /// It is counted from the run that last sent the task, or else the message or another action of the occasion. Where neither was sent, it is counted from
    /// the opening of the occasion; where the ledger has no occasion, from this run.
    pub(super) fn communicated_due_date(&self, item: &Item) -> NaiveDate {
        let Some(occasion) = self.input.known.occasions.iter().find(|known| known.id == item.occasion) else {
            return item.due_date;
        };
        let sent = ActionKind::PER_OCCASION.into_iter().find_map(|kind| occasion.last_done(kind));
        let level = sent.map_or(&occasion.level, |entry| &entry.key.level);
        let since = sent.and_then(|entry| entry.claimed_at).unwrap_or(occasion.id.opened_at);
        let rule = self.input.rules.rules.iter().find(|rule| rule.signal == occasion.id.signal);
        let days = rule.map_or(0, |rule| rule.respond_within_days_at(level));
        days_after(self.local_date(since), days)
    }

    /// The calendar date of an instant in the configured time zone.
    pub(super) fn local_date(&self, at: DateTime<Utc>) -> NaiveDate {
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
