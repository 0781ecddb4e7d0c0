//! The result of `coverage`, its errors, and its exit code.

use crate::cli::FailOn;
use crate::exit::{Exit, exit_of};
use crate::model::Date;
use crate::remote::error::RemoteError;
use crate::report::Problem;
use crate::rules::coverage::{ConditionVerdict, Coverage, RuleFinding, ToDo};

pub(super) struct CoverageReport<'a> {
    pub coverage: &'a Coverage<'a>,
    pub findings: Vec<RuleFinding<'a>>,
    pub to_do: Vec<ToDo>,
    pub workspace: String,
    pub as_of: Date,
    /// Contacts that could not be decoded: id or place in the page, and the reason.
    pub undecodable: Vec<(String, String)>,
    /// Intercom's own attributes that rules cannot use.
    pub not_usable: Vec<String>,
    pub complete: bool,
    pub errors: Vec<Problem>,
    pub exit: Exit,
}

impl CoverageReport<'_> {
    /// The dead rules: those that are on, but can never fire.
    pub(super) fn dead(&self) -> impl Iterator<Item = &RuleFinding<'_>> {
        self.findings.iter().filter(|finding| finding.enabled && finding.outcome.verdict == ConditionVerdict::Never)
    }

    pub(super) fn judge(&mut self, broken_off: Option<&RemoteError>, doubt: Option<String>, fail_on: Option<FailOn>) {
        let mut exits = Vec::new();
        let mut errors: Vec<Problem> = doubt.into_iter().map(|message| Problem { message, help: None }).collect();
        if let Some(error) = broken_off {
            exits.push(exit_of(error));
            let message = format!("not all contacts could be read, so this report covers a part of them: {error}");
            errors.push(Problem { message, help: error.help().map(str::to_owned) });
        }
        if fail_on == Some(FailOn::DeadRule) {
            for finding in self.dead() {
                exits.push(Exit::Failed);
                let signal = &finding.rule.signal;
                errors.push(Problem {
                    message: format!("the rule {signal} is dead: it can never fire with the current data"),
                    help: Some(format!(
                        "follow the next steps above, or switch the rule off: signal = \"{signal}\", enabled = false"
                    )),
                });
            }
        }
        self.exit = Exit::first(&exits);
        self.errors = errors;
    }
}
