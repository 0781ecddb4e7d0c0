//! Export, check, forget and prune.

use super::*;

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
fn a_damaged_ledger_is_detected() {
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
    demo.faults(json!([{ "service": "intercom", "kind": "status", "status": 401, "body": { "type": "error.list", "errors": [{ "code": "unauthorized" }] } }]));
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

/// Returns whether a file of the state folder contains the bytes. The sandbox's world is not searched.
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
    // The contact is only a teammate, so the task and the message stay with the account.
    let teammate = "67fe645fde40000000000008";
    check(teammate, &[teammate], "", &|action| action["contact"] == teammate);
}

#[test]
fn actions_in_doubt_are_settled_before_a_contact_is_forgotten() {
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
fn pruning_keeps_everything_that_decisions_need() {
    let mut world = PlanWorld::new("", vec![storage("c1", "acme", 83.0), storage("c2", "globex", 83.0)]);
    // Acme's storage signals three times, and Globex's stays over the limit.
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
fn pruning_keeps_open_decisions_of_people() {
    let toml = "retry_refused_after = \"never\"\n[[rules]]\nsignal = \"storage_limit\"\non_clear = \"remove_tag\"";
    let mut world = PlanWorld::new(toml, vec![storage("c1", "acme", 83.0), storage("c2", "acme", 10.0)]);
    // The tag of the first contact stays on; then the second contact signals for a while.
    world.fates.insert(ActionKind::Untag, Fate::Refused);
    for (at, first) in [(0, 83.0), (24, 1.0), (72, 1.0)] {
        world.set("c1", "storage_percent", number(first));
        world.run(hour(at));
    }
    world.fates.clear();
    for (at, second) in [(96, 84.0), (120, 10.0), (168, 10.0)] {
        world.set("c2", "storage_percent", number(second));
        world.run(hour(at));
    }
    assert_eq!(world.ledger().prune(hour(9999)).unwrap().occasions, 0, "the first one has a refused action");
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
    world.ledger().resolve(&[verdict], hour(200)).unwrap();
    assert_eq!(world.ledger().prune(hour(9999)).unwrap(), Pruned { occasions: 1, entries: 4, runs: 0 });
}
