//! The layout of a message. Pure: from a [`Message`] to blocks within Slack's limits, and to the same message as plain text.
//!
//! One block that breaks a rule loses the complete message, and Slack cuts nothing. So every part has a limit of its own here.
//! Together they stay below a length that Slack is known to accept (9,597 characters yes, 11,341 no).

use serde_json::{Value, json};

use super::fragments::{account, body, date, fields, joined, links, name, notes, or_signal, summary, words};
use super::markup::{line, lines, plain, units, unlinked};
use crate::model::Message;

const DIGEST_MESSAGES: usize = 25;
/// The most characters of all blocks of a digest.
const DIGEST_CHARS: usize = 8_400;
/// The most characters of a message sent as plain text. Slack may split longer ones.
const TEXT_CHARS: usize = 3_900;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    /// The text for notifications and screen readers.
    pub(super) text: String,
    pub(super) blocks: Vec<Value>,
    /// The message as plain text, for the case that Slack refuses the blocks.
    pub(super) text_only: String,
}

/// Lays out one message of its own.
pub(super) fn message(order: &Message) -> Layout {
    let brief = &order.brief;
    let title = or_signal(plain(&brief.title, 140), brief);
    let mut blocks = vec![header(&title)];
    let notes = notes(order);
    if !notes.is_empty() {
        blocks.push(json!({ "type": "context", "elements": [mrkdwn(&notes)] }));
    }
    let own = brief.message.as_deref().map(|own| lines(own, 2_900)).filter(|own| !own.is_empty());
    if let Some(own) = &own {
        blocks.push(section(own));
    } else {
        let fields: Vec<Value> = fields(brief).iter().map(|field| mrkdwn(field)).collect();
        blocks.push(json!({ "type": "section", "fields": fields }));
        let body = body(brief);
        if !body.is_empty() {
            blocks.push(section(&body));
        }
    }
    let links = links(order);
    if !links.is_empty() {
        blocks.push(section(&links));
    }
    let text = own.unwrap_or_else(|| [fields(brief).join("\n"), body(brief)].join("\n"));
    let parts = [format!("*{}*", line(&title, 300)), notes, text];
    let parts: Vec<String> = parts.iter().filter(|part| !part.is_empty()).map(|part| unlinked(part)).collect();
    Layout { text: unlinked(&summary(brief)), blocks, text_only: within(parts.into_iter().chain([links])).0 }
}

/// Lays out several messages in one, in their order.
pub(super) fn digest(orders: &[Message]) -> Layout {
    let title = format!("{} signals, most urgent first", orders.len());
    let mut blocks = vec![header(&title)];
    let entries = || orders.iter().zip(1_usize..).map(|(order, rank)| entry(order, rank));
    blocks.extend(entries().map(|(text, links)| section(&joined([text, links], "\n"))));
    let titles: Vec<&str> = orders.iter().map(|order| order.brief.title.as_str()).collect();
    let entries = entries().map(|(text, links)| joined([unlinked(&text), links], "\n"));
    let (mut text_only, left_out) = within([title.clone()].into_iter().chain(entries));
    if left_out > 0 {
        text_only.push_str(&format!("\nand {left_out} more"));
    }
    Layout { text: unlinked(&line(&format!("{title}: {}", titles.join("; ")), 300)), blocks, text_only }
}

/// The number of messages, from the first on, that fit into one digest: at least one.
pub(super) fn fits_digest(orders: &[Message]) -> usize {
    let mut used = 0;
    let fitting = orders.iter().take(DIGEST_MESSAGES).take_while(|order| {
        let (text, links) = entry(order, DIGEST_MESSAGES);
        used += units(&text) + units(&links) + 1;
        used <= DIGEST_CHARS
    });
    fitting.count().max(1)
}

/// One message in a digest: its text (what, who, what to do), and its links.
fn entry(order: &Message, rank: usize) -> (String, String) {
    let brief = &order.brief;
    let who = joined([name(&brief.representative), account(brief)], ", ");
    let when = format!("{}, by {}", words(brief.priority.name()), date(brief.due_date));
    let title = format!("*{rank}. {}*", or_signal(line(&brief.title, 200), brief));
    let text = joined([title, joined([who, when, notes(order)], " · "), line(&brief.action, 200)], "\n");
    (text, links(order))
}

fn header(title: &str) -> Value {
    json!({ "type": "header", "text": { "type": "plain_text", "text": title, "emoji": false } })
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": mrkdwn(text) })
}

/// `verbatim` keeps Slack from linking addresses and names in the text.
fn mrkdwn(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}

/// Returns as many complete parts as fit into a plain text, and the number of those left out.
fn within(parts: impl IntoIterator<Item = String>) -> (String, usize) {
    let mut text = String::new();
    let mut left_out = 0;
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if left_out > 0 || units(&text) + units(&part) + 1 > TEXT_CHARS {
            left_out += 1;
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&part);
    }
    (text, left_out)
}

#[cfg(test)]
mod tests;
