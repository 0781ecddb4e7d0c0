//! An incoming webhook. Its address is the credential, and responses are plain text (docs/services/slack.md,
//! "Incoming webhooks").

use super::super::http::{Call, Reply};
use super::super::workspace::Channel;
use super::super::world::World;
use super::message::{Content, parent};
use serde_json::Value;

/// Path of the only webhook, after the service's prefix.
pub(in crate::sandbox) const PATH: &str = "/services/T0/B0/sandbox";

/// Answers one post.
pub(in crate::sandbox) fn answer(world: &mut World, call: &Call) -> Reply {
    match post(world, call) {
        Ok(reply) => reply,
        Err((status, error)) => Reply::text(status, error),
    }
}

fn post(world: &mut World, call: &Call) -> Result<Reply, (u16, &'static str)> {
    match call.segments().as_slice() {
        ["services", "T0", "B0", _] if world.slack.revoked => return Err((404, "no_service")),
        ["services", "T0", "B0", "sandbox"] => {}
        ["services", "T0", "B0", _] => return Err((403, "invalid_token")),
        ["services", "T0", ..] => return Err((404, "no_service")),
        _ => return Err((404, "no_team")),
    }
    let payload = call.json().or_else(|| serde_json::from_str(&call.form("payload")?).ok());
    let Some(Value::Object(payload)) = payload.filter(|_| call.method == "POST") else {
        return Err((400, "invalid_payload"));
    };
    let slack = &mut world.slack;
    let wanted = slack.webhook_channel.clone().or_else(|| slack.channels.first().map(|channel| channel.id.clone()));
    let known = |channel: &&Channel| Some(&channel.id) == wanted.as_ref();
    let Some(channel) = slack.channels.iter().find(known).cloned() else {
        return Err((404, "channel_not_found"));
    };
    if channel.archived {
        return Err((410, "channel_is_archived"));
    }
    if world.now.is_none() && !slack.admits("webhook") {
        return Ok(Reply::text(429, "rate_limited").with("retry-after", "1"));
    }
    let content = Content::of(&payload).map_err(|failure| (400, failure.error))?;
    let parent = parent(&world.slack, &channel.id, &payload).map_err(|failure| (400, failure.error))?;
    // Metadata by webhook is not documented. The sandbox drops it, so that no client relies on it.
    content.post(world, &channel.id, parent, None, "webhook");
    Ok(Reply::text(200, "ok"))
}
