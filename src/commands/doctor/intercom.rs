//! Intercom: the token, the region, the permissions, and the tags and attributes that the rules name.

use std::collections::BTreeSet;

use url::Url;

use super::super::setup::Setup;
use super::check::{CREDENTIAL, Group};
use crate::apply::stop::Stop;
use crate::config;
use crate::model::{AttributeDefinition, Links, Region, SinkKind, Type, region_of};
use crate::read::{ContactSource as _, Pages as _, TagName};
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::intercom::{self, Intercom, Workspace};
use crate::remote::service_status::ServiceStatus;
use crate::report::plural;
use crate::rules::{Rule, RuleSet};

/// The checks that depend on the token.
const REST: [&str; 6] = ["version", "region", "rate_limit", "contacts", "tags", "attributes"];

/// Adds the checks. Returns the token's workspace and the status of the service, if it was asked.
pub async fn examine(
    group: &mut Group,
    setup: Result<&Setup, &str>,
    stop: &Stop,
) -> Option<(Option<Workspace>, ServiceStatus)> {
    let setup = group.ready(setup, "INTERCOM_", &REST)?;
    let client = group.made(setup.intercom(stop), &REST)?;
    let workspace = match client.workspace().await {
        Ok(workspace) => workspace,
        Err(error) => {
            refused(group, &error);
            return Some((None, client.service_status()));
        }
    };
    let Workspace { id, name, timezone, .. } = &workspace;
    let name = name.as_deref().map_or_else(String::new, |name| format!("{name}, "));
    let zone = timezone.as_deref().map_or_else(String::new, |zone| format!(", time zone {zone}"));
    group.ok(CREDENTIAL, format!("accepted for the workspace {name}{id}{zone}"));
    group.ok("version", format!("{}, sent with every request", intercom::VERSION));
    region(group, &setup.config.intercom, workspace.region.as_deref());
    rate_limit(group, client.service_status());
    contacts(group, &client).await;
    tags(group, setup, &client).await;
    attributes(group, &setup.config.rules, &client).await;
    Some((Some(workspace), client.service_status()))
}

fn refused(group: &mut Group, error: &RemoteError) {
    if error.details.code.as_deref() == Some("intercom_version_invalid") {
        group.fail("version", error.to_string(), Some("install a newer version of this program"));
        let rest: Vec<_> = [CREDENTIAL].into_iter().chain(REST).filter(|name| *name != "version").collect();
        return group.skip(&rest, "Intercom refuses the API version");
    }
    group.remote(CREDENTIAL, error, None);
    group.skip(&REST, "Intercom did not confirm the token");
}

/// Intercom's regional hosts. The host of the US is not among them: it forwards requests to the workspace's region.
const REGIONAL: [(Region, &str); 2] = [(Region::Eu, "api.eu.intercom.io"), (Region::Au, "api.au.intercom.io")];

fn region(group: &mut Group, settings: &config::Intercom, reported: Option<&str>) {
    let config::Intercom { base_url: address, region: set, contact_url, .. } = settings;
    let actual = reported.and_then(region_of);
    let reported = reported.unwrap_or("a region that Intercom does not name");
    let by_host = REGIONAL.iter().find(|(_, host)| address.host_str() == Some(host)).map(|(region, _)| *region);
    let links = Links { contact: contact_url.clone(), record: String::new() }.in_region(Some(reported));
    let links = links.contact("workspace", "id").parse::<Url>().ok();
    let links = links.as_ref().and_then(Url::host_str).map_or(String::new(), |host| format!(", links go to {host}"));
    match (actual, set, by_host) {
        (Some(actual), Some(set), _) if actual != *set => group.warn(
            "region",
            format!("the workspace is in {reported}, but [intercom] says region = \"{}\"{links}", set.name()),
            format!("set region = \"{}\" in [intercom], or remove the line", actual.name()),
        ),
        (Some(actual), _, Some(asked)) if actual != asked => group.warn(
            "region",
            format!("the workspace is in {reported}, but requests go to {address}"),
            "remove base_url from [intercom], or INTERCOM_BASE_URL from the environment",
        ),
        _ => group.ok("region", format!("{address}, the workspace is in {reported}{links}")),
    }
}

