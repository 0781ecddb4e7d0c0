//! Performs the orders of each sink: claims, sends, closes.

use std::cell::Cell;
use std::collections::BTreeSet;

use tokio::sync::watch;
use tokio::time::Instant;

use super::circuit_breaker::CircuitBreaker;
use super::results::{ActionStatus, Performed, Results};
use super::sink::{ActionOutcome, Failure, KEYLESS};
use super::sinks::AnySink;
use super::stop::Stop;
use super::waiting::{MessageQueue, TasksSoFar, Waiting};
use crate::ledger::{Closing, LedgerError, Writer};
use crate::model::{Date, Links, Message, Reason, SinkKind, Step, Task, TaskLink, TaskNews};
use crate::plan::Order;

pub(super) struct Performer<'a> {
    pub(super) ledger: &'a Writer,
    pub(super) links: &'a Links,
    pub(super) stop: &'a Stop,
    pub(super) at: Date,
    /// Whether the ledger failed. Then no sink begins anything.
    pub(super) broken: Cell<bool>,
}

/// One sink's part of a run.
pub(super) struct Lane<'s> {
    pub(super) kind: SinkKind,
    pub(super) sink: &'s mut dyn AnySink,
    pub(super) results: Results,
    pub(super) breaker: CircuitBreaker,
    /// The batches whose answer leaves open what the service did, and when the last of these answers came.
    pub(super) doubtful: Vec<Vec<Order>>,
    pub(super) doubted_at: Instant,
    /// The batches that were not sent after answers were lost.
    pub(super) unsent: Vec<Vec<Order>>,
}

/// Outcomes by the short key of the action.
pub(super) type Outcomes = Vec<(String, ActionOutcome)>;

