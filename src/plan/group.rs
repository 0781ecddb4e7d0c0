//! Groups the contacts that signal into subjects: accounts and persons.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::facts::Facts;
use super::sightings::{Hit, Sightings};
use crate::model::{Contact, Known, Occasion, OccasionId, Subject, SubjectKind};
use crate::rules::{Rule, RuleSet};

/// The contacts that make one rule hold for one subject.
#[derive(Debug, Clone)]
pub(crate) struct Group<'a> {
    pub rule: &'a Rule,
    pub subject: Subject,
    /// The contacts for which the rule holds, by id; never empty.
    pub hits: Vec<&'a Hit>,
    pub open: Option<&'a Occasion>,
    /// The last occasion that ended, if none is open.
    pub ended: Option<&'a Occasion>,
    /// Whether this group continues the task and the thread of the ended occasion. Contacts that were one person then may be
    /// several now, and one group continues.
    pub continues_ended: bool,
}

impl Group<'_> {
    /// The highest level of the contacts.
    pub fn level(&self) -> &str {
        let levels = self.hits.iter().map(|hit| hit.level.as_str());
        levels.max_by_key(|level| self.rule.rank(level)).unwrap_or_default()
    }

    /// The contact whose figures are shown. It is at the highest level, because a text must not contradict its level.
    ///
    /// Among those, the contact fixed at opening comes first. Then come the primary ones (`[scan] primary_when`), the one seen
    /// last, and the lowest id.
    pub fn representative(&self) -> Option<&Hit> {
        self.hits.iter().copied().min_by_key(|hit| self.precedence(hit))
    }

    /// The contacts in the order in which they would represent the others, if those before them were not there.
    pub fn by_precedence(&self) -> Vec<&Hit> {
        let mut hits = self.hits.clone();
        hits.sort_by_cached_key(|hit| self.precedence(hit));
        hits
    }

    fn precedence(&self, hit: &Hit) -> impl Ord + use<> {
        let contact = &hit.contact;
        let is_fixed = self.open.is_some_and(|occasion| occasion.representative == contact.id);
        let rank = self.rule.rank(&hit.level);
        (Reverse(rank), !is_fixed, !hit.is_primary, Reverse(contact.last_seen_at), contact.id.clone())
    }

    /// The company to name: the account itself, or the person's company with the lowest id.
    pub fn company(&self, facts: &Facts) -> Option<String> {
        match self.subject.kind {
            SubjectKind::Account => Some(self.subject.id.clone()),
            SubjectKind::Contact => facts.companies_of(&self.representative()?.contact).into_iter().next(),
        }
    }
}

/// The contacts that the run kept, by what makes them one subject: company and e-mail.
#[derive(Debug)]
pub(super) struct SubjectIndex<'s> {
    by_company: BTreeMap<String, Vec<&'s Contact>>,
    by_email: BTreeMap<String, Vec<&'s Contact>>,
}

impl<'s> SubjectIndex<'s> {
    pub(super) fn of(sightings: &'s Sightings, facts: &Facts) -> Self {
        let mut index = SubjectIndex { by_company: BTreeMap::new(), by_email: BTreeMap::new() };
        for contact in sightings.kept() {
            for company in facts.companies_of(contact) {
                index.by_company.entry(company).or_default().push(contact);
            }
            if let Some(email) = contact.email_key() {
                index.by_email.entry(email).or_default().push(contact);
            }
        }
        index
    }

    /// The kept contacts of the group's subject for which the rule does not hold. They may carry its tag.
    pub(super) fn others(&self, group: &Group<'_>) -> Vec<&'s Contact> {
        let signalling: BTreeSet<_> = group.hits.iter().map(|hit| hit.contact.id.as_str()).collect();
        let all: Vec<&'s Contact> = match group.subject.kind {
            SubjectKind::Account => self.by_company.get(&group.subject.id).into_iter().flatten().copied().collect(),
            SubjectKind::Contact => {
                let emails: BTreeSet<_> = group.hits.iter().filter_map(|hit| hit.contact.email_key()).collect();
                emails.iter().filter_map(|email| self.by_email.get(email)).flatten().copied().collect()
            }
        };
        all.into_iter().filter(|contact| !signalling.contains(contact.id.as_str())).collect()
    }
}

