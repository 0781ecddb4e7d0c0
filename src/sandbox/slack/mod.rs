//! Slack's Web API as far as a poster needs it (docs/services/slack.md).
//!
//! Nearly every answer is HTTP 200; `ok` tells success from failure. Order of checks: token, arguments, rate, scope, channel,
//! content, thread.

mod access;
mod blocks;
mod failure;
mod history;
mod message;
#[cfg(test)]
mod tests;
pub(super) mod webhook;

use super::http::{Call, Reply};
use super::json::Object;
use super::workspace::Slack;
use super::world::World;
use failure::Failure;
use message::{BOT, BOT_USER};
use serde_json::{Value, json};

/// Answers one request to the Web API.
pub(super) fn answer(world: &mut World, call: &Call) -> Reply {
    let method = call.path.trim_start_matches('/');
    if let Err(error) = authorized(&world.slack, call) {
        return Failure::from(error).reply();
    }
    let arguments = match arguments(call) {
        Ok(arguments) => arguments,
        Err(error) => return Failure::from(error).reply(),
    };
    let result = match (method, call.method.as_str()) {
        ("auth.test", _) => Ok(auth_test(&world.slack)),
        ("chat.postMessage", "POST") => {
            let channel = arguments.get("channel").and_then(Value::as_str).unwrap_or_default();
            if world.now.is_none() && !world.slack.admits(channel) {
                return too_fast();
            }
            message::post(world, &arguments)
        }
        ("conversations.history", _) => history::history(&world.slack, &arguments),
        ("conversations.replies", _) => history::replies(&world.slack, &arguments),
        _ => Err(Failure::with("unknown_method", json!({"req_method": method}))),
    };
    result.unwrap_or_else(Failure::reply)
}

/// Only the header says when to retry. The body of a 429 is not documented.
fn too_fast() -> Reply {
    Reply::json(429, &json!({"ok": false, "error": "ratelimited"})).with("retry-after", "1")
}

fn authorized(slack: &Slack, call: &Call) -> Result<(), &'static str> {
    match call.credential(&["Bearer"]) {
        None => Err("not_authed"),
        Some(token) if token != slack.token => Err("invalid_auth"),
        Some(_) if slack.revoked => Err("token_revoked"),
        Some(_) => Ok(()),
    }
}

/// Arguments from a JSON body, or from form and query with everything as text (`blocks` and `metadata` as JSON texts).
fn arguments(call: &Call) -> Result<Object, &'static str> {
    if call.declares_json() {
        let body = if call.body.is_empty() { Ok(json!({})) } else { call.json().ok_or("invalid_json") };
        return match body? {
            Value::Object(arguments) => Ok(arguments),
            _ => Err("json_not_object"),
        };
    }
    let mut arguments = Object::new();
    for part in [call.query.as_bytes(), &call.body] {
        for (key, value) in url::form_urlencoded::parse(part) {
            let value = match key.as_ref() {
                "blocks" | "metadata" => serde_json::from_str(&value).unwrap_or_else(|_| json!(value)),
                _ => json!(value),
            };
            arguments.insert(key.into_owned(), value);
        }
    }
    Ok(arguments)
}

fn auth_test(slack: &Slack) -> Reply {
    Reply::json(
        200,
        &json!({"ok": true, "url": "https://sandbox.slack.com/", "team": "Sandbox", "team_id": slack.team,
            "user": "usage-signals", "user_id": BOT_USER, "bot_id": BOT, "is_enterprise_install": false}),
    )
    .with("x-oauth-scopes", slack.scopes.join(","))
}
