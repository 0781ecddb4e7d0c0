//! The texts of one signal, rendered once for its item, its task and its message.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::builder::Builder;
use super::group::Group;
use super::item::Item;
use crate::model::{Address, Brief, Contact, Occasion, OccasionId, Person, Reason};
use crate::rules::{Rendered, Rule, TextInput};

/// The texts of one signal.
#[derive(Debug, Clone)]
pub(super) struct Rendering<'a> {
    pub rule: &'a Rule,
    pub brief: Brief,
    /// The Description of the task.
    pub description: String,
    /// Further fields of a new lead, by Zoho's names.
    pub lead_fields: BTreeMap<String, String>,
    /// Further fields of a new task, by Zoho's names.
    pub task_fields: BTreeMap<String, String>,
    /// The person on whose Zoho record the task goes: the one fixed when the occasion opened, or the next one with an address.
    pub record_person: Person,
    pub earlier: Earlier<'a>,
}

/// Earlier occasions that the actions of a signal continue.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Earlier<'a> {
    /// The occasion that is open.
    pub open: Option<&'a Occasion>,
    /// The occasion whose task is brought forward: the open one, or the one that ended last.
    pub prior: Option<&'a Occasion>,
}

/// A contact as texts show it: trimmed, and without a blank name or e-mail.
pub(super) fn person(contact: &Contact) -> Person {
    let shown = |text: &Option<String>| Some(text.as_deref()?.trim().to_owned()).filter(|text| !text.is_empty());
    Person { id: contact.id.clone(), email: shown(&contact.email), name: shown(&contact.name) }
}

impl Builder<'_> {
    /// Renders the texts of a group's signal at a level.
    pub(super) fn render_group<'a>(&mut self, group: &Group<'a>, level: &str, earlier: Earlier<'a>) -> Rendering<'a> {
        let people: Vec<Person> = group.hits.iter().map(|hit| person(&hit.contact)).collect();
        let company = group.company(self.input.facts);
        // A group is never empty. The fallback is for the type alone.
        let representative =
            group.representative().map_or_else(|| Arc::new(Contact::default()), |hit| Arc::clone(&hit.contact));
        let rendering = self.render(group.rule, level, &representative, people, company.as_deref(), earlier);
        // Without an address, no record is found. The record may then be that of the next contact.
        let fixed = rendering.record_person.clone();
        let others = group.by_precedence().into_iter().map(|hit| person(&hit.contact));
        let mut candidates = std::iter::once(fixed.clone()).chain(others);
        let with_address = candidates.find(|person| Address::read(person.email.as_deref()).is_some());
        Rendering { record_person: with_address.unwrap_or(fixed), ..rendering }
    }

    /// Renders the texts of a signal, with the figures of `representative`.
    pub(super) fn render<'a>(
        &mut self,
        rule: &'a Rule,
        level: &str,
        representative: &Arc<Contact>,
        people: Vec<Person>,
        company: Option<&str>,
        earlier: Earlier<'a>,
    ) -> Rendering<'a> {
        let input = self.input;
        let respond_within_days = rule.respond_within_days_at(level);
        let due_date = self.due_date(respond_within_days);
        let account = company.and_then(|id| input.facts.companies.get(id)?.name.as_deref());
        let contact_url = input.links.contact(input.workspace, &representative.id);
        let texts = TextInput {
            contact: representative,
            account,
            people: &people,
            as_of: input.as_of,
            due_date,
            contact_url: &contact_url,
        };
        let Rendered {
            details,
            action,
            task_subject,
            task_description,
            message,
            why_now,
            lead_fields,
            task_fields,
            warnings,
        } = input.rules.render(rule, level, &texts);
        self.warnings.extend(warnings);
        let fixed = earlier.open.and_then(|occasion| input.sightings.contact(&occasion.representative));
        let record_person = person(fixed.unwrap_or(representative));
        let again_since = match earlier {
            Earlier { open: None, prior: Some(ended) } => Some(self.local_date(ended.id.opened_at)),
            _ => None,
        };
        let brief = Brief {
            signal: rule.signal.clone(),
            level: level.to_owned(),
            title: task_subject,
            priority: rule.priority_at(level),
            account: account.map(str::to_owned),
            representative: person(representative),
            people,
            details,
            action,
            due_date,
            respond_within_days,
            why_now,
            flags: rule.flags.clone(),
            contact_url,
            again_since,
            escalated: false,
            message,
        };
        Rendering { rule, brief, description: task_description, lead_fields, task_fields, record_person, earlier }
    }
}

impl Rendering<'_> {
    /// An item without actions, changes and evidence.
    pub(super) fn item(&self, occasion: OccasionId, reason: Reason) -> Item {
        let brief = &self.brief;
        Item {
            occasion,
            level: brief.level.clone(),
            priority: brief.priority,
            account: brief.account.clone(),
            representative: brief.representative.clone(),
            people: brief.people.clone(),
            evidence: Vec::new(),
            details: brief.details.clone(),
            action: brief.action.clone(),
            flags: brief.flags.clone(),
            due_date: brief.due_date,
            reason,
            changes: Vec::new(),
            actions: Vec::new(),
            if_held: None,
        }
    }
}
