//! A small world for tests of decisions: contacts, tags and a real ledger, without HTTP.

pub mod demo;
pub mod plot;
pub mod program;
pub mod relay;
pub mod remains;
pub mod services;
pub mod site;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::rc::Rc;

use chrono::{DateTime, TimeDelta, Utc};
use usage_signals::config::{self, Config};
use usage_signals::ledger::lock::Lock;
use usage_signals::ledger::{Closing, LEDGER_FILE, Writer};
use usage_signals::model::{
    ActionKind, Change, Contact, Known, Links, Occasion, OccasionId, Reason, References, Step, TagChange, TaskLink,
    Value,
};
use usage_signals::plan::{
    self, Colleagues, Company, Decision, Facts, Input, Item, Mode, Order, Plan, Questions, Scope, Sightings, SinksOn,
    group, missing_contacts, unread_contacts,
};

pub const ALL_ON: SinksOn = SinksOn { tasks: true, messages: true, tags: true };

/// An instant: 2025-12-20T06:00:00Z plus so many hours.
pub fn hour(hours: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_766_210_400, 0).unwrap() + TimeDelta::hours(hours)
}

/// A contact with figures.
pub fn contact(id: &str, company: Option<&str>, attributes: &[(&str, Value)]) -> Contact {
    Contact {
        id: id.to_owned(),
        email: Some(format!("{id}@example.com")),
        name: Some(format!("Name {id}")),
        created_at: None,
        last_seen_at: None,
        attributes: attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        tags: References::all(Vec::new()),
        companies: References::all(company.map(str::to_owned).into_iter().collect()),
    }
}

