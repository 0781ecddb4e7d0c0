//! Zoho CRM: the record that a task goes on, and the task.
//!
//! ```text
//! link     contact by e-mail, else lead by e-mail, else a new lead              records, look_up
//! perform  open tasks are brought forward, the others created in one call       tasks
//! settle   which of the tasks exist, by the key in Subject or Description       settle
//! (doctor) whether the settings fit, for a person who checks them               preflight
//! ```
//!
//! All of them go through `calls`, which adds the token from `auth` and judges each record of an answer by itself. Zoho has no
//! key for idempotent requests. A lead is created by upsert on its e-mail and may be repeated. A task is sent once; if its
//! answer is lost, the task is in doubt until [`Sink::settle`](crate::apply::sink::Sink::settle) has looked for it.

mod auth;
mod cache;
mod calls;
mod centre;
mod client;
mod codes;
mod complaint;
mod coql;
mod lead_fields;
mod look_up;
mod preflight;
mod preview;
mod records;
mod service;
mod settle;
mod shared;
mod sink;
mod task_fields;
mod tasks;
mod text;
mod wire;
mod write;

pub use auth::Credentials;
pub use client::{Zoho, ZohoSettings};
pub use preflight::{Granted, Layout, Module, READ_FIELDS, READ_LAYOUTS, READ_USERS, User};
pub use preview::{Preview, foreseen_link, longest_news, preview};
pub use sink::FACTS;

#[cfg(test)]
mod tests;
