//! Carrying out a plan.

use std::cell::Cell;
use std::collections::BTreeSet;

use tokio::sync::watch;

use super::Sinks;
use super::circuit_breaker::CircuitBreaker;
use super::results::{ActionStatus, Performed, Results};
use super::sink::{ActionOutcome, Failure, FailureKind, Keyed, Sink, TaskSink};
use super::stop::Stop;
use super::waiting::{Messages, Orders, TasksSoFar, Waiting, held_back};
use crate::ledger::{Closing, LedgerError, Writer};
use crate::model::{Date, Links, Message, Reason, Step, Tag, Task};
use crate::plan::Plan;

/// Carries out what a recorded plan says, the sinks side by side: a tag and a message wait for the task of their signal, a
/// digest for those of all its signals, and nothing else waits.
///
/// An error is the ledger's: nothing more is sent, because nothing more could be written down. What was claimed by then is
/// in doubt, and the next run asks. What was done by then is in the results all the same.
pub async fn apply<T, M, G>(
    plan: &Plan,
    ledger: &Writer,
    sinks: &mut Sinks<T, M, G>,
    links: &Links,
    stop: &Stop,
) -> (Results, Option<LedgerError>)
where
    T: TaskSink,
    M: Sink<Order = Message>,
    G: Sink<Order = Tag>,
{
    let performer = Performer { ledger, stop, at: plan.as_of, broken: Cell::new(false) };
    let mut results = Results::default();
    let failed = performer.all(plan, sinks, links, &mut results).await.err();
    // A stop in the middle of the last request, too: nothing came after it that could have noticed.
    if results
        .performed
        .values()
        .any(|performed| !matches!(performed.status, ActionStatus::Done | ActionStatus::Skipped))
    {
        results.stopped = results.stopped.or(stop.reason());
    }
    (results, failed)
}

struct Performer<'a> {
    ledger: &'a Writer,
    stop: &'a Stop,
    at: Date,
    /// The ledger failed: nothing more is begun, at any sink.
    broken: Cell<bool>,
}

