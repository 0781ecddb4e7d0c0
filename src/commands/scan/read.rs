//! Reading: pages of contacts are evaluated and forgotten; what signals raises a few questions more.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::rc::Rc;

use chrono::{DateTime, Utc};
use futures_util::stream::{self, Stream, StreamExt};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::exit::{Exit, Fatal, exit_of};
use crate::model::{Contact, Known, tag_key};
use crate::plan::{self, Colleagues, Company, Facts, Questions, Scope, Sightings};
use crate::remote::error::RemoteError;
use crate::remote::intercom::{Intercom, Page, Pages, TagName, Undecodable};
use crate::rules::RuleSet;

/// `--contact` names somebody whom Intercom does not have.
#[derive(Debug, thiserror::Error)]
#[error("Intercom has no contact {0:?}")]
pub struct NoContact(String);

/// What was read.
#[derive(Debug)]
pub struct Read {
    /// What was seen of the contacts.
    pub sightings: Sightings,
    /// What was asked besides.
    pub facts: Facts,
    /// What the run looked at.
    pub scope: Scope,
    /// Contacts that could not be decoded: id, or where it stood, and why.
    pub undecodable: Vec<(String, String)>,
    /// `--contact`: the contacts that were found, in the order in which they were.
    pub chosen: Vec<Contact>,
    /// `--contact`: what no contact was found for.
    pub not_found: Vec<String>,
    /// What is odd about the number of contacts though all seem to have come.
    pub doubt: Option<String>,
    /// Why the read is incomplete, if it is.
    pub broken_off: Option<RemoteError>,
}

/// What reading depends on.
pub(super) struct Reading<'a> {
    pub intercom: &'a Intercom,
    pub rules: &'a RuleSet,
    pub known: &'a Known,
    pub as_of: DateTime<Utc>,
    pub only: &'a [String],
    pub contacts: &'a [String],
    /// The attributes that are kept of a contact.
    pub wanted: &'a BTreeSet<String>,
    pub quiet: bool,
}

