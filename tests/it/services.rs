//! The built binary against faulty services: the sandbox in this process, with faults.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::program::{finish, program};
use crate::support::services::{Services, full_accounts};

#[test]
fn throttling_and_gateway_errors_while_reading_are_waited_out() {
    let services = Services::new(&full_accounts(1));
    let search = "/contacts/search";
    services.fault(json!({ "service": "intercom", "path_prefix": search, "times": 1, "kind": "status", "status": 429,
        "headers": { "Retry-After": "1" } }));
    services.fault(json!({ "service": "intercom", "path_prefix": search, "times": 1, "kind": "status", "status": 502,
        "body": "<html>Bad Gateway</html>" }));
    services.fault(json!({ "service": "intercom", "path_prefix": search, "times": 1, "kind": "truncate" }));
    services.fault(json!({ "service": "intercom", "path_prefix": search, "times": 1, "kind": "empty_body" }));
    services.scan().expect(0);
    assert_eq!(services.count("zoho insert Tasks"), 1);
}

#[test]
fn an_incomplete_read_plans_nothing_new_and_finishes_actions() {
    let services = Services::new(&full_accounts(1));
    services.fault(json!({ "service": "slack", "kind": "status", "status": 200,
        "body": { "ok": false, "error": "channel_not_found" } }));
    let ran = services.scan().expect(2);
    assert!(ran.json()["errors"][0]["help"].as_str().unwrap().contains("invite"), "{ran:#?}");
    services.mend();
    for contact in full_accounts(2).into_iter().skip(1) {
        services.change(&json!({ "contact": contact }));
    }
    services.fault(json!({ "service": "intercom", "path_prefix": "/contacts/search", "kind": "status", "status": 400,
        "body": { "type": "error.list", "errors": [{ "code": "client_error", "message": "no" }] } }));
    let report = services.scan().expect(6).json();
    assert_eq!((services.count("slack post"), services.count("zoho insert Tasks")), (1, 1), "{report:#}");
    services.mend();
    services.scan().expect(0);
    assert_eq!((services.count("slack post"), services.count("zoho insert Tasks")), (2, 2));
}

#[test]
fn unfinished_actions_wait_while_the_snooze_tag_is_unknown() {
    let services = Services::new(&full_accounts(1));
    let refused = |service: &str, path: &str, body: &Value| {
        services
            .fault(json!({ "service": service, "path_prefix": path, "kind": "status", "status": 400, "body": body }));
    };
    let error = json!({ "type": "error.list", "errors": [{ "code": "client_error", "message": "no" }] });
    services.fault(json!({ "service": "slack", "kind": "status", "status": 200,
        "body": { "ok": false, "error": "channel_not_found" } }));
    services.scan().expect(2);
    services.mend();
    refused("intercom", "/contacts/search", &error);
    refused("intercom", "/companies", &error);
    let report = services.scan().expect(6).json();
    assert_eq!(services.count("slack post"), 0, "the company may carry the snooze tag: {report:#}");
    services.mend();
    refused("intercom", "/contacts/search", &error);
    services.scan().expect(6);
    assert_eq!(services.count("slack post"), 1);
}

/// Returns services after a run whose message Slack did not accept.
fn with_a_message_left() -> Services {
    let services = Services::new(&full_accounts(1));
    std::fs::write(services.home.path().join("usage-signals.toml"), "[http]\nfirst_wait = \"5ms\"\n").unwrap();
    services.fault(json!({ "service": "slack", "kind": "status", "status": 429 }));
    services.scan().expect(1);
    services.mend();
    services
}

#[test]
fn unfinished_actions_are_done_even_if_the_workspace_cannot_be_asked() {
    let services = with_a_message_left();
    services.change(&json!({ "contact": full_accounts(2)[1] }));
    services.fault(json!({ "service": "intercom", "path_prefix": "/me", "kind": "status", "status": 503 }));
    let dry = finish(&mut services.command(&["--dry-run"])).expect(6).json();
    assert_eq!((services.count("slack post"), &dry["actions"]["message"]["planned"]), (0, &json!(1)), "{dry:#}");
    let report = services.scan().expect(6).json();
    assert!(report["errors"][0]["message"].as_str().unwrap().contains("GET /me answered 503"), "{report:#}");
    assert_eq!((services.count("slack post"), services.count("zoho insert Tasks")), (1, 1), "{report:#}");
    services.mend();
    services.scan().expect(0);
    assert_eq!((services.count("slack post"), services.count("zoho insert Tasks")), (2, 2));
}

