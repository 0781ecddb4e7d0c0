//! The services, each behind a small client. Everything known of a service's API is known here and nowhere else.
//!
//! | file | holds |
//! |---|---|
//! | `request_kind` | the kinds of requests, and what a second sending of each would do |
//! | `ending` | the ways in which one try can end |
//! | `outcomes` | the table: for each kind and ending, whether to retry, and the class of error that the end means |
//! | `retry` | the decision after a try, by that table |
//! | `pace` | the wait that keeps requests below the service's limit |
//! | `http` | sending: paced, retried, with an answer or an error at the end |
//! | `error`, `scrub` | the error and its message for people, without secrets |
//! | `service_status` | the service's clock and limits, by the headers of its answers |
//! | `sinks`, `sink_facts` | the registry of sinks: the facts about each that need no client |
//! | `page_guard` | the end of a loop over pages whose service names no end |
//!
//! The clients build on these. They take base address and credentials as arguments, keep their wire types private, and
//! return values of [`crate::model`] and [`crate::read`].

mod ending;
pub mod error;
pub mod http;
pub mod intercom;
mod outcomes;
mod pace;
mod page_guard;
mod request_kind;
mod retry;
mod scrub;
pub(crate) mod service_status;
pub(crate) mod sink_facts;
pub(crate) mod sinks;
pub(crate) mod slack;
pub(crate) mod zoho;

#[cfg(test)]
mod script;
