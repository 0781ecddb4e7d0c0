//! `scan`: load, read, evaluate, plan, record, apply, report.

mod output;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use tracing::Instrument;

use super::lock;
use super::sandbox::{Opened, in_sandbox};
use super::setup::{self, Setup};
use super::terminal::ProgressLine;
use crate::apply::sink::Failure;
use crate::apply::stop::Stop;
use crate::apply::{self, Results, Settled, Sinks};
use crate::cli::{Common, Scan};
use crate::exit::{Exit, Fatal, exit_of};
use crate::ledger::lock::Lock;
use crate::ledger::{LEDGER_FILE, LedgerError, LedgerReader, RunRecord, Writer};
use crate::model::Known;
use crate::plan::{self, Input, Mode, Plan, RetryRefused};
use crate::read::{ContactsRead, ReadFailure, ReadRequest, read_contacts};
use crate::remote::error::RemoteError;
use crate::remote::intercom::{Intercom, Workspace};
use crate::report::{Problem, Report, Run, RunMode};

/// `--contact` names a contact that Intercom does not have.
#[derive(Debug, thiserror::Error)]
#[error("Intercom has no contact {0:?}")]
pub(super) struct NoContact(String);

/// How a scan ended.
#[derive(Debug)]
pub struct ScanOutcome {
    /// The plan.
    pub plan: Plan,
    /// The results of its actions; None in a dry run.
    pub results: Option<Results>,
    /// The report, as it is printed.
    pub report: String,
    /// The exit code.
    pub exit: Exit,
}

pub(super) async fn run(common: &Common, arguments: &Scan) -> Result<Exit, Fatal> {
    let process = setup::process_environment();
    let state_dir = setup::state_dir(common, &process)?;
    // The sandbox serves until it is dropped.
    let sandbox = arguments.sandbox.as_ref();
    let opened = sandbox.map(|dir| Opened::open(dir.as_deref(), &state_dir, arguments, common.as_of));
    let mut opened = opened.transpose()?;
    let setup = match &opened {
        Some(opened) => {
            let environment = in_sandbox(&opened.sandbox, process);
            Setup::new(common, arguments, &environment, opened.state_dir.clone(), true)?
        }
        None => Setup::new(common, arguments, &process, state_dir, false)?,
    };
    let stop = setup::listen(arguments.deadline.unwrap_or(setup.config.deadline))?;
    let lock = opened.as_mut().and_then(|opened| opened.lock.take());
    let outcome = scan(common, arguments, &setup, stop, lock).await?;
    super::print(&outcome.report)?;
    Ok(outcome.exit)
}

/// Scans with a finished setup. A real run takes the lock, unless the caller passes one.
pub async fn scan(
    common: &Common,
    arguments: &Scan,
    setup: &Setup,
    stop: Stop,
    lock: Option<Lock>,
) -> Result<ScanOutcome, Fatal> {
    let run = format!("{:012x}", fastrand::u64(..) >> 16);
    let span = tracing::error_span!("scan", run.id = run);
    let wanted = setup.config.rules.wanted();
    let stages = Stages { common, arguments, setup, stop, run, started_at: Utc::now(), wanted };
    let work = async { if arguments.dry_run { stages.dry_run().await } else { stages.real_run(lock).await } };
    work.instrument(span).await
}

/// A dry run: the contacts it read, and the plan it made.
#[derive(Debug)]
pub(super) struct DryRun {
    arguments: Scan,
    run: Run,
    pub ledger: LedgerReader,
    /// The region that hosts the workspace, in Intercom's word.
    pub region: Option<String>,
    pub read: ContactsRead<RemoteError>,
    /// The plan of a run now.
    pub plan: Plan,
    about_setup: Vec<Problem>,
}

impl DryRun {
    /// Makes the report of `scan --dry-run`, and its exit code.
    pub fn report(&self) -> (Report<'_>, Exit) {
        let finished = output::Finished {
            plan: &self.plan,
            results: None,
            previews: None,
            about_setup: &self.about_setup,
            unsettled: &[],
            ledger_errors: &[],
        };
        output::report(&self.arguments, self.run.clone(), &self.read, finished)
    }
}

/// Makes the dry run of `scan --dry-run --contact`, for a command with its own output. Keeps all attributes that explain
/// shows.
pub(super) async fn dry_run_of(common: &Common, setup: &Setup, stop: Stop, contact: &str) -> Result<DryRun, Fatal> {
    let wanted = &setup.config.rules.explained_attributes();
    let arguments = &Scan { dry_run: true, contact: vec![contact.to_owned()], ..Scan::default() };
    Stages { common, arguments, setup, stop, run: String::new(), started_at: Utc::now(), wanted }.look().await
}

