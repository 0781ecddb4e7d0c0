//! The progress of reading contacts, on a terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::read::Progress;

/// A progress bar on stderr. It shows nothing with `--quiet`, or where stderr is no terminal.
pub(in crate::commands) struct ProgressLine(ProgressBar);

impl ProgressLine {
    pub(in crate::commands) fn new(quiet: bool) -> Self {
        if quiet || !std::io::stderr().is_terminal() {
            return ProgressLine(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("reading contacts {bar:30} {pos}/{len} {eta}");
        ProgressLine(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }
}

impl Progress for ProgressLine {
    fn advance(&self, contacts: usize, expected: Option<u64>) {
        if let Some(expected) = expected {
            self.0.set_length(expected);
        }
        self.0.inc(u64::try_from(contacts).unwrap_or(0));
    }

    fn finish(&self) {
        self.0.finish_and_clear();
    }
}
