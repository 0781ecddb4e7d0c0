//! Completes an organisation that was loaded from files, and accesses its records.

use super::super::json::{Object, text};
use super::super::workspace::Zoho;
use super::module::Module;
use serde_json::{Value, json};

impl Zoho {
    /// Fills in what files may omit, and refuses invalid values. The error is (file, problem).
    pub(in crate::sandbox) fn complete(&mut self) -> Result<(), (&'static str, String)> {
        for (key, value) in Zoho::default().org {
            self.org.entry(key).or_insert(value);
        }
        if let Some(number) = self.users.iter().position(|user| text(user, "id").is_none()) {
            return Err(("zoho.json", format!("users[{number}]: id is missing or no string")));
        }
        for module in [Module::Contacts, Module::Leads, Module::Tasks] {
            for number in 0..self.records(module).len() {
                let id = self.records(module).get(number).and_then(|record| record.get("id")).cloned();
                match id {
                    None => {
                        let id = self.next_id();
                        if let Some(record) = self.records_mut(module).get_mut(number) {
                            record.insert("id".to_owned(), json!(id));
                        }
                    }
                    Some(Value::String(_)) => {}
                    Some(_) => {
                        let problem =
                            format!("{}[{number}]: id must be a string: as a number it loses digits", module.name());
                        return Err(("zoho.json", problem));
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns the records of a module.
    pub(in crate::sandbox) fn records(&self, module: Module) -> &Vec<Object> {
        match module {
            Module::Contacts => &self.contacts,
            Module::Leads => &self.leads,
            Module::Tasks => &self.tasks,
        }
    }

    /// Returns the records of a module, mutable.
    pub(in crate::sandbox) fn records_mut(&mut self, module: Module) -> &mut Vec<Object> {
        match module {
            Module::Contacts => &mut self.contacts,
            Module::Leads => &mut self.leads,
            Module::Tasks => &mut self.tasks,
        }
    }

    /// Returns the record with that id.
    pub(in crate::sandbox) fn find(&self, module: Module, id: &str) -> Option<&Object> {
        self.records(module).iter().find(|record| text(record, "id") == Some(id))
    }

    /// Returns an id of 19 digits that no record has.
    pub(in crate::sandbox) fn next_id(&mut self) -> String {
        loop {
            self.last_id += 1;
            let id = self.last_id.to_string();
            if [Module::Contacts, Module::Leads, Module::Tasks].iter().all(|module| self.find(*module, &id).is_none()) {
                return id;
            }
        }
    }

    /// Returns the user of the token in the form in which records name users.
    pub(super) fn current_user(&self) -> Value {
        self.users.first().map_or(Value::Null, |user| json!({"id": user.get("id"), "name": user.get("full_name")}))
    }
}

/// Formats a time as Zoho does: with an offset, without fractions, never with `Z`.
pub(in crate::sandbox) fn time(second: i64) -> String {
    let time = chrono::DateTime::from_timestamp(second, 0).unwrap_or_default();
    time.format("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}