/// Groups the contacts of every rule into subjects, sorted by rule and subject.
pub(crate) fn group<'a>(
    rules: &'a RuleSet,
    sightings: &'a Sightings,
    facts: &Facts,
    known: &'a Known,
) -> Vec<Group<'a>> {
    let mut groups = Vec::new();
    for rule in &rules.rules {
        let occasions = Occasions::of(rule, known);
        let by_email = subjects_by_email(rule, sightings, facts, &occasions);
        let mut subjects: BTreeMap<Subject, Vec<&Hit>> = BTreeMap::new();
        for hit in sightings.hits(&rule.signal) {
            subjects.entry(subject_of(rule, hit, facts, &occasions, &by_email)).or_default().push(hit);
        }
        groups.extend(subjects.into_iter().map(|(subject, hits)| {
            let open = occasions.open.get(&subject).copied();
            let ended = if open.is_some() { None } else { occasions.ended(&subject, &hits) };
            Group { rule, subject, hits, open, ended, continues_ended: false }
        }));
    }
    choose_continuing_groups(&mut groups);
    groups
}

/// Chooses, among the groups with one ended occasion, the group that continues it: the occasion's own subject, else the lowest.
fn choose_continuing_groups(groups: &mut [Group<'_>]) {
    let mut continuing: BTreeMap<&OccasionId, Subject> = BTreeMap::new();
    for group in groups.iter() {
        let Some(ended) = group.ended else { continue };
        if group.subject == ended.id.subject {
            continuing.insert(&ended.id, group.subject.clone());
        }
        continuing.entry(&ended.id).or_insert_with(|| group.subject.clone());
    }
    for group in groups {
        group.continues_ended = group.ended.is_some_and(|ended| continuing.get(&ended.id) == Some(&group.subject));
    }
}

fn subject_of(
    rule: &Rule,
    hit: &Hit,
    facts: &Facts,
    occasions: &Occasions<'_>,
    by_email: &BTreeMap<String, Subject>,
) -> Subject {
    if let Some(occasion) = occasions.open_by_contact.get(hit.contact.id.as_str()) {
        return occasion.id.subject.clone(); // a contact stays in the occasion that concerns it
    }
    if rule.scope == SubjectKind::Account {
        let account = |id| Subject { kind: SubjectKind::Account, id };
        let accounts: Vec<_> = facts.companies_of(&hit.contact).into_iter().map(account).collect();
        let with_occasion = accounts.iter().find(|account| occasions.open.contains_key(account));
        if let Some(account) = with_occasion.or_else(|| accounts.first()) {
            return account.clone();
        }
    }
    let of_person = hit.contact.email_key().and_then(|email| by_email.get(&email).cloned());
    of_person.unwrap_or_else(|| Subject { kind: SubjectKind::Contact, id: hit.contact.id.clone() })
}

/// The ledger's occasions of one rule.
struct Occasions<'a> {
    open: BTreeMap<&'a Subject, &'a Occasion>,
    open_by_contact: BTreeMap<&'a str, &'a Occasion>,
    open_by_person: BTreeMap<&'a str, &'a Occasion>,
    /// The subject's last ended occasion.
    ended: BTreeMap<&'a Subject, &'a Occasion>,
    /// The last ended occasion of a person, by contact.
    ended_by_contact: BTreeMap<&'a str, &'a Occasion>,
    ended_by_person: BTreeMap<&'a str, &'a Occasion>,
}

