//! The counts of one attribute.

use std::collections::BTreeMap;

use super::spread::{Numbers, Words};
use crate::model::{AttributeDefinition, Type, Value};
use crate::rules::alias::is_name;
use crate::rules::attributes::CATALOGUE;
use crate::rules::ruleset::RuleSet;
use crate::rules::source::{ContactView, Reading, Source};

/// The shape of a value that is "no value" written as a word: `None`, `null`, `-`.
pub const WORD_FOR_NO_VALUE: &str = "a word for no value";

/// The order in which the product begins to push attributes. All others come later.
pub const ROLL_OUT: [&str; 6] = [
    "teammates_count",
    "storage_percent",
    "projects_count",
    "enterprise_features_tried",
    "days_since_last_login",
    "last_project_created",
];

/// Returns the place of an attribute in the roll-out. All later attributes have the last place.
pub fn roll_out(name: &str) -> usize {
    ROLL_OUT.iter().position(|first| *first == name).unwrap_or(ROLL_OUT.len())
}

/// One attribute over all contacts.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// The name in rules.
    pub name: String,
    /// The name in Intercom.
    pub stored: String,
    /// The definition in the workspace; `None` if the workspace does not have the attribute.
    pub definition: Option<AttributeDefinition>,
    /// Whether it is one of Intercom's own attributes, which every workspace has.
    pub own: bool,
    /// The type as which rules read it. `None` if the type is unknown; any value then counts as readable.
    pub wanted: Option<Type>,
    /// Contacts with a readable value.
    pub readable: usize,
    /// The included contacts among them.
    pub(super) readable_included: usize,
    /// Contacts without a value: absent, null, or an empty text.
    pub missing: usize,
    /// Contacts with an unreadable value, by its JSON type, or by [`WORD_FOR_NO_VALUE`].
    pub unreadable: BTreeMap<&'static str, Unreadable>,
    /// [`Attribute::readable`] by the place of the plan, for [`Plan::readable`](super::Plan::readable).
    pub(super) by_plan: BTreeMap<usize, usize>,
    /// The distribution of the values.
    pub spread: Spread,
    /// Reads the values; `None` if `wanted` is.
    source: Option<Source>,
}

/// Unreadable values of one shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    pub contacts: usize,
    /// The id of one of these contacts: the smallest.
    pub example: String,
}

/// The distribution of an attribute's values.
#[derive(Debug, Clone, PartialEq)]
pub enum Spread {
    /// Not counted, because the values are personal or their type is unknown.
    Uncounted,
    /// Numbers.
    Numbers(Numbers),
    /// Dates, as Unix seconds.
    Dates(Numbers),
    /// Texts, yes/no values, and the items of lists.
    Words {
        /// The most frequent values.
        words: Words,
        /// The number of empty lists.
        empty: usize,
    },
}

impl Attribute {
    pub(super) fn new(name: String, definition: Option<AttributeDefinition>, rules: &RuleSet) -> Self {
        let own = CATALOGUE.iter().any(|known| known.own && known.name == name)
            || definition.as_ref().is_some_and(|definition| !definition.custom);
        let declared = definition.as_ref().and_then(|definition| natural(&definition.data_type));
        let wanted = rules.attributes().kind(&name).or(declared);
        let spread = match wanted {
            _ if is_personal(&name) => Spread::Uncounted,
            None => Spread::Uncounted,
            Some(Type::Number) => Spread::Numbers(Numbers::default()),
            Some(Type::Date) => Spread::Dates(Numbers::default()),
            Some(Type::Text | Type::YesNo | Type::List) => Spread::Words { words: Words::default(), empty: 0 },
        };
        Attribute {
            source: wanted.map(|kind| rules.pushed(&name, kind)),
            stored: rules.attributes().stored(&name).to_owned(),
            name,
            definition,
            own,
            wanted,
            readable: 0,
            readable_included: 0,
            missing: 0,
            unreadable: BTreeMap::new(),
            by_plan: BTreeMap::new(),
            spread,
        }
    }

    /// Counts one contact. `plan` is the place of its plan; `included` is whether `[scan] include` includes it.
    pub(super) fn add(&mut self, view: ContactView<'_>, plan: usize, included: bool) {
        let value = view.contact.attributes.get(&self.stored).unwrap_or(&Value::Null);
        if value.is_missing() {
            self.missing += 1;
            return;
        }
        if let Some(source) = &self.source {
            match source.read(view) {
                Ok(reading) => self.spread.add(&reading),
                Err(_) => {
                    let unreadable = self.unreadable.entry(shape(value, source.kind()));
                    let id = &view.contact.id;
                    let unreadable = unreadable.or_insert_with(|| Unreadable { contacts: 0, example: id.clone() });
                    unreadable.contacts += 1;
                    // The smallest id, because contacts arrive in any order.
                    if *id < unreadable.example {
                        unreadable.example.clone_from(id);
                    }
                    return;
                }
            }
        }
        self.readable += 1;
        self.readable_included += usize::from(included);
        *self.by_plan.entry(plan).or_default() += 1;
    }

    /// Returns the number of contacts with any value.
    pub fn filled(&self) -> usize {
        self.readable + self.unreadable.values().map(|unreadable| unreadable.contacts).sum::<usize>()
    }

    /// Returns the number of contacts with "no value" written as a word.
    pub fn words_for_no_value(&self) -> usize {
        self.unreadable.get(WORD_FOR_NO_VALUE).map_or(0, |unreadable| unreadable.contacts)
    }

    /// Returns whether rules can use the attribute only under an alias, which it does not have.
    pub fn needs_alias(&self) -> bool {
        !self.own && !is_name(&self.name)
    }

    /// Returns whether contacts of the workspace can have the attribute.
    pub fn is_possible(&self) -> bool {
        self.own || self.definition.is_some() || self.filled() > 0
    }

    /// Returns whether the attribute is archived in Intercom. It keeps its values, but they are not updated any more.
    pub fn is_archived(&self) -> bool {
        self.definition.as_ref().is_some_and(|definition| definition.archived)
    }

    /// Returns the type that Intercom declares, if rules can read no value of this type.
    pub fn misfit(&self) -> Option<&str> {
        let declared = self.definition.as_ref()?.data_type.as_str();
        let fits = match (self.wanted?, natural(declared)?) {
            (wanted, declared) if wanted == declared => true,
            // A text can contain a value of any type.
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

/// Returns the type as which values of a declared type are read. `None` for an unknown one.
fn natural(data_type: &str) -> Option<Type> {
    match data_type {
        "integer" | "float" => Some(Type::Number),
        "string" => Some(Type::Text),
        "boolean" => Some(Type::YesNo),
        "date" | "datetime" => Some(Type::Date),
        _ => None,
    }
}

/// Returns whether the values identify persons. The list rather covers too much than too little.
fn is_personal(name: &str) -> bool {
    const ABOUT_PERSONS: [&str; 9] =
        ["name", "mail", "phone", "mobile", "address", "birth", "external_id", "user_id", "avatar"];
    let name = name.to_lowercase();
    // `last_email_opened_at` is a date, not an address.
    !name.ends_with("_at") && ABOUT_PERSONS.iter().any(|word| name.contains(word))
}

fn shape(value: &Value, wanted: Type) -> &'static str {
    match value {
        _ if value.is_word_for_no_value(wanted) => WORD_FOR_NO_VALUE,
        Value::Null => "nothing",
        Value::Bool(_) => "yes/no",
        Value::Number(_) => "number",
        Value::Text(_) => "text",
        Value::List(_) => "list",
        Value::Object => "object",
    }
}
