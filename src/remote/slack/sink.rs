//! Slack as the sink of messages: which messages go out together, posting them, and settling those in doubt.

use std::time::Duration;

use super::answers::SlackRefusal;
use super::blocks;
use super::client::{IN_DIGEST, Slack, WEBHOOK};
use super::post::{Letter, Posted};
use crate::apply::sink::{ActionOutcome, Answer, Claim, Sink};
use crate::model::{ActionKind, Message, MessageRef};
use crate::remote::outcomes::Again;
use crate::remote::sink_facts::{SinkFacts, WrongId};

pub const FACTS: SinkFacts = SinkFacts { place, url: |_, _| None, check_remote_id };

/// Where a message is, as far as its remote id says so.
fn place(remote_id: &str) -> String {
    match (MessageRef::from_remote_id(remote_id), remote_id.strip_suffix(IN_DIGEST)) {
        (Some(MessageRef { channel, ts }), _) => format!("in channel {channel}, ts {ts}"),
        (None, Some(digest)) => format!("in a digest, {digest}"),
        (None, None) => format!("by {WEBHOOK}"),
    }
}

fn check_remote_id(id: &str) -> Result<(), WrongId> {
    if MessageRef::from_remote_id(id).is_some() {
        return Ok(());
    }
    Err(WrongId {
        message: format!("{id:?} is not the id of a {}", ActionKind::Message.label()),
        help: "give the channel's id and the message's ts, such as C0123456789/1766210400.000100",
    })
}

impl Sink for Slack {
    type Order = Message;

    fn batches(&self, orders: Vec<Message>) -> Vec<Vec<Message>> {
        batches(orders, self.channel.is_some(), self.options.max_messages)
    }

    async fn perform(&mut self, batch: &[Message]) -> Vec<ActionOutcome> {
        let suffix = if batch.len() > 1 && self.channel.is_some() { IN_DIGEST } else { "" };
        let Some(letter) = Letter::of(batch, self.channel.is_some()) else { return Vec::new() };
        let outcome = match self.post(letter).await {
            Ok(Posted { place, is_apart: false }) => ActionOutcome::Done(place + suffix),
            Ok(Posted { place, is_apart: true }) => ActionOutcome::DoneApart(place + suffix),
            Err(SlackRefusal { error, again: Again::WithoutKey, .. }) => ActionOutcome::KeyRefused(error.failure()),
            Err(SlackRefusal { error, .. }) => error.outcome(),
        };
        vec![outcome; batch.len()]
    }

    async fn settle(&mut self, claims: &[Claim]) -> Vec<Answer> {
        match self.channel.clone() {
            Some(channel) => self.look_up(&channel, claims).await,
            None => vec![Answer::CannotTell; claims.len()],
        }
    }

    fn address(&self) -> Option<&str> {
        Some(self.channel.as_deref().unwrap_or(WEBHOOK))
    }

    fn settles_after(&self) -> Option<Duration> {
        self.channel.is_some().then_some(self.options.look_up_after)
    }
}

/// Groups messages for posting: single ones up to the limit, replies by themselves, and the rest in digests. Only a bot knows
/// the messages that it can reply to.
///
/// A message with news of its task must already have the longest form of the news, because a digest must not grow after it
/// was cut.
pub fn batches(orders: Vec<Message>, by_bot: bool, max_messages: usize) -> Vec<Vec<Message>> {
    let mut batches = Vec::new();
    // Messages for the next digests.
    let mut waiting = Vec::new();
    for order in orders {
        if (by_bot && order.thread.is_some()) || batches.len() < max_messages {
            batches.extend(digests(std::mem::take(&mut waiting)));
            batches.push(vec![order]);
        } else {
            waiting.push(order);
        }
    }
    batches.extend(digests(waiting));
    batches
}

fn digests(mut orders: Vec<Message>) -> Vec<Vec<Message>> {
    let mut digests = Vec::new();
    while !orders.is_empty() {
        let rest = orders.split_off(blocks::fits_digest(&orders).min(orders.len()));
        digests.push(std::mem::replace(&mut orders, rest));
    }
    digests
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_id_says_where_a_message_is() {
        assert_eq!(place("C1/1766210400.000100"), "in channel C1, ts 1766210400.000100");
        assert_eq!(place("C1/1766210400.000100/digest"), "in a digest, C1/1766210400.000100");
        assert_eq!(place(WEBHOOK), "by webhook");
    }
}
