//! Faults of the machine: a full disk, missing permissions, a damaged or foreign ledger, a wrong clock, signals and deadlines.
//! Each ends with its exit code and a remedy. A later run without the fault reaches the undisturbed state.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::program::{Ran, finish, program, run, snapshot};
use crate::support::services::{Services, full_accounts};

fn state(services: &Services) -> PathBuf {
    services.home.path().join(".local/state/usage-signals")
}

fn ledger(services: &Services) -> PathBuf {
    state(services).join("ledger.sqlite")
}

/// Checks that each contact has exactly one task, one message and one tag.
#[track_caller]
fn assert_undisturbed(services: &Services, contacts: usize, what: &str) {
    let effects = services.effects();
    let count = |name: &str| effects.get(name).copied().unwrap_or_default();
    let counts = ["zoho insert Tasks", "slack post", "intercom tag contact"].map(count);
    assert_eq!(counts, [contacts; 3], "{what}: tasks, messages, tags; {effects:?}");
}

/// Asserts that the run ended with this exit code, and printed an error and its help.
#[track_caller]
fn assert_fails_with_help(ran: &Ran, code: i32, help: &str, what: &str) {
    assert_eq!(ran.code, Some(code), "{what}: {ran:#?}");
    assert!(ran.err.contains("error: ") && ran.err.contains("help: "), "{what}: {ran:#?}");
    assert!(ran.err.contains(help), "{what}: {ran:#?}");
    assert!(!ran.err.contains("panicked"), "{what}: {ran:#?}");
}

#[test]
fn a_full_disk_stops_the_run_before_it_sends_what_it_cannot_record() {
    let mut failed = 0;
    // In units of 512 bytes: from less than an empty ledger to all but the last page.
    for blocks in [0, 1, 8, 40, 80, 120, 150, 180, 220, 300] {
        let services = Services::new(&full_accounts(1));
        // The limit is per file. With the trap, writing fails as on a full disk. Without it, the kernel would end the program.
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" scan");
        let mut shell = std::process::Command::new("sh");
        shell.env_clear().env("HOME", services.home.path()).env("TZ", "UTC").envs(services.sandbox.env());
        shell.current_dir(services.home.path()).args(["-c", &script, env!("CARGO_BIN_EXE_usage-signals")]);
        let ran = finish(shell.stdin(Stdio::null()));
        if ran.code != Some(0) {
            failed += 1;
            let code = ran.code.unwrap();
            assert!([1, 2].contains(&code), "{blocks}: {ran:#?}");
            // The message is an error at first, and a part of the report after the first action.
            let output = format!("{}{}", ran.out, ran.err);
            assert!(output.contains("space on the disk") && !output.contains("panicked"), "{blocks}: {ran:#?}");
        }
        services.scan().expect(0);
        assert_undisturbed(&services, 1, &format!("{blocks} blocks"));
    }
    assert!(failed > 3, "only {failed} of the limits were felt");
}

#[test]
fn logs_that_cannot_be_written_stop_nothing() {
    // The last one writes to a pipe whose reader is gone.
    for stderr in ["exec 2>/dev/full", "exec 2>&-", "exec 3>&1 2> >(exec <&-)"] {
        for format in ["text", "json"] {
            let services = Services::new(&full_accounts(1));
            let script = format!("{stderr}; sleep 0.1; exec \"$0\" scan -vvv --log-format {format}");
            let mut shell = std::process::Command::new("bash");
            shell.env_clear().env("HOME", services.home.path()).env("TZ", "UTC").env("PATH", env!("PATH"));
            shell.envs(services.sandbox.env()).current_dir(services.home.path());
            shell.args(["-c", &script, env!("CARGO_BIN_EXE_usage-signals")]);
            let ran = finish(shell.stdin(Stdio::null())).expect(0);
            assert!(ran.out.contains("tasks: 1 done"), "{stderr}: {ran:#?}");
            assert_undisturbed(&services, 1, stderr);
        }
    }
}

