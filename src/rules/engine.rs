//! The template engine, set up for texts, and the format of values in texts.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value as Shown, ValueKind};
use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior};

use super::functions::{Calculation, FUNCTIONS};

/// Instructions that one text may use. A list of a thousand people takes about twenty thousand.
const FUEL: u64 = 500_000;

/// Returns an environment for plain text, with limited work. A template that calculates with an unknown value fails.
pub(super) fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    // Makes errors report their place in the text.
    env.set_debug(true);
    env.set_fuel(Some(FUEL));
    // Makes an unknown value fail where it is used (see render.rs).
    env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    // The clients of Slack and Zoho escape for their service.
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_formatter(show);
    // A line with nothing but {% … %} leaves no empty line.
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        env.set_syntax(syntax);
    }
    let globals: Vec<String> = env.globals().map(|(name, _)| name.to_owned()).collect();
    for name in globals {
        env.remove_global(&name);
    }
    for function in FUNCTIONS {
        if let Calculation::OfNumbers(calculate) = function.calculation {
            env.add_function(function.name, move |first: &Shown, last: &Shown| {
                let value = as_number(first).zip(as_number(last)).and_then(|(first, last)| calculate(first, last).ok());
                value.map_or(Shown::UNDEFINED, number)
            });
        }
    }
    env
}

fn as_number(value: &Shown) -> Option<f64> {
    f64::try_from(value.clone()).ok()
}

/// Returns a number for texts. Whole numbers become integers, so that no `.0` appears.
pub(super) fn number(number: f64) -> Shown {
    let whole = (number.fract() == 0.0).then(|| format!("{number:.0}").parse::<i64>().ok()).flatten();
    whole.map_or_else(|| Shown::from(number), Shown::from)
}

/// Writes a value: an unknown one as "unknown", a number with at most two decimals, a list with commas.
fn show(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Shown) -> Result<(), minijinja::Error> {
    out.write_str(&shown(value)).map_err(minijinja::Error::from)
}

fn shown(value: &Shown) -> String {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => "unknown".to_owned(),
        ValueKind::Bool => if value.is_true() { "yes" } else { "no" }.to_owned(),
        ValueKind::Number if !value.is_integer() => match as_number(value) {
            // The shortest form: 83, 83.5, 83.33.
            Some(number) => ((number * 100.0).round() / 100.0).to_string(),
            None => value.to_string(),
        },
        ValueKind::Seq | ValueKind::Iterable => match value.try_iter() {
            Ok(items) => items.map(|item| shown(&item)).collect::<Vec<_>>().join(", "),
            Err(_) => value.to_string(),
        },
        _ => value.to_string(),
    }
}