impl Performer<'_> {
    pub(super) async fn run_sink<'s>(
        &self,
        kind: SinkKind,
        sink: &'s mut dyn AnySink,
        orders: Vec<Waiting>,
        longest: &TaskNews,
        tasks: &watch::Sender<TasksSoFar>,
    ) -> (Lane<'s>, Option<LedgerError>) {
        let mut lane = Lane {
            kind,
            sink,
            results: Results::default(),
            breaker: CircuitBreaker::new(kind),
            doubtful: Vec::new(),
            doubted_at: Instant::now(),
            unsent: Vec::new(),
        };
        let done = match kind {
            SinkKind::Tasks => {
                let done = self.tasks(&mut lane, orders, tasks).await;
                tasks.send_modify(|so_far| {
                    so_far.results.clone_from(&lane.results);
                    so_far.over = true;
                });
                done
            }
            SinkKind::Messages => {
                let messages = MessageQueue::cut(lane.sink, orders, longest);
                self.messages(&mut lane, messages, tasks.subscribe()).await
            }
            _ => self.others(&mut lane, orders, tasks.subscribe()).await,
        };
        (lane, done.err())
    }

    /// Finds or makes the records that tasks go on, then makes the tasks. Publishes the results of every batch.
    async fn tasks(
        &self,
        lane: &mut Lane<'_>,
        orders: Vec<Waiting>,
        progress: &watch::Sender<TasksSoFar>,
    ) -> Result<(), LedgerError> {
        let orders = orders.into_iter().map(|waiting| waiting.order).collect();
        for batch in lane.sink.batches(orders) {
            if !self.may_start(&batch, lane) {
                continue;
            }
            self.claim(&batch, lane)?;
            let fresh: BTreeSet<_> =
                batch.iter().filter(|order| link_of(order).is_none()).map(|order| order.short().to_owned()).collect();
            let (linked, failed) = self.link(lane.sink, batch).await?;
            self.close(failed, lane)?;
            if let Some(failure) = lane.breaker.halted.clone() {
                // Nothing was sent for these tasks, so their claims are given back.
                let carried_over =
                    |order: Order| (order.short().to_owned(), ActionOutcome::CarriedOver(failure.clone()));
                self.close(linked.into_iter().map(carried_over).collect(), lane)?;
                continue;
            }
            if self.broken.get() {
                // The ledger failed at another sink: these claims stay in doubt, and nothing more is sent.
                return Ok(());
            }
            let outcomes = pair(&linked, lane.sink.perform(&linked).await);
            let outcomes: Outcomes = outcomes.into_iter().map(|outcome| refuse_fresh(outcome, &fresh)).collect();
            self.unlink(&outcomes)?;
            self.close(outcomes, lane)?;
            let links = linked.iter().filter_map(|order| Some((order.short().to_owned(), link_of(order)?.clone())));
            progress.send_modify(|so_far| {
                so_far.results.clone_from(&lane.results);
                so_far.links.extend(links);
            });
        }
        Ok(())
    }

    /// Posts messages. Of the batches that are ready, the most urgent one goes first.
    async fn messages(
        &self,
        lane: &mut Lane<'_>,
        mut messages: MessageQueue,
        mut tasks: watch::Receiver<TasksSoFar>,
    ) -> Result<(), LedgerError> {
        while !messages.is_empty() {
            let ready = messages.take_ready(&tasks.borrow_and_update(), self.links);
            match ready {
                Some(batch) => self.run_batch(lane, &batch).await?,
                None if tasks.changed().await.is_err() => break,
                None => {}
            }
        }
        Ok(())
    }

    /// Performs each order of another sink as soon as its task is settled, while further tasks are made.
    async fn others(
        &self,
        lane: &mut Lane<'_>,
        mut orders: Vec<Waiting>,
        mut tasks: watch::Receiver<TasksSoFar>,
    ) -> Result<(), LedgerError> {
        loop {
            let (ready, over) = {
                let so_far = tasks.borrow_and_update();
                (so_far.take_ready(&mut orders), so_far.over)
            };
            for batch in lane.sink.batches(ready) {
                self.run_batch(lane, &batch).await?;
            }
            if over || tasks.changed().await.is_err() {
                break;
            }
        }
        // The task of these was not settled in this run.
        let held_back = Performed { reason: Some(Reason::WaitsForTask), ..Performed::default() };
        let held_back = |waiting: Waiting| (waiting.order.short().to_owned(), held_back.clone());
        lane.results.performed.extend(orders.into_iter().map(held_back));
        Ok(())
    }

    /// Finds the record of each task that has none yet. The links are committed before any task is made.
    ///
    /// Returns the tasks with their links, and the outcomes of those without.
    async fn link(&self, sink: &mut dyn AnySink, batch: Vec<Order>) -> Result<(Vec<Order>, Outcomes), LedgerError> {
        let (mut linked, open): (Vec<_>, Vec<_>) = batch.into_iter().partition(|order| link_of(order).is_some());
        if open.is_empty() {
            return Ok((linked, Vec::new()));
        }
        let mut failed = Vec::new();
        let mut found = sink.link(&open).await.into_iter();
        for order in open {
            match found.next() {
                Some(Ok(link)) => linked.push(with_link(order, link)),
                Some(Err(outcome)) => failed.push((order.short().to_owned(), outcome)),
                None => failed.push((order.short().to_owned(), ActionOutcome::CarriedOver(no_answer()))),
            }
        }
        let links = linked.iter().map(|order| (order.short(), link_of(order)));
        self.noted(self.ledger.link(&links.collect::<Vec<_>>()))?;
        Ok((linked, failed))
    }

    /// Forgets records that are gone, before the claims are given back. The next run looks for them again.
    fn unlink(&self, outcomes: &[(String, ActionOutcome)]) -> Result<(), LedgerError> {
        let gone = outcomes.iter().filter(|(_, outcome)| matches!(outcome, ActionOutcome::RecordGone(_)));
        let gone: Vec<_> = gone.map(|(short, _)| (short.as_str(), None)).collect();
        if gone.is_empty() { Ok(()) } else { self.noted(self.ledger.link(&gone)) }
    }

    pub(super) async fn run_batch(&self, lane: &mut Lane<'_>, batch: &[Order]) -> Result<(), LedgerError> {
        if !self.may_start(batch, lane) {
            return Ok(());
        }
        self.claim(batch, lane)?;
        self.send(lane, batch).await
    }

    /// Performs a claimed batch, and closes its claims.
    pub(super) async fn send(&self, lane: &mut Lane<'_>, batch: &[Order]) -> Result<(), LedgerError> {
        let mut outcomes = lane.sink.perform(batch).await;
        if outcomes.iter().any(|outcome| matches!(outcome, ActionOutcome::KeyRefused(_))) {
            let shorts: Vec<_> = batch.iter().map(Order::short).collect();
            self.noted(self.ledger.readdress(&shorts, KEYLESS))?;
            outcomes = lane.sink.perform(&batch.iter().cloned().map(without_key).collect::<Vec<_>>()).await;
        }
        let is_answered =
            |outcome: &ActionOutcome| matches!(outcome, ActionOutcome::InDoubt(failure) if failure.answered);
        if outcomes.iter().all(is_answered) {
            lane.doubtful.push(batch.to_vec());
            lane.doubted_at = Instant::now();
        }
        self.close(pair(batch, outcomes), lane)
    }

    /// Whether another batch may begin. If not, its actions stay planned.
    fn may_start(&self, batch: &[Order], lane: &mut Lane<'_>) -> bool {
        let reason = self.stop.reason();
        lane.results.stopped = lane.results.stopped.or(reason);
        if reason.is_none() && lane.breaker.halted.is_none() {
            return !self.broken.get();
        }
        if reason.is_none() && lane.breaker.is_halted_by_lost_answers() {
            lane.unsent.push(batch.to_vec());
        }
        if let Some(failure) = lane.breaker.halted.clone() {
            let failed = Performed { status: ActionStatus::Failed, failure: Some(failure), ..Performed::default() };
            lane.results.performed.extend(batch.iter().map(|order| (order.short().to_owned(), failed.clone())));
        }
        false
    }

    fn claim(&self, batch: &[Order], lane: &Lane<'_>) -> Result<(), LedgerError> {
        let shorts: Vec<_> = batch.iter().map(Order::short).collect();
        tracing::debug!(action.keys = shorts.join(" "), "claim");
        self.noted(self.ledger.claim(&shorts, self.at, lane.sink.address()))
    }

    /// Remembers whether the ledger failed.
    fn noted(&self, result: Result<(), LedgerError>) -> Result<(), LedgerError> {
        self.broken.set(self.broken.get() || result.is_err());
        result
    }

    pub(super) fn close(&self, outcomes: Outcomes, lane: &mut Lane<'_>) -> Result<(), LedgerError> {
        lane.breaker.note(outcomes.iter().map(|(_, outcome)| outcome));
        let mut closings = Vec::new();
        for (short, outcome) in outcomes {
            let (performed, closing) = conclude(&short, outcome);
            if let Some(failure) = &performed.failure {
                tracing::warn!(action.key = short, status = performed.status.name(), "{failure}");
            }
            closings.extend(closing);
            lane.results.performed.insert(short, performed);
        }
        if !closings.is_empty() {
            self.noted(self.ledger.close(&closings, self.at))?;
        }
        Ok(())
    }
}

