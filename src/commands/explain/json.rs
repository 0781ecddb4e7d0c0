//! The answer as JSON. Its keys are documented in docs/json.md; `schema` changes when their shape does.

use serde_json::{Value as Json, json};

use super::report::{ContactReport, ExplainReport};
use crate::exit::Exit;
use crate::model::{Entry, Occasion, UnknownReason, Value, rfc3339};
use crate::read::Company;
use crate::remote::intercom::is_own_field;
use crate::remote::sinks;
use crate::report::{item_to_json, joined, value_to_json};
use crate::rules::{AttributeSeen, Explained, ExplainedComparison, ExplainedRule, Miss, Origin, Traced};

pub(super) fn render(report: &ExplainReport<'_>, exit: Exit) -> Json {
    json!({
        "schema": 1,
        "as_of": rfc3339(report.setup.as_of),
        "workspace": report.workspace,
        "contacts": report.people.iter().map(|person| contact(report, person)).collect::<Json>(),
        "disabled": report.setup.config.rules.disabled.iter().map(|rule| rule.signal.as_str()).collect::<Json>(),
        "occasions": report.occasions.iter().map(|one| occasion(report, one)).collect::<Json>(),
        "scan": scan(report),
        "notes": report.left_out().iter().chain(&report.notes).collect::<Vec<_>>(),
        "exit_code": exit.code(),
    })
}

fn contact(report: &ExplainReport<'_>, person: &ContactReport) -> Json {
    let ContactReport { contact, explanation, tags, companies, forgotten: _ } = person;
    let tags: Vec<_> = match tags {
        Some(tags) => tags.iter().map(|tag| json!({ "id": tag.id, "name": tag.name })).collect(),
        None => contact.tags.ids.iter().map(|id| json!({ "id": id, "name": null })).collect(),
    };
    let company = |one: &Company| json!({ "id": one.id, "name": one.name, "tags": one.tags });
    let companies: Vec<_> = match companies {
        Some(companies) => companies.iter().map(company).collect(),
        None => contact.companies.ids.iter().map(|id| json!({ "id": id, "name": null, "tags": null })).collect(),
    };
    let nearest = explanation.nearest();
    let nearest = nearest.map(|(rule, missed)| joined(json!({ "signal": rule.signal }), miss(missed)));
    json!({
        "id": contact.id,
        "email": contact.email,
        "name": contact.name,
        "url": report.contact_url(&contact.id),
        "accounts": companies,
        "tags": tags,
        "include": explanation.include.as_ref().map(explained),
        "rules": explanation.rules.iter().map(|one| rule(report, one)).collect::<Json>(),
        "nearest_miss": nearest,
        "attributes": explanation.attributes.iter().map(attribute).collect::<Json>(),
    })
}

fn rule(report: &ExplainReport<'_>, rule: &ExplainedRule) -> Json {
    let ExplainedRule { signal, own, levels, reached } = rule;
    let scope = report.setup.config.rules.rule(signal).map(|rule| rule.scope.name());
    let level = (!reached.is_empty()).then_some(reached);
    let named = json!({ "signal": signal, "scope": scope, "level": level });
    let levels = levels.iter().map(|(name, level)| joined(json!({ "name": name }), explained(level)));
    joined(joined(named, explained(own)), json!({ "levels": levels.collect::<Json>() }))
}

fn explained(explained: &Explained) -> Json {
    let Explained { condition, truth, comparisons, miss: missed } = explained;
    json!({
        "when": condition,
        "truth": <&str>::from(*truth),
        "comparisons": comparisons.iter().map(compared).collect::<Json>(),
        "miss": missed.as_ref().map(miss),
    })
}

fn compared(compared: &ExplainedComparison) -> Json {
    let ExplainedComparison { comparison, truth, values } = compared;
    json!({
        "comparison": comparison,
        "truth": <&str>::from(*truth),
        "values": values.iter().map(traced).collect::<Json>(),
    })
}

fn traced(traced: &Traced) -> Json {
    let Traced { name, kind, origin, seen, read } = traced;
    let (origin, stands_in) = match origin {
        Origin::Attribute => (place(name), None),
        Origin::Computed => ("computed", None),
        Origin::StandIn(from) => ("fallback", Some(from)),
        Origin::Configuration => ("rule", None),
    };
    let unknown =
        |(attribute, reason): &(String, UnknownReason)| json!({ "attribute": attribute, "reason": reason.name() });
    json!({
        "name": name,
        "type": kind.name(),
        "origin": origin,
        "stands_in": stands_in,
        "seen": seen.iter().map(|(name, value)| (name.clone(), value_to_json(value))).collect::<Json>(),
        "read": read.as_ref().map_or(Json::Null, value_to_json),
        "unknown": read.as_ref().err().map(unknown),
    })
}

fn miss(miss: &Miss) -> Json {
    let Miss { attribute, comparison, value, threshold, by, share, .. } = miss;
    let [value, threshold, by, share] =
        [value, threshold, by, share].map(|number| value_to_json(&Value::Number(*number)));
    json!({
        "words": miss.to_string(),
        "attribute": attribute,
        "comparison": comparison,
        "value": value, "threshold": threshold, "by": by, "share": share,
    })
}

fn attribute(attribute: &AttributeSeen) -> Json {
    let AttributeSeen { name, stored, kind, value, read, used_by } = attribute;
    json!({
        "name": name,
        "in_intercom": stored,
        "type": kind.name(),
        "origin": place(name),
        "value": value_to_json(value),
        "read": read.as_ref().map_or(Json::Null, value_to_json),
        "unknown": read.as_ref().err().map(|reason| reason.name()),
        "used_by": used_by,
    })
}

fn occasion(report: &ExplainReport<'_>, occasion: &Occasion) -> Json {
    json!({
        "signal": occasion.id.signal,
        "subject": { "kind": occasion.id.subject.kind.name(), "id": occasion.id.subject.id },
        "opened_at": rfc3339(occasion.id.opened_at),
        "level": (!occasion.level.is_empty()).then_some(&occasion.level),
        "false_since": occasion.false_since.map(rfc3339),
        "ended_at": occasion.ended_at.map(rfc3339),
        "contacts": occasion.contacts,
        "record_url": occasion.record().map(|record| report.setup.links.record(record)),
        "actions": occasion.entries.iter().map(|one| entry(report, one)).collect::<Json>(),
    })
}

fn entry(report: &ExplainReport<'_>, entry: &Entry) -> Json {
    let url = sinks::facts(entry.key.kind.sink()).url;
    json!({
        "kind": entry.key.kind.name(),
        "key": entry.short,
        "level": (!entry.key.level.is_empty()).then_some(&entry.key.level),
        "contact": (!entry.key.contact.is_empty()).then_some(&entry.key.contact),
        "state": entry.state.name(),
        "reason": entry.reason.name(),
        "closed_at": entry.closed_at.map(rfc3339),
        "remote_id": entry.remote_id,
        "url": entry.remote_id.as_ref().and_then(|id| url(&report.setup.links, id)),
        "error": entry.error,
    })
}

/// `signals` as in the report of a scan; null if Intercom was not asked.
fn scan(report: &ExplainReport<'_>) -> Json {
    let Some(dry_run) = &report.dry_run else { return Json::Null };
    let report = dry_run.report().0;
    json!({
        "signals": dry_run.plan.items.iter().map(|item| item_to_json(&report, item)).collect::<Json>(),
        "warnings": report.warnings,
        "errors": report.errors,
    })
}

fn place(attribute: &str) -> &'static str {
    if is_own_field(attribute) { "intercom_field" } else { "custom_attribute" }
}
