//! The shapes of Intercom's JSON.
//!
//! Nearly every field may be absent, null, or of another type than promised. Only the needed fields are read, because one
//! malformed field must never lose a page.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::model::Value;
use crate::remote::ending::Ending;
use crate::remote::http::{Explanation, HttpAnswer, explain_text};

/// Any JSON value, reduced to what a rule can read.
#[derive(Debug)]
pub struct Any(pub Value);

impl Any {
    /// A text that is not empty.
    pub fn text(self) -> Option<String> {
        match self.0 {
            Value::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyVisitor;
        impl<'de> Visitor<'de> for AnyVisitor {
            type Value = Any;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_unit<E>(self) -> Result<Any, E> {
                Ok(Any(Value::Null))
            }
            fn visit_bool<E>(self, yes: bool) -> Result<Any, E> {
                Ok(Any(Value::Bool(yes)))
            }
            #[expect(clippy::cast_precision_loss, reason = "figures are read as f64; beyond 2^53 the last digits go")]
            fn visit_i64<E>(self, number: i64) -> Result<Any, E> {
                Ok(Any(Value::Number(number as f64)))
            }
            #[expect(clippy::cast_precision_loss, reason = "figures are read as f64; beyond 2^53 the last digits go")]
            fn visit_u64<E>(self, number: u64) -> Result<Any, E> {
                Ok(Any(Value::Number(number as f64)))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Any, E> {
                Ok(Any(Value::Number(number)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Any, E> {
                Ok(Any(Value::Text(text.to_owned())))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Any, A::Error> {
                let mut list = Vec::new();
                while let Some(Any(item)) = items.next_element()? {
                    list.push(item);
                }
                Ok(Any(Value::List(list)))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Any, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Any(Value::Object))
            }
        }
        deserializer.deserialize_any(AnyVisitor)
    }
}

/// An id: documented as text, a number in some answers. None for any other value.
#[derive(Debug, Default)]
pub struct Id(pub Option<String>);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        // The digits stay text: a float would lose some of 19 digits.
        let is_integer = !raw.is_empty() && raw.bytes().all(|byte| byte.is_ascii_digit());
        let quoted = || raw.strip_prefix('"')?.strip_suffix('"').filter(|text| !text.contains('\\'));
        let plain = if is_integer { Some(raw) } else { quoted() };
        let text = plain.map(str::to_owned).or_else(|| serde_json::from_str(raw).ok());
        Ok(Id(text.filter(|id| !id.is_empty())))
    }
}

/// Whether a text can be an id. Any other text could change the meaning of a path.
pub fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// The id of any thing that has one.
#[derive(Debug, Deserialize)]
pub struct OnlyId {
    pub id: Id,
}

/// A list in any of Intercom's envelopes. The items are under `data`, or under `companies` or `tags`.
#[derive(Debug, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a, T: Deserialize<'de>"))]
pub struct List<'a, T = &'a RawValue> {
    pub data: Option<Vec<T>>,
    pub companies: Option<Vec<T>>,
    pub tags: Option<Vec<T>>,
    #[serde(borrow)]
    pub total_count: Option<&'a RawValue>,
    pub has_more: Option<bool>,
    #[serde(borrow)]
    pub pages: Option<&'a RawValue>,
}

impl<T> Default for List<'_, T> {
    fn default() -> Self {
        List { data: None, companies: None, tags: None, total_count: None, has_more: None, pages: None }
    }
}

impl<T> List<'_, T> {
    /// The items; None if the answer has no list.
    pub fn items(&self) -> Option<&[T]> {
        let items = self.data.as_ref().or(self.companies.as_ref()).or(self.tags.as_ref());
        items.map(Vec::as_slice)
    }

    /// The number of items on all pages, if the answer names it.
    pub fn total(&self) -> Option<u64> {
        serde_json::from_str(self.total_count?.get()).ok()
    }

    pub fn next(&self) -> Option<Next> {
        #[derive(Deserialize)]
        struct Pages {
            next: Option<Next>,
        }
        serde_json::from_str::<Pages>(self.pages?.get()).ok()?.next
    }
}

/// `pages.next`: a cursor in some lists, a complete address in others.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Next {
    Cursor { starting_after: String },
    Address(String),
    Other(IgnoredAny),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Tag {
    pub id: Id,
    pub name: Option<Any>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct Company<'a> {
    pub id: Id,
    pub name: Option<Any>,
    #[serde(borrow)]
    pub tags: Option<&'a RawValue>,
}

/// `GET /me`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Me {
    pub app: Option<App>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct App {
    pub id_code: Id,
    pub name: Option<Any>,
    pub timezone: Option<Any>,
    pub region: Option<Any>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct DataAttribute {
    pub name: Option<Any>,
    pub full_name: Option<Any>,
    pub data_type: Option<Any>,
    pub custom: Option<bool>,
    pub archived: Option<bool>,
    pub model: Option<Any>,
}

/// An `error.list`, Intercom's own form of an error.
#[derive(Deserialize)]
struct ErrorList {
    request_id: Option<Id>,
    errors: Vec<OneError>,
}

#[derive(Deserialize)]
struct OneError {
    code: Option<Any>,
    message: Option<Any>,
}

/// Reads Intercom's own words from an answer that is an error: the first error of an `error.list`.
pub fn explain(answer: &HttpAnswer) -> Explanation {
    let Ok(ErrorList { request_id, errors }) = serde_json::from_slice(&answer.body) else {
        return explain_text(answer);
    };
    let first = errors.into_iter().next();
    let (code, message) = first.map_or((None, None), |one| (one.code, one.message));
    Explanation {
        code: code.and_then(Any::text),
        about: String::new(),
        message: message.and_then(Any::text).unwrap_or_default(),
        request_id: request_id.and_then(|id| id.0),
    }
}

/// Judges an answer that is no success. `docs/services/intercom.md` has the source of each code.
///
/// A change of a tag names a contact and a tag, and nothing else. So a code about a parameter refuses this change.
pub fn ending(answer: &HttpAnswer) -> Ending {
    let Ok(ErrorList { errors, .. }) = serde_json::from_slice(&answer.body) else { return answer.ending() };
    let Some(code) = errors.into_iter().find_map(|one| one.code.and_then(Any::text)) else { return answer.ending() };
    match (answer.status.as_u16(), code.as_str()) {
        (408 | 429 | 500.., _) => answer.ending(),
        // By its documentation the status of these codes varies.
        (_, "rate_limit_exceeded" | "too_many_requests") => Ending::Busy,
        (401..=403, _) => Ending::NoRight,
        (404, "field_not_found" | "admin_not_found" | "parameter_not_found") => Ending::CodeUnknown,
        (404, code) if code.ends_with("not_found") => Ending::NotFound,
        (404 | 410, "contact_merged") => Ending::NotFound,
        // Another change of the same contact is under way. By the next run it may be over.
        (409, _) => Ending::RecordLater,
        (
            400 | 422,
            "parameter_invalid"
            | "parameter_not_found"
            | "parameter_missing"
            | "missing_parameter"
            | "type_mismatch"
            | "data_invalid"
            | "unprocessable_entity",
        ) => Ending::RecordRefused,
        _ => Ending::CodeUnknown,
    }
}
