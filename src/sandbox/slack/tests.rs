use super::{answer, webhook};
use crate::sandbox::http::{Call, Reply};
use crate::sandbox::world::World;
use hyper::body::Bytes;
use serde_json::{Value, json};

/// 2025-12-20 06:00 UTC.
const NOW: i64 = 1_766_210_400;

fn team() -> World {
    let text = json!({"team": "T1", "channels": [{"id": "C1", "name": "signals"}, {"id": "C2", "member": false},
        {"id": "C3", "archived": true}, {"id": "C4", "member": false, "private": true}]});
    let mut world = World::from_files(&|name| (name == "slack.json").then(|| text.to_string())).unwrap();
    world.now = Some(NOW);
    world
}

fn ask(world: &mut World, method: &str, body: &Value) -> Value {
    let call = Call::test("POST", method, Some(body)).with("authorization", "Bearer xoxb-sandbox-slack-token");
    let reply = answer(world, &call);
    assert_eq!(reply.status, 200);
    reply.value()
}

fn post(world: &mut World, body: &Value) -> Value {
    ask(world, "/chat.postMessage", body)
}

#[test]
fn a_message_is_kept_with_its_metadata_and_mentions() {
    let mut world = team();
    let metadata = json!({"event_type": "signal", "event_payload": {"key": "US-1"}});
    let answer = post(&mut world, &json!({"channel": "C1", "text": "hi <!channel>\nmore", "metadata": metadata}));
    assert_eq!(
        (&answer["ok"], &answer["channel"], &answer["ts"]),
        (&json!(true), &json!("C1"), &json!("1766210400.000100"))
    );
    let second = post(&mut world, &json!({"channel": "#signals", "text": "reply", "thread_ts": answer["ts"]}));
    assert_eq!(second["ts"], "1766210400.000200");
    let third = post(&mut world, &json!({"channel": "C1", "text": "reply to a reply", "thread_ts": second["ts"]}));
    assert_eq!(third["error"], "cannot_reply_to_message", "only a parent can be replied to");
    assert_eq!(world.slack.messages[0]["mentions"], json!(["<!channel>"]));
    assert_eq!(
        world.effects.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["slack post C1 \"hi <!channel>\"", "slack post C1 \"reply\" in thread 1766210400.000100"]
    );

    let history = ask(&mut world, "/conversations.history", &json!({"channel": "C1", "include_all_metadata": true}));
    assert_eq!(history["messages"].as_array().unwrap().len(), 1, "replies are not in the history");
    assert_eq!(history["messages"][0]["metadata"], metadata);
    assert_eq!(history["messages"][0].get("mentions"), None);
    let plain = ask(&mut world, "/conversations.history", &json!({"channel": "C1"}));
    assert_eq!(plain["messages"][0].get("metadata"), None);
    let replies = ask(&mut world, "/conversations.replies", &json!({"channel": "C1", "ts": answer["ts"]}));
    assert_eq!(replies["messages"][1]["text"], "reply");
}

#[test]
fn a_reply_to_a_message_that_is_gone_becomes_a_message_of_its_own() {
    let mut world = team();
    let answer = post(&mut world, &json!({"channel": "C1", "text": "x", "thread_ts": "1.2"}));
    assert_eq!((&answer["ok"], &answer["message"]["thread_ts"]), (&json!(true), &Value::Null));
}

#[test]
fn each_refusal_has_its_code_and_posts_nothing() {
    for (body, error) in [
        (json!({"text": "x"}), "channel_not_found"),
        (json!({"channel": "C9", "text": "x"}), "channel_not_found"),
        (json!({"channel": "C4", "text": "x"}), "channel_not_found"),
        (json!({"channel": "C2", "text": "x"}), "not_in_channel"),
        (json!({"channel": "C3", "text": "x"}), "is_archived"),
        (json!({"channel": "C1"}), "no_text"),
        (json!({"channel": "C1", "text": "x", "blocks": "[]"}), "invalid_blocks_format"),
        (json!({"channel": "C1", "text": "x", "blocks": [{"type": "section"}]}), "invalid_blocks"),
        (json!({"channel": "C1", "text": "x", "thread_ts": 1.2}), "invalid_arguments"),
        (json!({"channel": "C1", "text": "x", "metadata": {"event_type": "a"}}), "invalid_metadata_format"),
        (json!({"channel": "C1", "text": "x", "markdown_text": "y"}), "markdown_text_conflict"),
    ] {
        let mut world = team();
        let answer = post(&mut world, &body);
        assert_eq!((&answer["ok"], &answer["error"]), (&json!(false), &json!(error)), "{body}");
        assert!(world.effects.is_empty() && world.slack.messages.is_empty());
        if error == "invalid_blocks" {
            let detail = answer["response_metadata"]["messages"][0].as_str().unwrap();
            assert!(detail.ends_with("[json-pointer:/blocks/0]"), "{detail}");
        }
    }
}

