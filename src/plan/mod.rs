//! Deciding what to do: pure functions from what was seen and what the ledger knows to a [`Plan`].
//!
//! ```text
//! contacts ─► Sightings ─► groups (who signals together) ─► items with actions and reasons ─► guard ─► Plan
//!                 questions: what must still be asked ─► Facts ─┘
//! ```
//!
//! Rules whose data broke off are held (`outage`). The plan is complete and sorted; a dry run prints the very value that a real run records and applies.

mod build;
mod decide;
mod facts;
mod group;
mod guard;
mod item;
mod orders;
mod outage;
mod questions;
pub mod settings;
mod sightings;
mod unseen_occasions;

pub use build::{Input, Mode, Scope, SinksOn, build};
pub use facts::{Company, Facts, tag_key};
pub use group::{Group, group};
pub use guard::{Refusal, WAYS_OUT};
pub use item::{Decision, Item, Order, Plan, PlannedAction};
pub use outage::{Outage, Symptom};
pub use questions::{Colleagues, Questions, missing_contacts, unread_contacts};
pub use sightings::{Hit, Sightings};
