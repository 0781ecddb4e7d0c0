//! Settling: messages in doubt are looked up by their keys.

use chrono::DateTime;

use super::*;
use crate::apply::sink::KEYLESS;
use crate::model::{ActionKey, ActionKind};

pub(super) fn claim(short: &str, second: i64) -> Claim {
    Claim {
        key: ActionKey { kind: ActionKind::Message, level: String::new(), contact: String::new() },
        short: short.into(),
        claimed_at: DateTime::from_timestamp(second, 0).unwrap(),
        link: None,
        prior: None,
        sent_to: None,
        sibling: None,
        tag: String::new(),
    }
}

fn history(messages: &Value, next: &str) -> Reply {
    let answer = json!({ "ok": true, "messages": messages, "response_metadata": { "next_cursor": next } });
    Reply::json(&answer.to_string())
}

fn ours(ts: &str, payload: &Value) -> Value {
    json!({ "ts": ts, "metadata": { "event_type": "usage_signal", "event_payload": payload } })
}

#[tokio::test]
async fn settling_reads_the_history_from_before_the_first_claim() {
    let stranger = json!({ "ts": "4.0", "metadata": { "event_type": "other", "event_payload": { "key": "US-3" } } });
    let script = Script::play([
        history(&json!([ours("1.0", &json!({ "key": "US-1" })), { "text": "hello" }, stranger]), "next"),
        history(&json!([ours("2.0", &json!({ "keys": ["US-2", "US-9"] }))]), ""),
    ])
    .await;
    let claims = [claim("US-1", 1_766_210_400), claim("US-2", 1_766_210_500), claim("US-3", 1_766_210_400)];
    let happened = |id: &str| Answer::Happened(id.into());
    assert_eq!(
        bot(&script).settle(&claims).await,
        [happened("C1/1.0"), happened("C1/2.0/digest"), Answer::DidNotHappen]
    );
    let lines: Vec<String> = script.requests().into_iter().map(|asked| asked.line).collect();
    let first =
        "GET /api/conversations.history?channel=C1&oldest=1766120400.000000&include_all_metadata=true&limit=200";
    assert_eq!(lines, [format!("{first} HTTP/1.1"), format!("{first}&cursor=next HTTP/1.1")]);
}

#[tokio::test]
async fn settling_reads_only_messages_of_ours_and_ends_at_a_null_cursor() {
    let of_others = [
        json!({ "ts": "4.0", "metadata": { "event_type": "task_created", "event_payload": { "key": 4711 } } }),
        json!({ "ts": "4.1", "metadata": { "event_type": "usage_signal", "event_payload": { "key": 4711, "keys": {} } } }),
        json!({ "ts": "4.2", "metadata": { "event_type": "usage_signal", "event_payload": "US-1" } }),
        json!({ "ts": "4.3", "metadata": { "event_type": null, "event_payload": null } }),
        json!({ "ts": 4.4, "thread_ts": null, "metadata": [] }),
        json!("US-1"),
        json!({ "ts": "4.5", "metadata": { "event_type": "task_created", "event_payload": { "key": "US-1" } } }),
    ];
    let ours = [
        ours("5.0", &json!({ "key": "US-1", "by": 7 })),
        ours("6.0", &json!({ "key": null, "keys": ["US-2", 4711, null] })),
    ];
    let messages: Vec<Value> = of_others.into_iter().chain(ours).collect();
    for rest in [json!({ "next_cursor": null }), Value::Null] {
        let page = json!({ "ok": true, "messages": messages, "response_metadata": rest });
        let script = Script::play([Reply::json(&page.to_string())]).await;
        let claims = ["US-1", "US-2", "US-3"].map(|short| claim(short, 1_766_210_400));
        let happened = |id: &str| Answer::Happened(id.into());
        assert_eq!(
            bot(&script).settle(&claims).await,
            [happened("C1/5.0"), happened("C1/6.0/digest"), Answer::DidNotHappen]
        );
    }
}

