//! Insert, update and upsert of up to 100 records per call, each accepted or refused separately (docs/services/zoho.md,
//! "Writing records").

use super::super::http::Reply;
use super::super::json::{Object, id_text, object, text};
use super::super::workspace::Zoho;
use super::super::world::{Effect, World};
use super::check::{self, Rejected};
use super::failure::Failure;
use super::module::Module;
use super::setup::time;
use serde_json::{Value, json};

const MOST_RECORDS: usize = 100;
/// The allowed values of `trigger`.
const TRIGGERS: &[&str] = &["workflow", "approval", "blueprint", "pathfinder", "orchestration"];

/// The outcome for one record.
struct Written {
    id: String,
    inserted: bool,
    /// For upsert: the field that matched an existing record.
    matched: Option<String>,
}

/// `POST /{module}`.
pub(super) fn insert(world: &mut World, module: Module, body: &Object) -> Result<Reply, Failure> {
    let call = Batch::of(body)?;
    let results = call.each(|number, input| insert_one(world, module, input, number, call.workflows));
    Ok(call.reply(world, module, results, false))
}

/// `PUT /{module}` and `PUT /{module}/{id}`.
pub(super) fn update(world: &mut World, module: Module, id: Option<&str>, body: &Object) -> Result<Reply, Failure> {
    let call = Batch::of(body)?;
    let results = call.each(|number, input| {
        let id = id.map(str::to_owned).or_else(|| input.get("id").and_then(id_text));
        let path = json!({"api_name": "id", "json_path": format!("$.data[{number}].id")});
        let id = id.ok_or_else(|| Rejected::new("MANDATORY_NOT_FOUND", path, "required field not found"))?;
        update_one(world, module, &id, input, number, call.workflows)
    });
    Ok(call.reply(world, module, results, false))
}

/// `POST /{module}/upsert`. Converted leads do not count as duplicates, so upserting a converted customer's address makes a
/// new lead.
pub(super) fn upsert(world: &mut World, module: Module, body: &Object) -> Result<Reply, Failure> {
    if module == Module::Tasks {
        return Err(Failure::new(400, "INVALID_MODULE", json!({}), "upsert is not supported for this module"));
    }
    let call = Batch::of(body)?;
    // A list without `Email` does not check the address. Without the list, `Email` is the system's duplicate field.
    let fields = match body.get("duplicate_check_fields") {
        None => vec!["Email".to_owned()],
        Some(fields) => serde_json::from_value(fields.clone()).map_err(|_| {
            let details = json!({"api_name": "duplicate_check_fields", "expected_data_type": "jsonarray"});
            Failure::new(400, "INVALID_DATA", details, "invalid data")
        })?,
    };
    let results = call.each(|number, input| {
        let found = fields.iter().find_map(|field| Some((field.clone(), duplicate(world, module, field, input)?)));
        match found {
            Some((field, id)) => update_one(world, module, &id, input, number, call.workflows)
                .map(|written| Written { matched: Some(field), ..written }),
            None => insert_one(world, module, input, number, call.workflows),
        }
    });
    Ok(call.reply(world, module, results, true))
}

/// Returns the record with an equal value, ignoring case. Of several, it is the one with the lowest id.
fn duplicate(world: &World, module: Module, field: &str, input: &Object) -> Option<String> {
    let wanted = text(input, field).filter(|wanted| !wanted.is_empty())?.to_lowercase();
    let records = world.zoho.records(module).iter().filter(|record| {
        record.get("Converted__s") != Some(&json!(true))
            && text(record, field).is_some_and(|value| value.to_lowercase() == wanted)
    });
    records.filter_map(|record| text(record, "id")).min().map(str::to_owned)
}

