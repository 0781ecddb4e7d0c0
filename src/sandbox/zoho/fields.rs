//! The fields of the modules: names, types, lengths, usual picklist values (docs/services/zoho.md,
//! "Writing records").

use super::super::workspace::Zoho;
use super::Module;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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
    /// `[{"name"}]`, reminders and the like: stored as they come.
    Json,
}

impl Kind {
    /// `data_type` of the metadata.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::TextArea => "textarea",
            Kind::Email => "email",
            Kind::Phone => "phone",
            Kind::Picklist => "picklist",
            Kind::Date => "date",
            Kind::DateTime => "datetime",
            Kind::Boolean => "boolean",
            Kind::Lookup => "lookup",
            Kind::Json => "jsonobject",
        }
    }
}

/// One field of a module.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub name: String,
    pub kind: Kind,
    /// Characters; longer text is refused, never cut.
    pub length: usize,
    /// Whether requests may set it; set by the CRM otherwise.
    pub writable: bool,
    pub custom: bool,
}

type Row = (&'static str, Kind, usize);

const EVERY_MODULE: &[Row] =
    &[("Owner", Kind::Lookup, 120), ("Tag", Kind::Json, 2000), ("Description", Kind::TextArea, 32_000)];

const SET_BY_CRM: &[Row] = &[
    ("id", Kind::Text, 20),
    ("Created_Time", Kind::DateTime, 120),
    ("Modified_Time", Kind::DateTime, 120),
    ("Created_By", Kind::Lookup, 120),
    ("Modified_By", Kind::Lookup, 120),
];

const PEOPLE: &[Row] = &[
    ("First_Name", Kind::Text, 40),
    ("Last_Name", Kind::Text, 80),
    ("Email", Kind::Email, 100),
    ("Secondary_Email", Kind::Email, 100),
    ("Phone", Kind::Phone, 30),
    ("Mobile", Kind::Phone, 30),
    ("Lead_Source", Kind::Picklist, 120),
    ("Full_Name", Kind::Text, 80),
];

const LEADS: &[Row] = &[
    ("Company", Kind::Text, 200),
    ("Lead_Status", Kind::Picklist, 120),
    ("Website", Kind::Text, 255),
    ("Industry", Kind::Picklist, 120),
    ("Converted__s", Kind::Boolean, 5),
];

const CONTACTS: &[Row] =
    &[("Account_Name", Kind::Lookup, 100), ("Title", Kind::Text, 100), ("Department", Kind::Text, 50)];

const TASKS: &[Row] = &[
    ("Subject", Kind::Text, 255),
    ("Due_Date", Kind::Date, 20),
    ("Priority", Kind::Picklist, 120),
    ("Status", Kind::Picklist, 120),
    ("Who_Id", Kind::Lookup, 120),
    ("What_Id", Kind::Lookup, 120),
    ("Send_Notification_Email", Kind::Boolean, 5),
    ("Remind_At", Kind::Json, 2000),
    // Not a column of the table, but sent and kept with What_Id.
    ("$se_module", Kind::Text, 50),
];

/// All fields of a module, the organisation's custom ones last.
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
    let crm_only = ["Full_Name", "Converted__s"];
    let mut fields: Vec<Field> = SET_BY_CRM.iter().map(|row| field(row, false)).collect();
    fields.extend(
        EVERY_MODULE.iter().chain(own.iter().copied().flatten()).map(|row| field(row, !crm_only.contains(&row.0))),
    );
    let custom = zoho.custom_fields.get(module.name()).into_iter().flatten();
    fields.extend(custom.map(|name| Field {
        name: name.clone(),
        kind: Kind::Text,
        length: 255,
        writable: true,
        custom: true,
    }));
    fields
}

/// Fields without which a record is not inserted.
pub(super) fn mandatory(zoho: &Zoho, module: Module) -> Vec<String> {
    let usual: &[&str] = match module {
        Module::Leads => &["Last_Name", "Company"],
        Module::Contacts => &["Last_Name"],
        Module::Tasks => &["Subject"],
    };
    let usual = || usual.iter().map(|name| (*name).to_owned()).collect();
    zoho.mandatory.get(module.name()).cloned().unwrap_or_else(usual)
}

/// The values a picklist offers. "Expansion Opportunity" is not among the usual ones: an administrator has to add it.
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
