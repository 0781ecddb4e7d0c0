//! The rules of the architecture, checked in the source: who may import whom, and which folder alone does what.

mod samples;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use tree::{Form, Place, Reference, Tree};

/// For each folder, the folders that it may import. `model`, `rules` and `plan` are the pure ring.
const MAY_IMPORT: [(&str, &[&str]); 12] = [
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

/// The parts of other crates that all of the pure ring may use: values, collections and text.
const PURE: [&str; 10] = [
    // Dates and times as values. Reading the clock is refused below.
    "chrono",
    "std::borrow",
    "std::cmp",
    "std::collections",
    "std::fmt",
    "std::iter",
    "std::mem",
    "std::ops",
    "std::sync::Arc",
    "strum",
];

/// The parts of other crates that one folder of the pure ring may use besides.
const PURE_IN: [(&str, &[&str]); 3] = [
    // An attribute that holds a list arrives as JSON text. The short key of an action is a hash.
    ("model", &["serde_json", "sha2"]),
    // Texts are templates. `strsim` finds the name that a wrong one resembles.
    ("rules", &["minijinja", "strsim"]),
    // Days are counted in the user's time zone, which `config` reads.
    ("plan", &["jiff::Timestamp", "jiff::tz::TimeZone"]),
];

/// The names in front of `::` that are no crates.
const PRIMITIVE: [&str; 16] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16", "u32", "u64", "usize",
];

/// The methods that read a clock or the machine's time zone, of any crate and under any name of the type.
const CLOCKS: [&str; 3] = ["elapsed", "now", "system"];

/// chrono's time zone of the machine.
const MACHINE_ZONE: &str = "Local";

/// The methods of the standard library's paths that ask the file system.
const FILES: [&str; 10] = [
    "canonicalize",
    "exists",
    "is_dir",
    "is_file",
    "is_symlink",
    "metadata",
    "read_dir",
    "read_link",
    "symlink_metadata",
    "try_exists",
];

/// The macros that print.
const PRINTING: [&str; 5] = ["dbg", "eprint", "eprintln", "print", "println"];

/// The statements of SQL: the first word, and the word that follows at once or later.
const SQL: [(&str, &str); 11] = [
    ("alter", "table"),
    ("create", "index"),
    ("create", "table"),
    ("delete", "from"),
    ("drop", "index"),
    ("drop", "table"),
    ("insert", "into"),
    ("pragma", ""),
    ("replace", "into"),
    ("select", "from"),
    ("update", "set"),
];

/// The methods by which a sink changes the outside world; `Sink` declares them.
const EFFECTS: [&str; 2] = ["perform", "link"];

/// Returns the folder of a file; for a file in no folder, its own name.
fn folder(file: &str) -> &str {
    file.split_once('/').map_or_else(|| file.trim_end_matches(".rs"), |(folder, _)| folder)
}

/// Returns the folder into which a path leads; for a file in no folder, its name. `None` for a path of another crate.
fn target(path: &Reference) -> Option<&str> {
    match (&path.place, &path.route[..]) {
        (Place::Foreign(foreign), route) if foreign[..] == *route => None,
        // An item of the root, defined or re-exported there.
        (Place::Item(file), [_]) => Some(folder(file)),
        (_, route) => route.first().map(String::as_str),
    }
}

