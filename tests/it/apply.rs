//! The order of writes (claim, perform, close), and the effect of a failure at one sink on the other sinks.

use std::cell::RefCell;
use std::time::Duration;

use usage_signals::apply::sink::{ActionOutcome, Answer, Claim, Failure, FailureKind, Sink, SinkOrder};
use usage_signals::apply::stop::{Stop, StopReason};
use usage_signals::apply::{ActionStatus, Results, Sinks, apply, settle};
use usage_signals::ledger::lock::Lock;
use usage_signals::ledger::{LEDGER_FILE, LedgerReader, Writer};
use usage_signals::model::{
    ActionKind, Entry, Links, Message, Reason, Record, SinkKind, State, Tag, Task, TaskLink, TaskNews,
};
use usage_signals::plan::settings::WhenInDoubt;

use crate::support::{PlanWorld, hour, storage};

/// A sink that returns scripted outcomes, and reads the ledger while it performs.
struct Scripted<'a, O> {
    outcomes: Vec<ActionOutcome>,
    answer: Answer,
    links: Vec<Result<TaskLink, ActionOutcome>>,
    seen: &'a RefCell<Vec<String>>,
    orders: &'a RefCell<Vec<O>>,
    ledger: std::path::PathBuf,
}

impl<O: SinkOrder> Scripted<'_, O> {
    fn states(&self, batch: &[O]) -> Vec<(State, bool)> {
        let known = LedgerReader::open(&self.ledger).unwrap().known;
        let entry = |order: &O| {
            let of_order = |entry: &&Entry| entry.short == order.clone().into_order().short();
            let occasion = known.occasions.iter().find(|occasion| occasion.entries.iter().any(|one| of_order(&one)));
            let occasion = occasion.unwrap();
            let entry = occasion.entries.iter().find(of_order).unwrap();
            (entry.state, occasion.link.is_some())
        };
        batch.iter().map(entry).collect()
    }
}

impl<O: SinkOrder> Sink for Scripted<'_, O> {
    type Order = O;

    fn batches(&self, orders: Vec<O>) -> Vec<Vec<O>> {
        orders.into_iter().map(|order| vec![order]).collect()
    }

    async fn perform(&mut self, batch: &[O]) -> Vec<ActionOutcome> {
        for (state, linked) in self.states(batch) {
            self.seen.borrow_mut().push(format!("perform: {} linked {linked}", state.name()));
        }
        self.orders.borrow_mut().extend(batch.iter().cloned());
        let done = ActionOutcome::Done("R1".into());
        batch.iter().map(|_| if self.outcomes.is_empty() { done.clone() } else { self.outcomes.remove(0) }).collect()
    }

    async fn settle(&mut self, claims: &[Claim]) -> Vec<Answer> {
        claims.iter().map(|_| self.answer.clone()).collect()
    }

    async fn link(&mut self, batch: &[O]) -> Vec<Result<TaskLink, ActionOutcome>> {
        for (state, linked) in self.states(batch) {
            self.seen.borrow_mut().push(format!("link: {} linked {linked}", state.name()));
        }
        let on_lead = || Ok(TaskLink::Record(Record { module: "Leads".into(), id: "57".into() }));
        batch.iter().map(|_| if self.links.is_empty() { on_lead() } else { self.links.remove(0) }).collect()
    }
}

/// The orders that the sinks performed.
#[derive(Default)]
struct Sent {
    tasks: RefCell<Vec<Task>>,
    messages: RefCell<Vec<Message>>,
    tags: RefCell<Vec<Tag>>,
}

fn failure(kind: FailureKind) -> Failure {
    Failure { kind, ..Failure::of_action("it failed") }
}

/// Two accounts with a signal each, and sinks that follow a script.
struct Run {
    world: PlanWorld,
    folder: tempfile::TempDir,
    seen: RefCell<Vec<String>>,
    tasks: Vec<ActionOutcome>,
    links: Vec<Result<TaskLink, ActionOutcome>>,
    messages: Vec<ActionOutcome>,
    answer: Answer,
    stop_after: Option<StopReason>,
}

impl Run {
    fn new() -> Run {
        Run {
            world: PlanWorld::new("", vec![storage("c1", "a", 83.0), storage("c2", "b", 84.0)]),
            folder: tempfile::tempdir().unwrap(),
            seen: RefCell::default(),
            tasks: Vec::new(),
            links: Vec::new(),
            messages: Vec::new(),
            answer: Answer::DidNotHappen,
            stop_after: None,
        }
    }