#[test]
fn a_token_that_the_ledger_does_not_know_does_nothing_until_its_workspace_is_known() {
    let services = with_a_message_left();
    services.sandbox.with_world(|world| world.intercom.token = "another-token-of-the-same-app".to_owned());
    services.fault(json!({ "service": "intercom", "path_prefix": "/me", "kind": "status", "status": 503 }));
    let ran = services.scan().expect(6);
    assert!(ran.out.is_empty() && ran.err.contains("help: "), "{ran:#?}");
    assert_eq!(services.count("slack post"), 0);
    services.mend();
    services.scan().expect(0);
    assert_eq!(services.count("slack post"), 1);
}

#[test]
fn an_answer_without_an_end_takes_no_more_memory_than_the_largest_that_is_read() {
    let services = Services::new(&full_accounts(1));
    std::fs::write(services.home.path().join("usage-signals.toml"), "[http]\nfirst_wait = \"5ms\"\n").unwrap();
    services.fault(json!({ "service": "intercom", "path_prefix": "/contacts/search", "kind": "enormous",
        "blanks": 2_000_000_000, "chunked": true }));
    let scan = services.command(&[]);
    // In units of 1024 bytes: ten times the largest accepted response.
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", "ulimit -v 655360 && exec \"$0\" \"$@\""]).arg(scan.get_program()).args(scan.get_args());
    limited.env_clear().envs(scan.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ran = finish(limited.current_dir(services.home.path())).expect(6);
    let said = ran.json()["errors"][0]["message"].to_string();
    assert!(said.contains("larger than 67108864 bytes"), "{said}");
    services.mend();
    services.scan().expect(0);
}

#[test]
fn a_contact_gone_between_search_and_tag_is_recorded_and_is_no_failure() {
    let services = Services::new(&full_accounts(1));
    services.fault(json!({ "service": "intercom", "method": "POST", "path_prefix": "/contacts/65a0c000", "kind": "status",
        "status": 404, "body": { "type": "error.list", "errors": [{ "code": "not_found", "message": "User Not Found" }] } }));
    let report = services.scan().expect(0).json();
    let actions = report["signals"][0]["actions"].as_array().unwrap();
    let tag = actions.iter().find(|action| action["kind"] == "tag").unwrap();
    assert_eq!((&tag["status"], &tag["reason"]), (&json!("skipped"), &json!("contact_gone")));
    services.mend();
    services.scan().expect(0);
    assert_eq!(services.count("intercom tag contact"), 1, "it was there all the same: the search shows it");
}

#[test]
fn the_zoho_token_is_cached_and_refreshed_once_when_revoked() {
    let services = Services::new(&full_accounts(1));
    services.scan().expect(0);
    services.change(&json!({ "contact": full_accounts(2)[1] }));
    services.scan().expect(0);
    assert_eq!(services.requests_to("/oauth/v2/token"), 1, "the second run uses the cached token");
    services.change(&json!({ "revoke": "zoho_access" }));
    services.change(&json!({ "contact": full_accounts(3)[2] }));
    services.scan().expect(0);
    assert_eq!(services.requests_to("/oauth/v2/token"), 2);
    assert_eq!(services.count("zoho insert Tasks"), 3);
}

/// Returns services after a run that made the lead of an account, but not its task.
fn with_a_lead_and_no_task(fault: &Value) -> Services {
    let services = Services::new(&full_accounts(1));
    services.fault(fault.clone());
    assert_ne!(services.scan().code, Some(0));
    services.mend();
    assert_eq!(services.count("zoho insert Leads"), 1);
    services.sandbox.with_world(|world| world.zoho.leads.clear());
    services
}

#[test]
fn a_lead_that_is_gone_before_its_task_is_made_is_looked_up_afresh() {
    let services =
        with_a_lead_and_no_task(&json!({ "service": "zoho", "method": "POST", "path_prefix": "/crm/v8/Tasks",
        "kind": "status", "status": 403, "body": { "code": "NO_PERMISSION", "status": "error", "details": {} } }));
    let report = services.scan().expect(1).json();
    let task = &report["signals"][0]["actions"][0];
    assert_eq!(
        (&task["kind"], &task["status"], &task["reason"]),
        (&json!("task"), &json!("failed"), &json!("unfinished"))
    );
    services.scan().expect(0);
    assert_eq!((services.count("zoho insert Leads"), services.count("zoho insert Tasks")), (2, 1));
    let (lead, on) = services
        .sandbox
        .with_world(|world| (world.zoho.leads[0]["id"].clone(), world.zoho.tasks[0]["What_Id"]["id"].clone()));
    assert_eq!(lead, on);
}

