//! Reads for a person who checks the settings before a run: the owner of the token, its rights, the fields of the modules, and
//! whether a user exists. A run needs none of them to create a task.

use std::collections::BTreeSet;

use serde_json::Value;
use strum::IntoStaticStr;
use url::Url;

use super::calls::Trouble;
use super::client::Zoho;
use super::wire::{Row, Rows};
use super::{centre, coql, lead_fields, task_fields};
use crate::model::Priority;
use crate::remote::ending::Ending;
use crate::remote::error::RemoteError;
use crate::remote::http::{Request, RequestKind};
use crate::remote::service_status::ServiceStatus;

/// The scope that reads fields; a run does not need it.
pub const READ_FIELDS: &str = "ZohoCRM.settings.fields.READ";
/// The scope that reads users; a run does not need it.
pub const READ_USERS: &str = "ZohoCRM.users.READ";
/// The scope that reads layouts; a run does not need it.
pub const READ_LAYOUTS: &str = "ZohoCRM.settings.layouts.READ";
const QUERY: &str = "ZohoCRM.coql.READ";

/// A module that the program reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
pub enum Module {
    /// The people whom sales know.
    Contacts,
    /// The people whom sales do not know yet.
    Leads,
    /// The tasks of sales.
    Tasks,
}

impl Module {
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The scope that reads its records.
    pub fn scope(self) -> &'static str {
        match self {
            Module::Contacts => "ZohoCRM.modules.contacts.READ",
            Module::Leads => "ZohoCRM.modules.leads.READ",
            Module::Tasks => "ZohoCRM.modules.tasks.READ",
        }
    }

    /// A field that every record has.
    fn shown(self) -> &'static str {
        if self == Module::Tasks { "Subject" } else { "Last_Name" }
    }

    fn written(self) -> &'static [&'static str] {
        match self {
            Module::Contacts => &[],
            Module::Leads => &["Email", "Last_Name", "First_Name", "Company", "Lead_Status"],
            Module::Tasks => {
                &["Subject", "Due_Date", "Priority", "Status", "Description", "What_Id", "Who_Id", "Owner"]
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub name: String,
    /// Zoho's status, such as `active`; None where Zoho does not say.
    pub status: Option<String>,
}

impl User {
    /// Whether the user can own tasks, as far as Zoho says.
    pub fn is_active(&self) -> bool {
        self.status.as_deref().is_none_or(|status| status.eq_ignore_ascii_case("active"))
    }
}

/// A fact, if the token's scopes and its user's rights allow the program to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Granted<T> {
    Yes(T),
    /// The token lacks a scope, or its user a right.
    No,
}

/// A picklist: the values that the program writes, compared with those that Zoho offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picklist {
    /// The module and the field, such as `Leads.Lead_Status`.
    pub field: String,
    pub wanted: Vec<String>,
    /// The values of these that Zoho does not offer.
    pub missing: Vec<String>,
}

/// The fields of a module, as Zoho describes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    module: Module,
    fields: Vec<Row>,
    /// The further fields that the settings fill.
    filled: BTreeSet<String>,
}

impl Layout {
    fn field(&self, name: &str) -> Option<&Row> {
        self.fields.iter().find(|field| field.text("api_name") == Some(name))
    }

    /// The fields that the program writes and Zoho does not list. Zoho silently drops what is written into them.
    pub fn lacking(&self) -> Vec<&str> {
        let written = self.module.written().iter().copied().chain(self.filled.iter().map(String::as_str));
        written.filter(|name| self.field(name).is_none()).collect()
    }

    /// The fields that Zoho itself demands and the program does not write.
    pub fn demanded(&self) -> Vec<&str> {
        let demanded = self.fields.iter().filter(|field| field.yes("system_mandatory"));
        demanded
            .filter_map(|field| field.text("api_name"))
            .filter(|name| !self.module.written().contains(name) && !self.filled.contains(*name))
            .collect()
    }

    /// Compares values with a picklist; None where the field is missing or has no list.
    fn picklist(&self, name: &str, wanted: impl IntoIterator<Item = String>) -> Option<Picklist> {
        let offered: Vec<&str> = self.field(name)?.items("pick_list_values").filter_map(offered).collect();
        if offered.is_empty() {
            return None;
        }
        let wanted: Vec<String> = wanted.into_iter().collect();
        let missing = wanted.iter().filter(|value| !offered.contains(&value.as_str())).cloned().collect();
        Some(Picklist { field: format!("{}.{name}", self.module.name()), wanted, missing })
    }

