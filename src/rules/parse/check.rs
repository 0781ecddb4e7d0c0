//! Turns a syntax tree into a condition: looks up every name, and checks that types fit.

use super::expr::{Expr, ExprKind};
use super::lex::Fault;
use super::scope::Scope;
use super::types::{a, example, mismatch, shown};
use crate::model::{Type, Value};
use crate::rules::attributes::nearest;
use crate::rules::condition::{Comparison, Condition, Op};
use crate::rules::functions::{self, Calculation, Function};
use crate::rules::source::Source;

/// Walks a tree and collects its faults.
pub(super) struct Checker<'a> {
    text: &'a str,
    scope: Scope<'a>,
    pub faults: Vec<Fault>,
}

impl<'a> Checker<'a> {
    pub fn new(text: &'a str, scope: Scope<'a>) -> Self {
        Checker { text, scope, faults: Vec::new() }
    }

    fn fault<T>(&mut self, fault: Fault) -> Option<T> {
        self.faults.push(fault);
        None
    }

    pub fn condition(&mut self, expr: &Expr) -> Option<Condition> {
        match &expr.kind {
            ExprKind::All(parts) => self.joined(parts).map(Condition::All),
            ExprKind::Any(parts) => self.joined(parts).map(Condition::Any),
            ExprKind::Not(inner) => Some(Condition::Not(Box::new(self.condition(inner)?))),
            ExprKind::In(item, list) => self.membership(item, list).map(Condition::Comparison),
            ExprKind::Compare(left, op, right) => self.compare(left, *op, right).map(Condition::Comparison),
            ExprKind::Call { target: None, function: name, arguments } => {
                match (Function::named(name).map(|function| function.calculation), arguments.as_slice()) {
                    (Some(Calculation::Filled), [argument]) => {
                        let source = self.attribute(argument, name)?;
                        Some(Condition::Comparison(Comparison::Filled(source)))
                    }
                    _ => self.not_compared(expr),
                }
            }
            ExprKind::Call { .. } => self.not_compared(expr),
            ExprKind::Name(_) | ExprKind::Member(..) => {
                let source = self.source(expr)?;
                if source.kind() == Type::YesNo && !source.is_fixed() {
                    return Some(Condition::Comparison(Comparison::Yes(source)));
                }
                self.not_compared(expr)
            }
            ExprKind::Literal(_) | ExprKind::List(_) => {
                self.source(expr)?;
                let fault = Fault::new(expr.span.clone(), "a value alone is not a condition");
                self.fault(fault.help("compare an attribute with it, for example: teammates_count >= 8"))
            }
        }
    }

    /// Reports an attribute or call that stands where a comparison should be.
    fn not_compared(&mut self, expr: &Expr) -> Option<Condition> {
        let source = self.source(expr)?;
        let message = format!("`{}` is {} and is not compared with anything", source.text(), a(source.kind()));
        self.fault(Fault::new(expr.span.clone(), message).help(example(&source)))
    }

    /// Checks all parts, because each may have faults of its own.
    fn joined(&mut self, parts: &[Expr]) -> Option<Vec<Condition>> {
        let checked: Vec<_> = parts.iter().map(|part| self.condition(part)).collect();
        checked.into_iter().collect()
    }

    fn compare(&mut self, left: &Expr, op: Op, right: &Expr) -> Option<Comparison> {
        let (first, second) = (self.source_beside(left, self.peek(right)), self.source_beside(right, self.peek(left)));
        let span = left.span.clone().start..right.span.clone().end;
        let (mut left, mut right, mut op) = (first?, second?, op);
        if left.is_fixed() {
            (left, right, op) = (right, left, op.mirrored());
        }
        if left.is_fixed() {
            return self.fault(Fault::new(span, "both sides are fixed values").help("one side has to be an attribute"));
        }
        match mismatch(&left, op, &right) {
            None => Some(Comparison::Compare { left, op, right }),
            Some((message, help)) => self.fault(Fault::new(span, message).help(help)),
        }
    }

