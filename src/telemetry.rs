//! Logs, to stderr only: stdout belongs to the report.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::cli::{Color, Common, LogFormat};

/// Sets up logging for the process; a second call changes nothing.
pub fn init(common: &Common) {
    let level = match (common.quiet, common.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, 2) => "debug",
        (false, _) => "trace",
    };
    // Only this crate logs: at debug level, HTTP libraries log headers, which hold credentials.
    let filter = EnvFilter::new(format!("off,usage_signals={level}"));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // By default, the subscriber reports a failed write with `eprintln!`, which panics if stderr is full or gone.
    let logs = logs.log_internal_errors(false);
    // This fails only if a subscriber is set already, as in tests.
    let _ = match common.log_format {
        LogFormat::Json => logs.json().with_current_span(true).with_span_list(false).try_init(),
        LogFormat::Text => logs.with_ansi(colored(common.color, std::io::stderr().is_terminal())).try_init(),
    };
}

/// Whether to colour the text on a stream.
pub fn colored(color: Color, is_terminal: bool) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    }
}