    /// The picklists of the fields that the program writes: leads with these statuses, tasks with these priorities.
    pub fn picklists(&self, lead_statuses: &BTreeSet<&str>, priorities: &BTreeSet<Priority>) -> Vec<Picklist> {
        let lists = match self.module {
            Module::Contacts => Vec::new(),
            Module::Leads => {
                let statuses = lead_statuses.iter().map(|status| lead_fields::cut_status(status).to_owned());
                vec![self.picklist("Lead_Status", statuses)]
            }
            Module::Tasks => {
                let priorities: BTreeSet<_> =
                    priorities.iter().map(|it| task_fields::priority(*it).to_owned()).collect();
                let statuses = [task_fields::NOT_STARTED, task_fields::CLOSED].map(str::to_owned);
                vec![self.picklist("Priority", priorities), self.picklist("Status", statuses)]
            }
        };
        lists.into_iter().flatten().collect()
    }
}

/// The name of a picklist value, as people see it; None for a value out of use.
fn offered(value: &Value) -> Option<&str> {
    let text = |key| value.get(key).and_then(Value::as_str);
    if text("type") == Some("unused") { None } else { text("display_value").or(text("actual_value")) }
}

impl Zoho {
    /// Makes the client leave the file with the access token as it is, for commands that must not write.
    #[must_use]
    pub fn without_keeping_the_token(mut self) -> Zoho {
        self.auth.keeps = false;
        self
    }

    /// Gets an access token and returns its owner, if its scopes allow the program to read it. After an error no other
    /// question can succeed.
    pub async fn user_of_token(&mut self) -> Result<Granted<Option<User>>, RemoteError> {
        let request = Request::get(RequestKind::CrmFacts, &["crm", "v8", "users"]).query("type", "CurrentUser");
        granted(self.ask(&request, "users", READ_USERS).await, first_user)
    }

    /// The address of the API, once there is a token.
    pub fn api_url(&self) -> Option<&Url> {
        self.api.client.as_ref().map(|(url, _)| url)
    }

    /// Whether the API is known to belong to another data centre than the credentials.
    pub fn crosses_data_centres(&self) -> bool {
        self.api_url().is_some_and(|api| centre::differ(&self.auth.credentials.accounts_url, api))
    }

    pub fn service_status(&self) -> ServiceStatus {
        let api = self.api.client.as_ref().map(|(_, client)| client.service_status()).unwrap_or_default();
        if api == ServiceStatus::default() { self.auth.client.service_status() } else { api }
    }

    /// Reads one record of a module, if there is one.
    pub async fn read_one(&mut self, module: Module) -> Result<(), RemoteError> {
        let request = Request::get(RequestKind::CrmFacts, &["crm", "v8", module.name()])
            .query("fields", format!("id,{}", module.shown()))
            .query("per_page", "1");
        self.ask(&request, "data", module.scope()).await?;
        Ok(())
    }

    /// Runs a query for a lead that cannot exist.
    pub async fn query_one(&mut self) -> Result<(), RemoteError> {
        let nobody = BTreeSet::from(["nobody@example.invalid"]);
        for query in coql::one_of("id", Module::Leads.name(), "Email", &nobody) {
            self.query(&query, 1, QUERY).await?;
        }
        Ok(())
    }

    pub async fn layout(&mut self, module: Module) -> Result<Granted<Layout>, RemoteError> {
        let request =
            Request::get(RequestKind::CrmFacts, &["crm", "v8", "settings", "fields"]).query("module", module.name());
        let filled = self.filled(module);
        granted(self.ask(&request, "fields", READ_FIELDS).await, |fields| Layout { module, fields, filled })
    }

    fn filled(&self, module: Module) -> BTreeSet<String> {
        match module {
            Module::Contacts => BTreeSet::new(),
            Module::Leads => self.lead_fields.clone(),
            Module::Tasks => self.task_fields.clone(),
        }
    }

    /// Returns the fields that a layout of the module demands and nothing fills, as `Lead_Source (layout Standard)`.
    pub async fn demanded_by_layouts(&mut self, module: Module) -> Result<Granted<Vec<String>>, RemoteError> {
        let filled = self.filled(module);
        let request =
            Request::get(RequestKind::CrmFacts, &["crm", "v8", "settings", "layouts"]).query("module", module.name());
        let answer = self.ask(&request, "layouts", READ_LAYOUTS).await;
        granted(answer, |layouts| layouts.iter().flat_map(|layout| demanded(layout, module, &filled)).collect())
    }

    /// A user by id; None where there is none.
    pub async fn user(&mut self, id: &str) -> Result<Granted<Option<User>>, RemoteError> {
        // Any other character could change the meaning of the path.
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(Granted::Yes(None));
        }
        let request = Request::get(RequestKind::CrmFacts, &["crm", "v8", "users", id]);
        match self.ask(&request, "users", READ_USERS).await {
            Err(trouble) if trouble.is_about_absence() => Ok(Granted::Yes(None)),
            answer => granted(answer, first_user),
        }
    }
}

