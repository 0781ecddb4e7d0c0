//! Posting one message, and what to try where Slack says no.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::blocks::{self, Layout};
use super::text;
use super::verdict::{self, Reply};
use super::{SERVICE, Slack};
use crate::model::{Message, MessageRef};
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{Expect, Request};
use crate::remote::outcomes::{Again, RequestKind};

/// The mark of our messages in their metadata, which every app of the workspace can read: keys only.
pub const EVENT_TYPE: &str = "usage_signal";
/// Waits for one message, where Slack says "later" in the body of an answer.
const WAITS: u32 = 3;
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A message to be posted, with its key or keys.
pub struct Letter {
    layout: Layout,
    payload: Value,
    thread: Option<MessageRef>,
}

/// A message that is not posted.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The short keys of the actions that it is about: several for a digest.
    pub keys: Vec<String>,
    /// What people would read, as mere text.
    pub page: String,
    /// What would be sent.
    pub body: Value,
}

/// Proof of a message.
#[derive(Debug)]
pub enum Posted {
    /// Where it is.
    Bot { channel: String, ts: String },
    /// A webhook does not say.
    Webhook,
}

impl Letter {
    pub fn single(order: &Message, as_reply: bool) -> Self {
        let thread = order.thread.clone().filter(|_| as_reply);
        Letter { layout: blocks::message(order), payload: json!({ "key": order.short }), thread }
    }

    pub fn digest(orders: &[Message]) -> Self {
        let keys: Vec<&str> = orders.iter().map(|order| order.short.as_str()).collect();
        Letter { layout: blocks::digest(orders), payload: json!({ "keys": keys }), thread: None }
    }

    fn body(&self, channel: Option<&str>, with_blocks: bool) -> Value {
        let Layout { text, blocks, text_only } = &self.layout;
        let mut body = json!({ "text": text_only, "unfurl_links": false, "unfurl_media": false });
        if with_blocks && let Some(body) = body.as_object_mut() {
            body.insert("text".to_owned(), json!(text));
            body.insert("blocks".to_owned(), json!(blocks));
        }
        if let (Some(channel), Some(body)) = (channel, body.as_object_mut()) {
            let metadata = json!({ "event_type": EVENT_TYPE, "event_payload": self.payload });
            body.insert("metadata".to_owned(), metadata);
            body.insert("channel".to_owned(), json!(channel));
            if let Some(MessageRef { channel, ts }) = &self.thread {
                body.insert("channel".to_owned(), json!(channel));
                body.insert("thread_ts".to_owned(), json!(ts));
                // A mere reply is seen by nobody who does not follow the thread, and is not in the channel's history, where
                // its key would be looked for.
                body.insert("reply_broadcast".to_owned(), json!(true));
            }
        }
        body
    }
}

impl Preview {
    /// Of a batch as [`Slack::perform`](super::Slack) posts it, by a bot to its channel or by a webhook (None).
    pub fn of(batch: &[Message], channel: Option<&str>) -> Preview {
        let letter = match batch {
            [one] => Letter::single(one, channel.is_some()),
            many => Letter::digest(many),
        };
        let keys = batch.iter().map(|order| order.short.clone()).collect();
        Preview { keys, page: text::as_seen(&letter.layout.text_only), body: letter.body(channel, true) }
    }
}

impl Slack {
    /// Posts a message; what may help is tried once each.
    pub(super) async fn post(&mut self, mut letter: Letter) -> Result<Posted, RemoteError> {
        let mut with_blocks = true;
        let mut waits = 0;
        loop {
            let (error, again, wait) = match self.post_once(&letter, with_blocks).await? {
                Ok(posted) => return Ok(posted),
                Err(bad) => bad,
            };
            match again {
                Again::AsText if with_blocks => with_blocks = false,
                Again::InChannel if letter.thread.is_some() => letter.thread = None,
                Again::WhenAsked if waits < WAITS && wait <= LONGEST_WAIT => {
                    waits += 1;
                    self.sleep(wait).await?;
                }
                // The client has sent it again after a wait where that was to be done.
                _ => return Err(error),
            }
            tracing::info!(%error, "message is sent in another way or again");
        }
    }

    async fn post_once(
        &mut self,
        letter: &Letter,
        with_blocks: bool,
    ) -> Result<Result<Posted, (RemoteError, Again, Duration)>, RemoteError> {
        if let Some(posted) = self.posted {
            self.sleep(self.options.spacing.saturating_sub(posted.elapsed())).await?;
        }
        let body = letter.body(self.channel.as_deref(), with_blocks).to_string().into_bytes();
        let is_bot = self.channel.is_some();
        let path: &[&str] = if is_bot { &["chat.postMessage"] } else { &[] };
        let kind = if is_bot { RequestKind::BotPost } else { RequestKind::WebhookPost };
        let mut request = Request::post(kind, path, body);
        request.expect = if is_bot { Expect::Json } else { Expect::Anything };
        let sent = self.client.send(&request, &self.stop).await;
        self.posted = Some(Instant::now());
        let answer = sent?;
        let judge = if is_bot { verdict::of_bot } else { verdict::of_webhook };
        match judge(&self.client, &request, &answer) {
            Reply::Good if is_bot => match serde_json::from_slice::<Place>(&answer.body) {
                Ok(Place { channel, ts }) => Ok(Ok(Posted::Bot { channel, ts })),
                Err(_) => Err(self.client.unreadable(&request, &answer, "the answer names no channel and ts")),
            },
            Reply::Good => Ok(Ok(Posted::Webhook)),
            Reply::Bad { error, again, wait } => Ok(Err((error, again, wait))),
        }
    }

    async fn sleep(&self, pause: Duration) -> Result<(), RemoteError> {
        if pause.is_zero() {
            return Ok(());
        }
        let slept = self.stop.sleep(pause).await;
        slept.map_err(|reason| RemoteError::new(ErrorKind::Stopped(reason), SERVICE, ""))
    }
}

#[derive(Deserialize)]
struct Place {
    channel: String,
    ts: String,
}
