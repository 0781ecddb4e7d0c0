//! Decides what to do: pure functions from contacts and the ledger's knowledge to a [`Plan`].
//!
//! ```text
//! contacts ─► Sightings ─► groups (contacts that signal together) ─► items with actions and reasons ─► guard ─► Plan
//!                 questions: what must be asked besides ─► Facts ─┘
//! ```
//!
//! `build` goes through the groups, `decide` holds the decision table, and `unseen_occasions` looks after occasions
//! whose signal was not seen. A rule is paused while an attribute that it uses does not arrive (`data_health`). The plan is
//! complete and sorted; a dry run prints the very value that a real run records and applies.

mod actions;
mod build;
mod builder;
mod continuation;
mod data_health;
mod decide;
mod facts;
mod group;
mod guard;
mod input;
mod item;
mod outage;
mod questions;
mod refusals;
mod rendering;
pub mod settings;
mod sightings;
mod snooze;
mod tags;
mod unseen_occasions;

pub use build::build;
pub use facts::{Company, Facts};
pub(crate) use group::group;
pub use input::{Input, Mode, Scope};
pub use item::{Decision, Item, Order, Plan, PlannedAction, Refusal, WAYS_OUT};
pub use outage::{Outage, Symptom};
pub(crate) use questions::{Colleagues, Questions, missing_contacts, unread_contacts};
pub use refusals::RetryRefused;
pub use sightings::{Hit, Sightings};