pub fn number(number: f64) -> Value {
    Value::Number(number)
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// Storage used, of a contact of a company.
pub fn storage(id: &str, company: &str, percent: f64) -> Contact {
    contact(id, Some(company), &[("storage_percent", number(percent))])
}

/// A member of a team of so many.
pub fn teammate(id: &str, company: &str, count: f64) -> Contact {
    contact(id, Some(company), &[("plan_type", text("team")), ("teammates_count", number(count))])
}

/// A rule set and settings from TOML over the defaults.
pub fn configure(toml: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usage-signals.toml");
    std::fs::write(&file, format!("{toml}\n")).unwrap();
    let environment = |name: &str| (name == "TZ").then(|| "UTC".to_owned());
    config::load(Some(&file), &environment).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A folder that costs no disk, where the system has one: a ledger waits for the disk with every commit.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// What happens to the orders of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Done,
    CarriedOver,
    Refused,
    /// No answer came, and nothing happened.
    InDoubt,
    /// No answer came, and it happened.
    Lost,
}

pub struct PlanWorld {
    pub config: Config,
    pub contacts: BTreeMap<String, Contact>,
    pub companies: BTreeMap<String, Company>,
    /// The workspace's tags: ids by lower-cased name.
    pub tag_ids: BTreeMap<String, String>,
    pub sinks: SinksOn,
    pub mode: Mode,
    pub scope: Scope,
    /// What happens to tasks, messages and tags of the next runs.
    pub fates: BTreeMap<ActionKind, Fate>,
    /// Contacts that are there, and that the search does not bring.
    pub unread: BTreeSet<String>,
    /// Contacts whose tags the search shows as they were: it is behind.
    pub behind: BTreeMap<String, Vec<String>>,
    /// Whether contacts arrive in the opposite order.
    pub backwards: bool,
    /// Tasks that a person completed: one of these is not brought forward.
    pub completed: BTreeSet<String>,
    /// For which occasion and level each task was made.
    pub tasks: BTreeMap<String, (OccasionId, String)>,
    /// The same of each message.
    pub messages: BTreeMap<String, (OccasionId, String)>,
    /// What happened though no answer came: remote ids by short key.
    pub lost: BTreeMap<String, String>,
    /// Everything that took effect: `task storage_limit acme`, `tag storage_limit c1`.
    pub effects: Vec<String>,
    folder: tempfile::TempDir,
    lock: Lock,
    /// Kept open: opening is most of what it costs.
    ledger: Rc<Writer>,
    next_id: usize,
    tags_made: usize,
    runs: usize,
}

impl PlanWorld {
    pub fn new(toml: &str, contacts: Vec<Contact>) -> PlanWorld {
        let folder = in_memory();
        let lock = Lock::take(folder.path(), "test").unwrap();
        let ledger = Rc::new(Writer::open(&folder.path().join(LEDGER_FILE), &lock).unwrap());
        PlanWorld {
            config: configure(&format!("[scan]\ntimezone = \"UTC\"\n{toml}")),
            contacts: contacts.into_iter().map(|contact| (contact.id.clone(), contact)).collect(),
            companies: BTreeMap::new(),
            tag_ids: BTreeMap::new(),
            sinks: ALL_ON,
            mode: Mode::default(),
            scope: Scope::everything(),
            fates: BTreeMap::new(),
            unread: BTreeSet::new(),
            behind: BTreeMap::new(),
            backwards: false,
            completed: BTreeSet::new(),
            tasks: BTreeMap::new(),
            messages: BTreeMap::new(),
            lost: BTreeMap::new(),
            effects: Vec::new(),
            folder,
            lock,
            ledger,
            next_id: 0,
            tags_made: 0,
            runs: 0,
        }
    }

    pub fn put(&mut self, contact: Contact) {
        let tags = self.contacts.get(&contact.id).map(|old| old.tags.clone());
        let contact = Contact { tags: tags.unwrap_or_else(|| contact.tags.clone()), ..contact };
        self.contacts.insert(contact.id.clone(), contact);
    }

    pub fn set(&mut self, id: &str, attribute: &str, value: Value) {
        self.contacts.get_mut(id).unwrap().attributes.insert(attribute.to_owned(), value);
    }

    pub fn tag(&mut self, id: &str, tag: &str) {
        let tags_made = &mut self.tags_made;
        let new = || {
            *tags_made += 1; // a tag that was deleted leaves its id to none
            format!("tag{tags_made}")
        };
        let tag_id = self.tag_ids.entry(tag.to_lowercase()).or_insert_with(new).clone();
        let tags = &mut self.contacts.get_mut(id).unwrap().tags.ids;
        if !tags.contains(&tag_id) {
            tags.push(tag_id);
        }
    }

    pub fn untag(&mut self, id: &str, tag: &str) {
        let tag_id = self.tag_ids.get(&tag.to_lowercase()).cloned().unwrap_or_default();
        self.contacts.get_mut(id).unwrap().tags.ids.retain(|id| *id != tag_id);
    }

    pub fn delete_tag(&mut self, tag: &str) {
        let tag_id = self.tag_ids.remove(&tag.to_lowercase()).unwrap();
        for contact in self.contacts.values_mut() {
            contact.tags.ids.retain(|id| *id != tag_id);
        }
    }

    pub fn lose_ledger(&mut self) {
        let file = self.folder.path().join("another.sqlite");
        self.ledger = Rc::new(Writer::open(&file, &self.lock).unwrap());
    }

    pub fn known(&self) -> Known {
        self.ledger().known().unwrap()
    }

    pub fn occasion(&self, signal: &str) -> Occasion {
        let occasions = self.known().occasions;
        let mut of_signal: Vec<_> = occasions.into_iter().filter(|occasion| occasion.id.signal == signal).collect();
        of_signal.sort_by_key(|occasion| occasion.id.opened_at);
        of_signal.pop().unwrap_or_else(|| panic!("no occasion of {signal}"))
    }

    pub fn ledger_file(&self) -> PathBuf {
        self.folder.path().join(LEDGER_FILE)
    }

    pub fn ledger(&self) -> Rc<Writer> {
        Rc::clone(&self.ledger)
    }

    /// The plan of a run, nothing recorded.
    pub fn plan(&self, at: DateTime<Utc>) -> Plan {
        self.plan_on(&self.known(), at)
    }

    /// The plan of a run that goes on from what a ledger knows.
    pub fn plan_on(&self, known: &Known, at: DateTime<Utc>) -> Plan {
        let rules = &self.config.rules;
        let rule_tags = rules.rules.iter().filter_map(|rule| self.tag_ids.get(&rule.tag.to_lowercase()).cloned());
        let mut sightings = Sightings::new(known, rule_tags.collect());
        let in_scope = |contact: &&Contact| {
            self.scope.contacts.as_ref().is_none_or(|contacts| contacts.contains(&contact.id))
                && !self.unread.contains(&contact.id)
        };
        let mut arriving: Vec<_> = self.contacts.values().filter(in_scope).collect();
        if self.backwards {
            arriving.reverse();
        }
        for contact in arriving {
            let mut seen = seen(contact);
            if let Some(tags) = self.behind.get(&contact.id) {
                seen.tags = References::all(tags.clone());
            }
            let evaluation = rules.evaluate(&seen, at);
            sightings.add(seen, evaluation, rules);
        }
        if self.scope.contacts.is_some() {
            for id in unread_contacts(rules, &self.scope, known, &sightings) {
                if let Some(contact) = self.contacts.get(&id).map(seen) {
                    let evaluation = rules.evaluate(&contact, at);
                    sightings.look_up(contact, evaluation, rules);
                }
            }
        }
        let mut facts = Facts { tag_ids: self.tag_ids.clone(), ..Facts::default() };
        for id in missing_contacts(rules, &self.scope, known, &sightings) {
            if !self.contacts.contains_key(&id) {
                facts.gone.insert(id);
            }
        }
        let groups = group(rules, &sightings, &facts, known);
        let Colleagues { concerned, tags, accounts } = Colleagues::of(&groups, &self.scope, &sightings, &facts, known);
        for contact in self.contacts.values() {
            let of_account = contact.companies.ids.iter().any(|id| accounts.contains(id));
            if concerned.contains(&contact.id) || of_account && contact.tags.ids.iter().any(|id| tags.contains(id)) {
                sightings.keep(seen(contact));
            }
        }
        let groups = group(rules, &sightings, &facts, known);
        let questions = Questions::of(&groups, &sightings, &facts, known);
        for id in questions.companies {
            facts.companies.insert(id.clone(), self.companies.get(&id).cloned().unwrap_or_default());
        }
        for id in questions.tags_of {
            let tags = self.contacts.get(&id).map(|contact| contact.tags.ids.clone());
            facts.tags_of.insert(id, tags);
        }
        let links =
            Links { contact: "https://intercom/{workspace}/{id}".into(), record: "https://zoho/{module}/{id}".into() };
        plan::build(&Input {
            workspace: "w1",
            as_of: at,
            rules,
            settings: &self.config.plan,
            links: &links,
            sinks: self.sinks,
            mode: self.mode.clone(),
            scope: self.scope.clone(),
            sightings: &sightings,
            facts: &facts,
            known,
        })
    }

    /// A run: plans, records, and carries out with the fates that are set.
    pub fn run(&mut self, at: DateTime<Utc>) -> Plan {
        let plan = self.plan(at);
        self.carry_out(&plan, at);
        plan
    }

    /// Records a plan and carries it out, with the fates that are set.
    pub fn carry_out(&mut self, plan: &Plan, at: DateTime<Utc>) {
        let ledger = self.ledger();
        ledger.record(&plan.changes()).unwrap();
        self.runs += 1;
        ledger.remember(&format!("run{}", self.runs), &plan.shares).unwrap();
        let mut task_done = BTreeSet::new();
        for kind in [ActionKind::Task, ActionKind::Message, ActionKind::Tag, ActionKind::Untag] {
            for (item, action) in plan.to_do().filter(|(_, action)| action.key.kind == kind) {
                let task =
                    item.actions.iter().find(|one| one.key.kind == ActionKind::Task && one.decision == Decision::Do);
                if kind == ActionKind::Tag && task.is_some_and(|task| !task_done.contains(&task.short)) {
                    continue;
                }
                ledger.claim(&[&action.short], at, None).unwrap();
                if let Some(Order::Tag(tag)) = &action.order
                    && !self.contacts.contains_key(&tag.contact)
                {
                    ledger.close(&[gone(&action.short)], at).unwrap();
                    continue;
                }
                let fate = self.fates.get(&kind).copied().unwrap_or(Fate::Done);
                let step = match fate {
                    Fate::Done => Step::Confirm,
                    Fate::CarriedOver => Step::CarryOver,
                    Fate::Refused => Step::Refuse,
                    Fate::InDoubt => continue,
                    Fate::Lost => {
                        let id = self.effect(item, &action.key.level, action.order.as_ref().unwrap());
                        self.lost.insert(action.short.clone(), id);
                        continue;
                    }
                };
                if kind == ActionKind::Task && fate != Fate::CarriedOver {
                    ledger.link(&[(&action.short, Some(&TaskLink::Unlinked))]).unwrap();
                    task_done.insert(action.short.clone());
                }
                let remote_id =
                    (fate == Fate::Done).then(|| self.effect(item, &action.key.level, action.order.as_ref().unwrap()));
                let closing = Closing {
                    short: action.short.clone(),
                    step,
                    reason: None,
                    remote_id,
                    error: None,
                    may_repeat: false,
                };
                ledger.close(&[closing], at).unwrap();
            }
        }
    }

    fn effect(&mut self, item: &Item, level: &str, order: &Order) -> String {
        self.next_id += 1;
        let signal = &item.occasion.signal;
        let (line, id) = match order {
            Order::Task(task) => match task.prior.as_ref().filter(|prior| !self.completed.contains(*prior)) {
                Some(prior) => (format!("forward {signal} {prior}"), prior.clone()),
                None => {
                    let id = format!("T{}", self.next_id);
                    self.tasks.insert(id.clone(), (item.occasion.clone(), level.to_owned()));
                    (format!("task {signal} {}", item.subject().id), id)
                }
            },
            Order::Message(message) => {
                let thread =
                    message.thread.as_ref().map_or(String::new(), |thread| format!(" in thread {}", thread.ts));
                let id = format!("C1/{}", self.next_id);
                self.messages.insert(id.clone(), (item.occasion.clone(), level.to_owned()));
                (format!("message {signal} {}{thread}", item.subject().id), id)
            }
            Order::Tag(tag) if tag.change == TagChange::Add => {
                self.tag(&tag.contact, &tag.tag);
                (format!("tag {signal} {}", tag.contact), self.tag_ids[&tag.tag.to_lowercase()].clone())
            }
            Order::Tag(tag) => {
                self.untag(&tag.contact, &tag.tag);
                (format!("untag {signal} {}", tag.contact), String::new())
            }
        };
        self.effects.push(line);
        id
    }

    /// What took effect since the last call.
    pub fn news(&mut self) -> Vec<String> {
        std::mem::take(&mut self.effects)
    }
}

/// As Intercom lists it: at most ten tags.
fn seen(contact: &Contact) -> Contact {
    let mut seen = contact.clone();
    seen.tags.complete = seen.tags.ids.len() <= 10;
    seen.tags.ids.truncate(10);
    seen
}

/// Intercom does not have the contact any more.
fn gone(short: &str) -> Closing {
    let (short, reason) = (short.to_owned(), Some(Reason::ContactGone));
    Closing { short, step: Step::Drop, reason, remote_id: None, error: None, may_repeat: false }
}

/// The item of a signal; there must be one.
pub fn item<'a>(plan: &'a Plan, signal: &str) -> &'a Item {
    let found: Vec<_> = plan.items.iter().filter(|item| item.occasion.signal == signal).collect();
    assert_eq!(found.len(), 1, "items of {signal}: {found:#?}");
    found[0]
}

/// ActionKind, decision and reason of every action: `task do new`, `tag c1 skip already_done`.
pub fn actions(item: &Item) -> Vec<String> {
    let word = |decision| match decision {
        Decision::Do => "do",
        Decision::Skip => "skip",
        Decision::InDoubt => "in doubt",
    };
    let line = |action: &plan::PlannedAction| {
        let contact = if action.key.contact.is_empty() { String::new() } else { format!(" {}", action.key.contact) };
        let level = if action.key.level.is_empty() { String::new() } else { format!("/{}", action.key.level) };
        format!("{}{level}{contact} {} {}", action.key.kind.name(), word(action.decision), action.reason.name())
    };
    item.actions.iter().map(line).collect()
}

/// Reasons of all items by signal and subject.
pub fn reasons(plan: &Plan) -> Vec<(String, Reason)> {
    let line = |item: &Item| (format!("{} {}", item.occasion.signal, item.subject().id), item.reason);
    plan.items.iter().map(line).collect()
}

/// Whether the plan opens, raises, or ends anything.
pub fn changes_occasions(plan: &Plan) -> bool {
    plan.changes()
        .iter()
        .any(|change| matches!(change, Change::Open { .. } | Change::Raise { .. } | Change::End { .. }))
}
