//! The facts about a sink that commands need without a client.

use crate::model::Links;

#[derive(Clone, Copy)]
pub struct SinkFacts {
    /// Says where people find an action, by its remote id. Empty where the id says nothing to them.
    pub place: fn(remote_id: &str) -> String,
    /// The web address of an action, by its remote id, if it has one.
    pub url: fn(links: &Links, remote_id: &str) -> Option<String>,
    /// Checks a remote id that a person typed. A wrong one would send a later run to somebody else's task or message.
    pub check_remote_id: fn(remote_id: &str) -> Result<(), WrongId>,
}

/// The reason why a remote id is refused, and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongId {
    pub message: String,
    pub help: &'static str,
}