/// Returns the converted lead with the e-mail of a new one, if the organisation checks for these duplicates.
fn converted_duplicate(zoho: &Zoho, module: Module, input: &Object) -> Option<String> {
    let wanted = text(input, "Email").filter(|_| module == Module::Leads && zoho.converted_are_duplicates)?;
    let same = |lead: &&Object| {
        lead.get("Converted__s") == Some(&json!(true)) && text(lead, "Email").is_some_and(|email| email == wanted)
    };
    zoho.leads.iter().find(same).and_then(|lead| text(lead, "id")).map(str::to_owned)
}

fn insert_one(
    world: &mut World,
    module: Module,
    input: &Object,
    number: usize,
    workflows: bool,
) -> Result<Written, Rejected> {
    let accepted = check::accepted(&world.zoho, module, input, number, true)?;
    if let Some(id) = converted_duplicate(&world.zoho, module, input) {
        let details = json!({"api_name": "Email", "json_path": format!("$.data[{number}].Email"),
            "duplicate_record": {"id": id, "module": {"api_name": module.name()}}});
        return Err(Rejected::new("DUPLICATE_DATA", details, "duplicate data"));
    }
    let (id, now, user) = (world.zoho.next_id(), json!(time(world.clock())), world.zoho.current_user());
    let mut record = accepted.clone();
    record.insert("id".to_owned(), json!(id));
    for (key, value) in [("Created_Time", &now), ("Modified_Time", &now), ("Created_By", &user), ("Modified_By", &user)]
    {
        record.insert(key.to_owned(), value.clone());
    }
    record.entry("Owner").or_insert(user);
    if module == Module::Tasks {
        record.entry("Status").or_insert(json!("Not Started"));
    }
    world.zoho.records_mut(module).push(record);
    world.effects.push(effect("insert", module, &id, &accepted, workflows));
    Ok(Written { id, inserted: true, matched: None })
}

/// Sets the fields of the request. If no value differs, there is no effect and no new modification time.
fn update_one(
    world: &mut World,
    module: Module,
    id: &str,
    input: &Object,
    number: usize,
    workflows: bool,
) -> Result<Written, Rejected> {
    let details = || json!({"id": id, "api_name": "id", "json_path": format!("$.data[{number}].id")});
    let unknown = || Rejected::new("INVALID_DATA", details(), "the id given seems to be invalid");
    let old = world.zoho.find(module, id).ok_or_else(unknown)?;
    if old.get("Converted__s") == Some(&json!(true)) {
        return Err(Rejected::new("CONVERTED_RECORD", details(), "the record was converted"));
    }
    let accepted = check::accepted(&world.zoho, module, input, number, false)?;
    let changed: Object =
        accepted.into_iter().filter(|(key, value)| !same(old.get(key).unwrap_or(&Value::Null), value)).collect();
    let written = Written { id: id.to_owned(), inserted: false, matched: None };
    if changed.is_empty() {
        return Ok(written);
    }
    let (now, user) = (json!(time(world.clock())), world.zoho.current_user());
    if let Some(record) = world.zoho.records_mut(module).iter_mut().find(|record| text(record, "id") == Some(id)) {
        record.extend(changed.clone());
        record.insert("Modified_Time".to_owned(), now);
        record.insert("Modified_By".to_owned(), user);
    }
    world.effects.push(effect("update", module, id, &changed, workflows));
    Ok(written)
}

/// Compares values. Lookups are equal if their ids are, because a stored lookup may also hold a name.
fn same(old: &Value, new: &Value) -> bool {
    old == new || (new.get("id").is_some() && old.get("id") == new.get("id"))
}

fn effect(verb: &str, module: Module, id: &str, fields: &Object, workflows: bool) -> Effect {
    let mut effect = Effect::new("zoho", verb, [("module", module.name().to_owned()), ("id", id.to_owned())]);
    for (key, value) in fields {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Object(lookup) if lookup.contains_key("id") => {
                lookup.get("id").and_then(id_text).unwrap_or_default()
            }
            other => other.to_string(),
        };
        effect.what.insert(key.clone(), value);
    }
    if workflows {
        effect.what.insert("workflows".to_owned(), "on".to_owned());
    }
    effect
}

