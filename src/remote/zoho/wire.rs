//! The shapes of Zoho's answers.
//!
//! Errors have two envelopes: `{code, details, message, status}` for a complete call, and `{data: [{status, code, …}]}` with
//! one entry per record, under any HTTP status. The sources disagree on which one is used where, so both are read everywhere.

use serde_json::{Map, Value};

use super::complaint::{Complaint, text_at};
use crate::remote::http::HttpAnswer;

/// One row of an answer, with Zoho's field names.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row(Map<String, Value>);

impl Row {
    /// A record with an id and nothing else.
    pub(super) fn bare(id: &str) -> Row {
        Row(Map::from_iter([("id".to_owned(), Value::from(id))]))
    }

    /// The record's id. [`rows`] refuses records without one.
    pub(super) fn id(&self) -> &str {
        self.text("id").unwrap_or_default()
    }

    /// The text of a field; None where the field is absent, null, empty or of another type.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field)?.as_str().filter(|text| !text.is_empty())
    }

    /// The items of a field that holds a list; none where the field is absent or no list.
    pub(super) fn items(&self, field: &str) -> impl Iterator<Item = &Value> {
        self.0.get(field).and_then(Value::as_array).into_iter().flatten()
    }

    /// The id of the record that a lookup field names.
    pub(super) fn lookup(&self, field: &str) -> Option<String> {
        text_at(self.0.get(field)?, "id")
    }

    pub(super) fn yes(&self, field: &str) -> bool {
        self.0.get(field).is_some_and(says_yes)
    }
}

#[derive(Debug, PartialEq)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    /// Whether there are more; None where the answer does not say.
    pub(super) more: Option<bool>,
}

/// Zoho's complaint instead of a result. None for an answer or entry that makes no sense; the record of a write may then be
/// there.
pub(super) type NoResult = Option<Box<Complaint>>;

/// Reads the answer to a question: records under `data`, others under a `key` of their own. 204 and an empty body mean that
/// there are none, as documented.
pub(super) fn rows(status: u16, body: &[u8], key: &str) -> Result<Rows, NoResult> {
    if !(200..300).contains(&status) {
        return Err(Some(Box::new(complaint_or_status(status, body))));
    }
    if status == 204 || body.trim_ascii().is_empty() {
        return Ok(Rows { rows: Vec::new(), more: Some(false) });
    }
    let Ok(Value::Object(mut answer)) = serde_json::from_slice(body) else { return Err(None) };
    let more = answer.get("info").and_then(|info| info.get("more_records")).map(says_yes);
    let Some(Value::Array(entries)) = answer.remove(key) else {
        return Err(Complaint::read(status, &Value::Object(answer)).map(Box::new));
    };
    let has_id = |row: &Row| key != "data" || row.text("id").is_some();
    let rows: Option<Vec<Row>> = entries.into_iter().map(|entry| row(entry).filter(has_id)).collect();
    Ok(Rows { rows: rows.ok_or(None)?, more })
}

fn row(entry: Value) -> Option<Row> {
    let Value::Object(mut fields) = entry else { return None };
    // Documented as text. A number loses no digits here: 64-bit integers stay integers.
    if let Some(Value::Number(id)) = fields.get("id") {
        let id = id.to_string();
        fields.insert("id".to_owned(), Value::String(id));
    }
    Some(Row(fields))
}

fn says_yes(value: &Value) -> bool {
    value.as_bool() == Some(true) || value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

/// A record that was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written {
    pub(super) id: String,
    /// Whether an upsert found the record and changed it.
    pub(super) was_there: bool,
}

type Entry = Result<Written, NoResult>;

/// Reads the answer to a write of `expected` records: one entry for each record, in order. An error concerns the complete call.
pub(super) fn write_answer(status: u16, body: &[u8], expected: usize) -> Result<Vec<Entry>, NoResult> {
    let answer = serde_json::from_slice(body).unwrap_or(Value::Null);
    let Some(entries) = answer.get("data").and_then(Value::as_array) else {
        let success = answer.get("status").and_then(Value::as_str) == Some("success");
        let complaint = match Complaint::read(status, &answer) {
            Some(complaint) if !success => Some(complaint),
            // A 4xx, perhaps from a proxy, means that nothing was done; 408 may mean anything.
            _ if (400..500).contains(&status) && status != 408 => Some(Complaint::without_words(status)),
            _ => None,
        };
        return Err(complaint.map(Box::new));
    };
    let entries: Vec<Entry> = entries.iter().map(|value| entry(status, value)).collect();
    if let Some(complaint) = about_the_call(status, &entries, expected) {
        return Err(Some(complaint));
    }
    if entries.len() == expected { Ok(entries) } else { Err(None) }
}