#[tokio::test]
async fn a_history_without_messages_says_nothing_about_a_message() {
    let script = Script::play([Reply::json(r#"{"ok":true}"#)]).await;
    let answers = bot(&script).settle(&[claim("US-1", 1_766_210_400)]).await;
    assert!(matches!(answers.as_slice(), [Answer::NoAnswer(_)]), "{answers:?}");
}

#[tokio::test]
async fn settling_looks_into_threads_that_the_channel_saw() {
    let script = Script::play([
        history(&json!([{ "ts": "6.0", "thread_ts": "5.0", "subtype": "thread_broadcast" }]), ""),
        history(&json!([{ "ts": "5.0" }, ours("6.0", &json!({ "key": "US-1" }))]), ""),
    ])
    .await;
    let answers = bot(&script).settle(&[claim("US-1", 1_766_210_400)]).await;
    assert_eq!(answers, [Answer::Happened("C1/6.0".into())]);
    assert!(script.requests()[1].line.contains("conversations.replies?channel=C1&ts=5.0&"));
}

#[tokio::test]
async fn settling_looks_into_the_channel_that_the_message_was_sent_to() {
    let script = Script::play([
        history(&json!([ours("7.0", &json!({ "key": "US-1" }))]), ""),
        history(&json!([ours("8.0", &json!({ "key": "US-4" }))]), ""),
        no("not_in_channel"),
    ])
    .await;
    let sent_to = |short: &str, channel: &str| Claim { sent_to: Some(channel.into()), ..claim(short, 1_766_210_400) };
    let reply = Claim { prior: Some("C3/5.0".into()), ..sent_to("US-5", "C1") };
    let claims =
        [sent_to("US-1", "C0"), sent_to("US-4", "C1"), sent_to("US-3", "webhook"), reply, sent_to("US-6", "C1")];
    let happened = |id: &str| Answer::Happened(id.into());
    let answers = bot(&script).settle(&claims).await;
    let expected =
        [happened("C0/7.0"), happened("C1/8.0"), Answer::CannotTell, Answer::CannotTell, Answer::DidNotHappen];
    assert_eq!(answers, expected);
    let asked: Vec<_> = script.requests().into_iter().map(|asked| asked.line).collect();
    for (line, channel) in asked.iter().zip(["C0", "C1", "C3"]) {
        assert!(line.starts_with(&format!("GET /api/conversations.history?channel={channel}&")), "{asked:?}");
    }
    assert_eq!(asked.len(), 3);
}

#[tokio::test]
async fn settling_tells_a_closed_channel_from_a_failed_request() {
    for (reply, expected) in [
        (no("missing_scope"), "cannot tell"),
        (no("not_in_channel"), "cannot tell"),
        (no("channel_not_found"), "cannot tell"),
        (no("invalid_auth"), "no answer"),
        (Reply::status(404), "no answer"),
    ] {
        let script = Script::play([reply]).await;
        let word = match bot(&script).settle(&[claim("US-1", 1_766_210_400)]).await.remove(0) {
            Answer::CannotTell => "cannot tell",
            Answer::NoAnswer(_) => "no answer",
            other => panic!("{other:?}"),
        };
        assert_eq!(word, expected);
    }
    let script = Script::play([]).await;
    assert_eq!(webhook(&script).settle(&[claim("US-1", 0)]).await, [Answer::CannotTell]);
}

#[tokio::test]
async fn a_channel_given_by_name_is_read_by_the_id_of_its_last_message() {
    let script = Script::play([history(&json!([ours("1.0", &json!({ "key": "US-1" }))]), "")]).await;
    let (sent_to, sibling) = (Some("#signals".to_owned()), Some("C7/5.0".to_owned()));
    let claims = [Claim { sent_to, sibling, ..claim("US-1", 1_766_210_400) }];
    assert_eq!(bot(&script).settle(&claims).await, [Answer::Happened("C7/1.0".into())]);
    assert!(script.requests()[0].line.contains("channel=C7") || script.requests()[0].body.contains("C7"));
}

#[tokio::test]
async fn nobody_can_tell_about_a_message_without_its_key() {
    let script = Script::play([]).await;
    let claims = [Claim { sent_to: Some(KEYLESS.into()), ..claim("US-1", 1_766_210_400) }];
    assert_eq!(bot(&script).settle(&claims).await, [Answer::CannotTell]);
    assert_eq!(script.requests().len(), 0);
}

#[tokio::test]
async fn a_reply_found_at_the_top_of_its_channel_happened_apart() {
    let script =
        Script::play([history(&json!([ours("9.0", &json!({ "key": "US-1" }))]), ""), no("thread_not_found")]).await;
    let claims = [Claim { prior: Some("C1/5.0".into()), ..claim("US-1", 1_766_210_400) }];
    assert_eq!(bot(&script).settle(&claims).await, [Answer::HappenedApart("C1/9.0".into())]);
}
