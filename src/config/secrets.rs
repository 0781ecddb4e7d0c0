//! Reads credentials from environment variables, or from files that the variables name. Arguments and the configuration file
//! never hold credentials.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use strum::IntoEnumIterator;
use url::Url;

use super::problem::{Problem, Problems};
use super::proxy;
use super::remotes::{Slack, is_loopback};
use crate::model::SinkKind;

const INTERCOM: &str = "INTERCOM_ACCESS_TOKEN";
const ZOHO: [&str; 3] = ["ZOHO_CLIENT_ID", "ZOHO_CLIENT_SECRET", "ZOHO_REFRESH_TOKEN"];
const BOT: &str = "SLACK_BOT_TOKEN";
const WEBHOOK: &str = "SLACK_WEBHOOK_URL";
/// The second host is GovSlack's.
const WEBHOOK_HOSTS: [&str; 2] = ["hooks.slack.com", "hooks.slack-gov.com"];

/// The credentials that were found. [`missing`] checks whether a run has all it needs.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// Intercom's access token.
    pub intercom: Option<SecretString>,
    /// Zoho's credential; `None` unless all three parts are set.
    pub zoho: Option<ZohoCredentials>,
    /// A bot token or a webhook.
    pub slack: Option<SlackCredentials>,
    /// The variables that were found, each with the file that its value came from, if any.
    pub found: BTreeMap<&'static str, Option<PathBuf>>,
}

/// The credential that buys access tokens from Zoho.
#[derive(Debug, Clone)]
pub struct ZohoCredentials {
    /// Id of the self client. Not secret by itself, but handled as if it were.
    pub client_id: SecretString,
    /// Secret of the self client.
    pub client_secret: SecretString,
    /// Valid only at the data centre that issued it.
    pub refresh_token: SecretString,
}

/// How to post messages.
#[derive(Debug, Clone)]
pub enum SlackCredentials {
    /// A bot token (`xoxb-…`), which posts to [`Slack::channel`].
    Bot(SecretString),
    /// A webhook (`https://hooks.slack.com/services/…`). Its address is the secret.
    Webhook(SecretString),
}

/// Reads the credentials. Instead of each variable, `…_FILE` can name a file with the value.
///
/// The address of the proxy, which may hold a password, is checked too.
///
/// An empty variable counts as missing. An empty file is a problem, and so is a variable together with its `…_FILE`. Problems
/// never show a value.
pub fn credentials(
    env: &dyn Fn(&str) -> Option<String>,
    read_file: &dyn Fn(&Path) -> io::Result<String>,
) -> Result<Credentials, Problems> {
    let mut problems: Vec<_> = proxy::problem(env).into_iter().collect();
    let mut origins = BTreeMap::new();
    let mut get = |variable: &'static str| {
        let found = secret(variable, env, read_file).unwrap_or_else(|Problems(found)| {
            problems.extend(found);
            None
        });
        found.map(|(value, file)| {
            origins.insert(variable, file);
            value
        })
    };
    let intercom = get(INTERCOM).map(SecretString::from);
    let [id, client_secret, token] = ZOHO.map(&mut get);
    let (bot, webhook) = (get(BOT), get(WEBHOOK));
    let zoho = match (id, client_secret, token) {
        (Some(id), Some(client_secret), Some(token)) => Some(ZohoCredentials {
            client_id: id.into(),
            client_secret: client_secret.into(),
            refresh_token: token.into(),
        }),
        _ => None,
    };
    if bot.is_some() && webhook.is_some() {
        let message = format!("{BOT} and {WEBHOOK} are both set, but messages can go to one place only");
        problems.push(Problem::in_environment(WEBHOOK, message, "unset one of them"));
    }
    if let Some(message) = webhook.as_deref().and_then(webhook_fault) {
        problems.push(Problem::in_environment(WEBHOOK, message, "it begins with https://hooks.slack.com/services/"));
    }
    let slack = bot.map(|token| SlackCredentials::Bot(token.into()));
    let slack = slack.or(webhook.map(|url| SlackCredentials::Webhook(url.into())));
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    Ok(Credentials { intercom, zoho, slack, found: origins })
}

