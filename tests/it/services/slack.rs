//! Messages to Slack: digests, escapes, refused layouts and webhooks, and messages in doubt.

use super::*;

#[test]
fn a_message_in_doubt_is_looked_for_in_the_channel_that_it_was_sent_to() {
    let services = Services::new(&full_accounts(1));
    services
        .fault(json!({ "service": "slack", "path_prefix": "/chat.postMessage", "times": 1, "kind": "reset_after" }));
    services.scan().expect(1);
    services.sandbox.with_world(|world| {
        let mut other = world.slack.channels[0].clone();
        other.id = "C0ELSEWHERE".to_owned();
        world.slack.channels.push(other);
    });
    finish(services.command(&[]).env("SLACK_CHANNEL", "C0ELSEWHERE")).expect(0);
    assert_eq!(services.count("slack post"), 1);
}

/// Case 4 of the cases from life: one post is answered 502 after its effect, and another app's message is in the channel.
#[test]
fn the_metadata_of_another_app_hides_no_message_of_ours() {
    let services = Services::new(&full_accounts(12));
    services.sandbox.with_world(|world| {
        let stranger = json!({ "type": "message", "channel": "C0SIGNALS", "ts": "2147483647.000100",
            "text": "done", "metadata": { "event_type": "task_created", "event_payload": { "key": 4711 } } });
        world.slack.messages.push(stranger.as_object().unwrap().clone());
    });
    services.fault(json!({ "service": "slack", "path_prefix": "/chat.postMessage", "skip": 3, "times": 1,
        "kind": "status", "status": 502, "body": "<html>", "after": true }));
    look_up_at_once(&services);
    let report = services.scan().expect(0).json();
    assert_eq!((services.count("slack post"), &report["actions"]["message"]["done"]), (12, &json!(12)));
}

fn look_up_at_once(services: &Services) {
    std::fs::write(services.home.path().join("usage-signals.toml"), "[slack]\nlook_up_after = \"1ms\"\n").unwrap();
}

fn fail_posts(services: &Services, answers: &[Value]) {
    for answer in answers {
        let mut fault = json!({ "service": "slack", "path_prefix": "/chat.postMessage", "times": 1, "kind": "status" });
        fault.as_object_mut().unwrap().extend(answer.as_object().unwrap().clone());
        services.fault(fault);
    }
}

/// Case 10: a burst that ends within the run leaves nothing undone, whether the posts took effect or not.
#[test]
fn a_burst_of_faults_that_ends_leaves_no_message_undone() {
    let code = |code: &str| json!({ "status": 200, "body": { "ok": false, "error": code } });
    let burst = [
        json!({ "status": 500 }),
        json!({ "status": 502, "body": "<html>", "after": true }),
        json!({ "status": 503 }),
        json!({ "status": 504 }),
        code("internal_error"),
        code("service_unavailable"),
    ];
    for times in [2, 6] {
        let services = Services::new(&full_accounts(5));
        look_up_at_once(&services);
        fail_posts(&services, &burst[..times]);
        let report = services.scan().expect(0).json();
        assert_eq!(report["actions"]["message"]["done"], 5, "{times}: {report:#}");
        assert_eq!(services.count("slack post"), 5, "{times}");
        services.scan().expect(0);
        assert_eq!(services.count("slack post"), 5, "{times}");
    }
}

#[test]
fn a_fault_that_stays_ends_after_four_rounds_and_the_next_run_does_the_rest() {
    let services = Services::new(&full_accounts(5));
    look_up_at_once(&services);
    services.fault(json!({ "service": "slack", "path_prefix": "/chat.postMessage", "kind": "status", "status": 503 }));
    services.scan().expect(1);
    assert_eq!(services.requests_to("/chat.postMessage"), 3 + 4);
    services.mend();
    services.scan().expect(0);
    assert_eq!(services.count("slack post"), 5);
}

/// What the halted sink left follows only where the message that is sent again arrives.
#[test]
fn a_message_sent_again_that_is_refused_lets_no_other_follow() {
    let services = Services::new(&full_accounts(5));
    look_up_at_once(&services);
    fail_posts(&services, &[503, 503, 503].map(|status| json!({ "status": status })));
    services.fault(json!({ "service": "slack", "path_prefix": "/chat.postMessage", "kind": "status", "status": 200,
        "body": { "ok": false, "error": "invalid_auth" } }));
    services.scan().expect(3);
    assert_eq!(services.requests_to("/chat.postMessage"), 3 + 1);
    services.mend();
    services.scan().expect(0);
    assert_eq!(services.count("slack post"), 5);
}

#[test]
fn without_the_right_to_read_a_doubt_waits_for_the_next_run() {
    let services = Services::new(&full_accounts(1));
    look_up_at_once(&services);
    services.sandbox.with_world(|world| world.slack.scopes.retain(|scope| !scope.contains("history")));
    fail_posts(&services, &[json!({ "status": 503 })]);
    services.scan().expect(1);
    assert_eq!(services.requests_to("/chat.postMessage"), 1);
}

#[test]
fn no_question_waits_beyond_the_deadline() {
    let services = Services::new(&full_accounts(1));
    fail_posts(&services, &[json!({ "status": 503 })]);
    finish(&mut services.command(&["--deadline", "20s"])).expect(1);
    services.scan().expect(0);
    assert_eq!(services.count("slack post"), 1);
}

