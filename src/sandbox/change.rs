//! Changes that people and other programs make between two runs: the steps of a replay.
//!
//! Changes are not effects, because no request caused them. A change that matches nothing is an error: with a mistyped id, a
//! scenario could pass for the wrong reason.

use super::json::{Object, id_text, object, text};
use super::workspace::Channel;
use super::world::{World, WorldError};
use super::zoho::Module;
use serde_json::{Value, json};

impl World {
    /// Applies one change, an object whose keys name kinds of change: `{"tag_contact": {"contact": "65a…", "tag": "VIP"}}`.
    ///
    /// Values merge by RFC 7396: objects key by key, null removes, other values replace. If one of several keys fails, those
    /// before it have been applied.
    pub fn apply_change(&mut self, change: &Value) -> Result<(), WorldError> {
        let known = || WorldError::Change {
            change: change.to_string(),
            problem: "must be an object with a kind of change".to_owned(),
        };
        let kinds = change.as_object().filter(|kinds| !kinds.is_empty()).ok_or_else(known)?;
        for (kind, value) in kinds {
            self.change(kind, value).map_err(|problem| WorldError::Change { change: kind.clone(), problem })?;
        }
        Ok(())
    }

    fn change(&mut self, kind: &str, value: &Value) -> Result<(), String> {
        match kind {
            "contact" => self.change_contact(value),
            "remove_contact" => {
                let id = id_text(value).ok_or("needs a contact's id")?;
                if self.intercom.contacts.remove(&id) { Ok(()) } else { Err(format!("no contact {id}")) }
            }
            "company" => merge_record(&mut self.intercom.companies, value),
            "tag_contact" => self.change_tag_of_contact(value, true),
            "untag_contact" => self.change_tag_of_contact(value, false),
            "tag_company" => self.change_tag_of_company(value, true),
            "untag_company" => self.change_tag_of_company(value, false),
            "delete_tag" => {
                let id = self.tag_id(value.as_str().ok_or("needs a tag's name")?)?;
                self.intercom.delete_tag(&id);
                Ok(())
            }
            "rename_tag" => {
                let (from, to) = (field(value, "from")?, field(value, "to")?);
                let id = self.tag_id(&from)?;
                self.intercom.rename_tag(&id, &to);
                Ok(())
            }
            "zoho_task" => self.change_task(value),
            "delete_zoho_task" => {
                let place = self.task(value)?;
                self.zoho.tasks.remove(place);
                Ok(())
            }
            "zoho_contact" => self.change_zoho(Module::Contacts, value),
            "zoho_lead" => self.change_zoho(Module::Leads, value),
            "rate_limit" => {
                self.intercom.rate_limit =
                    value.as_u64().and_then(|n| u32::try_from(n).ok()).ok_or("needs a number")?;
                Ok(())
            }
            "slack_channel" => self.change_channel(value),
            "revoke" => self.revoke(value.as_str().unwrap_or_default()),
            _ => Err("is not a kind of change".to_owned()),
        }
    }

    fn change_contact(&mut self, patch: &Value) -> Result<(), String> {
        let id = patch.get("id").and_then(id_text).ok_or("needs an object with the contact's id")?;
        if let Some(tags) = patch.pointer("/tags/data").and_then(Value::as_array) {
            let ids: Vec<String> = tags.iter().filter_map(|tag| id_text(tag.get("id")?)).collect();
            if let Some(id) = ids.iter().find(|id| !self.intercom.tags.iter().any(|tag| tag.id == **id)) {
                return Err(format!("no tag {id}"));
            }
        }
        if !self.intercom.contacts.edit(&id, |contact| merge(contact, patch)) {
            let mut contact = json!({});
            merge(&mut contact, patch);
            self.intercom.contacts.insert(contact);
        }
        Ok(())
    }

    fn tag_id(&self, name: &str) -> Result<String, String> {
        self.intercom.tag_named(name).map(|tag| tag.id.clone()).ok_or_else(|| format!("no tag '{name}'"))
    }

    /// Tags or untags a contact. Tagging creates a missing tag, as a person in the Inbox would; untagging requires the tag.
    fn change_tag_of_contact(&mut self, value: &Value, on: bool) -> Result<(), String> {
        let (contact, name) = (field(value, "contact")?, field(value, "tag")?);
        if self.intercom.contacts.get(&contact).is_none() {
            return Err(format!("no contact {contact}"));
        }
        if on {
            let (tag, at) = (self.intercom.tag_or_new(&name).0, self.clock());
            self.intercom.contacts.attach(&contact, &tag.id, at);
            return Ok(());
        }
        let tag = self.tag_id(&name)?;
        let removed = self.intercom.contacts.detach(&contact, &tag);
        removed.map(|_| ()).ok_or_else(|| format!("contact {contact} does not carry '{name}'"))
    }

