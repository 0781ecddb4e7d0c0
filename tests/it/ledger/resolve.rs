//! The command `ledger resolve`, and the effect of each decision on the next scan.

use super::*;

#[test]
fn a_refused_task_is_resolved_and_the_next_scan_acts_on_it() {
    let check = |verdict: &str, state: &str, next: (i32, &str), tasks: usize| {
        let (demo, key) = with_a_refused_task();
        let only = [&ONE_SIGNAL[..], &["--format", "json"]].concat();
        let again = demo.scan(8, &only);
        assert_eq!(
            reported(&again, &key),
            (Some(0), "skipped refused".to_owned()),
            "it is not tried again, and is reported"
        );
        assert_eq!(demo.world().zoho.tasks.len(), 0);

        demo.look(9, &["ledger", "resolve", &key, "--as", verdict, "--note", "asked Ana"]).expect(0);
        let shown = action(&demo, &key);
        assert_eq!(shown["state"], state);
        let resolved = &shown["resolutions"][0];
        let expected = json!({ "as": verdict, "state_before": "refused", "note": "asked Ana", "by": "robin",
            "at": "2025-12-20T09:00:00Z" });
        assert_eq!(*resolved, expected);

        let ran = demo.scan(12, &only);
        assert_eq!(reported(&ran, &key), (Some(next.0), next.1.to_owned()), "{verdict}");
        assert_eq!(demo.world().zoho.tasks.len(), tasks, "{verdict}");
        let ran = demo.scan(18, &only);
        assert_eq!(demo.world().zoho.tasks.len(), tasks, "{verdict}: and once");
        assert!(!ran.out.contains("refused"), "{verdict}: {}", ran.out);
    };
    check("done", "done", (0, "skipped already_done"), 0);
    check("failed", "planned", (0, "done unfinished"), 1);
    check("dismissed", "skipped", (0, "skipped dismissed"), 0);
}

#[test]
fn a_refusal_ends_its_run_with_1_and_is_a_warning_of_later_runs_until_it_is_tried_again() {
    let (demo, key) = with_a_refused_task();
    let warned = |ran: &Ran| {
        let report = ran.json();
        let warnings = report["warnings"].as_array().unwrap().clone();
        warnings.iter().any(|warning| warning["message"].as_str().unwrap().contains(&key))
    };
    let json = [&ONE_SIGNAL[..], &["--format", "json"]].concat();
    let dry_run = [&json[..], &["--dry-run"]].concat();
    for arguments in [&json, &dry_run] {
        let ran = demo.scan(8, arguments).expect(0);
        assert!(warned(&ran), "{}", ran.out);
    }
    let text = demo.scan(9, &ONE_SIGNAL).expect(0).out;
    assert!(text.contains(&format!("not tried again yet: task {key}")), "{text}");
    let ran = demo.scan(30, &dry_run).expect(0);
    assert_eq!(reported(&ran, &key), (Some(0), "planned unfinished".to_owned()));
    let ran = demo.scan(30, &json).expect(0);
    assert_eq!(reported(&ran, &key), (Some(0), "done unfinished".to_owned()));
    assert!(!warned(&ran), "{}", ran.out);
}

/// Refuses all tasks and messages of a run of the demo workspace.
fn with_many_refused() -> Demo {
    let demo = Demo::new("");
    let refuse = |path: &str, body: Value, service: &str| json!({ "service": service, "method": "POST", "path_prefix": path, "kind": "status", "status": 200, "body": body });
    let record = json!({ "code": "INVALID_DATA", "details": { "api_name": "Subject" }, "message": "invalid data",
        "status": "error" });
    let records: Vec<_> = (0..12).map(|_| record.clone()).collect();
    demo.faults(json!([
        refuse("/crm/v8/Tasks", json!({ "data": records }), "zoho"),
        refuse("/chat.postMessage", json!({ "ok": false, "error": "msg_too_long" }), "slack"),
    ]));
    demo.scan(6, &[]).expect(1);
    demo
}

