//! Shares: for how many contacts an attribute is readable. A fallen share shows an outage of the data.

use super::attribute::Date;

/// The share of one attribute in one run. Only a run that read the whole workspace has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// Contacts with a value that is readable as the attribute's type.
    pub readable: usize,
    /// Contacts read.
    pub scanned: usize,
    /// The latest value up to the run's instant; kept for `last_seen_at` only.
    pub newest: Option<Date>,
    /// Whether the share fell and a person accepted it with `--accept`. Earlier runs then no longer count.
    pub accepted: bool,
}

impl Share {
    /// The share in percent; 0 of no contacts. A search that suddenly finds nobody is an outage too.
    pub fn percent(&self) -> f64 {
        percent(self.readable, self.scanned)
    }
}

/// The share of a number of contacts in percent; 0 of none.
pub fn percent(part: usize, all: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of contacts are far below 2^53")]
    let of = |count: usize| count as f64;
    if all == 0 { 0.0 } else { of(part) * 100.0 / of(all) }
}
