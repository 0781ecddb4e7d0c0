//! What people see of the ledger, and what comes of their decisions.

use serde_json::{Value, json};
use usage_signals::ledger::{History, ManualResolution, Pruned};
use usage_signals::model::{ActionKind, Reason, Resolution, State};

use crate::support::demo::Demo;
use crate::support::program::{Ran, snapshot};
use crate::support::{Fate, PlanWorld, hour, number, storage};

/// The only signal of the demo that these scans look for.
const ONE_SIGNAL: [&str; 4] = ["--only", "enterprise_feature_interest", "--contact", "65c5f845de40000000000004"];

/// Zoho refuses the next task for good.
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

/// What differs between two runs of the same test: the run's id, how long it took, the folder.
fn shown(demo: &Demo, command: &str, hour: u32) -> String {
    let ran = demo.look(hour, &command.split(' ').collect::<Vec<_>>());
    let text = ran.out.replace(&demo.home.path().display().to_string(), "~");
    format!("$ usage-signals {command}   # {}\n{text}{}\n", ran.code.unwrap(), ran.err)
}

fn all_shown(demo: &Demo, commands: &[&str], hour: u32) -> String {
    commands.iter().map(|command| shown(demo, command, hour)).collect::<Vec<_>>().join("\n")
}

/// Keeps a snapshot free of what only the clock decides.
fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\b[0-9a-f]{12}\b", "[run id]    ".trim());
    settings.add_filter(r" \d+ s  ", " [n] s  ");
    settings.add_filter(r"process \d+", "process [n]");
    settings
}

