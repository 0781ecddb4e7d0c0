//! The setup of a command: environment, folders, configuration, credentials, clients.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use secrecy::ExposeSecret;

use crate::apply::Sinks;
use crate::apply::stop::Stop;
use crate::cli::{Common, Scan};
use crate::config::{self, Config, Credentials, SlackCredentials};
use crate::exit::Fatal;
use crate::model::{Links, SinkKind};
use crate::remote::http::Timing;
use crate::remote::intercom::{Intercom, Paging, TagSink};
use crate::remote::slack::{self, Slack};
use crate::remote::zoho::{self, Zoho, ZohoSettings};
use crate::report::Problem;

/// Looks up environment variables. The sandbox's variables come before those of the process.
pub type Environment = dyn Fn(&str) -> Option<String>;

/// Everything that a scan needs besides the contacts.
#[derive(Debug)]
pub struct Setup {
    /// The configuration.
    pub config: Config,
    /// The credentials that were found.
    pub credentials: Credentials,
    /// The sinks that are on.
    pub sinks_on: BTreeSet<SinkKind>,
    /// The patterns of web addresses.
    pub links: Links,
    /// The folder of ledger, lock and token cache. It may not exist yet.
    pub state_dir: PathBuf,
    /// The run's instant.
    pub as_of: DateTime<Utc>,
    /// Whether the services are those of the sandbox.
    pub in_sandbox: bool,
    /// Facts about the setup that every report names.
    pub warnings: Vec<Problem>,
}

impl Setup {
    /// Loads the configuration and the credentials, and checks that the run has all credentials it needs. Writes no files.
    pub fn new(
        common: &Common,
        arguments: &Scan,
        environment: &Environment,
        state_dir: PathBuf,
        in_sandbox: bool,
    ) -> Result<Setup, Fatal> {
        let setup = Setup::load(common, arguments, environment, state_dir, in_sandbox)?;
        // A dry run only reads, so it needs Intercom's token alone.
        let needed = if arguments.dry_run { &BTreeSet::new() } else { &setup.sinks_on };
        config::missing(&setup.credentials, &setup.config.slack, needed).map_err(Fatal::usage)?;
        Ok(setup)
    }

    /// Like [`Setup::new`], without the check for missing credentials.
    fn load(
        common: &Common,
        arguments: &Scan,
        environment: &Environment,
        state_dir: PathBuf,
        in_sandbox: bool,
    ) -> Result<Setup, Fatal> {
        let mut config = load_config(common, environment)?;
        check_signals(&config, "--only", &arguments.only)?;
        check_signals(&config, "--accept", &arguments.accept)?;
        if arguments.top.is_some() {
            config.plan.limits.top = arguments.top;
        }
        if !arguments.only.is_empty() {
            config.rules.rules.retain(|rule| arguments.only.contains(&rule.signal));
        }
        let sinks_on = sinks_on(&config, arguments.sinks.as_deref());
        let credentials =
            config::credentials(environment, &|path| std::fs::read_to_string(path)).map_err(Fatal::usage)?;
        let as_of = as_of(common, arguments, in_sandbox)?;
        let unknown_timezone = unknown_timezone(&config, environment);
        let mut setup = Setup { sinks_on, as_of, in_sandbox, ..Setup::of(config, credentials, state_dir) };
        setup.warnings.extend(unknown_timezone);
        Ok(setup)
    }

    /// Puts the parts together, without any check.
    pub(super) fn of(mut config: Config, credentials: Credentials, state_dir: PathBuf) -> Setup {
        for rule in &mut config.rules.rules {
            rule.task_owner = rule.task_owner.take().or_else(|| config.zoho.task_owner.clone());
        }
        let links = Links { contact: config.intercom.contact_url.clone(), record: config.zoho.record_url.clone() };
        let sinks_on = sinks_on(&config, None);
        let warnings = ignored_channel(&mut config, &credentials).into_iter().collect();
        Setup { config, credentials, sinks_on, links, state_dir, as_of: now(), in_sandbox: false, warnings }
    }

