//! Everything that a plan depends on.

use std::collections::BTreeSet;

use super::facts::Facts;
use super::group::Group;
use super::settings::Settings;
use super::sightings::Sightings;
use crate::model::{Date, Known, Links, Occasion, SinkKind};
use crate::rules::RuleSet;

/// How the run treats new signals.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mode {
    /// `--baseline`: record the signals that hold now as handled.
    pub baseline: bool,
    /// `--allow-large-plan`: the guard lets every plan through.
    pub allow_large_plan: bool,
    /// `--accept`: the signals of rules that a data outage does not pause.
    pub accept: BTreeSet<String>,
}

/// The part of the workspace that this run read and evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// False where the read broke off. Such a run plans nothing new and ends nothing.
    pub complete: bool,
    /// `--only`: these signals; None means all.
    pub signals: Option<BTreeSet<String>>,
    /// `--contact`: these contacts; None means all.
    pub contacts: Option<BTreeSet<String>>,
}

impl Scope {
    /// The whole workspace, all rules.
    pub fn everything() -> Self {
        Scope { complete: true, signals: None, contacts: None }
    }

    /// Whether a signal that was not seen is false. Only a run that read every contact and evaluated every rule can say so.
    pub(super) fn sees_absence(&self) -> bool {
        self.complete && self.signals.is_none() && self.contacts.is_none()
    }

    /// Whether the run decides about a group. With `--contact`, other contacts are read only for the figures of a signal.
    pub(super) fn concerns(&self, group: &Group<'_>) -> bool {
        let Some(contacts) = &self.contacts else { return true };
        group.hits.iter().any(|hit| contacts.contains(&hit.contact.id))
            || group.open.is_some_and(|open| !contacts.is_disjoint(&open.contacts))
    }

    /// Whether the run decides about an occasion.
    pub fn covers(&self, occasion: &Occasion) -> bool {
        self.signals.as_ref().is_none_or(|signals| signals.contains(&occasion.id.signal))
            && self.contacts.as_ref().is_none_or(|contacts| !contacts.is_disjoint(&occasion.contacts))
    }
}

/// Everything that decisions depend on. Equal inputs give equal plans.
#[derive(Debug, Clone)]
pub struct Input<'a> {
    /// The Intercom workspace.
    pub workspace: &'a str,
    /// The run's instant.
    pub as_of: Date,
    /// The rules.
    pub rules: &'a RuleSet,
    /// The user's settings.
    pub settings: &'a Settings,
    /// How web addresses are made.
    pub links: &'a Links,
    /// The sinks that are on.
    pub sinks: &'a BTreeSet<SinkKind>,
    /// How new signals are treated.
    pub mode: Mode,
    /// The part of the workspace that this run read and evaluated.
    pub scope: Scope,
    /// The contacts that the run kept, with the rules that hold for them.
    pub sightings: &'a Sightings,
    /// The answers to the questions that the sightings raised.
    pub facts: &'a Facts,
    /// The occasions and entries of the ledger.
    pub known: &'a Known,
}
