//! The rules of the architecture, checked in the source: who may import whom, and which folder alone does what.

mod samples;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use tree::{Place, Tree};

/// For each folder, the folders that it may import. `model`, `rules` and `plan` are the pure ring.
pub const MAY_IMPORT: [(&str, &[&str]); 12] = [
    // model for the names of sinks.
    ("cli", &["model"]),
    ("model", &[]),
    ("rules", &["model"]),
    ("plan", &["model", "rules"]),
    ("read", &["model", "rules", "plan"]),
    ("ledger", &["model"]),
    ("apply", &["model", "plan", "ledger"]),
    ("remote", &["model", "apply", "read"]),
    ("report", &["model", "plan", "apply"]),
    // `plan` for its settings only.
    ("config", &["model", "rules", "plan"]),
    // The simulated outside world shares nothing with the program that it tests.
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
            "read",
            "remote",
            "report",
            "rules",
            "sandbox",
            "shutdown",
            "telemetry",
        ],
    ),
];

/// For each file beside the folders, the folders and files that it may import.
const FILES_MAY_IMPORT: [(&str, &[&str]); 5] = [
    ("main", &["lib"]),
    ("lib", &["cli", "commands", "exit"]),
    ("exit", &["apply", "ledger", "remote"]),
    ("shutdown", &["apply"]),
    ("telemetry", &["cli"]),
];

const PURE_RING: [&str; 3] = ["model", "rules", "plan"];

/// The paths that the pure ring must not use: I/O, clocks, async, randomness, logging.
const IMPURE: [&str; 14] = [
    "fastrand",
    "reqwest",
    "rusqlite",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "tokio",
    "tracing",
];

/// The macros that print.
const PRINTING: [&str; 5] = ["dbg", "eprint", "eprintln", "print", "println"];

/// The beginnings of SQL statements. COQL, Zoho's own query language, has `select` only.
const SQL: [&str; 4] = ["INSERT INTO", "CREATE TABLE", "DELETE FROM", "PRAGMA "];

/// The methods by which a sink changes the outside world; `Sink` declares them.
const EFFECTS: [&str; 2] = ["perform", "link"];

/// Returns the folder of a file; for a file in no folder, its own name.
fn folder(file: &str) -> &str {
    file.split_once('/').map_or_else(|| file.trim_end_matches(".rs"), |(folder, _)| folder)
}

/// Returns the forbidden imports.
fn forbidden_imports(tree: &Tree) -> Vec<String> {
    let mut wrong = BTreeSet::new();
    for reference in tree.references() {
        let from = folder(&reference.from);
        let to = match (&reference.place, reference.route.first()) {
            (Place::Foreign(_), _) | (_, None) => continue,
            // An item of the root, defined or re-exported there.
            (Place::Item(file), Some(_)) if reference.route.len() == 1 => folder(file),
            (_, Some(first)) => first,
        };
        let Some((_, allowed)) = MAY_IMPORT.iter().chain(&FILES_MAY_IMPORT).find(|(name, _)| *name == from) else {
            wrong.insert(format!("{from} has no rule: decide who may import whom"));
            continue;
        };
        if to != from && !allowed.contains(&to) {
            wrong.insert(format!("{} imports {to}: {}", reference.from, reference.route.join("::")));
        }
    }
    wrong.into_iter().collect()
}

/// Returns the places where the pure ring touches the outside world.
fn impurities(tree: &Tree) -> Vec<String> {
    let mut wrong = BTreeSet::new();
    let pure = |file: &str| PURE_RING.contains(&folder(file));
    for reference in tree.references().iter().filter(|reference| pure(&reference.from)) {
        let Place::Foreign(path) = &reference.place else { continue };
        let path = path.join("::");
        let touches = |impure: &&str| path == **impure || path.starts_with(&format!("{impure}::"));
        // The clocks of chrono, jiff and the standard library.
        if IMPURE.iter().any(touches) || path.ends_with("::now") {
            wrong.insert(format!("{} touches {path}", reference.from));
        }
    }
    for (file, words) in tree.words().into_iter().filter(|(file, _)| pure(file)) {
        wrong
            .extend(PRINTING.iter().filter(|name| words.macros.contains(**name)).map(|name| format!("{file} {name}s")));
    }
    wrong.into_iter().collect()
}