#[test]
fn a_message_whose_metadata_are_refused_goes_out_without_them() {
    let services = Services::new(&full_accounts(3));
    services.fault(json!({ "service": "slack", "path_prefix": "/chat.postMessage", "body_holds": "event_type",
        "kind": "status", "status": 200, "body": { "ok": false, "error": "invalid_metadata_schema" } }));
    services.scan().expect(0);
    services.scan().expect(0);
    assert_eq!(services.count("slack post"), 3);
    assert!(services.sandbox.with_world(|world| world.slack.messages.iter().all(|it| !it.contains_key("metadata"))));
}

#[test]
fn the_fate_of_a_message_without_metadata_cannot_be_learnt() {
    let services = Services::new(&full_accounts(1));
    let post = "/chat.postMessage";
    services.fault(json!({ "service": "slack", "path_prefix": post, "body_holds": "event_type", "times": 1,
        "kind": "status", "status": 200, "body": { "ok": false, "error": "metadata_too_large" } }));
    services.fault(json!({ "service": "slack", "path_prefix": post, "times": 1, "kind": "reset_after" }));
    services.scan().expect(1);
    services.scan().expect(0);
    let texts = services.sandbox.with_world(|world| serde_json::to_string(&world.slack.messages).unwrap());
    assert_eq!((services.count("slack post"), texts.matches("May be a repeat").count() > 0), (2, true), "{texts}");
}

/// Only ids find a channel's history, and the answer to an earlier post tells the id of the channel by that name.
#[test]
fn the_channel_of_a_name_is_learnt_from_an_earlier_post() {
    let services = Services::new(&full_accounts(1));
    services.sandbox.with_world(|world| world.slack.channels[0].name = Some("signals".to_owned()));
    let scan = || finish(services.command(&[]).env("SLACK_CHANNEL", "#signals"));
    scan().expect(0);
    services.change(&json!({ "contact": full_accounts(2)[1] }));
    services
        .fault(json!({ "service": "slack", "path_prefix": "/chat.postMessage", "times": 1, "kind": "reset_after" }));
    scan().expect(1);
    scan().expect(0);
    assert_eq!(services.count("slack post"), 2);
}

#[test]
fn a_channel_beside_a_webhook_is_named_as_ignored() {
    let services = Services::new(&full_accounts(1));
    let mut command = services.command(&[]);
    command.env_remove("SLACK_BOT_TOKEN").env("SLACK_WEBHOOK_URL", services.sandbox.webhook_url());
    let report = finish(&mut command).expect(0).json();
    let warnings = report["warnings"].to_string();
    assert!(warnings.contains("is ignored: SLACK_WEBHOOK_URL posts to the channel"), "{warnings}");
    assert_eq!(services.count("slack post"), 1);
}

#[test]
fn signals_beyond_max_messages_are_posted_in_a_digest() {
    let services = Services::new(&full_accounts(25));
    let report = services.scan().expect(0).json();
    assert_eq!(report["actions"]["message"]["done"], 25);
    let posts = services.sandbox.with_world(|world| world.slack.messages.len());
    assert_eq!(posts, 21, "twenty single messages and one digest of five");
    services.scan().expect(0);
    assert_eq!(services.count("slack post"), 21);
}

#[test]
fn texts_of_customers_cause_no_mentions_and_links() {
    let mut contacts = full_accounts(1);
    contacts[0]["name"] = json!("<!channel> <@U1> <https://evil.example|Zoho> \u{202e}\u{1b}[31m");
    let services = Services::new(&contacts);
    services.scan().expect(0);
    let messages = services.sandbox.with_world(|world| serde_json::to_value(&world.slack.messages).unwrap());
    assert!(messages[0]["mentions"].as_array().is_none_or(Vec::is_empty), "{messages:#}");
    let text = messages.to_string();
    assert!(!text.contains("<https://evil") && !text.contains('\u{202e}') && !text.contains("\\u001b"), "{text}");
    let table =
        finish(program(services.home.path()).envs(services.sandbox.env()).args(["scan", "--dry-run"])).expect(0);
    assert!(!table.out.contains('\u{1b}') && !table.out.contains('\u{202e}'), "{}", table.out);
}

#[test]
fn a_deleted_webhook_is_a_configuration_error_and_is_tried_once() {
    for (status, body) in
        [(404, "no_service"), (404, "no_team"), (410, "channel_is_archived"), (403, "action_prohibited")]
    {
        let services = Services::new(&full_accounts(3));
        let scan = || {
            let mut command = services.command(&[]);
            command.env_remove("SLACK_BOT_TOKEN").env("SLACK_WEBHOOK_URL", services.sandbox.webhook_url());
            finish(&mut command)
        };
        services.fault(json!({ "service": "slack", "kind": "status", "status": status, "body": body }));
        let report = scan().expect(2).json();
        let errors = report["errors"].to_string();
        assert!(
            errors.contains(body) && errors.contains("make a new incoming webhook and set SLACK_WEBHOOK_URL"),
            "{errors}"
        );
        assert_eq!(services.requests_to("/services/"), 1, "{status} {body}");
        services.mend();
        scan().expect(0);
        let effects = services.effects();
        assert_eq!((effects["zoho insert Tasks"], effects["slack post"], effects["intercom tag contact"]), (3, 3, 3));
    }
}

#[test]
fn a_layout_that_slack_refuses_falls_back_to_plain_text_once() {
    let refusal = json!({ "ok": false, "error": "invalid_blocks" });
    for (times, code, posts) in [(1, 0, 1), (9, 1, 0)] {
        let services = Services::new(&full_accounts(1));
        services.fault(json!({ "service": "slack", "kind": "status", "status": 200, "body": refusal, "times": times }));
        services.scan().expect(code);
        assert_eq!(services.requests_to("/chat.postMessage"), 2);
        assert_eq!(services.count("slack post"), posts);
    }
}
