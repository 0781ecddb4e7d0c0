//! COQL's syntax: one `select` statement to a tree (docs/services/zoho.md, "COQL").
//!
//! Three or more criteria need parentheses in pairs, `((a and b) and c)`, so the grammar has no longer chains.

#[cfg(test)]
mod tests;

/// A parsed statement.
#[derive(Debug, PartialEq)]
pub(super) struct Select {
    pub columns: Vec<String>,
    pub module: String,
    pub condition: Condition,
    /// Columns, each with whether its order is descending.
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
    /// The operands; empty for the null tests.
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
    /// The text at the error, its column and its clause.
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

/// Returns the text up to the closing quote, and the rest. A doubled quote stands for one.
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

    /// Parses a term, or two terms joined once.
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

    /// Consumes a keyword if it is next, ignoring case.
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
