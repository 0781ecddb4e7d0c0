//! `ledger`: shows the actions of all runs, and records people's decisions about them.

mod check;
mod decide;
mod entry;
mod export;
mod find;
mod list;
mod place;
mod show;

use crate::cli::{Common, Ledger as Arguments, LedgerCommand};
use crate::exit::{Exit, Fatal};

pub(super) use entry::state_name;
pub(super) use place::Place;

/// Runs a `ledger` command.
pub fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Fatal> {
    let place = Place::of(common, &arguments.place)?;
    match &arguments.command {
        LedgerCommand::List(filters) => list::run(common, &place, filters),
        LedgerCommand::Show { key } => show::run(common, &place, key),
        LedgerCommand::Resolve(resolve) => decide::resolve(common, &place, resolve),
        LedgerCommand::Export => export::run(common, &place),
        LedgerCommand::Check => check::run(common, &place),
        LedgerCommand::Prune(prune) => decide::prune(common, &place, prune),
        LedgerCommand::Forget(forget) => decide::forget(common, &place, forget),
    }
}
