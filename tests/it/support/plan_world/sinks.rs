//! The sinks of a world.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::marker::PhantomData;

use usage_signals::apply::Sinks;
use usage_signals::apply::sink::{ActionOutcome, Answer, Claim, Failure, Sink, SinkOrder};
use usage_signals::model::{ActionKind, Message, OccasionId, SinkKind, Tag, TagChange, Task, TaskLink, tag_key};
use usage_signals::plan::{Item, Plan, PlannedAction};

use super::{Fate, PlanWorld};

/// A world that three sinks share.
type Shared<'a> = RefCell<&'a mut PlanWorld>;

/// The occasion and the level that an order is for.
type Purpose = (OccasionId, String);

/// A sink whose results are the fates of the world.
pub struct FatedSink<'a, O> {
    world: &'a Shared<'a>,
    /// The purposes of the orders, by short key.
    purposes: BTreeMap<String, Purpose>,
    order: PhantomData<O>,
}

/// Returns the sinks that are on, for the orders of a plan. To settle claims, no plan is needed.
pub fn sinks<'a>(world: &'a Shared<'a>, plan: Option<&Plan>) -> Sinks<'a> {
    let purpose = |(item, action): (&Item, &PlannedAction)| {
        (action.short.clone(), (item.occasion.clone(), action.key.level.clone()))
    };
    let purposes: BTreeMap<_, _> = plan.into_iter().flat_map(Plan::to_do).map(purpose).collect();
    let mut sinks = Sinks::default();
    for &kind in &world.borrow().sinks {
        let purposes = purposes.clone();
        match kind {
            SinkKind::Tasks => sinks.add(kind, FatedSink::<Task> { world, purposes, order: PhantomData }),
            SinkKind::Messages => sinks.add(kind, FatedSink::<Message> { world, purposes, order: PhantomData }),
            SinkKind::Tags => sinks.add(kind, FatedSink::<Tag> { world, purposes, order: PhantomData }),
        }
    }
    sinks
}

/// An order that changes the world.
pub trait Effect: SinkOrder {
    /// The number of orders in one request.
    const PER_BATCH: usize;

    fn kind(&self) -> ActionKind;

    /// Whether the order is for a contact that is gone.
    fn is_gone(&self, _world: &PlanWorld) -> bool {
        false
    }

    /// Makes the change. Returns its line for [`PlanWorld::effects`], and the remote id.
    fn take_effect(&self, world: &mut PlanWorld, purpose: &Purpose) -> (String, String);
}

impl Effect for Task {
    const PER_BATCH: usize = 100;

    fn kind(&self) -> ActionKind {
        ActionKind::Task
    }

    fn take_effect(&self, world: &mut PlanWorld, purpose: &Purpose) -> (String, String) {
        let OccasionId { signal, subject, .. } = &purpose.0;
        match self.prior.as_ref().filter(|prior| !world.completed.contains(*prior)) {
            Some(prior) => (format!("forward {signal} {prior}"), prior.clone()),
            None => {
                let id = format!("T{}", world.next_id);
                world.tasks.insert(id.clone(), purpose.clone());
                (format!("task {signal} {}", subject.id), id)
            }
        }
    }
}

impl Effect for Message {
    const PER_BATCH: usize = 1;

    fn kind(&self) -> ActionKind {
        ActionKind::Message
    }

    fn take_effect(&self, world: &mut PlanWorld, purpose: &Purpose) -> (String, String) {
        let OccasionId { signal, subject, .. } = &purpose.0;
        let thread = self.thread.as_ref().map_or(String::new(), |thread| format!(" in thread {}", thread.ts));
        let id = format!("C1/{}", world.next_id);
        world.messages.insert(id.clone(), purpose.clone());
        (format!("message {signal} {}{thread}", subject.id), id)
    }
}

impl Effect for Tag {
    const PER_BATCH: usize = 1;

    fn kind(&self) -> ActionKind {
        match self.change {
            TagChange::Add => ActionKind::Tag,
            TagChange::Remove => ActionKind::Untag,
        }
    }

    fn is_gone(&self, world: &PlanWorld) -> bool {
        !world.contacts.contains_key(&self.contact)
    }

    fn take_effect(&self, world: &mut PlanWorld, purpose: &Purpose) -> (String, String) {
        let signal = &purpose.0.signal;
        match self.change {
            TagChange::Add => {
                world.tag(&self.contact, &self.tag);
                (format!("tag {signal} {}", self.contact), world.tag_ids[&tag_key(&self.tag)].clone())
            }
            TagChange::Remove => {
                world.untag(&self.contact, &self.tag);
                (format!("untag {signal} {}", self.contact), String::new())
            }
        }
    }
}

impl<O: Effect> FatedSink<'_, O> {
    fn perform_one(&self, order: &O) -> ActionOutcome {
        let mut world = self.world.borrow_mut();
        if order.is_gone(&world) {
            return ActionOutcome::Gone;
        }
        match world.fate(order.kind()) {
            Fate::Done => ActionOutcome::Done(self.take_effect(&mut world, order)),
            Fate::CarriedOver => ActionOutcome::CarriedOver(failure()),
            Fate::Refused => ActionOutcome::Refused(failure()),
            Fate::InDoubt => ActionOutcome::InDoubt(failure()),
            Fate::Lost => {
                let id = self.take_effect(&mut world, order);
                world.lost.insert(order.clone().into_order().short().to_owned(), id);
                ActionOutcome::InDoubt(failure())
            }
        }
    }

    fn take_effect(&self, world: &mut PlanWorld, order: &O) -> String {
        world.next_id += 1;
        let (line, id) = order.take_effect(world, &self.purposes[order.clone().into_order().short()]);
        world.effects.push(line);
        id
    }
}

impl<O: Effect> Sink for FatedSink<'_, O> {
    type Order = O;

    fn batches(&self, orders: Vec<O>) -> Vec<Vec<O>> {
        orders.chunks(O::PER_BATCH).map(<[O]>::to_vec).collect()
    }

    async fn perform(&mut self, batch: &[O]) -> Vec<ActionOutcome> {
        batch.iter().map(|order| self.perform_one(order)).collect()
    }

    async fn settle(&mut self, claims: &[Claim]) -> Vec<Answer> {
        let mut world = self.world.borrow_mut();
        let answer = |claim: &Claim| match world.lost.remove(&claim.short) {
            Some(remote_id) => Answer::Happened(remote_id),
            None => Answer::DidNotHappen,
        };
        claims.iter().map(answer).collect()
    }
    async fn link(&mut self, batch: &[O]) -> Vec<Result<TaskLink, ActionOutcome>> {
        let fate = self.world.borrow().fate(ActionKind::Task);
        let link = || match fate {
            Fate::CarriedOver => Err(ActionOutcome::CarriedOver(failure())),
            _ => Ok(TaskLink::Unlinked),
        };
        batch.iter().map(|_| link()).collect()
    }
}

fn failure() -> Failure {
    Failure::of_action("fate has it")
}