/// Reads one secret, and the file that it came from.
fn secret(
    variable: &'static str,
    env: &dyn Fn(&str) -> Option<String>,
    read_file: &dyn Fn(&Path) -> io::Result<String>,
) -> Result<Option<(String, Option<PathBuf>)>, Problems> {
    let filled = |value: String| Some(value.trim().to_owned()).filter(|value| !value.is_empty());
    let file_variable = format!("{variable}_FILE");
    let checked = |named: &str, value: String| match copying_fault(&value) {
        None => Ok(value),
        Some((fault, help)) => {
            let message = format!("the value of {variable} {fault}");
            Err(Problems(vec![Problem::in_environment(named, message, help)]))
        }
    };
    let direct = env(variable).and_then(filled);
    match (direct, env(&file_variable).and_then(filled)) {
        (Some(_), Some(_)) => {
            let message = format!("{variable} and {file_variable} are both set");
            Err(Problems(vec![Problem::in_environment(variable, message, "unset one of them")]))
        }
        (Some(value), None) => Ok(Some((checked(variable, value)?, None))),
        (None, None) => Ok(None),
        (None, Some(path)) => {
            let (message, help) = match read_file(Path::new(&path)).map(filled) {
                Ok(Some(value)) => return Ok(Some((checked(&file_variable, value)?, Some(path.into())))),
                Ok(None) => {
                    let message = format!("the file that {file_variable} names is empty: {path}");
                    (message, format!("write the value into it, or unset {file_variable}"))
                }
                Err(error) => {
                    let message = format!("cannot read the file that {file_variable} names: {error}");
                    (message, "check the path, and whether this user may read the file".to_owned())
                }
            };
            Err(Problems(vec![Problem::in_environment(&file_variable, message, &help)]))
        }
    }
}

/// Returns why an address is not that of an incoming webhook. Slack's hosts are right, and this machine is, for tests.
fn webhook_fault(text: &str) -> Option<String> {
    let not_a_webhook = || Some(format!("{WEBHOOK} is not the address of a Slack webhook"));
    let Ok(url) = Url::parse(text) else { return not_a_webhook() };
    let at_slack = url.scheme() == "https" && url.host_str().is_some_and(|host| WEBHOOK_HOSTS.contains(&host));
    let at_this_machine = matches!(url.scheme(), "http" | "https") && is_loopback(&url);
    if !at_slack && !at_this_machine {
        return not_a_webhook();
    }
    let first = url.path_segments().and_then(|mut segments| segments.next());
    matches!(first, Some("triggers" | "workflows"))
        .then(|| format!("{WEBHOOK} is the address of a workflow, which would start for every message"))
}

/// Returns the fault of a value that was copied with something around it, and what to do about it.
fn copying_fault(value: &str) -> Option<(&'static str, &'static str)> {
    let is_quote = |char: char| matches!(char, '"' | '\'');
    if value.starts_with('\u{feff}') {
        return Some(("begins with a byte order mark", "save the file as UTF-8 without a byte order mark"));
    }
    if value.starts_with(is_quote) || value.ends_with(is_quote) {
        let ends = if !value.ends_with(is_quote) {
            "begins with a quote"
        } else if !value.starts_with(is_quote) {
            "ends with a quote"
        } else {
            "begins and ends with a quote"
        };
        return Some((ends, "write the value without quotes; `docker --env-file` keeps them"));
    }
    let bearer = value.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer "));
    bearer.then_some(("begins with \"Bearer\"", "write the token alone"))
}

