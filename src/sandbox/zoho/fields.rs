//! The fields of the modules: names, types, lengths, usual picklist values (docs/services/zoho.md,
//! "Writing records").

use super::super::workspace::Zoho;
use super::module::Module;

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DataType {
    Text,
    TextArea,
    Email,
    Phone,
    Picklist,
    Date,
    DateTime,
    Boolean,
    /// A record or user as `{"id"}`.
    Lookup,
    /// `[{"name"}]`, reminders and the like, stored unchanged.
    Json,
}

impl DataType {
    /// Returns the `data_type` of the metadata.
    pub(super) fn name(self) -> &'static str {
        match self {
            DataType::Text => "text",
            DataType::TextArea => "textarea",
            DataType::Email => "email",
            DataType::Phone => "phone",
            DataType::Picklist => "picklist",
            DataType::Date => "date",
            DataType::DateTime => "datetime",
            DataType::Boolean => "boolean",
            DataType::Lookup => "lookup",
            DataType::Json => "jsonobject",
        }
    }
}

/// One field of a module.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub name: String,
    pub kind: DataType,
    /// Most characters. Longer text is refused, never truncated.
    pub length: usize,
    /// Whether requests may set it. Otherwise the CRM sets it.
    pub writable: bool,
    pub custom: bool,
}

type Row = (&'static str, DataType, usize);

const EVERY_MODULE: &[Row] =
    &[("Owner", DataType::Lookup, 120), ("Tag", DataType::Json, 2000), ("Description", DataType::TextArea, 32_000)];

const SET_BY_CRM: &[Row] = &[
    ("id", DataType::Text, 20),
    ("Created_Time", DataType::DateTime, 120),
    ("Modified_Time", DataType::DateTime, 120),
    ("Created_By", DataType::Lookup, 120),
    ("Modified_By", DataType::Lookup, 120),
];

const PEOPLE: &[Row] = &[
    ("First_Name", DataType::Text, 40),
    ("Last_Name", DataType::Text, 80),
    ("Email", DataType::Email, 100),
    ("Secondary_Email", DataType::Email, 100),
    ("Phone", DataType::Phone, 30),
    ("Mobile", DataType::Phone, 30),
    ("Lead_Source", DataType::Picklist, 120),
    ("Full_Name", DataType::Text, 80),
];

const LEADS: &[Row] = &[
    ("Company", DataType::Text, 200),
    ("Lead_Status", DataType::Picklist, 120),
    ("Website", DataType::Text, 255),
    ("Industry", DataType::Picklist, 120),
    ("Converted__s", DataType::Boolean, 5),
    ("Converted_Contact", DataType::Lookup, 120),
];

const CONTACTS: &[Row] =
    &[("Account_Name", DataType::Lookup, 100), ("Title", DataType::Text, 100), ("Department", DataType::Text, 50)];

const TASKS: &[Row] = &[
    ("Subject", DataType::Text, 255),
    ("Due_Date", DataType::Date, 20),
    ("Priority", DataType::Picklist, 120),
    ("Status", DataType::Picklist, 120),
    ("Who_Id", DataType::Lookup, 120),
    ("What_Id", DataType::Lookup, 120),
    ("Send_Notification_Email", DataType::Boolean, 5),
    ("Remind_At", DataType::Json, 2000),
    // Not a column of the table, but sent and kept with What_Id.
    ("$se_module", DataType::Text, 50),
];

/// Returns all fields of a module, the organisation's custom fields last.
pub(super) fn of(zoho: &Zoho, module: Module) -> Vec<Field> {
    let own: &[&[Row]] = match module {
        Module::Leads => &[PEOPLE, LEADS],
        Module::Contacts => &[PEOPLE, CONTACTS],
        Module::Tasks => &[TASKS],
    };
    let field = |row: &Row, writable: bool| Field {
        name: row.0.to_owned(),
        kind: row.1,
        length: row.2,
        writable,
        custom: false,
    };
    let crm_only = ["Full_Name", "Converted__s", "Converted_Contact"];
    let mut fields: Vec<Field> = SET_BY_CRM.iter().map(|row| field(row, false)).collect();
    fields.extend(
        EVERY_MODULE.iter().chain(own.iter().copied().flatten()).map(|row| field(row, !crm_only.contains(&row.0))),
    );
    let custom = zoho.custom_fields.get(module.name()).into_iter().flatten();
    fields.extend(custom.map(|name| Field {
        name: name.clone(),
        kind: DataType::Text,
        length: 255,
        writable: true,
        custom: true,
    }));
    fields
}

/// Returns the fields without which a record is not inserted.
pub(super) fn mandatory(zoho: &Zoho, module: Module) -> Vec<String> {
    let usual: &[&str] = match module {
        Module::Leads => &["Last_Name", "Company"],
        Module::Contacts => &["Last_Name"],
        Module::Tasks => &["Subject"],
    };
    let usual = || usual.iter().map(|name| (*name).to_owned()).collect();
    zoho.mandatory.get(module.name()).cloned().unwrap_or_else(usual)
}

/// Returns the values of a picklist. "Expansion Opportunity" is not among the usual ones: an administrator has to add it.
pub(super) fn picklist(zoho: &Zoho, module: Module, field: &str) -> Vec<String> {
    let usual: &[&str] = match (module, field) {
        (Module::Leads, "Lead_Status") => &[
            "-None-",
            "Attempted to Contact",
            "Contact in Future",
            "Contacted",
            "Junk Lead",
            "Lost Lead",
            "Not Contacted",
            "Pre-Qualified",
            "Not Qualified",
        ],
        (Module::Tasks, "Priority") => &["High", "Highest", "Low", "Lowest", "Normal"],
        (Module::Tasks, "Status") => &["Not Started", "Deferred", "In Progress", "Completed", "Waiting for input"],
        _ => &["-None-"],
    };
    let usual = || usual.iter().map(|value| (*value).to_owned()).collect();
    zoho.picklists.get(&format!("{}.{field}", module.name())).cloned().unwrap_or_else(usual)
}
