//! Checks the documents against the program: their output blocks, and every name and path in them.
//!
//! `BLESS=1 cargo test --test it docs` rewrites the blocks of output.

mod links;
mod outputs;
mod page;

use std::collections::BTreeSet;
use strum::IntoEnumIterator;

use clap::Parser;
use clap::error::ErrorKind;
use serde_json::Value;
use usage_signals::Cli;
use usage_signals::exit::Exit;
use usage_signals::model::Type;

use self::page::Page;
use crate::support::program::{AS_OF, finish, run};
use crate::support::services::Services;

/// Parses a line of a document if it is a command of this program. Values replace the placeholders.
fn parse(line: &str) -> Option<Result<Cli, clap::Error>> {
    let command = line.trim_start_matches("$ ").split(" #").next()?.split(" | ").next()?.trim();
    let prefixes = ["usage-signals ", "cargo run --release -- ", "cargo run -- "];
    let arguments = prefixes.iter().find_map(|prefix| command.strip_prefix(prefix))?;
    let value = |word: &str| match word {
        "N" => "10".to_owned(),
        word => word.replace('…', ""),
    };
    let arguments = arguments.split_whitespace().map(value).filter(|word| !word.is_empty());
    Some(Cli::try_parse_from(std::iter::once("usage-signals".to_owned()).chain(arguments)))
}

#[test]
fn every_command_in_a_block_is_one_that_the_program_takes() {
    let mut commands = 0;
    for page in Page::all() {
        for block in page.blocks().iter().filter(|block| block.language == "sh") {
            for line in block.text.lines() {
                let Some(parsed) = parse(line) else { continue };
                parsed.unwrap_or_else(|error| panic!("{}: {line}: {error}", page.path.display()));
                commands += 1;
            }
        }
    }
    assert!(commands >= 8, "{commands}");
}

#[test]
fn every_command_in_the_prose_has_options_that_there_are() {
    let mut commands = 0;
    for page in Page::all() {
        for span in page.code_spans() {
            let Some(parsed) = parse(&span) else { continue };
            // A sentence may leave out required arguments.
            if let Err(error) = parsed
                && matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand)
            {
                panic!("{}: {span}: {error}", page.path.display());
            }
            commands += 1;
        }
    }
    assert!(commands >= 15, "{commands}");
}

#[test]
fn the_first_command_of_the_readme_finds_nothing_to_do_the_second_time() {
    let home = tempfile::tempdir().unwrap();
    run(home.path(), &["scan", "--sandbox", "--as-of", AS_OF]).expect(0);
    let again = run(home.path(), &["scan", "--sandbox", "--as-of", "2025-12-20T12:00:00Z"]).expect(0);
    assert!(again.out.contains("Nothing to do."), "{}", again.out);
}

#[test]
fn the_readme_is_short_and_its_report_narrow() {
    let readme = Page::read("README.md");
    assert!(readme.text.lines().count() <= 150, "{} lines", readme.text.lines().count());
    let texts = readme.blocks().into_iter().filter(|block| block.language == "text");
    for line in texts.flat_map(|block| block.text.lines().map(str::to_owned).collect::<Vec<_>>()) {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn every_exit_code_is_documented() {
    let operating = Page::read("docs/operating.md");
    let section = operating.text.split("# Exit codes\n").nth(1).unwrap().split("\n#").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix('|')?.split('|').next());
    let codes: BTreeSet<String> = rows.flat_map(|first| first.split(',')).map(|word| word.trim().to_owned()).collect();
    for exit in <Exit as strum::IntoEnumIterator>::iter() {
        assert!(codes.contains(&exit.code().to_string()), "{}", exit.code());
    }
    let extra = codes.iter().filter_map(|code| code.parse().ok()).find(|code| Exit::from_code(*code).is_none());
    assert_eq!(extra, None, "a code that there is not");
}

#[test]
fn every_configuration_example_is_valid() {
    let mut examples = 0;
    for page in Page::all() {
        for block in page.blocks().iter().filter(|block| block.language == "toml") {
            let home = tempfile::tempdir().unwrap();
            std::fs::write(home.path().join("usage-signals.toml"), &block.text).unwrap();
            let ran = run(home.path(), &["rules", "check"]);
            assert_eq!(ran.code, Some(0), "{}: {}\n{}", page.path.display(), block.text, ran.err);
            examples += 1;
        }
    }
    assert!(examples >= 4, "{examples}");
}

/// Returns the names in a JSON value, except those that are data: signals, attributes, plans.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                found.insert(key.clone());
                if !matches!(key.as_str(), "body" | "record" | "seen") {
                    keys(value, found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
        _ => {}
    }
}

#[test]
fn every_key_of_the_json_reports_is_documented() {
    let demo = Services::demo();
    let documented = Page::read("docs/json.md").text;
    let words: BTreeSet<&str> = documented.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).collect();
    let commands = [
        "scan --dry-run --preview",
        "explain oscar@kestrel.example.com",
        "coverage",
        "doctor",
        "scan",
        "status",
        "ledger list",
        "ledger export",
        "ledger check",
        "rules list",
    ];
    let mut missing = Vec::new();
    for command in commands {
        let mut program = demo.program();
        program.args(command.split(' ')).args(["--format", "json"]);
        if command == "scan --dry-run --preview" || command == "coverage" {
            program.args(["--as-of", AS_OF]);
        }
        let mut found = BTreeSet::new();
        keys(&finish(&mut program).json(), &mut found);
        missing.extend(
            found.into_iter().filter(|key| !words.contains(key.as_str())).map(|key| format!("{command}: {key}")),
        );
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Returns the first column of the table below a heading, without backticks.
fn first_column(page: &Page, heading: &str) -> BTreeSet<String> {
    let section = page.text.split(&format!("# {heading}\n")).nth(1).unwrap_or_else(|| panic!("no heading {heading:?}"));
    let section = section.split("\n#").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn the_documented_functions_are_those_of_conditions() {
    let page = Page::read("docs/rules.md");
    let (_, section) = page.text.split_once("### Functions\n").unwrap();
    let section = section.split("\n#").next().unwrap();
    let documented: Vec<&str> = section.lines().filter(|line| line.starts_with("| `")).collect();
    let real = usage_signals::rules::FUNCTIONS.iter().map(|function| {
        let takes = match function.argument_types() {
            [] => "an attribute",
            [Type::List] => "a list",
            [Type::Date] => "a date",
            [Type::Number, Type::Number] => "two numbers",
            other => panic!("{other:?} has no words in this test"),
        };
        format!("| `{}` | {takes} | {} |", function.signature(), function.gives)
    });
    let real: Vec<_> = real.collect();
    assert_eq!(documented, real);
}

#[test]
fn the_documented_attributes_are_those_that_there_are() {
    let rules = Page::read("docs/rules.md");
    let catalogue: BTreeSet<String> =
        usage_signals::rules::CATALOGUE.iter().map(|known| known.name.to_owned()).collect();
    let pushed = first_column(&rules, "Attributes that the product writes");
    let own = first_column(&rules, "Intercom's own fields");
    assert_eq!(&pushed | &own, catalogue);
}

#[test]
fn every_reason_is_in_the_contract() {
    let decisions = Page::read("docs/decisions.md");
    let spans = decisions.code_spans();
    for reason in usage_signals::model::Reason::iter() {
        assert!(spans.iter().any(|span| span == reason.name()), "{}", reason.name());
    }
}
