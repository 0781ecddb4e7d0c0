//! HTTP with one service: requests are paced, retried where a retry is safe, and end with an answer or a [`RemoteError`].
//!
//! [`RemoteError`]: super::error::RemoteError

mod client;
mod options;
mod request;
mod secrets;
mod send;

pub use client::Client;
pub use options::{Help, Options, Timing};
pub use request::{Body, Expect, Explanation, HttpAnswer, Request, explain_text};
pub use secrets::secret_value;

#[cfg(test)]
mod tests;
