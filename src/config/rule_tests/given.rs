//! Reads the contact of a test: its fields and attributes, as Intercom's JSON has them.

use serde_json::{Map, Number, Value as Json};
use toml::de::DeValue;

use super::reader::RuleTestReader;
use crate::config::place::{Located, Place};
use crate::config::table::{Table, integer, number};
use crate::rules::{alias_help, is_name, nearest};

/// Adds the problems of a member with this name, value and place.
type Check<'a> = fn(&RuleTestReader<'a>, &str, &Json, &Place);

impl<'a> RuleTestReader<'a> {
    /// Reads an object of Intercom: a table, or a text with JSON, in which a value can be null.
    pub fn json(&self, table: &Table<'_>, key: &'static str, check: Check<'a>) -> Map<String, Json> {
        let either = |value: &DeValue<'_>| match value {
            DeValue::String(text) => Some(Some(text.to_string())),
            DeValue::Table(_) => Some(None),
            _ => None,
        };
        match table.value(key, "a table, or a text with a JSON object", either) {
            Some(Located { value: Some(text), place }) => self.members_of_text(key, &text, &place, check),
            Some(Located { value: None, .. }) => {
                table.table(key).map_or_else(Map::new, |table| self.members_of_table(&table, check))
            }
            None => Map::new(),
        }
    }

    fn members_of_text(&self, key: &str, text: &str, place: &Place, check: Check<'a>) -> Map<String, Json> {
        match serde_json::from_str::<Map<String, Json>>(text) {
            Ok(members) => {
                members.iter().for_each(|(name, value)| check(self, name, value, place));
                members
            }
            Err(error) => {
                let help = "for example: '{\"projects_count\": null}'".to_owned();
                self.findings.add(place, format!("`{key}` is not a JSON object: {error}"), Some(help));
                Map::new()
            }
        }
    }

    fn members_of_table(&self, table: &Table<'_>, check: Check<'a>) -> Map<String, Json> {
        let mut members = Map::new();
        for (name, value) in table.names() {
            match json_of(value.get_ref()) {
                Ok(json) => {
                    check(self, &name.value, &json, &name.place);
                    members.insert(name.value, json);
                }
                Err((found, help)) => {
                    let message = format!("Intercom cannot store {found}");
                    self.findings.add(&table.place_at(&name.value, value), message, Some(help.to_owned()));
                }
            }
        }
        members
    }

    pub fn check_attribute(&self, name: &str, _: &Json, place: &Place) {
        let known = self.rules.attributes();
        let in_rules = known.in_rules(name);
        if known.stored(name) != name {
            let help = format!("write \"{}\", as Intercom calls it", known.stored(name));
            self.findings.add(place, format!("`{name}` is an alias, and not stored in Intercom"), Some(help));
        } else if self.own_fields.contains(&name) {
            let help = format!("write it under contact: contact = {{ {name} = … }}");
            self.findings.add(place, format!("`{name}` is a field of Intercom's own"), Some(help));
        } else if known.is_derived(name) {
            let help = "set the attributes that it is calculated from".to_owned();
            self.findings.add(place, format!("`{name}` is calculated, and not stored in Intercom"), Some(help));
        } else if known.kind(in_rules).is_none() {
            let help = match nearest(name, known.names().map(|name| known.stored(name))) {
                Some(near) => format!("did you mean `{near}`?"),
                None if !is_name(name) => alias_help(name),
                None => "leave it out, or declare it in the configuration under [attributes.types]".to_owned(),
            };
            self.findings.add(place, format!("unknown attribute `{name}`"), Some(help));
        }
    }

    pub fn check_field(&self, name: &str, value: &Json, place: &Place) {
        let known = self.rules.attributes();
        if name == "location" {
            let members = value.as_object().into_iter().flat_map(Map::keys);
            for member in members.filter(|member| known.kind(&format!("location.{member}")).is_none()) {
                self.findings.add(place, format!("a contact has no field `location.{member}`"), None);
            }
        } else if !self.own_fields.contains(&name) {
            let help = match (known.kind(name), nearest(name, self.own_fields.iter().copied())) {
                (Some(_), _) => format!("write it under attributes: attributes = {{ {name} = … }}"),
                (None, Some(near)) => format!("did you mean `{near}`?"),
                (None, None) => format!("it is one of location, {}", self.own_fields.join(", ")),
            };
            self.findings.add(place, format!("a contact has no field `{name}` of Intercom's own"), Some(help));
        }
    }
}

/// Converts a TOML value to JSON. The error names the kind of value that JSON lacks, and what to write instead.
fn json_of(value: &DeValue<'_>) -> Result<Json, (&'static str, &'static str)> {
    const NO_NUMBER: (&str, &str) = ("this number", "write a finite number, or the value as a text in quotes");
    Ok(match value {
        DeValue::String(text) => Json::from(text.as_ref()),
        DeValue::Boolean(yes) => Json::from(*yes),
        DeValue::Integer(whole) => integer(whole).map(Json::from).ok_or(NO_NUMBER)?,
        DeValue::Float(_) => Json::Number(number(value).and_then(Number::from_f64).ok_or(NO_NUMBER)?),
        DeValue::Datetime(_) => return Err(("a TOML date", "write Unix seconds, or the date in quotes")),
        DeValue::Array(items) => {
            let items = items.iter().map(|item| json_of(item.get_ref()));
            Json::Array(items.collect::<Result<_, _>>()?)
        }
        DeValue::Table(members) => {
            let members = members
                .iter()
                .map(|(name, value)| json_of(value.get_ref()).map(|value| (name.get_ref().to_string(), value)));
            Json::Object(members.collect::<Result<_, _>>()?)
        }
    })
}
