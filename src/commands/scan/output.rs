//! The report of a run, its exit code, and its previews: every task and message as it would look.

use std::collections::BTreeMap;

use serde_json::json;

use crate::apply::sink::Failure;
use crate::apply::stop::StopReason;
use crate::apply::{ActionStatus, Results};
use crate::cli::{Common, Format, Scan};
use crate::commands::Setup;
use crate::exit::{Exit, exit_of};
use crate::ledger::LedgerError;
use crate::model::{ActionKind, Links, Reason, SinkKind, Task, TaskNews};
use crate::plan::{Decision, Item, Order, Plan, WAYS_OUT};
use crate::read::ContactsRead;
use crate::remote::error::RemoteError;
use crate::remote::{slack, zoho};
use crate::report::{self, Preview, Previews, Problem, Report, Run};

use super::super::terminal::{json_text, terminal_width};

/// The end of a run or a dry run.
pub(super) struct Finished<'a> {
    pub plan: &'a Plan,
    /// None in a dry run.
    pub results: Option<&'a Results>,
    /// With `--preview`.
    pub previews: Option<Previews>,
    /// Facts about the setup that every report names.
    pub about_setup: &'a [Problem],
    /// Questions about earlier claims that failed.
    pub unsettled: &'a [Failure],
    /// Errors of the ledger after the plan was recorded.
    pub ledger_errors: &'a [LedgerError],
}

/// Makes the report, and the exit code of the run.
pub(super) fn report<'a>(
    arguments: &Scan,
    run: Run,
    read: &'a ContactsRead<RemoteError>,
    finished: Finished<'a>,
) -> (Report<'a>, Exit) {
    let Finished { plan, results, previews, about_setup, unsettled, ledger_errors } = finished;
    let mut ending = Ending::default();
    ending.add_reading(read);
    ending.add_plan(plan);
    ending.add_run_errors(unsettled, ledger_errors);
    if let Some(results) = results {
        ending.add_results(plan, results);
    }
    if arguments.dry_run && arguments.detailed_exit_code && plan.to_do().next().is_some() {
        ending.exits.push(Exit::ToDo);
    }
    let Ending { exits, mut errors } = ending;
    errors.sort();
    errors.dedup();
    let exit = Exit::first(&exits);
    let report = Report {
        run,
        sightings: &read.sightings,
        undecodable: read.undecodable.clone(),
        plan,
        results,
        previews,
        warnings: about_setup.iter().cloned().chain(warnings(read, plan)).collect(),
        errors,
        exit_code: exit.code(),
    };
    (report, exit)
}

/// How a run ends: its errors, and the exit codes they ask for. The most important exit code counts.
#[derive(Default)]
struct Ending {
    exits: Vec<Exit>,
    errors: Vec<Problem>,
}

impl Ending {
    fn add(&mut self, exit: Exit, message: String, help: Option<String>) {
        self.exits.push(exit);
        self.errors.push(Problem { message, help });
    }

    fn add_failure(&mut self, failure: &Failure) {
        self.add(failure.kind.into(), failure.full_message(), failure.help.clone());
    }

    /// Adds the error that ended the read early.
    fn add_reading(&mut self, read: &ContactsRead<RemoteError>) {
        let Some(error) = &read.broken_off else { return };
        let why = error.failure().full_message();
        let message = format!("not all contacts could be read, so nothing new was planned: {why}");
        self.add(exit_of(error), message, error.help().map(str::to_owned));
    }

    /// Adds the limits that refused the plan, and the outages that paused rules.
    fn add_plan(&mut self, plan: &Plan) {
        if let Some(refusal) = &plan.refusal {
            self.add(Exit::Guard, refusal.to_string(), Some(WAYS_OUT.to_owned()));
        }
        for outage in plan.outages.iter().filter(|outage| !outage.paused.is_empty()) {
            self.add(Exit::Guard, outage.to_string(), Some(outage.way_out()));
        }
    }

    fn add_run_errors(&mut self, unsettled: &[Failure], ledger_errors: &[LedgerError]) {
        for failure in unsettled {
            self.exits.push(Exit::Failed);
            self.add_failure(failure);
        }
        for error in ledger_errors {
            let message = format!("the ledger could not be written any further: {}", error.full_message());
            self.add(Exit::Failed, message, Some(error.help().to_owned()));
        }
    }

    /// Adds the failures of the actions, and the reason for which the run stopped early.
    fn add_results(&mut self, plan: &Plan, results: &Results) {
        for performed in results.performed.values() {
            if matches!(performed.status, ActionStatus::Failed | ActionStatus::InDoubt) {
                self.exits.push(Exit::Failed);
            }
            if let Some(failure) = &performed.failure {
                self.add_failure(failure);
            }
        }
        let mut actions = plan.items.iter().flat_map(|item| &item.actions);
        if actions.any(|action| action.decision == Decision::InDoubt) {
            self.exits.push(Exit::Failed);
        }
        match results.stopped {
            // All contacts were read, so the scan is complete.
            Some(StopReason::Deadline) => {
                let message = "the deadline came before all actions were done; the next run continues";
                self.add(Exit::Failed, message.to_owned(), None);
            }
            Some(reason @ (StopReason::Interrupted | StopReason::Terminated)) => {
                self.add(reason.into(), "the run was interrupted; the next run continues".to_owned(), None);
            }
            None => {}
        }
    }
}

