//! Posting one message, and the other ways to try where Slack refuses.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::answers::{self, SERVICE, SlackRefusal};
use super::blocks::{self, Layout};
use super::client::{Slack, WEBHOOK};
use super::markup;
use crate::model::{Message, MessageRef};
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{Request, RequestKind};
use crate::remote::outcomes::Again;

/// Marks our messages in their metadata. Every app of the workspace can read metadata, so it holds keys only.
pub(super) const EVENT_TYPE: &str = "usage_signal";
/// The most waits for one message, where Slack asks for a wait in the body of an answer.
const WAITS: u32 = 3;
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A message ready to post, with its key or keys.
pub(super) struct Letter {
    layout: Layout,
    payload: Value,
    thread: Option<MessageRef>,
}

/// A message that is shown instead of posted.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The short keys of its actions: several for a digest.
    pub keys: Vec<String>,
    /// The message as people would read it, as plain text.
    pub page: String,
    pub body: Value,
}

impl Letter {
    /// The letter of a batch: a message of its own, or a digest of several. None for an empty batch.
    pub(super) fn of(batch: &[Message], by_bot: bool) -> Option<Letter> {
        Some(match batch {
            [] => return None,
            [order] => {
                let thread = order.thread.clone().filter(|_| by_bot);
                Letter { layout: blocks::message(order), payload: json!({ "key": order.short }), thread }
            }
            orders => {
                let keys: Vec<&str> = orders.iter().map(|order| order.short.as_str()).collect();
                Letter { layout: blocks::digest(orders), payload: json!({ "keys": keys }), thread: None }
            }
        })
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
                // Without the broadcast only followers of the thread would see the reply. The channel's history would not
                // list it either, and settling looks for its key there.
                body.insert("reply_broadcast".to_owned(), json!(true));
            }
        }
        body
    }
}

impl Preview {
    /// The preview of a batch, posted by a bot to its channel or by a webhook (None). None for an empty batch.
    pub fn of(batch: &[Message], channel: Option<&str>) -> Option<Preview> {
        let letter = Letter::of(batch, channel.is_some())?;
        let keys = batch.iter().map(|order| order.short.clone()).collect();
        let page = markup::as_seen(&letter.layout.text_only);
        Some(Preview { keys, page, body: letter.body(channel, true) })
    }
}

impl Slack {
    /// Posts a message. Each other way that may help is tried once. Returns the place, `channel/ts`, or [`WEBHOOK`]: the
    /// answer of a webhook names no place.
    pub(super) async fn post(&mut self, mut letter: Letter) -> Result<String, RemoteError> {
        let mut with_blocks = true;
        let mut waits = 0;
        loop {
            let SlackRefusal { error, again, wait } = match self.post_once(&letter, with_blocks).await {
                Ok(place) => return Ok(place),
                Err(refusal) => refusal,
            };
            match again {
                Again::AsText if with_blocks => with_blocks = false,
                Again::InChannel if letter.thread.is_some() => letter.thread = None,
                Again::WhenAsked if waits < WAITS && wait <= LONGEST_WAIT => {
                    waits += 1;
                    self.sleep(wait).await?;
                }
                // The HTTP client has already done the retries after a growing wait.
                _ => return Err(error),
            }
            tracing::info!(%error, "posting the message again, or in another form");
        }
    }

    async fn post_once(&mut self, letter: &Letter, with_blocks: bool) -> Result<String, SlackRefusal> {
        if let Some(posted) = self.posted {
            self.sleep(self.options.spacing.saturating_sub(posted.elapsed())).await?;
        }
        let body = letter.body(self.channel.as_deref(), with_blocks);
        let is_bot = self.channel.is_some();
        let path: &[&str] = if is_bot { &["chat.postMessage"] } else { &[] };
        let kind = if is_bot { RequestKind::BotPost } else { RequestKind::WebhookPost };
        let mut request = Request::post(kind, path, &body);
        request.expects_json = is_bot;
        let sent = self.client.send(&request, &self.stop).await;
        self.posted = Some(Instant::now());
        let answer = sent?;
        if !is_bot {
            answers::check_webhook(&self.client, &request, &answer)?;
            return Ok(WEBHOOK.to_owned());
        }
        answers::check_bot(&self.client, &request, &answer)?;
        match serde_json::from_slice::<Place>(&answer.body) {
            Ok(Place { channel, ts }) => Ok(format!("{channel}/{ts}")),
            Err(_) => Err(self.client.unreadable(&request, &answer, "the answer names no channel and ts").into()),
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
