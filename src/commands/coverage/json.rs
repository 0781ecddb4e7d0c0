//! The JSON report. Its shape is documented in docs/json.md; `schema` changes when it does.

use serde_json::{Value, json};

use super::report::CoverageReport;
use crate::model::{self, Type, rfc3339};
use crate::report::{joined, value_to_json as value};
use crate::rules::alias_line;
use crate::rules::coverage::{
    Attribute, Cause, ConditionFinding, Numbers, Plan, PlanName, RuleFinding, Spread, ToDo, date_of,
};

const FREQUENT: usize = 20;

pub(super) fn json(report: &CoverageReport<'_>) -> Value {
    let CoverageReport { coverage, findings, to_do, workspace, as_of, undecodable, not_usable, complete, errors, exit } =
        report;
    let plans = coverage.plans();
    let by_plan = plans.iter().map(|plan| json!({ "plan": plan_name(plan), "contacts": plan.contacts }));
    let undecodable = undecodable.iter().map(|(id, why)| json!({ "contact": id, "why": why }));
    json!({
        "schema": 1,
        "run": { "as_of": rfc3339(*as_of), "workspace": workspace, "complete": complete },
        "contacts": {
            "read": coverage.contacts(),
            "included": coverage.included(),
            "undecodable": undecodable.collect::<Value>(),
            "by_plan": by_plan.collect::<Value>(),
            "by_plan_cut": plans.iter().any(|plan| plan.name == PlanName::Others),
        },
        "attributes": coverage.attributes().iter().map(|it| attribute(it, &plans)).collect::<Value>(),
        "not_usable": not_usable,
        "rules": findings.iter().map(|it| finding(it, coverage.included())).collect::<Value>(),
        "to_do": to_do.iter().map(step).collect::<Value>(),
        "errors": errors,
        "exit_code": exit.code(),
    })
}

/// None for contacts without a plan. `others` is the sum of all further plans if `by_plan_cut` is true; else it is a plan of this name.
fn plan_name(plan: &Plan) -> Option<&str> {
    match &plan.name {
        PlanName::NoPlan => None,
        PlanName::Named(name) => Some(name),
        PlanName::Others => Some("others"),
    }
}

fn attribute(attribute: &Attribute, plans: &[Plan]) -> Value {
    let Attribute { name, stored, definition, own, wanted, readable, missing, unreadable, spread, .. } = attribute;
    let by_plan = plans.iter().map(|plan| {
        let readable = plan.readable(attribute);
        json!({ "plan": plan_name(plan), "readable": readable, "share": share(readable, plan.contacts) })
    });
    let unreadable = unreadable
        .iter()
        .map(|(shape, seen)| json!({ "reason": shape, "contacts": seen.contacts, "example": seen.example }));
    let all = attribute.filled() + missing;
    json!({
        "attribute": name,
        "in_intercom": stored,
        "alias": attribute.needs_alias().then(|| format!("[attributes.alias]\n{}", alias_line(name))),
        "defined": definition.is_some() && !attribute.is_archived(),
        "archived": attribute.is_archived(),
        "own": own,
        "declared": definition.as_ref().map(|definition| definition.data_type.as_str()),
        "read_as": wanted.map(Type::name),
        "readable": readable,
        "share": share(*readable, all),
        "by_plan": by_plan.collect::<Value>(),
        "missing": missing,
        "unreadable": unreadable.collect::<Value>(),
        "values": values(spread),
    })
}

fn values(spread: &Spread) -> Value {
    match spread {
        Spread::Uncounted => Value::Null,
        Spread::Numbers(numbers) => range(numbers, |number| value(&model::Value::Number(number))),
        Spread::Dates(numbers) => range(numbers, |number| json!(date_of(number).map(rfc3339))),
        Spread::Words { words, empty } => {
            let frequent = words.shared().into_iter().take(FREQUENT);
            let frequent = frequent.map(|(value, contacts)| json!({ "value": value, "contacts": contacts }));
            json!({
                "frequent": frequent.collect::<Value>(),
                "counts_too_low_by_at_most": words.lost(),
                "different": words.different(),
                "empty": empty,
            })
        }
    }
}

fn range(numbers: &Numbers, shown: impl Fn(f64) -> Value) -> Value {
    let (Some((least, most)), Some(median)) = (numbers.range(), numbers.median()) else {
        return Value::Null;
    };
    json!({ "min": shown(least), "median": shown(median.value), "median_exact": median.exact, "max": shown(most) })
}

fn finding(finding: &RuleFinding<'_>, included: usize) -> Value {
    let RuleFinding { rule, enabled, outcome: of_rule, levels } = finding;
    let levels = levels.iter().map(|(level, of_level)| {
        joined(json!({ "level": level.name, "when": level.when.to_string() }), outcome(of_level, included))
    });
    let named = json!({ "signal": rule.signal, "enabled": enabled, "when": rule.when.to_string() });
    joined(joined(named, outcome(of_rule, included)), json!({ "levels": levels.collect::<Value>() }))
}

fn outcome(outcome: &ConditionFinding, included: usize) -> Value {
    let ConditionFinding { verdict, contacts, unknown, causes } = outcome;
    json!({
        "verdict": verdict.name(),
        "contacts": contacts,
        "share": share(*contacts, included),
        "unknown": unknown,
        "causes": causes.iter().map(cause).collect::<Value>(),
    })
}

fn cause(cause: &Cause) -> Value {
    let Cause { kind, attribute, message } = cause;
    let attribute = (!attribute.is_empty()).then_some(attribute);
    json!({ "cause": kind.name(), "attribute": attribute, "message": message })
}

fn step(to_do: &ToDo) -> Value {
    let ToDo { attribute, cause, advice, rules, rules_off, meanwhile } = to_do;
    let meanwhile =
        meanwhile.as_ref().map(|it| json!({ "have": it.have, "contacts": it.contacts, "setting": format!("[attributes.fallback]\n{}", it.setting) }));
    json!({
        "attribute": attribute,
        "cause": cause,
        "advice": advice,
        "rules": rules,
        "rules_off": rules_off,
        "meanwhile": meanwhile,
    })
}

/// A share from 0 to 1, to four places. Null if `whole` is 0.
fn share(part: usize, whole: usize) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "counts of contacts are far below 2^53")]
    let share = || (part as f64 / whole as f64 * 10_000.0).round() / 10_000.0;
    if whole == 0 { Value::Null } else { json!(share()) }
}
