//! Samples for the rules: each rule has a small tree that breaks it, and one that does not.

use super::*;

/// A tree of a root that declares `modules`, and the files given.
fn tree(modules: &str, files: &[(&str, &str)]) -> Tree {
    let own = |(file, text): &(&str, &str)| ((*file).to_owned(), (*text).to_owned());
    let root = ("lib.rs".to_owned(), modules.to_owned());
    Tree::parse(&files.iter().map(own).chain([root]).collect())
}

fn of_ledger(plan: &str) -> Vec<String> {
    let ledger = "pub struct Writer; pub mod inner { pub struct Deep; } pub use rusqlite::Error as SqlError;";
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
        "mod inner { use self::super::super::ledger::Writer; }",
        "wrap! { use crate::{ledger::Writer}; }",
        "wrap! { fn f() { use crate::{model::*, ledger::{inner::Deep as D}}; } }",
        "extern crate self as us; use us::ledger::Writer;",
        "use ::usage_signals::ledger::Writer;",
        "use crate::ledger::SqlError;",
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
fn an_item_of_another_folder_is_not_re_exported() {
    let re_exports = |text: &str| {
        let ledger = ("ledger/mod.rs", "pub struct Writer; pub mod inner { pub struct Deep; } pub use inner::Deep;");
        foreign_re_exports(&tree("mod apply; mod ledger;", &[("apply/mod.rs", text), ledger]))
    };
    let breaking = [
        "pub use crate::ledger::Writer as Book;",
        "pub(crate) use crate::ledger::Writer;",
        "pub use super::ledger::{self};",
        "pub use crate::ledger::inner::*;",
        "mod part { pub(super) use crate::ledger::Writer; } pub use part::Writer;",
        "wrap! { pub use crate::{ledger::Writer}; }",
        "pub type Book = crate::ledger::Writer;",
    ];
    for text in breaking {
        let wrong = re_exports(text);
        assert!(!wrong.is_empty() && wrong[0].starts_with("apply/mod.rs re-exports ledger"), "{text}: {wrong:?}");
    }
    let fine = [
        "use crate::ledger::Writer;",
        "mod part { pub struct Part; } pub use part::Part;",
        "pub use std::fmt::Error;",
        "pub type Books = Vec<crate::ledger::Writer>;",
    ];
    for text in fine {
        assert_eq!(re_exports(text), Vec::<String>::new(), "{text}");
    }
    assert_eq!(
        foreign_re_exports(&tree("mod cli; pub use cli::Cli;", &[("cli.rs", "pub struct Cli;")])),
        Vec::<String>::new()
    );
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
        "fn f() { <chrono::Utc>::now(); }",
        "type Clock = chrono::Utc; fn f() { Clock::now(); }",
        "fn f<C: Clock>() { let read = C::now; }",
        "fn f() { vec![<chrono::Utc>::now()]; }",
        "fn f(since: Since) { since.elapsed(); }",
        "fn f(path: P) { path.as_ref().exists(); }",
        "fn f(path: P) { vec![path.metadata()]; }",
        "use tokio::*;",
        "use tokio;",
        "extern crate tokio as quiet;",
        "fn f() { ::tokio::spawn(g()); }",
        "#[tokio::main] async fn f() {}",
        "use std::path::Path;",
        "use uuid::Uuid;",
        "use chrono::*; fn f(at: DateTime<Utc>) { at.with_timezone(&Local); }",
        "fn f() { jiff::tz::TimeZone::system(); }",
        "#[serde(with = \"humantime_serde\")] struct S { #[serde(with = \"humantime_serde::option\")] a: u8 }",
    ];
    for text in breaking {
        for ring in PURE_RING {
            let file = format!("{ring}/mod.rs");
            let wrong = impurities(&tree(&format!("mod {ring};"), &[(&file, text)]));
            assert!(!wrong.is_empty(), "{ring}: {text}");
        }
        assert_eq!(impurities(&tree("mod apply;", &[("apply/mod.rs", text)])), Vec::<String>::new(), "{text}");
    }
    let clocks = CLOCKS.map(|name| format!("fn f() {{ T::{name}(); }}"));
    let files = FILES.map(|name| format!("fn f(path: P) {{ path.{name}(); }}"));
    let prints = PRINTING.map(|name| format!("fn f() {{ {name}!(\"seen\"); }}"));
    for text in clocks.iter().chain(&files).chain(&prints) {
        assert!(!impurities(&tree("mod model;", &[("model/mod.rs", text)])).is_empty(), "{text}");
    }
}

