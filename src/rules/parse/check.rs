//! Turns a syntax tree into a condition: looks up every name, and checks that types fit.

use std::ops::Range;

use super::parser::{Expr, ExprKind, Join};
use crate::model::{Type, Value};
use crate::rules::alias::{alias_help, is_name};
use crate::rules::attributes::{Scope, nearest};
use crate::rules::condition::{Comparison, Condition, Op};
use crate::rules::fault::Fault;
use crate::rules::functions::{self, Calculation, Function};
use crate::rules::source::Source;

/// Walks a tree and collects its faults. A function that returns `None` has added one.
pub(super) struct Checker<'a> {
    pub text: &'a str,
    pub scope: Scope<'a>,
    pub faults: Vec<Fault>,
}

impl Checker<'_> {
    fn refuse<T>(&mut self, span: &Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Option<T> {
        self.faults.push(Fault::new(span.clone(), message).help(help));
        None
    }

    pub fn condition(&mut self, expr: &Expr) -> Option<Condition> {
        let comparison = match &expr.kind {
            ExprKind::Joined(join, parts) => {
                // Checks all parts, because each may have faults of its own.
                let checked: Vec<_> = parts.iter().map(|part| self.condition(part)).collect();
                let parts = checked.into_iter().collect::<Option<_>>()?;
                return Some(if *join == Join::All { Condition::All(parts) } else { Condition::Any(parts) });
            }
            ExprKind::Not(inner) => return Some(Condition::Not(Box::new(self.condition(inner)?))),
            ExprKind::In(item, list) => self.membership(item, list)?,
            ExprKind::Compare(left, op, right) => self.compare(left, *op, right)?,
            ExprKind::Call { target: None, function: name, arguments } => {
                match (Function::named(name), arguments.as_slice()) {
                    (Some(function @ Function { calculation: Calculation::Filled, .. }), [argument]) => {
                        Comparison::Filled(self.attribute(argument, function)?)
                    }
                    _ => self.yes_no(expr)?,
                }
            }
            ExprKind::Call { .. } | ExprKind::Name(_) | ExprKind::Member(..) => self.yes_no(expr)?,
            ExprKind::Literal(_) | ExprKind::List(_) => {
                self.source(expr)?;
                let help = "compare an attribute with it, for example: teammates_count >= 8";
                self.refuse(&expr.span, "a value alone is not a condition", help)?
            }
        };
        Some(Condition::Comparison(comparison))
    }

    /// Checks an attribute or call that stands alone: only a yes/no attribute is a condition.
    fn yes_no(&mut self, expr: &Expr) -> Option<Comparison> {
        let source = self.source(expr)?;
        if source.kind() == Type::YesNo && !source.is_fixed() {
            return Some(Comparison::Yes(source));
        }
        let message = format!("`{}` is a {} and is not compared with anything", source.text(), source.kind().name());
        self.refuse(&expr.span, message, example(&source))
    }

    fn compare(&mut self, left: &Expr, op: Op, right: &Expr) -> Option<Comparison> {
        let (first, second) = (self.source_beside(left, self.peek(right)), self.source_beside(right, self.peek(left)));
        let span = left.span.start..right.span.end;
        let (mut left, mut right, mut op) = (first?, second?, op);
        if left.is_fixed() {
            (left, right, op) = (right, left, op.mirrored());
        }
        if left.is_fixed() {
            let texts = [&left, &right].into_iter().filter_map(|side| side.fixed_value()?.as_text());
            let name = texts.into_iter().find(|text| text.contains(char::is_alphanumeric) && !is_name(text));
            let name = name.map_or(String::new(), |name| format!("; {}", alias_help(name)));
            return self.refuse(&span, "both sides are fixed values", format!("one side has to be an attribute{name}"));
        }
        match mismatch(&left, op, &right) {
            None => Some(Comparison::Compare { left: compared_with(left, right.fixed_value()), op, right }),
            Some((message, help)) => self.refuse(&span, message, help),
        }
    }

    fn membership(&mut self, item: &Expr, list: &Expr) -> Option<Comparison> {
        if let ExprKind::List(literals) = &list.kind {
            let source = self.source(item)?;
            let values = self.literals(&source, literals)?;
            if source.is_fixed() {
                let message = "both sides of `in` are fixed values";
                return self.refuse(&item.span, message, "one side has to be an attribute");
            }
            return Some(Comparison::OneOf { item: compared_with(source, &values), list: values });
        }
        let sources = (self.source_beside(item, Some(Type::Text)), self.source(list));
        let (list_span, item_span) = (&list.span, &item.span);
        let (item, list) = (sources.0?, sources.1?);
        if list.kind() != Type::List {
            let message = format!("`{}` is a {}, not a list", list.text(), list.kind().name());
            let help =
                format!("after `in`, write a list attribute or a list of values: {} in [\"a\", \"b\"]", item.text());
            return self.refuse(list_span, message, help);
        }
        if item.kind() != Type::Text {
            let message = format!("lists hold texts, and `{}` is a {}", item.text(), item.kind().name());
            return self.refuse(item_span, message, format!("for example: \"sso\" in {}", list.text()));
        }
        Some(Comparison::Contains { list, item })
    }

    /// Returns the values of a literal list, each of the item's type.
    fn literals(&mut self, item: &Source, elements: &[Expr]) -> Option<Vec<Value>> {
        if !matches!(item.kind(), Type::Text | Type::Number) {
            let message = format!("`{}` is a {} and cannot be an item of a list", item.text(), item.kind().name());
            return self.refuse(&(0..self.text.len()), message, example(item));
        }
        let mut values = Vec::new();
        for element in elements {
            let source = self.source_beside(element, Some(item.kind()))?;
            let Some(value) = source.fixed_value() else {
                let message = "a list in brackets can contain fixed values only";
                return self.refuse(&element.span, message, "for example: plan_type in [\"team\", \"enterprise\"]");
            };
            if let Some((message, help)) = mismatch(item, Op::Equal, &source) {
                return self.refuse(&element.span, message, help);
            }
            values.push(value.clone());
        }
        Some(values)
    }

    /// Returns the type of an attribute. `None` for an unknown name, without a fault.
    fn peek(&self, expr: &Expr) -> Option<Type> {
        self.scope.source(plain_name(expr)?).map(|source| source.kind())
    }

    /// Like [`Checker::source`], but treats an unknown name beside a text as a text without quotes.
    fn source_beside(&mut self, expr: &Expr, beside: Option<Type>) -> Option<Source> {
        match plain_name(expr) {
            Some(name) if beside == Some(Type::Text) && self.scope.source(name).is_none() => {
                let help = format!("if it is a text, write \"{name}\" with quotes");
                self.refuse(&expr.span, format!("unknown attribute `{name}`"), help)
            }
            _ => self.source(expr),
        }
    }

    /// Returns the source of an attribute, a literal, or a call.
    fn source(&mut self, expr: &Expr) -> Option<Source> {
        let span = &expr.span;
        match &expr.kind {
            ExprKind::Literal(Value::Text(text)) if text.is_empty() => {
                let message = "an empty text counts as missing, so nothing is ever equal to it";
                self.refuse(span, message, "write has(x) for \"is filled\", or !has(x) for \"is not filled\"")
            }
            ExprKind::Literal(value) => Source::fixed(self.written(expr), value.clone()),
            ExprKind::Name(name) => self.scope.source(name).or_else(|| {
                let help = self.scope.help_for(name);
                self.refuse(span, format!("unknown attribute `{name}`"), help)
            }),
            ExprKind::Member(call, member) => {
                let function = match &call.kind {
                    ExprKind::Call { target: None, function, .. } => Function::named(function),
                    _ => None,
                };
                let Some(function) = function else { return self.source(call) };
                let message = format!("the value of {}() has no members, so `.{member}` cannot follow", function.name);
                self.refuse(
                    &(call.span.end..span.end),
                    message,
                    format!("write the call alone: {}", self.written(call)),
                )
            }
            ExprKind::Call { target: Some(_), function, .. } => {
                let help = match function.as_str() {
                    "contains" | "endsWith" | "startsWith" | "matches" => {
                        "compare the complete text with ==, or with `in` a list; for the part of an e-mail after the @, \
                         use email_domain"
                            .to_owned()
                    }
                    _ => functions::help(),
                };
                self.refuse(span, format!("`.{function}()` is not part of conditions"), help)
            }
            ExprKind::Call { target: None, function, arguments } => self.call(expr, function, arguments),
            ExprKind::List(_) => {
                let help = "for example: plan_type in [\"team\", \"enterprise\"]";
                self.refuse(span, "a list can only stand after `in`", help)
            }
            ExprKind::Joined(..) | ExprKind::Not(_) | ExprKind::Compare(..) | ExprKind::In(..) => {
                let message = "a comparison is true or false and cannot be compared again";
                self.refuse(span, message, "join comparisons with && (and) or || (or)")
            }
        }
    }

    fn written(&self, expr: &Expr) -> &str {
        self.text.get(expr.span.clone()).unwrap_or_default()
    }

    fn call(&mut self, expr: &Expr, name: &str, arguments: &[Expr]) -> Option<Source> {
        let Some(function) = Function::named(name) else {
            let near = nearest(name, functions::names());
            let help = near.map_or_else(functions::help, |near| format!("did you mean `{near}`?"));
            return self.refuse(&expr.span, format!("unknown function `{name}`"), help);
        };
        if arguments.len() != function.parameters.len() {
            return self.refuse(&expr.span, function.wrong_count(), function.example());
        }
        if matches!(function.calculation, Calculation::Filled) {
            let signature = function.signature();
            let help = format!("write {signature} alone, or !{signature}");
            return self.refuse(&expr.span, format!("{signature} is already true or false"), help);
        }
        // Checks all arguments, because each may have a fault of its own.
        let typed = arguments.iter().zip(function.argument_types());
        let typed: Vec<_> = typed.map(|(argument, wanted)| self.typed(argument, function, *wanted)).collect();
        let arguments = typed.into_iter().collect::<Option<_>>()?;
        Some(Source::call(self.written(expr), function, arguments))
    }

    /// Returns the argument of a function: an attribute (or, for numbers, a named value) of the wanted type.
    fn typed(&mut self, expr: &Expr, function: &Function, wanted: Type) -> Option<Source> {
        let source = self.attribute(expr, function)?;
        if source.kind() == wanted {
            return Some(source);
        }
        let (wanted, found) = (wanted.name(), source.kind().name());
        let message = format!("{}() takes a {wanted}, and {} is a {found}", function.name, shown(&source));
        self.refuse(&expr.span, message, function.example())
    }

    fn attribute(&mut self, expr: &Expr, function: &Function) -> Option<Source> {
        if matches!(expr.kind, ExprKind::Name(_) | ExprKind::Member(..) | ExprKind::Literal(_)) {
            return self.source(expr);
        }
        let message = format!("an argument of {}() must be the name of an attribute", function.name);
        self.refuse(&expr.span, message, function.example())
    }
}

