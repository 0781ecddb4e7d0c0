//! The only folder that causes effects: claim, perform, close.
//!
//! Every batch is claimed in one committed transaction before its request leaves, and closed with the remote ids after the
//! answer. A batch without an answer stays claimed: it is in doubt, and the next run asks about it before anything else
//! ([`settle()`]). Failures at one sink do not stop the others.

mod circuit_breaker;
mod perform;
mod results;
mod settle;
pub mod sink;
pub mod stop;
mod waiting;

pub use perform::apply;
pub use results::{ActionStatus, Performed, Results};
pub use settle::{MessageInDoubt, Settled, settle};
pub use waiting::longest_news;

/// The three sinks; one that is switched off is not there.
#[derive(Debug)]
pub struct Sinks<T, M, G> {
    /// Zoho tasks.
    pub tasks: Option<T>,
    /// Slack messages.
    pub messages: Option<M>,
    /// Intercom tags.
    pub tags: Option<G>,
}
