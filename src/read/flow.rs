//! The one flow in which contacts are read: pages or chosen contacts first, then what their signals need.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chrono::{DateTime, Utc};
use futures_util::stream::{self, Stream, StreamExt};

use super::source::{Company, ContactSource, Page, Pages, Progress, SourceError, TagName, Undecodable, for_each_page};
use crate::model::{Contact, Known, tag_key};
use crate::plan::{self, Colleagues, Facts, Questions, Scope, Sightings};
use crate::rules::RuleSet;

/// The task of a read.
pub struct ReadRequest<'a> {
    /// The rules that contacts are evaluated by.
    pub rules: &'a RuleSet,
    /// The knowledge of the ledger.
    pub known: &'a Known,
    /// The instant of the evaluation.
    pub as_of: DateTime<Utc>,
    /// `--only`: the signals to evaluate; empty means all.
    pub only: &'a [String],
    /// `--contact`: ids or e-mails of the contacts to read; empty means all.
    pub contacts: &'a [String],
    /// The attributes to keep of a contact, those of the rules among them.
    pub wanted: &'a BTreeSet<String>,
    /// The observer of the walk over all contacts.
    pub progress: &'a dyn Progress,
}

/// The contacts that were read, as far as a plan needs them.
#[derive(Debug)]
pub struct ContactsRead<E> {
    /// The contacts with signals, and the counts of all.
    pub sightings: Sightings,
    /// The answers to further questions.
    pub facts: Facts,
    /// The extent of the run.
    pub scope: Scope,
    /// Contacts that could not be decoded: the id, or the position without one, and the fault.
    pub undecodable: Vec<(String, String)>,
    /// `--contact`: the contacts that were found, in the order in which they were.
    pub chosen: Vec<Contact>,
    /// A doubt about the number of contacts, though the read counts as complete.
    pub doubt: Option<String>,
    /// Why the read is incomplete, if it is.
    pub broken_off: Option<E>,
}

/// Why nothing can be planned by a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadFailure<E> {
    /// The source refused the credential.
    CredentialRefused(E),
    /// `--contact` names somebody whom the source does not have.
    NoContact(String),
}

/// Reads all contacts, or the chosen ones, and the facts that their signals need.
///
/// A refused credential ends the read. Any other error makes it incomplete, and the read goes on: unfinished actions of
/// earlier runs still need their figures. `unconfirmed` is an earlier error that makes the read incomplete from the start.
pub async fn read_contacts<S: ContactSource>(
    source: &S,
    request: &ReadRequest<'_>,
    unconfirmed: Option<S::Error>,
) -> Result<ContactsRead<S::Error>, ReadFailure<S::Error>> {
    let flow = Flow { source, request };
    let mut pages = source.pages(request.wanted);
    if request.contacts.is_empty() {
        // The first page is under way while the tags are asked for.
        pages.start();
    }
    let (tags, tags_read) = match source.tags().await {
        Ok(tags) => (tags, Ok(())),
        Err(error) => (Vec::new(), Err(error)),
    };
    let mut read = flow.nothing_yet(ids_by_name(tags));
    read.note(unconfirmed.map_or(Ok(()), Err))?;
    read.note(tags_read)?;
    let mut not_found = Vec::new();
    let contacts = if request.contacts.is_empty() {
        flow.read_pages(&mut read, &mut pages).await
    } else {
        flow.read_chosen(&mut read, &mut not_found).await
    };
    read.note(contacts)?;
    if let Some(unknown) = not_found.into_iter().next() {
        return Err(ReadFailure::NoContact(unknown));
    }
    let missing = flow.read_missing(&mut read).await;
    read.note(missing)?;
    let asked = flow.ask(&mut read).await;
    read.facts.unanswered = asked.is_err();
    read.note(asked)?;
    Ok(read)
}

impl<E: SourceError> ContactsRead<E> {
    /// Takes note of a result. A refused credential ends the read; the first of the other errors is its reason.
    fn note(&mut self, result: Result<(), E>) -> Result<(), ReadFailure<E>> {
        let Err(error) = result else { return Ok(()) };
        if error.is_credential_refused() {
            return Err(ReadFailure::CredentialRefused(error));
        }
        tracing::warn!("the read is incomplete: {error}");
        self.scope.complete = false;
        self.broken_off.get_or_insert(error);
        Ok(())
    }
}

struct Flow<'a, S> {
    source: &'a S,
    request: &'a ReadRequest<'a>,
}

