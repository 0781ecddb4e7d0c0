//! One pass over the contacts.

use std::collections::{BTreeMap, BTreeSet};

use super::attribute::{Attribute, roll_out};
use super::cause::{Cause, CauseKind};
use super::plans::{Plan, Plans};
use super::tally::Tally;
use super::verdict::{self, ConditionFinding, ConditionVerdict, Diagnosis, Possible, RuleFinding};
use crate::model::{AttributeDefinition, Contact, Date, Truth, Type};
use crate::rules::attributes::{Attributes, CATALOGUE};
use crate::rules::rule::{Level, Rule};
use crate::rules::ruleset::RuleSet;
use crate::rules::source::{ContactView, Reading, Source};

/// The attribute that says which plan a contact is on.
const PLAN: &str = "plan_type";

/// A figure that could stand in until the product pushes the missing one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meanwhile {
    /// The available attribute, or two.
    pub have: &'static str,
    /// The included contacts that lack the pushed figure and have the stand-in.
    pub contacts: usize,
    /// The line of `[attributes.fallback]` that uses the stand-in.
    pub setting: &'static str,
}

/// The known stand-ins: the pushed figure, its stand-in, the line of the configuration, and the attributes behind it.
const STAND_INS: [(&str, &str, &str, &str); 2] = [
    (
        "days_since_last_login",
        "days_since_last_seen",
        // The pushed figure freezes while a person stays away.
        "days_since_last_login = { from = \"days_since_last_seen\", when = \"larger\" } # or \"missing\": only if there is none",
        "Intercom's own last_seen_at",
    ),
    (
        "storage_percent",
        "storage_percent_computed",
        "storage_percent = { from = \"storage_percent_computed\", when = \"missing\" }",
        "storage_used_mb with storage_limit_mb",
    ),
];

/// A pushed figure, and the one that could stand in for it.
#[derive(Debug, Clone)]
pub(super) struct StandIn {
    pub pushed: Source,
    from: Source,
    pub meanwhile: Meanwhile,
}

impl StandIn {
    /// Returns the stand-ins that the configuration does not use yet.
    fn all(attributes: &Attributes) -> Vec<StandIn> {
        let all = STAND_INS.iter().filter_map(|(name, from, setting, have)| {
            let (pushed, from) = (attributes.source(name)?, attributes.source(from)?);
            let meanwhile = Meanwhile { have, contacts: 0, setting };
            (!pushed.has_fallback()).then_some(StandIn { pushed, from, meanwhile })
        });
        all.collect()
    }

    fn add(&mut self, view: ContactView<'_>) {
        self.meanwhile.contacts += usize::from(self.pushed.read(view).is_err() && self.from.read(view).is_ok());
    }
}

/// The counts of one pass over the contacts.
#[derive(Debug, Clone)]
pub struct Coverage<'r> {
    rules: &'r RuleSet,
    as_of: Date,
    plan: Source,
    plans: Plans,
    pub(super) attributes: Vec<Attribute>,
    contacts: usize,
    pub(super) included: usize,
    include: Option<Tally<'r>>,
    watched: Vec<Watched<'r>>,
    pub(super) stand_ins: Vec<StandIn>,
}

#[derive(Debug, Clone)]
struct Watched<'r> {
    rule: &'r Rule,
    enabled: bool,
    when: Tally<'r>,
    levels: Vec<(&'r Level, Tally<'r>, usize)>,
}

