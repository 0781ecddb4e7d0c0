//! Slack: one message for each signal, the rest in digests, by bot token or incoming webhook.
//!
//! Slack has no key for idempotent posts. So a message is sent once, and it is in doubt if its answer is lost. A bot leaves
//! its key in the message's metadata and can look for it in the channel; a webhook cannot.

mod answers;
mod blocks;
mod client;
mod fragments;
mod markup;
mod post;
mod settle;
mod sink;

pub use client::{Identity, Options, SPACING, Slack, is_channel_id, is_webhook_shaped};
pub use post::Preview;
pub use sink::{FACTS, batches};

#[cfg(test)]
mod tests;
