//! The functions of conditions and texts: one row of [`FUNCTIONS`] each. The parser, the calculation, the templates and the
//! messages draw from the table.

use std::borrow::Cow;

use crate::model::{Date, Type, UnknownReason};

/// A function that conditions can call.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    pub name: &'static str,
    /// The names of the arguments, for help.
    pub parameters: &'static [&'static str],
    /// The value of a call, as one line of help.
    pub gives: &'static str,
    pub(super) calculation: Calculation,
    pub(super) unit: FunctionUnit,
}

/// How a call gets its value. The variant fixes the number and the types of the arguments.
///
/// An unknown argument makes the call unknown. A calculation that fails returns the reason why its last argument is unusable.
#[derive(Debug, Clone, Copy)]
pub(super) enum Calculation {
    /// Tests whether an attribute is filled. The call is a condition of its own.
    Filled,
    /// Calculates with the items of a list.
    OfList(fn(&[Cow<'_, str>]) -> f64),
    /// Calculates with a date and the run's instant, in this order.
    OfDate(fn(Date, Date) -> Result<f64, UnknownReason>),
    /// Calculates with two numbers. Texts have these functions too.
    OfNumbers(fn(f64, f64) -> Result<f64, UnknownReason>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FunctionUnit {
    None,
    /// Items of a list.
    Items,
    Days,
    Percent,
}

/// Every function, in the order of the messages and of docs/rules.md, "Functions".
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "size",
        parameters: &["list"],
        gives: "the number of its items",
        calculation: Calculation::OfList(|items| f64::from(u32::try_from(items.len()).unwrap_or(u32::MAX))),
        unit: FunctionUnit::Items,
    },
    Function {
        name: "has",
        parameters: &["x"],
        gives: "true if it is filled. It is never unknown",
        calculation: Calculation::Filled,
        unit: FunctionUnit::None,
    },
    Function {
        name: "days_since",
        parameters: &["date"],
        gives: "whole days from the date to the time of the run, rounded down. A date in the future is unknown",
        calculation: Calculation::OfDate(|at, as_of| match at > as_of {
            true => Err(UnknownReason::InTheFuture),
            false => Ok(whole_days(at, as_of)),
        }),
        unit: FunctionUnit::Days,
    },
    Function {
        name: "percent",
        parameters: &["part", "whole"],
        gives: "the share, rounded to a whole number. Unknown if the whole is zero",
        calculation: Calculation::OfNumbers(|part, whole| match whole == 0.0 {
            true => Err(UnknownReason::WholeIsZero),
            false => Ok((part / whole * 100.0).round()),
        }),
        unit: FunctionUnit::Percent,
    },
];

/// Returns the whole days between two dates. Any two dates of chrono are less than 2^31 days apart.
fn whole_days(from: Date, to: Date) -> f64 {
    f64::from(i32::try_from((to - from).num_days()).unwrap_or(i32::MAX))
}

impl Function {
    pub(super) fn named(name: &str) -> Option<&'static Function> {
        FUNCTIONS.iter().find(|function| function.name == name)
    }

    /// Returns the functions that texts have. A text shows a date as its day, and counts a list with `length`.
    pub(super) fn of_texts() -> impl Iterator<Item = &'static Function> {
        FUNCTIONS.iter().filter(|function| matches!(function.calculation, Calculation::OfNumbers(_)))
    }

    /// Returns the functions that calculate with numbers or dates.
    pub(super) fn that_calculate() -> impl Iterator<Item = &'static Function> {
        let calculates =
            |function: &&Function| matches!(function.calculation, Calculation::OfDate(_) | Calculation::OfNumbers(_));
        FUNCTIONS.iter().filter(calculates)
    }

    /// Returns the call with the names of its arguments: `percent(part, whole)`.
    pub fn signature(&self) -> String {
        format!("{}({})", self.name, self.parameters.join(", "))
    }

    /// Returns the types of the arguments. [`Calculation::Filled`] has none: it takes an attribute of any type.
    pub fn argument_types(&self) -> &'static [Type] {
        match self.calculation {
            Calculation::Filled => &[],
            Calculation::OfList(_) => &[Type::List],
            Calculation::OfDate(_) => &[Type::Date],
            Calculation::OfNumbers(_) => &[Type::Number, Type::Number],
        }
    }

    pub(super) fn wrong_count(&self) -> String {
        match self.parameters {
            [_] => format!("{}() takes one attribute", self.name),
            several => format!("{}() takes {} attributes: {}", self.name, several.len(), self.signature()),
        }
    }

    /// Returns a call that is right, for help.
    pub(super) fn example(&self) -> String {
        let attributes = match self.calculation {
            Calculation::Filled => "plan_type",
            Calculation::OfList(_) => "enterprise_features_tried",
            Calculation::OfDate(_) => "last_seen_at",
            Calculation::OfNumbers(_) => "storage_used_mb, storage_limit_mb",
        };
        format!("for example: {}({attributes})", self.name)
    }
}

/// Functions with equal names are equal.
impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

pub(super) fn names<'a>() -> impl Iterator<Item = &'a str> {
    FUNCTIONS.iter().map(|function| function.name)
}

pub(super) fn help() -> String {
    format!("the functions are {}", names().collect::<Vec<_>>().join(", "))
}

/// Returns the calls that functions allow, joined by commas and "and".
pub(super) fn signatures(functions: impl Iterator<Item = &'static Function>) -> String {
    let calls: Vec<_> = functions.map(Function::signature).collect();
    match calls.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => calls.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_its_function_once_and_each_of_its_arguments() {
        for function in FUNCTIONS {
            let name = function.name;
            assert_eq!(FUNCTIONS.iter().filter(|other| other.name == name).count(), 1, "{name}");
            assert_eq!(function.parameters.len(), function.argument_types().len().max(1), "{name}");
        }
    }
}