#[test]
fn a_report_that_cannot_be_written_ends_with_1_after_everything_is_done() {
    let services = Services::new(&full_accounts(1));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut scan = services.program();
    scan.arg("scan").stdout(full).stderr(Stdio::piped()).stdin(Stdio::null());
    let ran = scan.output().unwrap();
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    assert!(String::from_utf8_lossy(&ran.stderr).contains("the ledger holds the actions that were done"), "{ran:?}");
    assert_undisturbed(&services, 1, "a full stdout");
}

#[test]
fn a_state_folder_that_cannot_be_made_is_named() {
    let services = Services::new(&full_accounts(1));
    // Root ignores permissions, but not a file in place of the folder.
    let file = services.home.path().join("file");
    std::fs::write(&file, "").unwrap();
    let dir = file.join("state");
    let ran = finish(services.program().args(["scan", "--state-dir"]).arg(&dir));
    assert_fails_with_help(&ran, 2, "--state-dir", "a file in the way");
    assert!(ran.err.contains(dir.to_str().unwrap()), "{ran:#?}");
    assert_eq!(services.sandbox.requests(), [], "nothing was asked, let alone sent");
    services.scan().expect(0);
    assert_undisturbed(&services, 1, "a file in the way");
}

#[test]
fn a_read_only_ledger_stops_the_run_before_it_sends() {
    let services = Services::new(&full_accounts(1));
    services.scan().expect(0);
    let before = services.effects();
    services.change(&json!({ "contact": full_accounts(2)[1] }));
    // A folder in place of the write-ahead log. Even root cannot write to it.
    let wal = state(&services).join("ledger.sqlite-wal");
    let _ = std::fs::remove_file(&wal);
    std::fs::create_dir(&wal).unwrap();
    let ran = services.scan();
    assert!(matches!(ran.code, Some(1 | 2)), "{ran:#?}");
    assert_fails_with_help(&ran, ran.code.unwrap(), "help: ", "no log");
    assert_eq!(services.effects(), before);
    std::fs::remove_dir(&wal).unwrap();
    services.scan().expect(0);
    assert_undisturbed(&services, 2, "no log");
}

#[test]
fn a_run_waits_for_a_ledger_that_another_program_holds_and_then_gives_up() {
    let services = Services::new(&full_accounts(1));
    services.scan().expect(0);
    services.change(&json!({ "contact": full_accounts(2)[1] }));
    let before = services.effects();
    let other = rusqlite::Connection::open(ledger(&services)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; UPDATE meta SET value = value").unwrap();
    let ran = services.scan();
    assert_fails_with_help(&ran, 1, "close it", "held");
    assert_eq!(services.effects(), before);
    drop(other);
    services.scan().expect(0);
    assert_undisturbed(&services, 2, "held");
}

#[test]
fn a_damaged_ledger_stops_the_run_and_a_restored_one_continues() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 5] = [
        ("not a database", |bytes| bytes[..64].fill(b'x')),
        ("cut off", |bytes| bytes.truncate(5000)),
        ("overwritten", |bytes| bytes[4096..].fill(0xa5)),
        ("emptied in the middle", |bytes| bytes[4096..].fill(0)),
        ("a text", |bytes| *bytes = b"this is no ledger at all, but a text of some length\n".repeat(200)),
    ];
    for (what, damage) in damages {
        let services = Services::new(&full_accounts(1));
        services.scan().expect(0);
        let whole = std::fs::read(ledger(&services)).unwrap();
        services.change(&json!({ "contact": full_accounts(2)[1] }));
        let before = services.effects();
        let mut broken = whole.clone();
        damage(&mut broken);
        std::fs::write(ledger(&services), &broken).unwrap();
        for arguments in [&["--dry-run"][..], &[]] {
            let ran = finish(services.program().arg("scan").args(arguments));
            assert!(matches!(ran.code, Some(1 | 2)), "{what}: {ran:#?}");
            assert_fails_with_help(&ran, ran.code.unwrap(), "help: ", what);
        }
        assert_eq!(services.effects(), before, "{what}");
        std::fs::write(ledger(&services), &whole).unwrap();
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(state(&services).join(format!("ledger.sqlite{suffix}")));
        }
        services.scan().expect(0);
        assert_undisturbed(&services, 2, what);
    }
}

