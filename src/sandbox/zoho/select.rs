//! `POST /coql`: carries out a parsed statement. It reads the records, not the search index, so it has no delay.

use super::super::http::Reply;
use super::super::json::{Object, text};
use super::super::workspace::Zoho;
use super::super::world::World;
use super::coql::{self, Condition, Criterion, Operator, Refused, Select};
use super::failure::Failure;
use super::fields::{self, DataType, Field};
use super::module::Module;
use chrono::{DateTime, NaiveDate};
use serde_json::{Value, json};
use std::cmp::Ordering;

/// Answers `{"select_query": "…"}`.
pub(super) fn answer(world: &mut World, body: &Object) -> Result<Reply, Failure> {
    let Some(statement) = text(body, "select_query") else {
        let details = json!({"api_name": "select_query", "json_path": "$.select_query"});
        return Err(Failure::new(400, "MANDATORY_NOT_FOUND", details, "required field not found"));
    };
    let select = coql::parse(statement).map_err(|refused| match refused {
        Refused::Syntax { near, column, clause } => {
            let details = json!({"near": near, "line": 1, "column": column, "clause": clause});
            Failure::new(400, "SYNTAX_ERROR", details, "error occurred while parsing the query")
        }
        Refused::Limit { limit, message } => Failure::limit(limit, message),
    })?;
    let zoho = &world.zoho;
    let unknown =
        || Failure::new(400, "INVALID_QUERY", json!({"module": select.module}), "invalid module in from clause");
    let module = Module::named(&select.module).ok_or_else(unknown)?;
    let columns = checked(zoho, module, &select)?;
    let mut found: Vec<&Object> =
        zoho.records(module).iter().filter(|record| holds(&select.condition, &columns, record)).collect();
    found.sort_by(|a, b| sort(&select.order, a, b));
    let total = found.len();
    let rows: Vec<Value> = found
        .into_iter()
        .skip(select.offset)
        .take(select.limit)
        .map(|record| row(zoho, &select.columns, record))
        .collect();
    let count = rows.len();
    // One credit up to 200 rows, two up to 1,000, three above; the first was counted already.
    world.zoho.credits_used.0 += if count > 1000 { 2 } else { u64::from(count > 200) };
    if rows.is_empty() {
        return Ok(Reply::empty(204));
    }
    let more = select.offset + count < total;
    Ok(Reply::json(200, &json!({"data": rows, "info": {"count": count, "more_records": more}})))
}

/// Checks that every column exists and may be named, and that every value fits its column. Returns the module's fields.
fn checked(zoho: &Zoho, module: Module, select: &Select) -> Result<Vec<Field>, Failure> {
    let invalid = |column: &str, reason: &str| {
        Failure::new(400, "INVALID_QUERY", json!({"column_name": column, "reason": reason}), "invalid query formed")
    };
    let mut columns = fields::of(zoho, module);
    columns.retain(|field| !zoho.refused_columns.contains(&format!("{}.{}", module.name(), field.name)));
    let known = |name: &str| columns.iter().find(|field| field.name == name && !name.starts_with('$'));
    for (place, name) in select.columns.iter().enumerate() {
        let base = name.split_once('.').filter(|(_, path)| ["id", "email", "name"].contains(path));
        let lookup = base.is_some_and(|(base, _)| known(base).is_some_and(|field| field.kind == DataType::Lookup));
        if !lookup && known(name).is_none() {
            return Err(invalid(name, "column not found"));
        }
        if select.columns.iter().take(place).any(|other| other == name) {
            return Err(Failure::new(400, "DUPLICATE_DATA", json!({"column_name": name}), "column given twice"));
        }
    }
    for (name, _) in &select.order {
        known(name).ok_or_else(|| invalid(name, "column not found"))?;
    }
    let mut left = vec![&select.condition];
    while let Some(condition) = left.pop() {
        match condition {
            Condition::And(a, b) | Condition::Or(a, b) => left.extend([a.as_ref(), b.as_ref()]),
            Condition::Is(criterion) => {
                let column = known(&criterion.column).ok_or_else(|| invalid(&criterion.column, "column not found"))?;
                if column.kind == DataType::TextArea || column.kind == DataType::Json {
                    return Err(invalid(&criterion.column, "column cannot be used in criteria"));
                }
                if !criterion.values.iter().all(|value| fits(column.kind, value)) {
                    return Err(invalid(&criterion.column, "value does not fit the column's type"));
                }
            }
        }
    }
    Ok(columns)
}

/// Times need an offset and no fraction (`Z` is not documented); days are plain dates.
fn fits(kind: DataType, value: &str) -> bool {
    match kind {
        DataType::DateTime => value.len() == 25 && DateTime::parse_from_rfc3339(value).is_ok(),
        DataType::Date => value.parse::<NaiveDate>().is_ok(),
        DataType::Boolean => ["true", "false"].contains(&value),
        _ => true,
    }
}

