//! Slack against a server that plays a script.

mod recorded;
mod settle;

use std::time::Duration;

use chrono::NaiveDate;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::apply::sink::{ActionOutcome, Answer, Claim, FailureKind, Sink};
use crate::apply::stop::Stop;
use crate::model::{Brief, Message, MessageRef, Person, Priority, TaskNews};
use crate::remote::error::ErrorKind;
use crate::remote::http::Timing;
use crate::remote::script::{self, Asked, Reply, Script};

fn order(short: &str) -> Message {
    let person = Person { id: "1".into(), email: None, name: Some("Ann".into()) };
    let brief = Brief {
        signal: "power_user".into(),
        level: String::new(),
        title: "Power user".into(),
        priority: Priority::Medium,
        account: None,
        representative: person.clone(),
        people: vec![person],
        details: "23 projects".into(),
        action: "Call".into(),
        due_date: NaiveDate::from_ymd_opt(2025, 12, 23).unwrap(),
        respond_within_days: 3,
        why_now: String::new(),
        flags: vec![],
        contact_url: "https://app.intercom.com/1".into(),
        again_since: None,
        escalated: false,
        message: None,
    };
    Message { short: short.into(), brief, task: TaskNews::None, thread: None, may_repeat: false, without_key: false }
}

fn reply_to(short: &str, channel: &str) -> Message {
    Message { thread: Some(MessageRef { channel: channel.into(), ts: "5.000100".into() }), ..order(short) }
}

fn quick() -> Options {
    let timing = Timing { timeout: Duration::from_secs(5), ..Timing::default() };
    Options { max_messages: 20, spacing: Duration::ZERO, look_up_after: Duration::ZERO, timing }
}

fn bot(script: &Script) -> Slack {
    Slack::bot(script.url("/api"), &"xoxb-hush".into(), "C1".into(), quick(), script::stop()).unwrap()
}

fn webhook(script: &Script) -> Slack {
    let url = script.url("/services/T0/B0/hush").to_string();
    Slack::webhook(&url.into(), quick(), script::stop()).unwrap()
}