#[test]
fn what_people_see_after_a_refusal_and_a_full_run() {
    let (demo, key) = with_a_refused_task();
    let report = demo.scan(12, &["--top", "3"]).expect(0).out;
    let (_, person) = report.split_once("\nNeeds a person").unwrap();
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
    settings().bind(|| insta::assert_snapshot!(format!("Needs a person{person}\n{}", all_shown(&demo, &commands, 13))));
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

/// A message whose answer was lost, in a channel that cannot be read: with "hold", it waits for a person.
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

/// What an action's state is, as `ledger show` has it.
fn action(demo: &Demo, key: &str) -> Value {
    demo.look(23, &["ledger", "show", key, "--format", "json"]).expect(0).json()["action"].take()
}

/// What the report of a scan says of an action, and its exit code.
fn reported(ran: &Ran, key: &str) -> (Option<i32>, String) {
    let report = ran.json();
    let actions = report["signals"].as_array().unwrap().iter().flat_map(|signal| signal["actions"].as_array().unwrap());
    let action = actions.into_iter().find(|action| action["key"] == key).unwrap_or(&Value::Null).clone();
    (ran.code, format!("{} {}", action["status"], action["reason"]).replace('"', ""))
}

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
fn a_person_may_think_better_of_a_dismissal() {
    let (demo, key) = with_a_refused_task();
    demo.look(9, &["ledger", "resolve", &key, "--as", "dismissed"]).expect(0);
    demo.look(10, &["ledger", "resolve", &key, "--as", "failed", "--note", "no, do it"]).expect(0);
    demo.scan(12, &["--top", "1"]).expect(0);
    let shown = action(&demo, &key);
    assert_eq!((&shown["state"], &shown["remote_id"].is_string()), (&json!("done"), &true), "{shown:#}");
    assert_eq!(shown["resolutions"].as_array().unwrap().len(), 2);
}

#[test]
fn a_task_made_by_hand_is_brought_forward_when_its_id_is_given() {
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
fn what_makes_no_sense_is_refused_with_the_way_out() {
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

#[test]
fn before_the_first_run_there_is_nothing_to_see_and_nothing_is_made() {
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
    demo.faults(json!([{ "service": "zoho", "kind": "status", "status": 403, "body": {} }]));
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
    // The same ledger, as if it were that of real runs.
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
        assert!(shown.contains(&format!("usage-signals {list} {options},")), "{shown}");
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
fn a_ledger_that_cannot_be_opened_is_not_called_unsound() {
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
fn looking_changes_nothing() {
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
fn while_a_run_goes_on_people_look_and_do_not_write() {
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
        // However late this comes, the other one waits for it; however early, it finds the lock free.
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
    // Also the task and the message of an account in which the person is concerned.
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
fn an_export_has_every_action_and_no_formulas() {
    let (demo, key) = with_a_refused_task();
    demo.scan(12, &[]).expect(0);
    demo.look(
        13,
        &["ledger", "resolve", &key, "--as", "done", "--note", "=HYPERLINK(\"http://example.com\"),\n\"ok\""],
    )
    .expect(0);
    let json = demo.look(14, &["ledger", "export", "--format", "json"]).expect(0).json();
    let actions = json["actions"].as_array().unwrap();
    assert_eq!(demo.look(14, &["ledger", "export"]).expect(0).json(), json, "JSON is the default");
    let text = demo.look(14, &["ledger", "export", "--format", "csv"]).expect(0).out;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<_> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), actions.len());
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    for (row, action) in rows.iter().zip(actions) {
        for name in ["key", "kind", "state", "signal", "contact", "remote_id", "closed_at", "error"] {
            assert_eq!(row[column(name)], *action[name].as_str().unwrap_or_default(), "{name} of {action:#}");
        }
    }
    let resolved = rows.iter().find(|row| row[column("key")] == *key).unwrap();
    assert_eq!(resolved[column("note")], *"'=HYPERLINK(\"http://example.com\"),\n\"ok\"");
    assert_eq!(resolved[column("resolved_as")], *"done");
}

#[test]
fn a_damaged_ledger_is_found_out() {
    let check = |damage: &dyn Fn(&Demo), sentence: &str| {
        let (demo, _) = with_a_refused_task();
        demo.look(7, &["ledger", "check"]).expect(0);
        damage(&demo);
        let ran = demo.look(8, &["ledger", "check"]);
        assert_eq!(ran.code, Some(1), "{sentence}: {ran:#?}");
        assert!(ran.out.contains(sentence) && ran.out.contains("help: "), "{sentence}: {ran:#?}");
        let json = demo.look(8, &["ledger", "check", "--format", "json"]).expect(1).json();
        assert!(!json["findings"].as_array().unwrap().is_empty());
    };
    let sql = |statement: &'static str| {
        move |demo: &Demo| {
            let connection = rusqlite::Connection::open(demo.ledger()).unwrap();
            connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {statement}")).unwrap();
        }
    };
    check(&sql("UPDATE entries SET state = 'lost' WHERE kind = 'task'"), "has the unknown state \"lost\"");
    check(&sql("UPDATE entries SET reason = 'mood' WHERE kind = 'task'"), "has the unknown reason \"mood\"");
    check(
        &sql("UPDATE entries SET short = 'US-22222222' WHERE kind = 'task'"),
        "US-22222222 is not the key of its action",
    );
    check(&sql("UPDATE occasions SET opened_at = opened_at + 1"), "is not the key of its action");
    check(
        &sql("UPDATE entries SET state = 'claimed', claimed_at = NULL WHERE kind = 'task'"),
        "the time of the claim is missing",
    );
    check(&sql("DELETE FROM occasions"), "a row of entries refers to a missing row of occasions");
    check(&sql("PRAGMA user_version = 99"), "schema version 99");
    check(&|demo| std::fs::write(demo.ledger(), vec![7; 8192]).unwrap(), "not a database");
    let torn = |demo: &Demo| {
        let mut bytes = std::fs::read(demo.ledger()).unwrap();
        let from = bytes.len() - 3 * 4096;
        bytes[from..].fill(0xAA);
        std::fs::write(demo.ledger(), bytes).unwrap();
    };
    check(&torn, "not sound");
}

#[test]
fn status_names_failed_killed_and_missing_runs() {
    let demo = Demo::new("");
    let steps = |hour: u32| -> String {
        let status = demo.look(hour, &["status", "--format", "json"]).expect(0).json();
        status["next_steps"].as_array().unwrap().iter().map(|step| format!("{}\n", step.as_str().unwrap())).collect()
    };
    for hour in [0, 6, 12] {
        demo.scan(hour, &[]).expect(0);
    }
    assert_eq!(steps(20), "");
    assert!(steps(30).contains("the last run was 18 h ago, but runs are usually 6 h apart"), "{}", steps(30));
    demo.faults(json!([{ "service": "intercom", "kind": "status", "status": 401, "body": { "type": "error.list" } }]));
    demo.scan(18, &[]).expect(3);
    assert!(steps(20).contains("exit code 3 (a credential or permission was refused)"), "{}", steps(20));
    let connection = rusqlite::Connection::open(demo.ledger()).unwrap();
    connection.execute_batch("UPDATE runs SET finished_at = NULL, exit_code = NULL WHERE exit_code = 3").unwrap();
    connection.execute_batch("UPDATE entries SET state = 'claimed' WHERE kind = 'task' AND state = 'done'").unwrap();
    drop(connection);
    assert!(steps(20).contains("the last run was killed"), "{}", steps(20));
    assert!(steps(20).contains("in doubt"), "{}", steps(20));
    let status = demo.look(20, &["status", "--format", "json"]).json();
    assert_eq!(status["actions"]["in_doubt"], json!({ "task": 12, "message": 0, "tag": 0, "untag": 0 }));
}

/// Whether the bytes are anywhere in the state folder, but for the sandbox's own world.
fn remains(demo: &Demo, text: &str) -> bool {
    let files = snapshot(&demo.folder()).into_iter().filter(|(name, _)| !name.ends_with("world.json"));
    files.into_iter().any(|(_, bytes)| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
}

#[test]
fn a_forgotten_contact_leaves_nothing_personal_behind_and_nothing_fires_again() {
    let check = |who: &str, ids: &[&str], person: &str, clue: &dyn Fn(&Value) -> bool| {
        let demo = Demo::new("");
        demo.scan(6, &[]).expect(0);
        let before = demo.look(7, &["ledger", "export"]).json();
        let theirs: Vec<_> = before["actions"].as_array().unwrap().iter().filter(|action| clue(action)).collect();
        assert!(!theirs.is_empty(), "{who}");
        let key = theirs[0]["key"].as_str().unwrap();
        demo.look(8, &["ledger", "show", key]).expect(0);
        let mut personal: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        personal.extend(
            theirs
                .iter()
                .filter(|action| action["kind"] != "tag")
                .map(|action| action["remote_id"].as_str().unwrap().to_owned()),
        );
        personal.extend((!person.is_empty()).then(|| person.to_owned()));
        for text in &personal {
            assert!(remains(&demo, text), "{who}: {text} was there");
        }
        let effects = demo.world().effects;
        demo.look(9, &["ledger", "forget", who]).expect(0);
        for text in &personal {
            assert!(!remains(&demo, text), "{who}: {text} is still there");
        }
        assert!(demo.look(9, &["ledger", "check"]).expect(0).out.contains("ok, 53 actions"), "the keys stay");
        let after = demo.look(9, &["ledger", "export"]).json();
        let keys = |export: &Value| -> Vec<Value> {
            export["actions"].as_array().unwrap().iter().map(|action| action["key"].clone()).collect()
        };
        let (mut before, mut after) = (keys(&before), keys(&after));
        before.sort_by_key(Value::to_string);
        after.sort_by_key(Value::to_string);
        assert_eq!(after, before);

        let report = demo.scan(12, &[]).expect(0).out;
        assert!(report.contains(&format!("{} left out (forgotten)", ids.len())), "{report}");
        demo.scan(60, &[]).expect(0);
        demo.scan(90, &[]).expect(0);
        assert_eq!(demo.world().effects, effects, "{who}: nothing fires again");
        for text in &personal {
            assert!(!remains(&demo, text), "{who}: {text} came back");
        }
        demo.look(91, &["ledger", "forget", ids[0]]).expect(0);
    };
    let one = "66583c63de40000000000005";
    let of_one = |action: &Value| action["subject"]["id"] == one;
    let fresh = Demo::new("");
    fresh.change(|_| {});
    let email = email_of(&fresh, one);
    let hash = usage_signals::model::person_of(&email).unwrap();
    check(one, &[one], &hash, &of_one);
    check(&email, &[one], &hash, &of_one);
    // Only a teammate: the account's task and message stay the account's.
    let teammate = "67fe645fde40000000000008";
    check(teammate, &[teammate], "", &|action| action["contact"] == teammate);
}

#[test]
fn what_is_in_doubt_is_settled_before_a_contact_is_forgotten() {
    let (demo, key) = with_a_held_message();
    let contact = action(&demo, &key)["subject"]["id"].as_str().unwrap().to_owned();
    let ran = demo.look(14, &["ledger", "forget", &contact]).expect(2);
    assert!(ran.err.contains(&key) && ran.err.contains("help: "), "{ran:#?}");
    demo.look(15, &["ledger", "resolve", &key, "--as", "failed", "--note", "a secret of theirs"]).expect(0);
    assert!(remains(&demo, "a secret of theirs"));
    let forgotten = demo.look(16, &["ledger", "forget", &contact, "--format", "json"]).expect(0).json();
    assert_eq!(forgotten["dropped"], json!([key]));
    assert!(!remains(&demo, "a secret of theirs"));
    demo.scan(18, &[]).expect(0);
    let of_contact =
        |message: &usage_signals::sandbox::Object| serde_json::to_string(message).unwrap().contains(&contact);
    assert_eq!(demo.world().slack.messages.iter().filter(|message| of_contact(message)).count(), 1);
}

#[test]
fn what_people_see_of_a_message_that_is_held() {
    let (demo, key) = with_a_held_message();
    let report = demo.scan(14, &ONE_SIGNAL).expect(1).out;
    let show = format!("ledger show {key}");
    let commands = ["status", "ledger list", show.as_str()];
    settings().bind(|| insta::assert_snapshot!(format!("{report}\n{}", all_shown(&demo, &commands, 15))));
}

#[test]
fn pruning_keeps_what_any_decision_needs() {
    let mut world = PlanWorld::new("", vec![storage("c1", "acme", 83.0), storage("c2", "globex", 83.0)]);
    // Acme's storage is full three times, and Globex's all the time.
    for (at, percent) in [(0, 83.0), (24, 10.0), (72, 10.0), (96, 84.0), (120, 10.0), (168, 10.0), (192, 85.0)] {
        world.set("c1", "storage_percent", number(percent));
        world.run(hour(at));
    }
    let opened = |world: &PlanWorld, subject: &str| -> Vec<i64> {
        let path = world.ledger_file();
        let history = History::open(&path).unwrap().unwrap();
        let theirs = history.occasions.into_iter().filter(|occasion| occasion.id.subject.id == subject);
        theirs.map(|occasion| (occasion.id.opened_at - hour(0)).num_hours()).collect()
    };
    assert_eq!((opened(&world, "acme"), opened(&world, "globex")), (vec![0, 96, 192], vec![0]));
    let plan = |world: &PlanWorld| world.plan(hour(200));
    let before = plan(&world);

    let pruned = |occasions, entries| Pruned { occasions, entries, runs: 0 };
    assert_eq!(world.ledger().prune(hour(72)).unwrap(), pruned(0, 0), "it ended in that hour");
    assert_eq!(world.ledger().prune(hour(73)).unwrap(), pruned(1, 3));
    assert_eq!(world.ledger().prune(hour(9999)).unwrap(), pruned(0, 0), "the last that ended and the open ones stay");
    assert_eq!((opened(&world, "acme"), opened(&world, "globex")), (vec![96, 192], vec![0]));
    assert_eq!(plan(&world), before, "nothing is decided otherwise");

    for at in [210, 258] {
        world.set("c1", "storage_percent", number(10.0));
        world.run(hour(at));
    }
    world.ledger().prune(hour(9999)).unwrap();
    world.set("c1", "storage_percent", number(83.0));
    world.news();
    let again = world.run(hour(300));
    let mut reasons: Vec<_> = again.items.iter().map(|item| (item.subject().id.as_str(), item.reason)).collect();
    reasons.sort();
    assert_eq!(reasons, [("acme", Reason::Returned), ("globex", Reason::AlreadyDone)]);
}

#[test]
fn pruning_keeps_what_a_person_has_to_decide() {
    let mut world = PlanWorld::new("", vec![storage("c1", "acme", 83.0)]);
    world.fates.insert(ActionKind::Task, Fate::Refused);
    for (at, percent) in [(0, 83.0), (24, 10.0), (72, 10.0), (96, 84.0), (120, 10.0), (168, 10.0)] {
        world.set("c1", "storage_percent", number(percent));
        world.run(hour(at));
        world.fates.clear();
    }
    assert_eq!(world.ledger().prune(hour(9999)).unwrap().occasions, 0, "the first one has a refused task");
    let known = world.known();
    let refused =
        known.occasions.iter().flat_map(|one| &one.entries).find(|entry| entry.state == State::Refused).unwrap();
    let verdict = ManualResolution {
        short: refused.short.clone(),
        resolution: Resolution::Dismissed,
        remote_id: None,
        note: Some("years ago".to_owned()),
        by: None,
    };
    world.ledger().resolve(&verdict, hour(200)).unwrap();
    assert_eq!(world.ledger().prune(hour(9999)).unwrap(), Pruned { occasions: 1, entries: 3, runs: 0 });
}
