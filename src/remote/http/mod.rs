//! HTTP with one service: requests are paced, retried where a retry is safe, and end with an answer or a [`RemoteError`].
//!
//! [`RemoteError`]: super::error::RemoteError

mod client;
mod request;
mod secrets;
mod send;

pub use client::Timing;
pub(super) use client::{Client, Help, Options};
pub(super) use request::{Body, Explanation, HttpAnswer, Request, explain_text};
pub(super) use secrets::{fingerprint, secret_value};

pub(super) use super::request_kind::RequestKind;

#[cfg(test)]
mod tests;
