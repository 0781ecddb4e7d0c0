//! Zoho as the sink of tasks.

use super::client::Zoho;
use super::{preview, records, settle, tasks};
use crate::apply::sink::{ActionOutcome, Answer, Claim, Sink};
use crate::model::{Links, Task, TaskLink, TaskNews};

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

    async fn link(&mut self, batch: &[Task]) -> Vec<Result<TaskLink, ActionOutcome>> {
        records::link(self, batch).await
    }

    fn longest_news(&self, links: &Links) -> TaskNews {
        preview::longest_news(links)
    }
}