    fn membership(&mut self, item: &Expr, list: &Expr) -> Option<Comparison> {
        if let ExprKind::List(literals) = &list.kind {
            let source = self.source(item)?;
            let values = self.literals(&source, literals)?;
            if source.is_fixed() {
                let fault = Fault::new(item.span.clone(), "both sides of `in` are fixed values");
                return self.fault(fault.help("one side has to be an attribute"));
            }
            return Some(Comparison::OneOf { item: source, list: values });
        }
        let item_source = self.source_beside(item, Some(Type::Text));
        let list_source = self.source(list);
        let (item_source, list_source) = (item_source?, list_source?);
        if list_source.kind() != Type::List {
            let message = format!("`{}` is {}, not a list", list_source.text(), a(list_source.kind()));
            let help = format!(
                "after `in`, write a list attribute or a list of values: {} in [\"a\", \"b\"]",
                item_source.text()
            );
            return self.fault(Fault::new(list.span.clone(), message).help(help));
        }
        if item_source.kind() != Type::Text {
            let message = format!("lists hold texts, and `{}` is {}", item_source.text(), a(item_source.kind()));
            return self.fault(
                Fault::new(item.span.clone(), message).help(format!("for example: \"sso\" in {}", list_source.text())),
            );
        }
        Some(Comparison::Contains { list: list_source, item: item_source })
    }

    /// Returns the values of a literal list, each of the item's type.
    fn literals(&mut self, item: &Source, elements: &[Expr]) -> Option<Vec<Value>> {
        if !matches!(item.kind(), Type::Text | Type::Number) {
            let message = format!("`{}` is {} and cannot be an item of a list", item.text(), a(item.kind()));
            return self.fault(Fault::new(0..self.text.len(), message).help(example(item)));
        }
        let mut values = Vec::new();
        for element in elements {
            let source = self.source_beside(element, Some(item.kind()))?;
            if !matches!(element.kind, ExprKind::Literal(_)) && !source.is_fixed() {
                let fault = Fault::new(element.span.clone(), "a list in brackets can contain fixed values only");
                return self.fault(fault.help("for example: plan_type in [\"team\", \"enterprise\"]"));
            }
            if let Some((message, help)) = mismatch(item, Op::Equal, &source) {
                return self.fault(Fault::new(element.span.clone(), message).help(help));
            }
            values.extend(source.fixed_value().cloned());
        }
        Some(values)
    }

    /// Returns the type of an attribute. `None` for an unknown name, without a fault.
    fn peek(&self, expr: &Expr) -> Option<Type> {
        match &expr.kind {
            ExprKind::Name(name) => self.scope.source(name).map(|source| source.kind()),
            _ => None,
        }
    }

    /// Like [`Checker::source`], but treats an unknown name beside a text as a text without quotes.
    fn source_beside(&mut self, expr: &Expr, beside: Option<Type>) -> Option<Source> {
        match &expr.kind {
            ExprKind::Name(name) if beside == Some(Type::Text) && self.scope.source(name).is_none() => {
                let fault = Fault::new(expr.span.clone(), format!("unknown attribute `{name}`"));
                self.fault(fault.help(format!("if it is a text, write \"{name}\" with quotes")))
            }
            _ => self.source(expr),
        }
    }

    /// Returns the source of an attribute, a literal, or a call.
    fn source(&mut self, expr: &Expr) -> Option<Source> {
        let span = expr.span.clone();
        match &expr.kind {
            ExprKind::Literal(Value::Text(text)) if text.is_empty() => {
                let fault = Fault::new(span, "an empty text counts as missing, so nothing is ever equal to it");
                self.fault(fault.help("write has(x) for \"is filled\", or !has(x) for \"is not filled\""))
            }
            ExprKind::Literal(value) => Source::fixed(self.text.get(span).unwrap_or_default(), value.clone()),
            ExprKind::Name(_) | ExprKind::Member(..) => {
                let name = self.name(expr)?;
                match self.scope.source(&name) {
                    Some(source) => Some(source),
                    None => {
                        let help = self.scope.help_for(&name);
                        self.fault(Fault::new(span, format!("unknown attribute `{name}`")).help(help))
                    }
                }
            }
            ExprKind::Call { target: Some(_), function, .. } => self.method(expr, function),
            ExprKind::Call { target: None, function, arguments } => self.function(expr, function, arguments),
            ExprKind::List(_) => {
                let fault = Fault::new(span, "a list can only stand after `in`");
                self.fault(fault.help("for example: plan_type in [\"team\", \"enterprise\"]"))
            }
            ExprKind::All(_) | ExprKind::Any(_) | ExprKind::Not(_) | ExprKind::Compare(..) | ExprKind::In(..) => {
                let fault = Fault::new(span, "a comparison is true or false and cannot be compared again");
                self.fault(fault.help("join comparisons with && (and) or || (or)"))
            }
        }
    }

