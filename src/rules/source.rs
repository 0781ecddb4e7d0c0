//! Sources: the values of conditions and texts, and how they are read from a contact.

use std::borrow::Cow;

use super::functions::{Calculation, Function, FunctionUnit};
use crate::model::{Contact, Date, Type, UnknownReason, Value};

/// A source of a value: an attribute, a call such as `days_since(last_seen_at)`, or a fixed value of the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The source as written; for an attribute, its name.
    text: String,
    kind: Type,
    read: Read,
    fallback: Option<Box<Fallback>>,
}

#[derive(Debug, Clone, PartialEq)]
enum Read {
    Attribute {
        /// The attribute's name in Intercom, which an alias may replace in rules.
        stored: String,
        /// Whether a word such as `null` is a value like any other, because a rule compares with it.
        takes_words: bool,
    },
    Call(&'static Function, Vec<Source>),
    Fixed(Value),
}

/// The stand-in for a pushed value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fallback {
    pub from: Source,
    pub when: FallbackWhen,
}

/// When a fallback is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FallbackWhen {
    /// If the pushed value is missing. An unreadable value stays unknown, because somebody should notice it.
    Missing,
    /// If the fallback is larger, or is the only value known. For figures that freeze while a person stays away.
    Larger,
}

/// One contact at one instant. A value depends on nothing else.
#[derive(Debug, Clone, Copy)]
pub struct ContactView<'a> {
    pub contact: &'a Contact,
    /// The instant up to which days are counted.
    pub as_of: Date,
}

/// A value, read as its type.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub enum Reading<'a> {
    /// A finite number.
    Number(f64),
    Text(Cow<'a, str>),
    YesNo(bool),
    List(Vec<Cow<'a, str>>),
    Date(Date),
}

/// The origin of a value, for one contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The attribute itself.
    Attribute,
    /// A calculation with other attributes.
    Computed,
    /// The fallback of this name.
    StandIn(String),
    /// The configuration: a literal, or a named value of the rule.
    Configuration,
}

/// The attribute that could not be read, and why.
pub type Unread<'a> = (&'a str, UnknownReason);

impl Source {
    /// Returns the source of an attribute: its name in rules, and its name in Intercom.
    pub(super) fn attribute(name: &str, stored: &str, kind: Type) -> Self {
        Source::new(name, kind, Read::Attribute { stored: stored.to_owned(), takes_words: false })
    }

    /// Takes a word such as `null` as a value like any other.
    pub(super) fn taking_words(mut self) -> Self {
        if let Read::Attribute { takes_words, .. } = &mut self.read {
            *takes_words = true;
        }
        self
    }

    /// Returns the source of a call. The arguments have the function's types.
    pub(super) fn call(text: &str, function: &'static Function, arguments: Vec<Source>) -> Self {
        Source::new(text, Type::Number, Read::Call(function, arguments))
    }

    /// Returns the source of a value of the configuration. `None` for null and objects, which have no type.
    pub(super) fn fixed(text: &str, value: Value) -> Option<Self> {
        let kind = match &value {
            Value::Number(_) => Type::Number,
            Value::Text(_) => Type::Text,
            Value::Bool(_) => Type::YesNo,
            Value::List(_) => Type::List,
            Value::Null | Value::Object => return None,
        };
        Some(Source::new(text, kind, Read::Fixed(value)))
    }

    fn new(text: &str, kind: Type, read: Read) -> Self {
        Source { text: text.to_owned(), kind, read, fallback: None }
    }

    pub(super) fn set_fallback(&mut self, fallback: Fallback) {
        self.fallback = Some(Box::new(fallback));
    }

    /// Returns the source as written: the attribute's name, the call, or the literal.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the type of the values.
    pub fn kind(&self) -> Type {
        self.kind
    }

    /// Returns whether the configuration fixes the value, so that all contacts have it.
    pub fn is_fixed(&self) -> bool {
        matches!(self.read, Read::Fixed(_))
    }

    pub(super) fn fixed_value(&self) -> Option<&Value> {
        match &self.read {
            Read::Fixed(value) => Some(value),
            _ => None,
        }
    }

    /// Returns whether it is a named value of the rule (`seat_limit`).
    pub(super) fn is_named_value(&self) -> bool {
        let is_name = self.text.starts_with(|letter: char| letter.is_alphabetic() || letter == '_');
        self.is_fixed() && is_name && !matches!(self.text.as_str(), "true" | "false")
    }

    /// Returns the origin of the value.
    pub fn origin(&self, view: ContactView<'_>) -> Origin {
        match (&self.read, &self.fallback) {
            // An unused fallback is not the origin.
            (_, Some(fallback)) if self.read_plain(view) != self.read(view) => {
                Origin::StandIn(fallback.from.text().to_owned())
            }
            (Read::Attribute { .. }, _) => Origin::Attribute,
            (Read::Fixed(_), _) => Origin::Configuration,
            (Read::Call(..), _) => Origin::Computed,
        }
    }

    /// Returns the list of `size(list)`.
    pub(super) fn sized_list(&self) -> Option<&Source> {
        match &self.read {
            Read::Call(function, arguments) if function.unit == FunctionUnit::Items => arguments.first(),
            _ => None,
        }
    }

    /// Returns the unit of a call's value. Attributes have none.
    pub(super) fn unit(&self) -> FunctionUnit {
        match &self.read {
            Read::Call(function, _) => function.unit,
            Read::Attribute { .. } | Read::Fixed(_) => FunctionUnit::None,
        }
    }

    /// Returns whether a word such as `null` is a value like any other.
    pub(super) fn takes_words(&self) -> bool {
        matches!(self.read, Read::Attribute { takes_words: true, .. })
    }

