//! What holds after any history: observations of every kind, people who come, go and move, crashes, failures, sinks switched
//! off and on, tags taken off, tasks completed, and a clock that also jumps back.
//!
//! `PROPTEST_CASES=2000 cargo test --test it properties` looks longer.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use usage_signals::ledger::{Closing, open_claims};
use usage_signals::model::{Kind, OccasionId, Reason, References, State, Step, Value};
use usage_signals::plan::{Decision, Plan, Scope, SinksOn};

use crate::support::*;

const TAG: &str = "Expansion: Storage Limit";
const PEOPLE: [&str; 4] = ["c1", "c2", "c3", "c4"];

/// One thing that happens.
#[derive(Debug, Clone)]
enum Event {
    /// A figure is pushed: unknown, false, true, or true at the higher level.
    Storage(usize, Option<f64>),
    /// The same for a rule about people.
    Projects(usize, Option<f64>),
    /// Somebody changes companies, or leaves them all.
    Move(usize, Option<&'static str>),
    /// Somebody gets another e-mail; two can share one.
    Email(usize, u8),
    /// Somebody leaves Intercom, or comes back.
    Leave(usize),
    /// A person takes our tag off, or puts it on.
    Tag(usize, bool),
    /// Somebody deletes the tag from the workspace.
    DeleteTag,
    /// Somebody completes every task there is.
    Complete,
    /// Which sinks are on from now on.
    Sinks(bool, bool, bool),
    /// A run so many hours later: what becomes of tasks, messages and tags; whether the claims of earlier runs are asked about
    /// first; whether the contacts are read to the end.
    Run { hours: i64, fates: [Fate; 3], settle: bool, complete: bool },
}

fn events() -> impl Strategy<Value = Event> {
    let who = 0..PEOPLE.len();
    let figure = || prop_oneof![Just(None), Just(Some(10.0)), Just(Some(83.0)), Just(Some(96.0))];
    let fate = || {
        prop_oneof![
            6 => Just(Fate::Done), 2 => Just(Fate::CarriedOver), 1 => Just(Fate::Refused), 1 => Just(Fate::InDoubt),
            2 => Just(Fate::Lost)
        ]
    };
    let company = prop_oneof![Just(None), Just(Some("acme")), Just(Some("beta"))];
    let hours = prop_oneof![6 => 1_i64..40, 2 => Just(0_i64), 2 => -60_i64..0];
    let run = (hours, [fate(), fate(), fate()], prop::bool::weighted(0.8), prop::bool::weighted(0.9));
    prop_oneof![
        6 => (who.clone(), figure()).prop_map(|(who, figure)| Event::Storage(who, figure)),
        2 => (who.clone(), figure()).prop_map(|(who, figure)| Event::Projects(who, figure)),
        2 => (who.clone(), company).prop_map(|(who, company)| Event::Move(who, company)),
        1 => (who.clone(), 0_u8..3).prop_map(|(who, email)| Event::Email(who, email)),
        1 => who.clone().prop_map(Event::Leave),
        2 => (who, any::<bool>()).prop_map(|(who, on)| Event::Tag(who, on)),
        1 => Just(Event::DeleteTag),
        1 => Just(Event::Complete),
        1 => (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(tasks, messages, tags)| Event::Sinks(tasks, messages, tags)),
        9 => run.prop_map(|(hours, fates, settle, complete)| Event::Run { hours, fates, settle, complete }),
    ]
}

struct History {
    world: World,
    gone: BTreeMap<String, usage_signals::model::Contact>,
    now: i64,
}

impl History {
    fn new() -> History {
        let people = PEOPLE.iter().zip(["acme", "acme", "beta", "acme"]);
        let contacts = people.map(|(id, company)| storage(id, company, 10.0)).collect();
        History { world: World::new("", contacts), gone: BTreeMap::new(), now: 0 }
    }

