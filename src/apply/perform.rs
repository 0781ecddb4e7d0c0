//! Carrying out a plan.

use std::collections::{BTreeMap, BTreeSet};

use super::Sinks;
use super::course::Course;
use super::results::{Performed, Results, Status};
use super::sink::{Failure, FailureKind, Keyed, Outcome, Sink, TaskSink};
use super::stop::Stop;
use crate::ledger::{Closing, LedgerError, Writer};
use crate::model::{Date, Kind, Links, Message, Reason, Step, Tag, Task, TaskLink, TaskNews};
use crate::plan::{Decision, Item, Order, Plan};

/// Carries out what a recorded plan says: tasks first; then messages, which say what became of the task, and tags, which
/// wait for it, side by side.
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
    let performer = Performer { ledger, stop, at: plan.as_of };
    let mut results = Results::default();
    let failed = performer.all(plan, sinks, links, &mut results).await.err();
    // A stop in the middle of the last request, too: nothing came after it that could have noticed.
    if results.performed.values().any(|performed| !matches!(performed.status, Status::Done | Status::Skipped)) {
        results.stopped = results.stopped.or(stop.reason());
    }
    (results, failed)
}

/// What is to be done, by sink, each with the task of the same signal where that is to be done in this run too.
struct Orders {
    tasks: Vec<Task>,
    messages: Vec<(Message, Option<String>)>,
    tags: Vec<(Tag, Option<String>)>,
}

impl Orders {
    fn of(plan: &Plan) -> Orders {
        let mut orders = Orders { tasks: Vec::new(), messages: Vec::new(), tags: Vec::new() };
        for (item, action) in plan.to_do() {
            match &action.order {
                Some(Order::Task(task)) => orders.tasks.push(task.as_ref().clone()),
                Some(Order::Message(message)) => orders.messages.push((message.as_ref().clone(), task_of(item))),
                Some(Order::Tag(tag)) if action.key.kind == Kind::Tag => orders.tags.push((tag.clone(), task_of(item))),
                Some(Order::Tag(tag)) => orders.tags.push((tag.clone(), None)),
                None => {}
            }
        }
        orders
    }
}

fn task_of(item: &Item) -> Option<String> {
    let task = item.actions.iter().find(|action| action.key.kind == Kind::Task && action.decision == Decision::Do);
    task.map(|action| action.short.clone())
}

/// Puts into each message what became of its task.
fn with_task_news(
    messages: Vec<(Message, Option<String>)>,
    results: &Results,
    task_links: &BTreeMap<String, TaskLink>,
    links: &Links,
) -> Vec<Message> {
    let news = |short: &String| {
        let Some(performed) = results.performed.get(short) else { return TaskNews::Follows };
        match (&performed.status, &performed.remote_id) {
            (Status::Done, Some(id)) => TaskNews::Done {
                task_url: links.task(id),
                record_url: match task_links.get(short) {
                    Some(TaskLink::Record(record)) => Some(links.record(record)),
                    _ => None,
                },
            },
            _ if performed.reason == Some(Reason::Refused) => TaskNews::Refused,
            _ => TaskNews::Follows,
        }
    };
    let with_news = |(message, task): (Message, Option<String>)| match task {
        Some(short) => Message { task: news(&short), ..message },
        None => message,
    };
    messages.into_iter().map(with_news).collect()
}

/// A tag without a ledger must mean "handled", so it waits for the task, unless Zoho refused that for good.
fn ready_tags(tags: Vec<(Tag, Option<String>)>, results: &Results) -> (Vec<Tag>, Vec<(String, Performed)>) {
    let task_is_settled = |short: &String| {
        let task = results.performed.get(short);
        task.is_some_and(|task| task.status == Status::Done || task.reason == Some(Reason::Refused))
    };
    let (ready, waiting): (Vec<_>, Vec<_>) =
        tags.into_iter().partition(|(_, task)| task.as_ref().is_none_or(task_is_settled));
    let wait = |(tag, _): (Tag, _)| {
        let reason = Some(Reason::WaitsForTask);
        (tag.short, Performed { status: Status::Planned, reason, remote_id: None, failure: None })
    };
    (ready.into_iter().map(|(tag, _)| tag).collect(), waiting.into_iter().map(wait).collect())
}

