//! Puts tags on contacts, and takes off those that the program put there.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt};
use reqwest::Method;
use serde_json::json;
use tokio::sync::Mutex;

use super::client::Intercom;
use super::wire::is_id;
use super::workspace::read_tag;
use crate::apply::sink::{ActionOutcome, Answer, Claim, Sink};
use crate::model::{ActionKind, Tag, TagChange, tag_key};
use crate::read::{ContactSource, TagName};
use crate::remote::error::RemoteError;
use crate::remote::http::{Request, RequestKind};
use crate::remote::sink_facts::{SinkFacts, WrongId};

/// The facts about the sink of tags.
pub const FACTS: SinkFacts = SinkFacts { place: |_| String::new(), url: |_, _| None, check_remote_id };

/// A tag's remote id is found by its name, so nobody has to give one.
fn check_remote_id(_: &str) -> Result<(), WrongId> {
    Err(WrongId { message: "a tag takes no --remote-id".to_owned(), help: "leave it out" })
}

/// The sink of tags.
///
/// Each tag is a request of its own, with at most [`Paging::at_once`](super::Paging) in parallel. For one contact that is gone,
/// Intercom's bulk call reports a failure of all, and it may not notify other systems that listen for tags.
#[derive(Debug)]
pub struct TagSink {
    intercom: Intercom,
    /// The ids of the workspace's tags by `tag_key`, once they are read. Locked while they are read or a tag is created, so that
    /// both happen once.
    ids: Mutex<Option<BTreeMap<String, String>>>,
}

impl TagSink {
    /// A sink, which sends nothing yet.
    pub fn new(intercom: Intercom) -> Self {
        TagSink { intercom, ids: Mutex::default() }
    }

    async fn perform_one(&self, order: &Tag) -> ActionOutcome {
        let Tag { short: _, contact, tag, change, tag_id } = order;
        let done = match change {
            TagChange::Add => self.add(contact, tag).await,
            TagChange::Remove => self.remove(contact, tag, tag_id.as_deref()).await,
        };
        done.unwrap_or_else(|outcome| outcome)
    }

    async fn add(&self, contact: &str, name: &str) -> Result<ActionOutcome, ActionOutcome> {
        let id = self.id_or_make(name).await?;
        if self.attach(contact, &id).await? {
            return Ok(done(id));
        }
        // Intercom answers "not found" for a missing contact and for a missing tag. The list of tags tells which one it is.
        *self.ids.lock().await = None;
        if self.id(name).await? == Some(id) {
            return Ok(ActionOutcome::Gone);
        }
        let id = self.id_or_make(name).await?;
        Ok(if self.attach(contact, &id).await? { done(id) } else { ActionOutcome::Gone })
    }

    /// Takes the tag off by the id that was recorded when it was put on, because another tag may have the name by now.
    async fn remove(&self, contact: &str, name: &str, id: Option<&str>) -> Result<ActionOutcome, ActionOutcome> {
        let id = match id.filter(|id| !id.is_empty()) {
            Some(id) => Some(id.to_owned()),
            None => self.id(name).await?,
        };
        // A tag that the workspace does not have is on nobody.
        let Some(id) = id else { return Ok(done(String::new())) };
        if is_id(&id) {
            // A missing contact or tag is no error.
            let path = ["contacts", contact, "tags", &id];
            self.change(contact, &Request::new(Method::DELETE, RequestKind::Detach, &path)).await?;
        }
        Ok(done(id))
    }

    async fn attach(&self, contact: &str, id: &str) -> Result<bool, RemoteError> {
        let path = ["contacts", contact, "tags"];
        self.change(contact, &Request::post(RequestKind::Attach, &path, &json!({ "id": id }))).await
    }

    /// Sends a change of a contact's tag; false if the contact or the tag is not there. A success that does not name the tag
    /// may come from a gateway, and then nobody knows whether the change happened.
    async fn change(&self, contact: &str, request: &Request) -> Result<bool, RemoteError> {
        let Some(answer) = self.intercom.found(contact, request).await? else { return Ok(false) };
        match read_tag(&answer.text()) {
            Some(_) => Ok(true),
            None => Err(self.intercom.unreadable(request, &answer)),
        }
    }

    async fn id(&self, name: &str) -> Result<Option<String>, RemoteError> {
        let mut known = self.ids.lock().await;
        let ids = self.ask_once(&mut known).await?;
        Ok(ids.get(&tag_key(name)).cloned())
    }

    /// Returns the id of the tag with a name. Intercom creates the tag if it is missing.
    async fn id_or_make(&self, name: &str) -> Result<String, ActionOutcome> {
        let mut known = self.ids.lock().await;
        let ids = self.ask_once(&mut known).await?;
        if let Some(id) = ids.get(&tag_key(name)) {
            return Ok(id.clone());
        }
        let request = Request::post(RequestKind::MakeTag, &["tags"], &json!({ "name": name }));
        let answer = self.intercom.success(&request).await?;
        let made = read_tag(&answer.text()).ok_or_else(|| self.intercom.unreadable(&request, &answer))?;
        ids.insert(tag_key(name), made.id.clone());
        Ok(made.id)
    }

