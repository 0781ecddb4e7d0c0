//! The rules of Block Kit for a message (docs/services/slack.md, "Block Kit limits").
//!
//! One broken rule refuses the message. Slack truncates nothing for the sender.

use super::super::json::{Object, text};
use serde_json::Value;
use std::collections::BTreeSet;

/// Why blocks are refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// `invalid_blocks`, with the text of `response_metadata.messages`: the rule and a JSON pointer.
    Invalid(String),
    /// All texts together are too long. Undocumented: 11,341 characters were refused, 9,597 accepted.
    TooLong,
}

const MOST_BLOCKS: usize = 50;
const LONGEST_TOGETHER: usize = 11_300;

/// Further block kinds, which are not checked.
const OTHER_KINDS: &[&str] = &[
    "rich_text",
    "file",
    "video",
    "call",
    "input",
    "table",
    "data_table",
    "alert",
    "card",
    "carousel",
    "plan",
    "task_card",
    "context_actions",
];

/// Checks `blocks` against the rules.
pub(super) fn check(blocks: &[Value]) -> Result<(), Refused> {
    if blocks.len() > MOST_BLOCKS {
        return Err(invalid("no more than 50 items allowed", "/blocks"));
    }
    let mut ids = BTreeSet::new();
    for (number, block) in blocks.iter().enumerate() {
        let at = format!("/blocks/{number}");
        let Some(block) = block.as_object() else {
            return Err(invalid("must be an object", &at));
        };
        if let Some(id) = block.get("block_id") {
            let id = id.as_str().ok_or_else(|| invalid("must be a string", &format!("{at}/block_id")))?;
            if id.chars().count() > 255 {
                return Err(invalid("must be less than 256 characters", &format!("{at}/block_id")));
            }
            if !ids.insert(id) {
                return Err(invalid("block_id already exists", &format!("{at}/block_id")));
            }
        }
        check_block(block, &at)?;
    }
    if blocks.iter().map(length_of_texts).sum::<usize>() > LONGEST_TOGETHER {
        return Err(Refused::TooLong);
    }
    Ok(())
}

fn invalid(rule: &str, pointer: &str) -> Refused {
    Refused::Invalid(format!("[ERROR] {rule} [json-pointer:{pointer}]"))
}

fn check_block(block: &Object, at: &str) -> Result<(), Refused> {
    match text(block, "type") {
        Some("header") => check_text(block.get("text"), &format!("{at}/text"), 150, true),
        Some("section") => section(block, at),
        Some("context") => context(block, at),
        Some("actions") => actions(block, at),
        Some("divider") => Ok(()),
        Some("image") => image(block, at),
        Some("markdown") => check_length(block.get("text").and_then(Value::as_str), &format!("{at}/text"), 12_000),
        Some(kind) if OTHER_KINDS.contains(&kind) => Ok(()),
        Some(kind) => Err(invalid(&format!("unsupported type: {kind}"), &format!("{at}/type"))),
        None => Err(invalid("missing required field: type", at)),
    }
}

fn section(block: &Object, at: &str) -> Result<(), Refused> {
    if block.get("text").is_none() && block.get("fields").is_none() {
        return Err(invalid("missing required field: text or fields", at));
    }
    if block.get("text").is_some() {
        check_text(block.get("text"), &format!("{at}/text"), 3000, false)?;
    }
    let Some(fields) = block.get("fields") else {
        return Ok(());
    };
    for (number, field) in list(fields, &format!("{at}/fields"), 10)?.iter().enumerate() {
        check_text(Some(field), &format!("{at}/fields/{number}"), 2000, false)?;
    }
    Ok(())
}

fn context(block: &Object, at: &str) -> Result<(), Refused> {
    let elements = block.get("elements").ok_or_else(|| invalid("missing required field: elements", at))?;
    for (number, element) in list(elements, &format!("{at}/elements"), 10)?.iter().enumerate() {
        let at = format!("{at}/elements/{number}");
        match element.as_object() {
            Some(element) if text(element, "type") == Some("image") => image(element, &at)?,
            _ => check_text(Some(element), &at, 3000, false)?,
        }
    }
    Ok(())
}