    fn change_tag_of_company(&mut self, value: &Value, on: bool) -> Result<(), String> {
        let (company, name) = (field(value, "company")?, field(value, "tag")?);
        if !self.intercom.companies.iter().any(|known| text(known, "id") == Some(&company)) {
            return Err(format!("no company {company}"));
        }
        let known = if on { Some(self.intercom.tag_or_new(&name).0) } else { self.intercom.tag_named(&name).cloned() };
        let tag = known.ok_or_else(|| format!("no tag '{name}'"))?;
        match self.intercom.tag_company(&company, &tag, on) {
            Some(false) if !on => Err(format!("company {company} does not carry '{name}'")),
            _ => Ok(()),
        }
    }

    /// Returns the index of the one task that `id` or `subject_contains` matches.
    fn task(&self, value: &Value) -> Result<usize, String> {
        let id = value.get("id").and_then(id_text);
        let part = value.get("subject_contains").and_then(Value::as_str);
        let fits = |task: &Object| match (&id, part) {
            (Some(id), _) => text(task, "id") == Some(id),
            (None, Some(part)) => text(task, "Subject").is_some_and(|subject| subject.contains(part)),
            (None, None) => false,
        };
        let places: Vec<usize> =
            (0..).zip(&self.zoho.tasks).filter(|(_, task)| fits(task)).map(|(place, _)| place).collect();
        match places.as_slice() {
            [place] => Ok(*place),
            [] => Err("no such task".to_owned()),
            several => Err(format!("{} tasks fit; name one", several.len())),
        }
    }

    fn change_task(&mut self, value: &Value) -> Result<(), String> {
        let place = self.task(value)?;
        let mut fields = object(value.clone());
        fields.remove("id");
        fields.remove("subject_contains");
        let now = json!(super::zoho::time(self.clock()));
        if let Some(task) = self.zoho.tasks.get_mut(place) {
            merge_object(task, &fields);
            task.insert("Modified_Time".to_owned(), now);
        }
        Ok(())
    }

    fn change_zoho(&mut self, module: Module, record: &Value) -> Result<(), String> {
        let mut record = record.clone();
        let Value::Object(fields) = &mut record else {
            return Err("needs a record".to_owned());
        };
        if fields.get("id").is_none() {
            fields.insert("id".to_owned(), json!(self.zoho.next_id()));
        }
        merge_record(self.zoho.records_mut(module), &record)
    }

    fn change_channel(&mut self, value: &Value) -> Result<(), String> {
        let id = field(value, "id")?;
        let channel = self.slack.channels.iter_mut().find(|channel| channel.id == id);
        let channel = channel.ok_or_else(|| format!("no channel {id}"))?;
        let mut merged = json!(channel);
        merge(&mut merged, value);
        *channel = serde_json::from_value::<Channel>(merged).map_err(|error| error.to_string())?;
        Ok(())
    }

    fn revoke(&mut self, what: &str) -> Result<(), String> {
        match what {
            "intercom" => self.intercom.revoked = true,
            "zoho_access" => self.zoho.access_tokens.clear(),
            "zoho_refresh" => self.zoho.refresh_revoked = true,
            "slack" => self.slack.revoked = true,
            _ => {
                return Err(format!("'{what}' is none of intercom, zoho_access, zoho_refresh, slack"));
            }
        }
        Ok(())
    }
}

fn field(value: &Value, name: &str) -> Result<String, String> {
    value.get(name).and_then(id_text).ok_or_else(|| format!("needs '{name}'"))
}

/// Merges into the record with that id, or adds a new record.
fn merge_record(records: &mut Vec<Object>, patch: &Value) -> Result<(), String> {
    let fields = patch.as_object().ok_or("needs an object")?;
    let id = fields.get("id").and_then(Value::as_str).ok_or("needs an id, which must be a string")?;
    match records.iter_mut().find(|record| text(record, "id") == Some(id)) {
        Some(record) => merge_object(record, fields),
        None => {
            let mut record = Object::new();
            merge_object(&mut record, fields);
            records.push(record);
        }
    }
    Ok(())
}

fn merge(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => merge_object(target, patch),
        (target, Value::Object(patch)) => {
            let mut fresh = Object::new();
            merge_object(&mut fresh, patch);
            *target = Value::Object(fresh);
        }
        (target, patch) => target.clone_from(patch),
    }
}

