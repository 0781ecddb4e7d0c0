//! The command `replay`: the recorded scenarios pass, and a wrong expectation fails.

use std::path::{Path, PathBuf};

use crate::support::program::run;

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/replay");
    let mut scenarios: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    scenarios.sort();
    scenarios
}

#[test]
fn every_scenario_passes() {
    let home = tempfile::tempdir().unwrap();
    let scenarios: Vec<_> = scenarios().iter().map(|path| path.display().to_string()).collect();
    assert!(scenarios.len() >= 20, "{scenarios:?}");
    let mut arguments = vec!["replay"];
    arguments.extend(scenarios.iter().map(String::as_str));
    let ran = run(home.path(), &arguments).expect(0);
    assert!(ran.out.contains(&format!("{} passed, 0 failed", scenarios.len())), "{ran:#?}");
}

#[test]
fn a_difference_is_shown_and_ends_with_1() {
    let home = tempfile::tempdir().unwrap();
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/replay/no-email");
    let copy = home.path().join("no-email");
    std::fs::create_dir_all(copy.join("workspace")).unwrap();
    for file in [
        "scenario.toml",
        "expected.txt",
        "workspace/contacts.json",
        "workspace/companies.json",
        "workspace/workspace.json",
    ] {
        let text = std::fs::read_to_string(original.join(file)).unwrap();
        // A value moves to the other side of the threshold: 88 % becomes 48 %.
        std::fs::write(copy.join(file), text.replace("\"storage_percent\": 88", "\"storage_percent\": 48")).unwrap();
    }
    let ran = run(home.path(), &["replay", &copy.display().to_string()]).expect(1);
    assert!(ran.out.contains("- ") && ran.out.contains("88% storage used"), "{}", ran.out);
    assert!(ran.out.contains("tasks: 0") && ran.out.contains("0 passed, 1 failed"), "{}", ran.out);
    // Blessing rewrites outputs, but never the counts that a person wrote.
    run(home.path(), &["replay", "--bless", &copy.display().to_string()]).expect(1);
    let ran = run(home.path(), &["replay", &copy.display().to_string()]).expect(1);
    assert!(!ran.out.contains("expected.txt differs"), "{}", ran.out);
}

#[test]
fn a_scenario_that_cannot_be_read_ends_with_2_and_says_where() {
    let home = tempfile::tempdir().unwrap();
    let ran = run(home.path(), &["replay", "nowhere"]).expect(2);
    assert!(ran.err.contains("nowhere"), "{ran:#?}");
}
