//! Shapes of real answers that differ from the documentation (docs/services/slack.md). Teams and ids are invented.
//!
//! Each case is named after its oddity.

use super::settle::claim;
use super::*;

#[tokio::test]
async fn s1_an_error_comes_under_200() {
    let script = Script::play([Reply::json(r#"{"ok":false,"error":"not_authed"}"#)]).await;
    assert_eq!(bot(&script).identity().await.unwrap_err().kind, ErrorKind::Credential);
}

#[tokio::test]
async fn s2_to_s4_a_bot_says_who_it_is_with_escaped_slashes_and_scopes_in_a_header() {
    let who = r#"{"ok":true,"url":"https:\/\/example.slack.com\/","team":"Example","user":"scan","team_id":"T01","user_id":"U01",
        "bot_id":"B01","is_enterprise_install":false}"#;
    let with_scopes =
        Reply::json(who).header("x-oauth-scopes", "chat:write,channels:read").header("x-accepted-oauth-scopes", "");
    let script = Script::play([with_scopes, Reply::json(who)]).await;
    let slack = bot(&script);
    let identity = slack.identity().await.unwrap().unwrap();
    assert_eq!((identity.team.as_str(), identity.user.as_str()), ("Example", "scan"));
    assert_eq!(identity.scopes, ["chat:write", "channels:read"]);
    assert_eq!(slack.identity().await.unwrap().unwrap().scopes, [""; 0], "absent where Slack does not list them");
}

#[tokio::test]
async fn s5_and_s6_paging_ends_without_metadata_and_at_an_empty_or_null_cursor() {
    for end in [
        r#"{"ok":true,"messages":[]}"#,
        r#"{"ok":true,"messages":[],"response_metadata":{"next_cursor":""}}"#,
        r#"{"ok":true,"messages":[],"response_metadata":{"next_cursor":null}}"#,
        r#"{"ok":true,"messages":[],"response_metadata":null}"#,
    ] {
        let script = Script::play([Reply::json(end)]).await;
        let answers = bot(&script).settle(&[claim("US-1", 1_766_210_400)]).await;
        assert_eq!(answers, [Answer::DidNotHappen], "{end}");
    }
}

#[tokio::test]
async fn s7_a_channel_may_begin_with_g() {
    let script = Script::play([Reply::json(r#"{"ok":true,"channel":"G0ABC","ts":"7.000247"}"#), ok()]).await;
    let mut slack = bot(&script);
    assert_eq!(slack.perform(&[order("US-1")]).await, [done("G0ABC/7.000247")]);
    let reply = reply_to("US-2", "G0ABC");
    assert_eq!(MessageRef::from_remote_id("G0ABC/7.000247").unwrap().channel, "G0ABC");
    slack.perform(&[reply]).await;
    assert_eq!(body(&script.requests()[1])["channel"], "G0ABC");
}

#[tokio::test]
async fn s8_unknown_fields_of_messages_are_ignored() {
    let odd = json!({ "ok": true, "messages": [{ "type": "message", "ts": "1.0", "previous_names": [], "parent_conversation": null,
        "pending_shared": [], "topic": { "last_set": 0 }, "user_count": "2", "deleted_by": null,
        "metadata": { "event_type": "usage_signal", "event_payload": { "key": "US-1" } } }] });
    let script = Script::play([Reply::json(&odd.to_string())]).await;
    assert_eq!(bot(&script).settle(&[claim("US-1", 1_766_210_400)]).await, [Answer::Happened("C1/1.0".into())]);
}

#[tokio::test]
async fn s9_an_argument_error_names_the_place() {
    let refusal = r#"{"ok":false,"error":"invalid_arguments","response_metadata":{"messages":
        ["[ERROR] missing required field: text [json-pointer:\/blocks\/0]"]}}"#;
    let script = Script::play([Reply::json(refusal)]).await;
    let outcome = bot(&script).perform(&[order("US-1")]).await.remove(0);
    assert!(format!("{outcome:?}").contains("json-pointer:/blocks/0"), "{outcome:?}");
}

#[tokio::test]
async fn s11_a_throttled_webhook_answers_in_json_and_the_message_goes_out_later() {
    let throttled =
        Reply::status(429).body(r#"{"retry_after":1,"ok":false,"error":"rate_limited"}"#).header("Retry-After", "0");
    let script = Script::play([throttled, Reply::status(200).body("ok")]).await;
    assert_eq!(webhook(&script).perform(&[order("US-1")]).await, [done("webhook")]);
}

#[tokio::test]
async fn s12_a_reply_whose_parent_is_gone_becomes_a_message_of_its_own() {
    let answer = r#"{"ok":true,"channel":"C01","ts":"7.000247","message":{"text":"again"}}"#;
    let script = Script::play([Reply::json(answer)]).await;
    assert_eq!(
        bot(&script).perform(&[reply_to("US-1", "C01")]).await,
        [ActionOutcome::DoneApart("C01/7.000247".into())]
    );
}
