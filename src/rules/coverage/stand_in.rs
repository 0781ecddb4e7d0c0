//! Figures that the workspace has already, and that could stand in for a pushed one.

use crate::rules::attributes::Attributes;
use crate::rules::source::{ContactView, Source};

/// A figure that is there already, and could stand in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meanwhile {
    /// What is there: one or two attributes.
    pub have: &'static str,
    /// Contacts that rules see, and that have it and not the figure itself.
    pub contacts: usize,
    /// The line that uses it, under `[attributes.fallback]` of the configuration.
    pub setting: &'static str,
}

/// What can stand in for a pushed figure: the figure, the line that says so, and what it is worked out from.
const STAND_INS: [(&str, &str, &str, &str); 2] = [
    (
        "days_since_last_login",
        "days_since_last_seen",
        // The pushed figure freezes when people stay away.
        "days_since_last_login = { from = \"days_since_last_seen\", when = \"larger\" } # or \"missing\": only where there is none",
        "Intercom's own last_seen_at",
    ),
    (
        "storage_percent",
        "storage_percent_computed",
        "storage_percent = { from = \"storage_percent_computed\", when = \"missing\" }",
        "storage_used_mb with storage_limit_mb",
    ),
];

/// A pushed figure, what could stand in, and for how many contacts it would.
#[derive(Debug, Clone)]
pub(super) struct StandIn {
    pub pushed: Source,
    from: Source,
    setting: &'static str,
    have: &'static str,
    pub fills: usize,
}

impl StandIn {
    /// Those that no setting uses yet.
    pub fn all(attributes: &Attributes) -> Vec<StandIn> {
        let all = STAND_INS.iter().filter_map(|(name, from, setting, have)| {
            let (pushed, from) = (attributes.source(name)?, attributes.source(from)?);
            (!pushed.has_fallback()).then_some(StandIn { pushed, from, setting, have, fills: 0 })
        });
        all.collect()
    }

    pub fn add(&mut self, view: ContactView<'_>) {
        self.fills += usize::from(self.pushed.read(view).is_err() && self.from.read(view).is_ok());
    }

    /// Returns the stand-in for a report.
    pub fn meanwhile(&self) -> Meanwhile {
        Meanwhile { have: self.have, contacts: self.fills, setting: self.setting }
    }
}
