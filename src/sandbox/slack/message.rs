//! `chat.postMessage`, and the code that both ways of posting share (docs/services/slack.md, "Posting a message").

use super::super::http::Reply;
use super::super::json::{Object, object, text};
use super::super::workspace::Slack;
use super::super::world::{Effect, World};
use super::blocks::{self, Refused};
use super::failure::Failure;
use serde_json::{Value, json};

/// Ids of the bot and its user.
pub(super) const BOT: &str = "B0SANDBOX";
pub(super) const BOT_USER: &str = "U0SANDBOX";

/// Longer text is truncated, with a warning. Any other excess length refuses the message.
const LONGEST_TEXT: usize = 40_000;

/// Posts a message as the bot.
pub(super) fn post(world: &mut World, arguments: &Object) -> Result<Reply, Failure> {
    let slack = &world.slack;
    slack.needs(&["chat:write"])?;
    let channel = slack.channel(text(arguments, "channel").unwrap_or_default())?;
    if channel.archived {
        return Err("is_archived".into());
    }
    if !channel.member && !slack.scopes.iter().any(|scope| scope == "chat:write.public") {
        return Err("not_in_channel".into());
    }
    let channel = channel.id.clone();
    let content = Content::of(arguments)?;
    let parent = parent(slack, &channel, arguments)?;
    let metadata = match arguments.get("metadata") {
        None | Some(Value::Null) => None,
        Some(metadata) => {
            let complete = metadata.get("event_type").is_some_and(Value::is_string)
                && metadata.get("event_payload").is_some_and(Value::is_object);
            Some(if complete {
                metadata.clone()
            } else {
                return Err("invalid_metadata_format".into());
            })
        }
    };
    let (message, cut) = content.post(world, &channel, parent, metadata, "bot");
    let mut body =
        object(json!({"ok": true, "channel": channel, "ts": message.get("ts"), "message": shown(&message, true)}));
    if cut {
        body.insert("response_metadata".to_owned(), json!({"warnings": ["message_truncated"]}));
    }
    Ok(Reply::json(200, &Value::Object(body)))
}

/// Returns the parent of a reply. It must be a string, because a `ts` loses digits as a number. A reply to a message that is
/// not there becomes a message of its own.
pub(super) fn parent(slack: &Slack, channel: &str, arguments: &Object) -> Result<Option<String>, Failure> {
    let Some(thread) = arguments.get("thread_ts").filter(|thread| !thread.is_null()) else {
        return Ok(None);
    };
    let thread = thread.as_str().ok_or("invalid_arguments")?;
    let found = slack
        .messages
        .iter()
        .find(|message| text(message, "channel") == Some(channel) && text(message, "ts") == Some(thread));
    match found {
        Some(message) if is_reply(message) => Err("cannot_reply_to_message".into()),
        found => Ok(found.map(|_| thread.to_owned())),
    }
}

/// Returns whether a stored message is a reply.
pub(super) fn is_reply(message: &Object) -> bool {
    text(message, "thread_ts").is_some_and(|thread| text(message, "ts") != Some(thread))
}

/// Returns a stored message as the API shows it, without the sandbox's own fields.
pub(super) fn shown(message: &Object, with_metadata: bool) -> Object {
    let mut shown = message.clone();
    shown.remove("channel");
    shown.remove("mentions");
    if !with_metadata {
        shown.remove("metadata");
    }
    shown
}

/// Text and blocks of a message.
pub(super) struct Content {
    text: String,
    blocks: Vec<Value>,
}

impl Content {
    /// Reads and checks text and blocks.
    pub(super) fn of(arguments: &Object) -> Result<Content, Failure> {
        let mut said = text(arguments, "text").unwrap_or_default().to_owned();
        let blocks = match arguments.get("blocks") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(blocks)) => blocks.clone(),
            Some(_) => return Err("invalid_blocks_format".into()),
        };
        if let Some(markdown) = text(arguments, "markdown_text") {
            if !said.is_empty() || !blocks.is_empty() {
                return Err("markdown_text_conflict".into());
            }
            markdown.clone_into(&mut said);
        }
        if said.is_empty() && blocks.is_empty() {
            return Err("no_text".into());
        }
        blocks::check(&blocks).map_err(|refused| match refused {
            Refused::Invalid(message) => Failure::with(
                "invalid_blocks",
                json!({"errors": [message], "response_metadata": {"messages": [message]}}),
            ),
            Refused::TooLong => "msg_blocks_too_long".into(),
        })?;
        Ok(Content { text: said, blocks })
    }

    /// Stores the message. Returns it, and whether its text was truncated.
    pub(super) fn post(
        mut self,
        world: &mut World,
        channel: &str,
        parent: Option<String>,
        metadata: Option<Value>,
        via: &str,
    ) -> (Object, bool) {
        let cut = self.text.char_indices().nth(LONGEST_TEXT).map(|(at, _)| at);
        if let Some(at) = cut {
            self.text.truncate(at);
        }
        let ts = next_ts(world);
        let mut message = object(json!({"type": "message", "channel": channel, "user": BOT_USER, "bot_id": BOT,
            "team": world.slack.team, "ts": ts, "text": self.text}));
        let mentions = blocks::live_mentions(&self.text, &self.blocks);
        let parts = [
            ("blocks", (!self.blocks.is_empty()).then(|| json!(self.blocks))),
            ("thread_ts", parent.as_ref().map(|parent| json!(parent))),
            ("metadata", metadata),
            ("mentions", (!mentions.is_empty()).then(|| json!(mentions))),
        ];
        message.extend(parts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
        world.effects.push(Effect::new(
            "slack",
            "post",
            [
                ("channel", Some(channel.to_owned())),
                ("ts", Some(ts)),
                ("text", Some(self.text)),
                ("thread_ts", parent),
                ("via", Some(via.to_owned())),
                ("metadata", message.get("metadata").map(Value::to_string)),
                ("mentions", (!mentions.is_empty()).then(|| mentions.join(" "))),
            ],
        ));
        world.slack.messages.push(message.clone());
        (message, cut.is_some())
    }
}

/// Returns the world's second with a number that makes it unique.
fn next_ts(world: &World) -> String {
    let mut number = 100;
    loop {
        let ts = format!("{}.{number:06}", world.clock());
        if !world.slack.messages.iter().any(|message| text(message, "ts") == Some(&ts)) {
            return ts;
        }
        number += 100;
    }
}
