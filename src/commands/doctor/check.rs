//! A check as a value, its two forms (text and JSON), and the first checks of every service: is it configured, and can its
//! credential be sent?

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use strum::{EnumIter, IntoEnumIterator, IntoStaticStr};

use crate::commands::setup::Setup;
use crate::config::{self, Problems};
use crate::exit::{Exit, Fatal};
use crate::model::is_unseen;
use crate::remote::error::{ErrorKind, RemoteError};

/// The check on which all others of a service depend.
pub const CREDENTIAL: &str = "credential";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum CheckStatus {
    /// As it should be.
    Ok,
    /// A run works, but a person should know about it.
    Warn,
    /// A run would fail, or would do something wrong.
    Fail,
    /// It was not checked, because something else is wrong.
    NotChecked,
}

impl CheckStatus {
    fn name(self) -> &'static str {
        self.into()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Unique within its group.
    pub name: String,
    pub status: CheckStatus,
    /// If it was not checked: the reason.
    pub message: String,
    pub help: Option<String>,
    /// The exit code that it asks for.
    exit: Exit,
}

impl Check {
    fn was_run(&self) -> bool {
        self.status != CheckStatus::NotChecked
    }
}

/// Checks of one service, of the configuration or of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The first part of the checks' names in JSON.
    name: &'static str,
    title: &'static str,
    checks: Vec<Check>,
}

impl Group {
    pub fn new(name: &'static str, title: &'static str) -> Group {
        Group { name, title, checks: Vec::new() }
    }

    fn add(&mut self, name: &str, status: CheckStatus, message: &str, help: Option<&str>, exit: Exit) {
        let (name, message, help) = (clean(name), clean(message), help.map(clean));
        let help = help.filter(|help| !help.is_empty());
        self.checks.push(Check { name, status, message, help, exit });
    }

    pub fn ok(&mut self, name: &str, message: impl AsRef<str>) {
        self.add(name, CheckStatus::Ok, message.as_ref(), None, Exit::Done);
    }

    pub fn warn(&mut self, name: &str, message: impl AsRef<str>, help: impl AsRef<str>) {
        self.add(name, CheckStatus::Warn, message.as_ref(), Some(help.as_ref()), Exit::Done);
    }

    pub fn fail(&mut self, name: &str, message: impl AsRef<str>, help: Option<&str>) {
        self.add(name, CheckStatus::Fail, message.as_ref(), help, Exit::Failed);
    }

    /// Adds the refusal of a credential or permission that a run needs.
    pub fn refused(&mut self, name: &str, message: impl AsRef<str>, help: impl AsRef<str>) {
        self.add(name, CheckStatus::Fail, message.as_ref(), Some(help.as_ref()), Exit::Credential);
    }

    /// Adds a failure with which no run can start.
    pub fn unusable(&mut self, name: &str, message: impl AsRef<str>, help: Option<&str>) {
        self.add(name, CheckStatus::Fail, message.as_ref(), help, Exit::Usage);
    }

    /// Adds the error of a service. For a refused credential, `help` replaces the error's own advice.
    pub fn remote(&mut self, name: &str, error: &RemoteError, help: Option<&str>) {
        let refused = error.kind == ErrorKind::Credential;
        let help = help.filter(|_| refused).or(error.help());
        let exit = if refused { Exit::Credential } else { Exit::Failed };
        self.add(name, CheckStatus::Fail, &error.to_string(), help, exit);
    }

    /// Adds checks that could not run, because something else is wrong.
    pub fn skip(&mut self, names: &[&str], why: &str) {
        for name in names {
            self.add(name, CheckStatus::NotChecked, why, None, Exit::Done);
        }
    }

    /// Returns the setup if the service can be asked at all; else reports why, and shows `rest` as not checked.
    pub fn ready<'s>(&mut self, setup: Result<&'s Setup, &str>, variables: &str, rest: &[&str]) -> Option<&'s Setup> {
        let setup = setup.map_err(|why| self.skip(&[&[CREDENTIAL], rest].concat(), why)).ok()?;
        let lacking = config::missing(&setup.credentials, &setup.config.slack, &setup.sinks_on);
        let Problems(lacking) = lacking.err().unwrap_or_else(|| Problems(Vec::new()));
        let Some(problem) = lacking.into_iter().find(|problem| problem.file.contains(variables)) else {
            return Some(setup);
        };
        self.fail(CREDENTIAL, &problem.message, problem.help.as_deref());
        self.skip(rest, "the service is not set up");
        None
    }

    /// Returns the client, unless the credential has a form that cannot be sent.
    pub fn made<C>(&mut self, client: Result<C, Fatal>, rest: &[&str]) -> Option<C> {
        let refused = |fatal: Fatal| {
            self.fail(CREDENTIAL, fatal.error.to_string(), fatal.help.as_deref());
            self.skip(rest, "the credential cannot be sent");
        };
        client.map_err(refused).ok()
    }
}

/// The length at which a line is cut: names come from services, and may have any length.
const LINE_CHARS: usize = 500;

