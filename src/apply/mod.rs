//! Carries out plans. No other folder causes effects: claim, perform, close.
//!
//! Every batch is claimed in one committed transaction before its request leaves, and closed with the remote ids after the
//! answer. A batch without an answer stays claimed: it is in doubt, and the next run asks about it before anything else
//! ([`settle()`]). Failures at one sink do not stop the others.

mod circuit_breaker;
mod perform;
mod results;
mod settle;
pub mod sink;
mod sinks;
pub mod stop;
mod waiting;

pub use perform::apply;
pub use results::{ActionStatus, Performed, Results};
pub use settle::{Settled, settle};
pub use sinks::Sinks;
