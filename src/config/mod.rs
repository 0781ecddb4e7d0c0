//! The configuration: one TOML file over built-in defaults, the environment over the file, secrets from the environment.
//!
//! Every problem is found in one go, each with its place, and nothing runs while there is one ([`Problems`]).

#[cfg(test)]
mod defaults_tests;
mod layers;
mod place;
mod problem;
mod remotes;
pub mod rule_tests;
mod rules;
mod scan;
mod secrets;
mod table;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeTable;

pub use problem::{Problem, Problems};
pub use remotes::{Intercom, Slack, TaskOn, WhenInDoubt, Zoho};
pub use secrets::{Credentials, Sinks, SlackCredentials, ZohoCredentials, credentials, missing};

use crate::plan::settings::Settings;
use crate::rules::RuleSet;
use place::Place;
use problem::Findings;
use table::Table;

/// The built-in rules.
const DEFAULTS: &str = include_str!("../rules/defaults.toml");

/// A configuration with every key, its default and one sentence: what `init` writes.
pub const EXAMPLE: &str = include_str!("../../fixtures/usage-signals.toml");

/// The file that is looked for.
pub const FILE_NAME: &str = "usage-signals.toml";

/// All that can be set, but for secrets.
#[derive(Debug, Clone)]
pub struct Config {
    /// What to look for.
    pub rules: RuleSet,
    /// What decisions depend on.
    pub plan: Settings,
    /// How long a run may take.
    pub deadline: Duration,
    /// How to read contacts and tags.
    pub intercom: Intercom,
    /// How to make tasks.
    pub zoho: Zoho,
    /// How to post messages.
    pub slack: Slack,
    /// The longest wait before a failed request is sent for the second time; doubles from try to try.
    pub first_wait: Duration,
    /// Whether tags are put on contacts at all.
    pub tags_enabled: bool,
    /// The file that was read; None for the built-in defaults alone.
    pub file: Option<PathBuf>,
}

/// Loads the file that `--config` names, else `usage-signals.toml` in the current folder, else the one in the XDG
/// configuration folder, else the built-in defaults; and lays the environment over it.
///
/// `env` gives a variable's value. A file that is named but cannot be read is a problem; one that is only looked for and is
/// not there is none.
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

/// Reads a configuration from its text. `name` is how problems name the file.
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
    let zoho = remotes::read_zoho(&root, &env);
    let slack = remotes::read_slack(&root, &env);
    let first_wait = remotes::read_http(&root);
    let tags_enabled = remotes::read_tags(&root);
    let snooze = rules::Snooze { tag: &scan.settings.snooze_tag, place: scan.snooze_tag.as_ref() };
    let (rules, disabled) = rules::read(&root, &Table::root(&findings, 0, &defaults), &attributes, snooze);
    root.finish();
    match (findings.is_clean(), intercom, zoho, slack) {
        (true, Some(intercom), Some(zoho), Some(slack)) => Ok(Config {
            rules: RuleSet::new(rules, disabled, scan.include, attributes),
            plan: scan.settings,
            deadline: scan.deadline,
            intercom,
            zoho,
            slack,
            first_wait,
            tags_enabled,
            file: None,
        }),
        _ => Err(findings.into_problems()),
    }
}

/// A mistake in the TOML itself; then nothing else is looked at, because the rest may be misread.
fn add_syntax(findings: &Findings, file: usize, error: &toml::de::Error) {
    let span = error.span().unwrap_or(0..findings.text(file).len());
    let place = Place { file, span, key: String::new() };
    let (message, help) = match error.message() {
        "duplicate key" => ("this stands twice", "keep one of them; the keys of a table stand under one header"),
        said if said.starts_with("invalid basic string, expected") => {
            ("this text is never closed", "add the missing \"")
        }
        said if said.starts_with("invalid literal string, expected") => {
            ("this text is never closed", "add the missing '")
        }
        said if said.starts_with("string values must be quoted") => {
            let word = findings.text(file).get(place.span.clone()).unwrap_or("text");
            let help = table::yes_or_no(word).map_or_else(|| format!("write \"{word}\""), str::to_owned);
            findings.add(&place, "a text without quotes", Some(help));
            return;
        }
        said => {
            let help = "each line is a [table], a key = value, or a # comment".to_owned();
            findings.add(&place, format!("the file cannot be read from here: {said}"), Some(help));
            return;
        }
    };
    findings.add(&place, message, Some(help.to_owned()));
}
