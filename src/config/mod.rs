//! Configuration: one TOML file overrides the built-in defaults, and environment variables override the file. Secrets come
//! from the environment only.
//!
//! Loading reports all problems of a configuration at once, each with its place ([`Problems`]).

#[cfg(test)]
mod defaults_tests;
mod place;
mod problem;
mod proxy;
mod remotes;
mod rule;
pub mod rule_tests;
mod rules;
mod scan;
mod secrets;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeTable;

pub use problem::{Problem, Problems};
pub use remotes::{Intercom, Slack, Zoho};
pub use secrets::{Credentials, SlackCredentials, ZohoCredentials, credentials, missing};

use crate::model::SinkKind;
use crate::plan::settings::Settings;
use crate::rules::RuleSet;
use place::Place;
use problem::Findings;
use table::Table;

/// The built-in rules.
const DEFAULTS: &str = include_str!("../rules/defaults.toml");

/// The commented configuration that `init` writes: every key with its default value.
pub const EXAMPLE: &str = include_str!("../../fixtures/usage-signals.toml");

/// The name of the configuration file.
pub const FILE_NAME: &str = "usage-signals.toml";

/// Every setting except secrets.
#[derive(Debug, Clone)]
pub struct Config {
    /// The rules, and which contacts they apply to.
    pub rules: RuleSet,
    /// Settings of the planner.
    pub plan: Settings,
    /// The longest duration of a run.
    pub deadline: Duration,
    /// Settings of the Intercom client.
    pub intercom: Intercom,
    /// Settings of the Zoho client.
    pub zoho: Zoho,
    /// Settings of the Slack client.
    pub slack: Slack,
    /// The longest wait before the first retry of a failed request. It doubles with each retry.
    pub first_wait: Duration,
    /// The sinks that are on.
    pub sinks: BTreeSet<SinkKind>,
    /// The file that was read; `None` if only the built-in defaults apply.
    pub file: Option<PathBuf>,
}

/// Loads the configuration, then applies the environment variables to it.
///
/// It reads the first of: the file at `path` (from `--config`), `usage-signals.toml` in the current folder, that name in the
/// XDG configuration folder. Without a file, the built-in defaults apply. `env` returns a variable's value. A missing file is
/// a problem only if `path` names it.
pub fn load(path: Option<&Path>, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, Problems> {
    let file = path.map(Path::to_owned).or_else(|| find(env));
    let text = match &file {
        Some(file) => read(file)?,
        None => String::new(),
    };
    let name = file.as_ref().map_or_else(|| FILE_NAME.to_owned(), |file| file.display().to_string());
    let mut config = parse(&name, &text, env)?;
    config.file = file;
    Ok(config)
}

fn find(env: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let here = PathBuf::from(FILE_NAME);
    // The XDG specification: a relative folder is invalid and ignored.
    let absolute = |variable| env(variable).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let folder = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")));
    let places = [Some(here), folder.map(|folder| folder.join("usage-signals").join(FILE_NAME))];
    places.into_iter().flatten().find(|place| place.exists())
}

fn read(file: &Path) -> Result<String, Problems> {
    fs::read_to_string(file).map_err(|error| {
        let message = format!("cannot read the configuration: {error}");
        let help = "name another file with --config, or leave it out: the built-in defaults need no file".to_owned();
        Problems(vec![Problem::without_place(file.display().to_string(), message, Some(help))])
    })
}

/// Parses a configuration. Problems call the file `name`.
pub fn parse(name: &str, text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, Problems> {
    let findings = Findings::new(&[("the built-in rules", DEFAULTS), (name, text)]);
    let (defaults, mut errors) = DeTable::parse_recoverable(DEFAULTS);
    let (document, user_errors) = DeTable::parse_recoverable(text);
    errors.extend(user_errors);
    for error in &errors {
        add_syntax(&findings, 1, error);
    }
    if !findings.is_clean() {
        return Err(findings.into_problems());
    }
    let root = Table::root(&findings, 1, &document);
    let env = |variable: &str| env(variable).filter(|value| !value.trim().is_empty());
    let attributes = scan::read_attributes(&root);
    let scan = scan::read_scan(&root, &attributes);
    let intercom = remotes::read_intercom(&root, &env);
    let mut sinks = BTreeSet::new();
    let zoho = remotes::read_zoho(&root, &env, &attributes, &mut sinks);
    let slack = remotes::read_slack(&root, &env, &mut sinks);
    let first_wait = remotes::read_http(&root);
    remotes::read_tags(&root, &mut sinks);
    let (rules, disabled) = rules::read(&root, &Table::root(&findings, 0, &defaults), &attributes, &scan);
    root.finish();
    match (findings.is_clean(), intercom, zoho, slack) {
        (true, Some(intercom), Some(zoho), Some(slack)) => Ok(Config {
            rules: RuleSet::new(rules, disabled, scan.include, scan.primary_when, attributes)
                .with_fields(zoho.fields.clone()),
            plan: scan.settings,
            deadline: scan.deadline,
            intercom,
            zoho,
            slack,
            first_wait,
            sinks,
            file: None,
        }),
        _ => Err(findings.into_problems()),
    }
}

/// Records a TOML syntax error. The caller stops at syntax errors, because the rest of the file may be misread.
fn add_syntax(findings: &Findings, file: usize, error: &toml::de::Error) {
    let span = error.span().unwrap_or(0..findings.text(file).len());
    let place = Place { file, span, key: String::new() };
    let word = findings.text(file).get(place.span.clone()).unwrap_or("text");
    let in_quotes = format!("write \"{word}\"");
    let message = format!("invalid TOML: {}", error.message());
    let (message, help) = match error.message() {
        "duplicate key" => {
            ("this key or table appears twice", "keep one of them, and write all keys of a table under one header")
        }
        said if said.starts_with("invalid basic string, expected") => {
            ("this text is never closed", "add the missing \"")
        }
        said if said.starts_with("invalid literal string, expected") => {
            ("this text is never closed", "add the missing '")
        }
        said if said.starts_with("string values must be quoted") => {
            ("this text needs quotes", table::yes_or_no(word).unwrap_or(&in_quotes))
        }
        _ => (message.as_str(), "each line is a [table], a key = value, or a # comment"),
    };
    findings.add(&place, message, Some(help.to_owned()));
}
