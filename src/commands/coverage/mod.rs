//! `coverage`: reads all contacts once, and reports which rules have the data they need. Changes nothing.

mod json;
mod report;

use super::setup::{self, Setup};
use super::terminal::{ProgressLine, terminal_width};
use crate::cli::{Common, Coverage as Arguments};
use crate::exit::{Exit, Fatal, exit_of};
use crate::read::{ContactSource as _, Pages as _, for_each_page};
use crate::remote::intercom::is_own_field;
use crate::report::DEFAULT_WIDTH;
use crate::rules::coverage::Coverage;
use report::CoverageReport;

pub async fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Fatal> {
    let setup = Setup::to_look(common)?;
    let stop = setup::listen(setup.config.deadline)?;
    let intercom = setup.intercom(&stop)?;
    let workspace = intercom.workspace().await?.id;
    // Rules can use a part of Intercom's own attributes. The others are not read, and would look as if nobody had them.
    let (definitions, not_usable): (Vec<_>, Vec<_>) = intercom
        .all_attributes()
        .await?
        .into_iter()
        .partition(|definition| definition.custom || is_own_field(&definition.name));
    let mut coverage = Coverage::new(&setup.config.rules, definitions, setup.as_of);
    let mut pages = intercom.pages(&coverage.wanted());
    let mut undecodable = Vec::new();
    let read = for_each_page(&mut pages, &ProgressLine::new(common.quiet), |page| {
        page.contacts.iter().for_each(|contact| coverage.add(contact));
        undecodable.extend(page.undecodable.into_iter().map(|undecodable| undecodable.located(&page.place)));
    })
    .await;
    let broken_off = match read {
        Err(error) if exit_of(&error) == Exit::Credential => return Err(error.into()),
        result => result.err(),
    };
    // Pages arrive in any order.
    undecodable.sort();
    let mut not_usable: Vec<_> =
        not_usable.into_iter().filter(|it| !it.archived).map(|definition| definition.name).collect();
    not_usable.sort();
    let mut report = CoverageReport {
        findings: coverage.findings(),
        to_do: coverage.to_do(),
        coverage: &coverage,
        workspace,
        as_of: setup.as_of,
        undecodable,
        not_usable,
        complete: broken_off.is_none(),
        errors: Vec::new(),
        exit: Exit::Done,
    };
    report.judge(broken_off.as_ref(), pages.doubt().map(str::to_owned), arguments.fail_on);
    let width = terminal_width().unwrap_or(DEFAULT_WIDTH);
    super::show_result(common, &report::table(&report, width), &json::json(&report))?;
    Ok(report.exit)
}