#[test]
fn a_task_in_doubt_is_found_though_its_lead_was_converted_since() {
    let services =
        with_a_lead_and_no_task(&json!({ "service": "zoho", "method": "POST", "path_prefix": "/crm/v8/Tasks",
        "times": 1, "kind": "reset_after" }));
    services.sandbox.with_world(|world| world.zoho.tasks[0].remove("What_Id"));
    services.scan().expect(0);
    assert_eq!(services.count("zoho insert Tasks"), 1);
}

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

#[test]
fn a_chosen_contact_whose_colleague_carries_the_tag_is_handled() {
    let mut contacts = full_accounts(3);
    contacts[1]["companies"] = contacts[0]["companies"].clone();
    contacts[1]["custom_attributes"]["storage_percent"] = json!(10);
    let services = Services::new(&contacts);
    services.change(&json!({ "tag_contact": { "contact": contacts[1]["id"], "tag": "Expansion: Storage Limit" } }));
    services.change(&json!({ "tag_contact": { "contact": contacts[2]["id"], "tag": "Expansion: Storage Limit" } }));
    let report = finish(&mut services.command(&["--contact", contacts[0]["id"].as_str().unwrap()])).expect(0).json();
    assert_eq!(report["signals"].as_array().unwrap().len(), 1, "{report:#}");
    assert_eq!(
        (&report["signals"][0]["reason"], &report["contacts"]["scanned"]),
        (&json!("already_tagged"), &json!(1))
    );
    assert_eq!(services.count("zoho insert Tasks"), 0);
}

#[test]
fn beyond_the_single_messages_the_rest_comes_in_a_digest() {
    let services = Services::new(&full_accounts(25));
    let report = services.scan().expect(0).json();
    assert_eq!(report["actions"]["message"]["done"], 25);
    let posts = services.sandbox.with_world(|world| world.slack.messages.len());
    assert_eq!(posts, 21, "twenty single messages and one digest of five");
    services.scan().expect(0);
    assert_eq!(services.count("slack post"), 21);
}

#[test]
fn no_text_of_a_customer_mentions_or_links_anything() {
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
fn sigterm_stops_after_the_request_in_hand_and_the_next_run_goes_on() {
    for (signal, code) in [("-TERM", 143), ("-INT", 130)] {
        let services = Services::new(&full_accounts(2));
        services.fault(json!({ "service": "zoho", "method": "POST", "path_prefix": "/crm/v8/Tasks", "times": 1,
            "kind": "delay", "ms": 1500 }));
        let mut child = services.command(&[]).stdout(std::process::Stdio::piped()).spawn().unwrap();
        let waited = Instant::now();
        while services.requests_to("/crm/v8/coql") == 0 && waited.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(500));
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert_eq!((services.count("zoho insert Tasks"), services.count("slack post")), (2, 0), "{signal}");
        services.scan().expect(0);
        let effects = services.effects();
        assert_eq!((effects["zoho insert Tasks"], effects["slack post"], effects["intercom tag contact"]), (2, 2, 2));
    }
}

#[test]
fn every_request_to_intercom_names_the_version() {
    let services = Services::new(&full_accounts(2));
    services.scan().expect(0);
    services.scan().expect(0);
    let requests = services.sandbox.requests();
    let to_intercom: Vec<_> = requests.iter().filter(|request| request.path.starts_with("/intercom")).collect();
    assert!(to_intercom.len() > 8, "{to_intercom:?}");
    for request in to_intercom {
        assert_eq!(request.version.as_deref(), Some("2.15"), "{request:?}");
    }
}

