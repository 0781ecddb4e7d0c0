//! The facts about messages that need no client.

use crate::model::{ActionKind, MessageRef};
use crate::remote::sink_facts::{SinkFacts, WrongId};

/// Stands for the channel of a webhook, which nobody can learn: the remote id of its messages, and the address of its claims.
pub(super) const WEBHOOK: &str = "webhook";
/// What follows the remote id of a message in a digest.
pub(super) const IN_DIGEST: &str = "/digest";

/// The facts about the sink of messages.
pub const FACTS: SinkFacts = SinkFacts { place, check_remote_id };

/// Where a message is, as far as its remote id says so.
fn place(remote_id: &str) -> String {
    match (MessageRef::from_remote_id(remote_id), remote_id.strip_suffix(IN_DIGEST)) {
        (Some(MessageRef { channel, ts }), _) => format!("in channel {channel}, ts {ts}"),
        (None, Some(digest)) => format!("in a digest, {digest}"),
        (None, None) => format!("by {WEBHOOK}"),
    }
}

fn check_remote_id(id: &str) -> Result<(), WrongId> {
    if MessageRef::from_remote_id(id).is_some() {
        return Ok(());
    }
    Err(WrongId {
        message: format!("{id:?} is not the id of a {}", ActionKind::Message.label()),
        help: "give the channel's id and the message's ts, such as C0123456789/1766210400.000100",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_id_says_where_a_message_is() {
        assert_eq!(place("C1/1766210400.000100"), "in channel C1, ts 1766210400.000100");
        assert_eq!(place("C1/1766210400.000100/digest"), "in a digest, C1/1766210400.000100");
        assert_eq!(place(WEBHOOK), "by webhook");
    }
}
