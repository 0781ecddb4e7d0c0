//! The answer of `explain` as a value, from which the page and the JSON are rendered.

use super::super::scan::DryRun;
use super::super::setup::Setup;
use crate::exit::Exit;
use crate::model::{Contact, Known, Occasion, SubjectKind, Truth, forgotten_mark};
use crate::read::{Company, TagName};
use crate::rules::Explanation;

/// Everything that is said about a contact.
pub(super) struct ExplainReport<'a> {
    pub setup: &'a Setup,
    /// The Intercom workspace, where it is known: without a token, from the ledger.
    pub workspace: Option<String>,
    /// The contact asked for, and those that share its e-mail: one person, to rules about contacts.
    pub people: Vec<ContactReport>,
    /// What the ledger has of them and of their accounts, open occasions first.
    pub occasions: Vec<Occasion>,
    /// What a scan would do now; None where Intercom could not be asked.
    pub dry_run: Option<DryRun>,
    /// What is left out, and what to keep in mind.
    pub notes: Vec<String>,
}

/// One contact.
pub(super) struct ContactReport {
    pub contact: Contact,
    pub explanation: Explanation,
    /// All its tags by name; None where Intercom was not asked.
    pub tags: Option<Vec<TagName>>,
    /// All its companies by name; None where Intercom was not asked.
    pub companies: Option<Vec<Company>>,
    /// Whether a person had it forgotten.
    pub forgotten: bool,
}

impl ContactReport {
    /// Why no scan looks at the contact, whatever the rules say of it; None where scans do.
    pub(super) fn left_out(&self) -> Option<&'static str> {
        match self.explanation.included() {
            _ if self.forgotten => Some("the contact was forgotten (usage-signals ledger forget)"),
            Truth::True => None,
            Truth::False => Some("[scan] include is false for it"),
            Truth::Unknown => Some("[scan] include cannot be decided for it"),
        }
    }

    /// The ids of its companies, by the fullest list there is.
    pub(super) fn company_ids(&self) -> Vec<&str> {
        match &self.companies {
            Some(companies) => companies.iter().map(|company| company.id.as_str()).collect(),
            None => self.contact.companies.ids.iter().map(String::as_str).collect(),
        }
    }
}

impl<'a> ExplainReport<'a> {
    pub(super) fn new(setup: &'a Setup, contacts: Vec<Contact>) -> ExplainReport<'a> {
        let people = contacts.into_iter().map(|contact| ContactReport {
            explanation: setup.config.rules.explain(&contact, setup.as_of),
            contact,
            tags: None,
            companies: None,
            forgotten: false,
        });
        let people = people.collect();
        ExplainReport { setup, workspace: None, people, occasions: Vec::new(), dry_run: None, notes: Vec::new() }
    }

    /// What the ledger has.
    pub(super) fn add_known(&mut self, known: &Known) {
        self.occasions = concerning(known, &self.people);
        for person in &mut self.people {
            person.forgotten = known.forgotten.contains(&forgotten_mark(&person.contact.id));
        }
    }

    /// For each contact that no scan looks at, why.
    pub(super) fn left_out(&self) -> Vec<String> {
        let why = |person: &ContactReport| {
            let why = person.left_out()?;
            Some(format!("no scan looks at contact {}: {why}", person.contact.id))
        };
        self.people.iter().filter_map(why).collect()
    }

    /// What Intercom and the ledger know; returns how a dry run would end.
    pub(super) fn add_dry_run(&mut self, dry_run: DryRun) -> Exit {
        self.workspace = Some(dry_run.plan.workspace.clone());
        self.add_known(dry_run.ledger.known());
        let exit = dry_run.report().1;
        self.dry_run = Some(dry_run);
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
