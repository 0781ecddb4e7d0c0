//! COQL's syntax: one `select` statement to a tree (docs/services/zoho.md, "COQL").
//!
//! Three or more criteria need parentheses pairwise, `((a and b) and c)`: the grammar below simply has no longer chains.

/// A parsed statement.
#[derive(Debug, PartialEq)]
pub(super) struct Select {
    pub columns: Vec<String>,
    pub module: String,
    pub condition: Condition,
    /// Column, and whether descending.
    pub order: Vec<(String, bool)>,
    pub limit: usize,
    pub offset: usize,
}

#[derive(Debug, PartialEq)]
pub(super) enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Is(Criterion),
}

/// One comparison of a column.
#[derive(Debug, PartialEq)]
pub(super) struct Criterion {
    pub column: String,
    pub operator: Operator,
    /// As many as the operator takes; none for the null tests.
    pub values: Vec<String>,
}

#[derive(Debug, PartialEq, Clone, Copy)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Like,
    NotLike,
    Between,
    Null,
    NotNull,
}

/// Why a statement is refused.
#[derive(Debug, PartialEq)]
pub(super) enum Refused {
    /// What stands at the place where it went wrong, and the clause in which it does.
    Syntax {
        near: String,
        column: usize,
        clause: &'static str,
    },
    Limit {
        limit: usize,
        message: &'static str,
    },
}

/// Values in one `in`, criteria in one statement, rows in one answer.
const MOST_VALUES: usize = 100;
const MOST_CRITERIA: usize = 25;
const MOST_ROWS: usize = 2000;
const USUAL_ROWS: usize = 200;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(&'static str),
}

/// Reads a statement.
pub(super) fn parse(statement: &str) -> Result<Select, Refused> {
    let mut parser = Parser { tokens: tokens(statement)?, at: 0, clause: "select", criteria: 0 };
    let select = parser.select()?;
    if parser.at < parser.tokens.len() {
        return Err(parser.unexpected());
    }
    Ok(select)
}

const SIGNS: [&str; 9] = ["!=", "<=", ">=", "=", "<", ">", "(", ")", ","];

fn tokens(statement: &str) -> Result<Vec<(usize, Token)>, Refused> {
    let mut tokens = Vec::new();
    let mut rest = statement;
    while let Some(first) = rest.chars().next() {
        let column = statement.len() - rest.len();
        let is_word = |c: char| c.is_alphanumeric() || "_.:+-$%".contains(c);
        if first.is_whitespace() {
            rest = rest.trim_start();
        } else if let Some(text) = rest.strip_prefix('\'') {
            let (value, after) = quoted(text).ok_or_else(|| syntax(rest, column, "where"))?;
            tokens.push((column, Token::Text(value)));
            rest = after;
        } else if let Some((sign, after)) = SIGNS.iter().find_map(|sign| Some((*sign, rest.strip_prefix(*sign)?))) {
            tokens.push((column, Token::Sign(sign)));
            rest = after;
        } else if is_word(first) {
            let (word, after) = rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
            tokens.push((column, Token::Word(word.to_owned())));
            rest = after;
        } else {
            return Err(syntax(rest, column, "select"));
        }
    }
    Ok(tokens)
}

/// The text up to the closing quote, and what follows it; a doubled quote stands for one.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('\'')?;
        value.push_str(part);
        match after.strip_prefix('\'') {
            Some(more) => {
                value.push('\'');
                rest = more;
            }
            None => return Some((value, after)),
        }
    }
}

fn syntax(near: &str, column: usize, clause: &'static str) -> Refused {
    Refused::Syntax { near: near.chars().take(20).collect(), column: column + 1, clause }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    clause: &'static str,
    criteria: usize,
}

impl Parser {
    fn select(&mut self) -> Result<Select, Refused> {
        self.keyword("select")?;
        let mut columns = vec![self.name()?];
        while self.sign(",") {
            columns.push(self.name()?);
        }
        self.clause = "from";
        self.keyword("from")?;
        let module = self.name()?;
        // A statement without `where` is refused ("missing clause").
        self.clause = "where";
        self.keyword("where")?;
        let condition = self.condition()?;
        let order = self.order()?;
        self.clause = "limit";
        let limit = if self.takes("limit") { self.count()? } else { USUAL_ROWS };
        let offset = if self.takes("offset") { self.count()? } else { 0 };
        if limit > MOST_ROWS {
            return Err(Refused::Limit { limit: MOST_ROWS, message: "limit is above the maximum" });
        }
        Ok(Select { columns, module, condition, order, limit, offset })
    }

