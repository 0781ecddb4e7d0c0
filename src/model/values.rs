//! The values of one contact's attributes.

use std::sync::Arc;

use super::attribute::Value;

/// Values by the names of their attributes, sorted by name; each name once.
///
/// Every contact of a scan has one, so it is one short list. Contacts share the names, and a search through a dozen names is
/// fast.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Values(Vec<(Arc<str>, Value)>);

impl Values {
    /// Takes values that are sorted by name, each name once. A value out of order would not be found.
    pub fn from_sorted(values: Vec<(Arc<str>, Value)>) -> Self {
        debug_assert!(values.is_sorted_by(|(one, _), (next, _)| one < next));
        Values(values)
    }

    /// The value of an attribute; None where the contact does not have it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| **known == *name).map(|(_, value)| value)
    }

    /// Sets a value, and returns the previous one.
    pub fn insert(&mut self, name: impl Into<Arc<str>>, value: Value) -> Option<Value> {
        let name = name.into();
        match self.0.binary_search_by(|(known, _)| known.cmp(&name)) {
            Ok(place) => Some(std::mem::replace(&mut self.0.get_mut(place)?.1, value)),
            Err(place) => {
                self.0.insert(place, (name, value));
                None
            }
        }
    }

    /// All values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }
}

/// Takes values in any order. Of two with one name, the later one stays.
impl<N: Into<Arc<str>>> FromIterator<(N, Value)> for Values {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(values: I) -> Self {
        let mut all = Values::default();
        for (name, value) in values {
            all.insert(name, value);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_sorted_and_a_later_one_replaces_an_earlier_one() {
        let number = Value::Number;
        let mut values: Values = [("b", number(1.0)), ("a", number(2.0)), ("b", number(3.0))].into_iter().collect();
        assert_eq!(values.iter().collect::<Vec<_>>(), [("a", &number(2.0)), ("b", &number(3.0))]);
        assert_eq!(values.insert("a", Value::Null), Some(number(2.0)));
        assert_eq!(values.insert("ab", Value::Null), None);
        assert_eq!((values.get("a"), values.get("c")), (Some(&Value::Null), None));
        let sorted = ["a", "ab", "b"].map(|name| (Arc::from(name), values.get(name).unwrap().clone()));
        assert_eq!(Values::from_sorted(sorted.into()), values);
    }
}
