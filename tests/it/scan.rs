//! The command `scan`: the built binary over HTTP on loopback.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use crate::support::program::*;
use crate::support::services::{Services, full_accounts};

/// Returns the actions of a report, without the values that a dry run does not know.
fn list(report: &Value) -> Value {
    let signals = report["signals"].as_array().unwrap().iter().map(|signal| {
        let mut signal = signal.clone();
        for action in signal["actions"].as_array_mut().unwrap() {
            let action = action.as_object_mut().unwrap();
            let status = action.remove("status").unwrap();
            action.remove("remote_id");
            action.insert("to_do".into(), json!(status == "planned" || status == "done"));
        }
        signal
    });
    signals.collect()
}

fn statuses(report: &Value, wanted: &str) -> usize {
    let actions = report["signals"].as_array().unwrap().iter().flat_map(|signal| signal["actions"].as_array().unwrap());
    actions.filter(|action| action["status"] == wanted).count()
}

fn world(home: &Path) -> Value {
    let file = home.join(".local/state/usage-signals/sandbox/demo/world.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[test]
fn a_dry_run_shows_exactly_what_the_real_run_does_and_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let dry = scan_sandbox(home.path(), &["--dry-run"]).expect(0).json();
    assert_eq!(snapshot(home.path()), [].into(), "no state folder, no lock, no token cache");
    assert_eq!(statuses(&dry, "done"), 0);
    assert!(statuses(&dry, "planned") > 40);

    let real = scan_sandbox(home.path(), &[]).expect(0).json();
    assert_eq!(list(&real), list(&dry), "the same actions in the same order");
    assert_eq!(statuses(&real, "planned"), 0);
    assert_eq!(statuses(&real, "done"), statuses(&dry, "planned"));

    let before = snapshot(home.path());
    let dry = scan_sandbox(home.path(), &["--dry-run", "--detailed-exit-code"]).expect(0).json();
    assert_eq!(statuses(&dry, "planned"), 0, "a second run finds nothing to do");
    assert_eq!(snapshot(home.path()), before, "ledger, state folder and sandbox are untouched");
}

#[test]
fn a_previewed_message_links_a_zoho_record_only_where_the_task_goes_on_one() {
    let home = tempfile::tempdir().unwrap();
    // One contact without an e-mail, and one with.
    for (contact, linked) in [("681c9606de40000000000047", false), ("66583c63de40000000000005", true)] {
        let dry = ["--dry-run", "--preview", "--contact", contact];
        let previews = scan_sandbox(home.path(), &dry).expect(0).json()["preview"].to_string();
        assert!(previews.contains("TASK-ID"), "{previews}");
        assert_eq!(previews.contains("RECORD-ID"), linked, "{previews}");
        assert_eq!(previews.contains("|Zoho record>"), linked, "{previews}");
    }
}

#[test]
fn a_dry_run_changes_nothing_while_actions_are_in_doubt_either() {
    let home = tempfile::tempdir().unwrap();
    scan_sandbox(home.path(), &[]).expect(0);
    // A killed run leaves a -wal file behind. A reader must read it and keep it.
    let ledger = home.path().join(".local/state/usage-signals/sandbox/demo/ledger.sqlite");
    let connection = rusqlite::Connection::open(&ledger).unwrap();
    connection
        .execute_batch("PRAGMA wal_autocheckpoint = 0; UPDATE entries SET state = 'claimed' WHERE kind = 'task' AND state = 'done'")
        .unwrap();
    let before: Vec<_> = snapshot(home.path()).into_iter().collect();
    let dry = scan_sandbox(home.path(), &["--dry-run"]).expect(0).json();
    assert_eq!(statuses(&dry, "in_doubt"), 12);
    let after: Vec<_> = snapshot(home.path()).into_iter().collect();
    assert_eq!(before, after);
}

#[test]
fn the_second_run_finds_nothing_to_do() {
    let home = tempfile::tempdir().unwrap();
    scan_sandbox(home.path(), &[]).expect(0);
    let effects = world(home.path())["effects"].clone();
    assert_eq!(
        effects.as_array().unwrap().len(),
        12 + 12 + 23 + 3 + 4 + 1,
        "tasks, messages, tags, tags made, leads, status"
    );
    scan_sandbox(home.path(), &[]).expect(0);
    assert_eq!(world(home.path())["effects"], effects);
}

#[test]
fn the_demo_signals_for_no_more_than_a_third_as_its_readme_counts() {
    let home = tempfile::tempdir().unwrap();
    let report = scan_sandbox(home.path(), &["--dry-run"]).expect(0).json();
    assert_eq!(report["contacts"], json!({ "scanned": 59, "undecodable": 1, "signalled": 19 }));
    let reasons: Vec<_> = report["signals"].as_array().unwrap().iter().map(|signal| &signal["reason"]).collect();
    let count = |reason: &str| reasons.iter().filter(|found| **found == reason).count();
    assert_eq!((count("new"), count("already_tagged"), count("snoozed")), (12, 2, 2));
    assert_eq!(report["actions"]["task"]["planned"], 12);
    assert_eq!(report["actions"]["message"]["planned"], 12);
    assert_eq!(report["actions"]["tag"]["planned"], 23);
}

#[test]
fn fresh_starts_over() {
    let home = tempfile::tempdir().unwrap();
    scan_sandbox(home.path(), &[]).expect(0);
    let dry = scan_sandbox(home.path(), &["--fresh", "--dry-run"]).expect(0).json();
    assert_eq!(statuses(&dry, "planned"), 47);
    let real = scan_sandbox(home.path(), &["--fresh"]).expect(0).json();
    assert_eq!(statuses(&real, "done"), 47);
}

#[test]
fn the_json_report_has_the_documented_shape() {
    let home = tempfile::tempdir().unwrap();
    let report = scan_sandbox(home.path(), &[]).expect(0).json();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        keys(&report),
        ["schema", "run", "contacts", "signals", "actions", "unknown", "warnings", "errors", "exit_code"]
    );
    assert_eq!(keys(&report["run"]), ["id", "mode", "as_of", "started_at", "finished_at", "workspace"]);
    let signal = &report["signals"][0];
    assert_eq!(
        keys(signal),
        [
            "signal", "level", "priority", "subject", "contacts", "evidence", "details", "action", "flags", "due_date",
            "reason", "actions"
        ]
    );
    assert_eq!(keys(&signal["subject"]), ["kind", "id", "name"]);
    assert_eq!(keys(&signal["contacts"][0]), ["id", "email", "name"]);
    assert_eq!(keys(&signal["evidence"][0]), ["attribute", "value", "comparison", "threshold"]);
    assert_eq!(keys(&signal["actions"][0]), ["kind", "key", "status", "reason", "remote_id"]);
    assert_eq!(keys(&report["actions"]["tag"]), ["planned", "done", "failed", "in_doubt", "skipped"]);
    assert_eq!(keys(&report["unknown"][0]), ["attribute", "reason", "contacts"]);
    let critical = report["signals"].as_array().unwrap().iter().find(|signal| signal["level"] == "critical").unwrap();
    assert_eq!(
        critical["evidence"][0],
        json!({ "attribute": "storage_percent", "value": 96, "comparison": ">=", "threshold": 80 })
    );
}

