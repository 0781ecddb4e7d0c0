//! `rules test`: evaluates contacts of a test file with the rules, exactly as a scan does.

mod difference;
mod see;

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::setup::{self, Environment};
use crate::cli::Common;
use crate::config::rule_tests::{self, RuleTest};
use crate::config::{Config, Problem, Problems};
use crate::exit::{Exit, Fatal};
use crate::remote::intercom::OWN_FIELDS;
use difference::{Difference, differences};

/// A file of tests, with the configuration that it tests.
struct Suite {
    file: PathBuf,
    config: Config,
    tests: Vec<RuleTest>,
}

struct TestResult<'a> {
    test: &'a RuleTest,
    /// Empty if the test passed.
    differences: Vec<Difference>,
}

/// Runs every test of every file; exit code 1 if one of them fails, 2 if a file cannot be used.
pub fn run(common: &Common, files: &[PathBuf]) -> Result<Exit, Fatal> {
    let environment = setup::process_environment();
    let mut suites = Vec::new();
    let mut problems: Vec<Problem> = Vec::new();
    for file in files {
        match load(common, file, &environment) {
            Ok(suite) => suites.push(suite),
            // Several files of tests can share a configuration and its mistakes.
            Err(Problems(found)) => found.into_iter().for_each(|problem| {
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }),
        }
    }
    if !problems.is_empty() {
        return Err(Fatal::usage(Problems(problems)));
    }
    let results = suites.iter().map(|suite| Ok((suite, suite.run()?)));
    let results = results.collect::<Result<Vec<_>, Fatal>>()?;
    let text: String = results.iter().map(|(suite, outcomes)| as_text(suite, outcomes)).collect();
    super::show_result(common, &text, &as_json(&results))?;
    let passed = results.iter().flat_map(|(_, outcomes)| outcomes).all(TestResult::passed);
    Ok(if passed { Exit::Done } else { Exit::Failed })
}

/// Loads the tests of a file. Their configuration is that of `--config`, else the one that the file names (relative to its folder),
/// else the default of every command.
fn load(common: &Common, file: &Path, environment: &Environment) -> Result<Suite, Problems> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        let message = format!("cannot read the rule tests: {error}");
        let help = "name a file of rule tests; fixtures/rules/defaults.test.toml explains their format".to_owned();
        Problems(vec![Problem::without_place(file.display().to_string(), message, Some(help))])
    })?;
    let named = rule_tests::named_config(&text).map(|config| file.parent().unwrap_or(Path::new("")).join(config));
    let config = crate::config::load(common.config.as_deref().or(named.as_deref()), environment)?;
    let tests = rule_tests::parse(&file.display().to_string(), &text, &config.rules, &OWN_FIELDS)?;
    Ok(Suite { file: file.to_owned(), config, tests })
}

impl Suite {
    fn run(&self) -> Result<Vec<TestResult<'_>>, Fatal> {
        let outcome = |test| {
            let seen = see::see(&self.config, test).map_err(Fatal::usage)?;
            Ok(TestResult { test, differences: differences(test, &seen) })
        };
        self.tests.iter().map(outcome).collect()
    }
}

impl TestResult<'_> {
    fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Renders the results in the style of `cargo test`.
fn as_text(suite: &Suite, outcomes: &[TestResult<'_>]) -> String {
    let (passed, failed): (Vec<_>, Vec<_>) = outcomes.iter().partition(|outcome| outcome.passed());
    let file = suite.file.display();
    let config =
        suite.config.file.as_ref().map_or("the built-in defaults".to_owned(), |file| file.display().to_string());
    let plural = if outcomes.len() == 1 { "" } else { "s" };
    let mut text = format!("\nrunning {} test{plural} of {file} ({config})\n", outcomes.len());
    for outcome in outcomes {
        let ending = if outcome.passed() { "ok" } else { "FAILED" };
        text += &format!("test {} ... {ending}\n", outcome.test.name);
    }
    if !failed.is_empty() {
        text += "\nfailures (- expected, + seen):\n";
        for TestResult { test, differences } in &failed {
            text += &format!("\n---- {} ---- {file}:{}\n", test.name, test.line);
            differences.iter().for_each(|difference| text += &difference.to_string());
        }
    }
    let result = if failed.is_empty() { "ok" } else { "FAILED" };
    text + &format!("\ntest result: {result}. {} passed; {} failed\n", passed.len(), failed.len())
}

fn as_json(results: &[(&Suite, Vec<TestResult<'_>>)]) -> Json {
    let difference = |Difference { signal, key, expected, seen }: &Difference| {
        let signal = (!signal.is_empty()).then_some(signal);
        json!({ "signal": signal, "key": key, "expected": expected, "seen": seen })
    };
    let test = |outcome: &TestResult<'_>| {
        json!({
            "name": outcome.test.name,
            "line": outcome.test.line,
            "passed": outcome.passed(),
            "differences": outcome.differences.iter().map(difference).collect::<Vec<_>>(),
        })
    };
    let file = |(suite, outcomes): &(&Suite, Vec<TestResult<'_>>)| {
        json!({
            "file": suite.file,
            "config": suite.config.file,
            "tests": outcomes.iter().map(test).collect::<Vec<_>>(),
        })
    };
    let all = || results.iter().flat_map(|(_, outcomes)| outcomes);
    let passed = all().filter(|outcome| outcome.passed()).count();
    json!({
        "schema": 1,
        "passed": passed,
        "failed": all().count() - passed,
        "files": results.iter().map(file).collect::<Vec<_>>(),
    })
}