/// The record that a task goes on, once it is known.
fn link_of(order: &Order) -> Option<&TaskLink> {
    match order {
        Order::Task(task) => task.link.as_ref(),
        _ => None,
    }
}

fn with_link(order: Order, link: TaskLink) -> Order {
    match order {
        Order::Task(task) => Order::Task(Box::new(Task { link: Some(link), ..*task })),
        order => order,
    }
}

fn without_key(order: Order) -> Order {
    match order {
        Order::Message(message) => Order::Message(Box::new(Message { without_key: true, ..*message })),
        order => order,
    }
}

fn pair(batch: &[Order], outcomes: Vec<ActionOutcome>) -> Outcomes {
    let mut outcomes = outcomes.into_iter();
    // An action without an outcome counts as in doubt, which is the safe side.
    let outcome_of =
        |order: &Order| (order.short().to_owned(), outcomes.next().unwrap_or(ActionOutcome::InDoubt(no_answer())));
    batch.iter().map(outcome_of).collect()
}

/// Refuses a task whose record is gone although this run has just found it. The next run would find it again.
fn refuse_fresh((short, outcome): (String, ActionOutcome), fresh: &BTreeSet<String>) -> (String, ActionOutcome) {
    match outcome {
        ActionOutcome::RecordGone(failure) if fresh.contains(&short) => (short, ActionOutcome::Refused(failure)),
        outcome => (short, outcome),
    }
}

fn no_answer() -> Failure {
    Failure::of_action("the sink gave no outcome")
}

/// The result of an action, and the change of its entry in the ledger. None leaves the claim open.
fn conclude(short: &str, outcome: ActionOutcome) -> (Performed, Option<Closing>) {
    let (status, step, reason) = match &outcome {
        ActionOutcome::Done(_) | ActionOutcome::DoneApart(_) => (ActionStatus::Done, Some(Step::Confirm), None),
        ActionOutcome::CarriedOver(_) | ActionOutcome::RecordGone(_) | ActionOutcome::KeyRefused(_) => {
            (ActionStatus::Failed, Some(Step::CarryOver), None)
        }
        ActionOutcome::Refused(_) => (ActionStatus::Failed, Some(Step::Refuse), Some(Reason::Refused)),
        ActionOutcome::InDoubt(_) => (ActionStatus::InDoubt, None, Some(Reason::InDoubt)),
        ActionOutcome::Gone => (ActionStatus::Skipped, Some(Step::Drop), Some(Reason::ContactGone)),
    };
    let failure = outcome.failure().cloned();
    let error = failure.as_ref().map(|failure| failure.message.clone());
    let leaves_prior = matches!(outcome, ActionOutcome::DoneApart(_));
    let remote_id = match outcome {
        ActionOutcome::Done(remote_id) | ActionOutcome::DoneApart(remote_id) => Some(remote_id),
        _ => None,
    };
    let performed = Performed { status, reason, remote_id: remote_id.clone(), failure };
    let closing =
        |step| Closing { short: short.to_owned(), step, reason, remote_id, error, may_repeat: false, leaves_prior };
    (performed, step.map(closing))
}
