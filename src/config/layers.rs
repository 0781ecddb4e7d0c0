//! A rule or level merged from the configuration file and the built-in rules.

use super::place::Place;
use super::table::Table;
use crate::model::Priority;
use strum::IntoEnumIterator;

const MAX_DAYS: u32 = 3650;

/// The tables that define one rule or level; the file's table comes before the built-in one.
pub(super) struct Layers<'d>(pub Vec<Table<'d>>);

impl<'d> Layers<'d> {
    /// Returns the value of the first table that has one. It reads all tables, so that every mistake is reported.
    pub fn first<T>(&self, read: impl Fn(&Table<'d>) -> Option<T>) -> Option<T> {
        let values: Vec<Option<T>> = self.0.iter().map(read).collect();
        values.into_iter().flatten().next()
    }

    pub fn has(&self, key: &'static str) -> bool {
        self.0.iter().any(|table| table.has(key))
    }

    pub fn place(&self) -> Option<Place> {
        self.0.first().map(Table::place)
    }

    pub fn priority(&self) -> Option<Priority> {
        let choices: Vec<_> = Priority::iter().map(|priority| (priority.name(), priority)).collect();
        self.first(|table| table.choice("priority", &choices)).map(|found| found.value)
    }

    pub fn days(&self) -> Option<u32> {
        let days = self.first(|table| table.count("respond_within_days", 0..=MAX_DAYS));
        days.map(|found| found.value)
    }

    pub fn finish(self) {
        self.0.into_iter().for_each(Table::finish);
    }
}