    fn order(&mut self) -> Result<Vec<(String, bool)>, Refused> {
        self.clause = "order by";
        let mut order = Vec::new();
        if self.takes("order") {
            self.keyword("by")?;
            loop {
                let column = self.name()?;
                let descending = self.takes("desc");
                if !descending {
                    self.takes("asc");
                }
                order.push((column, descending));
                if !self.sign(",") {
                    break;
                }
            }
        }
        Ok(order)
    }

    /// `term`, or two terms joined once.
    fn condition(&mut self) -> Result<Condition, Refused> {
        let left = self.term()?;
        if self.takes("and") {
            return Ok(Condition::And(Box::new(left), Box::new(self.term()?)));
        }
        if self.takes("or") {
            return Ok(Condition::Or(Box::new(left), Box::new(self.term()?)));
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Condition, Refused> {
        if self.sign("(") {
            let inner = self.condition()?;
            self.expect(")")?;
            return Ok(inner);
        }
        self.criteria += 1;
        if self.criteria > MOST_CRITERIA {
            return Err(Refused::Limit { limit: MOST_CRITERIA, message: "too many criteria" });
        }
        let column = self.name()?;
        let (operator, values) = self.comparison()?;
        Ok(Condition::Is(Criterion { column, operator, values }))
    }

    fn comparison(&mut self) -> Result<(Operator, Vec<String>), Refused> {
        let signs = [
            ("=", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        for (sign, operator) in signs {
            if self.sign(sign) {
                return Ok((operator, vec![self.value()?]));
            }
        }
        if self.takes("is") {
            let operator = if self.takes("not") { Operator::NotNull } else { Operator::Null };
            self.keyword("null")?;
            return Ok((operator, Vec::new()));
        }
        if self.takes("between") {
            let low = self.value()?;
            self.keyword("and")?;
            return Ok((Operator::Between, vec![low, self.value()?]));
        }
        let not = self.takes("not");
        if self.takes("like") {
            return Ok((if not { Operator::NotLike } else { Operator::Like }, vec![self.value()?]));
        }
        self.keyword("in")?;
        self.expect("(")?;
        let mut values = vec![self.value()?];
        while self.sign(",") {
            values.push(self.value()?);
        }
        self.expect(")")?;
        if values.len() > MOST_VALUES {
            return Err(Refused::Limit { limit: MOST_VALUES, message: "too many values in the in operator" });
        }
        Ok((if not { Operator::NotIn } else { Operator::In }, values))
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    /// Steps over a keyword if it is next, whatever its case.
    fn takes(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(found);
        found
    }

    fn keyword(&mut self, keyword: &str) -> Result<(), Refused> {
        if self.takes(keyword) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(next)) if *next == sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), Refused> {
        if self.sign(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn name(&mut self) -> Result<String, Refused> {
        match self.peek() {
            Some(Token::Word(word)) if word.starts_with(|c: char| c.is_alphabetic() || c == '$') => {
                let word = word.clone();
                self.at += 1;
                Ok(word)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn value(&mut self) -> Result<String, Refused> {
        match self.peek() {
            Some(Token::Text(text) | Token::Word(text)) => {
                let text = text.clone();
                self.at += 1;
                Ok(text)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn count(&mut self) -> Result<usize, Refused> {
        let number = match self.peek() {
            Some(Token::Word(word)) => word.parse().ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| self.unexpected())?;
        self.at += 1;
        Ok(number)
    }

    fn unexpected(&self) -> Refused {
        match self.tokens.get(self.at) {
            Some((column, Token::Word(text) | Token::Text(text))) => syntax(text, *column, self.clause),
            Some((column, Token::Sign(sign))) => syntax(sign, *column, self.clause),
            None => syntax("", self.tokens.last().map_or(0, |(column, _)| *column), self.clause),
        }
    }
}

#[cfg(test)]
mod tests {
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
            assert!(
                matches!(three(text), Err(Refused::Syntax { clause: "order by" | "limit" | "where", .. })),
                "{text}"
            );
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
}