/// The text without characters that steer the terminal. Line breaks stay: problems of the configuration take several lines.
fn clean(text: &str) -> String {
    let shown = |letter: &char| !(letter.is_control() || is_unseen(*letter));
    let line = |line: &str| line.chars().filter(shown).take(LINE_CHARS).collect::<String>();
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn all(groups: &[Group]) -> impl Iterator<Item = &Check> {
    groups.iter().flat_map(|group| &group.checks)
}

/// The exit code: 2 for a configuration that cannot be used, 3 for a refused credential, 1 for anything else that failed.
pub fn exit(groups: &[Group], strict: bool) -> Exit {
    let exits = all(groups).map(|check| match check.status {
        CheckStatus::Warn | CheckStatus::NotChecked if strict => Exit::Failed,
        _ => check.exit,
    });
    Exit::first(&exits.collect::<Vec<_>>())
}

fn counts(groups: &[Group]) -> BTreeMap<CheckStatus, usize> {
    let mut counts: BTreeMap<_, _> = CheckStatus::iter().map(|status| (status, 0)).collect();
    for check in all(groups) {
        *counts.entry(check.status).or_default() += 1;
    }
    counts
}

/// Renders text: a line for each check with the way out below it, and one line for all checks that did not run for one reason.
pub fn to_table(groups: &[Group]) -> String {
    let mut text = String::new();
    for group in groups {
        let names = group.checks.iter().filter(|check| check.was_run()).map(|check| check.name.chars().count());
        let width = names.max().unwrap_or_default();
        let _ = writeln!(text, "{}", group.title);
        let mut rest = group.checks.iter().peekable();
        while let Some(check) = rest.next() {
            if check.was_run() {
                show(check, width, &mut text);
                continue;
            }
            let mut names = vec![check.name.as_str()];
            while let Some(next) = rest.next_if(|next| !next.was_run() && next.message == check.message) {
                names.push(&next.name);
            }
            let _ = writeln!(text, "  -     not checked, {}: {}", check.message, names.join(", "));
        }
        text.push('\n');
    }
    let counts = counts(groups);
    let count = |status| counts.get(&status).copied().unwrap_or_default();
    let (warned, failed, skipped) =
        (count(CheckStatus::Warn), count(CheckStatus::Fail), count(CheckStatus::NotChecked));
    let warnings = if warned == 1 { "warning" } else { "warnings" };
    let _ = write!(text, "{} ok, {warned} {warnings}, {failed} failed", count(CheckStatus::Ok));
    if skipped > 0 {
        let _ = write!(text, ", {skipped} not checked");
    }
    text.push_str(". Nothing was changed.\n");
    text
}

fn show(check: &Check, width: usize, text: &mut String) {
    let Check { name, status, message, help, .. } = check;
    let status = status.name();
    let indent = " ".repeat(8 + width + 2);
    if message.contains('\n') {
        let _ = writeln!(text, "  {status:<4}  {name}");
        for line in message.lines() {
            let _ = writeln!(text, "{}", format!("        {line}").trim_end());
        }
    } else {
        let _ = writeln!(text, "  {status:<4}  {name:<width$}  {message}");
    }
    if let Some(help) = help {
        let _ = writeln!(text, "{indent}help: {help}");
    }
}

/// Renders JSON. docs/json.md documents the shape.
pub fn to_json(groups: &[Group], exit: Exit) -> Value {
    let one = |group: &Group, Check { name, status, message, help, exit: _ }: &Check| {
        let not_checked = if *status == CheckStatus::NotChecked { "not checked: " } else { "" };
        let message = format!("{not_checked}{message}");
        json!({ "name": format!("{}.{name}", group.name), "status": status.name(), "message": message, "help": help })
    };
    let checks = groups.iter().flat_map(|group| group.checks.iter().map(move |check| one(group, check)));
    let counts = counts(groups).into_iter().map(|(status, count)| (status.name().to_owned(), json!(count)));
    json!({
        "schema": 1,
        "checks": checks.collect::<Value>(),
        "counts": counts.collect::<Value>(),
        "exit_code": exit.code(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups() -> Vec<Group> {
        let mut one = Group::new("one", "The one");
        one.ok("first", "fine \u{1b}[31m\u{202e}now");
        one.warn("second", "odd", "look at it");
        let mut other = Group::new("other", "The other");
        other.refused("third", "no", "ask somebody");
        other.skip(&["fourth", "fifth"], "the third failed");
        vec![one, other]
    }

    #[test]
    fn checks_that_did_not_run_are_one_line_of_text_and_an_entry_each_in_json() {
        let groups = groups();
        insta::assert_snapshot!(to_table(&groups), @r"
        The one
          ok    first   fine [31mnow
          warn  second  odd
                        help: look at it

        The other
          fail  third  no
                       help: ask somebody
          -     not checked, the third failed: fourth, fifth

        1 ok, 1 warning, 1 failed, 2 not checked. Nothing was changed.
        ");
        let json = to_json(&groups, Exit::Credential);
        assert_eq!(clean(&"x".repeat(1000)).len(), LINE_CHARS);
        assert_eq!(json["checks"][4]["name"], "other.fifth");
        assert_eq!(json["checks"][4]["message"], "not checked: the third failed");
        assert_eq!(json["checks"][4]["status"], "not_checked");
        assert_eq!(json["counts"], json!({ "ok": 1, "warn": 1, "fail": 1, "not_checked": 2 }));
        assert_eq!(json["exit_code"], 3);
    }

    #[test]
    fn the_worst_check_decides_and_warnings_only_when_asked() {
        let mut warned = Group::new("one", "The one");
        warned.warn("first", "odd", "look");
        assert_eq!(exit(&[warned.clone()], false), Exit::Done);
        assert_eq!(exit(&[warned.clone()], true), Exit::Failed);
        assert_eq!(exit(&groups(), true), Exit::Credential);
        warned.unusable("second", "no", None);
        warned.refused("third", "no", "ask");
        assert_eq!(exit(&[warned], false), Exit::Usage);
    }
}