/// Returns the SQL outside of `ledger/`.
fn foreign_sql(tree: &Tree) -> Vec<String> {
    let mut wrong = BTreeSet::new();
    for reference in tree.references().iter().filter(|reference| folder(&reference.from) != "ledger") {
        if matches!(&reference.place, Place::Foreign(path) if path[0] == "rusqlite") {
            wrong.insert(format!("{} touches {}", reference.from, reference.route.join("::")));
        }
    }
    for (file, words) in tree.words().into_iter().filter(|(file, _)| folder(file) != "ledger") {
        let found = SQL.iter().filter(|sql| words.literals.iter().any(|text| text.contains(**sql)));
        wrong.extend(found.map(|sql| format!("{file} holds {sql}")));
    }
    wrong.into_iter().collect()
}

/// Returns the calls of sinks outside of `apply/`.
fn foreign_effects(tree: &Tree) -> Vec<String> {
    let files = tree.words().into_iter().filter(|(file, _)| folder(file) != "apply");
    let calls = files.flat_map(|(file, words)| {
        EFFECTS
            .iter()
            .filter(move |effect| words.methods.contains(**effect))
            .map(move |effect| format!("{file} calls {effect}"))
    });
    let by_path = tree.references().into_iter().filter(|reference| {
        let [.., owner, method] = &reference.route[..] else { return false };
        owner.ends_with("Sink") && EFFECTS.contains(&method.as_str()) && folder(&reference.from) != "apply"
    });
    calls.chain(by_path.map(|reference| format!("{} calls {}", reference.from, reference.route.join("::")))).collect()
}

/// Returns the files below `commands/` that know of dry runs.
fn foreign_dry_runs(tree: &Tree) -> Vec<String> {
    // The command line has the flag, and a report names the kind of run.
    let may = |file: &str| matches!(folder(file), "commands" | "report" | "cli");
    let files = tree.words().into_iter().filter(|(file, _)| !may(file));
    let knowing = files.filter(|(_, words)| {
        words.identifiers.contains("dry_run") || words.literals.iter().any(|text| text.contains("dry_run"))
    });
    knowing.map(|(file, _)| format!("{file} knows dry_run")).collect()
}

/// Returns the groups of files that need each other, each sorted.
fn circles(tree: &Tree) -> Vec<Vec<String>> {
    let edges = tree.edges();
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        edges.keys().map(|file| (file.as_str(), reachable(&edges, file))).collect();
    let mutual = |one: &str, other: &str| {
        reach.get(one).is_some_and(|files| files.contains(other))
            && reach.get(other).is_some_and(|files| files.contains(one))
    };
    let mut groups = BTreeSet::new();
    for one in edges.keys() {
        let group: Vec<String> = edges.keys().filter(|other| mutual(one, other)).cloned().collect();
        if !group.is_empty() {
            groups.insert(group);
        }
    }
    groups.into_iter().collect()
}

/// Returns the files that a file needs, directly or not. The file itself is one of them only in a circle.
fn reachable<'a>(edges: &'a BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut next: Vec<&str> = edges.get(from).into_iter().flatten().map(String::as_str).collect();
    while let Some(file) = next.pop() {
        if seen.insert(file) {
            next.extend(edges.get(file).into_iter().flatten().map(String::as_str));
        }
    }
    seen
}

/// Reads the files below `src/`, by their path there.
fn sources(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            files.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
}

fn our_files() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    sources(&root, &root, &mut files);
    files
}

/// The project's source, parsed once for all tests.
static OURS: LazyLock<Tree> = LazyLock::new(|| Tree::parse(&our_files()));

#[test]
fn every_file_is_read() {
    let files = our_files();
    let read: BTreeSet<&str> = OURS.files().into_iter().chain(OURS.test_files.iter().map(String::as_str)).collect();
    assert_eq!(read, files.keys().map(String::as_str).collect::<BTreeSet<_>>());
}

#[test]
fn every_folder_imports_only_what_it_may() {
    let wrong = forbidden_imports(&OURS);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_pure_ring_touches_nothing_outside() {
    let wrong = impurities(&OURS);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_ledger_contains_sql() {
    let wrong = foreign_sql(&OURS);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_apply_calls_a_sink() {
    let wrong = foreign_effects(&OURS);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_dry_run_is_decided_in_commands_and_nowhere_below() {
    let wrong = foreign_dry_runs(&OURS);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_files_need_each_other() {
    let circles = circles(&OURS);
    let edges = OURS.edges();
    let inner = |circle: &[String]| -> Vec<String> {
        let inside = |file: &String| edges.get(file).into_iter().flatten().filter(|to| circle.contains(to));
        circle.iter().flat_map(|file| inside(file).map(move |to| format!("{file} -> {to}"))).collect()
    };
    let drawn: Vec<_> = circles.iter().map(|circle| inner(circle)).collect();
    assert!(circles.is_empty(), "{drawn:#?}");
}
