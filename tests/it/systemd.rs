//! The units in `systemd/`, checked against the program, and by systemd if it is installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use usage_signals::Cli;

use crate::support::program::{Served, finish, program, run, snapshot};

/// The path of the program in the service.
const INSTALLED: &str = "/usr/local/bin/usage-signals";

/// The environment variables with credentials.
const CREDENTIALS: [&str; 5] =
    ["INTERCOM_ACCESS_TOKEN", "ZOHO_CLIENT_ID", "ZOHO_CLIENT_SECRET", "ZOHO_REFRESH_TOKEN", "SLACK_BOT_TOKEN"];

fn units() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd")
}

/// Returns the settings of a unit in order. `commented` adds those that are commented out.
fn settings(unit: &str, commented: bool) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(units().join(unit)).unwrap();
    let lines = text.lines().filter_map(|line| match line.strip_prefix("# ") {
        Some(rest) if commented && rest.starts_with(|c: char| c.is_ascii_uppercase()) => Some(rest),
        Some(_) => None,
        None => Some(line),
    });
    let pairs = lines.filter_map(|line| line.split_once('='));
    let pairs = pairs.filter(|(key, _)| key.chars().all(|c| c.is_ascii_alphanumeric()));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn all<'s>(settings: &'s [(String, String)], key: &str) -> Vec<&'s str> {
    settings.iter().filter(|(name, _)| name == key).map(|(_, value)| value.as_str()).collect()
}

#[test]
fn the_command_of_the_service_is_one_that_the_program_takes() {
    let service = settings("usage-signals.service", false);
    let [command] = all(&service, "ExecStart")[..] else { panic!("{service:?}") };
    let words: Vec<_> = command.split_whitespace().collect();
    assert_eq!(words[..2], [INSTALLED, "scan"]);
    Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{command}: {error}"));
    assert!(!command.contains("%d"), "credentials are files that the environment names");
}

#[test]
fn every_credential_is_loaded_and_the_program_reads_it_from_where_systemd_puts_it() {
    let service = settings("usage-signals.service", true);
    let loaded: Vec<_> = all(&service, "LoadCredential").iter().map(|it| it.split_once(':').unwrap().0).collect();
    let variables = all(&service, "Environment");
    assert_eq!(loaded.len(), variables.len(), "{loaded:?} {variables:?}");
    let home = tempfile::tempdir().unwrap();
    let mut named = Vec::new();
    for variable in &variables {
        let (name, path) = variable.split_once('=').unwrap();
        let credential = path.strip_prefix("%d/").unwrap_or_else(|| panic!("{variable}"));
        assert!(loaded.contains(&credential), "{variable}: nothing loads {credential}");
        // The program reports a missing file only if it looks for the file.
        let ran = finish(program(home.path()).args(["scan", "--dry-run"]).env(name, "/run/nothing")).expect(2);
        assert!(ran.err.contains(&format!("cannot read the file that {name} names")), "{name}: {}", ran.err);
        named.push(name.strip_suffix("_FILE").unwrap());
    }
    for credential in CREDENTIALS.iter().chain(["SLACK_WEBHOOK_URL"].iter()) {
        assert!(named.contains(credential), "the service does not load {credential}");
    }
}

/// Runs the program as systemd does, against the sandbox in another process: variables name the folders, credentials are files,
/// and there is no home folder.
#[test]
fn the_service_s_environment_is_enough_for_a_run() {
    let home = tempfile::tempdir().unwrap();
    let served = Served::start(home.path(), &[]);
    let config = home.path().join("usage-signals.toml").display().to_string();
    run(home.path(), &["init", &config]).expect(0);
    std::fs::create_dir(home.path().join("credentials")).unwrap();
    let service = settings("usage-signals.service", false);
    let words = all(&service, "ExecStart")[0].split_whitespace().skip(1);
    let words = words.map(|word| if word == "/etc/usage-signals/usage-signals.toml" { config.as_str() } else { word });
    let mut command = program(home.path());
    command.args(words).env_remove("HOME").env("STATE_DIRECTORY", home.path().join("state"));
    for (name, value) in served.environment.iter().filter(|(name, _)| !CREDENTIALS.contains(&name.as_str())) {
        command.env(name, value);
    }
    for variable in all(&service, "Environment") {
        let (name, path) = variable.split_once('=').unwrap();
        let file = home.path().join(path.replace("%d", "credentials"));
        std::fs::write(&file, format!("{}\n", served.environment[name.strip_suffix("_FILE").unwrap()])).unwrap();
        command.env(name, file);
    }
    let ran = finish(&mut command).expect(0);
    assert!(ran.out.contains("tags: "), "{ran:#?}");
    assert!(
        home.path().join("state/ledger.sqlite").exists(),
        "{:?}",
        snapshot(home.path()).into_keys().collect::<Vec<_>>()
    );
}

#[test]
fn the_timer_starts_the_service_every_six_hours_and_catches_up_missed_runs() {
    let timer = settings("usage-signals.timer", false);
    assert_eq!(all(&timer, "OnCalendar"), ["*-*-* 00/6:17:00"]);
    assert_eq!(all(&timer, "Persistent"), ["true"]);
    assert_eq!(all(&timer, "WantedBy"), ["timers.target"]);
    assert_eq!(all(&timer, "Unit"), Vec::<&str>::new(), "the service of the same name");
}

/// Runs systemd's own check if it is installed, and its score of the hardening (0 is best).
#[test]
fn systemd_itself_finds_nothing_wrong() {
    let analyze = |arguments: &[&str]| Command::new("systemd-analyze").args(arguments).output();
    let Ok(version) = analyze(&["--version"]) else {
        println!("systemd-analyze is not here: not checked");
        return;
    };
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let number = version.split_whitespace().nth(1).and_then(|word| word.parse::<u32>().ok()).unwrap_or(0);
    if number < 250 {
        println!("systemd {number} does not know everything that the units use: not checked");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for unit in ["usage-signals.service", "usage-signals.timer"] {
        let text = std::fs::read_to_string(units().join(unit)).unwrap();
        let path = folder.path().join(unit);
        std::fs::write(&path, text.replace(INSTALLED, env!("CARGO_BIN_EXE_usage-signals"))).unwrap();
        paths.push(path.display().to_string());
    }
    let verified = analyze(&["verify", "--man=no", &paths[0], &paths[1]]).unwrap();
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    let ours: Vec<_> = said.lines().filter(|line| line.contains("usage-signals")).collect();
    assert!(verified.status.success() && ours.is_empty(), "{said}");
    let scored = analyze(&["security", "--offline=true", "--no-pager", "--threshold=15", &paths[0]]).unwrap();
    assert!(scored.status.success(), "{}", String::from_utf8_lossy(&scored.stdout));
}
