//! The modules of the CRM.

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
