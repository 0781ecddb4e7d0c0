//! Slack: one message for each signal, the rest in digests, by bot token or incoming webhook.
//!
//! Slack knows no key that would make posting twice harmless, so a message is sent once, and one whose answer did not come is
//! in doubt. A bot leaves its key in the message's metadata and can look it up in the channel; a webhook cannot.

mod blocks;
mod post;
mod settle;
mod text;
mod verdict;

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use crate::apply::sink::{ActionOutcome, Answer, Claim, Receipt, Sink};
use crate::apply::stop::Stop;
use crate::model::Message;
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{self, Client, Help, Request, Timing, secret_value};
use crate::remote::outcomes::RequestKind;
use crate::remote::service_status::ServiceStatus;
pub use post::Preview;
use verdict::Reply;

const SERVICE: &str = "Slack";
/// Stands for the channel of a webhook, which is not known.
const WEBHOOK: &str = "webhook";
/// A channel takes about one message a second, and apps that go on beyond that can be switched off.
pub const SPACING: Duration = Duration::from_millis(1100);
const BOT_HELP: Help = Help {
    credential: "check SLACK_BOT_TOKEN and that its app has the scope chat:write; install the app again after a change",
    unreachable: "check SLACK_API_URL and the network; https://slack-status.com shows outages",
};
const WEBHOOK_HELP: Help = Help {
    credential: "make a new incoming webhook and set SLACK_WEBHOOK_URL",
    unreachable: "check SLACK_WEBHOOK_URL and the network; https://slack-status.com shows outages",
};

/// How messages are sent.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Single messages in a run, the most urgent; the others go into digests.
    pub max_messages: usize,
    /// From one message to the next.
    pub spacing: Duration,
    /// How long to wait for answers.
    pub timing: Timing,
}

impl Default for Options {
    fn default() -> Self {
        Options { max_messages: 20, spacing: SPACING, timing: Timing::default() }
    }
}

/// Whom a bot token belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// The workspace's name.
    pub team: String,
    /// The bot's name.
    pub user: String,
    /// What the token may do; empty where Slack does not say.
    pub scopes: Vec<String>,
}

/// Whether an address has the shape of an incoming webhook's: `…/services/T…/B…/…`. More cannot be known without posting.
pub fn is_webhook_shaped(address: &SecretString) -> bool {
    let Ok(url) = Url::parse(address.expose_secret().trim()) else { return false };
    let path: Vec<&str> = url.path_segments().into_iter().flatten().collect();
    matches!(path.as_slice(), [.., "services", team, app, secret]
        if team.starts_with('T') && app.starts_with('B') && !secret.is_empty())
}

/// The sink of messages.
#[derive(Debug)]
pub struct Slack {
    client: Client,
    /// Where a bot posts; None for a webhook, whose channel is fixed.
    channel: Option<String>,
    options: Options,
    stop: Stop,
    posted: Option<Instant>,
}

impl Slack {
    /// Posts by `chat.postMessage` below `api_url` to a channel, best given by its id: names break when it is renamed.
    pub fn bot(
        api_url: Url,
        token: &SecretString,
        channel: String,
        options: Options,
        stop: Stop,
    ) -> Result<Self, RemoteError> {
        let mut headers = HeaderMap::new();
        let bearer = format!("Bearer {}", token.expose_secret().trim());
        headers.insert(AUTHORIZATION, secret_value(SERVICE, &bearer)?);
        let http = http::Options {
            timing: options.timing,
            headers,
            explain: verdict::explain,
            help: BOT_HELP,
            ..http::Options::default()
        };
        let client = Client::new(SERVICE, api_url, http)?;
        Ok(Slack { client, channel: Some(channel), options, stop, posted: None })
    }

    /// Posts to an incoming webhook, whose address is the credential.
    pub fn webhook(url: &SecretString, options: Options, stop: Stop) -> Result<Self, RemoteError> {
        let http = http::Options {
            timing: options.timing,
            path_is_secret: true,
            help: WEBHOOK_HELP,
            ..http::Options::default()
        };
        let url = Url::parse(url.expose_secret().trim()).map_err(|_| {
            RemoteError::new(ErrorKind::Settings, SERVICE, "the webhook is no web address")
                .with_help("set SLACK_WEBHOOK_URL to the whole address, beginning with https://")
        })?;
        let client = Client::new(SERVICE, url, http)?;
        Ok(Slack { client, channel: None, options, stop, posted: None })
    }

    /// Whom the bot token belongs to; None for a webhook, which cannot be asked without posting. Posting rights in the channel
    /// are not part of the answer.
    pub async fn identity(&self) -> Result<Option<Identity>, RemoteError> {
        #[derive(Deserialize)]
        struct Who {
            team: Option<String>,
            user: Option<String>,
        }
        if self.channel.is_none() {
            return Ok(None);
        }
        let request = Request::post(RequestKind::BotRead, &["auth.test"], b"{}".to_vec());
        let answer = self.client.send(&request, &self.stop).await?;
        match verdict::of_bot(&self.client, &request, &answer) {
            Reply::Good => {}
            Reply::Bad { error, .. } => return Err(error),
        }
        let who: Who = serde_json::from_slice(&answer.body)
            .map_err(|_| self.client.unreadable(&request, &answer, "the answer is not of the documented shape"))?;
        let scopes = answer.headers.get("x-oauth-scopes").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let scopes = scopes.split(',').map(str::trim).filter(|scope| !scope.is_empty());
        Ok(Some(Identity {
            team: who.team.unwrap_or_default(),
            user: who.user.unwrap_or_default(),
            scopes: scopes.map(str::to_owned).collect(),
        }))
    }

    /// What its answers so far said about the service itself.
    pub fn service_status(&self) -> ServiceStatus {
        self.client.service_status()
    }
}

/// What goes out together: single messages up to the limit, and replies; the rest in digests. Only a bot knows the messages it
/// could reply to.
///
/// A message that tells of a task has to come with the longest news of it: it may not grow after the cut.
pub fn batches(orders: Vec<Message>, by_bot: bool, max_messages: usize) -> Vec<Vec<Message>> {
    let mut batches = Vec::new();
    // Not yet in a batch, all for digests.
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

impl Sink for Slack {
    type Order = Message;

    fn batches(&self, orders: Vec<Message>) -> Vec<Vec<Message>> {
        batches(orders, self.channel.is_some(), self.options.max_messages)
    }

    async fn perform(&mut self, batch: &[Message]) -> Vec<ActionOutcome> {
        let (letter, suffix) = match batch {
            [] => return Vec::new(),
            [one] => (post::Letter::single(one, self.channel.is_some()), ""),
            many => (post::Letter::digest(many), "/digest"),
        };
        let outcome = match self.post(letter).await {
            Ok(post::Posted::Bot { channel, ts }) => {
                ActionOutcome::Done(Receipt { remote_id: format!("{channel}/{ts}{suffix}") })
            }
            Ok(post::Posted::Webhook) => ActionOutcome::Done(Receipt { remote_id: WEBHOOK.to_owned() }),
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

fn digests(mut orders: Vec<Message>) -> Vec<Vec<Message>> {
    let mut digests = Vec::new();
    while !orders.is_empty() {
        let rest = orders.split_off(blocks::fits_digest(&orders).min(orders.len()));
        digests.push(std::mem::replace(&mut orders, rest));
    }
    digests
}

#[cfg(test)]
mod tests;
