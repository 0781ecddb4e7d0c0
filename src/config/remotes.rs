//! Reads `[intercom]`, `[zoho]`, `[slack]`, `[http]` and `[tags]`: the addresses of the services and how to use them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use url::{Host, Url};

use super::problem::Problem;
use super::rule::add_faults;
use super::scan::duration;
use super::table::{Table, type_name};
use crate::model::{Region, SinkKind, TaskOn};
use crate::plan::settings::WhenInDoubt;
use crate::rules::{Attributes, RecordFields, Scope, Text, TextKey};

/// Returns the value of an environment variable; an empty one counts as unset.
pub(super) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Settings of the Intercom client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intercom {
    /// Without a slash at the end; may have a path.
    pub base_url: Url,
    /// The region, if the file names it. Without it, Intercom says where the workspace is.
    pub region: Option<Region>,
    /// Web address of a contact, with the placeholders `{workspace}` and `{id}`. It has `{region}` where Intercom has to say it.
    pub contact_url: String,
    /// Contacts per page of search results, at most 150.
    pub per_page: u32,
    /// Concurrent requests to Intercom.
    pub requests_at_once: usize,
    /// The length of the windows in which Intercom counts requests.
    pub rate_limit_window: Duration,
    /// Timeout of one request.
    pub request_timeout: Duration,
}

/// Settings of the Zoho client.
#[derive(Debug, Clone, PartialEq)]
pub struct Zoho {
    /// Where to request access tokens.
    pub accounts_url: Url,
    /// `None` means the host in the `api_domain` of the token response, if it belongs to Zoho.
    pub api_url: Option<Url>,
    /// Web address of a record, with the placeholders `{module}` and `{id}`.
    pub record_url: String,
    /// Which record gets a task.
    pub link: TaskOn,
    /// Leads with one of these `Lead_Status` values keep it.
    pub keep_lead_status: Vec<String>,
    /// Zoho automations that our writes may start.
    pub trigger: Vec<String>,
    /// Further fields of new leads and tasks.
    pub fields: RecordFields,
    /// Zoho user id of the task owner, unless the rule names one.
    pub task_owner: Option<String>,
    /// Timeout of one request.
    pub request_timeout: Duration,
}

/// Settings of the Slack client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slack {
    /// The address of the API.
    pub api_url: Url,
    /// Channel id or name; required with a bot token.
    pub channel: Option<String>,
    /// Single messages per run; further ones go into digests.
    pub max_messages: usize,
    /// See [`WhenInDoubt`].
    pub when_in_doubt: WhenInDoubt,
    /// How long after a failed answer a message in doubt is looked up in the channel, in the same run.
    pub look_up_after: Duration,
    /// Timeout of one request.
    pub request_timeout: Duration,
}

/// Reads `[intercom]`. Returns `None` if a URL is invalid, and adds the problem.
pub(super) fn read_intercom(root: &Table<'_>, env: Env<'_>) -> Option<Intercom> {
    let table = root.section("intercom");
    let region = table.choice("region", &[Region::Us, Region::Eu, Region::Au].map(|region| (region.name(), region)));
    let base_url = base_url(&table, "base_url", env, "INTERCOM_BASE_URL");
    // The host of the US forwards requests to the region of the workspace.
    let host = region.map_or("", Region::host_part);
    let base_url = base_url.or_else(|| Url::parse(&format!("https://api.{host}intercom.io")).ok());
    let host = region.map_or("{region}", Region::host_part);
    let app = format!("https://app.{host}intercom.com/a/apps/{{workspace}}/users/{{id}}/all-conversations");
    let contact_url = pattern(&table, "contact_url", &["{id}"], &["{workspace}", "{id}"]).unwrap_or(app);
    let per_page = table.count("per_page", 1..=150).unwrap_or(150);
    let requests_at_once = usize::try_from(table.count("requests_at_once", 1..=64).unwrap_or(8)).unwrap_or(1);
    let rate_limit_window = duration(&table, "rate_limit_window").unwrap_or(Duration::from_secs(10));
    let request_timeout = request_timeout(&table);
    table.finish();
    let base_url = base_url?;
    Some(Intercom { base_url, region, contact_url, per_page, requests_at_once, rate_limit_window, request_timeout })
}

/// Zoho's data centres: the name and the domain.
const DATA_CENTERS: [(&str, &str); 10] = [
    ("us", "zoho.com"),
    ("eu", "zoho.eu"),
    ("in", "zoho.in"),
    ("au", "zoho.com.au"),
    ("jp", "zoho.jp"),
    ("cn", "zoho.com.cn"),
    ("ca", "zohocloud.ca"),
    ("sa", "zoho.sa"),
    ("uk", "zoho.uk"),
    ("ae", "zoho.ae"),
];

