//! Writes to the terminal: reports to stdout, errors and progress to stderr.

use std::io::{IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value as Json;

use crate::cli::{Color, Common, Format};
use crate::exit::{Exit, Fatal};
use crate::read::Progress;
use crate::telemetry;

/// Writes a report to stdout. A reader that has gone away (`| head`) is not an error.
pub(super) fn print(text: &str) -> Result<(), Fatal> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let error = anyhow::Error::from(error).context("write the report");
            let help = "the ledger holds the actions that were done".to_owned();
            Err(Fatal { exit: Exit::Failed, error, help: Some(help) })
        }
        _ => Ok(()),
    }
}

/// Renders JSON: on one line for programs, indented at a terminal.
pub(super) fn json_text(value: &Json) -> String {
    if std::io::stdout().is_terminal() { format!("{value:#}\n") } else { format!("{value}\n") }
}

/// Prints JSON with `--format json`, else text.
pub(super) fn show_result(common: &Common, text: &str, json: &Json) -> Result<(), Fatal> {
    match common.format {
        Format::Json => print(&json_text(json)),
        Format::Table | Format::Csv => print(text),
    }
}

/// Writes an error to stderr, in colour where the terminal shows it.
pub(super) fn complain(color: Color, fatal: &Fatal) {
    let colored = telemetry::colored(color, std::io::stderr().is_terminal());
    let choice = if colored { ColorChoice::Always } else { ColorChoice::Never };
    let red = anstyle::AnsiColor::Red.on_default().bold();
    let mut out = AutoStream::new(std::io::stderr().lock(), choice);
    let message = fatal.message();
    // Each problem of a configuration file already begins with the word.
    let _ = match message.strip_prefix("error") {
        Some(rest) => writeln!(out, "{red}error{red:#}{rest}"),
        None => writeln!(out, "{red}error{red:#}: {message}"),
    };
}

/// Returns the width of the terminal in columns, within 80 and 200. Without a terminal, `COLUMNS` counts, as for other programs.
pub(super) fn terminal_width() -> Option<u16> {
    let terminal = terminal_size::terminal_size_of(std::io::stdout()).map(|(terminal_size::Width(width), _)| width);
    let columns = || std::env::var("COLUMNS").ok()?.parse::<u16>().ok();
    Some(terminal.or_else(columns)?.clamp(80, 200))
}

/// A progress bar on stderr. It shows nothing with `--quiet`, or where stderr is no terminal.
pub(super) struct ProgressLine(ProgressBar);

impl ProgressLine {
    pub(super) fn new(quiet: bool) -> Self {
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
