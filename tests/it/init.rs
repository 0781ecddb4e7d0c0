//! The commands `init`, `completions` and `man`. They write files, and never overwrite one.

use std::path::Path;

use crate::support::program::{run, snapshot};

const EXAMPLE: &str = include_str!("../../fixtures/usage-signals.toml");

fn read(home: &Path, file: &str) -> String {
    std::fs::read_to_string(home.join(file)).unwrap()
}

#[test]
fn it_writes_the_example_which_loads_and_says_what_to_do_next() {
    let home = tempfile::tempdir().unwrap();
    let ran = run(home.path(), &["init"]).expect(0);
    assert_eq!(read(home.path(), "usage-signals.toml"), EXAMPLE);
    insta::assert_snapshot!(ran.out);
    let checked = run(home.path(), &["rules", "check"]).expect(0);
    assert!(checked.out.contains("usage-signals.toml: ok, 5 rules on, 7 off"), "{}", checked.out);
    assert_eq!(snapshot(home.path()).len(), 1, "and nothing else");
}

#[test]
fn its_next_steps_work_as_printed() {
    let home = tempfile::tempdir().unwrap();
    for file in [&["init"][..], &["init", "other.toml"], &["init", "--config", "third.toml"]] {
        let said = run(home.path(), file).expect(0).out;
        let steps: Vec<_> = said.lines().filter_map(|line| line.trim().strip_prefix("usage-signals ")).collect();
        assert_eq!(steps.len(), 4, "{said}");
        for step in steps.iter().filter(|step| !step.contains("--dry-run")) {
            let words: Vec<_> = step.split("  ").next().unwrap().split_whitespace().collect();
            let named = words.iter().any(|word| *word == "other.toml" || *word == "third.toml");
            assert_eq!(named, file.len() > 1, "{words:?}");
            run(home.path(), &words).expect(0);
        }
    }
}

#[test]
fn it_overwrites_a_file_only_with_force() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("usage-signals.toml"), "# mine, and longer than nothing").unwrap();
    let ran = run(home.path(), &["init"]).expect(2);
    assert!(ran.err.contains("usage-signals.toml exists already") && ran.err.contains("--force"), "{}", ran.err);
    assert_eq!(read(home.path(), "usage-signals.toml"), "# mine, and longer than nothing");
    run(home.path(), &["init", "--force"]).expect(0);
    assert_eq!(read(home.path(), "usage-signals.toml"), EXAMPLE);
}

#[test]
fn a_failed_write_is_reported_with_help() {
    let home = tempfile::tempdir().unwrap();
    let ran = run(home.path(), &["init", "no/such/folder/x.toml"]).expect(2);
    assert!(ran.err.contains("cannot write no/such/folder/x.toml"), "{}", ran.err);
    assert!(ran.err.contains("help: create the folder first: mkdir -p no/such/folder"), "{}", ran.err);
    std::fs::create_dir(home.path().join("folder")).unwrap();
    run(home.path(), &["init", "--force", "folder"]).expect(2);
}

#[cfg(unix)]
#[test]
fn everybody_may_read_the_configuration_because_there_are_no_secrets_in_it() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    run(home.path(), &["init"]).expect(0);
    let mode = std::fs::metadata(home.path().join("usage-signals.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
}

#[test]
fn every_shell_gets_a_script_that_knows_the_commands() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(home.path(), &["completions", shell]).expect(0).out;
        for word in ["scan", "rules", "init", "dry-run"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn the_manual_has_a_page_for_the_program_and_one_for_every_command() {
    let home = tempfile::tempdir().unwrap();
    let page = run(home.path(), &["man"]).expect(0).out;
    for words in [".TH", "usage\\-signals", "Exit codes", "INTERCOM_ACCESS_TOKEN"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let ran = run(home.path(), &["man", "--dir", "man1"]).expect(0);
    assert!(ran.out.contains("man1/usage-signals.1"), "{}", ran.out);
    let pages: Vec<_> = snapshot(&home.path().join("man1")).into_keys().collect();
    for command in
        ["", "-scan", "-sandbox", "-replay", "-rules", "-rules-list", "-rules-check", "-rules-test", "-init", "-man"]
    {
        let page = home.path().join(format!("man1/usage-signals{command}.1")).display().to_string();
        assert!(pages.contains(&page), "{page}: {pages:?}");
    }
    std::fs::write(home.path().join("file"), "").unwrap();
    let ran = run(home.path(), &["man", "--dir", "file/below"]).expect(2);
    assert!(ran.err.contains("cannot write manual pages into file/below"), "{}", ran.err);
}