/// Checks that a run has the credentials it needs: always Intercom's, and those of the sinks that are on.
///
/// `slack` is the configuration's section.
pub fn missing(credentials: &Credentials, slack: &Slack, sinks: &BTreeSet<SinkKind>) -> Result<(), Problems> {
    let mut problems = Vec::new();
    if credentials.intercom.is_none() {
        let help = "set it to the access token of a private app, or INTERCOM_ACCESS_TOKEN_FILE to a file that holds it; \
                    `usage-signals scan --sandbox` needs no token";
        problems.push(Problem::in_environment(INTERCOM, format!("{INTERCOM} is not set"), help));
    }
    // Names the other sinks that could run.
    let without = |off: SinkKind| {
        let lacks_credentials = |sink: SinkKind| match sink {
            SinkKind::Tasks => credentials.zoho.is_none(),
            SinkKind::Messages => !can_post(credentials, slack),
            SinkKind::Tags => false,
        };
        let rest = SinkKind::iter().filter(|sink| *sink != off && !lacks_credentials(*sink));
        rest.map(SinkKind::name).collect::<Vec<_>>().join(",")
    };
    if sinks.contains(&SinkKind::Tasks) && credentials.zoho.is_none() {
        let lacking: Vec<&str> = ZOHO.into_iter().filter(|name| !credentials.found.contains_key(name)).collect();
        let (verb, set) = if lacking.len() == 1 {
            ("is", "set it (or its …_FILE)")
        } else {
            ("are", "set them (or their …_FILE)")
        };
        let message = format!("tasks are on, but {} {verb} not set", lacking.join(", "));
        let rest = without(SinkKind::Tasks);
        let help = format!("{set}, or turn tasks off with `--sinks {rest}` or with enabled = false in [zoho]");
        problems.push(Problem::in_environment(lacking.first().unwrap_or(&ZOHO[0]), message, &help));
    }
    if sinks.contains(&SinkKind::Messages) {
        let rest = without(SinkKind::Messages);
        let off = format!("or turn messages off with `--sinks {rest}` or with enabled = false in [slack]");
        match credentials.slack {
            None => {
                let message = format!("messages are on, but neither {BOT} nor {WEBHOOK} is set");
                let help = format!("set {BOT} and SLACK_CHANNEL, or set {WEBHOOK} (or the secret's …_FILE), {off}");
                problems.push(Problem::in_environment(BOT, message, &help));
            }
            Some(SlackCredentials::Bot(_)) if slack.channel.is_none() => {
                let message = format!("{BOT} is set, but no channel is set");
                let help = format!("set SLACK_CHANNEL, or channel in [slack], {off}");
                problems.push(Problem::in_environment("SLACK_CHANNEL", message, &help));
            }
            Some(_) => {}
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}

fn can_post(credentials: &Credentials, slack: &Slack) -> bool {
    match credentials.slack {
        None => false,
        Some(SlackCredentials::Bot(_)) => slack.channel.is_some(),
        Some(SlackCredentials::Webhook(_)) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn read(variables: &[(&str, &str)]) -> Result<Credentials, Problems> {
        let env = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        credentials(&env, &|path| match path.to_str() {
            Some("/run/token") => Ok("from-file\n".to_owned()),
            Some("/run/empty") => Ok("\n".to_owned()),
            Some("/run/marked") => Ok("\u{feff}very-secret\n".to_owned()),
            _ => Err(io::Error::from(io::ErrorKind::NotFound)),
        })
    }

    fn slack() -> Slack {
        crate::config::parse("usage-signals.toml", "", &|_| None).unwrap().slack
    }

    #[test]
    fn a_secret_comes_from_the_environment_or_from_a_file() {
        for (variables, expected) in [
            (vec![(INTERCOM, "direct")], Some("direct")),
            (vec![("INTERCOM_ACCESS_TOKEN_FILE", "/run/token")], Some("from-file")),
            (vec![(INTERCOM, ""), ("INTERCOM_ACCESS_TOKEN_FILE", "/run/token")], Some("from-file")),
            (vec![(INTERCOM, " ")], None),
            (vec![], None),
        ] {
            let found = read(&variables).unwrap().intercom;
            assert_eq!(found.as_ref().map(ExposeSecret::expose_secret), expected, "{variables:?}");
        }
    }

    #[test]
    fn what_cannot_be_right_is_refused_without_showing_a_secret() {
        let webhook = "https://hooks.slack.com/services/T/B/very-secret";
        for (variables, expected) in [
            (vec![(INTERCOM, "very-secret"), ("INTERCOM_ACCESS_TOKEN_FILE", "/run/token")], "are both set"),
            (
                vec![("ZOHO_CLIENT_SECRET_FILE", "/run/nothing")],
                "cannot read the file that ZOHO_CLIENT_SECRET_FILE names",
            ),
            (
                vec![("INTERCOM_ACCESS_TOKEN_FILE", "/run/empty")],
                "the file that INTERCOM_ACCESS_TOKEN_FILE names is empty: /run/empty",
            ),
            (vec![(BOT, "very-secret"), (WEBHOOK, webhook)], "SLACK_BOT_TOKEN and SLACK_WEBHOOK_URL are both set"),
            (vec![(WEBHOOK, "https://evil.example/very-secret")], "not the address of a Slack webhook"),
            (vec![(WEBHOOK, "http://hooks.slack.com/very-secret")], "not the address of a Slack webhook"),
            (vec![(WEBHOOK, "https://hooks.slack.com/triggers/T0/1/very-secret")], "is the address of a workflow"),
            (vec![(WEBHOOK, "https://hooks.slack.com/workflows/T0/1/very-secret")], "is the address of a workflow"),
            (vec![(INTERCOM, "\"very-secret\"")], "INTERCOM_ACCESS_TOKEN begins and ends with a quote"),
            (vec![(INTERCOM, "very-secret'")], "INTERCOM_ACCESS_TOKEN ends with a quote"),
            (vec![(ZOHO[1], "'very-secret")], "ZOHO_CLIENT_SECRET begins with a quote"),
            (vec![(BOT, "bearer very-secret")], "SLACK_BOT_TOKEN begins with \"Bearer\""),
            (
                vec![("INTERCOM_ACCESS_TOKEN_FILE", "/run/marked")],
                "INTERCOM_ACCESS_TOKEN begins with a byte order mark",
            ),
        ] {
            let said = read(&variables).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
            assert!(!said.contains("very-secret"), "{said}");
        }
        for webhook in [webhook, "http://127.0.0.1:4000/slack/hook"] {
            let found = read(&[(WEBHOOK, webhook)]).unwrap().slack;
            assert!(matches!(found, Some(SlackCredentials::Webhook(_))), "{webhook}");
        }
    }

    #[test]
    fn a_sink_that_is_on_without_credentials_says_how_to_switch_it_off() {
        let all = BTreeSet::from([SinkKind::Tasks, SinkKind::Messages]);
        let said = |variables: &[(&str, &str)], sinks: &BTreeSet<_>| {
            let found = read(variables).unwrap();
            missing(&found, &slack(), sinks).map_err(|problems| problems.to_string())
        };
        let nothing = said(&[], &all).unwrap_err();
        for words in [
            "INTERCOM_ACCESS_TOKEN is not set",
            "tasks are on, but ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET, ZOHO_REFRESH_TOKEN are not set",
            "`--sinks tags` or with enabled = false in [zoho]",
            "messages are on, but neither SLACK_BOT_TOKEN nor SLACK_WEBHOOK_URL is set",
            "`--sinks tags` or with enabled = false in [slack]",
        ] {
            assert!(nothing.contains(words), "{words}\n{nothing}");
        }
        let token = (INTERCOM, "t");
        assert_eq!(said(&[token], &BTreeSet::new()), Ok(()), "a dry run needs only Intercom's token");
        let half = said(&[token, (ZOHO[0], "a"), (ZOHO[2], "c"), (BOT, "b")], &all).unwrap_err();
        assert!(half.contains("but ZOHO_CLIENT_SECRET is not set"), "{half}");
        assert!(half.contains("set it (or its …_FILE), or turn tasks off with `--sinks tags`"), "{half}");
        assert!(half.contains("no channel is set"), "{half}");
    }
}
