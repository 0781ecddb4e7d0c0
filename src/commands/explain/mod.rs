//! `explain`: why a contact gives a signal, why it does not, and what a scan would do now.
//!
//! The rule part is a pure function of one contact ([`crate::rules::RuleSet::explain`]); what a scan would do is the plan of
//! `scan --dry-run --contact` itself, never worked out a second time.

mod history;
mod json;
mod page;
mod text_page;
mod verdicts;
mod words;

use std::io::{IsTerminal, Read as _};

use super::scan::{self, DryRun, NoContact};
use super::setup::Setup;
use crate::apply::stop::Stop;
use crate::cli::{Common, Explain as Arguments, Format, Scan};
use crate::exit::{Exit, Fatal};
use crate::ledger::{LEDGER_FILE, LedgerReader};
use crate::model::{Contact, Known, Occasion, SubjectKind, Truth, forgotten_mark};
use crate::read::{Company, TagName};
use crate::remote::intercom::{Intercom, read_webhook_payload};
use crate::rules::Explanation;
use crate::telemetry;

/// Everything that is said about a contact.
struct ExplainReport<'a> {
    setup: &'a Setup,
    /// The Intercom workspace, where it is known: without a token, from the ledger.
    workspace: Option<String>,
    /// The contact asked for, and those that share its e-mail: one person, to rules about contacts.
    people: Vec<ContactReport>,
    /// What the ledger has of them and of their accounts, open occasions first.
    occasions: Vec<Occasion>,
    /// What a scan would do now; None where Intercom could not be asked.
    looked: Option<DryRun>,
    /// What is left out, and what to keep in mind.
    notes: Vec<String>,
}

/// One contact.
struct ContactReport {
    contact: Contact,
    explanation: Explanation,
    /// All its tags by name; None where Intercom was not asked.
    tags: Option<Vec<TagName>>,
    /// All its companies by name; None where Intercom was not asked.
    companies: Option<Vec<Company>>,
    /// Whether a person had it forgotten.
    forgotten: bool,
}

impl ContactReport {
    /// Why no scan looks at the contact, whatever the rules say of it; None where scans do.
    fn left_out(&self) -> Option<&'static str> {
        match self.explanation.included() {
            _ if self.forgotten => Some("the contact was forgotten (usage-signals ledger forget)"),
            Truth::True => None,
            Truth::False => Some("[scan] include is false for it"),
            Truth::Unknown => Some("[scan] include cannot be decided for it"),
        }
    }

    /// The ids of its companies, by the fullest list there is.
    fn company_ids(&self) -> Vec<&str> {
        match &self.companies {
            Some(companies) => companies.iter().map(|company| company.id.as_str()).collect(),
            None => self.contact.companies.ids.iter().map(String::as_str).collect(),
        }
    }
}

/// Runs the command as it was typed.
pub async fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Fatal> {
    let from_stdin = arguments.contact == "-";
    let setup = if from_stdin { Setup::to_look_offline(common)? } else { Setup::to_look(common)? };
    let stop = scan::listen(&Scan::default(), &setup)?;
    let (report, exit) = match from_stdin {
        true => given(common, &setup, stop).await?,
        false => asked(common, &setup, stop, &arguments.contact).await?,
    };
    match common.format {
        Format::Json => super::print_json(&json::render(&report, exit))?,
        Format::Table | Format::Csv => {
            let colored = telemetry::colored(common.color, std::io::stdout().is_terminal());
            super::print(&page::render(&report, super::terminal::terminal_width(), colored))?;
        }
    }
    Ok(exit)
}

/// A contact that Intercom is asked for.
async fn asked<'a>(
    common: &Common,
    setup: &'a Setup,
    stop: Stop,
    wanted: &str,
) -> Result<(ExplainReport<'a>, Exit), Fatal> {
    let attributes = setup.config.rules.explained_attributes();
    let mut looked = scan::look_at(common, setup, stop.clone(), wanted, &attributes).await?;
    let contacts = std::mem::take(&mut looked.read.chosen);
    if contacts.is_empty() {
        return Err(nobody(looked, wanted));
    }
    let intercom = setup.intercom(&stop)?;
    let mut report = ExplainReport::new(setup, contacts);
    for person in &mut report.people {
        ask_details(&intercom, person).await?;
    }
    let exit = report.add_looked(looked);
    Ok((report, exit))
}

/// Why there is no contact, though Intercom did not say that there is none.
fn nobody(looked: DryRun, wanted: &str) -> Fatal {
    if let Some(error) = looked.read.broken_off {
        return error.into();
    }
    let why = looked.read.undecodable.first().map_or("Intercom did not send it", |(_, why)| why);
    let error = anyhow::anyhow!("the contact {wanted:?} cannot be read: it {why}");
    Fatal { exit: Exit::Failed, error, help: Some("look at it in Intercom; a scan skips it, and says so".to_owned()) }
}

