//! Causes: why a rule does not fire, and what to do about it.

use strum::IntoStaticStr;

use super::attribute::{Attribute, WORD_FOR_NO_VALUE};
use crate::model::{Type, UnknownReason, Value};
use crate::rules::alias::is_name;
use crate::rules::attributes::nearest;
use crate::rules::condition::literal;

/// Why a condition is true for no contact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// The kind of cause.
    pub kind: CauseKind,
    /// The attribute concerned; for a calculated value, the call as written.
    pub attribute: String,
    /// One sentence, without a full stop.
    pub message: String,
}

/// The kind of a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum CauseKind {
    /// The workspace does not have the attribute.
    NotDefined,
    /// The attribute is archived: its values are not updated any more, and no contact has a readable one.
    Archived,
    /// The rule needs a list, and the attribute's type cannot store one in Intercom.
    ListNotStorable,
    /// The declared type, or the values in a text attribute, do not have the type that the rule compares.
    WrongType,
    /// The attribute is defined, and no contact has it.
    NeverFilled,
    /// Contacts have values, and none is readable.
    Unreadable,
    /// Contacts have values, and none can be calculated with.
    NeverKnown,
    /// Some contacts have one of two attributes, some the other, and none has both.
    NeverBoth,
    /// Only contacts that `[scan] include` leaves out have the attribute.
    LeftOut,
    /// The condition can be decided, and no value makes it true.
    NotReached,
    /// Like `NotReached`, and the text in the condition is similar to an existing one.
    Misspelt,
    /// `[scan] include` leaves all contacts out.
    NobodyIncluded,
    /// Each part is true for some contacts, and all parts together for none.
    NeverTogether,
}