/// Reads `[zoho]`. Returns `None` if a URL is invalid, and adds the problem.
pub(super) fn read_zoho(
    root: &Table<'_>,
    env: Env<'_>,
    attributes: &Attributes,
    on: &mut BTreeSet<SinkKind>,
) -> Option<Zoho> {
    let table = root.section("zoho");
    read_switch(&table, SinkKind::Tasks, on);
    let domain = table.choice("data_center", &DATA_CENTERS).unwrap_or("zoho.com");
    let accounts_url = base_url(&table, "accounts_url", env, "ZOHO_ACCOUNTS_URL");
    let accounts_url = accounts_url.or_else(|| Url::parse(&format!("https://accounts.{domain}")).ok());
    let fields = ["{module}", "{id}"];
    let record_url = pattern(&table, "record_url", &fields, &fields);
    let link = table.choice("link", &[("contact", TaskOn::ContactOrLead), ("lead", TaskOn::Lead)]);
    let kept = table.texts("keep_lead_status").map(|found| found.value);
    let zoho = Zoho {
        api_url: base_url(&table, "api_url", env, "ZOHO_API_URL"),
        accounts_url: accounts_url?,
        record_url: record_url.unwrap_or_else(|| format!("https://crm.{domain}/crm/tab/{{module}}/{{id}}")),
        link: link.unwrap_or(TaskOn::ContactOrLead),
        keep_lead_status: kept.unwrap_or_else(|| vec!["Junk Lead".to_owned(), "Lost Lead".to_owned()]),
        trigger: triggers(&table),
        fields: RecordFields {
            lead: record_fields(&table, "lead_fields", &FILLED_IN_LEADS, attributes),
            task: record_fields(&table, "task_fields", &FILLED_IN_TASKS, attributes),
        },
        task_owner: table.text("task_owner").map(|found| found.value).filter(|owner| !owner.is_empty()),
        request_timeout: request_timeout(&table),
    };
    table.finish();
    Some(zoho)
}

/// The fields that the program fills itself, each with the setting that decides its value, if there is one.
const FILLED_IN_LEADS: [(&str, &str); 6] = [
    ("Email", ""),
    ("First_Name", ""),
    ("Last_Name", ""),
    ("Company", ""),
    ("Lead_Status", "lead_status, in the rule"),
    ("id", ""),
];
const FILLED_IN_TASKS: [(&str, &str); 9] = [
    ("Subject", "task_subject, in the rule"),
    ("Description", "task_description, in the rule"),
    ("Due_Date", "respond_within_days, in the rule"),
    ("Priority", "priority, in the rule"),
    ("Owner", "task_owner, in [zoho] or in the rule"),
    ("Status", ""),
    ("What_Id", ""),
    ("Who_Id", ""),
    ("id", ""),
];

/// Reads the texts for further fields of new records, by Zoho's names of the fields.
fn record_fields(
    table: &Table<'_>,
    key: &'static str,
    filled: &[(&str, &str)],
    attributes: &Attributes,
) -> BTreeMap<String, Text> {
    let none = BTreeMap::new();
    let scope = Scope { attributes, params: &none };
    let mut fields = BTreeMap::new();
    let Some(inner) = table.table(key) else { return fields };
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    for (name, value) in inner.names() {
        let problem = |message: String, help: &str| table.findings.add(&name.place, message, Some(help.to_owned()));
        let field = name.value.as_str();
        if let Some((own, setting)) = filled.iter().find(|(own, _)| own.eq_ignore_ascii_case(field)) {
            let help = if setting.is_empty() { "remove the line".to_owned() } else { format!("set {setting}") };
            problem(format!("the program fills `{own}` itself"), &help);
        } else if !is_name(field) {
            let help =
                "use the field's API name, which Zoho shows in Setup → Developer Hub → APIs: letters, digits and _";
            problem(format!("\"{field}\" cannot be the name of a field in Zoho"), help);
        } else if let Some(template) = value.get_ref().as_str() {
            let place = inner.place_at(field, value);
            match Text::parse(template, TextKey::TaskDescription, scope) {
                Ok(_) if template.trim().is_empty() => {
                    problem(format!("`{field}` is empty"), "give it a value, or remove the line");
                }
                Ok(text) => drop(fields.insert(field.to_owned(), text)),
                Err(faults) => add_faults(table.findings, &place, faults),
            }
        } else {
            let found = type_name(value.get_ref());
            problem(
                format!("`{field}` must be a text in quotes, not {found}"),
                "write, for example: Lead_Source = \"Intercom\"",
            );
        }
    }
    fields
}

fn triggers(table: &Table<'_>) -> Vec<String> {
    const KNOWN: [&str; 3] = ["workflow", "approval", "blueprint"];
    let Some(found) = table.texts("trigger") else {
        return Vec::new();
    };
    for word in found.value.iter().filter(|word| !KNOWN.contains(&word.as_str())) {
        let help = format!("each is one of {}", KNOWN.map(|word| format!("\"{word}\"")).join(", "));
        table.findings.add(&found.place, format!("`trigger` cannot be \"{word}\""), Some(help));
    }
    found.value
}

