//! Zoho as the sink of tasks.

use super::client::Zoho;
use super::{records, settle, tasks};
use crate::apply::sink::{ActionOutcome, Answer, Claim, Sink, TaskSink};
use crate::model::{Task, TaskLink};

impl Sink for Zoho {
    type Order = Task;

    fn batches(&self, orders: Vec<Task>) -> Vec<Vec<Task>> {
        tasks::batches(orders)
    }

    async fn perform(&mut self, batch: &[Task]) -> Vec<ActionOutcome> {
        tasks::perform(self, batch).await
    }

    async fn settle(&mut self, claims: &[Claim]) -> Vec<Answer> {
        settle::settle(self, claims).await
    }
}

impl TaskSink for Zoho {
    async fn link(&mut self, batch: &[Task]) -> Vec<Result<TaskLink, ActionOutcome>> {
        records::link(self, batch).await
    }
}