impl<'r> Coverage<'r> {
    /// Starts a pass. `definitions` are the attributes of the workspace, in any order. An archived one counts only if a rule or
    /// the catalogue has its name, and no active one does.
    pub fn new(rules: &'r RuleSet, definitions: Vec<AttributeDefinition>, as_of: Date) -> Self {
        let all_rules = || rules.rules.iter().chain(&rules.disabled);
        let (active, archived): (Vec<_>, Vec<_>) = definitions.into_iter().partition(|it| !it.archived);
        let in_rules = |definition: &AttributeDefinition| rules.attributes().in_rules(&definition.name).to_owned();
        let mut names: BTreeSet<String> = active.iter().map(in_rules).collect();
        // If an archived and an active attribute have one name, the active one counts.
        let definitions = archived.into_iter().chain(active);
        let definitions: BTreeMap<_, _> = definitions.map(|it| (it.name.clone(), it)).collect();
        names.extend(CATALOGUE.iter().map(|known| known.name.to_owned()));
        names.extend(all_rules().flat_map(|rule| rules.used_by(rule)).map(str::to_owned));
        names.extend(rules.used_for_primary().into_iter().map(str::to_owned));
        let attribute = |name: String| {
            let definition = definitions.get(rules.attributes().stored(&name)).cloned();
            Attribute::new(name, definition, rules)
        };
        let mut attributes: Vec<_> = names.into_iter().map(attribute).collect();
        attributes.sort_by_cached_key(place);
        let watch = |rule: &'r Rule, enabled| Watched {
            rule,
            enabled,
            when: Tally::new(&rule.when),
            levels: rule.levels.iter().map(|level| (level, Tally::new(&level.when), 0)).collect(),
        };
        let on = rules.rules.iter().map(|rule| watch(rule, true));
        let mut watched: Vec<_> = on.chain(rules.disabled.iter().map(|rule| watch(rule, false))).collect();
        let first = |rule| rules.used_by(rule).into_iter().map(roll_out).min();
        watched.sort_by_cached_key(|it| (!it.enabled, first(it.rule), it.rule.signal.clone()));
        Coverage {
            rules,
            as_of,
            plan: rules.pushed(PLAN, Type::Text),
            plans: Plans::default(),
            attributes,
            contacts: 0,
            included: 0,
            include: rules.include.as_ref().map(Tally::new),
            watched,
            stand_ins: StandIn::all(rules.attributes()),
        }
    }

    /// Returns the names in Intercom of the attributes to decode for each contact.
    pub fn wanted(&self) -> BTreeSet<String> {
        let names = self.attributes.iter().map(|attribute| attribute.stored.clone());
        names.chain(self.rules.wanted().iter().cloned()).collect()
    }

    /// Counts one more contact.
    pub fn add(&mut self, contact: &Contact) {
        let view = ContactView { contact, as_of: self.as_of };
        self.contacts += 1;
        let plan = match self.plan.read(view) {
            Ok(Reading::Text(name)) => self.plans.add(Some(&name)),
            _ => self.plans.add(None),
        };
        let included = self.include.as_mut().is_none_or(|include| include.add(view) == Truth::True);
        self.attributes.iter_mut().for_each(|attribute| attribute.add(view, plan, included));
        if !included {
            return;
        }
        self.included += 1;
        self.stand_ins.iter_mut().for_each(|stand_in| stand_in.add(view));
        for Watched { when, levels, .. } in &mut self.watched {
            let holds = when.add(view) == Truth::True;
            for (_, level, reached) in levels {
                let level_holds = level.add(view) == Truth::True;
                *reached += usize::from(holds && level_holds);
            }
        }
    }

    /// Returns the number of contacts.
    pub fn contacts(&self) -> usize {
        self.contacts
    }

    /// Returns the number of contacts that `[scan] include` includes.
    pub fn included(&self) -> usize {
        self.included
    }

    /// Returns the plans with their contacts. The first entry counts contacts without a plan, even if there are none. At most
    /// twelve plans follow by name: the largest first, ties by name. The last entry counts all other plans.
    pub fn plans(&self) -> Vec<Plan> {
        self.plans.listed()
    }

    /// Returns the attributes in the order of the roll-out. Intercom's own come last.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// Returns the attribute of a name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// Returns the findings for all rules: enabled rules first, each group in the order of the roll-out.
    pub fn findings(&self) -> Vec<RuleFinding<'r>> {
        let finding = |watched: &Watched<'r>| {
            let outcome = self.outcome(&watched.when, watched.when.held, None);
            let levels = watched.levels.iter();
            let levels = levels.map(|(level, tally, held)| (*level, self.outcome(tally, *held, Some(&watched.when))));
            RuleFinding { rule: watched.rule, enabled: watched.enabled, levels: levels.collect(), outcome }
        };
        self.watched.iter().map(finding).collect()
    }

    /// Returns the finding for a condition that was true for `held` contacts. `with` is the rule's condition for a level.
    fn outcome(&self, tally: &Tally<'_>, held: usize, with: Option<&Tally<'_>>) -> ConditionFinding {
        let known = Diagnosis(&self.attributes);
        let outcome = |verdict, causes: Vec<Cause>| {
            // A level and its rule may have a common cause.
            let mut listed = BTreeSet::new();
            let causes = causes.into_iter().filter(|cause| listed.insert(cause.clone())).collect();
            ConditionFinding { verdict, contacts: held, unknown: tally.unknown, causes }
        };
        if held > 0 {
            let too_often = with.is_none() && held * 2 > self.included;
            let verdict = if too_often { ConditionVerdict::FiresTooOften } else { ConditionVerdict::Fires };
            return outcome(verdict, known.blind_spots(tally));
        }
        let all = [self.include.as_ref(), with, Some(tally)].into_iter().flatten();
        let all: Vec<_> = all.map(|tally| known.possible(tally)).collect();
        match verdict::every(all) {
            Possible::Never(causes) => outcome(ConditionVerdict::Never, [causes, known.blind_spots(tally)].concat()),
            _ if self.contacts == 0 => outcome(ConditionVerdict::NoContacts, Vec::new()),
            _ if self.included == 0 => {
                let include = self.rules.include.as_ref().map(ToString::to_string).unwrap_or_default();
                let message = format!("[scan] include, `{include}`, is true for no contact");
                let cause = Cause { kind: CauseKind::NobodyIncluded, attribute: String::new(), message };
                outcome(ConditionVerdict::NotReached, vec![cause])
            }
            Possible::NotSeen(causes) => {
                outcome(ConditionVerdict::NotReached, [causes, known.blind_spots(tally)].concat())
            }
            Possible::Seen => {
                let together = vec![Cause::never_together(with.is_some())];
                outcome(ConditionVerdict::NeverTogether, [together, known.blind_spots(tally)].concat())
            }
        }
    }
}

/// Returns the sort key of an attribute: by roll-out, then by catalogue, then by name. Intercom's own attributes come last.
fn place(attribute: &Attribute) -> (bool, usize, usize, String) {
    let known = CATALOGUE.iter().position(|known| known.name == attribute.name).unwrap_or(CATALOGUE.len());
    (attribute.own, roll_out(&attribute.name), known, attribute.name.clone())
}
