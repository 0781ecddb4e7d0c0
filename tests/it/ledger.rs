//! The commands `ledger` and `status`.

mod resolve;
mod upkeep;

use serde_json::{Value, json};
use usage_signals::ledger::{History, ManualResolution, Pruned};
use usage_signals::model::{ActionKind, Reason, Resolution, State};

use crate::support::demo::Demo;
use crate::support::program::{Ran, snapshot};
use crate::support::{Fate, PlanWorld, hour, number, storage};

/// The only signal of the demo that these scans look for.
const ONE_SIGNAL: [&str; 4] = ["--only", "enterprise_feature_interest", "--contact", "65c5f845de40000000000004"];

/// Makes Zoho refuse the next task.
fn refuse_a_task(demo: &Demo) {
    demo.faults(json!([{
        "service": "zoho", "method": "POST", "path_prefix": "/crm/v8/Tasks", "times": 1, "kind": "status", "status": 400,
        "body": { "data": [{
            "code": "INVALID_DATA", "details": { "api_name": "Owner" }, "message": "invalid data", "status": "error"
        }] },
    }]));
}

fn with_a_refused_task() -> (Demo, String) {
    let demo = Demo::new("");
    refuse_a_task(&demo);
    demo.scan(6, &ONE_SIGNAL).expect(1);
    let refused = demo.look(7, &["ledger", "list", "--state", "refused", "--format", "json"]).expect(0).json();
    let key = refused["actions"][0]["key"].as_str().unwrap().to_owned();
    (demo, key)
}

/// Runs a command and replaces the values that differ between test runs: the run's id, the duration, the folder.
fn shown(demo: &Demo, command: &str, hour: u32) -> String {
    let ran = demo.look(hour, &command.split(' ').collect::<Vec<_>>());
    let text = ran.out.replace(&demo.home.path().display().to_string(), "~");
    format!("$ usage-signals {command}   # {}\n{text}{}\n", ran.code.unwrap(), ran.err)
}

fn all_shown(demo: &Demo, commands: &[&str], hour: u32) -> String {
    commands.iter().map(|command| shown(demo, command, hour)).collect::<Vec<_>>().join("\n")
}

/// Replaces the values that depend on the clock.
fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\b[0-9a-f]{12}\b", "[run id]    ".trim());
    settings.add_filter(r" \d+ s  ", " [n] s  ");
    settings.add_filter(r"process \d+", "process [n]");
    settings
}

#[test]
fn page_after_a_refusal_and_a_full_run() {
    let (demo, key) = with_a_refused_task();
    let report = demo.scan(12, &["--top", "3"]).expect(0).out;
    let (_, person) = report.split_once("\nRefused").unwrap();
    let (person, _) = person.split_once("\nLeft alone").unwrap();
    let show = format!("ledger show {key}");
    let commands = [
        "status",
        "ledger list",
        "ledger list --state refused,in-doubt",
        "ledger list --signal churn_risk_inactivity --since 7d",
        "ledger list --contact 66583c63de40000000000005",
        show.as_str(),
        "ledger check",
    ];
    settings().bind(|| insta::assert_snapshot!(format!("Refused{person}\n{}", all_shown(&demo, &commands, 13))));
    let resolve = format!("ledger resolve {key} --as failed");
    let commands = [
        resolve.as_str(),
        show.as_str(),
        "ledger forget 66583c63de40000000000005",
        "ledger prune --older-than 30d",
        "status",
    ];
    settings().bind(|| insta::assert_snapshot!(all_shown(&demo, &commands, 14)));
}

