//! `completions` and `man`, generated from the types that parse the command line.

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::Cli;
use crate::exit::{Exit, Fatal};

pub fn completions(shell: Shell) -> Result<Exit, Fatal> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "usage-signals", &mut script);
    super::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

pub fn man(dir: Option<&Path>) -> Result<Exit, Fatal> {
    match dir {
        None => {
            let mut page = Vec::new();
            Man::new(Cli::command()).render(&mut page).map_err(Fatal::usage)?;
            super::print(&String::from_utf8_lossy(&page))?;
        }
        Some(dir) => {
            let written = std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(Cli::command(), dir));
            written
                .with_context(|| format!("cannot write manual pages into {}", dir.display()))
                .map_err(|error| Fatal::usage(error).with_help("name a folder that you can write to"))?;
            super::print(&format!("Wrote the manual pages into {}: try `man {0}/usage-signals.1`\n", dir.display()))?;
        }
    }
    Ok(Exit::Done)
}
