//! Snapshots of the texts for people: help, rules and reports.

use crate::support::program::{AS_OF, run};

fn shown(arguments: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let ran = run(home.path(), arguments);
    format!("$ usage-signals {}\n{}", arguments.join(" "), ran.out)
}

#[test]
fn help() {
    let pages: [&[&str]; 22] = [
        &["--help"],
        &["scan", "--help"],
        &["explain", "--help"],
        &["doctor", "--help"],
        &["sandbox", "--help"],
        &["replay", "--help"],
        &["coverage", "--help"],
        &["rules", "--help"],
        &["rules", "check", "--help"],
        &["rules", "test", "--help"],
        &["init", "--help"],
        &["completions", "--help"],
        &["man", "--help"],
        &["status", "--help"],
        &["ledger", "--help"],
        &["ledger", "list", "--help"],
        &["ledger", "show", "--help"],
        &["ledger", "resolve", "--help"],
        &["ledger", "export", "--help"],
        &["ledger", "check", "--help"],
        &["ledger", "prune", "--help"],
        &["ledger", "forget", "--help"],
    ];
    let all: Vec<_> = pages.iter().map(|page| shown(page)).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn rules() {
    insta::assert_snapshot!(shown(&["rules", "list"]));
}

#[test]
fn report_of_a_first_run_and_of_a_second() {
    let home = tempfile::tempdir().unwrap();
    let scan = |instant: &str| run(home.path(), &["scan", "--sandbox", "--as-of", instant]).expect(0).out;
    insta::assert_snapshot!(format!("{}\n{}", scan(AS_OF), scan("2025-12-20T12:00:00Z")));
}

/// Checks the texts for sales people: every task and message of the demo.
#[test]
fn previews() {
    let home = tempfile::tempdir().unwrap();
    let ran = run(home.path(), &["scan", "--sandbox", "--dry-run", "--preview", "--as-of", AS_OF]).expect(0);
    let (_, pages) = ran.out.split_once("\nZoho task").unwrap();
    insta::assert_snapshot!(pages);
}
