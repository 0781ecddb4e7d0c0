//! This machine: clock, time zone, state folder, ledger, lock, disk, and the modes of files.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use rustix::fs::{Access, access, statvfs};

use super::check::Group;
use crate::config::{Config, Credentials};
use crate::exit::Fatal;
use crate::ledger::lock::Lock;
use crate::ledger::{self, LEDGER_FILE, LedgerError, LedgerReader};
use crate::model::{Known, State};
use crate::remote::intercom::Workspace;
use crate::remote::service_status::ServiceStatus;

const CLOCK_WARN: TimeDelta = TimeDelta::seconds(60);
/// The clock error from which days, tokens and waits are wrong.
const CLOCK_FAIL: TimeDelta = TimeDelta::minutes(5);
/// The free space below which doctor warns. A ledger grows by some megabytes a year; logs and other programs need more.
const DISK_WARN_BYTES: u64 = 500 << 20;
/// The free space below which the next commit may fail.
const DISK_FAIL_BYTES: u64 = 50 << 20;

pub struct Machine<'a> {
    pub config: Option<&'a Config>,
    pub credentials: Option<&'a Credentials>,
    pub state_dir: Result<&'a Path, &'a Fatal>,
    pub workspace: Option<&'a Workspace>,
    pub statuses: &'a [(&'static str, ServiceStatus)],
}

pub fn examine(machine: &Machine<'_>) -> Group {
    let mut group = Group::new("machine", "This machine");
    clock(&mut group, machine.statuses);
    time_zone(&mut group, machine.config);
    match machine.state_dir {
        Ok(folder) => {
            state_folder(&mut group, folder);
            ledger(&mut group, &folder.join(LEDGER_FILE), machine.workspace);
            lock(&mut group, Lock::holder(folder));
            disk(&mut group, folder);
        }
        Err(fatal) => {
            group.unusable("state_folder", fatal.error.to_string(), fatal.help.as_deref());
            group.skip(&["ledger", "lock", "disk"], "there is no state folder");
        }
    }
    modes(&mut group, machine);
    group
}

