//! The outside services, each behind a small client: what is known of a service's API is known here and nowhere else.
//!
//! `outcomes` is the table of what every ending of every kind of request leads to; `http` sends one request and repeats it
//! where `retry`, which reads that table, says that this is safe; `pace` keeps below the service's limit; `service_status`
//! keeps what headers say of the service itself; `error` says what went wrong so that both a program and a person can act on
//! it. The clients build on these five, take their base address and credentials as arguments, keep their wire types private
//! and hand out [`crate::model`] values.

pub mod error;
mod fingerprint;
pub mod http;
pub mod intercom;
pub mod outcomes;
pub mod pace;
mod request;
pub mod retry;
pub mod service_status;
pub mod slack;
pub mod zoho;

#[cfg(test)]
mod script;
