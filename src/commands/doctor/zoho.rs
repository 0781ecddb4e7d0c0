//! Zoho: the credentials, the scopes (by reads that change nothing), and the fields of the modules.

use std::collections::{BTreeMap, BTreeSet};

use super::super::setup::Setup;
use super::check::{CREDENTIAL, Group};
use crate::apply::stop::Stop;
use crate::model::{Priority, SinkKind, TaskOn};
use crate::remote::service_status::ServiceStatus;
use crate::remote::zoho::{Granted, Layout, Module, READ_FIELDS, READ_LAYOUTS, READ_USERS, User, Zoho};

/// The checks that depend on an access token.
const REST: [&str; 11] = [
    "data_center",
    "credits",
    "Contacts",
    "Leads",
    "Tasks",
    "query",
    "fields.Leads",
    "layouts.Leads",
    "fields.Tasks",
    "layouts.Tasks",
    "task_owner",
];
/// With fewer credits, a large run may not finish: each query and each ten records cost one.
const FEW_CREDITS: u64 = 500;

/// Adds the checks. Returns the status of the service, if it was asked.
pub async fn examine(group: &mut Group, setup: Result<&Setup, &str>, stop: &Stop) -> Option<ServiceStatus> {
    let setup = group.ready(setup, "ZOHO_", &REST)?;
    if !setup.sinks_on.contains(&SinkKind::Tasks) {
        group.ok("sink", "off: no tasks are created (enabled = false in [zoho])");
        return None;
    }
    let mut client = group.made(setup.zoho(stop), &REST)?.without_keeping_the_token();
    let user = match client.user_of_token().await {
        Ok(user) => user,
        Err(error) => {
            group.remote(CREDENTIAL, &error, None);
            group.skip(&REST, "Zoho did not confirm the credentials");
            return Some(client.service_status());
        }
    };
    let whose = match &user {
        Granted::Yes(Some(user)) => format!("accepted for the user {}", user.name),
        Granted::Yes(None) | Granted::No => "accepted".to_owned(),
    };
    group.ok(CREDENTIAL, whose);
    data_center(group, setup, &client);
    modules(group, setup, &mut client).await;
    layouts(group, setup, &mut client).await;
    owners(group, setup, &mut client).await;
    credits(group, client.service_status());
    Some(client.service_status())
}

fn data_center(group: &mut Group, setup: &Setup, client: &Zoho) {
    let accounts = &setup.config.zoho.accounts_url;
    let api = client.api_url().map_or_else(String::new, ToString::to_string);
    let both = format!("accounts at {accounts}, API v8 at {api}");
    match client.crosses_data_centres() {
        true => group.warn(
            "data_center",
            format!("{both}: these are two data centres, and each accepts only its own tokens"),
            "set data_center in [zoho], and unset ZOHO_ACCOUNTS_URL and ZOHO_API_URL",
        ),
        false => group.ok("data_center", both),
    }
}

fn credits(group: &mut Group, service_status: ServiceStatus) {
    match service_status.credits_left {
        Some(left) if left < FEW_CREDITS => group.warn(
            "credits",
            format!("{left} API credits are left for these 24 hours"),
            "check which other programs use Zoho's API; the next run does the actions that a run could not do",
        ),
        Some(left) => group.ok("credits", format!("{left} API credits left for these 24 hours")),
        None => group.ok("credits", "Zoho shows them only once half of them are used"),
    }
}

async fn modules(group: &mut Group, setup: &Setup, client: &mut Zoho) {
    for module in [Module::Contacts, Module::Leads, Module::Tasks] {
        let name = module.name();
        if module == Module::Contacts && setup.config.zoho.link == TaskOn::Lead {
            group.ok(name, "not needed: tasks go on leads (link = \"lead\" in [zoho])");
            continue;
        }
        match client.read_one(module).await {
            Ok(()) if module == Module::Contacts => group.ok(name, "can be read"),
            Ok(()) => group.ok(name, "can be read; whether it can be written shows only in a real run"),
            Err(error) => group.remote(name, &error, None),
        }
    }
    match client.query_one().await {
        Ok(()) => group.ok("query", "COQL is allowed"),
        Err(error) => group.remote("query", &error, None),
    }
}

async fn layouts(group: &mut Group, setup: &Setup, client: &mut Zoho) {
    for module in [Module::Leads, Module::Tasks] {
        let name = format!("fields.{}", module.name());
        match client.layout(module).await {
            Ok(Granted::Yes(layout)) => fields(group, setup, &name, &layout),
            Ok(Granted::No) => {
                let message = format!("not checked: the token may not read settings (scope {READ_FIELDS})");
                group.warn(
                    &name,
                    message,
                    "a run does not need it; with this scope, doctor checks fields and picklist values",
                );
            }
            Err(error) => group.remote(&name, &error, None),
        }
        demanded_by_layouts(group, client, module).await;
    }
}

