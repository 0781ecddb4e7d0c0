//! What a run came to, in a report and an exit code.

use std::io::IsTerminal;

use crate::apply::stop::StopReason;
use crate::apply::{ActionStatus, Results, Settled};
use crate::cli::{Common, Format, Scan};
use crate::exit::{Exit, exit_of};
use crate::ledger::LedgerError;
use crate::plan::{Decision, Plan, WAYS_OUT};
use crate::report::{self, Previews, Problem, Report, Run};

use super::read::Read;

/// What was planned, and what became of it or would look like.
pub(super) struct Told<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// None in a dry run.
    pub results: Option<&'a Results>,
    /// With `--preview`.
    pub previews: Option<Previews>,
}

/// What went wrong beside the actions of the plan.
pub(super) struct Mishaps<'a> {
    /// Questions about earlier claims that failed.
    pub settled: &'a Settled,
    /// What the ledger could not write.
    pub ledger_errors: &'a [LedgerError],
}

/// The report, and the exit code that the run leads to.
pub(super) fn report<'a>(
    arguments: &Scan,
    run: Run,
    read: &'a Read,
    told: Told<'a>,
    mishaps: &Mishaps<'_>,
) -> (Report<'a>, Exit) {
    let Told { plan, results, previews } = told;
    let Mishaps { settled, ledger_errors } = *mishaps;
    let mut exits = Vec::new();
    let mut errors = Vec::new();
    if let Some(error) = &read.broken_off {
        exits.push(exit_of(error));
        let told = error.failure().full_message();
        let message = format!("the contacts were not all read, so nothing new was planned: {told}");
        errors.push(Problem { message, help: error.help().map(str::to_owned) });
    }
    if let Some(refusal) = &plan.refusal {
        exits.push(Exit::Guard);
        errors.push(Problem { message: refusal.to_string(), help: Some(WAYS_OUT.to_owned()) });
    }
    let (held, accepted): (Vec<_>, Vec<_>) = plan.outages.iter().partition(|outage| !outage.paused.is_empty());
    for outage in held {
        exits.push(Exit::Guard);
        errors.push(Problem { message: outage.to_string(), help: Some(outage.way_out()) });
    }
    for failure in &settled.failures {
        exits.extend([Exit::Failed, failure.kind.into()]);
        errors.push(Problem { message: failure.full_message(), help: failure.help.clone() });
    }
    for error in ledger_errors {
        exits.push(Exit::Failed);
        let message = format!("the ledger could not be written any further: {}", error.full_message());
        errors.push(Problem { message, help: error.help() });
    }
    if let Some(results) = results {
        judge(results, &mut exits, &mut errors);
    }
    let in_doubt = plan.items.iter().flat_map(|item| &item.actions).any(|action| action.decision == Decision::InDoubt);
    if in_doubt && results.is_some() {
        exits.push(Exit::Failed);
    }
    let to_do = plan.to_do().next().is_some();
    if arguments.dry_run && arguments.detailed_exit_code && to_do {
        exits.push(Exit::ToDo);
    }
    errors.sort();
    errors.dedup();
    let exit = Exit::first(&exits);
    let of_count = read.doubt.iter().map(|doubt| Problem {
        message: doubt.clone(),
        help: Some("if that stays so, ask Intercom which contacts its search leaves out".to_owned()),
    });
    let of_data = accepted.into_iter().map(|outage| Problem { message: outage.to_string(), help: None });
    let of_texts = plan.warnings.iter().map(|warning| Problem { message: warning.clone(), help: None });
    let report = Report {
        run,
        scanned: read.sightings.scanned,
        forgotten: read.sightings.forgotten,
        undecodable: read.undecodable.clone(),
        signalled: read.sightings.signalled.len(),
        plan,
        results,
        unknown: &read.sightings.unknown,
        previews,
        warnings: of_count.chain(blind_rules(read)).chain(of_data).chain(of_texts).collect(),
        errors,
        exit_code: exit.code(),
    };
    (report, exit)
}

/// The report as it is printed.
pub(super) fn show(common: &Common, report: &Report<'_>) -> String {
    match common.format {
        Format::Json => report::to_json(report, std::io::stdout().is_terminal()) + "\n",
        Format::Table | Format::Csv => report::to_table(report, terminal_width()),
    }
}

/// Returns the width of the terminal in columns, within 80 and 200. Without a terminal, `COLUMNS` counts, as for other programs.
pub(in crate::commands) fn terminal_width() -> Option<u16> {
    let terminal = terminal_size::terminal_size_of(std::io::stdout()).map(|(terminal_size::Width(width), _)| width);
    let columns = || std::env::var("COLUMNS").ok()?.parse::<u16>().ok();
    Some(terminal.or_else(columns)?.clamp(80, 200))
}

/// Rules that could be decided for nobody: such a rule can never fire, and silence would look like "all is well".
fn blind_rules(read: &Read) -> impl Iterator<Item = Problem> {
    // A few chosen contacts tell nothing of the others.
    let everybody = read.scope.contacts.is_none();
    let blind = read.sightings.decided.iter().filter(move |(_, decided)| everybody && **decided == 0);
    blind.map(|(signal, _)| Problem {
        message: format!("the rule {signal} could not be decided for any contact: nobody has the attributes it needs"),
        help: Some(
            "see under \"unknown\" which ones; the product has to write them, or switch the rule off".to_owned(),
        ),
    })
}

fn judge(results: &Results, exits: &mut Vec<Exit>, errors: &mut Vec<Problem>) {
    for performed in results.performed.values() {
        if matches!(performed.status, ActionStatus::Failed | ActionStatus::InDoubt) {
            exits.push(Exit::Failed);
        }
        if let Some(failure) = &performed.failure {
            exits.push(failure.kind.into());
            errors.push(Problem { message: failure.full_message(), help: failure.help.clone() });
        }
    }
    if let Some(reason) = results.stopped {
        // The contacts were read: what is left is carried over.
        exits.push(if reason == StopReason::Deadline { Exit::Failed } else { reason.into() });
        let message = match reason {
            StopReason::Deadline => "the deadline came before everything was done; the next run goes on from here",
            StopReason::Interrupted | StopReason::Terminated => {
                "the run was interrupted; the next run goes on from here"
            }
        };
        errors.push(Problem { message: message.to_owned(), help: None });
    }
}
