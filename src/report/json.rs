//! The JSON report. Its shape is documented in docs/json.md; `schema` changes when it does.

use serde::Serialize;
use serde_json::{Value as Json, json};
use strum::IntoEnumIterator;

use super::scan::{Preview, Previews, Problem, Report, RunMode};
use crate::model::{ActionKind, Evidence, Value, rfc3339};
use crate::plan::Item;

/// Renders the report as JSON without a final line break: on one line for programs and logs, or `pretty` for people.
pub fn to_json(report: &Report<'_>, pretty: bool) -> String {
    let Report {
        run,
        scanned,
        forgotten,
        undecodable,
        signalled,
        plan,
        results: _,
        unknown,
        previews,
        warnings,
        errors,
        exit_code,
    } = report;
    let unknown: Vec<_> = unknown
        .iter()
        .map(|((attribute, reason), contacts)| {
            json!({ "attribute": attribute, "reason": reason.name(), "contacts": contacts })
        })
        .collect();
    let mut actions = serde_json::Map::new();
    for kind in ActionKind::iter() {
        let counts = report.counts(kind).into_iter().map(|(status, count)| (status.name().to_owned(), json!(count)));
        actions.insert(kind.name().to_owned(), Json::Object(counts.collect()));
    }
    let mut contacts = json!({ "scanned": scanned, "undecodable": undecodable.len(), "signalled": signalled });
    if let (Json::Object(fields), true) = (&mut contacts, *forgotten > 0) {
        fields.insert("forgotten".to_owned(), json!(forgotten));
    }
    let skipped: Vec<_> = undecodable
        .iter()
        .map(|(id, why)| Problem { message: format!("contact {id} was skipped: {why}"), help: None })
        .collect();
    let shape = Shape {
        schema: 1,
        run: json!({
            "id": run.id,
            "mode": match run.mode { RunMode::Apply => "apply", RunMode::DryRun => "dry_run" },
            "as_of": rfc3339(run.as_of),
            "started_at": rfc3339(run.started_at),
            "finished_at": rfc3339(run.finished_at),
            "workspace": run.workspace,
        }),
        contacts,
        signals: plan.items.iter().map(|item| item_to_json(report, item)).collect(),
        actions: Json::Object(actions),
        unknown,
        preview: previews.as_ref().map(preview),
        warnings: skipped.iter().chain(warnings).map(problem_to_json).collect(),
        errors: errors.iter().map(problem_to_json).collect(),
        exit_code: *exit_code,
    };
    let text = if pretty { serde_json::to_string_pretty(&shape) } else { serde_json::to_string(&shape) };
    text.unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"))
}

/// The report, with its keys in the documented order.
#[derive(Serialize)]
struct Shape {
    schema: u8,
    run: Json,
    contacts: Json,
    signals: Vec<Json>,
    actions: Json,
    unknown: Vec<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<Json>,
    warnings: Vec<Json>,
    errors: Vec<Json>,
    exit_code: u8,
}

/// One signal with its actions, as in `signals` of the report.
pub fn item_to_json(report: &Report<'_>, item: &Item) -> Json {
    let people = item.people.iter();
    let people = people.map(|person| json!({ "id": person.id, "email": person.email, "name": person.name }));
    let actions = item.actions.iter().map(|action| {
        let ended = report.ended(action);
        let mut shown = json!({
            "kind": action.key.kind.name(),
            "key": action.short,
            "status": ended.status.name(),
            "reason": ended.reason.name(),
            "remote_id": ended.remote_id,
        });
        if let Json::Object(fields) = &mut shown {
            if !action.key.contact.is_empty() {
                fields.insert("contact".to_owned(), json!(action.key.contact));
            }
            if let Some(error) = ended.error {
                fields.insert("error".to_owned(), json!(error));
            }
        }
        shown
    });
    json!({
        "signal": item.occasion.signal,
        "level": (!item.level.is_empty()).then_some(&item.level),
        "priority": item.priority.name(),
        "subject": { "kind": item.subject().kind.name(), "id": item.subject().id, "name": subject_name(item) },
        "contacts": people.collect::<Vec<_>>(),
        "evidence": item.evidence.iter().map(evidence).collect::<Vec<_>>(),
        "details": item.details,
        "action": item.action,
        "flags": item.flags,
        "due_date": item.due_date.to_string(),
        "reason": item.reason.name(),
        "actions": actions.collect::<Vec<_>>(),
    })
}

/// The name of the account or the person, if it is known.
fn subject_name(item: &Item) -> Option<&str> {
    match item.subject().kind {
        crate::model::SubjectKind::Account => item.account.as_deref(),
        crate::model::SubjectKind::Contact => item.representative.name.as_deref(),
    }
}

fn evidence(evidence: &Evidence) -> Json {
    let Evidence { attribute, value: seen, comparison, threshold } = evidence;
    json!({ "attribute": attribute, "value": value_to_json(seen), "comparison": comparison, "threshold": value_to_json(threshold) })
}

/// A value as JSON. Whole numbers have no fraction.
pub fn value_to_json(value_seen: &Value) -> Json {
    match value_seen {
        Value::Null | Value::Object => Json::Null,
        Value::Bool(yes) => json!(yes),
        #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and far within i64")]
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => json!(*number as i64),
        Value::Number(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::List(items) => items.iter().map(value_to_json).collect(),
    }
}

fn preview(previews: &Previews) -> Json {
    let payloads = |previews: &[Preview]| previews.iter().map(|preview| preview.payload.clone()).collect::<Json>();
    previews.iter().map(|(sink, previews)| (sink.name().to_owned(), payloads(previews))).collect()
}

/// A problem as JSON.
pub fn problem_to_json(problem: &Problem) -> Json {
    json!({ "message": problem.message, "help": problem.help })
}