/// Facts that a person should know, and that do not change the exit code.
fn warnings(read: &ContactsRead<RemoteError>, plan: &Plan) -> impl Iterator<Item = Problem> {
    let counts = read.doubt.iter().map(|doubt| Problem {
        message: doubt.clone(),
        help: Some("if later runs repeat this warning, ask Intercom which contacts its search leaves out".to_owned()),
    });
    let accepted = plan.outages.iter().filter(|outage| outage.paused.is_empty());
    let accepted = accepted.map(|outage| Problem { message: outage.to_string(), help: None });
    let texts = plan.warnings.iter().map(|warning| Problem { message: warning.clone(), help: None });
    counts.chain(undecided_rules(read)).chain(accepted).chain(texts).chain(refused_before(plan))
}

/// Names the actions that an earlier run was refused, and that this run does not try.
fn refused_before(plan: &Plan) -> Option<Problem> {
    let actions = plan.items.iter().flat_map(|item| &item.actions);
    let refused = actions.filter(|action| action.reason == Reason::Refused);
    let keys: Vec<_> = refused.map(|action| format!("{} {}", action.key.kind.name(), action.short)).collect();
    (!keys.is_empty()).then(|| Problem {
        message: format!("refused in an earlier run, and not tried again yet: {}", keys.join(", ")),
        help: Some(
            "remove the cause. A run tries again after scan.retry_refused_after; the next run does after usage-signals ledger \
             resolve KEY --as failed"
                .to_owned(),
        ),
    })
}

pub(super) fn show(common: &Common, report: &Report<'_>) -> String {
    match common.format {
        Format::Json => json_text(&report::to_json(report)),
        Format::Table | Format::Csv => report::to_table(report, terminal_width()),
    }
}

/// Warns of each rule that could not be evaluated for any contact: it cannot fire, and without a warning nobody would notice.
fn undecided_rules(read: &ContactsRead<RemoteError>) -> impl Iterator<Item = Problem> {
    // A few chosen contacts say nothing about the others.
    let everybody = read.scope.contacts.is_none();
    let undecided = read.sightings.decided.iter().filter(move |(_, decided)| everybody && **decided == 0);
    undecided.map(|(signal, _)| Problem {
        message: format!("the rule {signal} could not be evaluated for any contact: no contact has the attributes it needs"),
        help: Some(
            "the report lists the attributes under \"Could not be evaluated\"; have the product write them, or switch the rule off"
                .to_owned(),
        ),
    })
}

/// Renders the tasks and messages of a plan, in the order of a run.
pub(super) fn previews(plan: &Plan, setup: &Setup) -> Previews {
    let mut tasks = Vec::new();
    let mut messages = Vec::new();
    // By the short key of the message.
    let mut news = BTreeMap::new();
    for (item, action) in plan.to_do() {
        match &action.order {
            Some(Order::Task(task)) => tasks.push(zoho::preview(task, &setup.links)),
            Some(Order::Message(message)) => {
                let mut message = message.as_ref().clone();
                if let Some(task) = task_of(item) {
                    news.insert(message.short.clone(), made(task, &setup.links));
                    message.task = zoho::longest_news(&setup.links);
                }
                messages.push(message);
            }
            Some(Order::Tag(_)) | None => {}
        }
    }
    let slack = &setup.config.slack;
    let channel = slack.channel.as_deref();
    // A run cuts its digests before it knows the ids of the tasks. They are longer than the placeholders shown here.
    let mut batches = slack::batches(messages, channel.is_some(), slack.max_messages);
    for message in batches.iter_mut().flatten() {
        if let Some(task) = news.remove(&message.short) {
            message.task = task;
        }
    }
    let messages = batches.iter().filter_map(|batch| slack::Preview::of(batch, channel));
    let of_task = |task: zoho::Preview| Preview {
        heading: format!("{} {}", ActionKind::Task.label(), task.key),
        page: task.page,
        payload: json!({ "key": task.key, "record": task.record, "lead_fields": task.lead_fields }),
    };
    let of_message = |message: slack::Preview| Preview {
        heading: format!("{} {}", ActionKind::Message.label(), message.keys.join(", ")),
        page: message.page,
        payload: json!({ "keys": message.keys, "body": message.body }),
    };
    Previews::from([
        (SinkKind::Tasks, tasks.into_iter().map(of_task).collect()),
        (SinkKind::Messages, messages.map(of_message).collect()),
    ])
}

fn task_of(item: &Item) -> Option<&Task> {
    let mut to_do = item.actions.iter().filter(|action| action.decision == Decision::Do);
    to_do.find_map(|action| match &action.order {
        Some(Order::Task(task)) => Some(task.as_ref()),
        _ => None,
    })
}

/// The news of a task as the message shows it once the task exists, with a placeholder for its id.
fn made(task: &Task, links: &Links) -> TaskNews {
    let record_url = zoho::foreseen_link(task).record().map(|record| links.record(record));
    TaskNews::Done { task_url: links.task("TASK-ID"), record_url }
}