    async fn ask_once<'k>(
        &self,
        known: &'k mut Option<BTreeMap<String, String>>,
    ) -> Result<&'k mut BTreeMap<String, String>, RemoteError> {
        let ids = match known.take() {
            Some(ids) => ids,
            None => {
                let tags = self.intercom.tags_for(RequestKind::FindTag).await?;
                tags.into_iter().map(|tag| (tag_key(&tag.name), tag.id)).collect()
            }
        };
        Ok(known.insert(ids))
    }

    async fn settle_one(&self, claim: &Claim) -> Answer {
        let id = claim.prior.as_deref().filter(|id| !id.is_empty());
        if claim.tag.is_empty() && id.is_none() {
            return Answer::CannotTell;
        }
        let tags = match self.intercom.contact_tags(&claim.key.contact).await {
            Ok(Some(tags)) => tags,
            Ok(None) => return Answer::Gone,
            Err(error) => return error.into(),
        };
        let ours = |tag: &TagName| id.map_or_else(|| tag.is_named(&claim.tag), |id| tag.id == id);
        let carried = tags.into_iter().find(ours);
        match (claim.key.kind, carried) {
            (ActionKind::Tag, Some(tag)) => Answer::Happened(tag.id),
            (ActionKind::Untag, None) => Answer::Happened(String::new()),
            (ActionKind::Tag, None) | (ActionKind::Untag, Some(_)) => Answer::DidNotHappen,
            _ => Answer::CannotTell,
        }
    }
}

impl Sink for TagSink {
    type Order = Tag;

    fn batches(&self, orders: Vec<Tag>) -> Vec<Vec<Tag>> {
        orders.chunks(self.intercom.at_once()).map(<[Tag]>::to_vec).collect()
    }

    async fn perform(&mut self, batch: &[Tag]) -> Vec<ActionOutcome> {
        let this = &*self;
        stream::iter(batch).map(|order| this.perform_one(order)).buffered(this.intercom.at_once()).collect().await
    }

    async fn settle(&mut self, claims: &[Claim]) -> Vec<Answer> {
        let this = &*self;
        stream::iter(claims).map(|claim| this.settle_one(claim)).buffered(this.intercom.at_once()).collect().await
    }
}