/// A contact on standard input. Intercom is asked where there is a token; without one, rules and ledger have their say.
async fn given<'a>(common: &Common, setup: &'a Setup, stop: Stop) -> Result<(ExplainReport<'a>, Exit), Fatal> {
    let contact = read_stdin(setup)?;
    let id = contact.id.clone();
    let mut report = ExplainReport::new(setup, vec![contact]);
    let (why, exit) = if setup.credentials.intercom.is_none() {
        ("INTERCOM_ACCESS_TOKEN is not set".to_owned(), Exit::Done)
    } else {
        let attributes = setup.config.rules.explained_attributes();
        match scan::look_at(common, setup, stop.clone(), &id, &attributes).await {
            Ok(looked) => {
                let intercom = setup.intercom(&stop)?;
                for person in &mut report.people {
                    ask_details(&intercom, person).await?;
                }
                let exit = report.add_looked(looked);
                let note = "A scan reads the contact from Intercom: where that differs from standard input, that is what counts.";
                report.notes.push(note.to_owned());
                return Ok((report, exit));
            }
            // That there is such a contact was never claimed: what it says is explained all the same.
            Err(fatal) if fatal.error.is::<NoContact>() => (fatal.error.to_string(), Exit::Done),
            Err(fatal) => (format!("{:#}", fatal.error), fatal.exit),
        }
    };
    let what = "What a scan would do, and the names of tags and accounts, are left out";
    report.notes.push(format!("{what}: {why}"));
    let ledger = LedgerReader::open(&setup.state_dir.join(LEDGER_FILE))?;
    report.workspace = ledger.workspace().map(str::to_owned);
    report.add_known(ledger.known());
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
            None => anyhow::anyhow!("what stands on standard input {}", undecodable.why),
        };
        Fatal::usage(error).with_help(
            "give it one contact, as Intercom's GET /contacts/{id} returns it, or a webhook's notification that holds it as \
             data.item",
        )
    })
}

/// The names of tags and companies: the contact itself has ids, and ten of each at most.
async fn ask_details(intercom: &Intercom, person: &mut ContactReport) -> Result<(), Fatal> {
    person.tags = intercom.contact_tags(&person.contact.id).await?;
    // Intercom lists them in the order in which they were put on.
    person.tags.iter_mut().for_each(|tags| tags.sort_by(|a, b| a.name.cmp(&b.name)));
    person.companies = intercom.contact_companies(&person.contact.id).await?;
    Ok(())
}

impl<'a> ExplainReport<'a> {
    fn new(setup: &'a Setup, contacts: Vec<Contact>) -> ExplainReport<'a> {
        let people = contacts.into_iter().map(|contact| ContactReport {
            explanation: setup.config.rules.explain(&contact, setup.as_of),
            contact,
            tags: None,
            companies: None,
            forgotten: false,
        });
        let people = people.collect();
        ExplainReport { setup, workspace: None, people, occasions: Vec::new(), looked: None, notes: Vec::new() }
    }

    /// What the ledger has.
    fn add_known(&mut self, known: &Known) {
        self.occasions = concerning(known, &self.people);
        for person in &mut self.people {
            person.forgotten = known.forgotten.contains(&forgotten_mark(&person.contact.id));
        }
    }

    /// For each contact that no scan looks at, why.
    fn left_out(&self) -> Vec<String> {
        let why = |person: &ContactReport| {
            let why = person.left_out()?;
            Some(format!("no scan looks at contact {}: {why}", person.contact.id))
        };
        self.people.iter().filter_map(why).collect()
    }

    /// What Intercom and the ledger know; returns how a dry run would end.
    fn add_looked(&mut self, looked: DryRun) -> Exit {
        self.workspace = Some(looked.plan.workspace.clone());
        self.add_known(looked.ledger.known());
        let exit = looked.report().1;
        self.looked = Some(looked);
        exit
    }
}

/// The occasions that concern one of the people, or an account of theirs; open ones first.
fn concerning(known: &Known, people: &[ContactReport]) -> Vec<Occasion> {
    let concerns = |occasion: &&Occasion| {
        let subject = &occasion.id.subject;
        people.iter().any(|person| {
            let id = &person.contact.id;
            let same_person = occasion.person.is_some() && occasion.person == person.contact.person();
            match subject.kind {
                SubjectKind::Account if person.company_ids().contains(&subject.id.as_str()) => true,
                _ => occasion.contacts.contains(id) || subject.id == *id || same_person,
            }
        })
    };
    let mut occasions: Vec<_> = known.occasions.iter().filter(concerns).cloned().collect();
    occasions.sort_by_key(|occasion| {
        (!occasion.is_open(), occasion.id.signal.clone(), std::cmp::Reverse(occasion.id.opened_at), occasion.id.clone())
    });
    occasions
}