#[test]
fn equal_input_gives_equal_bytes_except_for_the_run() {
    let report = || {
        let home = tempfile::tempdir().unwrap();
        let mut report = scan_sandbox(home.path(), &[]).expect(0).json();
        report.as_object_mut().unwrap().remove("run");
        serde_json::to_string(&report).unwrap()
    };
    assert_eq!(report(), report());
}

#[test]
fn a_scan_over_a_process_boundary_goes_by_the_environment_alone() {
    let home = tempfile::tempdir().unwrap();
    let served = Served::start(home.path(), &[]);
    let scan = || finish(program(home.path()).envs(&served.environment).args(["scan", "--format", "json"]));
    let report = scan().expect(0).json();
    assert_eq!(statuses(&report, "done"), 47);
    assert_eq!(statuses(&scan().expect(0).json(), "done"), 0);
    let token = std::fs::metadata(home.path().join(".local/state/usage-signals/zoho-token.json")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&token.permissions()) & 0o777, 0o600);
}

#[test]
fn messages_also_go_through_a_webhook() {
    let home = tempfile::tempdir().unwrap();
    let served = Served::start(home.path(), &[]);
    let mut environment = served.environment.clone();
    environment.remove("SLACK_BOT_TOKEN");
    environment.insert("SLACK_WEBHOOK_URL".into(), served.webhook.clone());
    let arguments = ["scan", "--format", "json", "--top", "1"];
    let report = finish(program(home.path()).envs(&environment).args(arguments)).expect(0).json();
    assert_eq!(report["actions"]["message"]["done"], 1);
}

