//! The JSON report. Its shape is documented in docs/json.md; `schema` changes when it does.

use serde_json::{Value as Json, json};
use strum::IntoEnumIterator;

use super::scan::{Ended, Preview, Previews, Problem, Report, RunMode};
use crate::model::{ActionKind, Evidence, SubjectKind, Value, rfc3339};
use crate::plan::Item;

pub fn to_json(report: &Report<'_>) -> Json {
    let Report { run, sightings, undecodable, plan, results: _, previews, warnings, errors, exit_code } = report;
    let unknown = sightings.unknown.iter().map(|((attribute, reason), contacts)| {
        json!({ "attribute": attribute, "reason": reason.name(), "contacts": contacts })
    });
    let actions = ActionKind::iter().map(|kind| {
        let counts = report.counts(kind).into_iter().map(|(status, count)| (status.name().to_owned(), json!(count)));
        (kind.name().to_owned(), counts.collect::<Json>())
    });
    let contacts = json!({
        "scanned": sightings.scanned,
        "undecodable": undecodable.len(),
        "signalled": sightings.signalled.len(),
        "forgotten": (sightings.forgotten > 0).then_some(sightings.forgotten),
    });
    let skipped =
        undecodable.iter().map(|(id, why)| Problem { message: format!("contact {id} was skipped: {why}"), help: None });
    let shown = json!({
        "schema": 1,
        "run": {
            "id": run.id,
            "mode": match run.mode { RunMode::Apply => "apply", RunMode::DryRun => "dry_run" },
            "as_of": rfc3339(run.as_of),
            "started_at": rfc3339(run.started_at),
            "finished_at": rfc3339(run.finished_at),
            "workspace": run.workspace,
        },
        "contacts": without_null(contacts, &["forgotten"]),
        "signals": plan.items.iter().map(|item| item_to_json(report, item)).collect::<Json>(),
        "actions": actions.collect::<Json>(),
        "unknown": unknown.collect::<Json>(),
        "preview": previews.as_ref().map(preview),
        "warnings": skipped.chain(warnings.iter().cloned()).collect::<Vec<_>>(),
        "errors": errors,
        "exit_code": exit_code,
    });
    without_null(shown, &["preview"])
}

/// One signal with its actions, as in `signals` of the report.
pub fn item_to_json(report: &Report<'_>, item: &Item) -> Json {
    let people = item.people.iter();
    let people = people.map(|person| json!({ "id": person.id, "email": person.email, "name": person.name }));
    let actions = item.actions.iter().map(|action| {
        let ended = Ended::of(action, report.results);
        let shown = json!({
            "kind": action.key.kind.name(),
            "key": action.short,
            "status": ended.status.name(),
            "reason": ended.reason.name(),
            "remote_id": ended.remote_id,
            "contact": (!action.key.contact.is_empty()).then_some(&action.key.contact),
            "error": ended.error,
        });
        without_null(shown, &["contact", "error"])
    });
    json!({
        "signal": item.occasion.signal,
        "level": (!item.level.is_empty()).then_some(&item.level),
        "priority": item.priority.name(),
        "subject": { "kind": item.subject().kind.name(), "id": item.subject().id, "name": subject_name(item) },
        "contacts": people.collect::<Json>(),
        "evidence": item.evidence.iter().map(evidence).collect::<Json>(),
        "details": item.details,
        "action": item.action,
        "flags": item.flags,
        "due_date": item.due_date.to_string(),
        "reason": item.reason.name(),
        "actions": actions.collect::<Json>(),
    })
}

fn subject_name(item: &Item) -> Option<&str> {
    match item.subject().kind {
        SubjectKind::Account => item.account.as_deref(),
        SubjectKind::Contact => item.representative.name.as_deref(),
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

/// The fields of two objects, in their order.
pub fn joined(first: Json, second: Json) -> Json {
    match (first, second) {
        (Json::Object(first), Json::Object(second)) => first.into_iter().chain(second).collect(),
        (first, _) => first,
    }
}

/// Removes the named keys where they are null: a report has them only if there is something to say.
fn without_null(mut object: Json, keys: &[&str]) -> Json {
    if let Json::Object(fields) = &mut object {
        fields.retain(|key, value| !(value.is_null() && keys.contains(&key.as_str())));
    }
    object
}
