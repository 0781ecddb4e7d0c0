//! Slack: the bot token, its scopes and its channel. Of a webhook only the address is checked, since any request would post a message.

use super::super::setup::Setup;
use super::check::{CREDENTIAL, Group};
use crate::apply::stop::Stop;
use crate::config::SlackCredentials;
use crate::model::SinkKind;
use crate::remote::error::RemoteError;
use crate::remote::service_status::ServiceStatus;
use crate::remote::slack::{Identity, Slack, is_channel_id, is_webhook_shaped};

/// The checks that depend on a bot token.
const REST: [&str; 2] = ["scopes", "channel"];
const WITHOUT_HISTORY: &str = "add channels:history (groups:history for a private channel), and install the app again; without it, a run sends a message \
     whose answer was lost a second time, marked as a possible repeat";

/// Adds the checks. Returns the status of the service, if it was asked.
pub async fn examine(group: &mut Group, setup: Result<&Setup, &str>, stop: &Stop) -> Option<ServiceStatus> {
    let setup = group.ready(setup, "SLACK_", &REST)?;
    if !setup.sinks_on.contains(&SinkKind::Messages) {
        group.ok("sink", "off: no messages are posted (enabled = false in [slack])");
        return None;
    }
    if let Some(SlackCredentials::Webhook(address)) = &setup.credentials.slack {
        match is_webhook_shaped(address) {
            true => group
                .ok(CREDENTIAL, "the address looks like a webhook; doctor cannot check more without posting a message"),
            false => group.warn(
                CREDENTIAL,
                "the address does not look like https://hooks.slack.com/services/T…/B…/…",
                "copy SLACK_WEBHOOK_URL again from your app's page Incoming Webhooks",
            ),
        }
        return None;
    }
    let client = group.made(setup.slack(stop), &REST)?;
    match client.identity().await {
        Ok(identity) => {
            let Identity { team, user, scopes } = identity.unwrap_or_default();
            group.ok(CREDENTIAL, format!("accepted for {user} in the workspace {team}"));
            let looks_back = check_scopes(group, &scopes);
            channel(group, setup, &client, &scopes, looks_back).await;
        }
        Err(error) => {
            group.remote(CREDENTIAL, &error, None);
            group.skip(&REST, "Slack did not confirm the token");
        }
    }
    Some(client.service_status())
}

/// Checks the scopes. Returns whether the token may read the channel's messages, as far as Slack says.
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
        group.refused("scopes", format!("chat:write is missing; the app has {granted}"), help);
    } else if !looks_back {
        group.warn("scopes", format!("channels:history is missing; the app has {granted}"), WITHOUT_HISTORY);
    } else {
        group.ok("scopes", granted);
    }
    looks_back
}

async fn channel(group: &mut Group, setup: &Setup, client: &Slack, scopes: &[String], looks_back: bool) {
    let name = setup.config.slack.channel.as_deref().unwrap_or_default();
    if !is_channel_id(name) {
        let help = "set SLACK_CHANNEL to the channel's id, which begins with C or G";
        return group.warn(
            "channel",
            format!("not checked: \"{name}\" is a name, which stops working when somebody renames the channel"),
            help,
        );
    }
    if !looks_back {
        return group.skip(&["channel"], "Slack shows a channel only with the scope channels:history");
    }
    let code = |error: &RemoteError| error.details.code.clone().unwrap_or_default();
    match client.read_channel().await {
        Ok(()) => {
            group.ok("channel", format!("{name} can be read; whether the bot can post there shows only in a real run"))
        }
        Err(error) if code(&error) == "missing_scope" => {
            group.warn("channel", format!("not checked: {error}"), WITHOUT_HISTORY);
        }
        Err(error) if code(&error) == "not_in_channel" && scopes.iter().any(|scope| scope == "chat:write.public") => {
            let message =
                format!("{name}: the bot may post there, but is not a member, so it cannot look up its messages");
            group.warn("channel", message, "invite the bot to the channel (/invite @name)");
        }
        Err(error) => group.remote("channel", &error, None),
    }
}
