//! `sandbox`, and the sandbox that `scan --sandbox` runs in.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::lock;
use super::setup::{Environment, listen};
use crate::cli::{Common, Sandbox as Arguments, Scan};
use crate::exit::{Exit, Fatal};
use crate::ledger::LEDGER_FILE;
use crate::ledger::lock::Lock;
use crate::sandbox::{Sandbox, World};

/// The demo workspace, built in, so that the program needs no other files.
const DEMO: [(&str, &str); 7] = [
    ("workspace.json", include_str!("../../fixtures/demo/workspace.json")),
    ("contacts.json", include_str!("../../fixtures/demo/contacts.json")),
    ("companies.json", include_str!("../../fixtures/demo/companies.json")),
    ("tags.json", include_str!("../../fixtures/demo/tags.json")),
    ("data_attributes.json", include_str!("../../fixtures/demo/data_attributes.json")),
    ("zoho.json", include_str!("../../fixtures/demo/zoho.json")),
    ("slack.json", include_str!("../../fixtures/demo/slack.json")),
];

/// The file that keeps the sandbox's world between runs.
const WORLD_FILE: &str = "world.json";

pub async fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Fatal> {
    let mut world = load(arguments.dir.as_deref())?;
    world.now = common.as_of.map(|instant| instant.timestamp());
    let sandbox = Sandbox::start(world, None).map_err(Fatal::usage)?;
    let mut text = String::new();
    for (name, value) in sandbox.env() {
        let _ = writeln!(text, "export {name}='{value}'");
    }
    let _ =
        writeln!(text, "# or, for a webhook instead of the bot: export SLACK_WEBHOOK_URL='{}'", sandbox.webhook_url());
    let _ = writeln!(text, "# serving until interrupted (ctrl-c)");
    super::print(&text)?;
    let stop = listen(std::time::Duration::MAX)?;
    let _ = stop.sleep(std::time::Duration::MAX).await;
    Ok(Exit::Done)
}

fn load(dir: Option<&Path>) -> Result<World, Fatal> {
    let loaded = match dir {
        Some(dir) => World::load(dir),
        None => {
            World::from_files(&|name| DEMO.iter().find(|(file, _)| *file == name).map(|(_, text)| (*text).to_owned()))
        }
    };
    let help =
        "name a folder that holds a workspace, such as fixtures/demo, or leave it out for the built-in demo workspace";
    loaded.map_err(|error| Fatal::usage(error).with_help(help))
}

/// A sandbox with a state folder of its own, both kept from run to run.
pub struct Opened {
    pub sandbox: Sandbox,
    /// Taken before the world is read, so that no run overwrites the effects of another. None in a dry run.
    pub lock: Option<Lock>,
    pub state_dir: PathBuf,
}

impl Opened {
    /// Starts the sandbox with the world that the last run left. A dry run changes neither the world nor the folder.
    pub fn open(
        dir: Option<&Path>,
        state_dir: &Path,
        arguments: &Scan,
        as_of: Option<DateTime<Utc>>,
    ) -> Result<Opened, Fatal> {
        let state_dir = folder_of(dir, state_dir)?;
        let world_file = state_dir.join(WORLD_FILE);
        let lock = (!arguments.dry_run)
            .then(|| lock::wait_blocking(&state_dir, arguments.wait_lock, "in the sandbox"))
            .transpose()?;
        if arguments.fresh && lock.is_some() {
            start_over(&state_dir)?;
        }
        let go_on = !arguments.fresh && world_file.exists();
        let mut world = if go_on { World::read(&world_file).map_err(Fatal::usage)? } else { load(dir)? };
        world.now = as_of.map(|instant| instant.timestamp());
        // Slack's rate limit would only slow the demo down.
        world.slack.rate_limit = false;
        let store = (!arguments.dry_run).then_some(world_file);
        let sandbox = Sandbox::start(world, store).map_err(Fatal::usage)?;
        // A dry run of a fresh start must not see the old ledger either.
        let state_dir = if arguments.fresh && arguments.dry_run { state_dir.join("fresh") } else { state_dir };
        Ok(Opened { sandbox, lock, state_dir })
    }
}

/// The environment of a run in the sandbox: its own variables, and those of `outer` that do not concern the services.
pub fn in_sandbox(sandbox: &Sandbox, outer: Box<Environment>) -> Box<Environment> {
    let ours = sandbox.env();
    Box::new(move |name| {
        if let Some((_, value)) = ours.iter().find(|(ours, _)| *ours == name) {
            return Some(value.clone());
        }
        let of_services = ["INTERCOM_", "ZOHO_", "SLACK_"].iter().any(|prefix| name.starts_with(prefix));
        // No request to the sandbox goes through a proxy.
        let of_proxy = name.to_ascii_uppercase().ends_with("_PROXY");
        if of_services || of_proxy { None } else { outer(name) }
    })
}

/// The state folder of a sandbox. Each workspace has its own, so that a ledger never meets another world.
pub(super) fn folder_of(dir: Option<&Path>, state_dir: &Path) -> Result<PathBuf, Fatal> {
    let sandboxes = state_dir.join("sandbox");
    let Some(dir) = dir else { return Ok(sandboxes.join("demo")) };
    let full = dir.canonicalize().map_err(|error| {
        Fatal::usage(anyhow::Error::from(error).context(format!("open the workspace folder {}", dir.display())))
            .with_help("name an existing folder, or leave it out for the built-in demo workspace")
    })?;
    let hash = Sha256::digest(full.to_string_lossy().as_bytes());
    let hash: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let name = full.file_name().unwrap_or_default().to_string_lossy();
    Ok(sandboxes.join(format!("{name}-{hash}")))
}

fn start_over(state_dir: &Path) -> Result<(), Fatal> {
    let suffixes = ["", "-wal", "-shm"];
    let ledger = suffixes.map(|suffix| format!("{LEDGER_FILE}{suffix}"));
    for file in ledger.iter().map(String::as_str).chain([WORLD_FILE, "zoho-token.json"]) {
        match std::fs::remove_file(state_dir.join(file)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Fatal::usage(anyhow::Error::from(error).context(format!("remove {file}"))));
            }
            _ => {}
        }
    }
    Ok(())
}