#[test]
fn one_contact_can_be_scanned_by_id_or_email() {
    let home = tempfile::tempdir().unwrap();
    let all = scan_sandbox(home.path(), &["--dry-run"]).expect(0).json();
    let person = &all["signals"][0]["contacts"][0];
    for wanted in [person["id"].as_str().unwrap(), person["email"].as_str().unwrap()] {
        let one = scan_sandbox(home.path(), &["--dry-run", "--contact", wanted]).expect(0).json();
        assert_eq!(one["contacts"]["scanned"], 1, "{wanted}");
        assert_eq!(one["signals"][0]["signal"], all["signals"][0]["signal"], "{wanted}");
    }
}

// Exit codes.

#[test]
fn wrong_usage_and_configuration_end_with_2_and_say_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &str); 5] = [
        (&["scan", "--nonsense"], "--nonsense"),
        (&["scan", "--dry-run"], "INTERCOM_ACCESS_TOKEN is not set"),
        (&["scan", "--sandbox", "--only", "storage"], "storage_limit"),
        (&["scan", "--sandbox", "/nowhere/at/all"], "/nowhere/at/all"),
        (&["scan", "--sandbox", "--config", "missing.toml"], "missing.toml"),
    ];
    for (arguments, expected) in cases {
        let ran = run(home.path(), arguments).expect(2);
        assert!(ran.err.contains(expected), "{ran:#?}");
        assert!(ran.out.is_empty(), "{ran:#?}");
    }
    let served = Served::start(home.path(), &[]);
    let ran = finish(program(home.path()).envs(&served.environment).args(["scan", "--as-of", AS_OF])).expect(2);
    assert!(ran.err.contains("--as-of cannot be used for a real run"), "{ran:#?}");
}

#[test]
fn a_sink_that_is_on_without_credentials_says_how_to_switch_it_off() {
    let home = tempfile::tempdir().unwrap();
    let served = Served::start(home.path(), &[]);
    let with = |arguments: &[&str]| {
        let intercom = served.environment.iter().filter(|(name, _)| name.starts_with("INTERCOM"));
        finish(program(home.path()).envs(intercom).args(arguments))
    };
    let ran = with(&["scan"]).expect(2);
    assert!(ran.err.contains("ZOHO_REFRESH_TOKEN") && ran.err.contains("--sinks"), "{ran:#?}");
    with(&["scan", "--dry-run"]).expect(0);
    with(&["scan", "--sinks", "tags"]).expect(0);
}

#[test]
fn a_refused_credential_ends_with_3() {
    let home = tempfile::tempdir().unwrap();
    let served = Served::start(home.path(), &[]);
    let environment = served.environment.iter().filter(|(name, _)| *name != "INTERCOM_ACCESS_TOKEN");
    let mut command = program(home.path());
    command.envs(environment).env("INTERCOM_ACCESS_TOKEN", "wrong-token-for-a-test").args(["scan", "--dry-run"]);
    let ran = finish(&mut command).expect(3);
    assert!(ran.err.contains("401") && ran.err.contains("help:"), "{ran:#?}");
    assert!(!ran.err.contains("wrong-token"), "{ran:#?}");
}