/// Returns a demo with a message in doubt: its response was lost, and the channel cannot be read. With "hold", it waits for a
/// person.
fn with_a_held_message() -> (Demo, String) {
    let demo = Demo::new("[slack]\nwhen_in_doubt = \"hold\"\n");
    let unreadable = json!({
        "service": "slack", "path_prefix": "/conversations.history", "kind": "status", "status": 200,
        "body": { "ok": false, "error": "missing_scope", "needed": "channels:history", "provided": "chat:write" },
    });
    let lost = json!({ "service": "slack", "path_prefix": "/chat.postMessage", "times": 1, "kind": "reset_after" });
    demo.faults(json!([lost, unreadable]));
    demo.scan(6, &ONE_SIGNAL).expect(1);
    demo.scan(12, &ONE_SIGNAL).expect(1);
    let held = demo.look(13, &["ledger", "list", "--state", "in-doubt", "--format", "json"]).expect(0).json();
    assert_eq!(held["actions"].as_array().unwrap().len(), 1, "{held:#}");
    (demo, held["actions"][0]["key"].as_str().unwrap().to_owned())
}

/// Returns an action as `ledger show` reports it.
fn action(demo: &Demo, key: &str) -> Value {
    demo.look(23, &["ledger", "show", key, "--format", "json"]).expect(0).json()["action"].take()
}

/// Returns the exit code of a scan, and the state of an action in its report.
fn reported(ran: &Ran, key: &str) -> (Option<i32>, String) {
    let report = ran.json();
    let actions = report["signals"].as_array().unwrap().iter().flat_map(|signal| signal["actions"].as_array().unwrap());
    let action = actions.into_iter().find(|action| action["key"] == key).unwrap_or(&Value::Null).clone();
    (ran.code, format!("{} {}", action["status"], action["reason"]).replace('"', ""))
}

#[test]
fn before_the_first_run_commands_show_nothing_and_create_nothing() {
    let demo = Demo::new("");
    let check = |arguments: &[&str], code: i32, text: &str| {
        let ran = demo.look(6, arguments);
        assert_eq!(ran.code, Some(code), "{ran:#?}");
        assert!(format!("{}{}", ran.out, ran.err).contains(text), "{ran:#?}");
    };
    let before = snapshot(demo.home.path());
    check(&["status"], 0, "No run yet");
    check(&["ledger", "list"], 0, "No run yet");
    check(&["ledger", "check"], 0, "No run yet");
    check(&["status", "--format", "json"], 0, "\"runs\":[]");
    check(&["ledger", "list", "--format", "json"], 0, "\"actions\":[]");
    check(&["ledger", "export"], 2, "there is no ledger");
    check(&["ledger", "show", "US-7K3F9Q2M"], 2, "there is no ledger");
    check(&["ledger", "resolve", "US-7K3F9Q2M", "--as", "done"], 2, "there is no ledger");
    check(&["ledger", "prune", "--older-than", "1d"], 2, "there is no ledger");
    check(&["ledger", "forget", "x"], 2, "there is no ledger");
    assert_eq!(snapshot(demo.home.path()), before);
}

#[test]
fn a_ledger_that_cannot_be_opened_is_named_with_the_cause() {
    let demo = Demo::new("");
    std::fs::create_dir_all(demo.folder()).unwrap();
    std::fs::write(demo.ledger(), [0x5a; 4096]).unwrap();
    for command in [&["status"][..], &["ledger", "list"], &["scan", "--dry-run"]] {
        let ran = demo.look(8, command).expect(2);
        assert!(ran.err.contains("ledger.sqlite: file is not a database\nhelp: "), "{ran:#?}");
        assert!(ran.err.contains("help: restore the ledger"), "{ran:#?}");
    }
}

