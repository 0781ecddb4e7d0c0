//! Slack: the bot token, its scopes and its channel; of a webhook only its shape, because to ask it is to post.

use super::super::setup::Setup;
use super::check::Group;
use super::service::{CREDENTIAL, made, ready};
use crate::apply::stop::Stop;
use crate::config::SlackCredentials;
use crate::model::SinkKind;
use crate::remote::error::RemoteError;
use crate::remote::service_status::ServiceStatus;
use crate::remote::slack::{Identity, Slack, is_webhook_shaped};

/// What depends on a bot token.
const REST: [&str; 2] = ["scopes", "channel"];
const WITHOUT_HISTORY: &str = "add channels:history (groups:history for a private channel) and install the app again, or leave it: a message whose \
     answer was lost is then sent twice, marked as a possible repeat";

/// The checks, and what the service said about itself.
pub async fn examine(setup: Result<&Setup, &str>, stop: &Stop) -> (Group, ServiceStatus) {
    let mut group = Group::new("slack", "Slack");
    let heard = look(&mut group, setup, stop).await.unwrap_or_default();
    (group, heard)
}

async fn look(group: &mut Group, setup: Result<&Setup, &str>, stop: &Stop) -> Option<ServiceStatus> {
    let setup = ready(group, setup, "SLACK_", &REST)?;
    if !setup.sinks_on.contains(&SinkKind::Messages) {
        group.ok("sink", "off: no messages are posted (enabled = false in [slack])");
        return None;
    }
    if let Some(SlackCredentials::Webhook(address)) = &setup.credentials.slack {
        match is_webhook_shaped(address) {
            true => {
                group.ok(CREDENTIAL, "the address has the shape of a webhook; more cannot be known without posting")
            }
            false => group.warn(
                CREDENTIAL,
                "the address is not of the shape https://hooks.slack.com/services/T…/B…/…",
                "copy SLACK_WEBHOOK_URL again from your app's page Incoming Webhooks",
            ),
        }
        return None;
    }
    let client = made(group, setup.slack(stop), &REST)?;
    match client.identity().await {
        Ok(identity) => {
            let Identity { team, user, scopes } = identity.unwrap_or_default();
            group.ok(CREDENTIAL, format!("accepted for {user} in the workspace {team}"));
            let looks_back = check_scopes(group, &scopes);
            channel(group, setup, &client, &scopes, looks_back).await;
        }
        Err(error) => {
            group.remote(CREDENTIAL, &error, None);
            group.skip(&REST, "Slack did not say whose the token is");
        }
    }
    Some(client.service_status())
}

/// Whether the channel's messages may be read, as far as Slack says.
fn check_scopes(group: &mut Group, scopes: &[String]) -> bool {
    let has = |scope: &str| scopes.iter().any(|granted| granted == scope);
    let looks_back = has("channels:history") || has("groups:history");
    let granted = scopes.join(", ");
    if scopes.is_empty() {
        group.ok("scopes", "Slack does not say");
        return true;
    }
    if !has("chat:write") {
        let help = "give the app the scope chat:write, and install it in the workspace again";
        group.refused("scopes", format!("chat:write is missing; granted are {granted}"), help);
    } else if !looks_back {
        group.warn("scopes", format!("granted are {granted}, not channels:history"), WITHOUT_HISTORY);
    } else {
        group.ok("scopes", granted);
    }
    looks_back
}

async fn channel(group: &mut Group, setup: &Setup, client: &Slack, scopes: &[String], looks_back: bool) {
    let name = setup.config.slack.channel.as_deref().unwrap_or_default();
    if !is_id(name) {
        let help = "set SLACK_CHANNEL to the channel's id, which begins with C or G";
        return group.warn(
            "channel",
            format!("not checked: \"{name}\" is a name, which breaks when somebody renames it"),
            help,
        );
    }
    if !looks_back {
        return group.skip(&["channel"], "Slack tells about a channel only with the scope channels:history");
    }
    let code = |error: &RemoteError| error.details.code.clone().unwrap_or_default();
    match client.read_channel().await {
        Ok(()) => group.ok(
            "channel",
            format!("{name} can be read; whether it can be posted to shows only when something is posted"),
        ),
        Err(error) if code(&error) == "missing_scope" => {
            group.warn("channel", format!("not checked: {error}"), WITHOUT_HISTORY);
        }
        Err(error) if code(&error) == "not_in_channel" && scopes.iter().any(|scope| scope == "chat:write.public") => {
            let message =
                format!("{name}: the bot may post there, but is not in it, and cannot look up what it posted");
            group.warn("channel", message, "invite the bot to the channel (/invite @name)");
        }
        Err(error) => group.remote("channel", &error, None),
    }
}

/// Ids are capital letters and digits; names have small ones.
fn is_id(channel: &str) -> bool {
    channel.starts_with(['C', 'G', 'D'])
        && channel.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