/// The records of one call, and whether workflows run on them. They run unless `trigger` omits them.
struct Batch<'a> {
    records: &'a [Value],
    workflows: bool,
}

impl<'a> Batch<'a> {
    fn of(body: &'a Object) -> Result<Batch<'a>, Failure> {
        let place = json!({"api_name": "data", "json_path": "$.data"});
        let missing = || Failure::new(400, "MANDATORY_NOT_FOUND", place.clone(), "required field not found");
        let list = json!({"api_name": "data", "json_path": "$.data", "expected_data_type": "jsonarray"});
        let no_list = || Failure::new(400, "INVALID_DATA", list, "invalid data");
        let records =
            body.get("data").ok_or_else(missing)?.as_array().filter(|data| !data.is_empty()).ok_or_else(no_list)?;
        if records.len() > MOST_RECORDS {
            return Err(Failure::limit(MOST_RECORDS, "only 100 records are allowed per call"));
        }
        let workflows = match body.get("trigger").map(|trigger| serde_json::from_value::<Vec<String>>(trigger.clone()))
        {
            None => true,
            Some(Ok(names)) if names.iter().all(|name| TRIGGERS.contains(&name.as_str())) => {
                names.iter().any(|name| name == "workflow")
            }
            Some(_) => {
                let details = json!({"api_name": "trigger", "json_path": "$.trigger"});
                return Err(Failure::new(400, "INVALID_DATA", details, "invalid data"));
            }
        };
        Ok(Batch { records, workflows })
    }

    fn each(
        &self,
        mut write: impl FnMut(usize, &Object) -> Result<Written, Rejected>,
    ) -> Vec<Result<Written, Rejected>> {
        let one = |(number, record): (usize, &Value)| match record {
            Value::Object(record) => write(number, record),
            _ => {
                let details = json!({"expected_data_type": "jsonobject", "json_path": format!("$.data[{number}]")});
                Err(Rejected::new("INVALID_DATA", details, "invalid data"))
            }
        };
        self.records.iter().enumerate().map(one).collect()
    }

    /// Renders one entry per record, in the order of the request.
    fn reply(&self, world: &mut World, module: Module, results: Vec<Result<Written, Rejected>>, upsert: bool) -> Reply {
        // One credit covers ten records; the call itself counted one.
        world.zoho.credits_used.0 += u64::try_from(results.len().saturating_sub(1) / 10).unwrap_or_default();
        let failed = results.iter().filter(|result| result.is_err()).count();
        let status = match failed {
            0 if results.iter().flatten().all(|written| written.inserted) => 201,
            0 => 200,
            _ if failed == results.len() => 400,
            _ => 207,
        };
        let entries: Vec<Value> = results.into_iter().map(|result| entry(world, module, result, upsert)).collect();
        Reply::json(status, &json!({"data": entries}))
    }
}

fn entry(world: &World, module: Module, result: Result<Written, Rejected>, upsert: bool) -> Value {
    match result {
        Err(rejected) => rejected.entry(),
        Ok(written) => {
            let record = world.zoho.find(module, &written.id);
            let stamp = |key: &str| record.and_then(|record| record.get(key)).cloned().unwrap_or_default();
            let message = if written.inserted { "record added" } else { "record updated" };
            let mut entry = object(json!({"code": "SUCCESS", "message": message, "status": "success", "details": {
                "id": written.id, "Created_Time": stamp("Created_Time"), "Modified_Time": stamp("Modified_Time"),
                "Created_By": stamp("Created_By"), "Modified_By": stamp("Modified_By")}}));
            if upsert {
                let action = if written.inserted { "insert" } else { "update" };
                entry.insert("action".to_owned(), json!(action));
                entry.insert("duplicate_field".to_owned(), json!(written.matched));
            }
            Value::Object(entry)
        }
    }
}