fn rate_limit(group: &mut Group, service_status: ServiceStatus) {
    match (service_status.limit, service_status.remaining) {
        (Some(limit), Some(left)) if left < limit / 10 => group.warn(
            "rate_limit",
            format!("{left} of {limit} requests are left in this window: other programs use them"),
            "a run waits whenever no request is left; slow the other programs down, or run at another time",
        ),
        (Some(limit), Some(left)) => group.ok("rate_limit", format!("{left} of {limit} requests left in this window")),
        _ => group.ok("rate_limit", "Intercom does not say"),
    }
}

async fn contacts(group: &mut Group, client: &Intercom) {
    let help = "give the token's app the permissions \"Read and list users and companies\" and \"Read one user and one company\"";
    let mut pages = client.pages(&BTreeSet::new());
    match pages.next().await {
        Ok(_) => match pages.expected() {
            Some(0) => group.warn(
                "contacts",
                "the workspace has no contacts, so a scan finds nothing",
                "check that the token belongs to the right workspace",
            ),
            Some(total) => group.ok("contacts", format!("{total} contacts can be searched")),
            None => group.ok("contacts", "can be searched"),
        },
        Err(error) => group.remote("contacts", &error, Some(help)),
    }
}

async fn tags(group: &mut Group, setup: &Setup, client: &Intercom) {
    let tags = match client.tags().await {
        Ok(tags) => tags,
        Err(error) => {
            let help = "give the token's app the permission \"Read tags\", and for a real run \"Write tags\"";
            return group.remote("tags", &error, Some(help));
        }
    };
    let tags_on = setup.sinks_on.contains(&SinkKind::Tags);
    let right = match tags_on {
        true => "whether they can be written shows only in a real run",
        false => "tags are off, so none is written",
    };
    group.ok("tags", format!("{} can be read; {right}", plural(tags.len(), "tag")));
    for Rule { signal, tag, .. } in &setup.config.rules.rules {
        one_tag(group, &format!("tag.{signal}"), tag, &tags, tags_on);
    }
    let snooze = &setup.config.plan.snooze_tag;
    match tags.iter().find(|known| known.is_named(snooze)) {
        Some(known) => group.ok("tag.snooze", format!("\"{}\" exists, id {}", known.name, known.id)),
        None => group.ok(
            "tag.snooze",
            format!("\"{snooze}\" does not exist; create it in Intercom to silence a contact or a company"),
        ),
    }
}

fn one_tag(group: &mut Group, name: &str, tag: &str, tags: &[TagName], tags_on: bool) {
    let made = if tags_on { "the first run that needs it creates it" } else { "tags are off, so no run creates it" };
    match tags.iter().find(|known| known.is_named(tag)) {
        None => group.ok(name, format!("\"{tag}\" does not exist yet; {made}")),
        Some(known) if known.name.trim() == tag => group.ok(name, format!("\"{tag}\" exists, id {}", known.id)),
        Some(known) => group.warn(
            name,
            format!("\"{tag}\" is written \"{}\" in Intercom, id {}, and counts as the same tag", known.name, known.id),
            "use one spelling in both places, or give the rule another tag",
        ),
    }
}

async fn attributes(group: &mut Group, rules: &RuleSet, client: &Intercom) {
    let defined = match client.all_attributes().await {
        Ok(defined) => defined,
        Err(error) if error.kind == ErrorKind::Credential => {
            let help = "a run does not need it; with the permission to read attributes, doctor checks names and types";
            return group.warn("attributes", "not checked: the token may not read the definitions", help);
        }
        Err(error) => return group.remote("attributes", &error, None),
    };
    let used: BTreeSet<&str> = rules.used().chain(rules.used_for_primary()).collect();
    let used: Vec<&str> = used.into_iter().filter(|name| !intercom::is_own_field(name)).collect();
    let remarks: Vec<_> = used.iter().filter_map(|name| Some((*name, remark(name, rules, &defined)?))).collect();
    let count = used.len();
    match remarks.len() {
        0 => group.ok("attributes", format!("the rules use {count}, all defined and of a suitable type")),
        unfit => group.ok("attributes", format!("the rules use {count}, {unfit} of them with a warning")),
    }
    for (name, remark) in remarks {
        let help = "`usage-signals coverage` shows the values of the contacts";
        group.warn(
            &format!("attribute.{name}"),
            format!("{remark}; used by {}", rules.users_of(name).join(", ")),
            help,
        );
    }
}

