//! The ledger: the record of every occasion, claim and outcome. No other folder contains SQL.
//!
//! One SQLite file holds the ledger of one Intercom workspace. A dry run has a [`LedgerReader`] only; one run at a time has the
//! [`Writer`], behind the [`lock::Lock`]. The SQL is plain (`$1`, `ON CONFLICT`, `RETURNING`), so that a shared PostgreSQL
//! ledger can come later.

mod change;
pub mod check;
mod error;
mod file;
mod history;
pub mod lock;
mod read;
mod remove;
mod schema;
mod statement;
#[cfg(test)]
mod tests;
mod trial;
mod write;

pub use change::Closing;
pub use error::LedgerError;
pub use history::{History, Resolved};
pub use read::LedgerReader;
pub use remove::{Forgotten, Pruned};
pub use trial::try_out;
pub use write::{ManualResolution, RunRecord, Writer};

/// The ledger's file in the state folder.
pub const LEDGER_FILE: &str = "ledger.sqlite";