    fn happen(&mut self, event: &Event) -> Result<(), TestCaseError> {
        let world = &mut self.world;
        let is_there = |world: &World, who: usize| world.contacts.contains_key(PEOPLE[who]);
        let figure = |figure: Option<f64>| figure.map_or(Value::Null, number);
        match *event {
            Event::Storage(who, value) if is_there(world, who) => {
                world.set(PEOPLE[who], "storage_percent", figure(value))
            }
            Event::Projects(who, value) if is_there(world, who) => {
                world.set(PEOPLE[who], "projects_count", figure(value))
            }
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
            Event::Tag(who, true) if is_there(world, who) => world.tag(PEOPLE[who], TAG),
            Event::Tag(who, false) if is_there(world, who) => world.untag(PEOPLE[who], TAG),
            Event::DeleteTag if world.tag_ids.contains_key(&TAG.to_lowercase()) => world.delete_tag(TAG),
            Event::Complete => world.completed.extend(world.tasks.keys().cloned()),
            Event::Sinks(tasks, messages, tags) => world.sinks = SinksOn { tasks, messages, tags },
            Event::Run { hours, fates, settle, complete } => {
                self.now += hours;
                if settle {
                    self.settle();
                }
                let kinds = [Kind::Task, Kind::Message, Kind::Tag];
                self.world.fates = kinds.into_iter().zip(fates).collect();
                self.world.fates.insert(Kind::Untag, fates[2]);
                self.world.scope = Scope { complete, ..Scope::everything() };
                self.run()?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Closes the claims of earlier runs with the truth, as far as it can be learnt.
    fn settle(&mut self) {
        let claims = open_claims(&self.world.known());
        let on = |kind| match kind {
            Kind::Task => self.world.sinks.tasks,
            Kind::Message => self.world.sinks.messages,
            Kind::Tag | Kind::Untag => self.world.sinks.tags,
        };
        let closings = claims.iter().filter(|claim| on(claim.entry.key.kind)).map(|claim| {
            let short = claim.entry.short.clone();
            let remote_id = self.world.lost.get(&short).cloned();
            let step = if remote_id.is_some() { Step::Confirm } else { Step::CarryOver };
            Closing { short, step, reason: None, remote_id, error: None, may_repeat: false }
        });
        let closings: Vec<_> = closings.collect();
        self.world.ledger().close(&closings, hour(self.now)).unwrap();
        for closing in closings {
            self.world.lost.remove(&closing.short);
        }
    }

    fn run(&mut self) -> Result<Plan, TestCaseError> {
        let at = hour(self.now);
        let before = self.world.known();
        let plan = self.world.plan(at);
        prop_assert_eq!(&plan, &self.world.plan(at), "the same input gives the same plan");
        let mut keys = BTreeSet::new();
        let mut shorts = BTreeSet::new();
        for item in &plan.items {
            for action in &item.actions {
                prop_assert!(keys.insert((item.occasion.clone(), action.key.clone())), "planned twice: {action:?}");
                prop_assert!(shorts.insert(action.short.clone()), "one short key for two: {action:?}");
                prop_assert_eq!(action.order.is_some(), action.decision == Decision::Do, "{:?}", action);
                let known = before.occasions.iter().find(|occasion| occasion.id == item.occasion);
                let entry = known.and_then(|occasion| occasion.entry(&action.key));
                let again = [Reason::TagRecreated, Reason::TagRestored].contains(&action.reason);
                if let Some(entry) = entry.filter(|_| action.decision == Decision::Do && !again) {
                    prop_assert_eq!(entry.state, State::Planned, "done or in doubt, and planned again: {:?}", action);
                }
            }
        }
        // Records what is planned; a plan that the ledger refuses ends the test.
        let done = self.world.run(at);
        prop_assert_eq!(&done, &plan);
        self.check()?;
        Ok(plan)
    }

    /// What holds at any time.
    fn check(&self) -> Result<(), TestCaseError> {
        let known = self.world.known();
        let mut open = BTreeSet::new();
        let mut concerned = BTreeSet::new();
        for occasion in known.occasions.iter().filter(|occasion| occasion.is_open()) {
            prop_assert!(open.insert((&occasion.id.signal, &occasion.id.subject)), "two are open: {occasion:#?}");
            for contact in &occasion.contacts {
                prop_assert!(concerned.insert((&occasion.id.signal, contact)), "{contact} is in two: {known:#?}");
            }
        }
        let mut made: BTreeMap<&(OccasionId, String), usize> = BTreeMap::new();
        let mut left_open: BTreeMap<&OccasionId, usize> = BTreeMap::new();
        for (id, whose) in &self.world.tasks {
            *made.entry(whose).or_default() += 1;
            *left_open.entry(&whose.0).or_default() += usize::from(!self.world.completed.contains(id));
        }
        prop_assert!(made.values().all(|count| *count == 1), "two tasks for one occasion and level: {made:#?}");
        prop_assert!(left_open.values().all(|count| *count <= 1), "two open tasks for one occasion: {left_open:#?}");
        Ok(())
    }

    /// However it went: once everything works again, every signal is where an undisturbed one would be, and a further run has
    /// nothing to do.
    fn mend(&mut self) -> Result<(), TestCaseError> {
        self.world.sinks = ALL_ON;
        self.world.scope = Scope::everything();
        self.world.fates.clear();
        self.now += 1;
        self.settle();
        self.run()?;
        let plan = self.run()?;
        prop_assert!(plan.to_do().next().is_none(), "planned twice: {:#?}", plan.to_do().collect::<Vec<_>>());
        prop_assert!(plan.changes().is_empty(), "{:#?}", plan.changes());
        let known = self.world.known();
        let rules = &self.world.config.rules;
        for contact in self.world.contacts.values() {
            let evaluation = rules.evaluate(contact, hour(self.now));
            for (rule, verdict) in rules.rules.iter().zip(&evaluation.verdicts) {
                if verdict.truth != usage_signals::model::Truth::True {
                    continue;
                }
                let mut occasions = known.occasions.iter().filter(|occasion| {
                    occasion.is_open() && occasion.id.signal == rule.signal && occasion.contacts.contains(&contact.id)
                });
                let Some(occasion) = occasions.next() else {
                    prop_assert!(false, "{} of {} is lost", rule.signal, contact.id);
                    continue;
                };
                prop_assert!(rule.rank(&occasion.level) >= rule.rank(&verdict.level), "a level is lost: {occasion:#?}");
                for kind in [Kind::Task, Kind::Message] {
                    let of_level = |entry: &&usage_signals::model::Entry| {
                        entry.key.kind == kind && entry.key.level == occasion.level
                    };
                    let entry = occasion.entries.iter().find(of_level);
                    prop_assert!(entry.is_some(), "no {} for the level: {:#?}", kind.name(), occasion);
                }
                let open =
                    |entry: &&usage_signals::model::Entry| matches!(entry.state, State::Planned | State::Claimed);
                prop_assert!(!occasion.entries.iter().any(|entry| open(&entry)), "left undone: {occasion:#?}");
            }
        }
        Ok(())
    }
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_leaves_nothing_twice_and_nothing_lost(history in prop::collection::vec(events(), 1..30)) {
        let mut told = History::new();
        for event in &history {
            told.happen(event)?;
        }
        told.mend()?;
    }
}

#[test]
fn a_clock_that_was_ahead_once_does_not_keep_an_occasion_open_for_years() {
    let mut world = World::new("", vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    world.set("c1", "storage_percent", number(10.0));
    world.run(hour(24 * 365)); // the wrong clock
    world.run(hour(6));
    world.run(hour(30));
    assert!(world.occasion("storage_limit").ended_at.is_some(), "two observations lie a day apart");
}

#[test]
fn what_was_done_last_is_what_was_planned_last_whatever_the_clock_says() {
    let mut world = World::new("", vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    world.completed.insert("T1".into());
    world.set("c1", "storage_percent", number(96.0));
    world.run(hour(-6)); // the clock was set back: the newer task seems to be older
    let made: Vec<_> = world.tasks.keys().cloned().collect();
    assert_eq!(made.len(), 2, "T1 was completed, so that the higher level made another");
    let last = world.occasion("storage_limit").last_done(Kind::Task).and_then(|entry| entry.remote_id.clone());
    assert_ne!(last.as_deref(), Some("T1"));
}