    /// The setup of a command that only reads. It needs Intercom's token alone, and accepts any `--as-of`.
    pub(super) fn to_look(common: &Common) -> Result<Setup, Fatal> {
        let setup = Setup::to_look_offline(common)?;
        config::missing(&setup.credentials, &setup.config.slack, &BTreeSet::new()).map_err(Fatal::usage)?;
        Ok(setup)
    }

    /// Like [`Setup::to_look`], for a command that works without any credentials.
    pub(super) fn to_look_offline(common: &Common) -> Result<Setup, Fatal> {
        let environment = process_environment();
        let state_dir = state_dir(common, &environment)?;
        Setup::load(common, &Scan { dry_run: true, ..Scan::default() }, &environment, state_dir, false)
    }

    pub(super) fn intercom(&self, stop: &Stop) -> Result<Intercom, Fatal> {
        let settings = &self.config.intercom;
        let token = self.credentials.intercom.as_ref();
        let token = token.ok_or_else(|| Fatal::usage(anyhow::anyhow!("no Intercom token")))?;
        let paging = Paging { per_page: settings.per_page, at_once: settings.requests_at_once };
        let timing = Timing { window: Some(settings.rate_limit_window), ..self.timing(settings.request_timeout) };
        Ok(Intercom::new(settings.base_url.clone(), token, paging, timing, stop.clone())?)
    }

    /// Makes the sinks that are on. Every sink is registered here.
    pub(super) fn sinks(&self, intercom: &Intercom, stop: &Stop) -> Result<Sinks<'static>, Fatal> {
        let mut sinks = Sinks::default();
        for kind in &self.sinks_on {
            match kind {
                SinkKind::Tasks => sinks.add(*kind, self.zoho(stop)?),
                SinkKind::Messages => sinks.add(*kind, self.slack(stop)?),
                SinkKind::Tags => sinks.add(*kind, TagSink::new(intercom.clone())),
            }
        }
        Ok(sinks)
    }

    fn timing(&self, timeout: Duration) -> Timing {
        Timing { timeout, first_wait: self.config.first_wait, window: None }
    }

    pub(super) fn zoho(&self, stop: &Stop) -> Result<Zoho, Fatal> {
        let settings = &self.config.zoho;
        let credentials = self.credentials.zoho.clone();
        let credentials = credentials.ok_or_else(|| Fatal::usage(anyhow::anyhow!("no Zoho credentials")))?;
        Ok(Zoho::new(ZohoSettings {
            credentials: zoho::Credentials {
                accounts_url: settings.accounts_url.clone(),
                api_url: settings.api_url.clone(),
                client_id: credentials.client_id.expose_secret().to_owned(),
                client_secret: credentials.client_secret,
                refresh_token: credentials.refresh_token,
            },
            link: settings.link,
            keep_lead_status: settings.keep_lead_status.clone(),
            lead_fields: settings.fields.lead.keys().cloned().collect(),
            task_fields: settings.fields.task.keys().cloned().collect(),
            trigger: settings.trigger.clone(),
            links: self.links.clone(),
            token_cache: Some(self.state_dir.join("zoho-token.json")),
            stop: stop.clone(),
            timing: self.timing(settings.request_timeout),
        })?)
    }

    pub(super) fn slack(&self, stop: &Stop) -> Result<Slack, Fatal> {
        let settings = &self.config.slack;
        let (spacing, look_up_after) =
            if self.in_sandbox { Default::default() } else { (slack::SPACING, settings.look_up_after) };
        let timing = self.timing(settings.request_timeout);
        let options = slack::Options { max_messages: settings.max_messages, spacing, look_up_after, timing };
        match &self.credentials.slack {
            Some(SlackCredentials::Bot(token)) => {
                let channel = settings.channel.clone().unwrap_or_default();
                Ok(Slack::bot(settings.api_url.clone(), token, channel, options, stop.clone())?)
            }
            Some(SlackCredentials::Webhook(url)) => Ok(Slack::webhook(url, options, stop.clone())?),
            None => Err(Fatal::usage(anyhow::anyhow!("no Slack credentials"))),
        }
    }
}

