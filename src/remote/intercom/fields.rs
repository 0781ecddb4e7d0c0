//! The fields of one contact's JSON, read in one go.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::wanted::{Names, Wanted};
use super::wire::{Any, Id, List, OnlyId};
use crate::model::{References, Value};

/// The fields of one contact as they were read; where a name came twice, the later one counts.
#[derive(Default)]
pub(super) struct Fields<'w> {
    pub id: Option<String>,
    pub own: Vec<(&'w str, Value)>,
    pub custom: Vec<(&'w str, Value)>,
    pub tags: References,
    pub companies: References,
}

impl Fields<'_> {
    /// One of Intercom's own fields.
    pub(super) fn own(&mut self, name: &str) -> Option<&mut Value> {
        self.own.iter_mut().rev().find(|(own, _)| *own == name).map(|(_, value)| value)
    }
}

/// What becomes of a contact in which a list, the location or the custom attributes are not of their shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Odd {
    /// They are left out, at the price of a second look at each of them.
    LeftOut,
    /// It is an error: somebody looks again, with care.
    Refused,
}

/// Reads [`Fields`]. With [`Odd::Refused`] `created_at` is always among them.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a, 'w> {
    pub wanted: &'a Wanted<'w>,
    pub odd: Odd,
}

impl<'de, 'w> DeserializeSeed<'de> for Reader<'_, 'w> {
    type Value = Fields<'w>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Fields<'w>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, 'w> Visitor<'de> for Reader<'_, 'w> {
    type Value = Fields<'w>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a contact")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'w>, A::Error> {
        let mut fields = Fields {
            own: Vec::with_capacity(self.wanted.own.len()),
            custom: Vec::with_capacity(self.wanted.custom.len()),
            ..Fields::default()
        };
        while let Some(key) = map.next_key_seed(KeyOf(&self.wanted.own))? {
            match key {
                Key::Id => fields.id = map.next_value::<Id>()?.0,
                Key::Tags => fields.tags = self.references(&mut map)?,
                Key::Companies => fields.companies = self.references(&mut map)?,
                Key::CustomAttributes => self.members(&mut map, &self.wanted.custom, &mut fields.custom)?,
                Key::Location => self.members(&mut map, &self.wanted.location, &mut fields.own)?,
                Key::CreatedAt if self.odd == Odd::Refused => {
                    if fields.own.iter().any(|(name, _)| *name == "created_at") {
                        return Err(A::Error::duplicate_field("created_at"));
                    }
                    fields.own.push(("created_at", map.next_value::<Any>()?.0));
                }
                Key::CreatedAt if self.wanted.has("created_at") => {
                    fields.own.push(("created_at", map.next_value::<Any>()?.0));
                }
                Key::Own(name) => fields.own.push((name, map.next_value::<Any>()?.0)),
                Key::CreatedAt | Key::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(fields)
    }
}

impl Reader<'_, '_> {
    fn references<'de, A: MapAccess<'de>>(self, map: &mut A) -> Result<References, A::Error> {
        Ok(match self.odd {
            Odd::LeftOut => references(map.next_value()?),
            Odd::Refused => references_at_once(map.next_value()?),
        })
    }

    fn members<'de, 'w, A: MapAccess<'de>>(
        self,
        map: &mut A,
        names: &Names<'w>,
        into: &mut Vec<(&'w str, Value)>,
    ) -> Result<(), A::Error> {
        let members = Members { names, into };
        match self.odd {
            Odd::LeftOut => {
                let raw = map.next_value::<&RawValue>()?;
                // What was read before a fault stands.
                let _ = members.deserialize(&mut serde_json::Deserializer::from_str(raw.get()));
                Ok(())
            }
            Odd::Refused => map.next_value_seed(members),
        }
    }
}

enum Key<'w> {
    Id,
    Tags,
    Companies,
    CustomAttributes,
    Location,
    CreatedAt,
    /// Another one that is wanted.
    Own(&'w str),
    Other,
}

struct KeyOf<'a, 'w>(&'a Names<'w>);

impl<'de, 'w> DeserializeSeed<'de> for KeyOf<'_, 'w> {
    type Value = Key<'w>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key<'w>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'w> Visitor<'_> for KeyOf<'_, 'w> {
    type Value = Key<'w>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field")
    }

    fn visit_str<E>(self, key: &str) -> Result<Key<'w>, E> {
        Ok(match key {
            "id" => Key::Id,
            "tags" => Key::Tags,
            "companies" => Key::Companies,
            "custom_attributes" => Key::CustomAttributes,
            "location" => Key::Location,
            "created_at" => Key::CreatedAt,
            _ => self.0.get(key).map_or(Key::Other, Key::Own),
        })
    }
}

/// The wanted members of an object; nothing of null.
struct Members<'a, 'w> {
    names: &'a Names<'w>,
    into: &'a mut Vec<(&'w str, Value)>,
}

impl<'de> DeserializeSeed<'de> for Members<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Members<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(NameOf(self.names))? {
            match name {
                Some(name) => self.into.push((name, map.next_value::<Any>()?.0)),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct NameOf<'a, 'w>(&'a Names<'w>);

impl<'de, 'w> DeserializeSeed<'de> for NameOf<'_, 'w> {
    type Value = Option<&'w str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<&'w str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'w> Visitor<'_> for NameOf<'_, 'w> {
    type Value = Option<&'w str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<&'w str>, E> {
        Ok(self.0.get(key))
    }
}

/// A contact's list of tags or companies. What cannot be read is a list that may be incomplete.
fn references(raw: &RawValue) -> References {
    let list: Option<List<'_>> = serde_json::from_str(raw.get()).ok();
    let Some((list, items)) = list.as_ref().and_then(|list| Some((list, list.items()?))) else {
        return References::default();
    };
    let ids = items.iter().filter_map(|item| serde_json::from_str::<OnlyId>(item.get()).ok()?.id.0).collect();
    listed(ids, list.has_more, list.total())
}

/// The same in one go.
fn references_at_once(list: Option<List<'_, OnlyId>>) -> References {
    let Some(list) = list else { return References::default() };
    let (has_more, total) = (list.has_more, list.total());
    let Some(items) = list.data.or(list.companies).or(list.tags) else { return References::default() };
    listed(items.into_iter().filter_map(|item| item.id.0).collect(), has_more, total)
}

fn listed(ids: Vec<String>, has_more: Option<bool>, total: Option<u64>) -> References {
    let listed = u64::try_from(ids.len()).unwrap_or(u64::MAX);
    let complete = has_more != Some(true) && total.is_none_or(|total| total <= listed);
    References { ids, complete }
}
