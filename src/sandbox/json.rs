//! JSON objects as the services send them.

use serde_json::{Map, Value};

/// A JSON object as a service would send it.
pub type Object = Map<String, Value>;

/// Returns the object in a literal; anything else becomes an empty object.
pub(super) fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}

/// Returns the text of a field; `None` if it is absent or not a text.
pub(super) fn text<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

/// Returns an id as text. Services send ids as strings, callers sometimes as integers.
pub(super) fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}
