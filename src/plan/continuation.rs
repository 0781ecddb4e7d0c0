//! How a run continues an open occasion: the values that the decisions about its actions and its tags share.

use super::group::Group;
use super::rendering::Rendering;
use crate::model::Occasion;

/// How much of an open occasion is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Unfinished actions and new ones: a higher level, contacts that join, tags to attach again.
    Everything,
    /// Unfinished actions only; new ones are held for a later run.
    UnfinishedOnly,
}

/// How a run continues an open occasion.
#[derive(Clone, Copy)]
pub(super) struct Continuation<'c> {
    pub group: &'c Group<'c>,
    pub open: &'c Occasion,
    pub rendering: &'c Rendering<'c>,
    pub extent: Extent,
    /// The level to which the occasion escalates, if it does.
    pub escalated_to: Option<&'c str>,
}
