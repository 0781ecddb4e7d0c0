//! The modules of the CRM.

use serde_json::json;

use super::failure::Failure;

/// A module of the CRM that the sandbox knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum Module {
    Contacts,
    Leads,
    Tasks,
}

impl Module {
    /// By its API name, which is case-sensitive.
    pub(in crate::sandbox) fn named(name: &str) -> Option<Module> {
        match name {
            "Contacts" => Some(Module::Contacts),
            "Leads" => Some(Module::Leads),
            "Tasks" => Some(Module::Tasks),
            _ => None,
        }
    }

    /// Its API name.
    pub(in crate::sandbox) fn name(self) -> &'static str {
        match self {
            Module::Contacts => "Contacts",
            Module::Leads => "Leads",
            Module::Tasks => "Tasks",
        }
    }
}

/// Returns the module of a name. An unknown name fails the complete call.
pub(super) fn module(name: &str) -> Result<Module, Failure> {
    let unknown = || Failure::new(400, "INVALID_MODULE", json!({}), "the module name given seems to be invalid");
    Module::named(name).ok_or_else(unknown)
}
