//! The questions that must be answered before a plan can be built. They need few requests, because only signals raise them.

use std::collections::BTreeSet;

use super::facts::Facts;
use super::group::{Group, SubjectIndex};
use super::input::Scope;
use super::sightings::{Hit, Sightings};
use super::unseen_occasions::occasion_company;
use crate::model::{ActionKey, ActionKind, Contact, Entry, Known, Occasion, State, SubjectKind, Truth};
use crate::rules::RuleSet;

/// The ids to ask Intercom about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Questions {
    /// Companies whose name and tags are needed.
    pub companies: BTreeSet<String>,
    /// Contacts whose complete list of tags is needed.
    pub tags_of: BTreeSet<String>,
    /// Whether the workspace's tags must be read again after the contacts, because a tag of ours is missing on a contact.
    pub tags: bool,
}

/// Questions about contacts that were not read, with `--contact` or after an incomplete read. Their answers make the run decide
/// about the other contacts as a full scan would.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Colleagues {
    /// Contacts of the groups' occasions: one of them may be snoozed.
    pub concerned: BTreeSet<String>,
    /// Ids of tags that a colleague may carry, which would mean that the signal was handled before.
    pub tags: BTreeSet<String>,
    /// The accounts whose contacts are the colleagues.
    pub accounts: BTreeSet<String>,
}

impl Colleagues {
    /// The questions of the chosen groups and of unfinished occasions; none where every contact was read.
    pub(crate) fn of(
        groups: &[Group<'_>],
        scope: &Scope,
        sightings: &Sightings,
        facts: &Facts,
        known: &Known,
    ) -> Colleagues {
        let mut colleagues = Colleagues::default();
        let unread = |id: &&String| sightings.contact(id).is_none();
        if scope.contacts.is_some() || !scope.complete {
            let unfinished =
                known.occasions.iter().filter(|occasion| scope.covers(occasion) && is_unfinished(occasion));
            let concerned = unfinished.flat_map(|occasion| &occasion.contacts);
            colleagues.concerned.extend(concerned.filter(unread).cloned());
        }
        for group in groups.iter().filter(|group| scope.contacts.is_some() && scope.concerns(group)) {
            let concerned = group.open.iter().flat_map(|open| &open.contacts);
            colleagues.concerned.extend(concerned.filter(unread).cloned());
            if group.subject.kind == SubjectKind::Account && group.open.is_none() && group.ended.is_none() {
                colleagues.tags.extend(facts.tag_id(&group.rule.tag).map(str::to_owned));
                colleagues.accounts.insert(group.subject.id.clone());
            }
        }
        colleagues
    }
}

/// Representatives that were not read in this run, and whose figures an unfinished action of an occasion needs.
pub(crate) fn unread_contacts(
    rules: &RuleSet,
    scope: &Scope,
    known: &Known,
    sightings: &Sightings,
) -> BTreeSet<String> {
    let is_planned = |entry: &Entry| entry.state == State::Planned && entry.key.kind.is_per_occasion();
    let needs_figures = |occasion: &&Occasion| {
        let has_rule = rules.rule(&occasion.id.signal).is_some();
        has_rule && scope.covers(occasion) && occasion.is_open() && occasion.entries.iter().any(is_planned)
    };
    let ids = known.occasions.iter().filter(needs_figures).map(|occasion| &occasion.representative);
    ids.filter(|id| sightings.contact(id).is_none()).cloned().collect()
}

/// Concerned contacts that the search did not bring, where they alone decide whether an open occasion is over: gone from
/// Intercom, or only not seen?
pub(crate) fn missing_contacts(
    rules: &RuleSet,
    scope: &Scope,
    known: &Known,
    sightings: &Sightings,
) -> BTreeSet<String> {
    if !scope.sees_absence() {
        return BTreeSet::new();
    }
    let may_be_over = |occasion: &&Occasion| {
        let truth = |contact: &String| sightings.truth(contact, &occasion.id.signal);
        occasion.is_open()
            && rules.rule(&occasion.id.signal).is_some()
            && occasion.contacts.iter().all(|contact| matches!(truth(contact), None | Some(Truth::False)))
    };
    let contacts = known.occasions.iter().filter(may_be_over).flat_map(|occasion| &occasion.contacts);
    contacts.filter(|contact| sightings.contact(contact).is_none()).cloned().collect()
}

impl Questions {
    /// The contacts that signal and have more companies than they list.
    pub(crate) fn company_lists(rules: &RuleSet, sightings: &Sightings) -> BTreeSet<String> {
        let hits = rules.rules.iter().flat_map(|rule| sightings.hits(&rule.signal));
        hits.filter(|hit| !hit.contact.companies.complete).map(|hit| hit.contact.id.clone()).collect()
    }

