//! Who may import whom, read from the source itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// For each folder, the folders of ours that it may import. `model` and below: the pure ring.
pub const MAY_IMPORT: [(&str, &[&str]); 10] = [
    ("model", &[]),
    ("rules", &["model"]),
    ("plan", &["model", "rules"]),
    ("ledger", &["model"]),
    ("apply", &["model", "plan", "ledger"]),
    ("remote", &["model", "apply"]),
    ("report", &["model", "plan", "apply"]),
    // remote for its plain settings would be too much; plan for its settings only.
    ("config", &["model", "rules", "plan"]),
    ("sandbox", &[]),
    (
        "commands",
        &[
            "apply",
            "cli",
            "config",
            "exit",
            "ledger",
            "model",
            "plan",
            "remote",
            "report",
            "rules",
            "sandbox",
            "shutdown",
            "telemetry",
        ],
    ),
];

/// What the pure ring must not touch: I/O, clocks, async, printing, logging.
const IMPURE: [&str; 14] = [
    "tokio",
    "reqwest",
    "rusqlite",
    "tracing",
    "std::fs",
    "std::env",
    "std::net",
    "std::time::SystemTime",
    "std::time::Instant",
    "Utc::now",
    "Local::now",
    "Timestamp::now",
    "println!",
    "fastrand",
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The code of a file without its unit tests, comments and doc comments.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
    let lines = code.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
    lines.map(|line| line.split(" // ").next().unwrap()).collect::<Vec<_>>().join("\n")
}

fn of_folders() -> BTreeMap<String, Vec<PathBuf>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folders = std::fs::read_dir(source).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    folders.map(|folder| (folder.file_name().unwrap().to_str().unwrap().to_owned(), sources(&folder))).collect()
}

/// The folders of ours that code names: `crate::ledger::…`, and the names in `use crate::{…}`.
fn imports(code: &str) -> Vec<String> {
    let names = code.split("crate::").skip(1).flat_map(|rest| {
        let list = rest.strip_prefix('{').map_or(rest, |list| list.split('}').next().unwrap());
        let several = rest.starts_with('{');
        let parts: Vec<&str> = if several { list.split(',').collect() } else { vec![list] };
        let name = |part: &str| {
            let part = part.trim_start();
            part.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect::<String>()
        };
        parts.into_iter().map(name).collect::<Vec<_>>()
    });
    names.filter(|name| !name.is_empty()).collect()
}

#[test]
fn every_folder_imports_only_what_it_may() {
    let mut wrong = Vec::new();
    for (folder, files) in of_folders() {
        let rule = MAY_IMPORT.iter().find(|(name, _)| *name == folder);
        let (_, allowed) =
            rule.unwrap_or_else(|| panic!("src/{folder} has no rule in this test: decide who may import whom"));
        for file in files {
            for import in imports(&code(&file)) {
                if import != folder && !allowed.contains(&import.as_str()) {
                    wrong.push(format!("{} imports {import}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_pure_ring_touches_nothing_outside() {
    let folders = of_folders();
    let mut wrong = Vec::new();
    for file in ["model", "rules", "plan"].iter().flat_map(|folder| &folders[*folder]) {
        let code = code(file);
        wrong.extend(
            IMPURE.iter().filter(|word| code.contains(**word)).map(|word| format!("{}: {word}", file.display())),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_ledger_contains_sql() {
    let mut wrong = Vec::new();
    for (folder, files) in of_folders() {
        for file in files.iter().filter(|_| folder != "ledger") {
            let code = code(file);
            let sql = ["rusqlite", "INSERT INTO", "CREATE TABLE"].iter().any(|word| code.contains(word));
            // Zoho's COQL is a query language of its own.
            wrong.extend(sql.then(|| file.display().to_string()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_apply_calls_a_sink() {
    let mut wrong = Vec::new();
    for (folder, files) in of_folders() {
        for file in files.iter().filter(|_| !matches!(folder.as_str(), "apply" | "remote")) {
            let code = code(file);
            wrong.extend(code.contains(".perform(").then(|| file.display().to_string()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_dry_run_is_decided_in_commands_and_nowhere_below() {
    let mut wrong = Vec::new();
    for (folder, files) in of_folders() {
        for file in files.iter().filter(|_| !matches!(folder.as_str(), "commands" | "report")) {
            wrong.extend(code(file).contains("dry_run").then(|| file.display().to_string()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_reader_of_imports_sees_both_forms() {
    assert_eq!(imports("use crate::ledger::Writer;"), ["ledger"]);
    assert_eq!(imports("use crate::{model::Date, plan};"), ["model", "plan"]);
    assert_eq!(imports("fn f() -> crate::remote::Error"), ["remote"]);
}