/// Drops the channel where messages go by webhook, and says so: a webhook posts to the channel that it was made for.
fn ignored_channel(config: &mut Config, credentials: &Credentials) -> Option<Problem> {
    let Some(SlackCredentials::Webhook(_)) = credentials.slack else { return None };
    let channel = config.slack.channel.take()?;
    Some(Problem {
        message: format!(
            "the channel {channel:?} is ignored: SLACK_WEBHOOK_URL posts to the channel that the webhook was made for"
        ),
        help: Some(
            "unset SLACK_CHANNEL (or channel in [slack]); to choose the channel, set SLACK_BOT_TOKEN in place of the webhook"
                .to_owned(),
        ),
    })
}

pub fn load_config(common: &Common, environment: &Environment) -> Result<Config, Fatal> {
    config::load(common.config.as_deref(), environment).map_err(Fatal::usage)
}

fn check_signals(config: &Config, option: &str, named: &[String]) -> Result<(), Fatal> {
    let known: Vec<_> = config.rules.rules.iter().map(|rule| rule.signal.as_str()).collect();
    match named.iter().find(|signal| !known.contains(&signal.as_str())) {
        Some(signal) => {
            Err(Fatal::usage(anyhow::anyhow!("{option} names {signal:?}, but no rule that is on has this signal"))
                .with_help(format!("the rules that are on: {}", known.join(", "))))
        }
        None => Ok(()),
    }
}

fn sinks_on(config: &Config, chosen: Option<&[SinkKind]>) -> BTreeSet<SinkKind> {
    let is_chosen = |kind: &&SinkKind| chosen.is_none_or(|chosen| chosen.contains(kind));
    config.sinks.iter().filter(is_chosen).copied().collect()
}

fn as_of(common: &Common, arguments: &Scan, in_sandbox: bool) -> Result<DateTime<Utc>, Fatal> {
    match common.as_of {
        Some(_) if !in_sandbox && !arguments.dry_run => {
            Err(Fatal::usage(anyhow::anyhow!("--as-of cannot be used for a real run"))
                .with_help("add --dry-run, or try it in the sandbox (--sandbox)"))
        }
        Some(instant) => Ok(instant),
        None => Ok(now()),
    }
}

/// Warns of a machine whose time zone is not known. Due dates would silently be counted in UTC.
fn unknown_timezone(config: &Config, environment: &Environment) -> Option<Problem> {
    let why = match environment("TZ") {
        Some(name) => format!("TZ is {name:?}, which no time zone is called"),
        None => "the time zone of this machine is not known".to_owned(),
    };
    config.plan.timezone.is_unknown().then(|| Problem {
        message: format!("{why}, so due dates are counted in UTC"),
        help: Some("set TZ, or timezone in [scan], to a name such as \"Europe/Berlin\"".to_owned()),
    })
}

/// Starts the deadline. From here on, SIGINT and SIGTERM stop the command.
pub(super) fn listen(deadline: Duration) -> Result<Stop, Fatal> {
    let (switch, stop) = Stop::after(deadline);
    crate::shutdown::listen(switch).map_err(Fatal::usage)?;
    Ok(stop)
}

/// The present instant in whole seconds, as the ledger keeps instants.
fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(0)
}

/// The state folder: the option, else `usage-signals` in the XDG state folder.
pub fn state_dir(common: &Common, environment: &Environment) -> Result<PathBuf, Fatal> {
    if let Some(dir) = &common.state_dir {
        return Ok(dir.clone());
    }
    let filled = |name: &str| environment(name).filter(|value| !value.is_empty());
    // systemd passes StateDirectory= as STATE_DIRECTORY.
    if let Some(dir) = filled("STATE_DIRECTORY") {
        return Ok(PathBuf::from(dir));
    }
    let base = filled("XDG_STATE_HOME").map(PathBuf::from);
    let base = base.or_else(|| filled("HOME").map(|home| Path::new(&home).join(".local").join("state")));
    base.map(|base| base.join("usage-signals")).ok_or_else(|| {
        Fatal::usage(anyhow::anyhow!("there is no state folder: neither XDG_STATE_HOME nor HOME is set"))
            .with_help("name one with --state-dir")
    })
}

/// The process's own environment. A variable that is not Unicode counts as missing.
pub fn process_environment() -> Box<Environment> {
    Box::new(|name| std::env::var(name).ok())
}
