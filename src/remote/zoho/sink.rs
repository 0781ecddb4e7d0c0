//! Zoho as the sink of tasks.

use super::client::Zoho;
use super::{preview, records, settle, tasks};
use crate::apply::sink::{ActionOutcome, Answer, Claim, Sink};
use crate::model::{ActionKind, Links, Task, TaskLink, TaskNews};
use crate::remote::sink_facts::{SinkFacts, WrongId};

pub const FACTS: SinkFacts =
    SinkFacts { place: |_| String::new(), url: |links, id| Some(links.task(id)), check_remote_id };

fn check_remote_id(id: &str) -> Result<(), WrongId> {
    if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    Err(WrongId {
        message: format!("{id:?} is not the id of a {}", ActionKind::Task.label()),
        help: "the id is the number at the end of the task's web address",
    })
}

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