struct Performer<'a> {
    ledger: &'a Writer,
    stop: &'a Stop,
    at: Date,
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
        let task_links = match &mut sinks.tasks {
            Some(sink) => self.tasks(sink, orders.tasks, results).await?,
            None => BTreeMap::new(),
        };
        let messages = with_task_news(orders.messages, results, &task_links, links);
        let (tags, waiting) = ready_tags(orders.tags, results);
        results.performed.extend(waiting);
        let (mut of_messages, mut of_tags) = (Results::default(), Results::default());
        let (messages, tags) = tokio::join!(
            self.run_if_on(sinks.messages.as_mut(), messages, &mut of_messages),
            self.run_if_on(sinks.tags.as_mut(), tags, &mut of_tags)
        );
        results.merge(of_messages);
        results.merge(of_tags);
        messages.and(tags)
    }

    /// Finds or makes the records that tasks go on, then the tasks.
    async fn tasks<T: TaskSink>(
        &self,
        sink: &mut T,
        orders: Vec<Task>,
        results: &mut Results,
    ) -> Result<BTreeMap<String, TaskLink>, LedgerError> {
        let mut task_links = BTreeMap::new();
        let mut course = Course::default();
        for batch in sink.batches(orders) {
            if !self.may_start(&batch, results, &course) {
                continue;
            }
            self.claim(&batch, sink.address())?;
            let fresh: BTreeSet<_> =
                batch.iter().filter(|task| task.link.is_none()).map(|task| task.short.clone()).collect();
            let (linked, failed) = self.link(sink, batch).await?;
            self.close(failed, results, &mut course)?;
            if let Some(failure) = course.halted().cloned() {
                // The claims are given back: nothing was sent for these.
                let given_back = linked.into_iter().map(|task| (task.short, Outcome::CarriedOver(failure.clone())));
                self.close(given_back.collect(), results, &mut course)?;
                continue;
            }
            task_links.extend(linked.iter().filter_map(|task| Some((task.short.clone(), task.link.clone()?))));
            let outcomes = pair(&linked, sink.perform(&linked).await);
            let outcomes: Vec<_> = outcomes.into_iter().map(|outcome| refuse_fresh(outcome, &fresh)).collect();
            self.unlink(&outcomes)?;
            self.close(outcomes, results, &mut course)?;
        }
        Ok(task_links)
    }

    /// Where each task goes; the answers are committed before any task is made.
    async fn link<T: TaskSink>(
        &self,
        sink: &mut T,
        batch: Vec<Task>,
    ) -> Result<(Vec<Task>, Vec<(String, Outcome)>), LedgerError> {
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
                None => failed.push((task.short, Outcome::CarriedOver(no_answer()))),
            }
        }
        let links = linked.iter().map(|task| (task.short.as_str(), task.link.as_ref()));
        self.ledger.link(&links.collect::<Vec<_>>())?;
        Ok((linked, failed))
    }

    /// Forgets records that are gone, before the claims are given back: the next run looks them up afresh.
    fn unlink(&self, outcomes: &[(String, Outcome)]) -> Result<(), LedgerError> {
        let gone = outcomes.iter().filter(|(_, outcome)| matches!(outcome, Outcome::RecordGone(_)));
        let gone: Vec<_> = gone.map(|(short, _)| (short.as_str(), None)).collect();
        if gone.is_empty() { Ok(()) } else { self.ledger.link(&gone) }
    }

    async fn run_if_on<S: Sink>(
        &self,
        sink: Option<&mut S>,
        orders: Vec<S::Order>,
        results: &mut Results,
    ) -> Result<(), LedgerError> {
        let Some(sink) = sink else { return Ok(()) };
        let mut course = Course::default();
        for batch in sink.batches(orders) {
            if !self.may_start(&batch, results, &course) {
                continue;
            }
            self.claim(&batch, sink.address())?;
            let outcomes = sink.perform(&batch).await;
            self.close(pair(&batch, outcomes), results, &mut course)?;
        }
        Ok(())
    }

    /// Whether to begin another batch; where not, its actions stay planned.
    fn may_start<O: Keyed>(&self, batch: &[O], results: &mut Results, course: &Course) -> bool {
        let reason = self.stop.reason();
        results.stopped = results.stopped.or(reason);
        if reason.is_none() && course.halted().is_none() {
            return true;
        }
        if let Some(failure) = course.halted() {
            let failed =
                Performed { status: Status::Failed, reason: None, remote_id: None, failure: Some(failure.clone()) };
            results.performed.extend(batch.iter().map(|order| (order.short().to_owned(), failed.clone())));
        }
        false
    }

    fn claim<O: Keyed>(&self, batch: &[O], address: Option<&str>) -> Result<(), LedgerError> {
        let shorts: Vec<_> = batch.iter().map(Keyed::short).collect();
        tracing::debug!(action.keys = shorts.join(" "), "claim");
        self.ledger.claim(&shorts, self.at, address)
    }

    /// Writes down outcomes.
    fn close(
        &self,
        outcomes: Vec<(String, Outcome)>,
        results: &mut Results,
        course: &mut Course,
    ) -> Result<(), LedgerError> {
        course.note(outcomes.iter().map(|(_, outcome)| outcome));
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
            self.ledger.close(&closings, self.at)?;
        }
        Ok(())
    }
}