impl Performer<'_> {
    async fn all<T, M, G>(
        &self,
        plan: &Plan,
        sinks: &mut Sinks<T, M, G>,
        links: &Links,
        results: &mut Results,
    ) -> Result<(), LedgerError>
    where
        T: TaskSink,
        M: Sink<Order = Message>,
        G: Sink<Order = Tag>,
    {
        let orders = Orders::of(plan);
        let (progress, watcher) = watch::channel(TasksSoFar::default());
        let (mut of_messages, mut of_tags) = (Results::default(), Results::default());
        let (tasks, messages, tags) = tokio::join!(
            self.tasks(sinks.tasks.as_mut(), orders.tasks, &progress),
            self.messages(sinks.messages.as_mut(), orders.messages, links, watcher.clone(), &mut of_messages),
            self.tags(sinks.tags.as_mut(), orders.tags, watcher, &mut of_tags)
        );
        progress.send_modify(|so_far| results.merge(std::mem::take(&mut so_far.results)));
        results.merge(of_messages);
        results.merge(of_tags);
        tasks.and(messages).and(tags)
    }

    /// Tasks, batch after batch; what became of each batch is told.
    async fn tasks<T: TaskSink>(
        &self,
        sink: Option<&mut T>,
        orders: Vec<Task>,
        progress: &watch::Sender<TasksSoFar>,
    ) -> Result<(), LedgerError> {
        let mut results = Results::default();
        let done = match sink {
            Some(sink) => self.task_batches(sink, orders, &mut results, progress).await,
            None => Ok(()),
        };
        progress.send_modify(|so_far| {
            so_far.results = results;
            so_far.over = true;
        });
        done
    }

    /// Finds or makes the records that tasks go on, then the tasks.
    async fn task_batches<T: TaskSink>(
        &self,
        sink: &mut T,
        orders: Vec<Task>,
        results: &mut Results,
        progress: &watch::Sender<TasksSoFar>,
    ) -> Result<(), LedgerError> {
        let mut breaker = CircuitBreaker::default();
        for batch in sink.batches(orders) {
            if !self.may_start(&batch, results, &breaker) {
                continue;
            }
            self.claim(&batch, sink.address())?;
            let fresh: BTreeSet<_> =
                batch.iter().filter(|task| task.link.is_none()).map(|task| task.short.clone()).collect();
            let (linked, failed) = self.link(sink, batch).await?;
            self.close(failed, results, &mut breaker)?;
            if let Some(failure) = breaker.halted().cloned() {
                // The claims are given back: nothing was sent for these.
                let given_back =
                    linked.into_iter().map(|task| (task.short, ActionOutcome::CarriedOver(failure.clone())));
                self.close(given_back.collect(), results, &mut breaker)?;
                continue;
            }
            if self.broken.get() {
                // Another sink's: what is claimed here stays in doubt, and nothing more is sent.
                return Ok(());
            }
            let outcomes = pair(&linked, sink.perform(&linked).await);
            let outcomes: Vec<_> = outcomes.into_iter().map(|outcome| refuse_fresh(outcome, &fresh)).collect();
            self.unlink(&outcomes)?;
            self.close(outcomes, results, &mut breaker)?;
            progress.send_modify(|so_far| {
                so_far.results.clone_from(results);
                so_far.links.extend(linked.into_iter().filter_map(|task| Some((task.short, task.link?))));
            });
        }
        Ok(())
    }

    /// Messages, each as soon as it is known what became of its task, which it says; of those that are ready the first in rank.
    async fn messages<M: Sink<Order = Message>>(
        &self,
        sink: Option<&mut M>,
        messages: Messages,
        links: &Links,
        mut tasks: watch::Receiver<TasksSoFar>,
        results: &mut Results,
    ) -> Result<(), LedgerError> {
        let Some(sink) = sink else { return Ok(()) };
        let mut breaker = CircuitBreaker::default();
        let mut waiting = sink.batches(messages.at_longest(links));
        while !waiting.is_empty() {
            let ready = messages.take_ready(&mut waiting, &tasks.borrow_and_update(), links);
            match ready {
                Some(batch) => self.run_batch(sink, &batch, results, &mut breaker).await?,
                None if tasks.changed().await.is_err() => break,
                None => {}
            }
        }
        Ok(())
    }

    /// Tags, each as soon as its task is settled, while further tasks are made.
    async fn tags<G: Sink<Order = Tag>>(
        &self,
        mut sink: Option<&mut G>,
        mut tags: Vec<Waiting<Tag>>,
        mut tasks: watch::Receiver<TasksSoFar>,
        results: &mut Results,
    ) -> Result<(), LedgerError> {
        let mut breaker = CircuitBreaker::default();
        loop {
            let (ready, over) = {
                let so_far = tasks.borrow_and_update();
                (so_far.take_ready(&mut tags), so_far.over)
            };
            self.run_if_on(sink.as_deref_mut(), ready, results, &mut breaker).await?;
            if over || tasks.changed().await.is_err() {
                break;
            }
        }
        results.performed.extend(held_back(tags));
        Ok(())
    }

    /// Where each task goes; the answers are committed before any task is made.
    async fn link<T: TaskSink>(
        &self,
        sink: &mut T,
        batch: Vec<Task>,
    ) -> Result<(Vec<Task>, Vec<(String, ActionOutcome)>), LedgerError> {
        let (mut linked, open): (Vec<_>, Vec<_>) = batch.into_iter().partition(|task| task.link.is_some());
        if open.is_empty() {
            return Ok((linked, Vec::new()));
        }
        let mut failed = Vec::new();
        let mut found = sink.link(&open).await.into_iter();
        for task in open {
            match found.next() {
                Some(Ok(link)) => linked.push(Task { link: Some(link), ..task }),
                Some(Err(outcome)) => failed.push((task.short, outcome)),
                None => failed.push((task.short, ActionOutcome::CarriedOver(no_answer()))),
            }
        }
        let links = linked.iter().map(|task| (task.short.as_str(), task.link.as_ref()));
        self.noted(self.ledger.link(&links.collect::<Vec<_>>()))?;
        Ok((linked, failed))
    }

    /// Forgets records that are gone, before the claims are given back: the next run looks them up afresh.
    fn unlink(&self, outcomes: &[(String, ActionOutcome)]) -> Result<(), LedgerError> {
        let gone = outcomes.iter().filter(|(_, outcome)| matches!(outcome, ActionOutcome::RecordGone(_)));
        let gone: Vec<_> = gone.map(|(short, _)| (short.as_str(), None)).collect();
        if gone.is_empty() { Ok(()) } else { self.noted(self.ledger.link(&gone)) }
    }

    async fn run_if_on<S: Sink>(
        &self,
        sink: Option<&mut S>,
        orders: Vec<S::Order>,
        results: &mut Results,
        breaker: &mut CircuitBreaker,
    ) -> Result<(), LedgerError> {
        let Some(sink) = sink else { return Ok(()) };
        for batch in sink.batches(orders) {
            self.run_batch(sink, &batch, results, breaker).await?;
        }
        Ok(())
    }

    async fn run_batch<S: Sink>(
        &self,
        sink: &mut S,
        batch: &[S::Order],
        results: &mut Results,
        breaker: &mut CircuitBreaker,
    ) -> Result<(), LedgerError> {
        if !self.may_start(batch, results, breaker) {
            return Ok(());
        }
        self.claim(batch, sink.address())?;
        let outcomes = sink.perform(batch).await;
        self.close(pair(batch, outcomes), results, breaker)
    }

    /// Whether to begin another batch; where not, its actions stay planned.
    fn may_start<O: Keyed>(&self, batch: &[O], results: &mut Results, breaker: &CircuitBreaker) -> bool {
        let reason = self.stop.reason();
        results.stopped = results.stopped.or(reason);
        if reason.is_none() && breaker.halted().is_none() {
            return !self.broken.get();
        }
        if let Some(failure) = breaker.halted() {
            let failed = Performed {
                status: ActionStatus::Failed,
                reason: None,
                remote_id: None,
                failure: Some(failure.clone()),
            };
            results.performed.extend(batch.iter().map(|order| (order.short().to_owned(), failed.clone())));
        }
        false
    }

    fn claim<O: Keyed>(&self, batch: &[O], address: Option<&str>) -> Result<(), LedgerError> {
        let shorts: Vec<_> = batch.iter().map(Keyed::short).collect();
        tracing::debug!(action.keys = shorts.join(" "), "claim");
        self.noted(self.ledger.claim(&shorts, self.at, address))
    }

    /// Remembers that the ledger failed.
    fn noted(&self, result: Result<(), LedgerError>) -> Result<(), LedgerError> {
        self.broken.set(self.broken.get() || result.is_err());
        result
    }

    /// Writes down outcomes.
    fn close(
        &self,
        outcomes: Vec<(String, ActionOutcome)>,
        results: &mut Results,
        breaker: &mut CircuitBreaker,
    ) -> Result<(), LedgerError> {
        breaker.note(outcomes.iter().map(|(_, outcome)| outcome));
        let mut closings = Vec::new();
        for (short, outcome) in outcomes {
            let performed = performed(&outcome);
            if let Some(failure) = &performed.failure {
                tracing::warn!(action.key = short, status = performed.status.name(), "{failure}");
            }
            closings.extend(closing(&short, outcome));
            results.performed.insert(short, performed);
        }
        if !closings.is_empty() {
            self.noted(self.ledger.close(&closings, self.at))?;
        }
        Ok(())
    }
}

