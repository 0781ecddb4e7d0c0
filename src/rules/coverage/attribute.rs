//! How one attribute is filled.

use std::collections::BTreeMap;

use super::spread::{Numbers, Words};
use crate::model::{AttributeDefinition, Type, Value};
use crate::rules::attributes::{Attributes, CATALOGUE};
use crate::rules::source::{ContactView, Reading, Source};

/// In this order the product begins to push attributes; those not named here come after them.
pub const ROLL_OUT: [&str; 6] = [
    "teammates_count",
    "storage_percent",
    "projects_count",
    "enterprise_features_tried",
    "days_since_last_login",
    "last_project_created",
];

/// The place of an attribute in the roll-out; the same for all that come after it.
pub fn roll_out(name: &str) -> usize {
    ROLL_OUT.iter().position(|first| *first == name).unwrap_or(ROLL_OUT.len())
}

/// One attribute over all contacts.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// By the name used in rules.
    pub name: String,
    /// What the workspace says about it; None where it does not have it.
    pub definition: Option<AttributeDefinition>,
    /// Intercom's own, which is there in every workspace, listed or not.
    pub own: bool,
    /// As what rules read it, or would; None where nobody can say, and being filled is all that is asked.
    pub wanted: Option<Type>,
    /// Contacts with a value that can be read so.
    pub readable: usize,
    /// Of those, the ones that `[scan] include` lets through to the rules.
    pub(super) readable_included: usize,
    /// Contacts without one: absent, null, or an empty text.
    pub missing: usize,
    /// Contacts with something else, by what it is.
    pub unreadable: BTreeMap<&'static str, Unreadable>,
    /// [`Attribute::readable`] by the place of the plan, as far as any was; [`Plan::readable`](super::Plan::readable) reads it.
    pub(super) by_plan: Vec<usize>,
    /// What can be said of the values.
    pub spread: Spread,
    /// Reads it; None like [`Attribute::wanted`].
    source: Option<Source>,
}

/// Values that are there and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// How many contacts have one.
    pub contacts: usize,
    /// The id of one of them, the least.
    pub example: String,
}

/// What can be said of the values.
#[derive(Debug, Clone, PartialEq)]
pub enum Spread {
    /// Nothing: they are about persons, or nobody knows how to read them.
    Untold,
    /// Numbers.
    Numbers(Numbers),
    /// Dates, as Unix seconds.
    Dates(Numbers),
    /// Texts, yes and no, and the items of lists.
    Words {
        /// How often which.
        words: Words,
        /// Lists without items.
        empty: usize,
    },
}

impl Attribute {
    /// Nothing seen yet.
    pub(super) fn new(name: String, definition: Option<AttributeDefinition>, attributes: &Attributes) -> Self {
        let own = CATALOGUE.iter().any(|known| known.own && known.name == name)
            || definition.as_ref().is_some_and(|definition| !definition.custom);
        let declared = definition.as_ref().and_then(|definition| natural(&definition.data_type));
        let wanted = attributes.kind(&name).or(declared);
        let spread = match wanted {
            _ if is_personal(&name) => Spread::Untold,
            None => Spread::Untold,
            Some(Type::Number) => Spread::Numbers(Numbers::default()),
            Some(Type::Date) => Spread::Dates(Numbers::default()),
            Some(Type::Text | Type::YesNo | Type::List) => Spread::Words { words: Words::default(), empty: 0 },
        };
        Attribute {
            source: wanted.map(|kind| Source::attribute(&name, kind)),
            name,
            definition,
            own,
            wanted,
            readable: 0,
            readable_included: 0,
            missing: 0,
            unreadable: BTreeMap::new(),
            by_plan: Vec::new(),
            spread,
        }
    }

