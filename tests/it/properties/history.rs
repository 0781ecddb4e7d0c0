//! A world that changes by a sequence of events.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use usage_signals::model::{ActionKind, Contact, References, Value, tag_key};
use usage_signals::plan::settings::OnUntag;
use usage_signals::plan::{Mode, Plan, Scope};

use super::event::{Event, Habits, Only, Run};
use super::holds;
use crate::support::*;

/// A rule with its tag and the attribute that decides it.
pub(super) struct RuleUnderTest {
    pub signal: &'static str,
    pub tag: &'static str,
    pub attribute: &'static str,
}

pub(super) const RULES: [RuleUnderTest; 3] = [
    RuleUnderTest { signal: "storage_limit", tag: "Expansion: Storage Limit", attribute: "storage_percent" },
    RuleUnderTest { signal: "power_user", tag: "Expansion: Power User", attribute: "projects_count" },
    RuleUnderTest {
        signal: "churn_risk_inactivity",
        tag: "Churn Risk: Inactive 14 Days",
        attribute: "days_since_last_login",
    },
];
pub(super) const PEOPLE: [&str; 4] = ["c1", "c2", "c3", "c4"];
pub(super) const COMPANIES: [&str; 2] = ["acme", "beta"];
const SNOOZE_TAG: &str = "Signals: Snoozed";
/// The number of contacts. It is large enough that one missing contact is not a data outage. Events change only [`PEOPLE`].
const READ: usize = 14;

pub(super) struct History {
    pub world: PlanWorld,
    pub on_untag: OnUntag,
    /// The contacts and signals whose tag a person removed at any time.
    pub taken_off: BTreeSet<(String, &'static str)>,
    gone: BTreeMap<String, Contact>,
    /// Attributes that are unreadable at the moment.
    broken: BTreeSet<&'static str>,
    pub now: i64,
}

impl History {
    pub fn new(habits: Habits) -> History {
        let quiet: Vec<_> = RULES.iter().map(|rule| (rule.attribute, number(1.0))).collect();
        let people = PEOPLE.iter().zip(["acme", "acme", "beta", "acme"]);
        let mut contacts: Vec<_> = people.map(|(id, company)| contact(id, Some(company), &quiet)).collect();
        contacts.extend((PEOPLE.len()..READ).map(|number| contact(&format!("quiet{number}"), None, &quiet)));
        let toml =
            if habits.remove_tag { "[[rules]]\nsignal = \"storage_limit\"\non_clear = \"remove_tag\"" } else { "" };
        let mut world = PlanWorld::new(toml, contacts);
        world.config.plan.on_untag = habits.on_untag;
        for (id, storage) in PEOPLE.iter().zip(habits.storage) {
            world.set(id, "storage_percent", number(storage));
        }
        // Intercom lists ten tags, so the tags of rules are not among them.
        for number in 0..10 {
            world.tag(PEOPLE[3], &format!("Something Else {number}"));
        }
        History {
            world,
            on_untag: habits.on_untag,
            taken_off: BTreeSet::new(),
            gone: BTreeMap::new(),
            broken: BTreeSet::new(),
            now: 0,
        }
    }

    pub fn happen(&mut self, event: &Event) -> Result<(), TestCaseError> {
        let world = &mut self.world;
        let is_there = |world: &PlanWorld, who: usize| world.contacts.contains_key(PEOPLE[who]);
        match *event {
            Event::Figure(who, rule, value) if is_there(world, who) => {
                world.set(PEOPLE[who], RULES[rule].attribute, value.map_or(Value::Null, number));
            }
            Event::DataOutage(rule, true) => drop(self.broken.insert(RULES[rule].attribute)),
            Event::DataOutage(rule, false) => drop(self.broken.remove(RULES[rule].attribute)),
            Event::Move(who, company) if is_there(world, who) => {
                let companies = References::all(company.map(str::to_owned).into_iter().collect());
                world.contacts.get_mut(PEOPLE[who]).unwrap().companies = companies;
            }
            Event::Email(who, email) if is_there(world, who) => {
                world.contacts.get_mut(PEOPLE[who]).unwrap().email = Some(format!("{email}@example.com"));
            }
            Event::Leave(who) => match world.contacts.remove(PEOPLE[who]) {
                Some(contact) => drop(self.gone.insert(contact.id.clone(), contact)),
                None => drop(self.gone.remove(PEOPLE[who]).map(|back| world.contacts.insert(back.id.clone(), back))),
            },
            Event::Merge(from, into) if from != into && is_there(world, from) && is_there(world, into) => {
                let merged = world.contacts.remove(PEOPLE[from]).unwrap();
                let tags = &mut world.contacts.get_mut(PEOPLE[into]).unwrap().tags.ids;
                tags.extend(merged.tags.ids);
                tags.sort();
                tags.dedup();
            }
            Event::Tag(who, rule, true) if is_there(world, who) => world.tag(PEOPLE[who], RULES[rule].tag),
            Event::Tag(who, rule, false) if is_there(world, who) => {
                world.untag(PEOPLE[who], RULES[rule].tag);
                self.taken_off.insert((PEOPLE[who].to_owned(), RULES[rule].signal));
            }
            Event::DeleteTag(rule) if world.tag_ids.contains_key(&tag_key(RULES[rule].tag)) => {
                world.delete_tag(RULES[rule].tag);
            }
            Event::Snooze(who, true) if is_there(world, who) => world.tag(PEOPLE[who], SNOOZE_TAG),
            Event::Snooze(who, false) if is_there(world, who) => world.untag(PEOPLE[who], SNOOZE_TAG),
            Event::SnoozeCompany(company, on) => {
                let tags = &mut world.companies.entry(COMPANIES[company].to_owned()).or_default().tags;
                *tags = if on { vec![tag_key(SNOOZE_TAG)] } else { Vec::new() };
            }
            Event::Complete => world.completed.extend(world.tasks.keys().cloned()),
            Event::Sinks(ref sinks) => world.sinks.clone_from(sinks),
            Event::Run(ref run) => match run.only {
                // A scan for a contact that Intercom does not have ends before it plans.
                Only::Contact(who) if !is_there(world, who) => {}
                _ => drop(self.run_as(run)?),
            },
            _ => {}
        }
        Ok(())
    }