/// Returns the warning about an attribute that rules use, if there is one.
fn remark(name: &str, rules: &RuleSet, defined: &[AttributeDefinition]) -> Option<String> {
    let stored = rules.attributes().stored(name);
    let mut of_that_name = defined.iter().filter(|attribute| attribute.custom && attribute.name == stored);
    let Some(definition) = of_that_name.clone().find(|attribute| !attribute.archived).or(of_that_name.next()) else {
        return Some(match name == stored {
            true => "Intercom has no attribute of that name".to_owned(),
            false => format!("Intercom has no attribute \"{stored}\""),
        });
    };
    if definition.archived {
        return Some("it is archived in Intercom, so it is no longer updated".to_owned());
    }
    let wanted = rules.attributes().kind(name)?;
    let held = definition.data_type.as_str();
    (!fits(wanted, held)).then(|| format!("Intercom stores it as {held}, but rules read it as {}", wanted.name()))
}

/// Whether values of Intercom's type can be read as the type that rules use. A text can hold anything; unknown types count as suitable.
fn fits(wanted: Type, held: &str) -> bool {
    match held {
        "integer" | "float" => matches!(wanted, Type::Number | Type::Date),
        "boolean" => wanted == Type::YesNo,
        "date" | "datetime" => wanted == Type::Date,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::to_table;
    use super::*;

    #[test]
    fn the_region_is_compared_with_the_settings() {
        for (settings, reported, expected) in [
            ("", Some("US"), "https://api.intercom.io/, the workspace is in US, links go to app.intercom.com"),
            ("", Some("EU"), "https://api.intercom.io/, the workspace is in EU, links go to app.eu.intercom.com"),
            ("", Some("Europe"), "links go to app.eu.intercom.com"),
            ("", Some("Australia"), "links go to app.au.intercom.com"),
            ("", None, "the workspace is in a region that Intercom does not name, links go to app.intercom.com"),
            ("contact_url = \"https://example.com/{id}\"", Some("EU"), "ok    region  https://api.intercom.io/"),
            ("contact_url = \"https://example.com/{id}\"", Some("EU"), "links go to example.com"),
            (
                "region = \"us\"",
                Some("EU"),
                "warn  region  the workspace is in EU, but [intercom] says region = \"us\"",
            ),
            ("region = \"us\"", Some("EU"), "set region = \"eu\" in [intercom], or remove the line"),
            ("region = \"eu\"", Some("Europe"), "ok    region"),
            (
                "base_url = \"https://api.eu.intercom.io\"",
                Some("US"),
                "warn  region  the workspace is in US, but requests go",
            ),
            ("base_url = \"https://api.eu.intercom.io\"", None, "ok    region"),
            ("base_url = \"https://proxy.example\"", Some("EU"), "ok    region"),
        ] {
            let config = config::parse("usage-signals.toml", &format!("[intercom]\n{settings}"), &|_| None).unwrap();
            let mut group = Group::new("intercom", "Intercom");
            region(&mut group, &config.intercom, reported);
            let text = to_table(&[group]);
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let expected = expected.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains(&expected), "{settings} {reported:?}: {text}");
        }
    }

    #[test]
    fn a_type_fits_where_its_values_can_be_read() {
        for (held, wanted, expected) in [
            ("integer", Type::Number, true),
            ("float", Type::Text, false),
            ("integer", Type::Date, true),
            ("boolean", Type::YesNo, true),
            ("boolean", Type::Number, false),
            ("date", Type::Number, false),
            ("datetime", Type::Date, true),
            ("string", Type::List, true),
            ("string", Type::Number, true),
            ("a type yet to come", Type::List, true),
        ] {
            assert_eq!(fits(wanted, held), expected, "{held} {wanted:?}");
        }
    }
}
