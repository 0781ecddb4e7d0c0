//! The registry of the sinks' facts.

use super::sink_facts::SinkFacts;
use super::{intercom, slack, zoho};
use crate::model::SinkKind;

pub fn facts(sink: SinkKind) -> SinkFacts {
    match sink {
        SinkKind::Tasks => zoho::FACTS,
        SinkKind::Messages => slack::FACTS,
        SinkKind::Tags => intercom::FACTS,
    }
}