fn pair<O: Keyed>(batch: &[O], outcomes: Vec<Outcome>) -> Vec<(String, Outcome)> {
    let mut outcomes = outcomes.into_iter();
    // A sink that says too little leaves its actions in doubt, which is the safe side.
    let outcome_of = |order: &O| (order.short().to_owned(), outcomes.next().unwrap_or(Outcome::InDoubt(no_answer())));
    batch.iter().map(outcome_of).collect()
}

/// A record that this run has just looked up would be found again by the next: then a person has to see to it.
fn refuse_fresh((short, outcome): (String, Outcome), fresh: &BTreeSet<String>) -> (String, Outcome) {
    match outcome {
        Outcome::RecordGone(failure) if fresh.contains(&short) => (short, Outcome::Refused(failure)),
        outcome => (short, outcome),
    }
}

fn no_answer() -> Failure {
    Failure { message: "the sink gave no outcome".to_owned(), quote: None, help: None, kind: FailureKind::Action }
}

fn performed(outcome: &Outcome) -> Performed {
    let (status, reason, remote_id, failure) = match outcome.clone() {
        Outcome::Done(receipt) => (Status::Done, None, Some(receipt.remote_id), None),
        Outcome::CarriedOver(failure) | Outcome::RecordGone(failure) => (Status::Failed, None, None, Some(failure)),
        Outcome::Refused(failure) => (Status::Failed, Some(Reason::Refused), None, Some(failure)),
        Outcome::InDoubt(failure) => (Status::InDoubt, Some(Reason::InDoubt), None, Some(failure)),
        Outcome::Gone => (Status::Skipped, Some(Reason::ContactGone), None, None),
    };
    Performed { status, reason, remote_id, failure }
}

/// What the ledger writes down; None leaves the claim open.
fn closing(short: &str, outcome: Outcome) -> Option<Closing> {
    let (step, reason, remote_id, error) = match outcome {
        Outcome::Done(receipt) => (Step::Confirm, None, Some(receipt.remote_id), None),
        Outcome::CarriedOver(failure) | Outcome::RecordGone(failure) => {
            (Step::CarryOver, None, None, Some(failure.message))
        }
        Outcome::Refused(failure) => (Step::Refuse, Some(Reason::Refused), None, Some(failure.message)),
        Outcome::Gone => (Step::Drop, Some(Reason::ContactGone), None, None),
        Outcome::InDoubt(_) => return None,
    };
    Some(Closing { short: short.to_owned(), step, reason, remote_id, error, may_repeat: false })
}