#[test]
fn values_that_no_version_writes_are_named_with_a_way_out() {
    let damages = [
        "UPDATE entries SET state = 'finished'",
        "UPDATE entries SET kind = 'fax' WHERE kind = 'task'",
        "UPDATE entries SET reason = X'00ff'",
        "UPDATE occasions SET opened_at = 9223372036854775807",
        "UPDATE occasions SET opened_at = 'noon'",
        "UPDATE occasions SET subject_kind = 'planet'",
        "DROP TABLE concerned",
    ];
    let services = Services::new(&full_accounts(1));
    services.scan().expect(0);
    let whole = std::fs::read(ledger(&services)).unwrap();
    let before = services.effects();
    for damage in damages {
        std::fs::write(ledger(&services), &whole).unwrap();
        rusqlite::Connection::open(ledger(&services)).unwrap().execute_batch(damage).unwrap();
        let ran = services.scan();
        assert_fails_with_help(&ran, 1, "restore the ledger", damage);
        assert_eq!(services.effects(), before, "{damage}");
    }
}

#[test]
fn a_ledger_of_a_newer_version_and_a_foreign_database_stay_unchanged() {
    let cases = [
        ("PRAGMA user_version = 99", "newer program"),
        ("PRAGMA application_id = 7", "--state-dir"),
        ("UPDATE meta SET value = 'another'", "--state-dir"),
    ];
    for (damage, help) in cases {
        let services = Services::new(&full_accounts(1));
        services.scan().expect(0);
        rusqlite::Connection::open(ledger(&services)).unwrap().execute_batch(damage).unwrap();
        let bytes = std::fs::read(ledger(&services)).unwrap();
        let before = services.effects();
        for arguments in [&["--dry-run"][..], &[]] {
            assert_fails_with_help(&finish(services.program().arg("scan").args(arguments)), 2, help, damage);
        }
        assert_eq!(std::fs::read(ledger(&services)).unwrap(), bytes, "{damage}");
        assert_eq!(services.effects(), before);
    }
}

#[test]
fn a_state_folder_that_is_gone_repeats_nothing() {
    let services = Services::new(&full_accounts(3));
    services.scan().expect(0);
    std::fs::remove_dir_all(state(&services)).unwrap();
    let report = services.scan().expect(0).json();
    assert_undisturbed(&services, 3, "gone");
    let signals = report["signals"].as_array().unwrap();
    assert!(signals.iter().all(|signal| signal["reason"] == "already_tagged"), "{report:#}");
    services.scan().expect(0);
    assert_undisturbed(&services, 3, "gone, and again");
}

#[test]
fn a_clock_that_jumps_repeats_and_loses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let effects = |home: &Path| {
        let file = home.join(".local/state/usage-signals/sandbox/demo/world.json");
        let world: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        world["effects"].as_array().unwrap().len()
    };
    let scan = |at: &str| run(home.path(), &["scan", "--sandbox", "--as-of", at, "--format", "json"]).expect(0);
    scan("2025-12-20T06:00:00Z");
    let done = effects(home.path());
    for at in ["2025-12-20T05:59:59Z", "1999-01-01T00:00:00Z", "2025-12-20T06:00:00Z", "1970-01-01T00:00:00Z"] {
        scan(at);
        assert_eq!(effects(home.path()), done, "{at}");
    }
}

/// The stages in which a run can wait, each with a request. The service answers the request with "retry in a minute".
const STAGES: [(&str, &str, &str, i32); 8] = [
    ("workspace", "intercom", "/me", 6),
    ("tags of the workspace", "intercom", "/tags", 6),
    ("read", "intercom", "/contacts/search", 6),
    ("ask", "intercom", "/companies/", 6),
    ("link", "zoho", "/crm/v8/coql", 1),
    ("task", "zoho", "/crm/v8/Tasks", 1),
    ("message", "slack", "/chat.postMessage", 1),
    ("tag", "intercom", "/contacts/65a0c000de40000000000000/tags", 1),
];

fn wait_a_minute(services: &Services, service: &str, path: &str) {
    // The read requests the tags of this contact first, so only POST waits.
    let method = if path.ends_with("/tags") && path.starts_with("/contacts") { json!("POST") } else { json!(null) };
    services.fault(json!({ "service": service, "method": method, "path_prefix": path, "kind": "status", "status": 429,
        "headers": { "Retry-After": "60" }, "body": { "ok": false, "error": "ratelimited" } }));
}