fn pair<O: Keyed>(batch: &[O], outcomes: Vec<ActionOutcome>) -> Vec<(String, ActionOutcome)> {
    let mut outcomes = outcomes.into_iter();
    // A sink that says too little leaves its actions in doubt, which is the safe side.
    let outcome_of =
        |order: &O| (order.short().to_owned(), outcomes.next().unwrap_or(ActionOutcome::InDoubt(no_answer())));
    batch.iter().map(outcome_of).collect()
}

/// A record that this run has just looked up would be found again by the next: then a person has to see to it.
fn refuse_fresh((short, outcome): (String, ActionOutcome), fresh: &BTreeSet<String>) -> (String, ActionOutcome) {
    match outcome {
        ActionOutcome::RecordGone(failure) if fresh.contains(&short) => (short, ActionOutcome::Refused(failure)),
        outcome => (short, outcome),
    }
}

fn no_answer() -> Failure {
    Failure { message: "the sink gave no outcome".to_owned(), quote: None, help: None, kind: FailureKind::Action }
}

fn performed(outcome: &ActionOutcome) -> Performed {
    let (status, reason, remote_id, failure) = match outcome.clone() {
        ActionOutcome::Done(receipt) => (ActionStatus::Done, None, Some(receipt.remote_id), None),
        ActionOutcome::CarriedOver(failure) | ActionOutcome::RecordGone(failure) => {
            (ActionStatus::Failed, None, None, Some(failure))
        }
        ActionOutcome::Refused(failure) => (ActionStatus::Failed, Some(Reason::Refused), None, Some(failure)),
        ActionOutcome::InDoubt(failure) => (ActionStatus::InDoubt, Some(Reason::InDoubt), None, Some(failure)),
        ActionOutcome::Gone => (ActionStatus::Skipped, Some(Reason::ContactGone), None, None),
    };
    Performed { status, reason, remote_id, failure }
}

/// What the ledger writes down; None leaves the claim open.
fn closing(short: &str, outcome: ActionOutcome) -> Option<Closing> {
    let (step, reason, remote_id, error) = match outcome {
        ActionOutcome::Done(receipt) => (Step::Confirm, None, Some(receipt.remote_id), None),
        ActionOutcome::CarriedOver(failure) | ActionOutcome::RecordGone(failure) => {
            (Step::CarryOver, None, None, Some(failure.message))
        }
        ActionOutcome::Refused(failure) => (Step::Refuse, Some(Reason::Refused), None, Some(failure.message)),
        ActionOutcome::Gone => (Step::Drop, Some(Reason::ContactGone), None, None),
        ActionOutcome::InDoubt(_) => return None,
    };
    Some(Closing { short: short.to_owned(), step, reason, remote_id, error, may_repeat: false })
}
