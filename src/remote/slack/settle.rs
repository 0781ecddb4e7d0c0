//! Looks in the channel for messages in doubt, by the keys in their metadata.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::Value;

use super::answers;
use super::client::{IN_DIGEST, Slack, WEBHOOK, is_channel_id};
use super::post::EVENT_TYPE;
use crate::apply::sink::{Answer, Claim, KEYLESS};
use crate::model::MessageRef;
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{Request, RequestKind};
use crate::remote::page_guard::PageGuard;

/// How far the search goes back before the first claim. Our clock dates a claim and Slack's clock a message. A day and an
/// hour covers a clock in the wrong time zone or a day ahead, and costs a page or two more of the history.
const MARGIN: TimeDelta = TimeDelta::hours(25);
/// Pages of 200 messages. A channel with more since the claim is too busy to search.
const MOST_PAGES: usize = 50;
const MOST_THREADS: usize = 50;

/// A page of messages. Everybody's messages are on it, so each is read by itself ([`OwnMessage::of`]).
#[derive(Debug, Deserialize)]
struct History {
    messages: Vec<Value>,
    #[serde(default)]
    response_metadata: Option<NextPage>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NextPage {
    next_cursor: Option<String>,
}

/// A message that we posted, with the keys in its metadata.
struct OwnMessage<'m> {
    ts: &'m str,
    /// Whether it stands in the thread of another message.
    is_reply: bool,
    /// The key of a single message.
    key: Option<&'m str>,
    /// The keys of a digest.
    keys: Vec<&'m str>,
}

impl<'m> OwnMessage<'m> {
    /// Reads a message of the history. None if it is not ours: the metadata of other apps has any shape.
    fn of(message: &'m Value) -> Option<OwnMessage<'m>> {
        let metadata = message.get("metadata")?;
        if metadata.get("event_type")?.as_str()? != EVENT_TYPE {
            return None;
        }
        let payload = metadata.get("event_payload")?;
        let keys = payload.get("keys").and_then(Value::as_array).into_iter().flatten();
        let ts = message.get("ts")?.as_str()?;
        Some(OwnMessage {
            ts,
            is_reply: message.get("thread_ts").and_then(Value::as_str).is_some_and(|thread| thread != ts),
            key: payload.get("key").and_then(Value::as_str),
            keys: keys.filter_map(Value::as_str).collect(),
        })
    }
}

/// The search of one channel for the keys of messages.
struct Search<'a> {
    slack: &'a Slack,
    channel: &'a str,
    /// The beginning, as Slack writes it.
    oldest: String,
    wanted: BTreeSet<&'a str>,
    /// The remote id of each key that was found, and whether the message is a reply.
    found: BTreeMap<String, (String, bool)>,
}

impl Slack {
    /// Reads the newest message of a bot's channel. A success means that the bot sees the channel, and that a message in
    /// doubt could be looked up in it.
    pub async fn read_channel(&self) -> Result<(), RemoteError> {
        let Some(channel) = &self.channel else { return Ok(()) };
        let request = Request::get(RequestKind::BotRead, &["conversations.history"])
            .query("channel", channel.as_str())
            .query("limit", "1");
        let answer = self.client.send(&request, &self.stop).await?;
        Ok(answers::check_bot(&self.client, &request, &answer)?)
    }

    /// Returns one answer for each claim. A message can be in the channel that it was sent to (`channel` where the claim does
    /// not name it), or in that of the message it replies to. The history of a channel is found by its id alone.
    pub(super) async fn look_up(&self, channel: &str, claims: &[Claim]) -> Vec<Answer> {
        let places = |claim: &Claim| -> BTreeSet<String> {
            let parent = parent_of(claim).map(|parent| parent.channel);
            let sent_to = claim.sent_to.as_deref().unwrap_or(channel);
            let by_sibling = claim.sibling.as_deref().and_then(|sibling| Some(sibling.split_once('/')?.0));
            let sent_to = if is_channel_id(sent_to) { sent_to } else { by_sibling.unwrap_or(sent_to) };
            parent.into_iter().chain([sent_to.to_owned()]).collect()
        };
        let mut answers = vec![Answer::DidNotHappen; claims.len()];
        for channel in claims.iter().flat_map(places).collect::<BTreeSet<_>>() {
            let (here, claims): (Vec<&mut Answer>, Vec<Claim>) = answers
                .iter_mut()
                .zip(claims)
                .filter(|(_, claim)| places(claim).contains(&channel))
                .map(|(answer, claim)| (answer, claim.clone()))
                .unzip();
            let found = match channel.as_str() {
                // Nobody can read the channel of a webhook, or find a message without its key.
                WEBHOOK | KEYLESS => vec![Answer::CannotTell; claims.len()],
                channel => self.look_up_in(channel, &claims).await,
            };
            for (answer, found) in here.into_iter().zip(found) {
                if weight(&found) > weight(answer) {
                    *answer = found;
                }
            }
        }
        answers
    }