fn actions(block: &Object, at: &str) -> Result<(), Refused> {
    let elements = block.get("elements").ok_or_else(|| invalid("missing required field: elements", at))?;
    for (number, element) in list(elements, &format!("{at}/elements"), 25)?.iter().enumerate() {
        let at = format!("{at}/elements/{number}");
        let Some(element) = element.as_object() else {
            return Err(invalid("must be an object", &at));
        };
        if text(element, "type") == Some("button") {
            check_text(element.get("text"), &format!("{at}/text"), 75, true)?;
            for (key, longest) in [("url", 3000), ("value", 2000), ("action_id", 255), ("accessibility_label", 75)] {
                if let Some(value) = element.get(key) {
                    check_length(value.as_str(), &format!("{at}/{key}"), longest)?;
                }
            }
        }
    }
    Ok(())
}

fn image(block: &Object, at: &str) -> Result<(), Refused> {
    check_length(text(block, "alt_text"), &format!("{at}/alt_text"), 2000)?;
    if block.get("slack_file").is_none() {
        check_length(text(block, "image_url"), &format!("{at}/image_url"), 3000)?;
    }
    match block.get("title") {
        Some(title) => check_text(Some(title), &format!("{at}/title"), 2000, true),
        None => Ok(()),
    }
}

/// An array of 1 to `most` entries.
fn list<'a>(value: &'a Value, at: &str, most: usize) -> Result<&'a Vec<Value>, Refused> {
    let list = value.as_array().ok_or_else(|| invalid("must be an array", at))?;
    if list.is_empty() {
        return Err(invalid("must have at least 1 item", at));
    }
    if list.len() > most {
        return Err(invalid(&format!("no more than {most} items allowed"), at));
    }
    Ok(list)
}

/// A text object: `plain_text`, or `mrkdwn` where that is allowed, neither empty nor too long.
fn check_text(value: Option<&Value>, at: &str, longest: usize, plain_only: bool) -> Result<(), Refused> {
    let object = value.and_then(Value::as_object).ok_or_else(|| invalid("missing or invalid text object", at))?;
    match text(object, "type") {
        Some("plain_text") => {}
        Some("mrkdwn") if !plain_only => {}
        _ => return Err(invalid("unsupported text type", &format!("{at}/type"))),
    }
    check_length(text(object, "text"), &format!("{at}/text"), longest)
}

/// Text of 1 to `longest` characters, counted after escaping.
fn check_length(value: Option<&str>, at: &str, longest: usize) -> Result<(), Refused> {
    match value.map(|text| text.chars().count()) {
        None => Err(invalid("missing required text", at)),
        Some(0) => Err(invalid("must be more than 0 characters", at)),
        Some(count) if count > longest => Err(invalid(&format!("must be less than {} characters", longest + 1), at)),
        Some(_) => Ok(()),
    }
}

/// Characters of every `text` inside, at any depth.
fn length_of_texts(value: &Value) -> usize {
    match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| match value {
                Value::String(text) if key == "text" => text.chars().count(),
                other => length_of_texts(other),
            })
            .sum(),
        Value::Array(list) => list.iter().map(length_of_texts).sum(),
        _ => 0,
    }
}

/// Returns mentions and channel links that would really notify or link: those with an unescaped `<` in the top-level text and in
/// `mrkdwn` objects. `plain_text` shows them literally.
pub(super) fn live_mentions(message: &str, blocks: &[Value]) -> Vec<String> {
    let mut found = mentions_in(message);
    let mut left: Vec<&Value> = blocks.iter().collect();
    while let Some(value) = left.pop() {
        match value {
            Value::Object(object) => {
                let parsed = text(object, "type") == Some("mrkdwn") || text(object, "type") == Some("markdown");
                if let Some(text) = text(object, "text").filter(|_| parsed) {
                    found.extend(mentions_in(text));
                }
                left.extend(object.values());
            }
            Value::Array(list) => left.extend(list),
            _ => {}
        }
    }
    found.sort();
    found.dedup();
    found
}