fn keys_in(demo: &Demo, filters: &[&str]) -> Vec<String> {
    let list = demo.look(7, &[&["ledger", "list", "--format", "json"], filters].concat()).json();
    list["actions"].as_array().unwrap().iter().map(|action| action["key"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn several_actions_are_resolved_at_once_by_keys_or_by_state_and_signal() {
    let demo = with_many_refused();
    let all = keys_in(&demo, &["--state", "refused"]);
    let of_storage = keys_in(&demo, &["--state", "refused", "--signal", "storage_limit"]);
    assert!(all.len() > of_storage.len() && of_storage.len() > 2, "{all:?}");

    let by_signal = ["ledger", "resolve", "--state", "refused", "--signal", "storage_limit", "--as", "failed"];
    let resolved = demo.look(8, &[&by_signal[..], &["--format", "json"]].concat()).json();
    let keys: Vec<_> = resolved["actions"].as_array().unwrap().iter().map(|action| &action["key"]).collect();
    assert_eq!(keys, of_storage.iter().collect::<Vec<_>>());
    assert_eq!(keys_in(&demo, &["--state", "planned", "--signal", "storage_limit"]).len(), of_storage.len());
    assert!(demo.look(8, &by_signal).expect(0).out.contains("No action matches"));

    let others = keys_in(&demo, &["--state", "refused"]);
    assert_eq!(others.len(), all.len() - of_storage.len());
    let (first, second) = (others[0].as_str(), others[1].as_str());
    let nothing_new = keys_in(&demo, &["--state", "skipped"]).len();
    // One key that cannot be decided, and nothing is recorded.
    demo.look(8, &["ledger", "resolve", first, "US-22222222222", "--as", "dismissed"]).expect(2);
    demo.look(8, &["ledger", "resolve", first, &of_storage[0], "--as", "failed"]).expect(2);
    assert_eq!(keys_in(&demo, &["--state", "skipped"]).len(), nothing_new);
    let ran = demo.look(8, &["ledger", "resolve", first, second, first, "--as", "dismissed"]).expect(0);
    assert_eq!(ran.out.lines().count(), 2, "each once: {}", ran.out);
    assert_eq!(keys_in(&demo, &["--state", "refused"]).len(), others.len() - 2);
    let refused =
        demo.look(8, &["ledger", "resolve", first, second, "--as", "done", "--remote-id", "5725767000000999001"]);
    assert!(refused.expect(2).err.contains("--remote-id goes with one key only"));
}

#[test]
fn a_held_message_is_resolved_and_the_next_scan_acts_on_it() {
    let check = |verdict: &str, state: &str, next: (i32, &str), messages: usize| {
        let (demo, key) = with_a_held_message();
        let report = demo.scan(14, &ONE_SIGNAL).expect(1).out;
        assert!(report.contains(&format!("message {key} for")) && report.contains("ledger resolve KEY"), "{report}");
        demo.look(15, &["ledger", "resolve", &key, "--as", verdict]).expect(0);
        assert_eq!(action(&demo, &key)["state"], state);
        let ran = demo.scan(18, &[&ONE_SIGNAL[..], &["--format", "json"]].concat());
        assert_eq!(reported(&ran, &key), (Some(next.0), next.1.to_owned()), "{verdict}");
        let sent = demo.world().slack.messages;
        assert_eq!(sent.len(), messages, "{verdict}");
        assert!(!serde_json::to_string(&sent).unwrap().contains("May be a repeat"), "a person said that it is none");
    };
    check("done", "done", (0, "skipped already_done"), 1);
    check("failed", "planned", (0, "done unfinished"), 2);
    check("dismissed", "skipped", (0, "skipped dismissed"), 1);
}

#[test]
fn a_dismissal_can_be_changed() {
    let (demo, key) = with_a_refused_task();
    demo.look(9, &["ledger", "resolve", &key, "--as", "dismissed"]).expect(0);
    demo.look(10, &["ledger", "resolve", &key, "--as", "failed", "--note", "no, do it"]).expect(0);
    demo.scan(12, &["--top", "1"]).expect(0);
    let shown = action(&demo, &key);
    assert_eq!((&shown["state"], &shown["remote_id"].is_string()), (&json!("done"), &true), "{shown:#}");
    assert_eq!(shown["resolutions"].as_array().unwrap().len(), 2);
}

#[test]
fn a_task_created_by_hand_is_brought_forward_if_its_id_is_given() {
    let check = |given: bool, tasks: &[&str]| {
        let (id, contact) = ("5725767000000999001", "6784e56ade40000000000045");
        let demo = Demo::new("");
        refuse_a_task(&demo);
        let scan = ["--only", "storage_limit", "--contact", contact];
        demo.scan(6, &scan).expect(1);
        let by_hand = json!({ "id": id, "Subject": "Storage", "Status": "Not Started", "Priority": "High" });
        demo.change(|world| world.zoho.tasks.push(by_hand.as_object().unwrap().clone()));
        let refused = demo.look(7, &["ledger", "list", "--state", "refused", "--format", "json"]).json();
        let key = refused["actions"][0]["key"].as_str().unwrap();
        let id = if given { &["--remote-id", id][..] } else { &[] };
        demo.look(8, &[&["ledger", "resolve", key, "--as", "done"], id].concat()).expect(0);
        let fuller = json!({ "contact": { "id": contact, "custom_attributes": { "storage_percent": 96 } } });
        demo.change(|world| world.apply_change(&fuller).unwrap());
        demo.scan(12, &scan).expect(0);
        let world = demo.world();
        let priorities: Vec<_> = world.zoho.tasks.iter().map(|task| task["Priority"].as_str().unwrap()).collect();
        assert_eq!(priorities, tasks, "given: {given}");
    };
    check(true, &["Highest"]);
    check(false, &["High", "Highest"]);
}

#[test]
fn invalid_commands_are_refused_with_help() {
    let (demo, refused) = with_a_refused_task();
    let all = demo.look(7, &["ledger", "list", "--format", "json"]).json();
    let of = |kind: &str| {
        let actions = all["actions"].as_array().unwrap();
        actions.iter().find(|action| action["kind"] == kind).unwrap()["key"].as_str().unwrap().to_owned()
    };
    let (tag, message) = (of("tag"), of("message"));
    let mistyped = format!("{refused}Z");
    let lower = refused.to_lowercase().replace("us-", "");
    let check = |arguments: &[&str], sentence: &str| {
        let before = snapshot(&demo.folder());
        let ran = demo.look(8, arguments);
        assert_eq!(ran.code, Some(2), "{ran:#?}");
        assert!(ran.err.contains(sentence), "{sentence}: {ran:#?}");
        assert!(ran.err.contains("help: "), "{ran:#?}");
        let (mut after, lock) = (snapshot(&demo.folder()), demo.folder().join("lock").display().to_string());
        after.insert(lock.clone(), before[&lock].clone());
        assert_eq!(after, before, "nothing is written but the lock's holder");
    };
    check(&["ledger", "show", &mistyped], &format!("did you mean {refused}"));
    check(&["ledger", "show", "US-22222222222"], "the ledger has no action US-22222222222");
    check(&["ledger", "resolve", &message, "--as", "failed"], "there is nothing to decide");
    check(&["ledger", "resolve", &lower, "--as", "done", "--remote-id", "x/y"], "is not the id of a Zoho task");
    check(&["ledger", "resolve", &lower, "--as", "failed", "--remote-id", "57"], "--as done only");
    check(&["ledger", "resolve", &tag, "--as", "dismissed"], "there is nothing to decide");
    check(&["ledger", "list", "--signal", "storage"], "has no signal \"storage\"");
    check(&["ledger", "list", "--contact", "nobody@example.com"], "has no contact");
    check(&["ledger", "forget", "65c5f845"], "has no contact");
    let real = demo.run(&[
        "ledger",
        "prune",
        "--older-than",
        "1d",
        "--as-of",
        "2025-12-20T06:00:00Z",
        "--state-dir",
        demo.folder().to_str().unwrap(),
    ]);
    assert!(real.expect(2).err.contains("--as-of cannot be used"));
}
