//! Samples for the rules: each rule has a small tree that breaks it, and one that does not.

use super::*;

/// A tree of a root that declares `modules`, and the files given.
fn tree(modules: &str, files: &[(&str, &str)]) -> Tree {
    let own = |(file, text): &(&str, &str)| ((*file).to_owned(), (*text).to_owned());
    let root = ("lib.rs".to_owned(), modules.to_owned());
    Tree::parse(&files.iter().map(own).chain([root]).collect())
}

fn of_ledger(plan: &str) -> Vec<String> {
    let ledger = "pub struct Writer; pub mod inner { pub struct Deep; }";
    forbidden_imports(&tree("mod ledger; mod plan;", &[("ledger/mod.rs", ledger), ("plan/mod.rs", plan)]))
}

#[test]
fn every_form_of_import_is_found() {
    let forms = [
        "use crate::ledger::Writer;",
        "use crate::{ledger::Writer};",
        "use crate::{ledger::{self, inner::Deep}};",
        "use super::ledger::Writer as Innocent;",
        "use crate::ledger as books; fn f(_: books::Writer) {}",
        "fn f() -> Vec<crate::ledger::Writer> { Vec::new() }",
        "fn f() { use crate::ledger::*; }",
        "fn f() { println!(\"{:?}\", crate::ledger::Writer); }",
        "#[derive(Serialize)] struct S { #[serde(with = \"crate::ledger::Writer\")] a: u8 }",
        "mod inner { use super::super::ledger::Writer; }",
        "#[cfg(test)] mod tests { use std::fs; }\nuse crate::ledger::Writer;",
        "#[cfg(not(test))] use crate::ledger::Writer;",
    ];
    for form in forms {
        let wrong = of_ledger(form);
        assert!(!wrong.is_empty() && wrong[0].starts_with("plan/mod.rs imports ledger"), "{form}: {wrong:?}");
    }
}

/// A tree of two folders, in which the first imports an item of the second.
fn importing(from: &str, to: &str) -> Tree {
    let files = [
        (format!("{from}/mod.rs"), format!("use crate::{to}::Item;")),
        (format!("{to}/mod.rs"), "pub struct Item;".into()),
    ];
    tree(&format!("mod {from}; mod {to};"), &files.each_ref().map(|(file, text)| (file.as_str(), text.as_str())))
}

#[test]
fn every_row_of_the_import_table_is_enforced() {
    for (from, allowed) in MAY_IMPORT {
        for (to, _) in MAY_IMPORT.into_iter().filter(|(to, _)| *to != from) {
            assert_eq!(
                forbidden_imports(&importing(from, to)).is_empty(),
                allowed.contains(&to),
                "{from} imports {to}"
            );
        }
    }
}

#[test]
fn the_import_table_names_existing_folders_and_files_only() {
    let existing: BTreeSet<String> = our_files().keys().map(|file| folder(file).to_owned()).collect();
    let rows = MAY_IMPORT.iter().chain(&FILES_MAY_IMPORT);
    let named: BTreeSet<String> = rows.map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(named, existing);
}

#[test]
fn tests_and_allowed_imports_pass() {
    let fine = [
        "#[cfg(test)] use crate::ledger::Writer;",
        "#[cfg(test)] mod tests { use crate::ledger::Writer; }",
        "impl S { #[cfg(test)] fn f(_: crate::ledger::Writer) {} } struct S;",
        "/// Like [`crate::ledger::Writer`].\nstruct S;",
        "const TEXT: &str = \"crate::ledger::Writer\";",
    ];
    for form in fine {
        assert_eq!(of_ledger(form), Vec::<String>::new(), "{form}");
    }
}

#[test]
fn a_folder_without_a_rule_is_refused() {
    let wrong = forbidden_imports(&tree(
        "mod extra; mod model;",
        &[("extra.rs", "use crate::model::Date;"), ("model/mod.rs", "pub struct Date;")],
    ));
    assert_eq!(wrong, ["extra has no rule: decide who may import whom"]);
}

#[test]
fn files_beside_the_folders_have_rules_too() {
    let files = [("telemetry.rs", "use crate::model::Date;"), ("model/mod.rs", "pub struct Date;")];
    assert_eq!(
        forbidden_imports(&tree("mod telemetry; mod model;", &files)),
        ["telemetry.rs imports model: model::Date"]
    );
    let files = [("main.rs", "fn main() { usage_signals::model::Date; }"), ("model/mod.rs", "pub struct Date;")];
    assert_eq!(forbidden_imports(&tree("mod model;", &files)), ["main.rs imports model: model::Date"]);
}

#[test]
fn the_pure_ring_is_guarded() {
    let breaking = [
        "use std::{collections::BTreeMap, fs};",
        "fn f() { let _ = std::time::Instant::now(); }",
        "use std::time as clock; fn f() { clock::SystemTime::now(); }",
        "use chrono::Utc; fn f() { Utc::now(); }",
        "use tracing::info;",
        "async fn f() { tokio::time::sleep(d).await }",
        "fn f() { println!(\"seen\"); }",
        "fn f() { vec![std::env::var(\"HOME\")]; }",
        "fn f() { fastrand::u8(..); }",
    ];
    for text in breaking {
        for ring in PURE_RING {
            let file = format!("{ring}/mod.rs");
            let wrong = impurities(&tree(&format!("mod {ring};"), &[(&file, text)]));
            assert!(!wrong.is_empty(), "{ring}: {text}");
        }
        assert_eq!(impurities(&tree("mod apply;", &[("apply/mod.rs", text)])), Vec::<String>::new(), "{text}");
    }
    let calls = IMPURE.map(|path| format!("fn f() {{ {path}::x(); }}"));
    for text in calls.into_iter().chain(PRINTING.map(|name| format!("fn f() {{ {name}!(\"seen\"); }}"))) {
        assert!(!impurities(&tree("mod model;", &[("model/mod.rs", &text)])).is_empty(), "{text}");
    }
    let fine = "use std::time::Duration; fn now() {} fn f(environment: &str) { now() }";
    assert_eq!(impurities(&tree("mod model;", &[("model/mod.rs", fine)])), Vec::<String>::new());
}

