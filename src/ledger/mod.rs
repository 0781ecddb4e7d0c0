//! Our record of what was claimed and done: the only folder with SQL.
//!
//! One embedded SQLite file for one Intercom workspace. A [`LedgerReader`] is all that a dry run holds; a [`Writer`] is held by one
//! run at a time, behind the [`lock::Lock`]. The SQL is plain (`$1`, `ON CONFLICT`, `RETURNING`) so that a shared PostgreSQL
//! ledger can come later.

mod change;
pub mod check;
mod error;
mod file;
mod forget;
mod history;
pub mod lock;
mod prune;
mod read;
mod resolve;
mod schema;
#[cfg(test)]
mod tests;
mod write;

pub use error::LedgerError;
pub use forget::Forgotten;
pub use history::{History, Resolved};
pub use prune::Pruned;
pub use read::{LedgerReader, OpenClaim, open_claims};
pub use resolve::ManualResolution;
pub use write::{Closing, RunRecord, Writer};

/// The ledger's file in the state folder.
pub const LEDGER_FILE: &str = "ledger.sqlite";
