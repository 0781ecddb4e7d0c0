//! Slack's Web API as far as a poster needs it (docs/services/slack.md).
//!
//! Nearly every answer is HTTP 200; `ok` tells success from failure. Order of checks: token, arguments, rate, scope, channel,
//! content, thread.

mod blocks;
mod history;
mod message;
#[cfg(test)]
mod tests;
pub(super) mod webhook;

use super::http::{Call, Reply};
use super::workspace::{Channel, Slack, object};
use super::world::{Object, World};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Why a call fails: an error code, and what goes with it.
#[derive(Debug)]
struct Failure {
    error: &'static str,
    more: Object,
}

impl From<&'static str> for Failure {
    fn from(error: &'static str) -> Failure {
        Failure { error, more: Object::new() }
    }
}

impl Failure {
    fn with(error: &'static str, more: Value) -> Failure {
        Failure { error, more: object(more) }
    }

    fn reply(self) -> Reply {
        let mut body = object(json!({"ok": false, "error": self.error}));
        body.extend(self.more);
        Reply::json(200, &Value::Object(body))
    }
}

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

/// Only the header says when to come back; the body of a 429 is not documented.
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

const BOT: &str = "B0SANDBOX";
const BOT_USER: &str = "U0SANDBOX";

impl Slack {
    /// Refuses a call for which the token lacks all of these scopes.
    fn needs(&self, scopes: &[&str]) -> Result<(), Failure> {
        if scopes.iter().any(|scope| self.scopes.iter().any(|granted| granted == scope)) {
            return Ok(());
        }
        let needed = scopes.first().copied().unwrap_or_default();
        Err(Failure::with("missing_scope", json!({"needed": needed, "provided": self.scopes.join(",")})))
    }

    /// The channel of that id or name. A private one the bot is not in does not exist for it.
    fn channel(&self, name: &str) -> Result<&Channel, Failure> {
        let bare = name.trim_start_matches('#');
        let found = self.channels.iter().find(|channel| channel.id == name || channel.name.as_deref() == Some(bare));
        found.filter(|channel| channel.member || !channel.private).ok_or_else(|| "channel_not_found".into())
    }

    /// Counts a message to a channel, unless that would be too many: about one a second, in bursts of three.
    fn admits(&mut self, channel: &str) -> bool {
        if !self.rate_limit {
            return true;
        }
        let recent = self.recent.0.entry(channel.to_owned()).or_default();
        recent.retain(|at| at.elapsed() < Duration::from_secs(3));
        let admitted = recent.len() < 3;
        if admitted {
            recent.push(Instant::now());
        }
        admitted
    }
}
