//! Why a rule does not fire, in a sentence, and what to do about it.

use strum::IntoStaticStr;

use super::attribute::Attribute;
use crate::model::{Type, UnknownReason};
use crate::rules::attributes::nearest;

/// Why a condition is not true for anybody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// Which of the whys.
    pub kind: CauseKind,
    /// The attribute that it is about; for a comparison of something worked out, that as it is written.
    pub attribute: String,
    /// One sentence, without a full stop.
    pub message: String,
}

/// The kinds of causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum CauseKind {
    /// The workspace does not have the attribute.
    NotDefined,
    /// The workspace has it, put away: nobody updates it any more, and nobody has a value that can be read.
    Archived,
    /// A list is wanted, and the attribute has a type in which Intercom cannot store one.
    ListNotStorable,
    /// The type that is declared, or what is written into a text, is not what is compared.
    WrongType,
    /// It is defined, and nobody has it.
    NeverFilled,
    /// There are values, and none can be read.
    Unreadable,
    /// There are values, and nothing can be worked out of any of them.
    NeverKnown,
    /// Some have one of two attributes, some the other, nobody both.
    NeverBoth,
    /// Only contacts that `[scan] include` leaves out have it.
    LeftOut,
    /// It can be decided, and with the values as they are it is never so.
    NotReached,
    /// The same, and it compares with a text that is nearly one of those that there are.
    Misspelt,
    /// `[scan] include` leaves everybody out.
    NobodyIncluded,
    /// Each part is true for somebody, all of them for nobody.
    NeverTogether,
}

impl CauseKind {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl Cause {
    /// What is wrong with an attribute whoever the contacts are.
    pub(super) fn of_the_workspace(attribute: &Attribute) -> Option<Cause> {
        let name = &attribute.name;
        let (kind, message) = match (attribute.misfit(), attribute.wanted) {
            _ if attribute.is_archived() => (CauseKind::Archived, Cause::archived(attribute)),
            _ if !attribute.exists() => (CauseKind::NotDefined, format!("the workspace has no attribute {name}")),
            (Some(declared), Some(Type::List)) => {
                let message = format!("{name} is of type {declared}, in which Intercom cannot store a list");
                (CauseKind::ListNotStorable, message)
            }
            (Some(declared), Some(wanted)) => {
                (CauseKind::WrongType, format!("{name} is of type {declared}, and a {} is compared", wanted.name()))
            }
            _ => return None,
        };
        Some(Cause { kind, attribute: name.clone(), message })
    }

    /// What is said of an archived attribute.
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

    /// Every part is true for somebody: of the condition, or of the level and its rule.
    pub(super) fn never_together(of_a_level: bool) -> Cause {
        let message = if of_a_level {
            "it is true for somebody, but never together with the rule's own condition"
        } else {
            "each part of the condition is true for somebody, all of it for nobody"
        };
        Cause { kind: CauseKind::NeverTogether, attribute: String::new(), message: message.to_owned() }
    }

    /// Why an attribute could be used for nobody. `alone` is whether nothing else was missing.
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
                format!("{name} is zero for every contact that has it, and a share of it is asked for"),
            ),
            _ if alone => {
                let message = format!("[scan] include leaves out all {} contacts that have {name}", attribute.readable);
                (CauseKind::LeftOut, message)
            }
            _ => (CauseKind::NeverBoth, format!("no contact has {name} together with what it is compared with")),
        };
        Cause { kind, attribute: name.clone(), message }
    }

    /// What to do about it, without a full stop.
    pub fn what_to_do(&self, attribute: Option<&Attribute>, others: &[Attribute]) -> String {
        let name = &self.attribute;
        let wanted = attribute.and_then(|attribute| attribute.wanted);
        match (self.kind, wanted) {
            (CauseKind::NotDefined, _) => {
                let defined =
                    others.iter().filter(|other| other.definition.is_some() && !other.own && !other.is_archived());
                let near = nearest(name, defined.map(|other| other.name.as_str()));
                let near =
                    near.map_or(String::new(), |near| format!(" (is `{near}`, which the workspace has, the same?)"));
                format!("create it in Intercom as {}, then have the product write it{near}", storable(wanted))
            }
            (CauseKind::Archived, _) => RESTORE.to_owned(),
            (CauseKind::Misspelt, _) => "write it in the rule as the product does".to_owned(),
            (CauseKind::ListNotStorable | CauseKind::WrongType, Some(wanted))
                if attribute.is_some_and(|it| it.misfit().is_some()) =>
            {
                format!(
                    "create another attribute as {}, for the product and the rule to use: the type of one that is there \
                     cannot be changed",
                    storable(Some(wanted))
                )
            }
            (CauseKind::WrongType | CauseKind::Unreadable | CauseKind::ListNotStorable, wanted) => {
                format!("have the product write {}", writable(wanted))
            }
            (CauseKind::NeverFilled, _) if attribute.is_some_and(|attribute| attribute.own) => {
                "Intercom fills it by itself, from what the Messenger and the product send".to_owned()
            }
            (CauseKind::NeverFilled, wanted) => format!("have the product write it: {}", writable(wanted)),
            (CauseKind::NeverKnown, _) => "look at what the product writes: it makes no sense".to_owned(),
            (CauseKind::NeverBoth, _) => "have the product write both on the same contacts".to_owned(),
            (CauseKind::LeftOut | CauseKind::NobodyIncluded, _) => "look at [scan] include".to_owned(),
            (CauseKind::NotReached, _) => "nothing, if that is right; else lower the demand of the rule".to_owned(),
            (CauseKind::NeverTogether, _) => {
                "nothing, if that is right; else look at which parts exclude each other".to_owned()
            }
        }
    }
}

/// What to do about an archived attribute.
pub(super) const RESTORE: &str = "restore it in Intercom, and see that the product still writes it";

fn unreadable(attribute: &Attribute) -> (CauseKind, String) {
    let (name, filled) = (&attribute.name, attribute.filled());
    let wanted = attribute.wanted.map_or("value", Type::name);
    let most = attribute.unreadable.iter().max_by_key(|(_, unreadable)| unreadable.contacts);
    let (shape, example) = most.map_or(("nothing", ""), |(shape, unreadable)| (*shape, unreadable.example.as_str()));
    match wanted {
        "number" => {
            let message = format!(
                "{name} is {shape} where a number is compared: no number for any of {filled}, such as {example}"
            );
            (CauseKind::WrongType, message)
        }
        _ => {
            (CauseKind::Unreadable, format!("{name} can be read as a {wanted} for none of {filled}, such as {example}"))
        }
    }
}

/// What to create in Intercom so that it can hold a value.
fn storable(wanted: Option<Type>) -> &'static str {
    match wanted {
        Some(Type::Number) => "a number",
        Some(Type::Text) | None => "text",
        Some(Type::YesNo) => "true or false",
        Some(Type::List) => "text with the items separated by commas (Intercom cannot store lists)",
        Some(Type::Date) => "a date",
    }
}

/// What to write so that it can be read.
fn writable(wanted: Option<Type>) -> &'static str {
    match wanted {
        Some(Type::Number) => "a plain number, such as 83",
        Some(Type::Text) | None => "a text",
        Some(Type::YesNo) => "true or false",
        Some(Type::List) => "one text with the items separated by commas (Intercom cannot store lists)",
        Some(Type::Date) => "Unix seconds, or a date such as 2025-12-20",
    }
}