/// The API refuses a record without a mandatory field in some organisations only, so a missing field is a warning.
async fn demanded_by_layouts(group: &mut Group, client: &mut Zoho, module: Module) {
    let name = format!("layouts.{}", module.name());
    match client.demanded_by_layouts(module).await {
        Ok(Granted::Yes(fields)) if fields.is_empty() => group.ok(&name, "all fields that a layout demands are filled"),
        Ok(Granted::Yes(fields)) => {
            let table = if module == Module::Leads { "lead_fields" } else { "task_fields" };
            group.warn(
                &name,
                format!("a run does not fill {}, so Zoho may refuse new records", fields.join(", ")),
                format!("give the field a value in [zoho.{table}], or make it optional in Setup → Modules and Fields"),
            );
        }
        Ok(Granted::No) => {
            group.ok(
                &name,
                format!("not checked: a run does not need it, and the token lacks the scope {READ_LAYOUTS}"),
            );
        }
        Err(error) => group.remote(&name, &error, None),
    }
}

fn fields(group: &mut Group, setup: &Setup, name: &str, layout: &Layout) {
    let (lacking, demanded) = (layout.lacking(), layout.demanded());
    match (lacking.is_empty(), demanded.is_empty()) {
        (true, true) => group.ok(name, "all fields that a run writes exist"),
        (false, _) => group.warn(
            name,
            format!("Zoho does not list {}, and silently drops values written to it", lacking.join(", ")),
            "check Setup → Modules and Fields, and the profile of the token's user",
        ),
        (true, false) => group.warn(
            name,
            format!(
                "Zoho demands {}, which a run does not fill, so Zoho may refuse new records",
                demanded.join(", ")
            ),
            "give it a value in [zoho.lead_fields] or [zoho.task_fields], or make it optional in Setup → Modules and Fields",
        ),
    }
    let rules = &setup.config.rules.rules;
    let statuses: BTreeSet<&str> = rules.iter().filter_map(|rule| rule.lead_status.as_deref()).collect();
    let levels = |rule: &crate::rules::Rule| rule.levels.iter().map(|level| level.priority).collect::<Vec<_>>();
    let priorities: BTreeSet<Priority> =
        rules.iter().flat_map(|rule| levels(rule).into_iter().chain([rule.priority])).collect();
    for list in layout.picklists(&statuses, &priorities) {
        let name = format!("picklist.{}", list.field);
        let quoted =
            |values: &[String]| values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(", ");
        if list.missing.is_empty() {
            group.ok(&name, format!("offers {}", quoted(&list.wanted)));
            continue;
        }
        let message =
            format!("does not offer {}: views and reports would leave these records out", quoted(&list.missing));
        let help = match list.field.as_str() {
            "Leads.Lead_Status" => {
                "add it in Setup → Modules and Fields, or set another lead status in the rules (lead_status)"
            }
            "Tasks.Priority" => {
                "add it in Setup → Modules and Fields, or set another priority in the rules that have it (priority)"
            }
            _ => "add it in Setup → Modules and Fields",
        };
        group.fail(&name, message, Some(help));
    }
}

async fn owners(group: &mut Group, setup: &Setup, client: &mut Zoho) {
    let mut owners: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for rule in &setup.config.rules.rules {
        if let Some(owner) = &rule.task_owner {
            owners.entry(owner).or_default().push(&rule.signal);
        }
    }
    if owners.is_empty() {
        return group.ok("task_owner", "none is set: tasks belong to the user of the token");
    }
    for (owner, signals) in owners {
        let name = format!("task_owner.{owner}");
        let signals = signals.join(", ");
        let help =
            "set task_owner, in [zoho] or in the rule, to the id of an active user: Zoho refuses tasks of other owners";
        match client.user(owner).await {
            Ok(Granted::Yes(Some(user))) if user.is_active() => {
                group.ok(&name, format!("{}, active; owns the tasks of {signals}", user.name));
            }
            Ok(Granted::Yes(Some(User { name: who, .. }))) => {
                group.fail(&name, format!("{who} is not active, but should own the tasks of {signals}"), Some(help));
            }
            Ok(Granted::Yes(None)) => {
                let message = format!("Zoho does not have the user who should own the tasks of {signals}");
                group.fail(&name, message, Some(help));
            }
            Ok(Granted::No) => group.warn(
                &name,
                format!("not checked: the token may not read users (scope {READ_USERS})"),
                "a run does not need it; with this scope, doctor checks that the owner is active",
            ),
            Err(error) => group.remote(&name, &error, None),
        }
    }
}