impl Reading<'_> {
    /// Reads what the run is to look at. A refused credential ends the run; anything else that breaks off makes the read
    /// incomplete, and the run goes on with what is unfinished. `unconfirmed`: why it is incomplete from the start.
    pub(super) async fn read(&self, unconfirmed: Option<RemoteError>) -> Result<Read, Fatal> {
        let mut pages = self.intercom.pages(self.wanted);
        if self.contacts.is_empty() {
            // The first page is on its way while the tags are asked for.
            pages.start();
        }
        let tags = self.intercom.tags().await;
        let (tags, tags_read) = match tags {
            Ok(tags) => (tags, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        let tag_ids = by_name(tags);
        let rule_tags = self.rules.rules.iter().filter_map(|rule| tag_ids.get(&tag_key(&rule.tag)).cloned());
        let mut read = Read {
            sightings: Sightings::new(self.known, rule_tags.collect()),
            facts: Facts { tag_ids: tag_ids.clone(), ..Facts::default() },
            scope: Scope::everything(),
            undecodable: Vec::new(),
            chosen: Vec::new(),
            not_found: Vec::new(),
            doubt: None,
            broken_off: None,
        };
        if !self.only.is_empty() {
            read.scope.signals = Some(self.only.iter().cloned().collect());
        }
        note(&mut read, unconfirmed.map_or(Ok(()), Err))?;
        note(&mut read, tags_read)?;
        let contacts = if self.contacts.is_empty() {
            self.read_pages(&mut read, pages).await
        } else {
            self.read_chosen(&mut read).await
        };
        note(&mut read, contacts)?;
        if let Some(wanted) = read.not_found.first() {
            return Err(Fatal::usage(NoContact(wanted.clone()))
                .with_help("name a contact by its id in Intercom, or by its e-mail exactly as Intercom has it"));
        }
        // Also after an incomplete read: what is unfinished needs its figures.
        let unread = self.read_unread(&mut read).await;
        note(&mut read, unread)?;
        let asked = self.ask(&mut read).await;
        read.facts.unanswered = asked.is_err();
        note(&mut read, asked)?;
        Ok(read)
    }

    async fn read_pages(&self, read: &mut Read, mut pages: Pages) -> Result<(), RemoteError> {
        let progress = progress_bar(self.quiet);
        let result = loop {
            match pages.next().await {
                Ok(Some(page)) => {
                    if let Some(total) = pages.expected() {
                        progress.set_length(total);
                    }
                    progress.inc(u64::try_from(page.contacts.len()).unwrap_or(0));
                    tracing::debug!(contacts = page.contacts.len(), "page read {}", page.place);
                    self.take_page(read, page);
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        progress.finish_and_clear();
        read.doubt = pages.doubt().map(str::to_owned);
        // Pages arrive in any order.
        read.undecodable.sort();
        result
    }

    /// `--contact`: by id, or every contact with the e-mail.
    async fn read_chosen(&self, read: &mut Read) -> Result<(), RemoteError> {
        let mut ids = BTreeSet::new();
        for wanted in self.contacts {
            let mut pages = Vec::new();
            if wanted.contains('@') {
                pages.push(self.find_by_email(wanted.trim()).await?);
            } else {
                let page = one_page(self.intercom.contact(wanted.trim(), self.wanted).await?);
                // Contacts with the same e-mail are one person.
                let emails: BTreeSet<_> = page.contacts.iter().filter_map(|contact| contact.email.clone()).collect();
                pages.push(page);
                for email in emails {
                    pages.push(self.intercom.contacts_with_email(&email, self.wanted).await?);
                }
            }
            if pages.iter().all(Page::is_empty) {
                read.not_found.push(wanted.clone());
            }
            for mut page in pages {
                page.contacts.retain(|contact| ids.insert(contact.id.clone()));
                read.chosen.extend(page.contacts.iter().cloned());
                self.take_page(read, page);
            }
        }
        read.scope.contacts = Some(ids);
        Ok(())
    }

    /// As it was typed; where nobody has that, lower-cased, as most systems keep it.
    async fn find_by_email(&self, email: &str) -> Result<Page, RemoteError> {
        let found = self.intercom.contacts_with_email(email, self.wanted).await?;
        let lower = email.to_lowercase();
        if !found.is_empty() || lower == email {
            return Ok(found);
        }
        self.intercom.contacts_with_email(&lower, self.wanted).await
    }

    fn take_page(&self, read: &mut Read, page: Page) {
        for contact in page.contacts {
            let evaluation = self.rules.evaluate(&contact, self.as_of);
            read.sightings.add(contact, evaluation, self.rules);
        }
        for Undecodable { id, why } in page.undecodable {
            tracing::warn!(contact.id = id.as_deref().unwrap_or("unknown"), "contact not decoded: {why}");
            read.undecodable.push((id.unwrap_or_else(|| format!("without a readable id, {}", page.place)), why));
        }
    }

    /// Contacts that an unfinished action needs, or that decide whether an occasion is over, and that the search did not bring.
    async fn read_unread(&self, read: &mut Read) -> Result<(), RemoteError> {
        let mut ids = plan::unread_contacts(self.rules, &read.scope, self.known, &read.sightings);
        ids.extend(plan::missing_contacts(self.rules, &read.scope, self.known, &read.sightings));
        let mut answers = self.each(ids, async |id| self.intercom.contact(id, self.wanted).await);
        while let Some((id, answer)) = answers.next().await {
            match answer? {
                Some(Ok(contact)) => {
                    let evaluation = self.rules.evaluate(&contact, self.as_of);
                    read.sightings.look_up(contact, evaluation, self.rules);
                }
                // Said already where a page of the search held it.
                Some(Err(_)) if read.undecodable.iter().any(|(known, _)| *known == id) => {}
                Some(Err(Undecodable { id: _, why })) => read.undecodable.push((id, why)),
                None => {
                    read.facts.gone.insert(id);
                }
            }
        }
        Ok(())
    }

    /// Those who were not read, and decide with others whether something is handled or snoozed.
    async fn read_colleagues(&self, read: &mut Read) -> Result<(), RemoteError> {
        let groups = plan::group(self.rules, &read.sightings, &read.facts, self.known);
        let Colleagues { concerned, tags, accounts } =
            Colleagues::of(&groups, &read.scope, &read.sightings, &read.facts, self.known);
        let wanted = self.rules.wanted();
        for id in concerned {
            if let Some(Ok(contact)) = self.intercom.contact(&id, wanted).await? {
                read.sightings.keep(contact);
            }
        }
        for tag in tags {
            let mut pages = self.intercom.pages_with_tag(&tag, wanted);
            while let Some(page) = pages.next().await? {
                for contact in page.contacts {
                    if !contact.companies.complete
                        && let Some(companies) = self.intercom.contact_companies(&contact.id).await?
                    {
                        let ids = companies.into_iter().map(|company| company.id).collect();
                        read.facts.companies_of.insert(contact.id.clone(), ids);
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

    /// Company lists, company names and tags, for what signals.
    async fn ask(&self, read: &mut Read) -> Result<(), RemoteError> {
        let unlisted = Questions::company_lists(self.rules, &read.sightings);
        let mut lists = self.each(unlisted, async |id| self.intercom.contact_companies(id).await);
        while let Some((id, companies)) = lists.next().await {
            if let Some(companies) = companies? {
                let ids = companies.into_iter().map(|company| company.id).collect();
                read.facts.companies_of.insert(id, ids);
            }
        }
        self.read_colleagues(read).await?;
        let groups = plan::group(self.rules, &read.sightings, &read.facts, self.known);
        let questions = Questions::of(&groups, &read.sightings, &read.facts, self.known);
        let mut companies = self.each(questions.companies, async |id| self.intercom.company(id).await);
        while let Some((id, company)) = companies.next().await {
            let company = company?.map(|company| Company { name: company.name, tags: company.tags });
            read.facts.companies.insert(id, company.unwrap_or_default());
        }
        let mut tags_of = self.each(questions.tags_of, async |id| self.intercom.contact_tags(id).await);
        while let Some((id, tags)) = tags_of.next().await {
            let ids = tags?.map(|tags| tags.into_iter().map(|tag| tag.id).collect());
            read.facts.tags_of.insert(id, ids);
        }
        if questions.tags {
            // One that was deleted while they were read is on none of them, and nobody took it off.
            read.facts.tag_ids = by_name(self.intercom.tags().await?);
        }
        Ok(())
    }

    /// The same question about each id, several under way at the same time; the answers in the order of the ids.
    fn each<T>(
        &self,
        ids: impl IntoIterator<Item = String>,
        ask: impl AsyncFn(&str) -> Result<T, RemoteError>,
    ) -> impl Stream<Item = (String, Result<T, RemoteError>)> + Unpin {
        let ask = Rc::new(ask);
        let questions = stream::iter(ids).map(move |id| {
            let ask = Rc::clone(&ask);
            async move {
                let answer = ask(&id).await;
                (id, answer)
            }
        });
        Box::pin(questions.buffered(self.intercom.at_once()))
    }
}

/// How far reading the contacts is. Only on a terminal, and on stderr.
pub(in crate::commands) fn progress_bar(quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let progress = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("reading contacts {bar:30} {pos}/{len} {eta}");
    progress.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Ids by lower-cased name.
fn by_name(tags: Vec<TagName>) -> BTreeMap<String, String> {
    tags.into_iter().map(|tag| (tag_key(&tag.name), tag.id)).collect()
}

/// A refused credential ends the run; anything else makes the read incomplete, and its first reason stands.
fn note(read: &mut Read, result: Result<(), RemoteError>) -> Result<(), Fatal> {
    let Err(error) = result else { return Ok(()) };
    if exit_of(&error) == Exit::Credential {
        return Err(error.into());
    }
    tracing::warn!("the read is incomplete: {error}");
    read.scope.complete = false;
    read.broken_off.get_or_insert(error);
    Ok(())
}

fn one_page(found: Option<Result<Contact, Undecodable>>) -> Page {
    let mut page = Page { place: "asked for".to_owned(), ..Page::default() };
    match found {
        Some(Ok(contact)) => page.contacts.push(contact),
        Some(Err(undecodable)) => page.undecodable.push(undecodable),
        None => {}
    }
    page
}