/// The mandatory fields of one layout that nothing fills. A layout that is not active demands nothing.
fn demanded(layout: &Row, module: Module, filled: &BTreeSet<String>) -> Vec<String> {
    if layout.text("status").is_some_and(|status| !status.eq_ignore_ascii_case("active")) {
        return Vec::new();
    }
    let is_used = |value: &&Value| value.get("type").and_then(Value::as_str) != Some("unused");
    let sections = layout.items("sections").filter(is_used);
    let fields = sections.filter_map(|section| section.get("fields")?.as_array()).flatten().filter(is_used);
    let required = fields.filter(|field| field.get("required").and_then(Value::as_bool) == Some(true));
    let name = layout.text("name").unwrap_or(layout.id());
    required
        .filter_map(|field| field.get("api_name")?.as_str())
        .filter(|field| !module.written().contains(field) && !filled.contains(*field))
        .map(|field| format!("{field} (layout {name})"))
        .collect()
}

fn granted<T>(answer: Result<Rows, Trouble>, read: impl FnOnce(Vec<Row>) -> T) -> Result<Granted<T>, RemoteError> {
    match answer {
        Ok(rows) => Ok(Granted::Yes(read(rows.rows))),
        Err(Trouble { complaint: Some(complaint), .. }) if complaint.ending_of_call() == Ending::NoRight => {
            Ok(Granted::No)
        }
        Err(trouble) => Err(trouble.error),
    }
}

fn first_user(rows: Vec<Row>) -> Option<User> {
    let row = rows.into_iter().next()?;
    let name = row.text("full_name").or(row.text("last_name")).unwrap_or(row.id());
    Some(User { name: name.to_owned(), status: row.text("status").map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::zoho::wire;

    fn layout(module: Module, fields: &str) -> Layout {
        let rows = wire::rows(200, format!("{{\"fields\": {fields}}}").as_bytes(), "fields").unwrap();
        Layout { module, fields: rows.rows, filled: BTreeSet::from(["Segment".to_owned()]) }
    }

    #[test]
    fn a_renamed_or_unused_value_is_not_offered() {
        let leads = layout(
            Module::Leads,
            r#"[{"api_name": "Lead_Status", "pick_list_values": [
                {"display_value": "Expansion", "actual_value": "Expansion Opportunity", "type": "used"},
                {"display_value": "Churned", "actual_value": "Churned", "type": "unused"},
                {"display_value": "Contacted", "actual_value": "Contacted"}]}]"#,
        );
        let lists =
            leads.picklists(&BTreeSet::from(["Churned", "Contacted", "Expansion Opportunity"]), &BTreeSet::new());
        assert_eq!(lists.len(), 1);
        assert_eq!(lists[0].field, "Leads.Lead_Status");
        assert_eq!(lists[0].missing, ["Churned", "Expansion Opportunity"]);
    }

    #[test]
    fn a_field_without_a_list_takes_any_value() {
        let tasks = layout(Module::Tasks, r#"[{"id": "1", "api_name": "Priority", "pick_list_values": []}]"#);
        assert_eq!(tasks.picklists(&BTreeSet::new(), &BTreeSet::from([Priority::Urgent])), []);
    }

    #[test]
    fn only_layouts_in_use_demand_fields() {
        let fields = r#"[{"api_name": "Company", "required": true}, {"api_name": "Region", "required": true},
            {"api_name": "Segment", "required": true}, {"api_name": "Fax", "required": false},
            {"api_name": "Old", "required": true, "type": "unused"}]"#;
        let layout = |status: &str, kind: &str| {
            let body = format!(
                r#"{{"layouts": [{{"id": "1", "name": "Standard", "status": "{status}",
                    "sections": [{{"type": "{kind}", "fields": {fields}}}]}}]}}"#
            );
            wire::rows(200, body.as_bytes(), "layouts").unwrap().rows.remove(0)
        };
        let filled = BTreeSet::from(["Segment".to_owned()]);
        let cases = [("active", "used", 1), ("inactive", "used", 0), ("active", "unused", 0)];
        for (status, kind, count) in cases {
            let found = demanded(&layout(status, kind), Module::Leads, &filled);
            assert_eq!(found, vec!["Region (layout Standard)"; count], "{status} {kind}");
        }
    }

    #[test]
    fn written_and_demanded_fields_are_compared() {
        let leads = layout(
            Module::Leads,
            r#"[{"id": "1", "api_name": "Email"}, {"id": "2", "api_name": "Last_Name", "system_mandatory": true},
                {"id": "3", "api_name": "First_Name"}, {"id": "4", "api_name": "Company"},
                {"id": "5", "api_name": "Region", "system_mandatory": true},
                {"id": "6", "api_name": "Segment", "system_mandatory": true}]"#,
        );
        assert_eq!(leads.lacking(), ["Lead_Status"]);
        assert_eq!(leads.demanded(), ["Region"]);
    }
}
