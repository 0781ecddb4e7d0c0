//! A mistake in a condition or text.

use std::ops::Range;

/// A mistake in a condition or text, with its place in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The place in the condition or text, in bytes.
    pub span: Range<usize>,
    /// The fault. Lower case, no full stop.
    pub message: String,
    /// How to fix it, if known.
    pub help: Option<String>,
}

impl Fault {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Fault { span, message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
