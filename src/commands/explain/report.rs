//! The answer of `explain` as a value, from which the page and the JSON are rendered.

use super::super::scan::DryRun;
use super::super::setup::Setup;
use super::words::tame;
use crate::exit::Exit;
use crate::model::{Contact, Known, Occasion, SubjectKind, Truth, forgotten_mark};
use crate::read::{Company, TagName};
use crate::rules::Explanation;

pub(super) struct ExplainReport<'a> {
    pub setup: &'a Setup,
    /// The Intercom workspace, if it is known. Without a token, the ledger may know it.
    pub workspace: Option<String>,
    /// The region that hosts it, in Intercom's word.
    pub region: Option<String>,
    /// The contact, and the contacts that share its e-mail: rules about contacts treat them as one person.
    pub people: Vec<ContactReport>,
    /// The occasions of these contacts and of their accounts, open ones first.
    pub occasions: Vec<Occasion>,
    /// The dry run of a scan; None if Intercom could not be asked.
    pub dry_run: Option<DryRun>,
    /// Remarks about the answer, such as parts that are missing.
    pub notes: Vec<String>,
}

pub(super) struct ContactReport {
    pub contact: Contact,
    pub explanation: Explanation,
    /// All its tags by name; None if Intercom was not asked.
    pub tags: Option<Vec<TagName>>,
    /// All its companies by name; None if Intercom was not asked.
    pub companies: Option<Vec<Company>>,
    /// Whether `ledger forget` removed the contact.
    pub forgotten: bool,
}

impl ContactReport {
    /// Returns why scans skip the contact, whatever the rules say; None if they do not skip it.
    pub(super) fn left_out(&self) -> Option<&'static str> {
        match self.explanation.included() {
            _ if self.forgotten => Some("the contact was forgotten (usage-signals ledger forget)"),
            Truth::True => None,
            Truth::False => Some("[scan] include is false for it"),
            Truth::Unknown => Some("[scan] include could not be evaluated for it"),
        }
    }

    /// Returns its companies that have the snooze tag, as far as Intercom was asked.
    pub(super) fn snoozed_companies(&self, snooze_tag: &str) -> impl Iterator<Item = &Company> {
        self.companies.iter().flatten().filter(move |company| company.has_tag(snooze_tag))
    }

    /// Returns who has the snooze tag, in words: the contact, its companies.
    pub(super) fn snoozed_on(&self, snooze_tag: &str) -> Vec<String> {
        let tagged = self.tags.iter().flatten().any(|tag| tag.is_named(snooze_tag));
        let companies = self.snoozed_companies(snooze_tag).map(|one| format!("the company {}", tame(one.label())));
        tagged.then(|| "the contact".to_owned()).into_iter().chain(companies).collect()
    }

    /// Returns the ids of its companies, from the fullest list that was read.
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
        let (workspace, region) = (None, None);
        ExplainReport { setup, workspace, region, people, occasions: Vec::new(), dry_run: None, notes: Vec::new() }
    }

    /// Returns the address of a contact's page in Intercom, if the workspace is known.
    pub(super) fn contact_url(&self, id: &str) -> Option<String> {
        let links = self.setup.links.in_region(self.region.as_deref());
        self.workspace.as_ref().map(|workspace| links.contact(workspace, id))
    }

    pub(super) fn add_known(&mut self, known: &Known) {
        self.occasions = concerning(known, &self.people);
        for person in &mut self.people {
            person.forgotten = known.forgotten.contains(&forgotten_mark(&person.contact.id));
        }
    }

    /// Returns a sentence for each contact that scans skip.
    pub(super) fn left_out(&self) -> Vec<String> {
        let why = |person: &ContactReport| {
            let why = person.left_out()?;
            Some(format!("scans skip contact {}: {why}", person.contact.id))
        };
        self.people.iter().filter_map(why).collect()
    }

    pub(super) fn add_dry_run(&mut self, dry_run: DryRun) -> Exit {
        self.workspace = Some(dry_run.plan.workspace.clone());
        self.region = dry_run.region.clone();
        self.add_known(&dry_run.ledger.known);
        let exit = dry_run.report().1;
        self.dry_run = Some(dry_run);
        exit
    }
}

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
