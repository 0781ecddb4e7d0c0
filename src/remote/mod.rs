//! The outside services, each behind a small client: what is known of a service's API is known here and nowhere else.
//!
//! `http` sends one request and repeats it where `retry` says that this is safe; `pace` keeps below the service's limit;
//! `error` says what went wrong so that both a program and a person can act on it. The clients build on these four, take
//! their base address and credentials as arguments, keep their wire types private and hand out [`crate::model`] values.

pub mod error;
pub mod http;
pub mod intercom;
pub mod pace;
mod request;
pub mod retry;
pub mod slack;
pub mod zoho;

#[cfg(test)]
mod script;
