use super::*;

fn is(column: &str, operator: Operator, values: &[&str]) -> Condition {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Condition::Is(Criterion { column: column.to_owned(), operator, values })
}

#[test]
fn a_whole_statement_is_read() {
    let select = parse(
        "SELECT id, Email from Contacts where Email in ('a@x.example','o''b@y.example') order by id desc limit 50 offset 10",
    )
    .unwrap();
    assert_eq!(select.columns, ["id", "Email"]);
    assert_eq!(select.module, "Contacts");
    assert_eq!(select.condition, is("Email", Operator::In, &["a@x.example", "o'b@y.example"]));
    assert_eq!((select.order, select.limit, select.offset), (vec![("id".to_owned(), true)], 50, 10));
}

#[test]
fn every_operator_is_read() {
    for (text, operator, values) in [
        ("A = 'x'", Operator::Equal, vec!["x"]),
        ("A != true", Operator::NotEqual, vec!["true"]),
        ("A >= '2025-12-20T06:00:00+00:00'", Operator::GreaterOrEqual, vec!["2025-12-20T06:00:00+00:00"]),
        ("A > 2025-12-20T06:00:00+00:00", Operator::Greater, vec!["2025-12-20T06:00:00+00:00"]),
        ("A<=5", Operator::LessOrEqual, vec!["5"]),
        ("A < 5", Operator::Less, vec!["5"]),
        ("A like '%US-7%'", Operator::Like, vec!["%US-7%"]),
        ("A not like 'x%'", Operator::NotLike, vec!["x%"]),
        ("A not in (1, 2)", Operator::NotIn, vec!["1", "2"]),
        ("A between 'a' and 'b'", Operator::Between, vec!["a", "b"]),
        ("A is null", Operator::Null, vec![]),
        ("A is not null", Operator::NotNull, vec![]),
    ] {
        let select = parse(&format!("select id from Leads where {text}")).unwrap();
        assert_eq!(select.condition, is("A", operator, &values), "{text}");
        assert_eq!((select.limit, select.offset), (200, 0));
    }
}

#[test]
fn three_criteria_need_parentheses_pairwise() {
    let three = |text: &str| parse(&format!("select id from Tasks where {text}"));
    assert!(three("((A = 1 and B = 2) and C = 3)").is_ok());
    assert!(three("(A = 1 or B = 2) and (C = 3 or D = 4)").is_ok());
    for text in ["A = 1 and B = 2 and C = 3", "(A = 1 and B = 2) and C = 3 or D = 4", "(A = 1 or B = 2 or C = 3)"] {
        assert!(matches!(three(text), Err(Refused::Syntax { clause: "order by" | "limit" | "where", .. })), "{text}");
    }
}

#[test]
fn broken_statements_are_syntax_errors() {
    for text in [
        "",
        "select",
        "select from Leads",
        "select id from Leads",
        "select id from Leads where",
        "update Leads",
        "select id from Leads where A",
        "select id from Leads where A = 'x",
        "select id from Leads where A in ()",
        "select id from Leads where A = 'x';",
        "select id from Leads where A = 'x' limit many",
        "select * from Leads where A = 1",
    ] {
        assert!(matches!(parse(text), Err(Refused::Syntax { .. })), "{text}");
    }
}

#[test]
fn limits_are_kept() {
    let values = |count: usize| vec!["'x'"; count].join(",");
    assert!(parse(&format!("select id from Leads where Email in ({})", values(100))).is_ok());
    for text in [
        format!("select id from Leads where Email in ({})", values(101)),
        "select id from Leads where A = 1 limit 2001".to_owned(),
    ] {
        assert!(matches!(parse(&text), Err(Refused::Limit { .. })), "{text}");
    }
}
