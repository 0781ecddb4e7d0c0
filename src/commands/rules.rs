//! `rules`: the rules as a table, and the check of a file.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::setup;
use super::terminal::terminal_width;
use crate::cli::{Common, Rules as Arguments};
use crate::exit::{Exit, Fatal};
use crate::report::{DEFAULT_WIDTH, Ruling, TextTable, plural};
use crate::rules::{Rule, RuleSet};

pub fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Fatal> {
    match arguments {
        Arguments::List => list(common),
        Arguments::Check { file } => check(common, file.clone()),
        Arguments::Test { files } => super::rule_tests::run(common, files),
    }
}

fn list(common: &Common) -> Result<Exit, Fatal> {
    let config = setup::load_config(common, &setup::process_environment())?;
    super::show_result(common, &table(&config.rules), &as_json(&config.rules))?;
    Ok(Exit::Done)
}

fn check(common: &Common, file: Option<PathBuf>) -> Result<Exit, Fatal> {
    let common = Common { config: file.or_else(|| common.config.clone()), ..common.clone() };
    let config = setup::load_config(&common, &setup::process_environment())?;
    let place = config.file.map_or("the built-in defaults".to_owned(), |file| file.display().to_string());
    let (on, off) = (config.rules.rules.len(), config.rules.disabled.len());
    super::print(&format!("{place}: ok, {on} rules on, {off} off\n"))?;
    Ok(Exit::Done)
}

/// The rule's own condition and its levels: name, condition, urgency.
fn rungs(rule: &Rule) -> Vec<(String, String, String)> {
    let within = |days: u32| plural(usize::try_from(days).unwrap_or(usize::MAX), "day");
    let base = (String::new(), rule.when.to_string(), rule.priority.name(), rule.respond_within_days);
    let levels = rule.levels.iter().map(|level| {
        let (priority, days) = (rule.priority_at(&level.name), rule.respond_within_days_at(&level.name));
        (level.name.clone(), level.when.to_string(), priority.name(), days)
    });
    let all = std::iter::once(base).chain(levels);
    all.map(|(name, when, priority, days)| (name, when, format!("{priority}, {}", within(days)))).collect()
}

fn table(rules: &RuleSet) -> String {
    let mut table = TextTable::new(Ruling::Rows, ["signal", "on", "scope", "condition", "urgency", "tag"]);
    table.never_wrapped = vec![0, 4];
    let on = rules.rules.iter().map(|rule| (rule, "on"));
    let off = rules.disabled.iter().map(|rule| (rule, "off"));
    for (rule, state) in on.chain(off) {
        for (level, when, urgency) in rungs(rule) {
            let signal = if level.is_empty() { rule.signal.clone() } else { format!("  {level}") };
            let first = level.is_empty();
            let once = |text: &str| if first { text.to_owned() } else { String::new() };
            table.add_row([signal, once(state), once(rule.scope.name()), when, urgency, once(&rule.tag)]);
        }
    }
    let mut text = table.render(Some(terminal_width().unwrap_or(DEFAULT_WIDTH)));
    if let Some(include) = &rules.include {
        let _ = writeln!(text, "Only contacts for which [scan] include holds: {include}");
    }
    text
}

fn as_json(rules: &RuleSet) -> Value {
    let shown = |rule: &Rule, enabled: bool| {
        let levels = rule.levels.iter().map(|level| {
            json!({
                "name": level.name,
                "when": level.when.to_string(),
                "priority": rule.priority_at(&level.name).name(),
                "respond_within_days": rule.respond_within_days_at(&level.name),
            })
        });
        json!({
            "signal": rule.signal,
            "enabled": enabled,
            "scope": rule.scope.name(),
            "when": rule.when.to_string(),
            "priority": rule.priority.name(),
            "respond_within_days": rule.respond_within_days,
            "tag": rule.tag,
            "flags": rule.flags,
            "levels": levels.collect::<Vec<_>>(),
        })
    };
    let on = rules.rules.iter().map(|rule| shown(rule, true));
    let off = rules.disabled.iter().map(|rule| shown(rule, false));
    let all: Vec<_> = on.chain(off).collect();
    json!({ "schema": 1, "rules": all })
}
