//! `explain`: shows why a contact signals or not, and what a scan would do now.
//!
//! The rule part is a pure function of one contact ([`crate::rules::RuleSet::explain`]). The plan is that of
//! `scan --dry-run --contact`; it is not computed a second time.

mod history;
mod json;
mod page;
mod report;
mod text_page;
mod words;

use std::io::{IsTerminal, Read as _};

use super::scan::{self, DryRun, NoContact};
use super::setup::{self, Setup};
use crate::apply::stop::Stop;
use crate::cli::{Common, Explain as Arguments};
use crate::exit::{Exit, Fatal};
use crate::ledger::{LEDGER_FILE, LedgerReader};
use crate::model::Contact;
use crate::read::ContactSource as _;
use crate::remote::intercom::read_webhook_payload;
use crate::telemetry;
use report::{ContactReport, ExplainReport};

pub async fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Fatal> {
    let from_stdin = arguments.contact == "-";
    let setup = if from_stdin { Setup::to_look_offline(common)? } else { Setup::to_look(common)? };
    let stop = setup::listen(setup.config.deadline)?;
    let (report, exit) = match from_stdin {
        true => given(common, &setup, stop).await?,
        false => asked(common, &setup, stop, &arguments.contact).await?,
    };
    let colored = telemetry::colored(common.color, std::io::stdout().is_terminal());
    let page = page::render(&report, super::terminal::terminal_width(), colored);
    super::show_result(common, &page, &json::render(&report, exit))?;
    Ok(exit)
}

/// Explains a contact that Intercom is asked for.
async fn asked<'a>(
    common: &Common,
    setup: &'a Setup,
    stop: Stop,
    wanted: &str,
) -> Result<(ExplainReport<'a>, Exit), Fatal> {
    let mut dry_run = scan::dry_run_of(common, setup, stop.clone(), wanted).await?;
    let contacts = std::mem::take(&mut dry_run.read.chosen);
    if contacts.is_empty() {
        return Err(nobody(dry_run, wanted));
    }
    let mut report = ExplainReport::new(setup, contacts);
    ask_details(setup, &stop, &mut report).await?;
    let exit = report.add_dry_run(dry_run);
    Ok((report, exit))
}

/// The error for a contact that exists, but could not be read.
fn nobody(dry_run: DryRun, wanted: &str) -> Fatal {
    if let Some(error) = dry_run.read.broken_off {
        return error.into();
    }
    let why = dry_run.read.undecodable.first().map_or("Intercom did not send it", |(_, why)| why);
    let error = anyhow::anyhow!("the contact {wanted:?} cannot be read: it {why}");
    let help = "look at the contact in Intercom; scans skip it, and report it".to_owned();
    Fatal { exit: Exit::Failed, error, help: Some(help) }
}

/// Explains a contact on standard input. Without a token, the answer holds what the rules and the ledger say.
async fn given<'a>(common: &Common, setup: &'a Setup, stop: Stop) -> Result<(ExplainReport<'a>, Exit), Fatal> {
    let contact = read_stdin(setup)?;
    let id = contact.id.clone();
    let mut report = ExplainReport::new(setup, vec![contact]);
    let (why, exit) = if setup.credentials.intercom.is_none() {
        ("INTERCOM_ACCESS_TOKEN is not set".to_owned(), Exit::Done)
    } else {
        match scan::dry_run_of(common, setup, stop.clone(), &id).await {
            Ok(dry_run) => {
                ask_details(setup, &stop, &mut report).await?;
                let exit = report.add_dry_run(dry_run);
                let note = "The plan uses the contact as Intercom has it, which may differ from standard input.";
                report.notes.push(note.to_owned());
                return Ok((report, exit));
            }
            // Standard input may hold a contact that Intercom does not have.
            Err(fatal) if fatal.error.is::<NoContact>() => (fatal.error.to_string(), Exit::Done),
            Err(fatal) => (format!("{:#}", fatal.error), fatal.exit),
        }
    };
    report.notes.push(format!("Not shown: the plan of a scan, and the names of tags and accounts ({why})."));
    let ledger = LedgerReader::open(&setup.state_dir.join(LEDGER_FILE))?;
    report.workspace = ledger.workspace.clone();
    report.region = ledger.region.clone();
    report.add_known(&ledger.known);
    Ok((report, exit))
}

fn read_stdin(setup: &Setup) -> Result<Contact, Fatal> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).map_err(|error| {
        Fatal::usage(anyhow::Error::from(error).context("read standard input")).with_help("pipe a contact's JSON to it")
    })?;
    let json = String::from_utf8_lossy(&bytes);
    read_webhook_payload(&json, &setup.config.rules.explained_attributes()).map_err(|undecodable| {
        let error = match undecodable.why.strip_prefix("data.item") {
            Some(_) => anyhow::anyhow!("standard input: {}", undecodable.why),
            None => anyhow::anyhow!("standard input has no contact: it {}", undecodable.why),
        };
        Fatal::usage(error).with_help(
            "pipe one contact as Intercom's GET /contacts/{id} returns it, or a webhook's notification that has it as \
             data.item",
        )
    })
}

/// Reads the names of all tags and companies. A contact itself holds at most ten ids of each.
async fn ask_details(setup: &Setup, stop: &Stop, report: &mut ExplainReport<'_>) -> Result<(), Fatal> {
    let intercom = setup.intercom(stop)?;
    for ContactReport { contact, tags, companies, .. } in &mut report.people {
        *tags = intercom.contact_tags(&contact.id).await?;
        // Intercom lists tags in the order in which they were added.
        tags.iter_mut().for_each(|tags| tags.sort_by(|a, b| a.name.cmp(&b.name)));
        *companies = intercom.contact_companies(&contact.id).await?;
    }
    Ok(())
}
