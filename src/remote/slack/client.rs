//! The client: how messages are sent, and whom the token belongs to.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use url::Url;

use super::answers::{self, SERVICE, WEBHOOK_HELP};
use crate::apply::stop::Stop;
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{self, Client, Help, Request, RequestKind, Timing, secret_value};
use crate::remote::service_status::ServiceStatus;

/// A channel takes about one message a second, and Slack may switch off apps that go on beyond that.
pub const SPACING: Duration = Duration::from_millis(1100);
/// Stands for the channel of a webhook, which nobody can learn: the remote id of its messages, and the address of its claims.
pub(super) const WEBHOOK: &str = "webhook";
/// The suffix of the remote id of a message in a digest.
pub(super) const IN_DIGEST: &str = "/digest";
const BOT_HELP: Help = Help {
    credential: "check SLACK_BOT_TOKEN and that its app has the scope chat:write; install the app again after a change",
    unreachable: "check SLACK_API_URL and the network; https://slack-status.com shows outages",
};

#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The most single messages in a run, which are the most urgent ones. The others go into digests.
    pub max_messages: usize,
    pub spacing: Duration,
    /// How long after its answer a message in doubt is looked up, in the same run.
    pub look_up_after: Duration,
    pub timing: Timing,
}

/// The owner of a bot token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    pub team: String,
    pub user: String,
    /// The token's scopes; empty where Slack does not list them.
    pub scopes: Vec<String>,
}

/// Whether an address has the shape of an incoming webhook's: `…/services/T…/B…/…`. Only a post could tell more.
pub fn is_webhook_shaped(address: &SecretString) -> bool {
    let Ok(url) = Url::parse(address.expose_secret().trim()) else { return false };
    let path: Vec<&str> = url.path_segments().into_iter().flatten().collect();
    matches!(path.as_slice(), [.., "services", team, app, secret]
        if team.starts_with('T') && app.starts_with('B') && !secret.is_empty())
}

/// Whether a channel is given by its id: ids have capital letters and digits, names have small letters.
pub fn is_channel_id(channel: &str) -> bool {
    channel.starts_with(['C', 'G', 'D'])
        && channel.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[derive(Debug)]
pub struct Slack {
    pub(super) client: Client,
    /// The channel of a bot; None for a webhook, whose channel is fixed.
    pub(super) channel: Option<String>,
    pub(super) options: Options,
    pub(super) stop: Stop,
    /// When the last message was sent.
    pub(super) posted: Option<Instant>,
}

impl Slack {
    /// Posts by `chat.postMessage` below `api_url` to a channel. Give the channel by its id: a rename breaks a name.
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
        let timing = options.timing;
        let http = http::Options {
            timing,
            headers,
            explain: answers::explain,
            ending: answers::bot_ending,
            help: BOT_HELP,
            ..Default::default()
        };
        let client = Client::new(SERVICE, api_url, http)?;
        Ok(Slack { client, channel: Some(channel), options, stop, posted: None })
    }

    /// Posts to an incoming webhook, whose address is the credential.
    pub fn webhook(url: &SecretString, options: Options, stop: Stop) -> Result<Self, RemoteError> {
        let timing = options.timing;
        let http = http::Options {
            timing,
            path_is_secret: true,
            explain: answers::explain,
            ending: answers::webhook_ending,
            help: WEBHOOK_HELP,
            ..Default::default()
        };
        let url = Url::parse(url.expose_secret().trim()).map_err(|_| {
            RemoteError::new(ErrorKind::Settings, SERVICE, "the webhook is no web address")
                .with_help("set SLACK_WEBHOOK_URL to the complete address, beginning with https://")
        })?;
        let client = Client::new(SERVICE, url, http)?;
        Ok(Slack { client, channel: None, options, stop, posted: None })
    }

    /// The owner of the bot token; None for a webhook, which answers only to a post. The answer does not say whether the bot
    /// may post in the channel.
    pub async fn identity(&self) -> Result<Option<Identity>, RemoteError> {
        #[derive(Deserialize)]
        struct Who {
            team: Option<String>,
            user: Option<String>,
        }
        if self.channel.is_none() {
            return Ok(None);
        }
        let request = Request::post(RequestKind::BotRead, &["auth.test"], &json!({}));
        let answer = self.client.send(&request, &self.stop).await?;
        answers::check_bot(&self.client, &request, &answer)?;
        let who: Who = self.client.decode(&request, &answer)?;
        let scopes = answer.headers.get("x-oauth-scopes").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let scopes = scopes.split(',').map(str::trim).filter(|scope| !scope.is_empty());
        Ok(Some(Identity {
            team: who.team.unwrap_or_default(),
            user: who.user.unwrap_or_default(),
            scopes: scopes.map(str::to_owned).collect(),
        }))
    }

    pub fn service_status(&self) -> ServiceStatus {
        self.client.service_status()
    }
}
