//! Carries out a plan.

use std::cell::Cell;

use futures_util::future::join_all;
use tokio::sync::watch;

use super::perform::Performer;
use super::results::{ActionStatus, Performed, Results};
use super::sinks::Sinks;
use super::stop::Stop;
use super::waiting::{self, TasksSoFar};
use crate::ledger::{LedgerError, Writer};
use crate::model::{Links, SinkKind};
use crate::plan::Plan;

/// Carries out a recorded plan, all sinks at the same time. A tag and a message wait for the task of their signal, and a digest
/// for the tasks of all its signals; nothing else waits. Doubts that can be settled in this run are settled at its end.
///
/// An error is the ledger's. After it nothing more is sent, because nothing more could be recorded. The actions claimed by then
/// are in doubt, and the next run asks about them. The results hold the actions done by then.
pub async fn apply(
    plan: &Plan,
    ledger: &Writer,
    sinks: &mut Sinks<'_>,
    links: &Links,
    stop: &Stop,
) -> (Results, Option<LedgerError>) {
    let performer = Performer { ledger, links, stop, at: plan.as_of, broken: Cell::new(false) };
    let mut orders = waiting::orders(plan);
    let longest = sinks.longest_news(links);
    let tasks = watch::Sender::new(TasksSoFar { over: !sinks.has(SinkKind::Tasks), ..TasksSoFar::default() });
    let lanes = sinks.iter_mut().map(|(kind, sink)| {
        let orders = orders.remove(&kind).unwrap_or_default();
        performer.run_sink(kind, sink, orders, &longest, &tasks)
    });
    let (mut results, mut failed) = (Results::default(), None);
    for (mut lane, mut error) in join_all(lanes).await {
        if !performer.broken.get() {
            error = error.or(performer.settle_doubts(&mut lane).await.err());
        }
        results.merge(lane.results);
        failed = failed.or(error);
    }
    // A stop during the last request, too: no later batch has noticed it.
    let is_over = |performed: &Performed| matches!(performed.status, ActionStatus::Done | ActionStatus::Skipped);
    if !results.performed.values().all(is_over) {
        results.stopped = results.stopped.or(stop.reason());
    }
    (results, failed)
}