fn mentions_in(text: &str) -> Vec<String> {
    let starts = ["!channel", "!here", "!everyone", "!subteam", "@", "#"];
    let inside = text.split('<').skip(1).filter_map(|part| part.split_once('>').map(|(inside, _)| inside));
    inside
        .filter(|inside| starts.iter().any(|start| inside.starts_with(start)))
        .map(|inside| format!("<{inside}>"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn x(count: usize) -> String {
        "x".repeat(count)
    }

    fn mrkdwn(text: &str) -> Value {
        json!({"type": "mrkdwn", "text": text})
    }

    #[test]
    fn good_blocks_pass() {
        let blocks = [
            json!({"type": "header", "text": {"type": "plain_text", "text": x(150)}}),
            json!({"type": "section", "text": mrkdwn(&x(3000)), "block_id": "one"}),
            json!({"type": "section", "fields": (0..10).map(|_| mrkdwn("f")).collect::<Vec<_>>(), "block_id": "two"}),
            json!({"type": "context", "elements": [mrkdwn("c"), {"type": "image", "image_url": "https://x", "alt_text": "a"}]}),
            json!({"type": "divider"}),
            json!({"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Go"}, "url": "https://x"}]}),
        ];
        assert_eq!(check(&blocks), Ok(()));
    }

    #[test]
    fn each_rule_is_kept_and_points_at_its_place() {
        for (blocks, pointer) in [
            (json!(vec![json!({"type": "divider"}); 51]), "/blocks"),
            (json!([{"type": "header", "text": mrkdwn("h")}]), "/blocks/0/text/type"),
            (json!([{"type": "header", "text": {"type": "plain_text", "text": x(151)}}]), "/blocks/0/text/text"),
            (json!([{"type": "divider"}, {"type": "section", "text": mrkdwn("")}]), "/blocks/1/text/text"),
            (json!([{"type": "section", "text": mrkdwn(&x(3001))}]), "/blocks/0/text/text"),
            (json!([{"type": "section"}]), "/blocks/0"),
            (json!([{"type": "section", "fields": vec![mrkdwn("f"); 11]}]), "/blocks/0/fields"),
            (json!([{"type": "section", "fields": [mrkdwn("f"), mrkdwn(&x(2001))]}]), "/blocks/0/fields/1/text"),
            (json!([{"type": "context", "elements": vec![mrkdwn("c"); 11]}]), "/blocks/0/elements"),
            (json!([{"type": "context", "elements": []}]), "/blocks/0/elements"),
            (json!([{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"}]), "/blocks/1/block_id"),
            (json!([{"type": "divider", "block_id": x(256)}]), "/blocks/0/block_id"),
            (json!([{"type": "paragraph"}]), "/blocks/0/type"),
            (
                json!([{"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": x(76)}}]}]),
                "/blocks/0/elements/0/text/text",
            ),
            (json!([{"type": "image", "image_url": "https://x"}]), "/blocks/0/alt_text"),
        ] {
            let Err(Refused::Invalid(message)) = check(blocks.as_array().unwrap()) else {
                panic!("{pointer}: accepted")
            };
            assert!(message.ends_with(&format!("[json-pointer:{pointer}]")), "{message}, expected {pointer}");
        }
    }

    #[test]
    fn all_texts_together_have_a_limit() {
        let blocks = |last: usize| -> Vec<Value> {
            [3000, 3000, 3000, last]
                .iter()
                .map(|count| json!({"type": "section", "text": mrkdwn(&x(*count))}))
                .collect()
        };
        assert_eq!(check(&blocks(2300)), Ok(()));
        assert_eq!(check(&blocks(2301)), Err(Refused::TooLong));
    }

    #[test]
    fn only_unescaped_mentions_in_markup_are_live() {
        let blocks = [json!({"type": "section", "text": mrkdwn("a <@U1> <https://x|y> &lt;!here&gt;"),
            "fields": [{"type": "plain_text", "text": "<!everyone>"}, mrkdwn("<!subteam^S1>")]})];
        assert_eq!(live_mentions("hi <!channel>", &blocks), ["<!channel>", "<!subteam^S1>", "<@U1>"]);
    }
}
