//! Completes and checks a workspace that was loaded from files.

use super::super::json::{Object, object, text};
use super::super::workspace::{Intercom, Tag};
use super::days::Days;
use serde_json::Value;

impl Intercom {
    /// Fills in what files may omit, and refuses invalid values. The error is (file, problem).
    pub(in crate::sandbox) fn complete(&mut self) -> Result<(), (&'static str, String)> {
        let usual = Intercom::default();
        for (given, usual) in [(&mut self.app, usual.app), (&mut self.admin, usual.admin)] {
            for (key, value) in usual {
                given.entry(key).or_insert(value);
            }
        }
        let zone = text(&self.app, "timezone").unwrap_or_default();
        if Days::of(zone).is_none() {
            return Err(("workspace.json", format!("app.timezone: no time zone '{zone}' on this machine")));
        }
        for (number, tag) in self.tags.iter().enumerate() {
            let same = |other: &Tag| other.id == tag.id || same_name(&other.name, &tag.name);
            if self.tags.iter().take(number).any(same) {
                return Err((
                    "tags.json",
                    format!("[{number}]: tag {} '{}' has the id or name of another", tag.id, tag.name),
                ));
            }
        }
        for contact in self.contacts.iter() {
            if let Some(tag) = contact.tags().iter().find(|tag| !self.tags.iter().any(|known| known.id == tag.id)) {
                return Err((
                    "contacts.json",
                    format!("contact {} carries tag {}, which is not in tags.json", contact.id(), tag.id),
                ));
            }
        }
        for (number, company) in self.companies.iter().enumerate() {
            if text(company, "id").is_none() {
                return Err(("companies.json", format!("[{number}]: id is missing or no string")));
            }
            for tag in tags_of_company(company) {
                if !self.tags.contains(&tag) {
                    return Err((
                        "companies.json",
                        format!("[{number}]: tag {} '{}' is not in tags.json", tag.id, tag.name),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Returns the tag with that name, ignoring case.
    pub(in crate::sandbox) fn tag_named(&self, name: &str) -> Option<&Tag> {
        self.tags.iter().find(|tag| same_name(&tag.name, name))
    }

    /// Returns the tag with that name, and whether it was created now.
    pub(in crate::sandbox) fn tag_or_new(&mut self, name: &str) -> (Tag, bool) {
        if let Some(tag) = self.tag_named(name) {
            return (tag.clone(), false);
        }
        let highest = self.tags.iter().filter_map(|tag| tag.id.parse().ok()).fold(self.last_tag_id, u64::max);
        self.last_tag_id = highest + 1;
        let tag = Tag::new(self.last_tag_id.to_string(), name.to_owned());
        self.tags.push(tag.clone());
        (tag, true)
    }

    /// Renames a tag, also in the lists of companies.
    pub(in crate::sandbox) fn rename_tag(&mut self, id: &str, name: &str) {
        let Some(tag) = self.tags.iter_mut().find(|tag| tag.id == id) else {
            return;
        };
        name.clone_into(&mut tag.name);
        let tag = tag.clone();
        for company in self.companies.iter_mut().filter(|company| tags_of_company(company).iter().any(|t| t.id == id)) {
            set_company_tag(company, &tag, true);
        }
    }

    /// Deletes a tag from the workspace, its contacts and its companies.
    pub(in crate::sandbox) fn delete_tag(&mut self, id: &str) {
        let Some(place) = self.tags.iter().position(|tag| tag.id == id) else {
            return;
        };
        let tag = self.tags.remove(place);
        // The id is not used again. Otherwise the next tag would look like the deleted one.
        self.last_tag_id = tag.id.parse().map_or(self.last_tag_id, |id: u64| id.max(self.last_tag_id));
        self.contacts.detach_everywhere(id);
        for company in &mut self.companies {
            set_company_tag(company, &tag, false);
        }
    }

    /// Sets or removes a tag of a company. Returns whether that changed anything; `None` if there is no such company.
    pub(in crate::sandbox) fn tag_company(&mut self, id: &str, tag: &Tag, on: bool) -> Option<bool> {
        let company = self.companies.iter_mut().find(|company| text(company, "id") == Some(id))?;
        let has = tags_of_company(company).iter().any(|known| known.id == tag.id);
        if has != on {
            set_company_tag(company, tag, on);
        }
        Some(has != on)
    }
}

/// Compares names, ignoring case.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// Returns the tags of a company: `{"type": "tag.list", "tags": [{type, id, name}]}`.
fn tags_of_company(company: &Object) -> Vec<Tag> {
    let list = company.get("tags").and_then(|tags| tags.get("tags")).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|tag| serde_json::from_value(tag.clone()).ok()).collect()
}

fn set_company_tag(company: &mut Object, tag: &Tag, on: bool) {
    let mut tags = tags_of_company(company);
    match tags.iter_mut().find(|known| known.id == tag.id) {
        Some(known) if on => known.clone_from(tag),
        _ if on => tags.push(tag.clone()),
        _ => tags.retain(|known| known.id != tag.id),
    }
    let list = object(serde_json::json!({"type": "tag.list", "tags": tags}));
    company.insert("tags".to_owned(), Value::Object(list));
}