impl<S: ContactSource> Flow<'_, S> {
    fn nothing_yet(&self, tag_ids: BTreeMap<String, String>) -> ContactsRead<S::Error> {
        let ReadRequest { rules, known, only, .. } = self.request;
        let rule_tags = rules.rules.iter().filter_map(|rule| tag_ids.get(&tag_key(&rule.tag)).cloned());
        let signals = (!only.is_empty()).then(|| only.iter().cloned().collect());
        ContactsRead {
            sightings: Sightings::new(known, rule_tags.collect()),
            facts: Facts { tag_ids, ..Facts::default() },
            scope: Scope { signals, ..Scope::everything() },
            undecodable: Vec::new(),
            chosen: Vec::new(),
            doubt: None,
            broken_off: None,
        }
    }

    async fn read_pages(&self, read: &mut ContactsRead<S::Error>, pages: &mut S::Pages) -> Result<(), S::Error> {
        let result = for_each_page(pages, self.request.progress, |page| self.take_page(read, page)).await;
        read.doubt = pages.doubt().map(str::to_owned);
        // Pages arrive in any order.
        read.undecodable.sort();
        result
    }

    /// Reads the contacts of `--contact`, and adds those that the source does not have to `not_found`.
    async fn read_chosen(
        &self,
        read: &mut ContactsRead<S::Error>,
        not_found: &mut Vec<String>,
    ) -> Result<(), S::Error> {
        // Set before the first request: if it fails, the run must not look at anybody else.
        read.scope.contacts = Some(BTreeSet::new());
        for wanted in self.request.contacts {
            let pages = self.find(wanted.trim()).await?;
            if pages.iter().all(Page::is_empty) {
                not_found.push(wanted.clone());
            }
            for mut page in pages {
                let ids = read.scope.contacts.get_or_insert_default();
                page.contacts.retain(|contact| ids.insert(contact.id.clone()));
                read.chosen.extend(page.contacts.iter().cloned());
                self.take_page(read, page);
            }
        }
        Ok(())
    }

    /// Finds a contact by id, with all contacts that share its e-mail: they are one person. Or all contacts with an e-mail.
    async fn find(&self, wanted: &str) -> Result<Vec<Page>, S::Error> {
        if wanted.contains('@') {
            return Ok(vec![self.find_by_email(wanted).await?]);
        }
        let mut first = Page { place: "asked for".to_owned(), ..Page::default() };
        match self.source.contact(wanted, self.request.wanted).await? {
            Some(Ok(contact)) => first.contacts.push(contact),
            Some(Err(undecodable)) => first.undecodable.push(undecodable),
            None => {}
        }
        let emails: Vec<_> = first.contacts.iter().filter_map(|contact| contact.email.clone()).collect();
        let mut pages = vec![first];
        for email in emails {
            pages.push(self.source.contacts_with_email(&email, self.request.wanted).await?);
        }
        Ok(pages)
    }

    /// Finds contacts by the e-mail as typed. If there are none, tries the e-mail in lower case, as most systems keep it.
    async fn find_by_email(&self, email: &str) -> Result<Page, S::Error> {
        let found = self.source.contacts_with_email(email, self.request.wanted).await?;
        let lower = email.to_lowercase();
        if !found.is_empty() || lower == email {
            return Ok(found);
        }
        self.source.contacts_with_email(&lower, self.request.wanted).await
    }

    fn take_page(&self, read: &mut ContactsRead<S::Error>, page: Page) {
        let ReadRequest { rules, as_of, .. } = self.request;
        for contact in page.contacts {
            let evaluation = rules.evaluate(&contact, *as_of);
            read.sightings.add(contact, evaluation, rules);
        }
        for undecodable in page.undecodable {
            let Undecodable { id, why } = &undecodable;
            tracing::warn!(contact.id = id.as_deref().unwrap_or("unknown"), "contact not decoded: {why}");
            read.undecodable.push(undecodable.located(&page.place));
        }
    }

    /// Reads the contacts that the walk did not bring, though an unfinished action needs their figures, or they decide
    /// whether an occasion is over.
    async fn read_missing(&self, read: &mut ContactsRead<S::Error>) -> Result<(), S::Error> {
        let ReadRequest { rules, known, as_of, wanted, .. } = self.request;
        let mut ids = plan::unread_contacts(rules, &read.scope, known, &read.sightings);
        ids.extend(plan::missing_contacts(rules, &read.scope, known, &read.sightings));
        let mut answers = self.each(ids, async |id| self.source.contact(id, wanted).await);
        while let Some((id, answer)) = answers.next().await {
            match answer? {
                Some(Ok(contact)) => {
                    let evaluation = rules.evaluate(&contact, *as_of);
                    read.sightings.look_up(contact, evaluation, rules);
                }
                // The walk brought it too, and reported it.
                Some(Err(_)) if read.undecodable.iter().any(|(known, _)| *known == id) => {}
                Some(Err(Undecodable { id: _, why })) => read.undecodable.push((id, why)),
                None => {
                    read.facts.gone.insert(id);
                }
            }
        }
        Ok(())
    }

    /// Reads the colleagues who were not read, and who decide with others whether a signal is handled or snoozed.
    async fn read_colleagues(&self, read: &mut ContactsRead<S::Error>) -> Result<(), S::Error> {
        let ReadRequest { rules, known, .. } = self.request;
        let groups = plan::group(rules, &read.sightings, &read.facts, known);
        let Colleagues { concerned, tags, accounts } =
            Colleagues::of(&groups, &read.scope, &read.sightings, &read.facts, known);
        let wanted = rules.wanted();
        for id in concerned {
            if let Some(Ok(contact)) = self.source.contact(&id, wanted).await? {
                read.sightings.keep(contact);
            }
        }
        for tag in tags {
            let mut pages = self.source.pages_with_tag(&tag, wanted);
            while let Some(page) = pages.next().await? {
                for contact in page.contacts {
                    if !contact.companies.complete {
                        let companies = self.source.contact_companies(&contact.id).await?;
                        take_companies(read, contact.id.clone(), companies);
                    }
                    let companies = read.facts.companies_of(&contact);
                    if companies.iter().any(|company| accounts.contains(company)) {
                        read.sightings.keep(contact);
                    }
                }
            }
        }
        Ok(())
    }

    /// Asks for the company lists, company names and tags that the signals need.
    async fn ask(&self, read: &mut ContactsRead<S::Error>) -> Result<(), S::Error> {
        let ReadRequest { rules, known, .. } = self.request;
        let unlisted = Questions::company_lists(rules, &read.sightings);
        let mut lists = self.each(unlisted, async |id| self.source.contact_companies(id).await);
        while let Some((id, companies)) = lists.next().await {
            take_companies(read, id, companies?);
        }
        self.read_colleagues(read).await?;
        let groups = plan::group(rules, &read.sightings, &read.facts, known);
        let questions = Questions::of(&groups, &read.sightings, &read.facts, known);
        let mut companies = self.each(questions.companies, async |id| self.source.company(id).await);
        while let Some((id, company)) = companies.next().await {
            let company = company?.map(|company| plan::Company { name: company.name, tags: company.tags });
            read.facts.companies.insert(id, company.unwrap_or_default());
        }
        let mut tags_of = self.each(questions.tags_of, async |id| self.source.contact_tags(id).await);
        while let Some((id, tags)) = tags_of.next().await {
            let ids = tags?.map(|tags| tags.into_iter().map(|tag| tag.id).collect());
            read.facts.tags_of.insert(id, ids);
        }
        if questions.tags {
            // A tag deleted during the read is on no contact, and no person took it off.
            read.facts.tag_ids = ids_by_name(self.source.tags().await?);
        }
        Ok(())
    }

    /// Asks the same question about each id, several at the same time. The answers come in the order of the ids.
    fn each<T>(
        &self,
        ids: impl IntoIterator<Item = String>,
        ask: impl AsyncFn(&str) -> Result<T, S::Error>,
    ) -> impl Stream<Item = (String, Result<T, S::Error>)> + Unpin {
        let ask = Rc::new(ask);
        let questions = stream::iter(ids).map(move |id| {
            let ask = Rc::clone(&ask);
            async move {
                let answer = ask(&id).await;
                (id, answer)
            }
        });
        Box::pin(questions.buffered(self.source.at_once()))
    }
}

/// Takes in the full list of a contact's companies; None where the contact is gone.
fn take_companies<E>(read: &mut ContactsRead<E>, contact: String, companies: Option<Vec<Company>>) {
    if let Some(companies) = companies {
        read.facts.companies_of.insert(contact, companies.into_iter().map(|company| company.id).collect());
    }
}

/// The ids of tags by the key of their name.
fn ids_by_name(tags: Vec<TagName>) -> BTreeMap<String, String> {
    tags.into_iter().map(|tag| (tag_key(&tag.name), tag.id)).collect()
}
