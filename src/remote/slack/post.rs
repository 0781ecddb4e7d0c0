//! Posting one message, and the other ways to try where Slack refuses.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};
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
    /// The metadata with the key or keys; None where Slack refused them.
    metadata: Option<Value>,
    thread: Option<MessageRef>,
}

/// Where a message was posted.
pub(super) struct Posted {
    /// `channel/ts`, or [`WEBHOOK`]: the answer of a webhook names no place.
    pub(super) place: String,
    /// Whether a reply became a message of its own, because the message to reply to is gone.
    pub(super) is_apart: bool,
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
        let (layout, payload, thread) = match batch {
            [] => return None,
            [order] => (blocks::message(order), json!({ "key": order.short }), order.thread.clone()),
            orders => {
                let keys: Vec<&str> = orders.iter().map(|order| order.short.as_str()).collect();
                (blocks::digest(orders), json!({ "keys": keys }), None)
            }
        };
        let has_key = by_bot && batch.iter().all(|order| !order.without_key);
        let metadata = has_key.then(|| json!({ "event_type": EVENT_TYPE, "event_payload": payload }));
        Some(Letter { layout, metadata, thread: thread.filter(|_| by_bot) })
    }

    fn body(&self, channel: Option<&str>, with_blocks: bool) -> Value {
        let Layout { text, blocks, text_only } = &self.layout;
        let mut body = json!({ "text": text_only, "unfurl_links": false, "unfurl_media": false });
        if with_blocks && let Some(body) = body.as_object_mut() {
            body.insert("text".to_owned(), json!(text));
            body.insert("blocks".to_owned(), json!(blocks));
        }
        if let (Some(channel), Some(body)) = (channel, body.as_object_mut()) {
            body.extend(self.metadata.clone().map(|metadata| ("metadata".to_owned(), metadata)));
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
    /// Posts a message. Each other way that may help is tried once, but for a message without its key: only the caller can
    /// claim one.
    pub(super) async fn post(&mut self, mut letter: Letter) -> Result<Posted, SlackRefusal> {
        let is_reply = letter.thread.is_some();
        let mut with_blocks = true;
        let mut waits = 0;
        loop {
            let refusal = match self.post_once(&letter, with_blocks).await {
                Ok(posted) => {
                    let is_apart = posted.is_apart || (is_reply && letter.thread.is_none());
                    return Ok(Posted { is_apart, ..posted });
                }
                Err(refusal) => refusal,
            };
            let SlackRefusal { error, again, wait } = &refusal;
            let wait = *wait;
            match again {
                Again::AsText if with_blocks => with_blocks = false,
                Again::InChannel if letter.thread.is_some() => letter.thread = None,
                Again::WhenAsked if waits < WAITS && wait <= LONGEST_WAIT => {
                    waits += 1;
                    self.sleep(wait).await?;
                }
                // The HTTP client has already done the retries after a growing wait.
                _ => return Err(refusal),
            }
            tracing::info!(%error, "posting the message again, or in another form");
        }
    }

    async fn post_once(&mut self, letter: &Letter, with_blocks: bool) -> Result<Posted, SlackRefusal> {
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
            return Ok(Posted { place: WEBHOOK.to_owned(), is_apart: false });
        }
        answers::check_bot(&self.client, &request, &answer)?;
        match serde_json::from_slice::<Place>(&answer.body) {
            Ok(Place { channel, ts, message }) => {
                // Slack posts a reply to a deleted message at the top of the channel. A reply shows its thread, and this does not.
                let stands_alone = message.is_some_and(|message| message.get("thread_ts").is_none());
                let is_apart = letter.thread.is_some() && stands_alone;
                Ok(Posted { place: format!("{channel}/{ts}"), is_apart })
            }
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
    #[serde(default)]
    message: Option<Map<String, Value>>,
}
