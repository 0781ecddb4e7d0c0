//! The sinks of a run, by kind, whatever types implement them.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use super::sink::{ActionOutcome, Answer, Claim, Sink, SinkOrder};
use crate::model::{Links, SinkKind, TaskLink, TaskNews};
use crate::plan::Order;

/// The sinks that are on.
#[derive(Default)]
pub struct Sinks<'s>(BTreeMap<SinkKind, Box<dyn AnySink + 's>>);

impl<'s> Sinks<'s> {
    /// Registers the sink that performs the actions of a kind.
    pub fn add(&mut self, kind: SinkKind, sink: impl Sink + 's) {
        self.0.insert(kind, Box::new(sink));
    }

    pub(super) fn has(&self, kind: SinkKind) -> bool {
        self.0.contains_key(&kind)
    }

    /// The longest news of a task that a message of this run may have to hold.
    pub(super) fn longest_news(&self, links: &Links) -> TaskNews {
        self.0.get(&SinkKind::Tasks).map_or(TaskNews::None, |tasks| tasks.longest_news(links))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (SinkKind, &mut (dyn AnySink + 's))> {
        self.0.iter_mut().map(|(kind, sink)| (*kind, &mut **sink))
    }
}

impl fmt::Debug for Sinks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The answer of a sink, under way.
pub(super) type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A [`Sink`] that takes any [`Order`]. It leaves out orders that the sink cannot perform; their actions stay planned.
pub(super) trait AnySink {
    fn batches(&self, orders: Vec<Order>) -> Vec<Vec<Order>>;
    fn address(&self) -> Option<&str>;
    fn settles_after(&self) -> Option<Duration>;
    fn longest_news(&self, links: &Links) -> TaskNews;
    fn link<'a>(&'a mut self, batch: &[Order]) -> Pending<'a, Vec<Result<TaskLink, ActionOutcome>>>;
    fn perform<'a>(&'a mut self, batch: &[Order]) -> Pending<'a, Vec<ActionOutcome>>;
    fn settle<'a>(&'a mut self, claims: &'a [Claim]) -> Pending<'a, Vec<Answer>>;
}

impl<S: Sink> AnySink for S {
    fn batches(&self, orders: Vec<Order>) -> Vec<Vec<Order>> {
        let batches = Sink::batches(self, typed(orders));
        batches.into_iter().map(|batch| batch.into_iter().map(SinkOrder::into_order).collect()).collect()
    }

    fn address(&self) -> Option<&str> {
        Sink::address(self)
    }

    fn settles_after(&self) -> Option<Duration> {
        Sink::settles_after(self)
    }

    fn longest_news(&self, links: &Links) -> TaskNews {
        Sink::longest_news(self, links)
    }

    fn link<'a>(&'a mut self, batch: &[Order]) -> Pending<'a, Vec<Result<TaskLink, ActionOutcome>>> {
        let batch: Vec<S::Order> = typed(batch.to_vec());
        Box::pin(async move { Sink::link(self, &batch).await })
    }

    fn perform<'a>(&'a mut self, batch: &[Order]) -> Pending<'a, Vec<ActionOutcome>> {
        let batch: Vec<S::Order> = typed(batch.to_vec());
        Box::pin(async move { Sink::perform(self, &batch).await })
    }

    fn settle<'a>(&'a mut self, claims: &'a [Claim]) -> Pending<'a, Vec<Answer>> {
        Box::pin(Sink::settle(self, claims))
    }
}

fn typed<O: SinkOrder>(orders: Vec<Order>) -> Vec<O> {
    orders.into_iter().filter_map(O::from_order).collect()
}
