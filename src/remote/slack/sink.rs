//! Slack as the sink of messages: which messages go out together, posting them, and settling those in doubt.

use super::blocks;
use super::client::Slack;
use super::facts::{IN_DIGEST, WEBHOOK};
use super::post::{Letter, Posted};
use crate::apply::sink::{ActionOutcome, Answer, Claim, Receipt, Sink};
use crate::model::Message;

impl Sink for Slack {
    type Order = Message;

    fn batches(&self, orders: Vec<Message>) -> Vec<Vec<Message>> {
        batches(orders, self.channel.is_some(), self.options.max_messages)
    }

    async fn perform(&mut self, batch: &[Message]) -> Vec<ActionOutcome> {
        let suffix = if batch.len() > 1 { IN_DIGEST } else { "" };
        let Some(letter) = Letter::of(batch, self.channel.is_some()) else { return Vec::new() };
        let outcome = match self.post(letter).await {
            Ok(Posted::Bot { channel, ts }) => {
                ActionOutcome::Done(Receipt { remote_id: format!("{channel}/{ts}{suffix}") })
            }
            Ok(Posted::Webhook) => ActionOutcome::Done(Receipt { remote_id: WEBHOOK.to_owned() }),
            Err(error) => error.outcome(),
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
