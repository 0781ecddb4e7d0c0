//! `coverage`: one pass over the contacts, and what the data can do for the rules. Changes nothing.

mod json;
mod table;

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::scan::ProgressLine;
use super::setup::Setup;
use super::terminal::terminal_width;
use crate::apply::stop::Stop;
use crate::cli::{Common, Coverage as Arguments, FailOn, Format};
use crate::exit::{Exit, Fatal, exit_of};
use crate::read::{Pages as _, for_each_page};
use crate::remote::error::RemoteError;
use crate::remote::intercom::{Intercom, is_own_field};
use crate::report::Problem;
use crate::rules::coverage::{ConditionVerdict, Coverage, RuleFinding, ToDo};
use crate::shutdown;

/// Everything that is said.
struct Report<'a> {
    coverage: &'a Coverage<'a>,
    findings: Vec<RuleFinding<'a>>,
    to_do: Vec<ToDo>,
    workspace: String,
    as_of: DateTime<Utc>,
    /// Contacts that could not be decoded: id, or where it stood, and why.
    undecodable: Vec<(String, String)>,
    /// Intercom's own attributes that rules cannot use.
    not_usable: Vec<String>,
    /// Whether all contacts were read.
    complete: bool,
    errors: Vec<Problem>,
    exit: Exit,
}

/// Runs the command as it was typed.
pub async fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Fatal> {
    let setup = Setup::to_look(common)?;
    let stop = listen(setup.config.deadline)?;
    let intercom = setup.intercom(&stop)?;
    let workspace = intercom.workspace().await?.id;
    // Of Intercom's own, only those that rules can use are read: the others would look as if nobody had them.
    let (definitions, not_usable): (Vec<_>, Vec<_>) = intercom
        .all_attributes()
        .await?
        .into_iter()
        .partition(|definition| definition.custom || is_own_field(&definition.name));
    let mut coverage = Coverage::new(&setup.config.rules, definitions, setup.as_of);
    let mut walk = Walk::default();
    let broken_off = match read(&intercom, &mut coverage, &mut walk, common.quiet).await {
        Err(error) if exit_of(&error) == Exit::Credential => return Err(error.into()),
        result => result.err(),
    };
    let mut not_usable: Vec<_> =
        not_usable.into_iter().filter(|it| !it.archived).map(|definition| definition.name).collect();
    not_usable.sort();
    let mut report = Report {
        findings: coverage.findings(),
        to_do: coverage.to_do(),
        coverage: &coverage,
        workspace,
        as_of: setup.as_of,
        undecodable: walk.undecodable,
        not_usable,
        complete: broken_off.is_none(),
        errors: Vec::new(),
        exit: Exit::Done,
    };
    report.judge(broken_off.as_ref(), walk.doubt, arguments.fail_on);
    match common.format {
        Format::Table | Format::Csv => super::print(&table::table(&report, terminal_width()))?,
        Format::Json => super::print_json(&json::json(&report))?,
    }
    Ok(report.exit)
}

fn listen(deadline: Duration) -> Result<Stop, Fatal> {
    let (switch, stop) = Stop::after(deadline);
    shutdown::listen(switch).map_err(Fatal::usage)?;
    Ok(stop)
}

/// What a walk over the contacts showed besides their values.
#[derive(Default)]
struct Walk {
    /// Contacts that could not be decoded: id, or where it stood, and why.
    undecodable: Vec<(String, String)>,
    /// What is odd about it though it counts as whole.
    doubt: Option<String>,
}

/// Counts every contact, page by page.
async fn read(
    intercom: &Intercom,
    coverage: &mut Coverage<'_>,
    walk: &mut Walk,
    quiet: bool,
) -> Result<(), RemoteError> {
    let mut pages = intercom.pages(&coverage.wanted());
    let result = for_each_page(&mut pages, &ProgressLine::new(quiet), |page| {
        page.contacts.iter().for_each(|contact| coverage.add(contact));
        walk.undecodable.extend(page.undecodable.into_iter().map(|undecodable| undecodable.located(&page.place)));
    })
    .await;
    // Pages arrive in any order.
    walk.undecodable.sort();
    walk.doubt = pages.doubt().map(str::to_owned);
    result
}

impl Report<'_> {
    /// The rules that are on and can never fire.
    fn dead(&self) -> impl Iterator<Item = &RuleFinding<'_>> {
        self.findings.iter().filter(|finding| finding.enabled && finding.outcome.verdict == ConditionVerdict::Never)
    }

    /// What went wrong, and the exit code that it leads to.
    fn judge(&mut self, broken_off: Option<&RemoteError>, doubt: Option<String>, fail_on: Option<FailOn>) {
        let mut exits = Vec::new();
        let mut errors: Vec<Problem> = doubt.into_iter().map(|message| Problem { message, help: None }).collect();
        if let Some(error) = broken_off {
            exits.push(exit_of(error));
            let message = format!("the contacts were not all read, so this is about a part of them: {error}");
            errors.push(Problem { message, help: error.help().map(str::to_owned) });
        }
        if fail_on == Some(FailOn::DeadRule) {
            for finding in self.dead() {
                exits.push(Exit::Failed);
                let signal = &finding.rule.signal;
                errors.push(Problem {
                    message: format!("the rule {signal} can never fire"),
                    help: Some(format!(
                        "see what to do above, or switch it off: signal = \"{signal}\", enabled = false"
                    )),
                });
            }
        }
        self.exit = Exit::first(&exits);
        self.errors = errors;
    }
}