#[test]
fn the_pure_ring_may_use_the_crates_on_its_list() {
    let fine = [
        "use std::collections::BTreeMap; fn now() {} fn f(exists: &str) { now() }",
        "use chrono::{DateTime, Utc}; fn f(at: DateTime<Utc>) { at.timestamp(); }",
        "fn f() { u8::from(true); str::len(\"\"); Some::<u8>(1); }",
        "#[expect(clippy::panic, reason = \"\")] fn f() {}",
        "wrap! { use std::fmt as f; use std::fmt::{Display as D, Write}; }",
    ];
    for text in fine {
        for ring in PURE_RING {
            let file = format!("{ring}/mod.rs");
            let wrong = impurities(&tree(&format!("mod {ring};"), &[(&file, text)]));
            assert_eq!(wrong, Vec::<String>::new(), "{ring}: {text}");
        }
    }
    for (of, allowed) in PURE_IN {
        for ring in PURE_RING {
            let text: String = allowed.iter().map(|path| format!("use {path};")).collect();
            let file = format!("{ring}/mod.rs");
            let wrong = impurities(&tree(&format!("mod {ring};"), &[(&file, &text)]));
            assert_eq!(wrong.len(), if ring == of { 0 } else { allowed.len() }, "{ring}: {text}: {wrong:?}");
        }
    }
}