#[test]
fn status_shows_the_errors_of_unfinished_actions() {
    let demo = Demo::new("");
    demo.faults(json!([{ "service": "zoho", "path_prefix": "/crm", "kind": "status", "status": 403,
        "body": { "code": "NO_PERMISSION", "status": "error" } }]));
    demo.scan(6, &ONE_SIGNAL).expect(3);
    let shown = demo.look(7, &["status"]).expect(0).out;
    assert!(shown.contains("  unfinished: 1 task, 1 tag\n    1 action: Zoho refused the credential"), "{shown}");
    assert!(shown.contains("first remove the cause of the errors above"), "{shown}");
    assert!(!shown.contains("doctor"), "it does not look at the sandbox: {shown}");
    let json = demo.look(7, &["status", "--format", "json"]).json();
    assert_eq!(
        (&json["errors"][0]["state"], &json["errors"][0]["actions"]),
        (&json!("planned"), &json!(1)),
        "{json:#}"
    );
    // Reads the sandbox's ledger as if it belonged to real runs.
    let folder = demo.folder().display().to_string();
    let shown = demo.run(&["status", "--state-dir", &folder]).expect(0).out;
    assert!(shown.contains(&format!("usage-signals doctor --state-dir={folder} searches for the cause")), "{shown}");
}

#[test]
fn printed_commands_work_where_they_are_printed() {
    let (demo, key) = with_a_refused_task();
    let folder = demo.folder().display().to_string();
    for place in [vec!["--sandbox"], vec!["--state-dir", folder.as_str()]] {
        let options = place.join("=");
        let run = |command: &[&str]| demo.run(&[command, &place].concat()).expect(0).out;
        let (list, resolve) = ("ledger list --state refused", "ledger resolve");
        let shown = run(&["status"]);
        assert!(shown.contains(&format!("usage-signals {list} {options} shows")), "{shown}");
        assert!(shown.contains(&format!("usage-signals {resolve} KEY {options} --as failed")), "{shown}");
        assert!(run(&["ledger", "list"]).contains(&format!("usage-signals ledger show KEY {options} says")));
        let shown = run(&["ledger", "show", &key]);
        assert!(shown.contains(&format!("usage-signals {resolve} {key} {options} --as failed")), "{shown}");
        let typed: Vec<_> = list.split(' ').chain(options.split(' ')).collect();
        assert!(demo.run(&typed).expect(0).out.contains(&key));
    }
    let none = demo.run(&["status", "--state-dir", "a b"]).expect(0).out;
    assert!(none.contains("usage-signals scan --dry-run --state-dir='a b' shows"), "{none}");
    let none = demo.run(&["status", "--sandbox", "--state-dir", "a b"]).expect(0).out;
    assert!(none.contains("usage-signals scan --sandbox --state-dir='a b' makes a first run"), "{none}");
}

#[test]
fn an_inaccessible_ledger_is_not_reported_as_damaged() {
    let check = |damage: &dyn Fn(&Demo), verdict: &str, help: &str| {
        let demo = Demo::new("");
        demo.scan(6, &ONE_SIGNAL).expect(0);
        damage(&demo);
        let ran = demo.look(8, &["ledger", "check"]).expect(1);
        assert!(ran.out.contains(&format!("ledger.sqlite: {verdict}\n")), "{ran:#?}");
        assert!(ran.out.contains(&format!("help: {help}")), "{ran:#?}");
        let json = demo.look(8, &["ledger", "check", "--format", "json"]).expect(1).json();
        assert_eq!(json["findings"].as_array().unwrap().len(), 1, "{json:#}");
    };
    let newer = |demo: &Demo| {
        rusqlite::Connection::open(demo.ledger()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    };
    let noise = |demo: &Demo| std::fs::write(demo.ledger(), [0x5a; 4096]).unwrap();
    check(&newer, "cannot be opened", "run the newer program");
    check(&noise, "not sound", "restore the ledger");
}

#[test]
fn read_only_commands_change_nothing() {
    let (demo, key) = with_a_refused_task();
    let before = snapshot(demo.home.path());
    for arguments in
        [&["status"][..], &["ledger", "list"], &["ledger", "show", &key], &["ledger", "export"], &["ledger", "check"]]
    {
        demo.look(8, arguments).expect(0);
        assert_eq!(snapshot(demo.home.path()), before, "{arguments:?}");
    }
}

#[test]
fn during_a_run_people_can_read_and_not_write() {
    let (demo, key) = with_a_refused_task();
    let holder = format!("process {}, run abc", std::process::id());
    let lock = usage_signals::ledger::lock::Lock::take(&demo.folder(), &holder).unwrap();
    for arguments in [
        &["ledger", "resolve", &key, "--as", "done"][..],
        &["ledger", "prune", "--older-than", "1d"],
        &["ledger", "forget", "65c5f845de40000000000004"],
    ] {
        let ran = demo.look(8, arguments).expect(4);
        assert!(ran.err.contains(&holder), "{ran:#?}");
    }
    let status = demo.look(8, &["status"]).expect(0).out;
    assert!(status.contains(&format!("A run is under way: {holder}")), "{status}");
    assert_eq!(demo.look(8, &["status", "--format", "json"]).json()["lock"], holder);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| demo.look(8, &["ledger", "resolve", &key, "--as", "done", "--wait-lock", "1m"]));
        // The other run waits if this comes late, and finds the lock free if this comes early.
        drop(lock);
        waits.join().unwrap().expect(0);
    });
    assert_eq!(demo.look(8, &["status", "--format", "json"]).json()["lock"], json!(null));
}