impl CauseKind {
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl Cause {
    /// Returns what is wrong with an attribute's definition, whatever the contacts' values are.
    pub(super) fn of_the_workspace(attribute: &Attribute) -> Option<Cause> {
        let name = &attribute.name;
        let (kind, message) = match (attribute.misfit(), attribute.wanted) {
            _ if attribute.is_archived() => (CauseKind::Archived, Cause::archived(attribute)),
            _ if !attribute.is_possible() && attribute.stored != *name => {
                let message = format!("the workspace has no attribute \"{}\", whose alias is {name}", attribute.stored);
                (CauseKind::NotDefined, message)
            }
            _ if !attribute.is_possible() => (CauseKind::NotDefined, format!("the workspace has no attribute {name}")),
            (Some(declared), Some(Type::List)) => {
                let message = format!("{name} is of type {declared}, in which Intercom cannot store a list");
                (CauseKind::ListNotStorable, message)
            }
            (Some(declared), Some(wanted)) => (
                CauseKind::WrongType,
                format!("{name} is of type {declared}, and the rule compares a {}", wanted.name()),
            ),
            _ => return None,
        };
        Some(Cause { kind, attribute: name.clone(), message })
    }

    /// Returns the message about an archived attribute.
    pub(super) fn archived(attribute: &Attribute) -> String {
        let name = &attribute.name;
        match attribute.readable {
            0 => format!("{name} is archived in Intercom, and no contact has a value that can be read"),
            1 => format!("{name} is archived in Intercom: the values of 1 contact are not updated any more"),
            readable => {
                format!("{name} is archived in Intercom: the values of {readable} contacts are not updated any more")
            }
        }
    }

    /// Returns the cause if every part is true for some contact: every part of the condition, or the level and its rule.
    pub(super) fn never_together(of_a_level: bool) -> Cause {
        let message = if of_a_level {
            "the level is true for some contacts, but never together with the rule's own condition"
        } else {
            "each part of the condition is true for some contacts, but all parts together for none"
        };
        Cause { kind: CauseKind::NeverTogether, attribute: String::new(), message: message.to_owned() }
    }

    /// Returns why an attribute was usable for no contact. `alone` is whether no other attribute was missing.
    pub(super) fn of_the_data(attribute: &Attribute, reason: Option<UnknownReason>, alone: bool) -> Cause {
        let name = &attribute.name;
        if attribute.readable == 0
            && let Some(cause) = Cause::of_the_workspace(attribute)
        {
            return cause;
        }
        let (kind, message) = match reason {
            _ if attribute.filled() == 0 && attribute.own => (CauseKind::NeverFilled, format!("no contact has {name}")),
            _ if attribute.filled() == 0 => {
                (CauseKind::NeverFilled, format!("{name} is defined, and no contact has it"))
            }
            _ if attribute.readable == 0 => unreadable(attribute),
            Some(UnknownReason::InTheFuture) => {
                (CauseKind::NeverKnown, format!("{name} lies in the future for every contact that has it"))
            }
            Some(UnknownReason::WholeIsZero) => (
                CauseKind::NeverKnown,
                format!("{name} is zero for every contact that has it, and the rule needs a share of it"),
            ),
            None | Some(UnknownReason::Missing | UnknownReason::Unreadable) if alone => {
                let message = format!("[scan] include leaves out all {} contacts that have {name}", attribute.readable);
                (CauseKind::LeftOut, message)
            }
            None | Some(UnknownReason::Missing | UnknownReason::Unreadable) => {
                (CauseKind::NeverBoth, format!("no contact has both {name} and the attribute that it is compared with"))
            }
        };
        Cause { kind, attribute: name.clone(), message }
    }

    /// Returns what to do about the cause, without a full stop.
    pub fn what_to_do(&self, attribute: Option<&Attribute>, others: &[Attribute]) -> String {
        let name = &self.attribute;
        let wanted = attribute.and_then(|attribute| attribute.wanted);
        match (self.kind, wanted) {
            (CauseKind::NotDefined, _) => {
                let defined =
                    others.iter().filter(|other| other.definition.is_some() && !other.own && !other.is_archived());
                let near = nearest(name, defined.map(|other| other.name.as_str()));
                let create = format!("create it in Intercom as {}, then have the product write it", storable(wanted));
                match near {
                    Some(near) if !is_name(near) && attribute.is_none_or(|it| it.name == it.stored) => {
                        let alias = literal(&Value::Text(near.to_owned()));
                        format!(
                            "{create} (the workspace has `{near}`: if it is meant, add under [attributes.alias]: {name} = {alias})"
                        )
                    }
                    Some(near) => format!("{create} (the workspace has `{near}`: is it meant?)"),
                    None => create,
                }
            }
            (CauseKind::Archived, _) => RESTORE.to_owned(),
            (CauseKind::Misspelt, _) => "write it in the rule as the product does".to_owned(),
            (CauseKind::ListNotStorable | CauseKind::WrongType, Some(wanted))
                if attribute.is_some_and(|it| it.misfit().is_some()) =>
            {
                format!(
                    "create another attribute as {}, and use it in the product and in the rule: Intercom cannot change the \
                     type of an existing one",
                    storable(Some(wanted))
                )
            }
            (CauseKind::Unreadable, _) if attribute.is_some_and(only_words) => WRITE_NOTHING.to_owned(),
            (CauseKind::WrongType | CauseKind::Unreadable | CauseKind::ListNotStorable, wanted) => {
                format!("have the product write {}", writable(wanted))
            }
            (CauseKind::NeverFilled, _) if attribute.is_some_and(|attribute| attribute.own) => {
                "nothing: Intercom fills it from what the Messenger and the product send".to_owned()
            }
            (CauseKind::NeverFilled, wanted) => format!("have the product write it: {}", writable(wanted)),
            (CauseKind::NeverKnown, _) => "check the values that the product writes".to_owned(),
            (CauseKind::NeverBoth, _) => "have the product write both for each contact".to_owned(),
            (CauseKind::LeftOut | CauseKind::NobodyIncluded, _) => "check [scan] include".to_owned(),
            (CauseKind::NotReached, _) => {
                "nothing, if this is intended; else lower the threshold of the rule".to_owned()
            }
            (CauseKind::NeverTogether, _) => {
                "nothing, if this is intended; else check which parts exclude each other".to_owned()
            }
        }
    }
}

/// The advice for an archived attribute.
pub(super) const RESTORE: &str = "restore it in Intercom, and check that the product still writes it";

/// The advice about "no value" that the product writes as a word.
pub const WRITE_NOTHING: &str = "have the product write nothing instead";

/// Returns whether every unreadable value is "no value" written as a word.
fn only_words(attribute: &Attribute) -> bool {
    attribute.unreadable.keys().all(|shape| *shape == WORD_FOR_NO_VALUE)
}

fn unreadable(attribute: &Attribute) -> (CauseKind, String) {
    let (name, filled) = (&attribute.name, attribute.filled());
    let wanted = attribute.wanted.map_or("value", Type::name);
    let most = attribute.unreadable.iter().max_by_key(|(_, unreadable)| unreadable.contacts);
    let (shape, example) = most.map_or(("nothing", ""), |(shape, unreadable)| (*shape, unreadable.example.as_str()));
    let contacts = format!("contacts with a value: {filled}, for example {example}");
    match wanted {
        _ if only_words(attribute) => (
            CauseKind::Unreadable,
            format!("{name} holds only words for \"no value\", such as None or null ({contacts})"),
        ),
        "number" => {
            (CauseKind::WrongType, format!("{name} holds {shape} values, and the rule compares a number ({contacts})"))
        }
        _ => (CauseKind::Unreadable, format!("{name} is never readable as a {wanted} ({contacts})")),
    }
}

/// Returns the type to choose in Intercom so that the attribute can hold the values.
fn storable(wanted: Option<Type>) -> &'static str {
    match wanted {
        Some(Type::Number) => "a number",
        Some(Type::Text) | None => "text",
        Some(Type::YesNo) => "true or false",
        Some(Type::List) => "text with the items separated by commas (Intercom cannot store lists)",
        Some(Type::Date) => "a date",
    }
}

/// Returns what the product should write so that the value is readable.
fn writable(wanted: Option<Type>) -> &'static str {
    match wanted {
        Some(Type::Number) => "a plain number, such as 83",
        Some(Type::Text) | None => "a text",
        Some(Type::YesNo) => "true or false",
        Some(Type::List) => "one text with the items separated by commas (Intercom cannot store lists)",
        Some(Type::Date) => "Unix seconds, or a date such as 2025-12-20",
    }
}
