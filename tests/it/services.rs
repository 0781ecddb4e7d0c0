//! The built binary against faulty services: the sandbox in this process, with faults.

mod intercom;
mod slack;
mod unforeseen;
mod zoho;

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::program::{finish, program};
use crate::support::services::{Services, full_accounts};

/// Case 5: the reset of each 429 has passed, so only the next window helps.
#[test]
fn a_limit_whose_reset_has_passed_is_waited_out() {
    let services = Services::new(&full_accounts(2));
    let config = "[http]\nfirst_wait = \"1us\"\n[intercom]\nrate_limit_window = \"60ms\"\n";
    std::fs::write(services.home.path().join("usage-signals.toml"), config).unwrap();
    services.fault(json!({ "service": "intercom", "path_prefix": "/contacts/search", "times": 10, "kind": "status",
        "status": 429, "headers": { "X-RateLimit-Limit": "83", "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "1766210399" } }));
    let report = finish(&mut services.command(&["--deadline", "1m"])).expect(0).json();
    assert_eq!(report["contacts"]["scanned"], 2);
    assert_eq!(report["errors"], json!([]));
}

#[test]
fn a_read_retries_after_throttling_and_gateway_errors() {
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
    left_a_message(Services::new(&full_accounts(1)))
}

fn left_a_message(services: Services) -> Services {
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
fn an_unknown_token_does_nothing_until_its_workspace_is_known() {
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
fn an_endless_response_takes_no_more_memory_than_the_largest_accepted_one() {
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
    assert_eq!(services.count("intercom tag contact"), 1, "the search still shows the contact, so this run tags it");
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
fn sigterm_stops_after_the_current_request_and_the_next_run_continues() {
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
fn a_sink_that_loses_three_responses_in_a_row_stops_until_the_next_run() {
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
fn an_action_that_takes_effect_after_the_timeout_is_found_by_the_next_run() {
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
fn an_address_with_letters_of_any_script_gets_its_record() {
    let mut contacts = full_accounts(1);
    contacts[0]["email"] = json!("zoe@exämple.example.com");
    let services = Services::new(&contacts);
    services.scan().expect(0);
    let effects = services.sandbox.with_world(|world| world.effects.clone());
    let of = |module: &str| effects.iter().find(|effect| effect.get("module") == module).unwrap();
    assert_eq!(of("Leads").get("Email"), "zoe@exämple.example.com");
    assert_eq!(of("Tasks").get("What_Id"), of("Leads").get("id"));
}