/// Asserts that the report or the error says that the run was cut short, and that the next run continues.
#[track_caller]
fn assert_cut_short(ran: &Ran, what: &str) {
    let all = format!("{}{}", ran.out, ran.err);
    let says = ["deadline", "interrupted", "stopped"].iter().any(|word| all.contains(word));
    assert!(says && all.contains("next run"), "{what}: {ran:#?}");
}

#[test]
fn a_deadline_ends_any_stage_in_time_and_the_next_run_continues() {
    for (stage, service, path, code) in STAGES {
        let services = Services::new(&full_accounts(1));
        wait_a_minute(&services, service, path);
        let begun = Instant::now();
        let ran = finish(services.program().args(["scan", "--deadline", "1s"]));
        assert!(begun.elapsed() < Duration::from_secs(10), "{stage}: {:?}", begun.elapsed());
        assert_eq!(ran.code, Some(code), "{stage}: {ran:#?}");
        assert_cut_short(&ran, stage);
        services.mend();
        services.scan().expect(0);
        assert_undisturbed(&services, 1, stage);
    }
}

#[test]
fn sigterm_ends_a_long_wait_at_once_in_any_stage() {
    for (stage, service, path, _) in STAGES {
        let services = Services::new(&full_accounts(1));
        wait_a_minute(&services, service, path);
        let mut command = services.program();
        let child = command.arg("scan").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while services.requests_to(path) == 0 {
            assert!(begun.elapsed() < Duration::from_secs(20), "{stage}: never asked");
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(200));
        assert!(
            std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success()
        );
        let begun = Instant::now();
        let output = child.wait_with_output().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(5), "{stage}: {:?}", begun.elapsed());
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let ran = Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
        assert_eq!(ran.code, Some(143), "{stage}: {ran:#?}");
        assert_cut_short(&ran, stage);
        services.mend();
        services.scan().expect(0);
        assert_undisturbed(&services, 1, stage);
    }
}

#[test]
fn a_deadline_while_settling_leaves_the_claims_in_doubt_and_the_next_run_asks_again() {
    // The request whose response is lost, and the question about it that has to wait.
    let cases = [
        ("zoho", "POST", "/crm/v8/Tasks", "/crm/v8"),
        ("slack", "POST", "/chat.postMessage", "/conversations.history"),
        ("intercom", "POST", "/contacts/65a0c000", "/contacts/65a0c000"),
    ];
    for (service, method, path, question) in cases {
        let services = Services::new(&full_accounts(1));
        services.fault(json!({ "service": service, "method": method, "path_prefix": path, "kind": "reset_after" }));
        services.scan().expect(1);
        services.mend();
        wait_a_minute(&services, service, question);
        let ran = finish(services.program().args(["scan", "--deadline", "1s"]));
        assert_eq!(ran.code, Some(6), "{service}: {ran:#?}");
        assert_cut_short(&ran, service);
        services.mend();
        services.scan().expect(0);
        services.scan().expect(0);
        assert_undisturbed(&services, 1, service);
    }
}

#[test]
fn a_lock_that_is_held_until_the_deadline_ends_with_its_holders_name() {
    let services = Services::new(&full_accounts(1));
    let lock = usage_signals::ledger::lock::Lock::take(&state(&services), "process 1 of this test").unwrap();
    let ran = finish(services.program().args(["scan", "--wait-lock", "1m", "--deadline", "1s"]));
    assert_fails_with_help(&ran, 4, "process 1 of this test", "a held lock");
    drop(lock);
    services.scan().expect(0);
    assert_undisturbed(&services, 1, "a held lock");
}

#[test]
fn a_dry_run_on_a_machine_without_a_home_folder_writes_nothing() {
    let services = Services::new(&full_accounts(1));
    let before = snapshot(services.home.path());
    let mut command = program(services.home.path());
    command.env_remove("HOME").envs(services.sandbox.env()).args(["scan", "--dry-run"]);
    assert_fails_with_help(&finish(&mut command), 2, "--state-dir", "no home");
    assert_eq!(snapshot(services.home.path()), before);
}