fn merge_object(target: &mut Object, patch: &Object) {
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> World {
        let files = |name: &str| match name {
            "contacts.json" => {
                Some(r#"[{"id": "c1", "email": "a@x.example", "custom_attributes": {"seats": 8, "plan": "team"}}]"#)
            }
            "companies.json" => Some(r#"[{"id": "k1", "name": "Acme"}]"#),
            "tags.json" => Some(r#"[{"id": "3", "name": "VIP"}]"#),
            "zoho.json" => {
                Some(r#"{"Tasks": [{"id": "1", "Subject": "call US-1"}, {"id": "2", "Subject": "call US-2"}]}"#)
            }
            _ => None,
        };
        World::from_files(&|name| files(name).map(str::to_owned)).unwrap()
    }

    #[test]
    fn every_change_takes_effect() {
        let mut world = world();
        for change in [
            json!({"contact": {"id": "c1", "custom_attributes": {"seats": 9, "plan": null}}}),
            json!({"contact": {"id": "c2", "email": "b@x.example", "phone": null}}),
            json!({"tag_contact": {"contact": "c1", "tag": "vip"}}),
            json!({"tag_contact": {"contact": "c2", "tag": "New"}}),
            json!({"tag_company": {"company": "k1", "tag": "VIP"}}),
            json!({"rename_tag": {"from": "VIP", "to": "Important"}}),
            json!({"zoho_task": {"subject_contains": "US-2", "Status": "Completed"}}),
            json!({"delete_zoho_task": {"id": "1"}, "rate_limit": 7}),
            json!({"zoho_lead": {"Email": "c@x.example", "Converted__s": true}}),
            json!({"slack_channel": {"id": "C0SIGNALS", "archived": true}}),
            json!({"revoke": "slack"}),
        ] {
            world.apply_change(&change).unwrap();
        }
        let contact = world.intercom.contacts.get("c1").unwrap().value();
        assert_eq!(contact["custom_attributes"], json!({"seats": 9}));
        assert_eq!(contact["tags"]["data"][0]["id"], "3");
        assert_eq!(world.intercom.contacts.get("c2").unwrap().value().get("phone"), None);
        assert_eq!(world.intercom.companies[0]["tags"]["tags"][0]["name"], "Important");
        assert_eq!(world.intercom.tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>(), ["Important", "New"]);
        assert_eq!(world.zoho.tasks.len(), 1);
        assert_eq!(world.zoho.tasks[0]["Status"], "Completed");
        assert_eq!(world.zoho.leads[0]["id"].as_str().unwrap().len(), 19);
        assert!(world.slack.channels[0].archived && world.slack.revoked);
        assert_eq!(world.intercom.rate_limit, 7);
        assert!(world.effects.is_empty(), "changes by people are not effects");
        world.apply_change(&json!({"delete_tag": "important"})).unwrap();
        assert_eq!(world.intercom.contacts.get("c1").unwrap().value()["tags"]["total_count"], 0);
        assert_eq!(world.intercom.companies[0]["tags"]["tags"], json!([]));
    }

    #[test]
    fn a_change_without_a_target_is_an_error() {
        for (change, problem) in [
            (json!({"paint": 1}), "change paint: is not a kind of change"),
            (json!({"remove_contact": "zz"}), "change remove_contact: no contact zz"),
            (json!({"tag_contact": {"contact": "zz", "tag": "VIP"}}), "change tag_contact: no contact zz"),
            (
                json!({"untag_contact": {"contact": "c1", "tag": "VIP"}}),
                "change untag_contact: contact c1 does not carry 'VIP'",
            ),
            (json!({"untag_company": {"company": "k1", "tag": "Nope"}}), "change untag_company: no tag 'Nope'"),
            (json!({"delete_tag": "Nope"}), "change delete_tag: no tag 'Nope'"),
            (json!({"zoho_task": {"id": "9", "Status": "x"}}), "change zoho_task: no such task"),
            (json!({"zoho_task": {"subject_contains": "call"}}), "change zoho_task: 2 tasks fit; name one"),
            (json!({"slack_channel": {"id": "C9"}}), "change slack_channel: no channel C9"),
            (json!({"revoke": "all"}), "change revoke: 'all' is none of intercom, zoho_access, zoho_refresh, slack"),
        ] {
            assert_eq!(world().apply_change(&change).unwrap_err().to_string(), problem);
        }
    }
}