#[test]
fn a_sink_that_loses_three_answers_in_a_row_is_left_alone_until_the_next_run() {
    // Service and path, the effect, whether it is a webhook, and the number of requests in the run.
    let cases = [
        ("slack", "/chat.postMessage", "reset_before", false, 3),
        ("slack", "/chat.postMessage", "reset_after", false, 3),
        ("slack", "/chat.postMessage", "truncate", false, 3),
        ("slack", "/services", "reset_before", true, 3),
        // A request that can be retried loses five responses for each of two parallel actions.
        ("intercom", "/contacts/65a0", "reset_after", false, 10),
    ];
    for (service, path, kind, webhook, sent) in cases {
        let services = Services::new(&full_accounts(6));
        std::fs::write(
            services.home.path().join("usage-signals.toml"),
            "[http]\nfirst_wait = \"5ms\"\n[intercom]\nrequests_at_once = 2\n",
        )
        .unwrap();
        let scan = || {
            let mut command = services.command(&[]);
            if webhook {
                command.env_remove("SLACK_BOT_TOKEN").env("SLACK_WEBHOOK_URL", services.sandbox.webhook_url());
            }
            finish(&mut command)
        };
        services.fault(json!({ "service": service, "method": "POST", "path_prefix": path, "kind": kind }));
        let report = scan().expect(1).json();
        let requests = services.sandbox.requests();
        let posts = requests.iter().filter(|request| request.method == "POST" && request.path.contains(path)).count();
        assert_eq!(posts, sent, "{path} {kind}");
        let of_sink = if service == "slack" { "message" } else { "tag" };
        let in_doubt = if service == "slack" { 3 } else { 2 };
        assert_eq!(report["actions"][of_sink]["in_doubt"], in_doubt, "{path} {kind}: {report:#}");
        assert_eq!(report["actions"][of_sink]["failed"], 6 - in_doubt, "{path} {kind}: {report:#}");
        let errors = report["errors"].to_string();
        assert!(service != "slack" || errors.contains("3 answers in a row were lost"), "{errors}");
        services.mend();
        scan().expect(0);
        let (messages, repeats) = services.sandbox.with_world(|world| {
            let marked =
                world.slack.messages.iter().filter(|message| json!(message).to_string().contains("May be a repeat"));
            (world.slack.messages.len(), marked.count())
        });
        assert_eq!((messages, repeats), (6, if webhook { 3 } else { 0 }), "{path} {kind}");
        assert_eq!(services.count("intercom tag contact"), 6, "{path} {kind}");
    }
}

#[test]
fn what_takes_effect_after_its_run_gave_up_is_found_by_the_next_run_and_not_done_twice() {
    let cases = [
        ("zoho", "/crm/v8/Tasks", "zoho insert Tasks"),
        ("slack", "/chat.postMessage", "slack post"),
        ("intercom", "/contacts/65a0", "intercom tag contact"),
    ];
    for (service, path, effect) in cases {
        let services = Services::new(&full_accounts(1));
        let config = format!("[{service}]\nrequest_timeout = \"1s\"\n[http]\nfirst_wait = \"5ms\"\n");
        std::fs::write(services.home.path().join("usage-signals.toml"), config).unwrap();
        services.fault(json!({ "service": service, "method": "POST", "path_prefix": path, "kind": "delay",
            "ms": 1500, "times": if service == "intercom" { 5 } else { 1 } }));
        services.scan().expect(1);
        let waited = Instant::now();
        while services.count(effect) == 0 && waited.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(20));
        }
        services.mend();
        services.scan().expect(0);
        services.scan().expect(0);
        assert_eq!(services.count(effect), 1, "{path}");
        let messages = services.sandbox.with_world(|world| json!(world.slack.messages).to_string());
        assert!(!messages.contains("May be a repeat"), "{path}");
    }
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

#[test]
fn a_missing_scope_costs_no_token_and_is_named() {
    let services = Services::new(&full_accounts(2));
    services.fault(json!({ "service": "zoho", "path_prefix": "/crm/v8/Tasks", "kind": "status", "status": 401,
        "body": { "code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "invalid oauth scope to access this URL",
            "status": "error" } }));
    let report = services.scan().expect(3).json();
    assert!(report["errors"].to_string().contains("ZohoCRM.modules.tasks.CREATE"), "{report:#}");
    assert_eq!((services.requests_to("/oauth/v2/token"), services.requests_to("/crm/v8/Tasks")), (1, 1));
    services.mend();
    services.scan().expect(0);
    let effects = services.effects();
    assert_eq!((effects["zoho insert Tasks"], effects["slack post"], effects["intercom tag contact"]), (2, 2, 2));
}