struct Stages<'a> {
    common: &'a Common,
    arguments: &'a Scan,
    setup: &'a Setup,
    stop: Stop,
    run: String,
    started_at: DateTime<Utc>,
    wanted: &'a BTreeSet<String>,
}

impl Stages<'_> {
    /// Plans, and writes nothing: a read-only ledger, no lock, no sinks.
    async fn dry_run(&self) -> Result<ScanOutcome, Fatal> {
        let DryRun { read, plan, run, .. } = self.look().await?;
        Ok(self.finish(run, &read, plan, None, &[], &[]))
    }

    async fn look(&self) -> Result<DryRun, Fatal> {
        let ledger = LedgerReader::open(&self.setup.state_dir.join(LEDGER_FILE))?;
        let intercom = self.setup.intercom(&self.stop)?;
        let known_for = ledger.workspace_of(intercom.credential());
        let (workspace, unconfirmed) = workspace(&intercom, known_for, ledger.region.clone()).await?;
        if let Some(bound) = ledger.workspace.clone().filter(|bound| *bound != workspace.id) {
            let path = self.setup.state_dir.join(LEDGER_FILE);
            return Err(LedgerError::OtherWorkspace { path, bound, asked: workspace.id }.into());
        }
        let mut known = ledger.known.clone();
        self.retry_refused().plan_again(&mut known);
        let read = self.read(&intercom, &known, unconfirmed).await?;
        let plan = self.plan(&workspace, &read, &known);
        let run = self.described(&workspace, RunMode::DryRun);
        let (arguments, about_setup) = (self.arguments.clone(), self.setup.warnings.clone());
        Ok(DryRun { arguments, run, ledger, region: workspace.region, read, plan, about_setup })
    }

    async fn real_run(&self, lock: Option<Lock>) -> Result<ScanOutcome, Fatal> {
        let lock = match lock {
            Some(lock) => lock,
            None => {
                let doing = format!("run {}", self.run);
                let waits = self.arguments.wait_lock;
                lock::wait(&self.setup.state_dir, waits, &doing, self.started_at, &self.stop).await?
            }
        };
        let ledger = Writer::open(&self.setup.state_dir.join(LEDGER_FILE), &lock)?;
        let intercom = self.setup.intercom(&self.stop)?;
        let sinks = self.setup.sinks(&intercom, &self.stop)?;
        let known_for = ledger.workspace_of(intercom.credential())?;
        let workspace = workspace(&intercom, known_for, ledger.region()?).await;
        let (workspace, unconfirmed) = workspace.inspect_err(|fatal| self.write_end(&ledger, fatal))?;
        // Another workspace's ledger is left as it is.
        ledger.bind(&workspace.id)?;
        ledger.remember_credential(intercom.credential())?;
        workspace.region.as_deref().map_or(Ok(()), |region| ledger.remember_region(region))?;
        ledger.write_run(&self.run_record())?;
        let outcome = self.recorded_run(&ledger, &intercom, sinks, &workspace, unconfirmed).await;
        outcome.inspect_err(|fatal| self.write_end(&ledger, fatal))
    }

    /// Records that the run ended with an error. A failure to record is ignored, so that the first error is the one shown;
    /// `status` then says that the run did not end.
    fn write_end(&self, ledger: &Writer, fatal: &Fatal) {
        let (finished_at, exit_code) = (Some(Utc::now()), Some(fatal.exit.code()));
        let _ = ledger.write_run(&RunRecord { finished_at, exit_code, ..self.run_record() });
    }

    async fn recorded_run(
        &self,
        ledger: &Writer,
        intercom: &Intercom,
        mut sinks: Sinks<'_>,
        workspace: &Workspace,
        unconfirmed: Option<RemoteError>,
    ) -> Result<ScanOutcome, Fatal> {
        let unsettled = self.settle(ledger, &mut sinks).await?.failures;
        let mut known = ledger.known()?;
        ledger.record(&self.retry_refused().plan_again(&mut known))?;
        let read = self.read(intercom, &known, unconfirmed).await?;
        let plan = self.plan(workspace, &read, &known);
        ledger.record(&plan.changes())?;
        ledger.remember(&self.run, &plan.shares)?;
        let (results, failed) = apply::apply(&plan, ledger, &mut sinks, &self.setup.links, &self.stop).await;
        let mut ledger_errors: Vec<_> = failed.into_iter().collect();
        let run = self.described(workspace, RunMode::Apply);
        let outcome = self.finish(run, &read, plan, Some(results), &unsettled, &ledger_errors);
        let record = RunRecord {
            finished_at: Some(Utc::now()),
            exit_code: Some(outcome.exit.code()),
            scanned: Some(read.sightings.scanned),
            signalled: Some(read.sightings.signalled.len()),
            ..self.run_record()
        };
        let Err(error) = ledger.write_run(&record) else { return Ok(outcome) };
        // The actions are done: the report shows them, even though the ledger could not record the end of the run.
        ledger_errors.push(error);
        let run = self.described(workspace, RunMode::Apply);
        Ok(self.finish(run, &read, outcome.plan, outcome.results, &unsettled, &ledger_errors))
    }

    /// The record of the run while it is under way.
    fn run_record(&self) -> RunRecord {
        let started_at = Some(self.started_at);
        RunRecord { id: self.run.clone(), as_of: self.setup.as_of, started_at, ..RunRecord::default() }
    }

    /// Asks about the claims that earlier runs left open.
    async fn settle(&self, ledger: &Writer, sinks: &mut Sinks<'_>) -> Result<Settled, Fatal> {
        let when_in_doubt = self.setup.config.slack.when_in_doubt;
        let rules = &self.setup.config.rules;
        let tag_of = |signal: &str| rules.rule(signal).map(|rule| rule.tag.clone());
        Ok(apply::settle(&ledger.known()?, ledger, sinks, tag_of, when_in_doubt, self.setup.as_of).await?)
    }

    fn retry_refused(&self) -> RetryRefused<'_> {
        let Setup { config, as_of, sinks_on, .. } = self.setup;
        let after = config.plan.retry_refused_after;
        RetryRefused { after, as_of: *as_of, rules: &config.rules, sinks: sinks_on }
    }

    async fn read(
        &self,
        intercom: &Intercom,
        known: &Known,
        unconfirmed: Option<RemoteError>,
    ) -> Result<ContactsRead<RemoteError>, Fatal> {
        let request = ReadRequest {
            rules: &self.setup.config.rules,
            known,
            as_of: self.setup.as_of,
            only: &self.arguments.only,
            contacts: &self.arguments.contact,
            wanted: self.wanted,
            progress: &ProgressLine::new(self.common.quiet),
        };
        read_contacts(intercom, &request, unconfirmed).await.map_err(|failure| match failure {
            ReadFailure::CredentialRefused(error) => error.into(),
            ReadFailure::NoContact(wanted) => Fatal::usage(NoContact(wanted))
                .with_help("name a contact by its id in Intercom, or by its e-mail exactly as Intercom has it"),
        })
    }

    fn plan(&self, workspace: &Workspace, read: &ContactsRead<RemoteError>, known: &Known) -> Plan {
        plan::build(&Input {
            workspace: &workspace.id,
            as_of: self.setup.as_of,
            rules: &self.setup.config.rules,
            settings: &self.setup.config.plan,
            links: &self.setup.links.in_region(workspace.region.as_deref()),
            sinks: &self.setup.sinks_on,
            mode: Mode {
                baseline: self.arguments.baseline,
                allow_large_plan: self.arguments.allow_large_plan,
                accept: self.arguments.accept.iter().cloned().collect(),
            },
            scope: read.scope.clone(),
            sightings: &read.sightings,
            facts: &read.facts,
            known,
        })
    }

    fn described(&self, workspace: &Workspace, mode: RunMode) -> Run {
        Run {
            id: self.run.clone(),
            mode,
            as_of: self.setup.as_of,
            started_at: self.started_at,
            finished_at: Utc::now(),
            workspace: workspace.id.clone(),
        }
    }

    fn finish(
        &self,
        run: Run,
        read: &ContactsRead<RemoteError>,
        plan: Plan,
        results: Option<Results>,
        unsettled: &[Failure],
        ledger_errors: &[LedgerError],
    ) -> ScanOutcome {
        let previews = self.arguments.preview.then(|| output::previews(&plan, self.setup));
        let (results_seen, about_setup) = (results.as_ref(), self.setup.warnings.as_slice());
        let finished =
            output::Finished { plan: &plan, results: results_seen, previews, about_setup, unsettled, ledger_errors };
        let (report, exit) = output::report(self.arguments, run, read, finished);
        let report = output::show(self.common, &report);
        ScanOutcome { plan, results, report, exit }
    }
}

/// Returns the workspace of the token. If Intercom does not answer, returns the workspace and region that the ledger knows for
/// this token, with the error: the run then plans nothing new, and finishes what is unfinished.
async fn workspace(
    intercom: &Intercom,
    known_for: Option<String>,
    region: Option<String>,
) -> Result<(Workspace, Option<RemoteError>), Fatal> {
    match (intercom.workspace().await, known_for) {
        (Ok(workspace), _) => Ok((Workspace { region: workspace.region.clone().or(region), ..workspace }, None)),
        (Err(error), Some(id)) if exit_of(&error) == Exit::Incomplete => {
            Ok((Workspace { id, name: None, timezone: None, region }, Some(error)))
        }
        (Err(error), _) => Err(error.into()),
    }
}