    /// The questions of the groups.
    pub(crate) fn of(groups: &[Group<'_>], sightings: &Sightings, facts: &Facts, known: &Known) -> Questions {
        let mut questions = Questions::default();
        let unfinished: Vec<&Occasion> = known.occasions.iter().filter(|occasion| is_unfinished(occasion)).collect();
        let companies = unfinished.iter().filter_map(|occasion| occasion_company(occasion, facts, sightings));
        questions.companies.extend(companies);
        // The snooze tag counts on every concerned contact, signalling or not.
        let occasions = unfinished.into_iter().chain(groups.iter().filter_map(|group| group.open));
        let concerned = occasions.flat_map(|occasion| &occasion.contacts).filter_map(|id| sightings.contact(id));
        let cut_short = concerned.filter(|contact| !contact.tags.complete);
        questions.tags_of.extend(cut_short.map(|contact| contact.id.clone()));
        let subject_index = SubjectIndex::of(sightings, facts);
        for group in groups {
            questions.companies.extend(group.company(facts));
            let tag_id = facts.tag_id(&group.rule.tag);
            let lists_tag = |contact: &Contact| tag_id.is_some_and(|id| contact.tags.lists(id));
            for hit in &group.hits {
                // A list that is cut short shows neither a missing snooze tag nor a missing rule tag.
                let lost = lost_our_tag(group, hit, facts);
                questions.tags |= lost;
                if !hit.contact.tags.complete || lost || shows_tag_taken_off(group, hit, facts, known) {
                    questions.tags_of.insert(hit.contact.id.clone());
                }
            }
            if group.open.is_none() && tag_id.is_some() {
                let others = subject_index.others(group).into_iter();
                let cut_short = others.filter(|contact| !contact.tags.complete && !lists_tag(contact));
                questions.tags_of.extend(cut_short.map(|contact| contact.id.clone()));
            }
        }
        questions
    }
}

/// Whether the occasion is open and has a planned action.
fn is_unfinished(occasion: &Occasion) -> bool {
    occasion.is_open() && occasion.entries.iter().any(|entry| entry.state == State::Planned)
}

/// Whether the search shows a tag that an earlier occasion took off. The search may be behind, and the occasion that opens would
/// then wrongly count its tag as present.
fn shows_tag_taken_off(group: &Group<'_>, hit: &Hit, facts: &Facts, known: &Known) -> bool {
    let key = |kind| ActionKey::of_contact(kind, &hit.contact.id);
    let is_new = group.open.is_none_or(|open| open.entry(&key(ActionKind::Tag)).is_none());
    let shown = facts.tag_id(&group.rule.tag).is_some_and(|id| hit.contact.tags.lists(id));
    let untag = key(ActionKind::Untag);
    let of_signal = |occasion: &&Occasion| occasion.id.signal == group.rule.signal;
    is_new && shown && known.occasions.iter().filter(of_signal).any(|occasion| occasion.entry(&untag).is_some())
}

/// Whether the ledger has the tag as done, and the search does not show it. The search may be behind, so the contact itself is
/// asked before the run concludes that a person took the tag off.
fn lost_our_tag(group: &Group<'_>, hit: &Hit, facts: &Facts) -> bool {
    let key = ActionKey::of_contact(ActionKind::Tag, &hit.contact.id);
    let entry = group.open.and_then(|open| open.entry(&key)).filter(|entry| entry.state == State::Done);
    let tag_id = entry.and_then(|entry| entry.remote_id.as_deref());
    tag_id.is_some_and(|id| facts.has_tag(id) && !hit.contact.tags.lists(id))
}
