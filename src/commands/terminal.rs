//! Writes to the terminal: reports to stdout, errors to stderr.

use std::io::Write;

use anstream::{AutoStream, ColorChoice};

use crate::cli::{Color, Common, Format};
use crate::exit::{Exit, Fatal};
use crate::telemetry;

/// Writes a report to stdout. A reader that has gone away (`| head`) is not an error.
pub(super) fn print(text: &str) -> Result<(), Fatal> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let fatal = anyhow::Error::from(error).context("write the report");
            Err(Fatal {
                exit: Exit::Failed,
                error: fatal,
                help: Some("the ledger holds the actions that were done".to_owned()),
            })
        }
        _ => Ok(()),
    }
}

/// Writes JSON to stdout: on one line for programs, indented at a terminal.
pub(super) fn print_json(value: &serde_json::Value) -> Result<(), Fatal> {
    let at_terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
    print(&if at_terminal { format!("{value:#}\n") } else { format!("{value}\n") })
}

/// Prints JSON with `--format json`, else text.
pub(super) fn show_result(common: &Common, text: &str, json: &serde_json::Value) -> Result<(), Fatal> {
    match common.format {
        Format::Json => print_json(json),
        Format::Table | Format::Csv => print(text),
    }
}

/// Writes an error to stderr, in colour where the terminal shows it.
pub(super) fn complain(color: Color, fatal: &Fatal) {
    let choice = if telemetry::colored(color, std::io::IsTerminal::is_terminal(&std::io::stderr())) {
        ColorChoice::Always
    } else {
        ColorChoice::Never
    };
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
