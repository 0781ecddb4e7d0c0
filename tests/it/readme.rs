//! The README's words against the program.

use clap::Parser;
use usage_signals::Cli;
use usage_signals::exit::Exit;

use crate::support::program::{AS_OF, finish, run};
use crate::support::services::Services;

const README: &str = include_str!("../../README.md");

/// The lines of code blocks in a language.
fn code(language: &str) -> Vec<&str> {
    let blocks = README.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix(language));
    blocks.flat_map(str::lines).filter(|line| !line.trim().is_empty()).collect()
}

#[test]
fn every_command_is_one_that_the_program_takes() {
    let mut commands = 0;
    for line in code("sh\n") {
        let command = line.split(" #").next().unwrap().trim();
        let arguments = command.strip_prefix("usage-signals ").or(command.strip_prefix("cargo run --release -- "));
        let Some(arguments) = arguments else { continue };
        let arguments = arguments.split_whitespace().map(|word| if word == "N" { "10" } else { word });
        Cli::try_parse_from(std::iter::once("usage-signals").chain(arguments))
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        commands += 1;
    }
    assert!(commands >= 5, "{commands}");
}

/// What the README shows of a command's output, holding each line to what is printed.
#[track_caller]
fn check(command: &str, printed: &str) {
    let shown = README.split(&format!("<!-- output: {command} -->")).nth(1).unwrap();
    let shown = shown.split("<!-- end -->").next().unwrap();
    let lines: Vec<_> = shown.lines().filter(|line| !line.starts_with("```") && !line.trim().is_empty()).collect();
    assert!(lines.len() > 10, "{shown}");
    let known: Vec<_> = printed.lines().map(str::trim_end).collect();
    for line in lines.iter().filter(|line| line.trim() != "…") {
        assert!(known.contains(&line.trim_end()), "the README shows {line:?}, {command} printed\n{printed}");
    }
}

#[test]
fn the_first_command_runs_the_main_job_and_prints_what_the_readme_shows() {
    let home = tempfile::tempdir().unwrap();
    let ran = run(home.path(), &["scan", "--sandbox", "--as-of", AS_OF]).expect(0);
    check("scan --sandbox", &ran.out);
    let again = run(home.path(), &["scan", "--sandbox", "--as-of", "2025-12-20T12:00:00Z"]).expect(0);
    assert!(again.out.contains("Nothing to do."), "{}", again.out);
}

#[test]
fn the_commands_of_the_first_days_print_what_the_readme_shows() {
    let demo = Services::demo();
    for command in ["coverage", "scan --dry-run --preview", "explain oscar@kestrel.example.com"] {
        let ran = finish(demo.program().args(command.split(' ')).args(["--as-of", AS_OF])).expect(0);
        check(command, &ran.out);
    }
}

#[test]
fn every_exit_code_is_documented() {
    for exit in Exit::ALL {
        let code = exit.code().to_string();
        let documented = README.lines().any(|line| {
            let first = line.trim_start_matches('|').split('|').next().unwrap_or_default();
            line.starts_with('|') && first.split(',').any(|word| word.trim() == code)
        });
        assert!(documented, "{code}");
    }
}

#[test]
fn the_configuration_example_is_valid() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("usage-signals.toml"), code("toml\n").join("\n")).unwrap();
    run(home.path(), &["rules", "check"]).expect(0);
}