/// The refusal of a complete call that looks like the refusal of a record, as one source shows it. With these statuses Zoho
/// refuses before it looks at a record, unless the code belongs to a record.
fn about_the_call(status: u16, entries: &[Entry], expected: usize) -> Option<Box<Complaint>> {
    let Some(Err(Some(first))) = entries.first() else { return None };
    let agreed = entries.iter().all(|entry| matches!(entry, Err(Some(other)) if other.code == first.code));
    let before_records = match status {
        401 | 429 => true,
        403 | 404 => entries.len() != expected || first.concerns_the_call(),
        _ => false,
    };
    (agreed && before_records).then(|| first.clone())
}

fn entry(http_status: u16, value: &Value) -> Entry {
    match value.get("status").and_then(Value::as_str) {
        Some("success") => {
            let id = value.get("details").and_then(|details| text_at(details, "id")).ok_or(None)?;
            Ok(Written { id, was_there: value.get("action").and_then(Value::as_str) == Some("update") })
        }
        Some("error") => Err(Complaint::read(http_status, value).map(Box::new)),
        _ => Err(None),
    }
}

fn complaint_or_status(status: u16, body: &[u8]) -> Complaint {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let entry = answer.get("data").and_then(Value::as_array).and_then(|data| data.first());
    Complaint::read(status, entry.unwrap_or(&answer)).unwrap_or_else(|| Complaint::without_words(status))
}

