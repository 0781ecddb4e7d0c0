//! Carries out plans. No other folder causes effects: claim, perform, close.
//!
//! Every batch is claimed in one committed transaction before its request leaves, and closed with the remote ids after the
//! answer. A batch without an answer stays claimed: it is in doubt. The run asks about it at its end where it can ask
//! (`doubt`), or else the next run before anything else ([`settle()`]). Failures at one sink do not stop the others.

mod circuit_breaker;
mod doubt;
mod perform;
mod results;
mod run;
mod settle;
pub mod sink;
mod sinks;
pub mod stop;
mod waiting;

pub use results::{ActionStatus, Performed, Results};
pub use run::apply;
pub use settle::{Settled, settle};
pub use sinks::Sinks;
