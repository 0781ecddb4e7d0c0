//! The binary: passes the command line to the library, and ends with its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(usage_signals::run(std::env::args_os()))
}
