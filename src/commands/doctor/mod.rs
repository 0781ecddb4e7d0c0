//! `doctor`: checks everything that a run depends on, and says how to repair each problem. It changes nothing: no state
//! folder, no lock, no token cache, no ledger. It tries a lock and a ledger in a folder of its own, which it removes again.
//!
//! If a check fails, the checks that depend on it are shown as not checked. All others run.

mod check;
mod intercom;
mod machine;
mod slack;
mod zoho;

use std::time::Duration;

use crate::apply::stop::Stop;
use crate::cli::{Common, Doctor as Arguments};
use crate::config::{self, Config, Credentials, Problems};
use crate::exit::{Exit, Fatal};

use super::setup::{self, Environment, Setup};
use check::Group;

/// The timeout of a request: a person waits for the answer.
const TIMEOUT: Duration = Duration::from_secs(10);

pub async fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Fatal> {
    let groups = examine(common, &*setup::process_environment()).await;
    let exit = check::exit(&groups, arguments.strict);
    super::show_result(common, &check::to_table(&groups), &check::to_json(&groups, exit))?;
    Ok(exit)
}

async fn examine(common: &Common, environment: &Environment) -> Vec<Group> {
    let config = config::load(common.config.as_deref(), environment);
    let credentials = config::credentials(environment, &|path| std::fs::read_to_string(path));
    let state_dir = setup::state_dir(common, environment);
    let about_config = configuration(&config, &credentials);
    let setup = match (&config, &credentials) {
        (Ok(config), Ok(credentials)) => {
            // Without a state folder, no token cache is found. A cache in the current folder is used only if it belongs to these
            // credentials.
            let state_dir = state_dir.as_ref().cloned().unwrap_or_default();
            Ok(Setup::of(with_short_timeouts(config.clone()), credentials.clone(), state_dir))
        }
        (Err(_), _) => Err("the configuration cannot be used"),
        (_, Err(_)) => Err("the credentials cannot be read"),
    };
    let (_switch, stop) = Stop::after(Duration::MAX);
    let setup = setup.as_ref().map_err(|why| *why);
    let mut about_intercom = Group::new("intercom", "Intercom");
    let (workspace, intercom) = intercom::examine(&mut about_intercom, setup, &stop).await.unwrap_or_default();
    let mut about_zoho = Group::new("zoho", "Zoho CRM");
    let zoho = zoho::examine(&mut about_zoho, setup, &stop).await.unwrap_or_default();
    let mut about_slack = Group::new("slack", "Slack");
    let slack = slack::examine(&mut about_slack, setup, &stop).await.unwrap_or_default();
    let statuses = [("Intercom", intercom), ("Zoho", zoho), ("Slack", slack)];
    let about_machine = machine::examine(&machine::Machine {
        config: config.as_ref().ok(),
        credentials: credentials.as_ref().ok(),
        state_dir: state_dir.as_deref(),
        workspace: workspace.as_ref(),
        statuses: &statuses,
    });
    vec![about_config, about_intercom, about_zoho, about_slack, about_machine]
}

fn with_short_timeouts(mut config: Config) -> Config {
    let timeouts =
        [&mut config.intercom.request_timeout, &mut config.zoho.request_timeout, &mut config.slack.request_timeout];
    for timeout in timeouts {
        *timeout = TIMEOUT.min(*timeout);
    }
    // A person does not wait two minutes for Intercom's limit.
    config.intercom.rate_limit_window = Duration::from_secs(1).min(config.intercom.rate_limit_window);
    // One contact is enough to check the search.
    config.intercom.per_page = 1;
    config
}

fn configuration(config: &Result<Config, Problems>, credentials: &Result<Credentials, Problems>) -> Group {
    let mut group = Group::new("configuration", "Configuration");
    match config {
        Ok(config) => {
            let file = config.file.as_ref().map(|file| file.display().to_string());
            group.ok("file", file.as_deref().unwrap_or("none found, so the built-in defaults apply"));
            let (on, off) = (config.rules.rules.len(), config.rules.disabled.len());
            match on {
                0 => group.warn(
                    "rules",
                    format!("none is on ({off} are off), so a scan finds nothing"),
                    "switch one on: enabled = true under its [[rules]]",
                ),
                _ => group.ok("rules", format!("{on} on, {off} off")),
            }
        }
        Err(problems) => {
            group.unusable("file", problems.to_string(), None);
            group.skip(&["rules"], "the configuration cannot be used");
        }
    }
    match credentials {
        Ok(credentials) => group.ok("credentials", found(credentials)),
        Err(problems) => group.unusable("credentials", problems.to_string(), None),
    }
    group
}

/// Where each credential was found; never its value.
fn found(credentials: &Credentials) -> String {
    let origin = |(variable, file): (&&str, &Option<std::path::PathBuf>)| match file {
        Some(file) => format!("{variable}_FILE ({})", file.display()),
        None => (*variable).to_owned(),
    };
    let all: Vec<_> = credentials.found.iter().map(origin).collect();
    if all.is_empty() { "none is set".to_owned() } else { format!("found {}", all.join(", ")) }
}