#[test]
fn sql_is_found_outside_of_the_ledger() {
    let breaking = [
        "fn f(error: rusqlite::Error) {}",
        "use rusqlite as quiet; fn f(error: quiet::Error) {}",
        "use crate::ledger::SqlError;",
        "const SQL: &str = \"INSERT INTO actions\";",
        "fn f() { execute(concat!(\"CREATE TABLE \", \"t\")) }",
    ];
    for text in breaking {
        let ledger =
            ("ledger/mod.rs", "pub use rusqlite::Error as SqlError; const SQL: &str = \"INSERT INTO actions\";");
        let wrong = foreign_sql(&tree("mod exit; mod ledger;", &[("exit.rs", text), ledger]));
        assert!(!wrong.is_empty() && wrong.iter().all(|wrong| wrong.starts_with("exit.rs")), "{text}: {wrong:?}");
    }
}

#[test]
fn every_kind_of_sql_and_every_effect_is_found() {
    for statement in SQL {
        let text = format!("const STATEMENT: &str = \"{statement}x\";");
        assert!(!foreign_sql(&tree("mod exit;", &[("exit.rs", &text)])).is_empty(), "{statement}");
    }
    for effect in EFFECTS {
        let text = format!("fn f(sink: S) {{ sink.{effect}(); }}");
        assert!(!foreign_effects(&tree("mod exit;", &[("exit.rs", &text)])).is_empty(), "{effect}");
    }
}

#[test]
fn a_call_of_a_sink_is_found_outside_of_apply() {
    let breaking = [
        "async fn f(sink: S) { sink.perform(&[]).await; }",
        "async fn f(sink: S) { crate::apply::Sink::link(&mut sink, &[]).await; }",
        "fn f(sink: S) { join!(sink.perform(&[])); }",
    ];
    for text in breaking {
        let apply = ("apply/mod.rs", "pub trait Sink {} async fn f(sink: S) { sink.perform(&[]).await; }");
        let wrong = foreign_effects(&tree("mod apply; mod commands;", &[("commands/mod.rs", text), apply]));
        assert!(
            !wrong.is_empty() && wrong.iter().all(|wrong| wrong.starts_with("commands/mod.rs")),
            "{text}: {wrong:?}"
        );
    }
}

#[test]
fn a_dry_run_is_found_below_commands() {
    for text in
        ["struct S { dry_run: bool }", "fn f() { tracing::info!(dry_run = true); }", "const KEY: &str = \"dry_run\";"]
    {
        let commands = ("commands/mod.rs", "struct S { dry_run: bool }");
        let wrong = foreign_dry_runs(&tree("mod apply; mod commands;", &[("apply/mod.rs", text), commands]));
        assert_eq!(wrong, ["apply/mod.rs knows dry_run"], "{text}");
    }
}

#[test]
fn a_circle_is_found_inside_a_folder_and_between_folders() {
    let inside = tree(
        "mod plan;",
        &[
            ("plan/mod.rs", "mod decide; pub struct Plan; fn build() { decide::decide() }"),
            ("plan/decide.rs", "use super::Plan; pub fn decide() {}"),
        ],
    );
    assert_eq!(circles(&inside), [["plan/decide.rs", "plan/mod.rs"]]);
    let between = tree(
        "mod apply; mod plan; mod model;",
        &[
            ("apply/mod.rs", "use crate::plan::Plan; pub fn act() {}"),
            ("plan/mod.rs", "pub struct Plan(crate::model::Date);"),
            ("model/mod.rs", "pub struct Date; fn f() { crate::apply::act() }"),
        ],
    );
    assert_eq!(circles(&between), [["apply/mod.rs", "model/mod.rs", "plan/mod.rs"]]);
}

#[test]
fn a_re_export_leads_to_the_file_that_defines() {
    let fine = tree(
        "mod plan;",
        &[
            ("plan/mod.rs", "mod decide; mod input; pub use decide::decide; pub use input::{Input, self as shown};"),
            ("plan/decide.rs", "use super::Input; use super::shown::Mode; pub fn decide() {}"),
            ("plan/input.rs", "pub struct Input; pub struct Mode;"),
        ],
    );
    assert_eq!(circles(&fine), Vec::<Vec<String>>::new());
    let through = tree(
        "mod plan;",
        &[
            ("plan/mod.rs", "mod decide; mod input; pub use decide::*; pub use input::*;"),
            ("plan/decide.rs", "use super::Input; pub fn decide() {}"),
            ("plan/input.rs", "pub struct Input; fn f() { super::decide() }"),
        ],
    );
    assert_eq!(circles(&through), [["plan/decide.rs", "plan/input.rs"]]);
}