fn email_of(demo: &Demo, id: &str) -> String {
    let contacts = demo.world().intercom.contacts;
    let contact = contacts.iter().find(|contact| contact.id() == id).unwrap().value();
    contact["email"].as_str().unwrap().to_owned()
}

#[test]
fn the_list_is_narrowed_by_signal_state_time_and_contact() {
    let demo = Demo::new("");
    demo.scan(6, &["--only", "storage_limit,churn_risk_inactivity"]).expect(0);
    demo.scan(30, &[]).expect(0);
    let keys = |arguments: &[&str]| -> Vec<String> {
        let ran = demo.look(31, &[&["ledger", "list", "--format", "json"], arguments].concat()).expect(0);
        let list = ran.json();
        list["actions"].as_array().unwrap().iter().map(|action| action["key"].as_str().unwrap().to_owned()).collect()
    };
    let all = keys(&[]);
    let check = |arguments: &[&str], keep: &dyn Fn(&Value) -> bool| {
        let list = demo.look(31, &["ledger", "list", "--format", "json"]).json();
        let expected = list["actions"].as_array().unwrap().iter().filter(|action| keep(action));
        let expected: Vec<_> = expected.map(|action| action["key"].as_str().unwrap()).collect();
        assert_eq!(keys(arguments), expected, "{arguments:?}");
        assert!(!expected.is_empty() && expected.len() < all.len(), "{arguments:?}");
    };
    check(&["--signal", "storage_limit"], &|action| action["signal"] == "storage_limit");
    check(&["--signal", "power_user,storage_limit"], &|action| {
        ["power_user", "storage_limit"].map(|signal| json!(signal)).contains(&action["signal"])
    });
    check(&["--state", "skipped"], &|action| action["state"] == "skipped");
    let second = |action: &Value| action["opened_at"] == "2025-12-21T06:00:00Z";
    check(&["--since", "2025-12-21"], &second);
    check(&["--since", "1d"], &second);
    let person = "66583c63de40000000000005";
    // This includes the task and the message of the person's account.
    let of_account =
        |action: &Value| action["subject"]["id"] == "65c24a60c0de000000000001" && action["contact"] == json!(null);
    check(&["--contact", person], &|action| {
        action["contact"] == person || action["subject"]["id"] == person || of_account(action)
    });
    let email = email_of(&demo, person);
    assert_eq!(keys(&["--contact", &email.to_uppercase()]), keys(&["--contact", person]));
    assert_eq!(keys(&["--state", "refused"]), Vec::<String>::new());
}

#[test]
fn page_of_a_message_that_is_held() {
    let (demo, key) = with_a_held_message();
    let report = demo.scan(14, &ONE_SIGNAL).expect(1).out;
    let show = format!("ledger show {key}");
    let commands = ["status", "ledger list", show.as_str()];
    settings().bind(|| insta::assert_snapshot!(format!("{report}\n{}", all_shown(&demo, &commands, 15))));
}