/// Reads `[slack]`. Returns `None` if a URL is invalid, and adds the problem.
pub(super) fn read_slack(root: &Table<'_>, env: Env<'_>, on: &mut BTreeSet<SinkKind>) -> Option<Slack> {
    let table = root.section("slack");
    read_switch(&table, SinkKind::Messages, on);
    let api_url = base_url(&table, "api_url", env, "SLACK_API_URL");
    let api_url = api_url.or_else(|| Url::parse("https://slack.com/api").ok());
    let channel = table.text("channel").map(|found| found.value);
    let channel = env("SLACK_CHANNEL").or(channel).map(|channel| channel.trim().to_owned());
    let in_doubt = [("resend", WhenInDoubt::Resend), ("hold", WhenInDoubt::Hold)];
    let max_messages = table.count("max_messages", 0..=u32::MAX).unwrap_or(20);
    let slack = Slack {
        api_url: api_url?,
        channel: channel.filter(|channel| !channel.is_empty()),
        max_messages: usize::try_from(max_messages).unwrap_or(usize::MAX),
        look_up_after: duration(&table, "look_up_after").unwrap_or(Duration::from_secs(30)),
        when_in_doubt: table.choice("when_in_doubt", &in_doubt).unwrap_or(WhenInDoubt::Resend),
        request_timeout: request_timeout(&table),
    };
    table.finish();
    Some(slack)
}

fn request_timeout(table: &Table<'_>) -> Duration {
    duration(table, "request_timeout").unwrap_or(Duration::from_secs(60))
}

/// Reads `[http]`: the longest wait before the first retry.
pub(super) fn read_http(root: &Table<'_>) -> Duration {
    let table = root.section("http");
    let first_wait = duration(&table, "first_wait").unwrap_or(Duration::from_millis(500));
    table.finish();
    first_wait
}

pub(super) fn read_tags(root: &Table<'_>, on: &mut BTreeSet<SinkKind>) {
    let table = root.section("tags");
    read_switch(&table, SinkKind::Tags, on);
    table.finish();
}

/// Reads the key `enabled` of a sink's section, and adds the sink to those that are on.
fn read_switch(table: &Table<'_>, sink: SinkKind, on: &mut BTreeSet<SinkKind>) {
    if table.yes_no("enabled").unwrap_or(true) {
        on.insert(sink);
    }
}

/// Reads a base URL from the environment, or else from the file. Removes the slash at its end.
fn base_url(table: &Table<'_>, key: &'static str, env: Env<'_>, variable: &str) -> Option<Url> {
    let in_file = table.text(key).and_then(|text| {
        let add = |(message, help)| table.findings.add(&text.place, format!("`{key}` {message}"), Some(help));
        parse_url(&text.value).map_err(add).ok()
    });
    let from_env = env(variable).and_then(|text| {
        let problem =
            |(message, help): (&str, String)| Problem::in_environment(variable, format!("{variable} {message}"), &help);
        parse_url(&text).map_err(|error| table.findings.add_elsewhere(problem(error))).ok()
    });
    from_env.or(in_file)
}

/// Parses a URL to which a credential will be sent: it must be https, unless it leads to this machine.
///
/// The error is a message, to be put behind the name of the key, and the help.
pub(super) fn parse_url(text: &str) -> Result<Url, (&'static str, String)> {
    let example = || match text.contains(':') {
        true => "for example: https://api.intercom.io".to_owned(),
        false => format!("did you mean https://{}?", text.trim()),
    };
    let Ok(mut url) = Url::parse(text.trim()) else {
        return Err(("is not a web address", example()));
    };
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => {
            let help = "write https://; plain http is accepted for this machine only (127.0.0.1, localhost)".to_owned();
            return Err(("would send a credential unencrypted", help));
        }
        _ => return Err(("is not a web address", example())),
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(("must have only a host and a path", example()));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// Returns whether the URL leads to this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Reads a web address with placeholders. All of `needed` must occur; only `allowed` may occur.
fn pattern(table: &Table<'_>, key: &'static str, needed: &[&str], allowed: &[&str]) -> Option<String> {
    let text = table.filled(key)?;
    let all = allowed.join(" and ");
    let missing = needed.iter().find(|field| !text.value.contains(**field));
    let rest = allowed.iter().fold(text.value.clone(), |rest, field| rest.replace(field, ""));
    let problem = if let Some(field) = missing {
        format!("`{key}` lacks the placeholder {field}")
    } else if rest.contains(['{', '}']) {
        format!("`{key}` has a placeholder other than {all}")
    } else if !text.value.starts_with("https://") && !text.value.starts_with("http://") {
        format!("`{key}` is not a web address")
    } else {
        return Some(text.value);
    };
    let help = format!("write an address that begins with https://, with {all} in place of the ids");
    table.findings.add(&text.place, problem, Some(help));
    None
}