#[test]
fn tokens_and_scopes_are_checked() {
    let mut world = team();
    let plain = Call::test("POST", "/auth.test", None);
    let error = |world: &mut World, call: &Call| answer(world, call).value()["error"].clone();
    assert_eq!(error(&mut world, &plain), "not_authed");
    assert_eq!(error(&mut world, &plain.clone().with("authorization", "Bearer no")), "invalid_auth");
    assert_eq!(ask(&mut world, "/auth.test", &json!({}))["team_id"], "T1");
    world.slack.scopes = vec!["chat:write".to_owned()];
    let missing = ask(&mut world, "/conversations.history", &json!({"channel": "C1"}));
    assert_eq!(
        (&missing["error"], &missing["needed"], &missing["provided"]),
        (&json!("missing_scope"), &json!("channels:history"), &json!("chat:write"))
    );
    world.slack.revoked = true;
    assert_eq!(ask(&mut world, "/auth.test", &json!({}))["error"], "token_revoked");
}

#[test]
fn history_has_bounds_and_pages_newest_first() {
    let mut world = team();
    for second in 0..5 {
        world.now = Some(NOW + second);
        post(&mut world, &json!({"channel": "C1", "text": second.to_string()}));
    }
    let texts = |answer: &Value| -> String {
        answer["messages"].as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap()).collect()
    };
    let mut history = |more: Value| {
        let mut arguments = json!({"channel": "C1"});
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask(&mut world, "/conversations.history", &arguments)
    };
    assert_eq!(texts(&history(json!({}))), "43210");
    assert_eq!(texts(&history(json!({"oldest": "1766210401.000100"}))), "432");
    assert_eq!(texts(&history(json!({"oldest": "1766210401.000100", "inclusive": true}))), "4321");
    assert_eq!(texts(&history(json!({"oldest": "1766210401", "latest": "1766210403.000100"}))), "21");
    let first = history(json!({"limit": 2}));
    assert_eq!((texts(&first).as_str(), &first["has_more"]), ("43", &json!(true)));
    let next = history(json!({"limit": 2, "cursor": first["response_metadata"]["next_cursor"]}));
    assert_eq!(texts(&next), "21");
}

#[test]
fn a_fourth_message_at_once_is_too_many_while_the_clock_runs() {
    let send = |world: &mut World| {
        let body = json!({"channel": "C1", "text": "x"});
        let call = Call::test("POST", "/chat.postMessage", Some(&body))
            .with("authorization", "Bearer xoxb-sandbox-slack-token");
        answer(world, &call)
    };
    let mut world = team();
    world.now = None;
    let replies: Vec<Reply> = (0..4).map(|_| send(&mut world)).collect();
    assert_eq!(replies.iter().map(|reply| reply.status).collect::<Vec<_>>(), [200, 200, 200, 429]);
    assert!(replies[3].headers.contains(&("retry-after".to_owned(), "1".to_owned())));
    world.now = Some(NOW);
    assert_eq!(send(&mut world).status, 200, "no limit while the world's clock stands still");
}

#[test]
fn the_webhook_speaks_plain_text() {
    let path = "/services/T0/B0/sandbox";
    let send = |world: &mut World, path: &str, body: &str| {
        let mut call = Call::test("POST", path, None);
        call.body = Bytes::from(body.to_owned());
        let reply = webhook::answer(world, &call);
        (reply.status, String::from_utf8(reply.body.to_vec()).unwrap())
    };
    let mut world = team();
    for (path, body, status, text) in [
        (path, r#"{"text": "hello"}"#, 200, "ok"),
        (path, "{", 400, "invalid_payload"),
        (path, "{}", 400, "no_text"),
        (path, r#"{"text": "x", "blocks": [{"type": "x"}]}"#, 400, "invalid_blocks"),
        ("/services/T0/B0/other", r#"{"text": "x"}"#, 403, "invalid_token"),
        ("/services/T0/B1/sandbox", r#"{"text": "x"}"#, 404, "no_service"),
        ("/services/T9/B0/sandbox", r#"{"text": "x"}"#, 404, "no_team"),
    ] {
        assert_eq!(send(&mut world, path, body), (status, text.to_owned()), "{path} {body}");
    }
    assert_eq!(world.effects.len(), 1);
    world.slack.channels[0].archived = true;
    assert_eq!(send(&mut world, path, r#"{"text": "x"}"#), (410, "channel_is_archived".to_owned()));
}