impl<'a> Occasions<'a> {
    fn of(rule: &Rule, known: &'a Known) -> Self {
        let mut all: Vec<_> = known.occasions.iter().filter(|occasion| occasion.id.signal == rule.signal).collect();
        all.sort_by_key(|occasion| occasion.id.opened_at); // the last one stays in the maps
        let (open, ended): (Vec<_>, Vec<_>) = all.into_iter().partition(|occasion| occasion.is_open());
        let by_subject = |occasions: &[&'a Occasion]| -> BTreeMap<&'a Subject, &'a Occasion> {
            occasions.iter().map(|&occasion| (&occasion.id.subject, occasion)).collect()
        };
        let by_contact = |occasions: &[&'a Occasion]| -> BTreeMap<&'a str, &'a Occasion> {
            let contacts = |occasion: &'a Occasion| occasion.contacts.iter().map(move |id| (id.as_str(), occasion));
            occasions.iter().copied().flat_map(contacts).collect()
        };
        let of_persons: Vec<_> =
            ended.iter().copied().filter(|occasion| occasion.id.subject.kind == SubjectKind::Contact).collect();
        let by_person = |occasions: &[&'a Occasion]| -> BTreeMap<&'a str, &'a Occasion> {
            occasions.iter().filter_map(|&occasion| Some((occasion.person.as_deref()?, occasion))).collect()
        };
        Occasions {
            open: by_subject(&open),
            open_by_contact: by_contact(&open),
            open_by_person: by_person(&open),
            ended: by_subject(&ended),
            ended_by_contact: by_contact(&of_persons),
            ended_by_person: by_person(&of_persons),
        }
    }

    /// The subject's last ended occasion. A person is also recognised by its contacts, because its lowest id may have changed.
    fn ended(&self, subject: &Subject, hits: &[&Hit]) -> Option<&'a Occasion> {
        let of_contacts = hits.iter().filter(|_| subject.kind == SubjectKind::Contact);
        let of_contacts = of_contacts.filter_map(|hit| {
            let by_person = || self.ended_by_person.get(hit.contact.person()?.as_str());
            self.ended_by_contact.get(hit.contact.id.as_str()).or_else(by_person)
        });
        self.ended.get(subject).into_iter().chain(of_contacts).copied().max_by_key(|occasion| occasion.id.opened_at)
    }
}

/// The subject of each e-mail: contacts with one e-mail are one person.
fn subjects_by_email(
    rule: &Rule,
    sightings: &Sightings,
    facts: &Facts,
    occasions: &Occasions<'_>,
) -> BTreeMap<String, Subject> {
    let mut by_email: BTreeMap<String, Subject> = BTreeMap::new();
    let hits: Vec<_> = sightings.hits(&rule.signal).collect();
    if rule.scope == SubjectKind::Account {
        // A contact without a company belongs to the company of another contact with its e-mail.
        for hit in &hits {
            let account = facts.companies_of(&hit.contact).into_iter().next();
            if let (Some(email), Some(id)) = (hit.contact.email_key(), account) {
                by_email.entry(email).or_insert(Subject { kind: SubjectKind::Account, id });
            }
        }
    }
    for hit in &hits {
        // Hits are sorted by id, so the first contact of an e-mail has the lowest id.
        if let Some(email) = hit.contact.email_key() {
            let id = hit.contact.id.clone();
            by_email.entry(email).or_insert(Subject { kind: SubjectKind::Contact, id });
        }
    }
    // An open occasion of one contact is the occasion of the person, whether or not that contact signals now.
    for contact in sightings.kept() {
        let of_person = || occasions.open_by_person.get(contact.person()?.as_str());
        let occasion = occasions.open_by_contact.get(contact.id.as_str()).or_else(of_person);
        let occasion = occasion.filter(|occasion| occasion.id.subject.kind == SubjectKind::Contact);
        if let (Some(occasion), Some(email)) = (occasion, contact.email_key()) {
            by_email.insert(email, occasion.id.subject.clone());
        }
    }
    by_email
}