    fn run_as(&mut self, run: &Run) -> Result<Plan, TestCaseError> {
        let Run { hours, fates, settle, complete, only, top, max_new_tasks, mode } = run;
        self.now += hours;
        if *settle {
            self.world.settle(hour(self.now));
        }
        self.world.fates = [ActionKind::Task, ActionKind::Message, ActionKind::Tag].into_iter().zip(*fates).collect();
        self.world.fates.insert(ActionKind::Untag, fates[2]);
        self.world.scope = Scope { complete: *complete, ..self.scope(*only) };
        self.world.mode = mode.clone();
        self.world.config.plan.limits.top = *top;
        self.world.config.plan.limits.max_new_tasks = *max_new_tasks;
        self.run()
    }

    /// Returns the scope of a run. A run for one contact also reads the contacts that share its e-mail.
    fn scope(&self, only: Only) -> Scope {
        match only {
            Only::Everything => Scope::everything(),
            Only::Signal(rule) => {
                Scope { signals: Some(BTreeSet::from([RULES[rule].signal.to_owned()])), ..Scope::everything() }
            }
            Only::Contact(who) => {
                let email = self.world.contacts.get(PEOPLE[who]).and_then(Contact::email_key);
                let asked = self.world.contacts.values();
                let asked = asked.filter(|contact| contact.id == PEOPLE[who] || contact.email_key() == email);
                Scope { contacts: Some(asked.map(|contact| contact.id.clone()).collect()), ..Scope::everything() }
            }
        }
    }

    fn run(&mut self) -> Result<Plan, TestCaseError> {
        let unseen = self.hide_unreadable();
        let at = hour(self.now);
        let plan = self.world.plan(at);
        self.world.plan_refused_again(at);
        let before = self.world.known();
        prop_assert_eq!(&plan, &self.world.plan(at), "the same input gives the same plan");
        holds::plan(self, &plan, &before)?;
        // Records the plan. A plan that the ledger refuses ends the test.
        self.world.carry_out(&plan);
        for (id, attribute, value) in unseen {
            self.world.set(&id, attribute, value);
        }
        holds::state(self)?;
        Ok(plan)
    }

    /// Removes the unreadable values, and returns them.
    fn hide_unreadable(&mut self) -> Vec<(String, &'static str, Value)> {
        let mut unseen = Vec::new();
        for contact in self.world.contacts.values_mut() {
            for &attribute in &self.broken {
                let value = contact.attributes.insert(attribute.to_owned(), Value::Null);
                unseen.push((contact.id.clone(), attribute, value.unwrap_or(Value::Null)));
            }
        }
        unseen
    }

    /// Ends all faults and snoozes, and runs. Every signal must reach the state of an undisturbed history, and a further run must
    /// have nothing to do.
    pub fn mend(&mut self) -> Result<(), TestCaseError> {
        self.broken.clear();
        self.world.companies.clear();
        let people: Vec<_> = self.world.contacts.keys().cloned().collect();
        people.iter().for_each(|id| self.world.untag(id, SNOOZE_TAG));
        self.world.sinks = all_sinks();
        self.world.scope = Scope::everything();
        self.world.mode = Mode::default();
        self.world.config.plan.limits.top = None;
        self.world.config.plan.limits.max_new_tasks = 100;
        self.world.fates.clear();
        self.now += 1;
        self.world.settle(hour(self.now));
        self.run()?;
        let plan = self.run()?;
        prop_assert!(plan.to_do().next().is_none(), "planned twice: {:#?}", plan.to_do().collect::<Vec<_>>());
        prop_assert!(plan.changes().is_empty(), "{:#?}", plan.changes());
        holds::nothing_lost(self)?;
        // By then every refusal is old enough.
        self.now += 24;
        self.run()?;
        holds::nothing_refused(self)
    }

    /// Returns whether a contact carries the snooze tag.
    pub fn is_snoozed(&self, contact: &str) -> bool {
        let tag = self.world.tag_ids.get(&tag_key(SNOOZE_TAG));
        let contact = self.world.contacts.get(contact);
        tag.zip(contact).is_some_and(|(tag, contact)| contact.tags.ids.contains(tag))
    }

    /// Returns whether a company carries the snooze tag.
    pub fn is_company_snoozed(&self, company: &str) -> bool {
        self.world.companies.get(company).is_some_and(|company| !company.tags.is_empty())
    }
}