    async fn look_up_in(&self, channel: &str, claims: &[Claim]) -> Vec<Answer> {
        let Some(since) = claims.iter().map(|claim| claim.claimed_at).min() else { return Vec::new() };
        let wanted = claims.iter().map(|claim| claim.short.as_str()).collect();
        let oldest = since.checked_sub_signed(MARGIN).unwrap_or(since).timestamp().max(0);
        let oldest = format!("{oldest}.000000");
        let mut search = Search { slack: self, channel, oldest, wanted, found: BTreeMap::new() };
        // The history does not list a thread that began before `oldest`.
        let parents = claims.iter().filter_map(parent_of);
        let parents = parents.filter(|parent| parent.channel == channel).map(|parent| parent.ts).collect();
        let searched = search.run(parents).await;
        let missing = || searched.clone().err().unwrap_or(Answer::DidNotHappen);
        let answer = |claim: &Claim| match search.found.get(&claim.short) {
            Some((id, is_reply)) if !is_reply && parent_of(claim).is_some() => Answer::HappenedApart(id.clone()),
            Some((id, _)) => Answer::Happened(id.clone()),
            None => missing(),
        };
        claims.iter().map(answer).collect()
    }
}

impl Search<'_> {
    /// Fills `found`. An error is the answer for the messages that were not found.
    async fn run(&mut self, parents: BTreeSet<String>) -> Result<(), Answer> {
        let history = Request::get(RequestKind::BotRead, &["conversations.history"])
            .query("channel", self.channel)
            .query("oldest", self.oldest.as_str());
        let mut threads = self.walk(history).await?;
        threads.extend(parents);
        // The history lists a reply only if it was broadcast to the channel, and then perhaps without its metadata.
        while !self.has_all() {
            let Some(thread) = threads.pop_first() else { return Ok(()) };
            let replies = Request::get(RequestKind::BotRead, &["conversations.replies"])
                .query("channel", self.channel)
                .query("ts", thread)
                .query("oldest", self.oldest.as_str());
            self.walk(replies).await?;
        }
        Ok(())
    }

    /// Collects the keys of all pages until all wanted ones are found. Returns the threads on these pages.
    async fn walk(&mut self, request: Request) -> Result<BTreeSet<String>, Answer> {
        let request = request.query("include_all_metadata", "true").query("limit", "200");
        let mut threads = BTreeSet::new();
        let mut page = request.clone();
        let mut pages = PageGuard::new(String::new(), MOST_PAGES);
        loop {
            let History { messages, response_metadata } = self.ask(&page).await?;
            for message in &messages {
                self.collect_keys(message);
                let thread = message.get("thread_ts").and_then(Value::as_str).map(str::to_owned);
                threads.extend(thread.filter(|_| threads.len() < MOST_THREADS));
            }
            let cursor = response_metadata.unwrap_or_default().next_cursor.unwrap_or_default();
            if cursor.is_empty() || self.has_all() {
                return Ok(threads);
            }
            pages.allow(cursor.clone()).map_err(|_| Answer::CannotTell)?;
            page = request.clone().query("cursor", cursor);
        }
    }

    async fn ask(&self, request: &Request) -> Result<History, Answer> {
        let Slack { client, stop, .. } = self.slack;
        let answer = client.send(request, stop).await?;
        if let Err(refusal) = answers::check_bot(client, request, &answer) {
            let error = RemoteError::from(refusal);
            if !is_closed_to_us(&error) {
                return Err(error.into());
            }
            // A bot may post without the right to read.
            tracing::info!(%error, "the channel's history cannot be read");
            return Err(Answer::CannotTell);
        }
        Ok(client.decode(request, &answer)?)
    }

    fn has_all(&self) -> bool {
        self.wanted.iter().all(|key| self.found.contains_key(*key))
    }

    fn collect_keys(&mut self, message: &Value) {
        let Some(OwnMessage { ts, is_reply, key, keys }) = OwnMessage::of(message) else { return };
        let place = format!("{}/{ts}", self.channel);
        self.found.extend(key.map(|key| (key.to_owned(), (place.clone(), is_reply))));
        self.found.extend(keys.into_iter().map(|key| (key.to_owned(), (format!("{place}{IN_DIGEST}"), is_reply))));
    }
}

/// The message that a claimed one was to reply to.
fn parent_of(claim: &Claim) -> Option<MessageRef> {
    MessageRef::from_remote_id(claim.prior.as_deref()?)
}

/// Ranks the answers from several channels: one channel is enough to find a message, but all must be searched to miss it.
fn weight(answer: &Answer) -> u8 {
    match answer {
        Answer::DidNotHappen | Answer::Gone => 0,
        Answer::CannotTell => 1,
        Answer::NoAnswer(_) => 2,
        Answer::Happened(_) | Answer::HappenedApart(_) => 3,
    }
}

fn is_closed_to_us(error: &RemoteError) -> bool {
    error.details.code.is_some()
        && (error.kind == ErrorKind::Settings || error.details.code.as_deref() == Some("missing_scope"))
}