    fn sink<'a, O>(&'a self, outcomes: &[ActionOutcome], orders: &'a RefCell<Vec<O>>) -> Scripted<'a, O> {
        Scripted {
            outcomes: outcomes.to_vec(),
            answer: self.answer.clone(),
            links: self.links.clone(),
            seen: &self.seen,
            orders,
            ledger: self.folder.path().join(LEDGER_FILE),
        }
    }

    fn sinks<'a>(&'a self, sent: &'a Sent) -> Sinks<'a> {
        let mut sinks = Sinks::default();
        sinks.add(SinkKind::Tasks, self.sink(&self.tasks, &sent.tasks));
        sinks.add(SinkKind::Messages, self.sink(&self.messages, &sent.messages));
        sinks.add(SinkKind::Tags, self.sink(&[], &sent.tags));
        sinks
    }

    /// Applies a new plan. Returns the results, the posted messages, and the added tags.
    async fn apply(&self) -> (Results, Vec<Message>, Vec<Tag>) {
        let lock = Lock::take(self.folder.path(), "test").unwrap();
        let ledger = Writer::open(&self.folder.path().join(LEDGER_FILE), &lock).unwrap();
        let plan = self.world.plan_on(&ledger.known().unwrap(), hour(0));
        ledger.record(&plan.changes()).unwrap();
        let links = Links { contact: "i/{id}".into(), record: "z/{module}/{id}".into() };
        let (switch, stop) = Stop::after(Duration::from_secs(60));
        if let Some(reason) = self.stop_after {
            switch.stop(reason);
        }
        let sent = Sent::default();
        let (results, failed) = apply(&plan, &ledger, &mut self.sinks(&sent), &links, &stop).await;
        assert!(failed.is_none(), "{failed:?}");
        (results, sent.messages.take(), sent.tags.take())
    }

    async fn settle(&self, when_in_doubt: WhenInDoubt) -> Vec<Entry> {
        let lock = Lock::take(self.folder.path(), "test").unwrap();
        let ledger = Writer::open(&self.folder.path().join(LEDGER_FILE), &lock).unwrap();
        let known = ledger.known().unwrap();
        let sent = Sent::default();
        settle(&known, &ledger, &mut self.sinks(&sent), |_| None, when_in_doubt, hour(6)).await.unwrap();
        self.entries()
    }

    fn entries(&self) -> Vec<Entry> {
        let known = LedgerReader::open(&self.folder.path().join(LEDGER_FILE)).unwrap().known;
        known.occasions.into_iter().flat_map(|occasion| occasion.entries).collect()
    }

    fn states(&self, kind: ActionKind) -> Vec<State> {
        self.entries().iter().filter(|entry| entry.key.kind == kind).map(|entry| entry.state).collect()
    }
}

#[tokio::test]
async fn every_request_finds_its_claim_committed_and_every_task_its_link() {
    let run = Run::new();
    let (results, _, _) = run.apply().await;
    let seen = run.seen.take();
    assert_eq!(seen.iter().filter(|line| *line == "link: claimed linked false").count(), 2, "{seen:?}");
    assert_eq!(seen.iter().filter(|line| *line == "perform: claimed linked true").count(), 6, "{seen:?}");
    assert!(results.performed.values().all(|performed| performed.status == ActionStatus::Done));
    assert!(run.entries().iter().all(|entry| entry.state == State::Done && entry.remote_id.as_deref() == Some("R1")));
}

#[tokio::test]
async fn a_task_carried_over_holds_its_tag_back_and_its_message_says_that_it_follows() {
    let mut run = Run::new();
    run.tasks = vec![ActionOutcome::CarriedOver(failure(FailureKind::Action))];
    let (results, messages, tags) = run.apply().await;
    assert_eq!(messages[0].task, TaskNews::Follows);
    assert_eq!(
        messages[1].task,
        TaskNews::Done { task_url: "z/Tasks/R1".into(), record_url: Some("z/Leads/57".into()) }
    );
    assert_eq!(tags.iter().map(|tag| tag.contact.as_str()).collect::<Vec<_>>(), ["c2"]);
    assert_eq!(run.states(ActionKind::Tag), [State::Planned, State::Done]);
    assert!(results.performed.values().any(|performed| performed.reason == Some(Reason::WaitsForTask)));
}

#[tokio::test]
async fn a_refused_task_holds_nothing_back() {
    let mut run = Run::new();
    run.tasks = vec![ActionOutcome::Refused(failure(FailureKind::Action))];
    let (_, messages, tags) = run.apply().await;
    assert_eq!(messages[0].task, TaskNews::Refused);
    assert_eq!(tags.len(), 2);
    assert_eq!(run.states(ActionKind::Task), [State::Refused, State::Done]);
}