fn ok() -> Reply {
    Reply::json(r#"{"ok":true,"channel":"C1","ts":"7.000247"}"#)
}

fn no(code: &str) -> Reply {
    Reply::json(&json!({ "ok": false, "error": code }).to_string())
}

fn done(id: &str) -> ActionOutcome {
    ActionOutcome::Done(id.into())
}

fn body(asked: &Asked) -> Value {
    serde_json::from_str(&asked.body).unwrap()
}

/// The outcome as a word, with the kind of its failure.
fn word(outcome: &ActionOutcome) -> (&'static str, Option<FailureKind>) {
    match outcome {
        ActionOutcome::Done(_) => ("done", None),
        ActionOutcome::DoneApart(_) => ("done apart", None),
        ActionOutcome::KeyRefused(failure) => ("key refused", Some(failure.kind)),
        ActionOutcome::CarriedOver(failure) => ("carried over", Some(failure.kind)),
        ActionOutcome::Refused(failure) => ("refused", Some(failure.kind)),
        ActionOutcome::InDoubt(failure) => ("in doubt", Some(failure.kind)),
        ActionOutcome::RecordGone(failure) => ("record gone", Some(failure.kind)),
        ActionOutcome::Gone => ("gone", None),
    }
}

#[tokio::test]
async fn a_message_carries_its_key_and_its_receipt_says_where_it_is() {
    let script = Script::play([ok()]).await;
    assert_eq!(bot(&script).perform(&[order("US-1")]).await, [done("C1/7.000247")]);
    let asked = script.requests().remove(0);
    assert_eq!(asked.line, "POST /api/chat.postMessage HTTP/1.1");
    assert!(asked.head.contains("authorization: Bearer xoxb-hush"), "{}", asked.head);
    let body = body(&asked);
    assert_eq!(body["channel"], "C1");
    assert_eq!(body["metadata"], json!({ "event_type": "usage_signal", "event_payload": { "key": "US-1" } }));
    assert_eq!((&body["unfurl_links"], &body["unfurl_media"]), (&json!(false), &json!(false)));
    assert!(body["blocks"].is_array() && body["thread_ts"].is_null(), "{body}");
    assert_eq!(body["text"], "Power user · Ann · by 23 Dec 2025");
}

#[tokio::test]
async fn a_digest_is_one_message_with_all_keys() {
    let script = Script::play([ok()]).await;
    let outcomes = bot(&script).perform(&[order("US-1"), order("US-2")]).await;
    assert_eq!(outcomes, [done("C1/7.000247/digest"), done("C1/7.000247/digest")]);
    let asked = script.requests();
    assert_eq!(asked.len(), 1);
    assert_eq!(body(&asked[0])["metadata"]["event_payload"], json!({ "keys": ["US-1", "US-2"] }));
}

#[tokio::test]
async fn every_error_of_the_api_has_its_outcome() {
    use FailureKind::{Action, Configuration, Credential, Unreachable};
    for (code, expected) in [
        ("invalid_auth", ("carried over", Some(Credential))),
        ("token_revoked", ("carried over", Some(Credential))),
        ("missing_scope", ("carried over", Some(Credential))),
        ("channel_not_found", ("carried over", Some(Configuration))),
        ("not_in_channel", ("carried over", Some(Configuration))),
        ("is_archived", ("carried over", Some(Configuration))),
        ("restricted_action_read_only_channel", ("carried over", Some(Configuration))),
        ("message_limit_exceeded", ("carried over", Some(Unreachable))),
        ("msg_too_long", ("refused", Some(Action))),
        ("slack_connect_file_link_sharing_blocked", ("refused", Some(Action))),
        ("accesslimited", ("carried over", Some(Credential))),
        ("ekm_access_denied", ("carried over", Some(Configuration))),
        ("team_added_to_org", ("carried over", Some(Unreachable))),
        ("plan_upgrade_required", ("carried over", Some(Configuration))),
        ("a_code_of_next_year", ("carried over", Some(Action))),
        ("service_unavailable", ("in doubt", Some(Action))),
        ("internal_error", ("in doubt", Some(Action))),
        ("fatal_error", ("in doubt", Some(Action))),
    ] {
        let script = Script::play([no(code)]).await;
        let outcomes = bot(&script).perform(&[order("US-1")]).await;
        assert_eq!(word(&outcomes[0]), expected, "{code}");
        assert_eq!(script.requests().len(), 1, "{code} is not tried again");
    }
}

#[tokio::test]
async fn an_unusable_answer_leaves_the_message_in_doubt_and_unrepeated() {
    for reply in [
        Reply::reset(),
        Reply::status(503).body("<html>"),
        Reply::json("<html>"),
        Reply::json("{}"),
        Reply::json(r#"{"ok":true}"#),
    ] {
        let script = Script::play([reply, ok()]).await;
        let outcomes = bot(&script).perform(&[order("US-1")]).await;
        assert_eq!(word(&outcomes[0]).0, "in doubt", "{outcomes:?}");
        assert_eq!(script.requests().len(), 1);
    }
}

#[tokio::test]
async fn refused_blocks_are_sent_as_text_once() {
    let script = Script::play([no("invalid_blocks"), ok()]).await;
    assert_eq!(bot(&script).perform(&[order("US-1")]).await, [done("C1/7.000247")]);
    let second = body(&script.requests()[1]);
    assert!(second["blocks"].is_null() && second["text"].as_str().unwrap().contains("23 projects"), "{second}");
    assert_eq!(second["metadata"]["event_payload"]["key"], "US-1");

    let script = Script::play([no("invalid_blocks"), no("invalid_blocks")]).await;
    assert_eq!(word(&bot(&script).perform(&[order("US-1")]).await[0]).0, "refused");
}

#[tokio::test]
async fn a_message_whose_metadata_are_refused_is_sent_without_its_key_where_the_caller_says_so() {
    for code in ["metadata_too_large", "invalid_metadata_schema", "metadata_must_be_sent_from_app"] {
        let script = Script::play([no(code), ok()]).await;
        let mut slack = bot(&script);
        let outcomes = slack.perform(&[order("US-1")]).await;
        assert!(matches!(outcomes[..], [ActionOutcome::KeyRefused(_)]), "{code}: {outcomes:?}");
        let keyless = Message { without_key: true, ..order("US-1") };
        assert_eq!(slack.perform(&[keyless]).await, [done("C1/7.000247")]);
        let metadata = script.requests().iter().map(|asked| body(asked)["metadata"].is_object()).collect::<Vec<_>>();
        assert_eq!(metadata, [true, false]);
    }
}

#[tokio::test]
async fn the_help_for_an_expired_token_names_the_rotation() {
    let script = Script::play([no("token_expired")]).await;
    let outcomes = bot(&script).perform(&[order("US-1")]).await;
    let ActionOutcome::CarriedOver(failure) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert!(failure.help.as_ref().unwrap().contains("rotates its tokens"), "{failure:?}");
}

#[tokio::test]
async fn a_message_waits_as_long_as_slack_asks() {
    let later = || no("ratelimited").header("Retry-After", "0");
    let script = Script::play([Reply::status(429).header("Retry-After", "0"), later(), later(), ok()]).await;
    assert_eq!(bot(&script).perform(&[order("US-1")]).await, [done("C1/7.000247")]);

    let script = Script::play([later(), later(), later(), later(), ok()]).await;
    let outcomes = bot(&script).perform(&[order("US-1")]).await;
    assert_eq!(word(&outcomes[0]), ("carried over", Some(FailureKind::Unreachable)));
}

#[tokio::test]
async fn a_reply_goes_under_its_message_or_else_into_the_channel() {
    let script = Script::play([ok(), no("cannot_reply_to_message"), ok()]).await;
    let mut slack = bot(&script);
    assert_eq!(word(&slack.perform(&[reply_to("US-1", "C0")]).await[0]).0, "done");
    assert_eq!(word(&slack.perform(&[reply_to("US-2", "C0")]).await[0]).0, "done apart");
    let bodies: Vec<Value> = script.requests().iter().map(body).collect();
    for reply in &bodies[..2] {
        assert_eq!(reply["channel"], "C0");
        assert_eq!(reply["thread_ts"], "5.000100");
        assert_eq!(reply["reply_broadcast"], true);
    }
    assert!(bodies[2]["thread_ts"].is_null() && bodies[2]["channel"] == "C1", "{}", bodies[2]);
}

#[tokio::test]
async fn a_webhook_must_say_ok_and_never_shows_its_address() {
    use FailureKind::{Action, Configuration, Credential};
    for (reply, expected) in [
        (Reply::status(200).body("ok\n"), ("done", None)),
        (Reply::status(200).body("<html>"), ("in doubt", Some(Action))),
        (Reply::status(500).body("rollup_error"), ("in doubt", Some(Action))),
        (Reply::reset(), ("in doubt", Some(Action))),
        (Reply::status(400).body("invalid_payload"), ("refused", Some(Action))),
        (Reply::json(r#"{"ok":true}"#), ("done", None)),
        (Reply::json(r#"{"ok":false,"error":"invalid_token"}"#), ("carried over", Some(Credential))),
        (Reply::status(404).body(r#"{"ok":false,"error":"no_service"}"#), ("carried over", Some(Configuration))),
        (Reply::status(400).body(""), ("carried over", Some(Action))),
        (Reply::status(400).body("a_word_of_next_year"), ("carried over", Some(Action))),
        (Reply::status(403).body("<html>"), ("carried over", Some(Action))),
        (Reply::status(404).body("<html>"), ("carried over", Some(Action))),
        (Reply::status(403).body("invalid_token"), ("carried over", Some(Credential))),
        (Reply::status(403).body("action_prohibited"), ("carried over", Some(Configuration))),
        (Reply::status(404).body("no_service"), ("carried over", Some(Configuration))),
        (Reply::status(410).body("channel_is_archived"), ("carried over", Some(Configuration))),
        (Reply::status(302).header("Location", "/elsewhere"), ("carried over", Some(Configuration))),
    ] {
        let script = Script::play([reply]).await;
        let mut slack = webhook(&script);
        let outcomes = slack.perform(&[order("US-1")]).await;
        assert_eq!(word(&outcomes[0]), expected, "{outcomes:?}");
        let shown = format!("{outcomes:?} {slack:?}");
        assert!(!shown.contains("hush") && !shown.contains("services"), "{shown}");
    }
}

#[tokio::test]
async fn a_webhook_gets_the_message_without_the_fields_for_bots() {
    let script = Script::play([Reply::status(200).body("ok")]).await;
    assert_eq!(webhook(&script).perform(&[reply_to("US-1", "C0")]).await, [done("webhook")]);
    let asked = script.requests().remove(0);
    assert_eq!(asked.line, "POST /services/T0/B0/hush HTTP/1.1");
    let body = body(&asked);
    for absent in ["channel", "thread_ts", "reply_broadcast", "metadata"] {
        assert!(body[absent].is_null(), "{absent} in {body}");
    }
}

#[tokio::test]
async fn messages_keep_their_distance_and_a_stop_ends_the_wait() {
    let script = Script::play([ok(), ok()]).await;
    let (_switch, stop) = Stop::after(Duration::from_millis(900));
    let options = Options { spacing: Duration::from_millis(400), ..quick() };
    let mut slack = Slack::bot(script.url("/"), &"t".into(), "C1".into(), options, stop).unwrap();
    let began = Instant::now();
    assert_eq!(word(&slack.perform(&[order("US-1")]).await[0]).0, "done");
    assert!(began.elapsed() < Duration::from_millis(300), "no wait before the first");
    assert_eq!(word(&slack.perform(&[order("US-2")]).await[0]).0, "done");
    assert!(began.elapsed() >= Duration::from_millis(400), "{:?}", began.elapsed());
    slack.options.spacing = Duration::from_secs(60);
    assert_eq!(word(&slack.perform(&[order("US-3")]).await[0]), ("carried over", Some(FailureKind::Action)));
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test]
async fn the_most_urgent_go_alone_and_the_rest_in_digests_in_order() {
    let script = Script::play([]).await;
    let mut slack = bot(&script);
    slack.options.max_messages = 2;
    let sizes = |slack: &Slack, orders: Vec<Message>| {
        let shorts: Vec<String> = orders.iter().map(|order| order.short.clone()).collect();
        let batches = slack.batches(orders);
        let kept: Vec<String> = batches.iter().flatten().map(|order| order.short.clone()).collect();
        assert_eq!(kept, shorts, "nothing left out or reordered");
        batches.iter().map(Vec::len).collect::<Vec<_>>()
    };
    let many = |count: usize| (0..count).map(|number| order(&format!("US-{number}"))).collect::<Vec<_>>();
    assert_eq!(sizes(&slack, many(2)), [1, 1]);
    assert_eq!(sizes(&slack, many(30)), [1, 1, 25, 3]);
    assert_eq!(sizes(&slack, vec![]), [] as [usize; 0]);
    let mut replies = many(3);
    replies.extend([order("US-3"), reply_to("US-4", "C1"), order("US-5"), order("US-6")]);
    assert_eq!(sizes(&slack, replies.clone()), [1, 1, 2, 1, 2]);
    let hook = Slack { options: slack.options, ..webhook(&script) };
    assert_eq!(sizes(&hook, replies), [1, 1, 5], "a webhook cannot reply");
    slack.options.max_messages = 0;
    assert_eq!(sizes(&slack, many(3)), [3]);
}

#[tokio::test]
async fn the_bot_says_who_it_is_and_what_it_may_do() {
    let who = Reply::json(r#"{"ok":true,"team":"Sandbox","user":"signals"}"#)
        .header("X-OAuth-Scopes", "chat:write, channels:history");
    let script = Script::play([who, no("invalid_auth")]).await;
    let slack = bot(&script);
    let identity = slack.identity().await.unwrap().unwrap();
    assert_eq!((identity.team.as_str(), identity.user.as_str()), ("Sandbox", "signals"));
    assert_eq!(identity.scopes, ["chat:write", "channels:history"]);
    let error = slack.identity().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Credential);
    assert!(!error.to_string().contains("hush"), "{error}");
}