    /// Returns the name of the attribute in Intercom. `None` if the source is no attribute.
    pub(super) fn stored(&self) -> Option<&str> {
        match &self.read {
            Read::Attribute { stored, .. } => Some(stored),
            Read::Call(..) | Read::Fixed(_) => None,
        }
    }

    /// Returns every attribute that the source reads, those of fallbacks included.
    pub(super) fn attributes(&self) -> Vec<&Source> {
        let mut attributes = match &self.read {
            Read::Attribute { .. } => vec![self],
            Read::Call(_, arguments) => arguments.iter().flat_map(Source::attributes).collect(),
            Read::Fixed(_) => Vec::new(),
        };
        attributes.extend(self.fallback.iter().flat_map(|fallback| fallback.from.attributes()));
        attributes
    }

    pub(super) fn has_fallback(&self) -> bool {
        self.fallback.is_some()
    }

    /// Returns the name of every attribute that the source needs. An attribute with a fallback is not needed.
    pub(super) fn needed_attributes(&self) -> Vec<&str> {
        match &self.read {
            Read::Attribute { .. } if !self.has_fallback() => vec![self.text()],
            Read::Call(_, arguments) if !self.has_fallback() => {
                arguments.iter().flat_map(Source::needed_attributes).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns whether there is a value, readable or not. This is the result of `has(x)`.
    pub fn is_filled(&self, view: ContactView<'_>) -> bool {
        match self.read(view) {
            Ok(_) => true,
            Err((_, UnknownReason::Unreadable)) => !self.pushed(view).is_word_for_no_value(self.kind),
            Err((_, reason)) => reason != UnknownReason::Missing,
        }
    }

    /// Returns the value as pushed; null if it is absent, or if the source is no attribute.
    pub(super) fn pushed<'a>(&self, view: ContactView<'a>) -> &'a Value {
        self.stored().and_then(|stored| view.contact.attributes.get(stored)).unwrap_or(&Value::Null)
    }

    /// Reads the value. The error names the attribute that could not be read, and why.
    pub fn read<'a>(&'a self, view: ContactView<'a>) -> Result<Reading<'a>, Unread<'a>> {
        let pushed = self.read_plain(view);
        let Some(fallback) = &self.fallback else {
            return pushed;
        };
        match (pushed, fallback.when) {
            (Err(unread @ (_, UnknownReason::Missing)), FallbackWhen::Missing)
            | (Err(unread), FallbackWhen::Larger) => fallback.from.read(view).or(Err(unread)),
            (Ok(Reading::Number(pushed)), FallbackWhen::Larger) => {
                Ok(Reading::Number(match fallback.from.read(view) {
                    Ok(Reading::Number(other)) => pushed.max(other),
                    _ => pushed,
                }))
            }
            (pushed, _) => pushed,
        }
    }

    /// Returns whether a value of the attribute can be read.
    pub(super) fn is_readable(&self, value: &Value) -> bool {
        self.read_value(value).is_ok()
    }

    fn read_plain<'a>(&'a self, view: ContactView<'a>) -> Result<Reading<'a>, Unread<'a>> {
        let value = match &self.read {
            Read::Attribute { .. } => self.pushed(view),
            Read::Fixed(value) => value,
            Read::Call(function, arguments) => return self.evaluate(function, arguments, view).map(Reading::Number),
        };
        self.read_value(value).map_err(|reason| (self.text.as_str(), reason))
    }

    fn read_value<'a>(&self, value: &'a Value) -> Result<Reading<'a>, UnknownReason> {
        match self.kind {
            Type::Number => value.read_number().map(Reading::Number),
            Type::Text if matches!(self.read, Read::Attribute { takes_words: false, .. }) => {
                value.read_text().map(|text| Reading::Text(Cow::Borrowed(text)))
            }
            Type::Text => value.read_any_text().map(|text| Reading::Text(Cow::Borrowed(text))),
            Type::YesNo => value.read_yes_no().map(Reading::YesNo),
            Type::List => value.read_list().map(Reading::List),
            Type::Date => value.read_date().map(Reading::Date),
        }
    }

    fn evaluate<'a>(
        &'a self,
        function: &Function,
        arguments: &'a [Source],
        view: ContactView<'a>,
    ) -> Result<f64, Unread<'a>> {
        match (function.calculation, arguments) {
            (Calculation::OfList(calculate), [list]) => match list.read(view)? {
                Reading::List(items) => Ok(calculate(&items)),
                _ => Err((list.text(), UnknownReason::Unreadable)),
            },
            (Calculation::OfDate(calculate), [date]) => match date.read(view)? {
                Reading::Date(at) => calculate(at, view.as_of).map_err(|reason| (date.text(), reason)),
                _ => Err((date.text(), UnknownReason::Unreadable)),
            },
            (Calculation::OfNumbers(calculate), [first, last]) => match (first.read(view)?, last.read(view)?) {
                (Reading::Number(one), Reading::Number(other)) => {
                    calculate(one, other).map_err(|reason| (last.text(), reason))
                }
                _ => Err((first.text(), UnknownReason::Unreadable)),
            },
            // The parser builds no such call.
            _ => Err((self.text(), UnknownReason::Unreadable)),
        }
    }
}

impl Reading<'_> {
    /// Returns the value for reports. A `"8"` that was read as a number is the number 8.
    pub fn to_value(&self) -> Value {
        match self {
            Reading::Number(number) => Value::Number(*number),
            Reading::Text(text) => Value::Text(text.to_string()),
            Reading::YesNo(yes) => Value::Bool(*yes),
            Reading::List(items) => Value::List(items.iter().map(|item| Value::Text(item.to_string())).collect()),
            Reading::Date(date) => Value::Text(date.to_rfc3339()),
        }
    }
}
