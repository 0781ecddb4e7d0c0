//! The facts about tasks that need no client.

use crate::model::ActionKind;
use crate::remote::sink_facts::{SinkFacts, WrongId};

/// The facts about the sink of tasks.
pub const FACTS: SinkFacts = SinkFacts { place: |_| String::new(), check_remote_id };

fn check_remote_id(id: &str) -> Result<(), WrongId> {
    if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    Err(WrongId {
        message: format!("{id:?} is not the id of a {}", ActionKind::Task.label()),
        help: "the id is the number at the end of the task's web address",
    })
}
