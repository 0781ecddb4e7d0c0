//! The door.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(usage_signals::run(std::env::args_os()))
}
