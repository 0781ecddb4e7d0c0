//! The fields of one contact's JSON, read in one pass.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::wanted::{Member, Names, Slot, Wanted};
use super::wire::{Any, Id, List, OnlyId};
use crate::model::{References, Value};

/// The fields of one contact. Of two fields with one name the later counts.
pub(super) struct Fields {
    pub id: Option<String>,
    /// By [`Slot`].
    pub values: Vec<Option<Value>>,
    pub tags: References,
    pub companies: References,
}

/// The treatment of a contact whose lists, location or custom attributes have a wrong shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leniency {
    /// Leave them out. Each of them is then parsed twice.
    LeaveOut,
    /// Fail. The caller then reads the contact again, leaving them out.
    Refuse,
}

#[derive(Clone, Copy)]
pub(super) struct FieldsReader<'a> {
    pub wanted: &'a Wanted,
    pub leniency: Leniency,
}

impl<'de> DeserializeSeed<'de> for FieldsReader<'_> {
    type Value = Fields;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Fields, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FieldsReader<'_> {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a contact")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let Wanted { members, custom, location, slots, .. } = self.wanted;
        let (mut id, mut tags, mut companies) = (None, References::default(), References::default());
        let mut values = Vec::new();
        values.resize_with(*slots, || None);
        while let Some(member) = map.next_key_seed(members)? {
            match member {
                Some(Member::Id) => id = map.next_value::<Id>()?.0,
                Some(Member::Tags) => tags = self.references(&mut map)?,
                Some(Member::Companies) => companies = self.references(&mut map)?,
                Some(Member::CustomAttributes) => self.members(&mut map, custom, &mut values)?,
                Some(Member::Location) => self.members(&mut map, location, &mut values)?,
                Some(Member::Own(slot)) => put(&mut values, slot, map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Fields { id, values, tags, companies })
    }
}

fn put(values: &mut [Option<Value>], slot: Slot, Any(value): Any) {
    if let Some(place) = values.get_mut(slot) {
        *place = Some(value);
    }
}

impl FieldsReader<'_> {
    fn references<'de, A: MapAccess<'de>>(self, map: &mut A) -> Result<References, A::Error> {
        Ok(match self.leniency {
            Leniency::LeaveOut => {
                let list = serde_json::from_str(map.next_value::<&RawValue>()?.get()).ok();
                references(list, |item: &RawValue| serde_json::from_str::<OnlyId>(item.get()).ok()?.id.0)
            }
            Leniency::Refuse => references(map.next_value()?, |item: OnlyId| item.id.0),
        })
    }

    fn members<'de, A: MapAccess<'de>>(
        self,
        map: &mut A,
        names: &Names<Slot>,
        values: &mut [Option<Value>],
    ) -> Result<(), A::Error> {
        let members = Members { names, leniency: self.leniency, values };
        match self.leniency {
            Leniency::LeaveOut => {
                let raw = map.next_value::<&RawValue>()?;
                // The values before a fault count.
                let _ = members.deserialize(&mut serde_json::Deserializer::from_str(raw.get()));
                Ok(())
            }
            Leniency::Refuse => map.next_value_seed(members),
        }
    }
}

/// Looks up the next key among the wanted ones.
impl<'de, T: Copy> DeserializeSeed<'de> for &Names<T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<T: Copy> Visitor<'_> for &Names<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<T>, E> {
        Ok(self.get(key))
    }
}

/// A value that is present but that no rule can read.
const UNREADABLE: Value = Value::Object;

/// The wanted members of an object; none of null.
struct Members<'a> {
    names: &'a Names<Slot>,
    leniency: Leniency,
    values: &'a mut [Option<Value>],
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(slot) = map.next_key_seed(self.names)? {
            match slot {
                Some(slot) if self.leniency == Leniency::LeaveOut => {
                    // Each value is parsed alone: a number too large or half a character must not lose the later values.
                    let value = serde_json::from_str(map.next_value::<&RawValue>()?.get());
                    put(self.values, slot, value.unwrap_or(Any(UNREADABLE)));
                }
                Some(slot) => put(self.values, slot, map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// A contact's list of tags or companies. A list that cannot be read may be incomplete.
fn references<T>(list: Option<List<'_, T>>, id: impl Fn(T) -> Option<String>) -> References {
    let Some(list) = list else { return References::default() };
    let (has_more, total) = (list.has_more, list.total());
    let Some(items) = list.data.or(list.companies).or(list.tags) else { return References::default() };
    let ids: Vec<String> = items.into_iter().filter_map(id).collect();
    let listed = u64::try_from(ids.len()).unwrap_or(u64::MAX);
    let complete = has_more != Some(true) && total.is_none_or(|total| total <= listed);
    References { ids, complete }
}