/// Reads the complaint about a complete call, in either envelope.
pub(super) fn complaint_in(answer: &HttpAnswer) -> Complaint {
    complaint_or_status(answer.status.as_u16(), &answer.body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn short(answer: Result<Vec<Entry>, NoResult>) -> String {
        let entry = |entry: Entry| {
            let id = entry.map(|written| written.id);
            id.unwrap_or_else(|complaint| complaint.map_or("?".to_owned(), |complaint| complaint.code))
        };
        match answer {
            Ok(entries) => entries.into_iter().map(entry).collect::<Vec<_>>().join(" "),
            Err(Some(complaint)) => format!("refused {}", complaint.code().unwrap_or("without words")),
            Err(None) => "unclear".to_owned(),
        }
    }

    #[test]
    fn each_record_is_judged_by_its_own_status() {
        let done = json!({"status": "success", "code": "SUCCESS", "details": {"id": "1"}});
        let failed = json!({"status": "error", "code": "INVALID_DATA", "details": {"api_name": "Subject"}});
        let cases = [
            ("all written", 201, json!({"data": [done, done]}), 2, "1 1"),
            ("one refused under 200", 200, json!({"data": [done, failed]}), 2, "1 INVALID_DATA"),
            ("one refused under 207", 207, json!({"data": [failed, done]}), 2, "INVALID_DATA 1"),
            ("all refused under 400", 400, json!({"data": [failed, failed]}), 2, "INVALID_DATA INVALID_DATA"),
            ("written under 500", 500, json!({"data": [done]}), 1, "1"),
            ("written without an id", 201, json!({"data": [{"status": "success", "details": {}}]}), 1, "?"),
            ("neither success nor error", 201, json!({"data": [{"status": "pending"}]}), 1, "?"),
            ("an error without a code", 201, json!({"data": [{"status": "error"}]}), 1, "?"),
            (
                "a locked record under 403",
                403,
                json!({"data": [{"status": "error", "code": "RECORD_LOCKED"}]}),
                1,
                "RECORD_LOCKED",
            ),
            ("one entry too few", 201, json!({"data": [done]}), 2, "unclear"),
            ("one entry too many", 201, json!({"data": [done, done]}), 1, "unclear"),
            ("no entries", 201, json!({"data": []}), 1, "unclear"),
            ("a refusal with too few entries", 400, json!({"data": [failed]}), 2, "unclear"),
        ];
        for (name, status, body, expected, seen) in cases {
            assert_eq!(short(write_answer(status, body.to_string().as_bytes(), expected)), seen, "{name}");
        }
    }

    #[test]
    fn an_upsert_that_changed_a_record_says_so() {
        let entry = |action: &str| json!({"status": "success", "action": action, "details": {"id": "1"}});
        let body = json!({"data": [entry("insert"), entry("update"), {"status": "success", "details": {"id": "1"}}]});
        let entries = write_answer(200, body.to_string().as_bytes(), 3).unwrap();
        let was_there: Vec<bool> = entries.into_iter().map(|entry| entry.unwrap().was_there).collect();
        assert_eq!(was_there, [false, true, false]);
    }

    #[test]
    fn a_refused_call_is_not_an_unclear_one() {
        let token =
            json!({"code": "INVALID_TOKEN", "details": {}, "message": "invalid oauth token", "status": "error"});
        let wrapped = json!({"data": [{"code": "NO_PERMISSION", "status": "error", "details": {}}]});
        let refused = json!({"code": "AUTHORIZATION_FAILED", "status": "error"});
        let permission = json!({"data": [refused, refused]});
        let unnamed = json!({"data": [{"code": "SOMETHING_NEW", "status": "error"}]});
        let cases = [
            (401, token.to_string(), "refused INVALID_TOKEN"),
            (403, wrapped.to_string(), "refused NO_PERMISSION"),
            (403, permission.to_string(), "refused AUTHORIZATION_FAILED"),
            (403, unnamed.to_string(), "refused SOMETHING_NEW"),
            (429, r#"{"code":429,"error":"TOO_MANY_REQUESTS"}"#.to_owned(), "refused TOO_MANY_REQUESTS"),
            (500, r#"{"code":"INTERNAL_ERROR","status":"error"}"#.to_owned(), "refused INTERNAL_ERROR"),
            (403, "<html>go away</html>".to_owned(), "refused without words"),
            (413, String::new(), "refused without words"),
            (401, r#"{"error":"no"}"#.to_owned(), "refused without words"),
            (408, String::new(), "unclear"),
            (502, "<html>bad gateway</html>".to_owned(), "unclear"),
            (204, String::new(), "unclear"),
            (200, r#"{"code":"SUCCESS","status":"success"}"#.to_owned(), "unclear"),
            (200, "[]".to_owned(), "unclear"),
        ];
        for (status, body, expected) in cases {
            assert_eq!(short(write_answer(status, body.as_bytes(), 2)), expected, "{status} {body}");
        }
    }

    #[test]
    fn no_rows_is_an_answer_and_a_refusal_is_not() {
        let none = Rows { rows: Vec::new(), more: Some(false) };
        assert_eq!(rows(204, b"", "data"), Ok(none));
        let found = rows(
            200,
            br#"{"data":[{"id":5725767000000123001,"Email":"a@b.example","Converted__s":true}],"info":{"more_records":true}}"#,
            "data",
        );
        let found = found.unwrap();
        assert_eq!(found.more, Some(true));
        assert_eq!(found.rows[0].id(), "5725767000000123001");
        assert_eq!(found.rows[0].text("Email"), Some("a@b.example"));
        assert!(found.rows[0].yes("Converted__s"));
        assert!(!found.rows[0].yes("Email"));
        for (status, body, code) in [
            (400, r#"{"code":"INVALID_QUERY","details":{},"status":"error"}"#, "INVALID_QUERY"),
            (404, r#"{"data":[{"code":"INVALID_DATA","status":"error"}]}"#, "INVALID_DATA"),
            (200, r#"{"code":"SYNTAX_ERROR","status":"error"}"#, "SYNTAX_ERROR"),
            (502, "<html>", ""),
        ] {
            let Err(Some(complaint)) = rows(status, body.as_bytes(), "data") else {
                panic!("{status} {body}");
            };
            assert_eq!(complaint.code, code, "{status} {body}");
        }
        for senseless in ["<html>", "[]", r#"{"data":[{"Email":"a@b.example"}]}"#, r#"{"data":[1]}"#, "{}"] {
            assert_eq!(rows(200, senseless.as_bytes(), "data"), Err(None), "{senseless}");
        }
    }
}
