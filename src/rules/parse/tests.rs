use std::collections::BTreeMap;

use proptest::prelude::*;

use super::lex::lex;
use super::parser::{Expr, ExprKind, Join};
use super::*;
use crate::model::{Contact, Date, Type, Value};
use crate::rules::Attributes;
use crate::rules::source::ContactView;

fn parse(text: &str) -> Result<Condition, Vec<Fault>> {
    let declared = BTreeMap::from([("is_trial".to_owned(), Type::YesNo), ("seats".to_owned(), Type::Number)]);
    let params = BTreeMap::from([
        ("seat_limit".to_owned(), Value::Number(10.0)),
        ("best_plan".to_owned(), Value::Text("team".to_owned())),
    ]);
    let scope = Scope { attributes: &Attributes::new(declared), params: &params };
    Condition::parse(text, scope)
}

#[test]
fn every_form_of_condition_is_parsed_and_printed() {
    for (text, printed) in [
        ("teammates_count >= 8", None),
        ("plan_type == \"team\" && teammates_count >= 8", None),
        ("plan_type=='team'&&teammates_count>=8", Some("plan_type == 'team' && teammates_count >= 8")),
        ("8 <= teammates_count", Some("teammates_count >= 8")),
        ("projects_count < -1.5 || seats != 0", None),
        ("(seats > 1 || seats < 0) && (is_trial || !(is_trial))", None),
        ("seats > 1 && seats < 5 && seats != 3 && seats != 4", None),
        ("!is_trial", Some("!(is_trial)")),
        ("is_trial == false", None),
        ("\"sso\" in enterprise_features_tried", None),
        ("best_plan in departments_using", None),
        ("plan_type in [\"team\", \"pro\"]", None),
        (r#"plan_type in ["Österreich", "a\"b", "c\\d", "e\nf", "g\u202eh", "i\u0007j"]"#, None),
        ("seats in [1, 2.5, -3]", None),
        ("plan_type in [best_plan, 'x']", Some("plan_type in [\"team\", \"x\"]")),
        ("size(departments_using) >= 2", None),
        ("size ( departments_using )>0", Some("size ( departments_using ) > 0")),
        ("has(location.country) && location.country == \"Österreich\"", None),
        ("days_since(last_seen_at) >= 14", None),
        ("percent(teammates_count, seat_limit) >= 80", None),
        ("percent(seats, 50) > 1", None),
        ("storage_used_mb >= storage_limit_mb", None),
        ("seats >= seat_limit", None),
        ("days_since_signup > 30\n  && seats > 1", Some("days_since_signup > 30 && seats > 1")),
    ] {
        let condition = parse(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
        assert_eq!(condition.to_string(), printed.unwrap_or(text));
        let again = parse(&condition.to_string()).unwrap_or_else(|faults| panic!("{condition}: {faults:?}"));
        assert_eq!(again.to_string(), condition.to_string());
    }
}

/// A condition, the place of its fault, the message, and a part of the help.
#[rustfmt::skip]
const REFUSED: &[(&str, &str, &str, &str)] = &[
    ("seats = 3", "=", "a single `=` is not a comparison", "`==`"),
    ("seats => 3", "=>", "`=>` is not a comparison", "`>=`"),
    ("seats =< 3", "=<", "`=<` is not a comparison", "`<=`"),
    ("seats === 3", "=", "a single `=` is not a comparison", "`==`"),
    ("seats <> 3", "<>", "`<>` is not a comparison", "`!=`"),
    ("seats > 1 and seats < 3", "and", "`and` is not part of conditions", "`&&`"),
    ("seats > 1 OR seats < 3", "OR", "`OR` is not part of conditions", "`||`"),
    ("not is_trial", "not", "`not` is not part of conditions", "`!`"),
    ("seats > 1 & seats < 3", "&", "a single `&` is not part of conditions", "`&&`"),
    ("seats > 1 | seats < 3", "|", "a single `|` is not part of conditions", "`||`"),
    ("plan_type == \"team", "\"team", "this quote is never closed", "add the missing \""),
    ("plan_type == 'team", "'team", "this quote is never closed", "add the missing '"),
    ("plan_type == “team”", "“team”", "`“` is not part of conditions", "straight quotes"),
    ("plan_type == team", "team", "unknown attribute `team`", "write \"team\" with quotes"),
    ("plan_type in [team]", "team", "unknown attribute `team`", "write \"team\" with quotes"),
    ("sso in departments_using", "sso", "unknown attribute `sso`", "write \"sso\" with quotes"),
    ("unheard_of > 3", "unheard_of", "unknown attribute `unheard_of`", "[attributes.types]"),
    ("plan_typ == \"team\"", "plan_typ", "unknown attribute `plan_typ`", "did you mean `plan_type`?"),
    ("location.planet == \"Mars\"", "location.planet", "unknown attribute `location.planet`", ""),
    ("plan_type == 3", "plan_type == 3", "`plan_type` is a text, and `3` is a number", "write \"3\" with quotes"),
    ("teammates_count >= \"8\"", "teammates_count >= \"8\"", "`teammates_count` is a number, and \"8\" is a text", "write 8 without quotes"),
    ("is_trial == \"true\"", "is_trial == \"true\"", "`is_trial` is a yes/no, and \"true\" is a text", "write true without quotes"),
    ("seats == true", "seats == true", "`seats` is a number, and `true` is a yes/no", "seats >= 10"),
    ("seats == plan_type", "seats == plan_type", "`seats` is a number, and `plan_type` is a text", ""),
    ("plan_type < \"team\"", "plan_type < \"team\"", "`<` compares sizes, and `plan_type` is a text", "plan_type == \"…\""),
    ("plan_type == \"\"", "\"\"", "an empty text counts as missing, so nothing is ever equal to it", "has(x)"),
    ("plan_type == null", "null", "`null` is not part of conditions", "has(x)"),
    ("is_trial == True", "True", "`True` is not a name that can be compared", "write `true`"),
    ("last_seen_at > 14", "last_seen_at > 14", "`last_seen_at` is a date; dates are compared by their age", "days_since(last_seen_at) >= 14"),
    ("departments_using == \"Sales\"", "departments_using == \"Sales\"", "`departments_using` is a list; only its items or its size can be compared", "\"…\" in departments_using"),
    ("departments_using", "departments_using", "`departments_using` is a list and is not compared with anything", "size(departments_using) > 0"),
    ("size(departments_using)", "size(departments_using)", "`size(departments_using)` is a number and is not compared with anything", ">= 10"),
    ("true", "true", "a value alone is not a condition", "teammates_count >= 8"),
    ("1 == 1", "1 == 1", "both sides are fixed values", "has to be an attribute"),
    ("\"a\" in [\"a\"]", "\"a\"", "both sides of `in` are fixed values", "has to be an attribute"),
    ("plan_type in [\"team\", 3]", "3", "`plan_type` is a text, and `3` is a number", "with quotes"),
    ("plan_type in [browser]", "browser", "a list in brackets can contain fixed values only", "plan_type in"),
    ("\"a\" in plan_type", "plan_type", "`plan_type` is a text, not a list", "in [\"a\", \"b\"]"),
    ("seats in departments_using", "seats", "lists hold texts, and `seats` is a number", ""),
    ("departments_using in [\"a\"]", "departments_using in [\"a\"]", "`departments_using` is a list and cannot be an item of a list", ""),
    ("size(plan_type) > 0", "plan_type", "size() takes a list, and `plan_type` is a text", "size(enterprise_features_tried)"),
    ("days_since(seats) > 0", "seats", "days_since() takes a date, and `seats` is a number", "days_since(last_seen_at)"),
    ("days_since(\"2025-01-01\") > 0", "\"2025-01-01\"", "days_since() takes a date, and \"2025-01-01\" is a text", ""),
    ("percent(seats) > 0", "percent(seats)", "percent() takes 2 attributes: percent(part, whole)", "percent(storage_used_mb, storage_limit_mb)"),
    ("percent(size(departments_using), seats) > 0", "size(departments_using)", "an argument of percent() must be the name of an attribute", ""),
    ("size() > 0", "size()", "size() takes one attribute", ""),
    ("has(plan_type) == true", "has(plan_type)", "has(x) is already true or false", "write has(x) alone"),
    ("days_sinc(last_seen_at) > 3", "days_sinc(last_seen_at)", "unknown function `days_sinc`", "did you mean `days_since`?"),
    ("matches(plan_type, \"t.*\")", "matches(plan_type, \"t.*\")", "unknown function `matches`", "size, has, days_since, percent"),
    ("plan_type.startsWith(\"t\")", "plan_type.startsWith(\"t\")", "`.startsWith()` is not part of conditions", "compare the complete text"),
    ("plan_type.trim() == \"t\"", "plan_type.trim()", "`.trim()` is not part of conditions", "size, has, days_since, percent"),
    ("departments_using.exists(d, d == \"a\")", "departments_using.exists(d, d == \"a\")", "`.exists()` is not part of conditions", ""),
    ("departments_using[0] == \"a\"", "[", "conditions cannot use single items of a list", "in enterprise_features_tried"),
    ("seats + 1 > 3", "+", "`+` is not part of conditions", "percent(part, whole)"),
    ("seats - 1 > 3", "-", "`-` is not part of conditions", "percent(part, whole)"),
    ("seats -1 > 3", "-", "`-` is not part of conditions", "percent(part, whole)"),
    ("-seats > 3", "-", "`-` is not part of conditions", "percent(part, whole)"),
    ("storage_percent >= 80%", "%", "a number has no percent sign", "write the number alone"),
    ("seats > 14days", "14days", "`14days` is not a number", "digits only"),
    ("seats > 8u", "8u", "`8u` is not a number", "digits only"),
    ("seats > 1e3", "1e3", "`1e3` is not a number", "digits only"),
    ("is_trial ? seats > 1 : seats > 2", "?", "`?` is not part of conditions", "two rules"),
    ("{\"a\": 1} == seats", "{", "`{` is not part of conditions", "the functions"),
    ("plan_type == r\"team\"", "r", "`r` stands directly before a quote", "without a prefix"),
    ("(seats > 1) == true", "seats > 1", "a comparison is true or false and cannot be compared again", "&&"),
    ("location.country.code == \"DE\"", ".", "did not expect `.` here", "location.country"),
    ("1 < seats < 3", "< seats <", "a comparison is true or false and cannot be compared again", "&&"),
    ("if > 3", "if", "`if` is a reserved word, not an attribute", ""),
    ("seats > 1 seats < 3", "seats", "did not expect `seats` here", "&&"),
    ("seats >", ">", "the condition is incomplete", "a value must follow"),
    ("&& seats > 1", "&&", "did not expect `&&` here", "missing before it"),
    ("(seats > 1", "(", "this `(` is never closed", "add the missing `)`"),
    ("seats > 1)", ")", "this `)` has no opening bracket", ""),
    ("plan_type in [\"a\")", ")", "this `)` has no opening bracket", ""),
    ("events(\"x\").count > 3", "events(\"x\")", "unknown function `events`", "size, has, days_since, percent"),
    ("size(departments_using).count > 3", ".count", "the value of size() has no members, so `.count` cannot follow", "size(departments_using)"),
    ("plan_type == \"\"\"x\"\"\"", "\"\"\"", "a text stands between one pair of quotes", "\"team\""),
    ("seats >> 20", ">>", "`>>` is not a comparison", "write `>`"),
    ("seats > 1,000", ",", "did not expect `,` here", "without separators"),
    ("seats > 9223372036854775808", "9223372036854775808", "`9223372036854775808` is too large a number", ""),
    ("plan_type == \"a\\q\"", "\\q", "`\\q` is not an escape that texts have", "backslash"),
    ("", "", "the condition is empty", "teammates_count >= 8"),
    ("  ", "  ", "the condition is empty", "teammates_count >= 8"),
];

#[test]
fn every_mistake_is_explained_at_its_place() {
    for (text, place, message, help) in REFUSED {
        let faults = parse(text).map(|condition| condition.to_string()).expect_err(text);
        let fault = &faults[0];
        assert_eq!(fault.message, *message, "{text}");
        assert_eq!(text.get(fault.span.clone()), Some(*place), "{text}");
        assert!(fault.help.as_deref().unwrap_or_default().contains(help), "{text}: {:?}", fault.help);
        // One mistake can be in several places, as with `?` and `:`. It causes no other faults.
        assert!(faults.len() <= 3, "{text}: {faults:?}");
    }
}

#[test]
fn several_faults_are_found_at_once() {
    let faults = parse("plan_typ == \"a\" && (seats > \"3\" || size(seats) > 1)").unwrap_err();
    let places: Vec<_> = faults.iter().map(|fault| fault.span.start).collect();
    assert_eq!(places, [0, 20, 40]);
    // The lexer reports all faults too, up to a limit.
    let faults = parse("seats >= 20 AND NOT plan_type <> \"a\"").unwrap_err();
    let places: Vec<_> = faults.iter().map(|fault| fault.span.start).collect();
    assert_eq!(places, [12, 16, 30]);
    assert_eq!(parse(&"#é".repeat(1000)).unwrap_err().len(), 10);
}

#[test]
fn endless_conditions_are_refused_before_they_exhaust_the_stack() {
    let cases = [
        format!("{}seats > 1{}", "(".repeat(2000), ")".repeat(1990)),
        format!("{}is_trial{}", "(".repeat(9), ")".repeat(9)),
        format!("seats > 1{}", " && seats > 1".repeat(2000)),
        format!("a{}", ".a".repeat(1900)),
        "!".repeat(3999),
        "seats == ".repeat(400),
        "[".repeat(3000),
        format!("plan_type == \"{}\"", "é".repeat(2000)),
    ];
    for text in cases {
        assert!(parse(&text).is_err(), "{}", text.len());
    }
    // The largest condition within the limits.
    let _ = parse(&format!("a{}", ".a".repeat(399))).unwrap_err();
    let _ = parse(&format!("{}is_trial", "!".repeat(798)));
    let _ = parse(&format!("seats{}", " == seats".repeat(399))).unwrap_err();
    let _ = parse(&format!("seats{}", " in seats".repeat(399))).unwrap_err();
    assert!(parse(&format!("{}is_trial{}", "(".repeat(8), ")".repeat(8))).is_ok());
    assert!(parse(&format!("seats > 1{}", " || seats > 1".repeat(190))).is_ok());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        let _ = parse(&text);
    }

    #[test]
    fn no_row_of_words_and_signs_makes_it_panic_and_what_is_read_can_be_evaluated(
        words in prop::collection::vec(prop::sample::select(vec![
            "seats", "plan_type", "is_trial", "departments_using", "last_seen_at", "location", ".country", ".", ",", "(", ")",
            "[", "]", "==", "!=", "<", ">=", "&&", "||", "!", " in ", "size(", "has(", "days_since(", "percent(", "1", "-2.5",
            "\"a\"", "''", "true", "x", "if", "é", "`", "\\", "\n", "seats > 1", "is_trial && ", "\"a\" in departments_using",
        ]), 0..24),
    ) {
        let text = words.concat();
        if let Ok(condition) = parse(&text) {
            let contact = Contact::default();
            condition.truth(ContactView { contact: &contact, as_of: Date::default() });
            let printed = condition.to_string();
            prop_assert_eq!(parse(&printed).map(|again| again.to_string()), Ok(printed.clone()), "{}", text);
        } else if let Err(faults) = parse(&text) {
            for fault in faults {
                prop_assert!(text.get(fault.span.clone()).is_some(), "{} {:?}", text, fault);
            }
        }
    }
}

/// A tree without places, in one form for both parsers.
fn shape(expr: &Expr) -> String {
    let all = |items: &[Expr]| items.iter().map(shape).collect::<Vec<_>>().join(" ");
    match &expr.kind {
        ExprKind::Literal(value) => format!("{value:?}"),
        ExprKind::Name(name) => match name.split_once('.') {
            Some((root, member)) => format!("(.{member} {root})"),
            None => name.clone(),
        },
        ExprKind::Member(before, member) => format!("(.{member} {})", shape(before)),
        ExprKind::Call { target, function, arguments } => {
            let target = target.as_deref().map_or_else(|| "-".to_owned(), shape);
            format!("({function} {target} {})", all(arguments))
        }
        ExprKind::List(items) => format!("[{}]", all(items)),
        ExprKind::Not(inner) => format!("(!_ - {})", shape(inner)),
        ExprKind::Compare(left, op, right) => format!("(_{}_ - {} {})", op.sign(), shape(left), shape(right)),
        ExprKind::In(item, list) => format!("(@in - {} {})", shape(item), shape(list)),
        ExprKind::Joined(Join::All, parts) => format!("(_&&_ - {})", all(parts)),
        ExprKind::Joined(Join::Any, parts) => format!("(_||_ - {})", all(parts)),
    }
}

fn cel_shape(expr: &cel::common::ast::IdedExpr) -> String {
    use cel::common::ast::{Expr, LiteralValue};
    let all = |items: &[cel::common::ast::IdedExpr]| items.iter().map(cel_shape).collect::<Vec<_>>().join(" ");
    match &expr.expr {
        Expr::Literal(LiteralValue::Boolean(yes)) => format!("{:?}", Value::Bool(yes.into_inner())),
        Expr::Literal(LiteralValue::Double(number)) => format!("{:?}", Value::Number(number.into_inner())),
        Expr::Literal(LiteralValue::Int(number)) => {
            format!("{:?}", Value::Number(number.inner().to_string().parse().unwrap()))
        }
        Expr::Literal(LiteralValue::String(text)) => format!("{:?}", Value::Text(text.inner().to_owned())),
        Expr::Ident(name) => name.clone(),
        Expr::Select(select) if !select.test => format!("(.{} {})", select.field, cel_shape(&select.operand)),
        Expr::List(list) => format!("[{}]", all(&list.elements)),
        Expr::Call(call) if matches!(call.func_name.as_str(), "_&&_" | "_||_") => {
            let mut parts = Vec::new();
            flatten(expr, &call.func_name, &mut parts);
            format!("({} - {})", call.func_name, parts.join(" "))
        }
        Expr::Call(call) => {
            let target = call.target.as_deref().map_or_else(|| "-".to_owned(), cel_shape);
            format!("({} {target} {})", call.func_name, all(&call.args))
        }
        other => format!("{other:?}"),
    }
}

/// CEL joins two parts at a time. Brackets make no difference.
fn flatten(expr: &cel::common::ast::IdedExpr, operator: &str, parts: &mut Vec<String>) {
    match &expr.expr {
        cel::common::ast::Expr::Call(call) if call.func_name == operator => {
            call.args.iter().for_each(|part| flatten(part, operator, parts));
        }
        _ => parts.push(cel_shape(expr)),
    }
}

/// Compares both trees of a text. Returns whether our parser accepts it.
fn agrees_with_cel(text: &str) -> Result<bool, String> {
    let Ok(tree) = lex(text).and_then(|tokens| parser::parse(&tokens).map_err(|fault| vec![fault])) else {
        return Ok(false);
    };
    // An empty environment has no macros: has(x) stays a call.
    let parsed = cel::Env::default().with_optional_support(false).parser().parse_with_source_info(text);
    let (expr, _) = parsed.map_err(|error| format!("we accept {text}, CEL does not: {error:?}"))?;
    let (ours, theirs) = (shape(&tree), cel_shape(&expr));
    if ours == theirs { Ok(true) } else { Err(format!("{text}\n ours {ours}\n  CEL {theirs}")) }
}

#[test]
fn cel_parses_every_form_of_condition_to_an_equal_tree() {
    for text in [
        "a && b || !c && (d || e) || f",
        "a && (b && c) && d",
        "!(a == 1) && !!b",
        "x.y == \"a\\n\\u00e9\\x41\\101'\"",
        "a in [1, -2.5, 'x',]",
        "a in []",
        "f(\"x\").member >= 3",
        "f(a, b.c) < -1",
        "p.startsWith('t')",
        "!a == b",
        "!f(x).m",
        "9223372036854775807 > a",
        "-9223372036854775808 < a",
    ] {
        assert_eq!(agrees_with_cel(text), Ok(true), "{text}");
    }
}

/// Expressions of the grammar, nested a few times.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "seats",
        "location.country",
        "is_trial",
        "1",
        "-2.5",
        "'a'",
        "\"b\\tc\"",
        "true",
        "[1, 'x']",
        "[]",
        "f()",
        "events('x').count",
        "size(list)",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
        let sign = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">=", " in ", "&&", "||", " && ", " || "]);
        prop_oneof![
            (inner.clone(), sign, inner.clone()).prop_map(|(left, sign, right)| format!("{left}{sign}{right}")),
            inner.clone().prop_map(|inner| format!("({inner})")),
            inner.clone().prop_map(|inner| format!("!{inner}")),
            (inner.clone(), inner).prop_map(|(one, two)| format!("f({one}, {two})")),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_the_parser_accepts_cel_parses_to_an_equal_tree(text in expression()) {
        prop_assert!(agrees_with_cel(&text).is_ok(), "{:?}", agrees_with_cel(&text));
    }

    #[test]
    fn any_row_of_tokens_that_the_parser_accepts_cel_parses_to_an_equal_tree(
        words in prop::collection::vec(prop::sample::select(vec![
            "seats", "x", ".y", ".", ",", "(", ")", "[", "]", "==", "<", "&&", "||", "!", " in ", "f(", "1", "-2.5", "-",
            "\"a\"", "'\\x41'", "true", "if", " ",
        ]), 0..14),
    ) {
        let text = words.concat();
        prop_assert!(agrees_with_cel(&text).is_ok(), "{:?}", agrees_with_cel(&text));
    }
}