/// Compares the clock with the `Date` of the services' answers.
fn clock(group: &mut Group, statuses: &[(&'static str, ServiceStatus)]) {
    let ahead: Vec<_> = statuses.iter().filter_map(|(name, statuses)| Some((*name, statuses.clock_ahead?))).collect();
    let Some((name, worst)) = ahead.iter().max_by_key(|(_, ahead)| ahead.abs()) else {
        return group.skip(&["clock"], "no service answered");
    };
    if worst.abs() <= CLOCK_WARN {
        let names: Vec<_> = ahead.iter().map(|(name, _)| *name).collect();
        return group.ok("clock", format!("agrees with {}", names.join(", ")));
    }
    let side = if *worst > TimeDelta::zero() { "ahead of" } else { "behind" };
    let message = format!("{} s {side} {name}", worst.abs().num_seconds());
    let help = "synchronize the clock with the network (NTP)";
    if worst.abs() > CLOCK_FAIL { group.fail("clock", message, Some(help)) } else { group.warn("clock", message, help) }
}

fn time_zone(group: &mut Group, config: Option<&Config>) {
    let Some(config) = config else {
        return group.skip(&["time_zone"], "the configuration cannot be used");
    };
    let zone = &config.plan.timezone;
    match zone.iana_name() {
        _ if zone.is_unknown() => group.warn(
            "time_zone",
            "the machine's time zone is not known, so due dates are in UTC",
            "set timezone in [scan], such as \"Europe/Berlin\"",
        ),
        Some(name) => group.ok("time_zone", format!("due dates are in {name}")),
        None => group.ok("time_zone", "due dates are in the machine's time zone"),
    }
}

fn state_folder(group: &mut Group, folder: &Path) {
    let shown = folder.display();
    let may_write = |path: &Path| access(path, Access::WRITE_OK | Access::EXEC_OK).is_ok();
    let help = "make the folder writable for the user of the runs, or name another with --state-dir";
    let nearest = nearest(folder);
    let exists = nearest == folder;
    if !nearest.is_dir() {
        return group.fail("state_folder", format!("{} is not a folder", nearest.display()), Some(help));
    }
    if !may_write(&nearest) {
        return group.fail("state_folder", format!("{} cannot be written", nearest.display()), Some(help));
    }
    if let Err((message, help)) = try_out(&nearest) {
        return group.fail("state_folder", message, Some(help));
    }
    match mode(folder) {
        Some(mode) if mode & 0o077 != 0 => group.warn(
            "state_folder",
            format!("{shown} is open to other users (mode {:03o})", mode & 0o777),
            format!("it holds ids of contacts and Zoho's access token: chmod 700 {shown}"),
        ),
        _ if exists => group.ok("state_folder", shown.to_string()),
        _ => group.ok("state_folder", format!("{shown} does not exist yet; the first run creates it")),
    }
}

/// Takes a lock and writes as a run does, in a folder of its own beside the ledger. Returns the message and the way out.
fn try_out(folder: &Path) -> Result<(), (String, &'static str)> {
    let trial = folder.join(format!("usage-signals-doctor-{:016x}", fastrand::u64(..)));
    ledger::try_out(&trial).map_err(|error| {
        let message = error.full_message();
        (message.replace(&trial.display().to_string(), &folder.display().to_string()), error.help())
    })
}

/// The path itself if it exists, else its nearest ancestor that exists.
fn nearest(path: &Path) -> PathBuf {
    let there = path.ancestors().find(|path| path.symlink_metadata().is_ok());
    there.map_or_else(|| PathBuf::from(if path.is_absolute() { "/" } else { "." }), Path::to_owned)
}

fn mode(path: &Path) -> Option<u32> {
    path.metadata().ok().map(|metadata| metadata.permissions().mode())
}

fn ledger(group: &mut Group, path: &Path, workspace: Option<&Workspace>) {
    if !path.try_exists().unwrap_or(true) {
        return group.ok("ledger", "none yet; the first run creates it");
    }
    let checked = ledger::check::check(path);
    if let Some(first) = checked.findings.first() {
        let places = checked.findings.len();
        let message = match places {
            1 => first.message.clone(),
            _ => format!("{places} findings; the first: {}", first.message),
        };
        group.fail("ledger", message, Some(first.help));
        return group.skip(&["workspace", "actions"], "the ledger is not sound");
    }
    let reader = match LedgerReader::open(path) {
        Ok(reader) => reader,
        Err(error) => {
            group.fail("ledger", error.full_message(), Some(error.help()));
            return group.skip(&["workspace", "actions"], "the ledger cannot be read");
        }
    };
    let version = reader.version;
    let older = if ledger::check::is_older(version) { "; the next run migrates it" } else { "" };
    group.ok("ledger", format!("sound, schema version {version}{older}"));
    match (reader.workspace.as_deref(), workspace) {
        (Some(bound), Some(asked)) if bound != asked.id => {
            let (bound, asked) = (bound.to_owned(), asked.id.clone());
            let error = LedgerError::OtherWorkspace { path: path.to_owned(), bound, asked };
            group.fail("workspace", error.to_string(), Some(error.help()));
        }
        (Some(bound), Some(_)) => group.ok("workspace", format!("the ledger and the token belong to {bound}")),
        (None, _) => group.ok("workspace", "the ledger belongs to no workspace yet"),
        (Some(_), None) => group.skip(&["workspace"], "Intercom did not confirm the token"),
    }
    actions(group, &reader.known);
}

fn actions(group: &mut Group, known: &Known) {
    let open = known.occasions.iter().filter(|occasion| occasion.ended_at.is_none()).count();
    let entries = || known.occasions.iter().flat_map(|occasion| &occasion.entries);
    let count = |state| entries().filter(|entry| entry.state == state).count();
    let (planned, claimed, refused) = (count(State::Planned), count(State::Claimed), count(State::Refused));
    let message =
        format!("{open} occasions open; actions: {planned} unfinished, {claimed} in doubt, {refused} refused");
    if refused > 0 {
        let help = "usage-signals status says why; remove the cause. A run tries again after retry_refused_after in [scan], or the \
            next run after usage-signals ledger resolve KEY --as failed";
        group.warn("actions", message, help);
    } else if claimed > 0 {
        group.warn("actions", message, "the next run first asks the services for the outcome of actions in doubt");
    } else {
        group.ok("actions", message);
    }
}

fn lock(group: &mut Group, holder: Option<String>) {
    match holder {
        Some(holder) => group.warn(
            "lock",
            format!("a run is under way: {holder}"),
            "wait for it; if it runs longer than the deadline in [scan], look at the process",
        ),
        None => group.ok("lock", "free"),
    }
}

fn disk(group: &mut Group, folder: &Path) {
    match statvfs(nearest(folder)) {
        Ok(disk) => room(group, disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => group.warn("disk", format!("not checked: {error}"), "check the disk"),
    }
}

fn room(group: &mut Group, free_bytes: u64) {
    let free =
        if free_bytes < 10 << 30 { format!("{} MB", free_bytes >> 20) } else { format!("{} GB", free_bytes >> 30) };
    let message = format!("{free} free for the ledger");
    let help = "free some space: a run stops if it cannot write the ledger";
    match free_bytes {
        ..DISK_FAIL_BYTES => group.fail("disk", message, Some(help)),
        DISK_FAIL_BYTES..DISK_WARN_BYTES => group.warn("disk", message, help),
        _ => group.ok("disk", message),
    }
}

/// Checks that no other user can read secrets or change the configuration.
fn modes(group: &mut Group, machine: &Machine<'_>) {
    let secrets = machine.credentials.into_iter().flat_map(|credentials| &credentials.found);
    let secrets = secrets.filter_map(|(variable, file)| Some((format!("{variable}_FILE"), file.clone()?)));
    let cache = machine.state_dir.ok().map(|folder| ("token_cache".to_owned(), folder.join("zoho-token.json")));
    let config = machine.config.and_then(|config| Some(("configuration".to_owned(), config.file.clone()?)));
    let private = secrets.chain(cache).map(|(name, path)| (name, path, 0o077, "can be read by other users", "600"));
    let ours = config.into_iter().map(|(name, path)| (name, path, 0o002, "can be changed by any user", "644"));
    let mut wrong = 0;
    for (name, path, open, what, better) in private.chain(ours) {
        let Some(mode) = mode(&path).filter(|mode| mode & open != 0) else { continue };
        let (shown, mode) = (path.display(), mode & 0o777);
        group.warn(
            &format!("mode.{name}"),
            format!("{shown} {what} (mode {mode:03o})"),
            format!("chmod {better} {shown}"),
        );
        wrong += 1;
    }
    if wrong == 0 {
        group.ok("modes", "no file with a secret can be read by other users");
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::to_table;
    use super::*;

    fn shown(check: impl Fn(&mut Group)) -> String {
        let mut group = Group::new("machine", "This machine");
        check(&mut group);
        to_table(&[group])
    }

    #[test]
    fn the_clock_is_judged_by_the_service_that_differs_most() {
        let statuses =
            |seconds| ServiceStatus { clock_ahead: Some(TimeDelta::seconds(seconds)), ..ServiceStatus::default() };
        let cases = [
            (vec![], "-     not checked, no service answered: clock"),
            (vec![("Intercom", statuses(1)), ("Slack", statuses(-60))], "ok    clock  agrees with Intercom, Slack"),
            (vec![("Intercom", statuses(1)), ("Slack", statuses(-61))], "warn  clock  61 s behind Slack"),
            (
                vec![("Intercom", statuses(300)), ("Zoho", ServiceStatus::default())],
                "warn  clock  300 s ahead of Intercom",
            ),
            (vec![("Intercom", statuses(301))], "fail  clock  301 s ahead of Intercom"),
        ];
        for (statuses, expected) in cases {
            let text = shown(|group| clock(group, &statuses));
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn little_room_is_a_warning_and_none_a_failure() {
        for (bytes, expected) in [
            (20 << 30, "ok    disk  20 GB free"),
            (500 << 20, "ok    disk  500 MB free"),
            ((500 << 20) - 1, "warn  disk  499 MB free"),
            (50 << 20, "warn  disk  50 MB free"),
            ((50 << 20) - 1, "fail  disk  49 MB free"),
        ] {
            let text = shown(|group| room(group, bytes));
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn the_lock_says_who_holds_it() {
        for (holder, expected) in
            [(None, "ok    lock  free"), (Some("process 7, run x"), "warn  lock  a run is under way: process 7, run x")]
        {
            let text = shown(|group| lock(group, holder.map(str::to_owned)));
            assert!(text.contains(expected), "{text}");
        }
    }
}
