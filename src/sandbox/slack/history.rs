//! `conversations.history` and `conversations.replies`: with them, a client finds out whether a lost request posted its message.

use super::super::http::Reply;
use super::super::json::{Object, text};
use super::super::workspace::Slack;
use super::failure::Failure;
use super::message::{is_reply, shown};
use serde_json::{Value, json};

/// Newest first, without replies, which `conversations.replies` returns. Metadata only on request.
pub(super) fn history(slack: &Slack, arguments: &Object) -> Result<Reply, Failure> {
    let channel = readable(slack, arguments)?;
    let messages =
        slack.messages.iter().rev().filter(|message| text(message, "channel") == Some(&channel) && !is_reply(message));
    page(messages, arguments)
}

/// A thread, oldest first, beginning with the parent.
pub(super) fn replies(slack: &Slack, arguments: &Object) -> Result<Reply, Failure> {
    let channel = readable(slack, arguments)?;
    let parent = text(arguments, "ts").unwrap_or_default();
    let in_channel = |message: &&Object| text(message, "channel") == Some(&channel);
    if !slack.messages.iter().any(|message| in_channel(&message) && text(message, "ts") == Some(parent)) {
        return Err("thread_not_found".into());
    }
    let messages = slack.messages.iter().filter(in_channel);
    page(
        messages.filter(|message| [text(message, "ts"), text(message, "thread_ts")].contains(&Some(parent))),
        arguments,
    )
}

fn readable(slack: &Slack, arguments: &Object) -> Result<String, Failure> {
    let id = text(arguments, "channel").unwrap_or_default();
    let channel = slack.channel(id).ok().filter(|channel| channel.id == id).ok_or("channel_not_found")?;
    slack.needs(&[if channel.private { "groups:history" } else { "channels:history" }])?;
    if channel.member { Ok(channel.id.clone()) } else { Err("not_in_channel".into()) }
}

fn page<'a>(messages: impl Iterator<Item = &'a Object>, arguments: &Object) -> Result<Reply, Failure> {
    let flag = |name: &str| match arguments.get(name) {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => text == "true" || text == "1",
        _ => false,
    };
    let number = |name: &str, usual: usize| match arguments.get(name) {
        None | Some(Value::Null) => Some(usual),
        Some(Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_u64().and_then(|value| usize::try_from(value).ok()),
    };
    let limit = number("limit", 100).filter(|limit| (1..=999).contains(limit)).ok_or("invalid_limit")?;
    let bound = |name: &str| match arguments.get(name) {
        Some(Value::String(text)) if !text.is_empty() => stamp(text).map(Some).ok_or("invalid_ts"),
        Some(Value::Number(number)) => stamp(&number.to_string()).map(Some).ok_or("invalid_ts"),
        _ => Ok(None),
    };
    let (oldest, latest, inclusive) = (bound("oldest")?, bound("latest")?, flag("inclusive"));
    let start = match text(arguments, "cursor").filter(|cursor| !cursor.is_empty()) {
        None => 0,
        Some(cursor) => cursor.strip_prefix("next_").and_then(|place| place.parse().ok()).ok_or("invalid_cursor")?,
    };
    // Both bounds are exclusive unless `inclusive` is set.
    let within = |message: &&Object| {
        let Some(at) = text(message, "ts").and_then(stamp) else {
            return false;
        };
        oldest.is_none_or(|oldest| at > oldest || (inclusive && at == oldest))
            && latest.is_none_or(|latest| at < latest || (inclusive && at == latest))
    };
    let found: Vec<&Object> = messages.filter(within).collect();
    let rows: Vec<Object> =
        found.iter().skip(start).take(limit).map(|message| shown(message, flag("include_all_metadata"))).collect();
    let next = start + rows.len();
    let more = next < found.len();
    let cursor = if more { format!("next_{next}") } else { String::new() };
    Ok(Reply::json(
        200,
        &json!({"ok": true, "messages": rows, "has_more": more, "response_metadata": {"next_cursor": cursor}}),
    ))
}

/// Returns a `ts` in comparable form. A bound may be a second without fraction.
fn stamp(ts: &str) -> Option<(i64, u32)> {
    let (second, rest) = ts.split_once('.').unwrap_or((ts, "0"));
    Some((second.parse().ok()?, format!("{rest:0<6}").parse().ok()?))
}