    /// Refuses `value.function(…)`.
    fn method(&mut self, expr: &Expr, function: &str) -> Option<Source> {
        let message = format!("`.{function}()` is not part of conditions");
        let help = match function {
            "contains" | "endsWith" | "startsWith" | "matches" => {
                "compare the complete text with ==, or with `in` a list; for the part of an e-mail after the @, use email_domain"
                    .to_owned()
            }
            _ => functions::help(),
        };
        self.fault(Fault::new(expr.span.clone(), message).help(help))
    }

    fn function(&mut self, expr: &Expr, name: &str, arguments: &[Expr]) -> Option<Source> {
        let span = expr.span.clone();
        let Some(function) = Function::named(name) else {
            let near = nearest(name, functions::names());
            let help = near.map_or_else(functions::help, |near| format!("did you mean `{near}`?"));
            return self.fault(Fault::new(span, format!("unknown function `{name}`")).help(help));
        };
        if arguments.len() != function.parameters.len() {
            return self.fault(Fault::new(span, function.wrong_count()));
        }
        if matches!(function.calculation, Calculation::Filled) {
            let fault = Fault::new(span, format!("{} is already true or false", function.signature()));
            return self.fault(fault.help(format!("write {0} alone, or !{0}", function.signature())));
        }
        // Checks all arguments, because each may have a fault of its own.
        let typed = arguments.iter().zip(function.argument_types());
        let typed: Vec<_> = typed.map(|(argument, wanted)| self.typed(argument, name, *wanted)).collect();
        let arguments = typed.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Source::call(self.text.get(span).unwrap_or_default(), function, arguments))
    }

    /// Returns the argument of a function: an attribute (or, for numbers, a named value) of the wanted type.
    fn typed(&mut self, expr: &Expr, function: &str, wanted: Type) -> Option<Source> {
        let source = self.attribute(expr, function)?;
        if source.kind() == wanted {
            return Some(source);
        }
        let message = format!("{function}() takes {}, and {} is {}", a(wanted), shown(&source), a(source.kind()));
        let span = expr.span.clone();
        self.fault(Fault::new(span, message))
    }

    fn attribute(&mut self, expr: &Expr, function: &str) -> Option<Source> {
        if matches!(expr.kind, ExprKind::Name(_) | ExprKind::Member(..) | ExprKind::Literal(_)) {
            return self.source(expr);
        }
        let span = expr.span.clone();
        self.fault(Fault::new(span, format!("an argument of {function}() must be the name of an attribute")))
    }

    /// Returns a plain name, or `location.country`. A call has no members yet.
    fn name(&mut self, expr: &Expr) -> Option<String> {
        match &expr.kind {
            ExprKind::Name(name) => Some(name.clone()),
            ExprKind::Member(before, member) => match &before.kind {
                ExprKind::Call { function, .. } => {
                    let message = format!("the value of {function}() has no member `{member}`");
                    let help = "compare the value itself, for example: days_since(last_seen_at) >= 14";
                    self.fault(Fault::new(before.span.end..expr.span.end, message).help(help))
                }
                _ => Some(format!("{}.{member}", self.name(before)?)),
            },
            _ => self.fault(Fault::new(expr.span.clone(), "this is not part of conditions").help(super::lex::parts())),
        }
    }
}
