//! What must be asked besides the search before a plan can be built: few requests, because only signals ask.

use std::collections::BTreeSet;

use super::build::Scope;
use super::facts::Facts;
use super::group::{Group, Kin};
use super::sightings::Sightings;
use crate::model::{ActionKey, Contact, Kind, Known, State};
use crate::rules::RuleSet;

/// Ids to ask about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Questions {
    /// Companies whose name and tags are needed.
    pub companies: BTreeSet<String>,
    /// Contacts whose whole list of tags is needed.
    pub tags_of: BTreeSet<String>,
}

/// Representatives that were not read in this run, though an unfinished task or message needs their figures.
pub fn unread_contacts(rules: &RuleSet, scope: &Scope, known: &Known, sightings: &Sightings) -> BTreeSet<String> {
    let has_rule = |signal: &str| rules.rules.iter().any(|rule| rule.signal == signal);
    let covered = known.occasions.iter().filter(|occasion| scope.covers(occasion) && has_rule(&occasion.id.signal));
    let unfinished = covered.filter(|occasion| {
        let planned =
            |kind| occasion.entries.iter().any(|entry| entry.state == State::Planned && entry.key.kind == kind);
        occasion.is_open() && (planned(Kind::Task) || planned(Kind::Message))
    });
    let ids = unfinished.map(|occasion| occasion.representative.clone());
    ids.filter(|id| sightings.contact(id).is_none()).collect()
}

impl Questions {
    /// The contacts that signal and have more companies than they list.
    pub fn company_lists(rules: &RuleSet, sightings: &Sightings) -> BTreeSet<String> {
        let hits = rules.rules.iter().flat_map(|rule| sightings.hits(&rule.signal));
        hits.filter(|hit| !hit.contact.companies.complete).map(|hit| hit.contact.id.clone()).collect()
    }

    /// What the groups need to know.
    pub fn of(groups: &[Group<'_>], sightings: &Sightings, facts: &Facts) -> Questions {
        let mut questions = Questions::default();
        let kin = Kin::of(sightings, facts);
        for group in groups {
            questions.companies.extend(group.company(facts));
            let tag_id = facts.tag_id(&group.rule.tag);
            let lists_tag = |contact: &Contact| tag_id.is_some_and(|id| contact.tags.lists(id));
            for hit in &group.hits {
                // Snoozed or not, tagged or not: a list that is cut short cannot tell.
                if !hit.contact.tags.complete
                    || (tag_id.is_some() && !lists_tag(&hit.contact) && tagged_by_us(group, hit))
                {
                    questions.tags_of.insert(hit.contact.id.clone());
                }
            }
            if group.open.is_none() && tag_id.is_some() {
                let others = kin.others(group).into_iter();
                let cut_short = others.filter(|contact| !contact.tags.complete && !lists_tag(contact));
                questions.tags_of.extend(cut_short.map(|contact| contact.id.clone()));
            }
        }
        questions
    }
}

/// Whether the ledger says that we tagged the contact. The search may be behind, so the contact itself is asked before a
/// person is said to have taken the tag off.
fn tagged_by_us(group: &Group<'_>, hit: &super::sightings::Hit) -> bool {
    let key = ActionKey { kind: Kind::Tag, level: String::new(), contact: hit.contact.id.clone() };
    let entry = group.open.and_then(|open| open.entry(&key));
    entry.is_some_and(|entry| entry.state == State::Done)
}