#[tokio::test]
async fn a_task_in_doubt_stays_claimed_and_its_tag_waits() {
    let mut run = Run::new();
    run.tasks = vec![ActionOutcome::InDoubt(failure(FailureKind::Action))];
    let (_, messages, tags) = run.apply().await;
    assert_eq!((messages.len(), tags.len()), (2, 1));
    assert_eq!(run.states(ActionKind::Task), [State::Claimed, State::Done]);
}

#[tokio::test]
async fn a_sink_with_a_refused_credential_stops_and_the_others_go_on() {
    let mut run = Run::new();
    run.tasks = vec![ActionOutcome::CarriedOver(failure(FailureKind::Credential))];
    let (results, messages, tags) = run.apply().await;
    assert_eq!((messages.len(), tags.len()), (2, 0));
    assert_eq!(run.states(ActionKind::Task), [State::Planned, State::Planned], "the second was not even claimed");
    assert_eq!(results.performed.values().filter(|performed| performed.status == ActionStatus::Failed).count(), 2);
    let performs = run.seen.take().iter().filter(|line| line.starts_with("link")).count();
    assert_eq!(performs, 1);
}

#[tokio::test]
async fn a_record_that_cannot_be_found_carries_over_its_own_task_only() {
    let mut run = Run::new();
    run.links = vec![Err(ActionOutcome::CarriedOver(failure(FailureKind::Action)))];
    run.apply().await;
    assert_eq!(run.states(ActionKind::Task), [State::Planned, State::Done]);
}

#[tokio::test]
async fn a_record_that_is_gone_is_looked_up_afresh_but_not_in_circles() {
    let mut run = Run::new();
    run.tasks = vec![ActionOutcome::CarriedOver(failure(FailureKind::Action))];
    run.apply().await;
    run.tasks = vec![ActionOutcome::RecordGone(failure(FailureKind::Action))];
    for (expected, looks_up) in [(State::Planned, false), (State::Refused, true)] {
        run.seen.take();
        run.apply().await;
        assert_eq!(run.states(ActionKind::Task), [expected, State::Done]);
        assert_eq!(run.seen.take().iter().any(|line| line.starts_with("link")), looks_up);
    }
}

#[tokio::test]
async fn after_the_word_to_stop_nothing_is_claimed() {
    let mut run = Run::new();
    run.stop_after = Some(StopReason::Terminated);
    let (results, messages, tags) = run.apply().await;
    assert_eq!(results.stopped, Some(StopReason::Terminated));
    assert!(messages.is_empty() && tags.is_empty() && run.seen.take().is_empty());
    assert!(run.entries().iter().all(|entry| entry.state == State::Planned));
}

#[tokio::test]
async fn settling_closes_what_happened_and_gives_back_what_did_not() {
    for (answer, expected) in [
        (Answer::Happened("T9".into()), State::Done),
        (Answer::DidNotHappen, State::Planned),
        (Answer::CannotTell, State::Claimed),
        (Answer::NoAnswer(failure(FailureKind::Unreachable)), State::Claimed),
        (Answer::Gone, State::Dropped),
    ] {
        let mut run = Run::new();
        run.tasks = vec![ActionOutcome::InDoubt(failure(FailureKind::Action))];
        run.apply().await;
        run.answer = answer.clone();
        run.settle(WhenInDoubt::Resend).await;
        assert_eq!(run.states(ActionKind::Task), [expected, State::Done], "{answer:?}");
        let opened: Vec<_> = run.seen.take().into_iter().filter(|line| line.starts_with("perform")).collect();
        assert_eq!(opened.len(), 2 + 2 + 1, "settling performs nothing: {opened:?}");
    }
}

#[tokio::test]
async fn a_message_with_an_unknown_outcome_is_marked_and_repeated_or_held() {
    for (when_in_doubt, expected) in
        [(WhenInDoubt::Resend, (State::Planned, true)), (WhenInDoubt::Hold, (State::Claimed, false))]
    {
        let mut run = Run::new();
        run.messages = vec![ActionOutcome::InDoubt(failure(FailureKind::Action))];
        run.apply().await;
        run.answer = Answer::CannotTell;
        let entries = run.settle(when_in_doubt).await;
        let message = entries.iter().find(|entry| entry.key.kind == ActionKind::Message).unwrap();
        assert_eq!((message.state, message.may_repeat), expected, "{when_in_doubt:?}");
    }
}