/// Renders one row. A lookup shows only its id; `Owner.email` and the like show a field of the user.
fn row(zoho: &Zoho, columns: &[String], record: &Object) -> Value {
    let mut row = Object::new();
    row.insert("id".to_owned(), record.get("id").cloned().unwrap_or_default());
    for name in columns {
        let value = match name.split_once('.') {
            None => match record.get(name) {
                Some(Value::Object(lookup)) if lookup.contains_key("id") => json!({"id": lookup.get("id")}),
                other => other.cloned().unwrap_or_default(),
            },
            Some((lookup, path)) => {
                let target = record.get(lookup).and_then(|lookup| lookup.get("id"));
                let user = zoho.users.iter().find(|user| user.get("id") == target);
                let key = if path == "name" { "full_name" } else { path };
                if path == "id" { target } else { user.and_then(|user| user.get(key)) }.cloned().unwrap_or_default()
            }
        };
        row.insert(name.clone(), value);
    }
    Value::Object(row)
}

fn sort(order: &[(String, bool)], a: &Object, b: &Object) -> Ordering {
    let key = |record: &Object, name: &str| record.get(name).and_then(scalar);
    for (name, descending) in order {
        let found = key(a, name).cmp(&key(b, name));
        let found = if *descending { found.reverse() } else { found };
        if found.is_ne() {
            return found;
        }
    }
    // Not documented, but it makes the order identical in every run.
    key(a, "id").cmp(&key(b, "id"))
}

/// Returns a value as criteria compare it: a lookup by its id.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Object(lookup) => lookup.get("id").and_then(Value::as_str).map(str::to_owned),
        other => Some(other.to_string()),
    }
}

fn holds(condition: &Condition, columns: &[Field], record: &Object) -> bool {
    match condition {
        Condition::And(a, b) => holds(a, columns, record) && holds(b, columns, record),
        Condition::Or(a, b) => holds(a, columns, record) || holds(b, columns, record),
        Condition::Is(criterion) => {
            let kind =
                columns.iter().find(|field| field.name == criterion.column).map_or(DataType::Text, |field| field.kind);
            let value = record.get(&criterion.column).and_then(scalar);
            // A yes/no field that was never set is "no".
            let value = if kind == DataType::Boolean { value.or_else(|| Some("false".to_owned())) } else { value };
            criterion.holds(kind, value.as_deref())
        }
    }
}

impl Criterion {
    /// Compares text exactly. It is not documented whether the real service ignores the case of e-mail addresses, so a client
    /// must ask for every spelling.
    fn holds(&self, kind: DataType, value: Option<&str>) -> bool {
        match (self.operator, value) {
            (Operator::Null, value) => return value.is_none_or(str::is_empty),
            (Operator::NotNull, value) => return value.is_some_and(|value| !value.is_empty()),
            (Operator::NotEqual | Operator::NotIn | Operator::NotLike, None) => return true,
            _ => {}
        }
        let Some(value) = value else { return false };
        let is = |place: usize, wanted: &[Ordering]| {
            self.values
                .get(place)
                .and_then(|other| compare(kind, value, other))
                .is_some_and(|found| wanted.contains(&found))
        };
        let any = || self.values.iter().any(|other| compare(kind, value, other) == Some(Ordering::Equal));
        let matches = || self.values.first().is_some_and(|pattern| like(pattern, value));
        match self.operator {
            Operator::Equal | Operator::In => any(),
            Operator::NotEqual | Operator::NotIn => !any(),
            Operator::Less => is(0, &[Ordering::Less]),
            Operator::LessOrEqual => is(0, &[Ordering::Less, Ordering::Equal]),
            Operator::Greater => is(0, &[Ordering::Greater]),
            Operator::GreaterOrEqual => is(0, &[Ordering::Greater, Ordering::Equal]),
            Operator::Between => {
                is(0, &[Ordering::Greater, Ordering::Equal]) && is(1, &[Ordering::Less, Ordering::Equal])
            }
            Operator::Like => matches(),
            Operator::NotLike => !matches(),
            Operator::Null | Operator::NotNull => false,
        }
    }
}

fn compare(kind: DataType, a: &str, b: &str) -> Option<Ordering> {
    if kind == DataType::DateTime {
        return Some(DateTime::parse_from_rfc3339(a).ok()?.cmp(&DateTime::parse_from_rfc3339(b).ok()?));
    }
    Some(a.cmp(b))
}

/// Matches a pattern. `%` at the start, the end or both stands for any text.
fn like(pattern: &str, value: &str) -> bool {
    match (pattern.strip_prefix('%'), pattern.strip_suffix('%')) {
        (Some(rest), Some(_)) => value.contains(rest.strip_suffix('%').unwrap_or_default()),
        (Some(end), None) => value.ends_with(end),
        (None, Some(start)) => value.starts_with(start),
        (None, None) => value == pattern,
    }
}
