//! For how many contacts an attribute could be read: what tells an outage of the data from a change of the customers.

use super::attribute::Date;

/// What one run saw of one attribute. Only runs that read the whole workspace have something to say here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// Contacts with a value that could be read as the attribute's type.
    pub readable: usize,
    /// Contacts read.
    pub scanned: usize,
    /// The latest value, without those after the run's instant; kept for `last_seen_at` only.
    pub newest: Option<Date>,
    /// It fell, and a person said with `--accept` that this is right: earlier runs are no measure any more.
    pub accepted: bool,
}

impl Share {
    /// In percent. Of no contacts at all, none: a search that suddenly finds nobody is an outage too.
    pub fn percent(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts of contacts are far below 2^53")]
        let of = |count: usize| count as f64;
        if self.scanned == 0 { 0.0 } else { of(self.readable) * 100.0 / of(self.scanned) }
    }
}