/// Returns the left side of a comparison. If it is compared with a word such as `null`, it takes the word as a value.
fn compared_with<'v>(source: Source, values: impl IntoIterator<Item = &'v Value>) -> Source {
    let has_word = values.into_iter().any(|value| value.is_word_for_no_value(Type::Text));
    if has_word { source.taking_words() } else { source }
}

/// Returns a name without a dot. Beside a text, it may be a text without quotes.
fn plain_name(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Name(name) if !name.contains('.') => Some(name),
        _ => None,
    }
}

/// Returns the message and the help if two values cannot be compared.
fn mismatch(left: &Source, op: Op, right: &Source) -> Option<(String, String)> {
    let name = left.text();
    match (left.kind(), right.kind()) {
        (Type::List, _) => {
            Some((format!("`{name}` is a list; only its items or its size can be compared"), example(left)))
        }
        (Type::Date, _) => Some((format!("`{name}` is a date; dates are compared by their age"), example(left))),
        (one, other) if one != other => {
            let message = format!("`{name}` is a {}, and {} is a {}", one.name(), shown(right), other.name());
            Some((message, mended(left, right)))
        }
        (kind @ (Type::Text | Type::YesNo), _) if !matches!(op, Op::Equal | Op::NotEqual) => {
            let message = format!("`{}` compares sizes, and `{name}` is a {}", op.sign(), kind.name());
            Some((message, example(left)))
        }
        _ => None,
    }
}

/// Returns a value as written, in quotes or backticks.
fn shown(source: &Source) -> String {
    if source.text().starts_with(['"', '\'']) { source.text().to_owned() } else { format!("`{}`", source.text()) }
}

/// Suggests a right-hand side that fits.
fn mended(left: &Source, right: &Source) -> String {
    match (left.kind(), right.fixed_value()) {
        (Type::Number, Some(Value::Text(text))) if text.trim().parse::<f64>().is_ok() => {
            format!("write {} without quotes", text.trim())
        }
        (Type::Text, Some(Value::Number(_) | Value::Bool(_))) => format!("write \"{}\" with quotes", right.text()),
        (Type::YesNo, Some(Value::Text(text))) if text == "true" || text == "false" => {
            format!("write {text} without quotes")
        }
        _ => example(left),
    }
}

fn example(source: &Source) -> String {
    let name = source.text();
    match source.kind() {
        Type::Number => format!("for example: {name} >= 10"),
        Type::Text => format!("for example: {name} == \"…\""),
        Type::YesNo => format!("for example: {name} == true"),
        Type::List => format!("for example: size({name}) > 0, or \"…\" in {name}"),
        Type::Date => format!("for example: days_since({name}) >= 14"),
    }
}
