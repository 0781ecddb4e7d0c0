//! A small world for tests of decisions: contacts, tags and a real ledger, without HTTP.
//!
//! The world is a source of contacts for the program's `read`. The program's `apply` executes the plans, with sinks whose results
//! are set by [`Fate`].

mod sinks;
mod source;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use chrono::{DateTime, Utc};
use usage_signals::apply::stop::Stop;
use usage_signals::apply::{apply, settle};
use usage_signals::config::Config;
use usage_signals::ledger::lock::Lock;
use usage_signals::ledger::{LEDGER_FILE, Writer};
use usage_signals::model::{ActionKind, Contact, Known, Links, Occasion, OccasionId, SinkKind, Value, tag_key};
use usage_signals::plan::settings::WhenInDoubt;
use usage_signals::plan::{self, Company, Input, Mode, Plan, RetryRefused, Scope};
use usage_signals::read::{ReadRequest, read_contacts};

use self::sinks::sinks;
use self::source::{Unobserved, Unreadable};
use super::{all_sinks, configure};

/// The result of all orders of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Done,
    CarriedOver,
    Refused,
    /// The order did not take effect, and its response was lost.
    InDoubt,
    /// The order took effect, and its response was lost.
    Lost,
}

pub struct PlanWorld {
    pub config: Config,
    pub contacts: BTreeMap<String, Contact>,
    pub companies: BTreeMap<String, Company>,
    /// The ids of the workspace's tags, by [`tag_key`].
    pub tag_ids: BTreeMap<String, String>,
    pub sinks: BTreeSet<SinkKind>,
    pub mode: Mode,
    pub scope: Scope,
    /// The results of tasks, messages and tags in the next runs.
    pub fates: BTreeMap<ActionKind, Fate>,
    /// Contacts that exist, but are missing from search results.
    pub unread: BTreeSet<String>,
    /// Contacts for which a request for one contact fails.
    pub failing: BTreeSet<String>,
    /// Outdated tags that the search still shows, by contact.
    pub behind: BTreeMap<String, Vec<String>>,
    /// Whether contacts arrive in reverse order.
    pub backwards: bool,
    /// Tasks that a person completed. An escalation does not bring them forward.
    pub completed: BTreeSet<String>,
    /// The occasion and the level of each task.
    pub tasks: BTreeMap<String, (OccasionId, String)>,
    /// The occasion and the level of each message.
    pub messages: BTreeMap<String, (OccasionId, String)>,
    /// The remote ids of orders whose response was lost ([`Fate::Lost`]), by short key.
    pub lost: BTreeMap<String, String>,
    /// Everything that took effect: `task storage_limit acme`, `tag storage_limit c1`.
    pub effects: Vec<String>,
    folder: tempfile::TempDir,
    lock: Lock,
    /// Stays open, because opening it takes most of the time of a test.
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
            sinks: all_sinks(),
            mode: Mode::default(),
            scope: Scope::everything(),
            fates: BTreeMap::new(),
            unread: BTreeSet::new(),
            failing: BTreeSet::new(),
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
            *tags_made += 1; // the id of a deleted tag is never used again
            format!("tag{tags_made}")
        };
        let tag_id = self.tag_ids.entry(tag_key(tag)).or_insert_with(new).clone();
        let tags = &mut self.contacts.get_mut(id).unwrap().tags.ids;
        if !tags.contains(&tag_id) {
            tags.push(tag_id);
        }
    }

    pub fn untag(&mut self, id: &str, tag: &str) {
        let tag_id = self.tag_ids.get(&tag_key(tag)).cloned().unwrap_or_default();
        self.contacts.get_mut(id).unwrap().tags.ids.retain(|id| *id != tag_id);
    }

    pub fn delete_tag(&mut self, tag: &str) {
        let tag_id = self.tag_ids.remove(&tag_key(tag)).unwrap();
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

    /// Returns the plan of a run, and records nothing.
    pub fn plan(&self, at: DateTime<Utc>) -> Plan {
        let mut known = self.known();
        self.retry_refused(at).plan_again(&mut known);
        self.plan_on(&known, at)
    }

    fn retry_refused(&self, as_of: DateTime<Utc>) -> RetryRefused<'_> {
        let after = self.config.plan.retry_refused_after;
        RetryRefused { after, as_of, rules: &self.config.rules, sinks: &self.sinks }
    }

    /// Records which refused actions a run at this instant plans again.
    pub fn plan_refused_again(&self, at: DateTime<Utc>) {
        self.ledger.record(&self.retry_refused(at).plan_again(&mut self.known())).unwrap();
    }

    /// Returns the plan of a run with the knowledge of a ledger. `--contact` must name contacts of this world.
    pub fn plan_on(&self, known: &Known, at: DateTime<Utc>) -> Plan {
        let rules = &self.config.rules;
        let signals: Vec<_> = self.scope.signals.iter().flatten().cloned().collect();
        let contacts: Vec<_> = self.scope.contacts.iter().flatten().cloned().collect();
        let request = ReadRequest {
            rules,
            known,
            as_of: at,
            only: &signals,
            contacts: &contacts,
            wanted: rules.wanted(),
            progress: &Unobserved,
        };
        let unconfirmed = (!self.scope.complete).then_some(Unreadable);
        let read = at_once(read_contacts(self, &request, unconfirmed)).unwrap();
        plan::build(&Input {
            workspace: "w1",
            as_of: at,
            rules,
            settings: &self.config.plan,
            links: &links(),
            sinks: &self.sinks,
            mode: self.mode.clone(),
            scope: read.scope,
            sightings: &read.sightings,
            facts: &read.facts,
            known,
        })
    }

    /// Plans a run, records the plan and applies it.
    pub fn run(&mut self, at: DateTime<Utc>) -> Plan {
        let plan = self.plan(at);
        self.plan_refused_again(at);
        assert_eq!(plan, self.plan(at), "a dry run shows what a real run does");
        self.carry_out(&plan);
        plan
    }

    /// Records a plan and applies it, with the results in `fates`.
    pub fn carry_out(&mut self, plan: &Plan) {
        let ledger = self.ledger();
        ledger.record(&plan.changes()).unwrap();
        self.runs += 1;
        ledger.remember(&format!("run{}", self.runs), &plan.shares).unwrap();
        let world = RefCell::new(self);
        let (_switch, stop) = Stop::after(Duration::from_secs(3600));
        let (mut sinks, links) = (sinks(&world, Some(plan)), links());
        let (_, failed) = at_once(apply(plan, &ledger, &mut sinks, &links, &stop));
        assert!(failed.is_none(), "{failed:?}");
    }

    /// Settles the claims of earlier runs: asks whether they took effect, and closes them.
    pub fn settle(&mut self, at: DateTime<Utc>) {
        let ledger = self.ledger();
        let known = self.known();
        let world = RefCell::new(self);
        let mut sinks = sinks(&world, None);
        let settled = settle(&known, &ledger, &mut sinks, |_| None, WhenInDoubt::Resend, at);
        at_once(settled).unwrap();
    }

    fn fate(&self, kind: ActionKind) -> Fate {
        self.fates.get(&kind).copied().unwrap_or(Fate::Done)
    }

    /// Returns the effects since the last call.
    pub fn news(&mut self) -> Vec<String> {
        std::mem::take(&mut self.effects)
    }
}

fn links() -> Links {
    Links { contact: "https://intercom/{workspace}/{id}".into(), record: "https://zoho/{module}/{id}".into() }
}

/// Runs a future that waits for nothing outside itself. It needs no runtime, because a runtime would take longer than the work.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..1000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
    panic!("the future waits for something outside itself");
}

/// Creates a folder in memory if the system has one, because a ledger waits for the disk at every commit.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}
