//! Stand-ins: figures that the workspace already has, and that could replace a missing pushed figure.

use crate::rules::attributes::Attributes;
use crate::rules::source::{ContactView, Source};

/// A figure that could stand in until the product pushes the missing one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meanwhile {
    /// The available attribute, or two.
    pub have: &'static str,
    /// The included contacts that lack the pushed figure and have the stand-in.
    pub contacts: usize,
    /// The line of `[attributes.fallback]` that uses the stand-in.
    pub setting: &'static str,
}

/// The known stand-ins: the pushed figure, its stand-in, the line of the configuration, and the attributes behind it.
const STAND_INS: [(&str, &str, &str, &str); 2] = [
    (
        "days_since_last_login",
        "days_since_last_seen",
        // The pushed figure freezes while a person stays away.
        "days_since_last_login = { from = \"days_since_last_seen\", when = \"larger\" } # or \"missing\": only if there is none",
        "Intercom's own last_seen_at",
    ),
    (
        "storage_percent",
        "storage_percent_computed",
        "storage_percent = { from = \"storage_percent_computed\", when = \"missing\" }",
        "storage_used_mb with storage_limit_mb",
    ),
];

/// A pushed figure, its stand-in, and the number of contacts for which it would stand in.
#[derive(Debug, Clone)]
pub(super) struct StandIn {
    pub pushed: Source,
    from: Source,
    setting: &'static str,
    have: &'static str,
    pub fills: usize,
}

impl StandIn {
    /// Returns the stand-ins that the configuration does not use yet.
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