#[test]
fn a_run_that_finds_the_lock_held_ends_with_4_and_names_the_holder() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join(".local/state/usage-signals/sandbox/demo");
    let lock = usage_signals::ledger::lock::Lock::take(&state, "process 1 of this test").unwrap();
    let ran = scan_sandbox(home.path(), &[]).expect(4);
    assert!(ran.err.contains("process 1 of this test"), "{ran:#?}");
    scan_sandbox(home.path(), &["--wait-lock", "600ms"]).expect(4);
    scan_sandbox(home.path(), &["--dry-run"]).expect(0);
    drop(lock);
    scan_sandbox(home.path(), &[]).expect(0);
}

#[test]
fn the_guard_ends_with_5_and_names_the_ways_out() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("usage-signals.toml"), "[scan]\nmax_new_tasks = 11\n").unwrap();
    let report = scan_sandbox(home.path(), &[]).expect(5).json();
    assert_eq!(statuses(&report, "done"), 0);
    let help = report["errors"][0]["help"].as_str().unwrap();
    assert!(["--baseline", "--top", "--allow-large-plan"].iter().all(|way| help.contains(way)), "{help}");
    let report = scan_sandbox(home.path(), &["--baseline"]).expect(0).json();
    assert_eq!((&report["actions"]["task"]["done"], &report["actions"]["tag"]["done"]), (&json!(0), &json!(23)));
    assert_eq!(statuses(&scan_sandbox(home.path(), &[]).expect(0).json(), "done"), 0);
}

#[test]
fn an_unreachable_service_ends_with_6() {
    let home = tempfile::tempdir().unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = program(home.path());
    command.env("INTERCOM_ACCESS_TOKEN", "token").env("INTERCOM_BASE_URL", format!("http://{closed}"));
    let ran = finish(command.args(["scan", "--dry-run", "--deadline", "2s"])).expect(6);
    assert!(ran.err.contains("error"), "{ran:#?}");
}

#[test]
fn something_to_do_ends_with_10_only_when_asked() {
    let home = tempfile::tempdir().unwrap();
    scan_sandbox(home.path(), &["--dry-run"]).expect(0);
    scan_sandbox(home.path(), &["--dry-run", "--detailed-exit-code"]).expect(10);
}

#[test]
fn a_deadline_in_the_past_does_nothing_and_the_next_run_does_it_all() {
    let home = tempfile::tempdir().unwrap();
    scan_sandbox(home.path(), &["--deadline", "0s"]).expect(6);
    let report = scan_sandbox(home.path(), &[]).expect(0).json();
    assert_eq!(statuses(&report, "done"), 47);
}

#[test]
fn nothing_but_the_report_is_on_stdout_and_no_name_is_in_the_log() {
    let home = tempfile::tempdir().unwrap();
    let ran = scan_sandbox(home.path(), &["-vvv", "--log-format", "json"]).expect(0);
    ran.json();
    assert!(ran.err.lines().count() > 20, "{}", ran.err);
    let contacts: Vec<Value> = serde_json::from_str(include_str!("../../fixtures/demo/contacts.json")).unwrap();
    for contact in contacts {
        for personal in [&contact["email"], &contact["name"]] {
            let personal = personal.as_str().unwrap_or_default();
            assert!(personal.len() < 4 || !ran.err.contains(personal), "{personal} is in the log");
        }
    }
    for line in ran.err.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line["span"]["run.id"].is_string(), "{line}");
    }
    assert!(!ran.err.contains("sandbox-intercom-token"), "a token is in the log");
}