fn done(remote_id: String) -> ActionOutcome {
    ActionOutcome::Done(remote_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::sink::FailureKind;
    use crate::model::ActionKey;
    use crate::remote::intercom::tests::intercom;
    use crate::remote::script::{Reply, Script};

    const TAGS: &str = r#"{"type":"list","data":[{"id":"7","name":"expansion: power USER"},{"id":8,"name":"Other"}]}"#;
    const NO_TAGS: &str = r#"{"type":"list","data":[]}"#;
    const MADE: &str = r#"{"type":"tag","id":"9","name":"Expansion: Power User"}"#;

    fn not_found() -> Reply {
        Reply::status(404).body(include_str!("../../../fixtures/intercom-examples/error-tag-not-found.json"))
    }

    fn error_list(code: &str) -> String {
        json!({ "type": "error.list", "request_id": "r1", "errors": [{ "code": code, "message": "no" }] }).to_string()
    }

    fn order(change: TagChange) -> Tag {
        Tag { short: "US-1".into(), contact: "c1".into(), tag: "Expansion: Power User".into(), change, tag_id: None }
    }

    /// The outcome of one order and the requests it took.
    async fn perform(change: TagChange, replies: impl IntoIterator<Item = Reply>) -> (ActionOutcome, Vec<String>) {
        let script = Script::play(replies).await;
        let mut sink = TagSink::new(intercom(&script));
        let outcome = sink.perform(&[order(change)]).await.remove(0);
        let asked = script.requests().into_iter();
        let lines = asked.map(|asked| {
            let line = asked.line.trim_end_matches(" HTTP/1.1");
            format!("{line} {}", asked.body).trim_end().to_owned()
        });
        (outcome, lines.collect())
    }

    #[tokio::test]
    async fn a_tag_is_found_without_case_and_attached() {
        let (outcome, asked) = perform(TagChange::Add, [Reply::json(TAGS), Reply::json(MADE)]).await;
        assert_eq!(outcome, done("7".into()));
        assert_eq!(asked, ["GET /tags", r#"POST /contacts/c1/tags {"id":"7"}"#]);
    }

    #[tokio::test]
    async fn a_success_that_does_not_show_the_tag_proves_nothing() {
        let welcome = || Reply::json(r#"{"message":"down for maintenance"}"#);
        for change in [TagChange::Add, TagChange::Remove] {
            let (outcome, _) = perform(change, [Reply::json(TAGS), welcome()]).await;
            assert!(matches!(outcome, ActionOutcome::InDoubt(_)), "{outcome:?}");
        }
    }

    #[tokio::test]
    async fn a_missing_tag_is_made_first() {
        let replies = [Reply::json(NO_TAGS), Reply::json(MADE), Reply::json(MADE)];
        let (outcome, asked) = perform(TagChange::Add, replies).await;
        assert_eq!(outcome, done("9".into()));
        assert_eq!(
            asked[1..],
            [r#"POST /tags {"name":"Expansion: Power User"}"#, r#"POST /contacts/c1/tags {"id":"9"}"#,]
        );
    }

    #[tokio::test]
    async fn not_found_is_the_contact_where_the_tag_is_still_there() {
        let (outcome, asked) = perform(TagChange::Add, [Reply::json(TAGS), not_found(), Reply::json(TAGS)]).await;
        assert_eq!(outcome, ActionOutcome::Gone);
        assert_eq!(asked.len(), 3);
    }

    #[tokio::test]
    async fn not_found_is_the_tag_where_the_tag_has_vanished() {
        let replies = [Reply::json(TAGS), not_found(), Reply::json(NO_TAGS), Reply::json(MADE), Reply::json(MADE)];
        let (outcome, asked) = perform(TagChange::Add, replies).await;
        assert_eq!(outcome, done("9".into()));
        assert_eq!(asked[4], r#"POST /contacts/c1/tags {"id":"9"}"#);
    }

    #[tokio::test]
    async fn taking_off_a_tag_that_is_not_there_succeeds() {
        let (outcome, asked) = perform(TagChange::Remove, [Reply::json(TAGS), not_found()]).await;
        assert_eq!(outcome, done("7".into()));
        assert_eq!(asked[1], "DELETE /contacts/c1/tags/7");
        let (outcome, asked) = perform(TagChange::Remove, [Reply::json(NO_TAGS)]).await;
        assert_eq!((outcome, asked.len()), (done(String::new()), 1));
    }

    #[tokio::test]
    async fn only_intercoms_own_words_refuse_a_tag_or_a_credential() {
        let own = |status, code| Reply::status(status).body(&error_list(code));
        let (outcome, _) = perform(TagChange::Add, [Reply::json(TAGS), own(403, "forbidden")]).await;
        assert!(
            matches!(&outcome, ActionOutcome::CarriedOver(failure) if failure.kind == FailureKind::Credential),
            "{outcome:?}"
        );
        let (outcome, _) = perform(TagChange::Add, [Reply::json(NO_TAGS), own(400, "parameter_invalid")]).await;
        assert!(matches!(outcome, ActionOutcome::Refused(_)), "{outcome:?}");
        let captcha = || {
            let page = Reply::status(405).header("content-type", "text/html").header("x-amzn-waf-action", "captcha");
            page.body("<html>Are you human?</html>")
        };
        let page = "answered 405 with an HTML page (a firewall's captcha), x-amzn-waf-action: captcha";
        for (reply, words) in [
            (captcha(), page),
            (Reply::status(400), "answered 400 without a body"),
            (Reply::status(404).body("<html>"), "answered 404 with an HTML page"),
            (Reply::status(403).body("Forbidden, said the proxy"), "answered 403 with a text"),
            (Reply::status(401).body(r#"{"no":1}"#), "answered 401 with JSON of another form"),
            (own(404, "a_code_of_next_year"), "answered 404: a_code_of_next_year"),
            (own(400, "a_code_of_next_year"), "answered 400: a_code_of_next_year"),
        ] {
            for change in [TagChange::Add, TagChange::Remove] {
                let (outcome, _) = perform(change, [Reply::json(TAGS), reply.clone()]).await;
                let ActionOutcome::CarriedOver(failure) = &outcome else { panic!("{outcome:?}") };
                assert_eq!(failure.kind, FailureKind::Action, "{outcome:?}");
                assert!(failure.message.contains(words), "{outcome:?}");
            }
        }
    }

    #[tokio::test]
    async fn settling_looks_at_the_contact() {
        let claim = |kind, tag: &str| Claim {
            key: ActionKey { kind, level: String::new(), contact: "c1".into() },
            short: "US-1".into(),
            claimed_at: chrono::DateTime::UNIX_EPOCH,
            link: None,
            prior: None,
            sent_to: None,
            sibling: None,
            tag: tag.into(),
        };
        let script = Script::play([
            Reply::json(TAGS),
            Reply::json(TAGS),
            Reply::json(NO_TAGS),
            Reply::json(NO_TAGS),
            not_found(),
        ])
        .await;
        let mut sink = TagSink::new(intercom(&script));
        let name = "Expansion: Power User";
        let claims = [
            claim(ActionKind::Tag, name),
            claim(ActionKind::Untag, name),
            claim(ActionKind::Tag, name),
            claim(ActionKind::Untag, name),
            claim(ActionKind::Tag, name),
            claim(ActionKind::Tag, ""),
        ];
        let happened = |id: &str| Answer::Happened(id.into());
        assert_eq!(
            sink.settle(&claims).await,
            [happened("7"), Answer::DidNotHappen, Answer::DidNotHappen, happened(""), Answer::Gone, Answer::CannotTell,]
        );
    }
}