    /// Counts one more contact, which is on the plan at this place, and which rules see or not.
    pub(super) fn add(&mut self, view: ContactView<'_>, plan: usize, included: bool) {
        let value = view.contact.attributes.get(&self.name).unwrap_or(&Value::Null);
        if value.is_missing() {
            self.missing += 1;
            return;
        }
        if let Some(source) = &self.source {
            match source.read(view) {
                Ok(reading) => self.spread.add(&reading),
                Err(_) => {
                    let unreadable = self.unreadable.entry(shape(value));
                    let id = &view.contact.id;
                    let unreadable = unreadable.or_insert_with(|| Unreadable { contacts: 0, example: id.clone() });
                    unreadable.contacts += 1;
                    // Not the first to come: contacts come in any order.
                    if *id < unreadable.example {
                        unreadable.example.clone_from(id);
                    }
                    return;
                }
            }
        }
        self.readable += 1;
        self.readable_included += usize::from(included);
        if self.by_plan.len() <= plan {
            self.by_plan.resize(plan + 1, 0);
        }
        if let Some(of_plan) = self.by_plan.get_mut(plan) {
            *of_plan += 1;
        }
    }

    /// Contacts with any value at all.
    pub fn filled(&self) -> usize {
        self.readable + self.unreadable.values().map(|unreadable| unreadable.contacts).sum::<usize>()
    }

    /// Whether contacts of the workspace can have it at all.
    pub fn exists(&self) -> bool {
        self.own || self.definition.is_some() || self.filled() > 0
    }

    /// Whether it was put away in Intercom: it keeps the values that it had, and nobody updates them any more.
    pub fn is_archived(&self) -> bool {
        self.definition.as_ref().is_some_and(|definition| definition.archived)
    }

    /// Intercom's word for the type it declares, where that can hold nothing that rules could read.
    pub fn misfit(&self) -> Option<&str> {
        let declared = self.definition.as_ref()?.data_type.as_str();
        let fits = match (self.wanted?, natural(declared)?) {
            (wanted, declared) if wanted == declared => true,
            // Anything can be written into a text.
            (_, Type::Text) => true,
            // Unix seconds.
            (Type::Date, Type::Number) => true,
            _ => false,
        };
        (!fits).then_some(declared)
    }
}

impl Spread {
    fn add(&mut self, reading: &Reading<'_>) {
        match (self, reading) {
            (Spread::Numbers(numbers), Reading::Number(number)) => numbers.add(*number),
            #[expect(clippy::cast_precision_loss, reason = "seconds of sensible dates are far below 2^53")]
            (Spread::Dates(numbers), Reading::Date(date)) => numbers.add(date.timestamp() as f64),
            (Spread::Words { words, .. }, Reading::Text(text)) => words.add(text),
            (Spread::Words { words, .. }, Reading::YesNo(yes)) => words.add(if *yes { "true" } else { "false" }),
            (Spread::Words { empty, .. }, Reading::List(items)) if items.is_empty() => *empty += 1,
            (Spread::Words { words, .. }, Reading::List(items)) => items.iter().for_each(|item| words.add(item)),
            _ => {}
        }
    }
}

/// How values of a type that Intercom declares are read. None for one that is not known here.
fn natural(data_type: &str) -> Option<Type> {
    match data_type {
        "integer" | "float" => Some(Type::Number),
        "string" => Some(Type::Text),
        "boolean" => Some(Type::YesNo),
        "date" | "datetime" => Some(Type::Date),
        _ => None,
    }
}

/// Whether the values say who somebody is. Rather too many names than too few.
fn is_personal(name: &str) -> bool {
    const ABOUT_PERSONS: [&str; 9] =
        ["name", "mail", "phone", "mobile", "address", "birth", "external_id", "user_id", "avatar"];
    let name = name.to_lowercase();
    // `last_email_opened_at` is a date, and says nothing of the address.
    !name.ends_with("_at") && ABOUT_PERSONS.iter().any(|word| name.contains(word))
}

fn shape(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "yes/no",
        Value::Number(_) => "number",
        Value::Text(_) => "text",
        Value::List(_) => "list",
        Value::Object => "object",
    }
}
