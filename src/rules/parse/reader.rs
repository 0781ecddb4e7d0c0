//! CEL's syntax tree to our conditions: what is not part of them is refused, with its place.

use std::ops::Range;

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};

use super::lex::Fault;
use super::place::Places;
use super::types::{a, example, mismatch, shown};
use super::{FUNCTIONS, Scope};
use crate::model::{Type, Value};
use crate::rules::attributes::nearest;
use crate::rules::condition::{Comparison, Condition, Op};
use crate::rules::source::Source;

/// Goes through a tree and collects what is wrong with it.
pub(super) struct Reader<'a> {
    places: Places<'a>,
    scope: Scope<'a>,
    pub faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    pub fn new(places: Places<'a>, scope: Scope<'a>) -> Self {
        Reader { places, scope, faults: Vec::new() }
    }

    fn fault<T>(&mut self, fault: Fault) -> Option<T> {
        self.faults.push(fault);
        None
    }

    pub fn condition(&mut self, expr: &IdedExpr) -> Option<Condition> {
        match &expr.expr {
            Expr::Call(call) if call.target.is_none() => self.call(expr, call),
            Expr::Ident(_) | Expr::Select(_) => {
                let source = self.source(expr)?;
                if source.kind() == Type::YesNo && !source.is_fixed() {
                    return Some(Condition::Comparison(Comparison::Yes(source)));
                }
                let help = example(&source);
                let message = format!("`{}` is {} and is not compared with anything", source.text(), a(source.kind()));
                self.fault(Fault::new(self.places.span(expr), message).help(help))
            }
            _ => {
                self.source(expr)?;
                let fault = Fault::new(self.places.span(expr), "a value alone is not a condition");
                self.fault(fault.help("compare an attribute with it, for example: teammates_count >= 8"))
            }
        }
    }

    fn call(&mut self, expr: &IdedExpr, call: &CallExpr) -> Option<Condition> {
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, parts) => self.joined(parts, operators::LOGICAL_AND).map(Condition::All),
            (operators::LOGICAL_OR, parts) => self.joined(parts, operators::LOGICAL_OR).map(Condition::Any),
            (operators::LOGICAL_NOT, [inner]) => Some(Condition::Not(Box::new(self.condition(inner)?))),
            (operators::IN, [item, list]) => self.membership(item, list).map(Condition::Comparison),
            ("has", [argument]) => {
                let source = self.attribute(argument, "has")?;
                Some(Condition::Comparison(Comparison::Filled(source)))
            }
            (name, [left, right]) => match op(name) {
                Some(op) => self.compare(left, op, right).map(Condition::Comparison),
                None => self.not_compared(expr),
            },
            _ => self.not_compared(expr),
        }
    }

    /// A call that gives a value where a comparison should be.
    fn not_compared(&mut self, expr: &IdedExpr) -> Option<Condition> {
        let source = self.source(expr)?;
        let message = format!("`{}` is {} and is not compared with anything", source.text(), a(source.kind()));
        self.fault(Fault::new(self.places.span(expr), message).help(example(&source)))
    }

    /// `a && b && c` comes as a tree; it is read as one list.
    fn joined(&mut self, parts: &[IdedExpr], operator: &str) -> Option<Vec<Condition>> {
        let mut all = Vec::new();
        let mut complete = true;
        for part in parts {
            let nested = match &part.expr {
                Expr::Call(call) if call.func_name == operator => self.joined(&call.args, operator),
                _ => self.condition(part).map(|condition| vec![condition]),
            };
            match nested {
                Some(conditions) => all.extend(conditions),
                // Go on: the other parts may have faults of their own.
                None => complete = false,
            }
        }
        complete.then_some(all)
    }

    fn compare(&mut self, left: &IdedExpr, op: Op, right: &IdedExpr) -> Option<Comparison> {
        let (first, second) = (self.source_beside(left, self.peek(right)), self.source_beside(right, self.peek(left)));
        let span = self.places.span(left).start..self.places.span(right).end;
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

    fn membership(&mut self, item: &IdedExpr, list: &IdedExpr) -> Option<Comparison> {
        if let Expr::List(literals) = &list.expr {
            let source = self.source(item)?;
            let values = self.literals(&source, &literals.elements)?;
            if source.is_fixed() {
                let fault = Fault::new(self.places.span(item), "both sides of `in` are fixed values");
                return self.fault(fault.help("one side has to be an attribute"));
            }
            return Some(Comparison::OneOf { item: source, list: values });
        }
        let item_source = self.source_beside(item, Some(Type::Text));
        let list_source = self.source(list);
        let (item_source, list_source) = (item_source?, list_source?);
        if list_source.kind() != Type::List {
            let message = format!("`{}` is {}, not a list", list_source.text(), a(list_source.kind()));
            let help =
                format!("after `in` stands a list attribute, or values: {} in [\"a\", \"b\"]", item_source.text());
            return self.fault(Fault::new(self.places.span(list), message).help(help));
        }
        if item_source.kind() != Type::Text {
            let message = format!("lists hold texts, and `{}` is {}", item_source.text(), a(item_source.kind()));
            return self.fault(
                Fault::new(self.places.span(item), message)
                    .help(format!("for example: \"sso\" in {}", list_source.text())),
            );
        }
        Some(Comparison::Contains { list: list_source, item: item_source })
    }

    /// The values of a literal list, each of the type of what is looked for.
    fn literals(&mut self, item: &Source, elements: &[IdedExpr]) -> Option<Vec<Value>> {
        if !matches!(item.kind(), Type::Text | Type::Number) {
            let message = format!("`{}` is {} and cannot be looked for in a list", item.text(), a(item.kind()));
            return self.fault(Fault::new(0..self.places.text.len(), message).help(example(item)));
        }
        let mut values = Vec::new();
        for element in elements {
            let source = self.source_beside(element, Some(item.kind()))?;
            if !matches!(element.expr, Expr::Literal(_)) && !source.is_fixed() {
                let fault = Fault::new(self.places.span(element), "a written list holds fixed values only");
                return self.fault(fault.help("for example: plan_type in [\"team\", \"enterprise\"]"));
            }
            if let Some((message, help)) = mismatch(item, Op::Equal, &source) {
                return self.fault(Fault::new(self.places.span(element), message).help(help));
            }
            values.extend(source.fixed_value().cloned());
        }
        Some(values)
    }

    /// The type of an attribute, without a word where there is none.
    fn peek(&self, expr: &IdedExpr) -> Option<Type> {
        match &expr.expr {
            Expr::Ident(name) => self.scope.source(name).map(|source| source.kind()),
            _ => None,
        }
    }

    /// The same as [`Reader::source`], but knows what an unknown name beside a text is: a text without its quotes.
    fn source_beside(&mut self, expr: &IdedExpr, beside: Option<Type>) -> Option<Source> {
        match &expr.expr {
            Expr::Ident(name) if beside == Some(Type::Text) && self.scope.source(name).is_none() => {
                let fault = Fault::new(self.places.span(expr), format!("nobody knows an attribute `{name}`"));
                self.fault(fault.help(format!("if it is a text, write \"{name}\" with quotes")))
            }
            _ => self.source(expr),
        }
    }

    /// What has a value: an attribute, a literal, or a call.
    fn source(&mut self, expr: &IdedExpr) -> Option<Source> {
        let span = self.places.span(expr);
        match &expr.expr {
            Expr::Literal(literal) => self.literal(span, literal),
            Expr::Ident(_) | Expr::Select(_) => {
                let name = self.name(expr)?;
                match self.scope.source(&name) {
                    Some(source) => Some(source),
                    None => {
                        let help = self.scope.help_for(&name);
                        self.fault(Fault::new(span, format!("nobody knows an attribute `{name}`")).help(help))
                    }
                }
            }
            Expr::Call(call) => self.function(expr, call),
            Expr::List(_) => {
                let fault = Fault::new(span, "a list can only stand after `in`");
                self.fault(fault.help("for example: plan_type in [\"team\", \"enterprise\"]"))
            }
            _ => self.fault(Fault::new(span, "this is not part of conditions").help(super::lex::PARTS)),
        }
    }

    fn literal(&mut self, span: Range<usize>, literal: &LiteralValue) -> Option<Source> {
        let value = match literal {
            LiteralValue::Boolean(yes) => Value::Bool(yes.into_inner()),
            LiteralValue::Double(number) => Value::Number(number.into_inner()),
            // Through its digits: whole numbers that people write are far below 2^53.
            LiteralValue::Int(number) => Value::Number(number.inner().to_string().parse().ok()?),
            LiteralValue::String(text) if text.inner().is_empty() => {
                let fault = Fault::new(span, "an empty text counts as missing, so nothing is ever equal to it");
                return self.fault(fault.help("write has(x) for \"is filled\", !has(x) for \"is not filled\""));
            }
            LiteralValue::String(text) => Value::Text(text.inner().to_owned()),
            LiteralValue::Bytes(_) | LiteralValue::Null | LiteralValue::UInt(_) => {
                return self.fault(Fault::new(span, "values are numbers, \"texts\", true and false"));
            }
        };
        let text = self.places.text.get(span).unwrap_or_default();
        Source::fixed(text, value)
    }

    fn function(&mut self, expr: &IdedExpr, call: &CallExpr) -> Option<Source> {
        let span = self.places.span(expr);
        let text = self.places.text.get(span.clone()).unwrap_or_default().to_owned();
        if call.target.is_some() {
            let message = format!("`.{}()` is not part of conditions", call.func_name);
            let help = match call.func_name.as_str() {
                "contains" | "endsWith" | "startsWith" | "matches" => {
                    "texts are compared as a whole: with ==, or `in` a list; what follows the @ of an e-mail is email_domain"
                        .to_owned()
                }
                _ => format!("there are the functions {}", FUNCTIONS.join(", ")),
            };
            return self.fault(Fault::new(span, message).help(help));
        }
        match (call.func_name.as_str(), call.args.as_slice()) {
            ("size", [list]) => {
                let list = self.typed(list, "size", Type::List)?;
                Some(Source::size(&text, list))
            }
            ("days_since", [date]) => {
                let date = self.typed(date, "days_since", Type::Date)?;
                Some(Source::days_since(&text, date))
            }
            ("percent", [part, whole]) => {
                let (part, whole) =
                    (self.typed(part, "percent", Type::Number), self.typed(whole, "percent", Type::Number));
                Some(Source::percent(&text, part?, whole?))
            }
            ("has", [_]) => {
                let fault = Fault::new(span, "has(x) is true or false already");
                self.fault(fault.help("write has(x) alone, or !has(x)"))
            }
            (name, _) if FUNCTIONS.contains(&name) => {
                let wanted = if name == "percent" { "two attributes: percent(part, whole)" } else { "one attribute" };
                self.fault(Fault::new(span, format!("{name}() takes {wanted}")))
            }
            (operators::INDEX, _) => {
                let fault = Fault::new(span, "single items of a list are not part of conditions");
                self.fault(fault.help("for example: \"sso\" in enterprise_features_tried, or size(…) > 0"))
            }
            (name, _) if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => {
                let help = match nearest(name, FUNCTIONS) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are the functions {}", FUNCTIONS.join(", ")),
                };
                self.fault(Fault::new(span, format!("there is no function `{name}`")).help(help))
            }
            _ => {
                let fault = Fault::new(span, "a comparison is true or false and cannot be compared again");
                self.fault(fault.help("join comparisons with && (and) or || (or)"))
            }
        }
    }

    /// The argument of a function: an attribute (or, for numbers, a named value) of the type it wants.
    fn typed(&mut self, expr: &IdedExpr, function: &str, wanted: Type) -> Option<Source> {
        let source = self.attribute(expr, function)?;
        if source.kind() == wanted {
            return Some(source);
        }
        let message = format!("{function}() wants {}, and {} is {}", a(wanted), shown(&source), a(source.kind()));
        let span = self.places.span(expr);
        self.fault(Fault::new(span, message))
    }

    fn attribute(&mut self, expr: &IdedExpr, function: &str) -> Option<Source> {
        if matches!(expr.expr, Expr::Ident(_) | Expr::Select(_) | Expr::Literal(_)) {
            return self.source(expr);
        }
        let span = self.places.span(expr);
        self.fault(Fault::new(span, format!("{function}() takes attributes by name")))
    }

    /// `location.country` and plain names.
    fn name(&mut self, expr: &IdedExpr) -> Option<String> {
        match &expr.expr {
            Expr::Ident(name) => Some(name.clone()),
            Expr::Select(select) if !select.test => {
                let operand = self.name(&select.operand)?;
                Some(format!("{operand}.{}", select.field))
            }
            _ => {
                let span = self.places.span(expr);
                self.fault(Fault::new(span, "this is not part of conditions").help(super::lex::PARTS))
            }
        }
    }
}

fn op(name: &str) -> Option<Op> {
    Some(match name {
        operators::EQUALS => Op::Equal,
        operators::NOT_EQUALS => Op::NotEqual,
        operators::LESS => Op::Less,
        operators::LESS_EQUALS => Op::LessOrEqual,
        operators::GREATER => Op::Greater,
        operators::GREATER_EQUALS => Op::GreaterOrEqual,
        _ => return None,
    })
}
