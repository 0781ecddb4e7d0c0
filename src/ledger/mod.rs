//! Our record of what was claimed and done: the only folder with SQL.
//!
//! One embedded SQLite file for one Intercom workspace. A [`Reader`] is all that a dry run holds; a [`Writer`] is held by one
//! run at a time, behind the [`lock::Lock`]. The SQL is plain (`$1`, `ON CONFLICT`, `RETURNING`) so that a shared PostgreSQL
//! ledger can come later.

mod check;
mod error;
pub mod lock;
mod read;
mod schema;
mod write;

pub use check::check;
pub use error::LedgerError;
pub use read::{OpenClaim, Reader, open_claims};
pub use schema::VERSION;
pub use write::{Closing, RunRecord, Writer};

/// The ledger's file in the state folder.
pub const LEDGER_FILE: &str = "ledger.sqlite";