/// Returns the forbidden imports.
fn forbidden_imports(tree: &Tree) -> Vec<String> {
    let mut wrong = BTreeSet::new();
    for reference in tree.references() {
        let from = folder(&reference.from);
        let Some(to) = target(&reference) else { continue };
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

/// Returns the items that a folder re-exports although another folder defines them. A third folder could import them from
/// a folder that it may import. The root may re-export: its items count for the folder that defines them.
fn foreign_re_exports(tree: &Tree) -> Vec<String> {
    let re_exports = tree.references().into_iter().filter(|reference| reference.form == Form::ReExport);
    let foreign = re_exports.filter(|reference| {
        let from = folder(&reference.from);
        from != "lib" && target(reference).is_some_and(|to| to != from)
    });
    foreign.map(|reference| format!("{} re-exports {}", reference.from, reference.route.join("::"))).collect()
}

/// Returns whether a folder of the pure ring may use a path of another crate.
fn is_pure(folder: &str, path: &str) -> bool {
    let (_, own) = PURE_IN.iter().find(|(name, _)| *name == folder).unwrap();
    let below =
        |allowed: &str| path == allowed || path.strip_prefix(allowed).is_some_and(|rest| rest.starts_with("::"));
    PURE.iter().chain(*own).any(|allowed| below(allowed))
}

/// Returns the places where the pure ring touches the outside world.
fn impurities(tree: &Tree) -> Vec<String> {
    let mut wrong = BTreeSet::new();
    let pure = |file: &str| PURE_RING.contains(&folder(file));
    for reference in tree.references().iter().filter(|reference| pure(&reference.from)) {
        let Place::Foreign(path) = &reference.place else { continue };
        // A single name is a crate only in an import. The name of a crate begins with a small letter, unlike a type's.
        let is_crate = (path.len() > 1 || reference.form != Form::Path)
            && path[0].starts_with(|first: char| first.is_lowercase())
            && !PRIMITIVE.contains(&path[0].as_str());
        let path = path.join("::");
        if is_crate && !is_pure(folder(&reference.from), &path) {
            wrong.insert(format!("{} touches {path}", reference.from));
        }
    }
    for (file, words) in tree.words().into_iter().filter(|(file, _)| pure(file)) {
        let called =
            |name: &&str| words.methods.contains(*name) || words.associated.iter().any(|(_, last)| last == name);
        let calls = CLOCKS.iter().chain(&FILES).filter(|name| called(name)).map(|name| format!("{file} calls {name}"));
        let prints = PRINTING.iter().filter(|name| words.macros.contains(**name));
        let zone = words.identifiers.get(MACHINE_ZONE).map(|name| format!("{file} touches {name}"));
        wrong.extend(calls.chain(zone).chain(prints.map(|name| format!("{file} {name}s"))));
    }
    wrong.into_iter().collect()
}

/// Returns the statement with which a text begins, if the text looks like SQL.
fn statement(text: &str) -> Option<&'static str> {
    let text = text.trim_start_matches(|first: char| !first.is_alphabetic()).to_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    let (first, rest) = words.split_first()?;
    let begins = |(one, then): &&(&str, &str)| first == one && rest.iter().any(|word| then.is_empty() || word == then);
    SQL.iter().find(begins).map(|(first, _)| *first)
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
        // COQL, Zoho's own query language, has `select` only.
        let is_coql =
            |found: &&str| *found == "select" && (file.starts_with("remote/zoho/") || folder(file) == "sandbox");
        let found = words.literals.iter().filter_map(|text| statement(text)).filter(|found| !is_coql(found));
        wrong.extend(found.map(|found| format!("{file} holds {found}")));
    }
    wrong.into_iter().collect()
}

/// Returns the calls of sinks outside of `apply/`: by method, by the trait, and by a type.
fn foreign_effects(tree: &Tree) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, words) in tree.words().into_iter().filter(|(file, _)| folder(file) != "apply") {
        let by_method = words.methods.iter().map(String::as_str);
        // A function of a module may have any name. The name of a module begins with a small letter, unlike a type's.
        let is_type = |owner: &str| !owner.starts_with(|first: char| first.is_lowercase());
        let by_path = words.associated.iter().filter(|(owner, _)| is_type(owner)).map(|(_, name)| name.as_str());
        let effects: BTreeSet<&str> = by_method.chain(by_path).filter(|name| EFFECTS.contains(name)).collect();
        wrong.extend(effects.iter().map(|effect| format!("{file} calls {effect}")));
    }
    wrong
}

/// Returns the files below `commands/` that know of dry runs.
fn foreign_dry_runs(tree: &Tree) -> Vec<String> {
    // The command line has the flag.
    let files = tree.words().into_iter().filter(|(file, _)| !matches!(folder(file), "commands" | "cli"));
    let knowing = files.filter(|(file, words)| {
        // A report names the kind of run: `RunMode::DryRun`, in JSON "dry_run".
        let may = |name: &str| folder(file) == "report" && matches!(name, "DryRun" | "\"dry_run\"");
        let names = words.identifiers.iter().filter(|name| name.replace('_', "").to_lowercase().contains("dryrun"));
        let texts = words.literals.iter().filter(|text| text.contains("dry_run")).map(|text| format!("{text:?}"));
        names.cloned().chain(texts).any(|name| !may(&name))
    });
    knowing.map(|(file, _)| format!("{file} knows dry_run")).collect()
}

/// Returns the table of imports on a page. "everything" means all other rows except the entry points, `main` and `lib`.
fn documented_imports(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let (_, table) = page.split_once("| may import |\n|---|---|\n").unwrap();
    let rows: BTreeMap<&str, &str> =
        table.lines().map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | ")).collect();
    let allowed = |name: &str, text: &str| -> BTreeSet<String> {
        let others = rows.keys().filter(|other| ![name, "lib", "main"].contains(other));
        match text {
            "nothing of ours" => BTreeSet::new(),
            "everything" => others.map(|other| (*other).to_owned()).collect(),
            _ => text.split(", ").map(str::to_owned).collect(),
        }
    };
    rows.iter().map(|(name, text)| ((*name).to_owned(), allowed(name, text))).collect()
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
fn no_folder_offers_what_another_defines() {
    let wrong = foreign_re_exports(&OURS);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_documented_table_of_imports_is_the_one_that_is_checked() {
    let rows = MAY_IMPORT.iter().chain(&FILES_MAY_IMPORT);
    let sorted = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let checked: BTreeMap<String, BTreeSet<String>> =
        rows.map(|(name, allowed)| ((*name).to_owned(), sorted(allowed))).collect();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    assert_eq!(documented_imports(&std::fs::read_to_string(page).unwrap()), checked);
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
