//! Measures the program: time, CPU, memory and requests, against the sandbox in another process.
//!
//! `cargo bench --bench whole -- [--quick] [NAME…]`; see `benches/README.md`. Without a name, it runs all cases, which takes a
//! quarter of an hour and up to 6 GB of memory. `--quick` takes about a minute, and only checks that the cases work.

#![recursion_limit = "256"]

mod cases;
#[path = "../plain/mod.rs"]
mod plain;
mod raw;
mod run;
mod served;
mod world;

use std::process::ExitCode;

use cases::{CASES, Figure, say};

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn measure() -> anyhow::Result<()> {
    // cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.split_first() {
        Some((first, rest)) if first == served::SERVE => return served::serve(rest),
        Some((first, _)) if first == raw::DECODE => return raw::decode(),
        _ => {}
    }
    let (options, names): (Vec<String>, Vec<String>) =
        arguments.into_iter().partition(|argument| argument.starts_with('-'));
    let known = CASES.map(|(name, _)| name);
    if let Some(unknown) = options.iter().find(|option| *option != "--quick") {
        anyhow::bail!("unknown option {unknown}; the only option is --quick");
    }
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        anyhow::bail!("unknown case {unknown}; the cases are {}", known.join(", "));
    }
    let quick = !options.is_empty();
    let mut figures = Vec::new();
    for (name, case) in CASES {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            say(&format!("\n## {name}\n"))?;
            figures.extend(case(quick)?);
        }
    }
    if quick {
        return Ok(say("\nno figures with --quick: its numbers are too small")?);
    }
    say("\n## figures\n\n| figure | target | measured |\n|---|---|---|")?;
    for Figure { what, target, measured } in figures {
        say(&format!("| {what} | {target} | {measured} |"))?;
    }
    Ok(())
}