/// An entry that nothing uses would let a crate in unseen.
#[test]
fn every_crate_on_the_list_is_used() {
    let references = OURS.references();
    let used = |folders: &[&str], allowed: &str| {
        references.iter().any(|reference| {
            let Place::Foreign(path) = &reference.place else { return false };
            folders.contains(&folder(&reference.from))
                && format!("{}::", path.join("::")).starts_with(&format!("{allowed}::"))
        })
    };
    let unused = PURE.iter().filter(|allowed| !used(&PURE_RING, allowed)).copied();
    let own = PURE_IN.iter().flat_map(|(of, paths)| paths.iter().filter(move |path| !used(&[*of], path)));
    assert_eq!(unused.chain(own.copied()).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn sql_is_found_outside_of_the_ledger() {
    let breaking = [
        "fn f(error: rusqlite::Error) {}",
        "use rusqlite as quiet; fn f(error: quiet::Error) {}",
        "use crate::ledger::SqlError;",
        "const SQL: &str = \"INSERT INTO actions\";",
        "fn f() { execute(concat!(\"CREATE TABLE \", \"t\")) }",
        "const SQL: &str = \"UPDATE actions SET state = 'done'\";",
        "const SQL: &[u8] = b\"select id from actions\";",
        "const SQL: &str = \"\\n  select id\\n  from actions\";",
        "fn f() { execute(format!(\"delete from {table}\")) }",
        "const SQL: &str = \"(select id from actions)\";",
        "const SQL: &str = \"insert or ignore into actions values (1)\";",
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
    for (first, then) in SQL {
        let text = format!("const STATEMENT: &str = \"{first} x {then} y\";");
        assert_eq!(foreign_sql(&tree("mod exit;", &[("exit.rs", &text)])), [format!("exit.rs holds {first}")]);
    }
    for effect in EFFECTS {
        let text = format!("fn f(sink: S) {{ sink.{effect}(); }}");
        assert!(!foreign_effects(&tree("mod exit;", &[("exit.rs", &text)])).is_empty(), "{effect}");
    }
}

#[test]
fn coql_and_prose_are_not_sql() {
    let coql = "const QUERY: &str = \"select id from Leads where Email = 'x'\";";
    let zoho = ("remote/zoho/mod.rs", coql);
    let sandbox = ("sandbox/mod.rs", coql);
    let remote = ("remote/mod.rs", "mod zoho; const HELP: &str = \"update the token, then run again\";");
    assert_eq!(foreign_sql(&tree("mod remote; mod sandbox;", &[zoho, remote, sandbox])), Vec::<String>::new());
    assert_eq!(foreign_sql(&tree("mod remote;", &[("remote/mod.rs", coql)])), ["remote/mod.rs holds select"]);
}

#[test]
fn a_call_of_a_sink_is_found_outside_of_apply() {
    let breaking = [
        "async fn f(sink: S) { sink.perform(&[]).await; }",
        "async fn f(sink: S) { crate::apply::Sink::link(&mut sink, &[]).await; }",
        "fn f(sink: S) { join!(sink.perform(&[])); }",
        "async fn f<S: Sink>(sink: S) { S::perform(&mut sink, &[]).await; }",
        "async fn f<S: Sink>(sink: S) { <S>::perform(&mut sink, &[]).await; }",
        "async fn f<S: Sink>(sink: S) { <S as Sink>::link(&mut sink, &[]).await; }",
        "fn f<S: Sink>(sink: S) { join!(S::perform(&mut sink, &[])); }",
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
    let breaking = [
        "struct S { dry_run: bool }",
        "struct S { is_dry_run: bool }",
        "enum Mode { Real, DryRun }",
        "fn f(mode: M) { mode.dryrun(); }",
        "fn f() { tracing::info!(dry_run = true); }",
        "const KEY: &str = \"dry_run\";",
    ];
    let commands = ("commands/mod.rs", "struct S { dry_run: bool }");
    let knowing = |file: &str, text: &str| {
        foreign_dry_runs(&tree(&format!("mod {}; mod commands;", folder(file)), &[(file, text), commands]))
    };
    for text in breaking {
        assert_eq!(knowing("apply/mod.rs", text), ["apply/mod.rs knows dry_run"], "{text}");
    }
    assert_eq!(
        knowing("report/mod.rs", "enum RunMode { DryRun } const NAME: &str = \"dry_run\";"),
        Vec::<String>::new()
    );
    assert_eq!(knowing("report/mod.rs", "struct S { dry_run: bool }"), ["report/mod.rs knows dry_run"]);
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
fn a_method_leads_to_the_file_of_its_impl() {
    let files = |one: &str, other: &str| {
        let all = [
            ("plan/mod.rs", "mod builder; mod decide; mod tags; pub use builder::Builder;"),
            ("plan/builder.rs", "pub struct Builder; pub fn new() {}"),
            ("plan/decide.rs", one),
            ("plan/tags.rs", other),
        ];
        circles(&tree("mod plan;", &all))
    };
    let tags =
        "use super::{Builder, decide::Extent}; impl Builder { pub fn tag(&self, _: Extent) {} pub fn check() {} }";
    let calling = [
        "self.tag()",
        "Self::check()",
        "Builder::check()",
        "super::builder::Builder::check()",
        "let builder = super::builder::new(); builder.tag()",
        "let check = Self::check;",
        "vec![Self::check()]",
        "vec![self.tag(1)]",
    ];
    for call in calling {
        let decide =
            format!("use super::Builder; pub enum Extent {{}} impl Builder {{ fn decide(&self) {{ {call} }} }}");
        assert_eq!(files(&decide, tags), [["plan/decide.rs", "plan/tags.rs"]], "{call}");
    }
    let fine = [
        // A method of the file's own.
        "use super::Builder; pub enum Extent {} impl Extent { fn tag(&self) {} fn f(&self) { self.tag() } }",
        // Two files define it: the type decides, and is unknown.
        "pub enum Extent {} impl Extent { fn tag(&self) {} } fn f(some: impl Some) { some.tag() }",
        // A field.
        "pub enum Extent {} fn f(some: &S) -> u8 { vec![some.tag] }",
        // Another crate's.
        "pub enum Extent {} fn f() { String::check() }",
    ];
    for decide in fine {
        assert_eq!(files(decide, tags), Vec::<Vec<String>>::new(), "{decide}");
    }
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