#[test]
fn a_preview_equals_the_request_that_the_services_receive() {
    let demo = Services::demo();
    demo.sandbox.with_world(|world| world.slack.rate_limit = false);
    // Few messages, because the program waits a second between two.
    let arguments = ["--sinks", "tasks,messages", "--top", "4"];
    let zone = zone_at_noon();
    let dry_run = finish(demo.command(&arguments).args(["--dry-run", "--preview"]).env("TZ", &zone)).expect(0);
    let preview = dry_run.json()["preview"].clone();
    finish(demo.command(&arguments).env("TZ", &zone)).expect(0);
    let (tasks, messages) = demo.sandbox.with_world(|world| (world.zoho.tasks.clone(), world.slack.messages.clone()));
    let shown = preview["tasks"].as_array().unwrap();
    assert_eq!(shown.len(), 4);
    for task in shown.iter().map(|task| &task["record"]) {
        // Keys depend on the second in which the run starts.
        let title = |task: &Value| task.as_str().unwrap().rsplit_once(" · US-").unwrap().0.to_owned();
        let made = tasks.iter().find(|made| title(&made["Subject"]) == title(&task["Subject"]));
        let made = made.unwrap_or_else(|| panic!("{task:#}"));
        for field in ["Due_Date", "Priority", "Status"] {
            assert_eq!(made[field], task[field], "{task:#}");
        }
        // The dry run does not know the id of the record in Zoho.
        let text = |task: &Value| task.as_str().unwrap().split("Zoho record: ").next().unwrap().to_owned();
        assert_eq!(text(&made["Description"]), text(&task["Description"]));
    }
    let shown = preview["messages"].as_array().unwrap();
    assert_eq!(shown.len(), 4);
    for body in shown.iter().map(|message| &message["body"]) {
        let posted = messages.iter().find(|posted| posted["text"] == body["text"]);
        let posted = posted.unwrap_or_else(|| panic!("{body:#}"));
        // All blocks but the last one, which links the record and the task.
        let without_last = |message: &Value| message.as_array().unwrap().split_last().unwrap().1.to_vec();
        assert_eq!(without_last(&posted["blocks"]), without_last(&body["blocks"]));
    }
}

#[test]
fn a_preview_groups_messages_into_the_digests_that_a_run_posts() {
    let home = tempfile::tempdir().unwrap();
    let world = home.path().join("world");
    std::fs::create_dir(&world).unwrap();
    std::fs::write(world.join("contacts.json"), json!(full_accounts(80)).to_string()).unwrap();
    // A dry run does not know the ids of tasks. Links with several ids test that it still calculates the length of a digest.
    let config =
        "[slack]\nmax_messages = 2\n[zoho]\nrecord_url = \"https://crm.example/{module}/{id}?a={id}&b={id}&c={id}\"\n";
    std::fs::write(home.path().join("usage-signals.toml"), config).unwrap();
    // Both runs have the same instant, because keys depend on it.
    let arguments = ["scan", "--sandbox", "world", "--as-of", AS_OF, "--format", "json", "--allow-large-plan"];
    let scan = |more: &[&str]| finish(program(home.path()).args(arguments).args(more)).expect(0).json();
    let preview = scan(&["--dry-run", "--preview"]);
    let key = |key: &Value| key.as_str().unwrap().to_owned();
    let messages = preview["preview"]["messages"].as_array().unwrap().iter();
    let shown: Vec<BTreeSet<_>> =
        messages.map(|message| message["keys"].as_array().unwrap().iter().map(key).collect()).collect();
    let report = scan(&[]);
    let mut posted = BTreeMap::<_, BTreeSet<_>>::new();
    for signal in report["signals"].as_array().unwrap() {
        for action in signal["actions"].as_array().unwrap().iter().filter(|action| action["kind"] == "message") {
            posted.entry(key(&action["remote_id"])).or_default().insert(key(&action["key"]));
        }
    }
    let sizes: Vec<_> = shown.iter().map(BTreeSet::len).collect();
    assert!(sizes.len() > 4 && sizes[2] < 25, "cut by length: {sizes:?}");
    let (shown, posted): (BTreeSet<_>, BTreeSet<_>) = (shown.into_iter().collect(), posted.into_values().collect());
    assert_eq!(shown, posted);
}
