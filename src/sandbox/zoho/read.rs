//! Records by id, the search endpoint, users, metadata (docs/services/zoho.md, "Tasks", "Users and fields").

use super::super::http::{Call, Reply};
use super::super::json::{Object, text};
use super::super::workspace::Zoho;
use super::super::world::World;
use super::failure::Failure;
use super::fields::{self, DataType};
use super::module::Module;
use super::module::module;
use serde_json::{Value, json};

const MOST_PER_PAGE: usize = 200;
const MOST_IDS: usize = 100;
/// How long the search endpoint misses a new or changed record. Zoho documents the delay without a number.
const INDEX_DELAY_SECONDS: i64 = 60;

/// `GET /{module}?ids=&fields=&converted=`: omits missing ids, and converted leads unless the request asks for them. If none is
/// left, the response is a 204 without a body.
pub(super) fn records(zoho: &Zoho, module: Module, call: &Call) -> Result<Reply, Failure> {
    let fields = call.param("fields").ok_or_else(|| Failure::no_parameter("fields"))?;
    let mut found: Vec<&Object> = match call.param("ids") {
        None => zoho.records(module).iter().collect(),
        Some(ids) => {
            let ids: Vec<&str> = ids.split(',').map(str::trim).collect();
            if ids.len() > MOST_IDS {
                return Err(Failure::limit(MOST_IDS, "only 100 ids are allowed per call"));
            }
            zoho.records(module)
                .iter()
                .filter(|record| text(record, "id").is_some_and(|id| ids.contains(&id)))
                .collect()
        }
    };
    found.retain(|record| is_wanted(record, call));
    found.sort_by_key(|record| text(record, "id"));
    page(&found, Some(&fields), call)
}

/// Whether the parameter `converted` asks for a record. Only converted leads are marked.
fn is_wanted(record: &Object, call: &Call) -> bool {
    let was_converted = record.get("Converted__s") == Some(&json!(true));
    match call.param("converted").as_deref() {
        Some("both") => true,
        Some("true") => was_converted,
        _ => !was_converted,
    }
}

/// `GET /{module}/{id}`: a deleted or unknown record is a 204 without a body.
pub(super) fn record(zoho: &Zoho, module: Module, id: &str, call: &Call) -> Reply {
    match zoho.find(module, id) {
        Some(record) => Reply::json(200, &json!({"data": [shown(record, call.param("fields").as_deref())]})),
        None => Reply::empty(204),
    }
}

/// `GET /{module}/search?email=`: searches every e-mail field, ignores case, matches parts, omits converted leads, and misses
/// recent writes.
pub(super) fn search(world: &World, module: Module, call: &Call) -> Result<Reply, Failure> {
    let email = call.param("email").filter(|email| !email.is_empty()).ok_or_else(|| Failure::no_parameter("email"))?;
    let email = email.to_lowercase();
    let indexed_until = world.clock() - INDEX_DELAY_SECONDS;
    let found: Vec<&Object> = world
        .zoho
        .records(module)
        .iter()
        .filter(|record| {
            let changed = text(record, "Modified_Time").and_then(|at| chrono::DateTime::parse_from_rfc3339(at).ok());
            is_wanted(record, call)
                && changed.is_none_or(|at| at.timestamp() <= indexed_until)
                && ["Email", "Secondary_Email"]
                    .iter()
                    .any(|field| text(record, field).is_some_and(|value| value.to_lowercase().contains(&email)))
        })
        .collect();
    page(&found, call.param("fields").as_deref(), call)
}

fn page(found: &[&Object], fields: Option<&str>, call: &Call) -> Result<Reply, Failure> {
    let number = |name: &str, usual| call.param(name).and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (page, per_page) = (number("page", 1).max(1), number("per_page", MOST_PER_PAGE).clamp(1, MOST_PER_PAGE));
    if page * per_page > 2000 {
        return Err(Failure::new(
            400,
            "LIMIT_REACHED",
            json!({"limit": 2000}),
            "only the first 2000 records can be paged to",
        ));
    }
    let start = (page - 1) * per_page;
    let rows: Vec<Value> = found.iter().skip(start).take(per_page).map(|record| shown(record, fields)).collect();
    if rows.is_empty() {
        return Ok(Reply::empty(204));
    }
    let info = json!({"count": rows.len(), "page": page, "per_page": per_page, "more_records": start + rows.len() < found.len()});
    Ok(Reply::json(200, &json!({"data": rows, "info": info})))
}

/// Returns the requested fields, and always the id. A field without a value is null.
fn shown(record: &Object, fields: Option<&str>) -> Value {
    let Some(fields) = fields else { return json!(record) };
    let mut row = Object::new();
    for name in fields.split(',').map(str::trim).chain(["id"]) {
        row.insert(name.to_owned(), record.get(name).cloned().unwrap_or_default());
    }
    Value::Object(row)
}

/// `GET /users?type=`.
pub(super) fn users(zoho: &Zoho, call: &Call) -> Result<Reply, Failure> {
    let active = |user: &&Object| text(user, "status").is_none_or(|status| status == "active");
    let users: Vec<&Object> = match call.param("type").as_deref() {
        Some("CurrentUser") => zoho.users.iter().take(1).collect(),
        Some("ActiveUsers" | "ActiveConfirmedUsers" | "AdminUsers") => zoho.users.iter().filter(active).collect(),
        Some("DeactiveUsers") => zoho.users.iter().filter(|user| !active(user)).collect(),
        None | Some("AllUsers") => zoho.users.iter().collect(),
        Some(other) => {
            return Err(Failure::new(
                400,
                "INVALID_DATA",
                json!({"param_name": "type", "value": other}),
                "invalid data",
            ));
        }
    };
    if users.is_empty() {
        return Ok(Reply::empty(204));
    }
    let info = json!({"per_page": 200, "count": users.len(), "page": 1, "more_records": false});
    Ok(Reply::json(200, &json!({"users": users, "info": info})))
}

/// `GET /users/{id}`.
pub(super) fn user(zoho: &Zoho, id: &str) -> Reply {
    match zoho.users.iter().find(|user| text(user, "id") == Some(id)) {
        Some(user) => Reply::json(200, &json!({"users": [user]})),
        None => Reply::empty(204),
    }
}

/// `GET /settings/fields?module=`.
pub(super) fn fields(zoho: &Zoho, call: &Call) -> Result<Reply, Failure> {
    let name = call.param("module").ok_or_else(|| Failure::no_parameter("module"))?;
    let module = module(&name)?;
    let fields = fields::of(zoho, module);
    let list: Vec<Value> = fields
        .iter()
        .filter(|field| !field.name.starts_with('$'))
        .enumerate()
        .map(|(number, field)| {
            let values = (field.kind == DataType::Picklist).then(|| fields::picklist(zoho, module, &field.name));
            // Only fields that the system demands. Those of a layout (Company of a lead) are not marked here.
            let system = matches!((module, field.name.as_str()), (Module::Tasks, "Subject") | (_, "Last_Name"));
            json!({
                "id": format!("57257670000000{:05}", number + 1),
                "api_name": field.name,
                "field_label": field.name.replace('_', " "),
                "data_type": field.kind.name(),
                "json_type": match field.kind {
                    DataType::Boolean => "boolean",
                    DataType::Lookup | DataType::Json => "jsonobject",
                    _ => "string",
                },
                "length": field.length,
                "system_mandatory": system,
                "custom_field": field.custom,
                "unique": {},
                "external": null,
                "operation_type": {"api_create": field.writable, "api_update": field.writable, "web_create": field.writable,
                    "web_update": field.writable},
                "textarea": (field.kind == DataType::TextArea).then(|| json!({"type": "large"})),
                "pick_list_values": values.map_or_else(|| json!([]), |values| picklist_values(&values)),
            })
        })
        .collect();
    Ok(Reply::json(200, &json!({"fields": list})))
}

/// `GET /settings/layouts?module=`: one layout, which demands the mandatory fields.
pub(super) fn layouts(zoho: &Zoho, call: &Call) -> Result<Reply, Failure> {
    let name = call.param("module").ok_or_else(|| Failure::no_parameter("module"))?;
    let module = module(&name)?;
    let mandatory = fields::mandatory(zoho, module);
    let fields: Vec<Value> = fields::of(zoho, module)
        .iter()
        .filter(|field| field.writable && !field.name.starts_with('$'))
        .map(|field| {
            json!({"api_name": field.name, "field_label": field.name.replace('_', " "), "data_type": field.kind.name(),
                "length": field.length, "type": "used", "visible": true, "read_only": false,
                "required": mandatory.contains(&field.name)})
        })
        .collect();
    let section = json!({"api_name": format!("{name}_Information"), "type": "used", "fields": fields});
    Ok(Reply::json(
        200,
        &json!({"layouts": [{"id": "5725767000000091055", "name": "Standard", "status": "active", "visible": true,
            "sections": [section]}]}),
    ))
}

fn picklist_values(values: &[String]) -> Value {
    let value = |(number, value): (usize, &String)| {
        json!({"display_value": value, "actual_value": value, "reference_value": value, "type": "used",
            "sequence_number": number + 1, "colour_code": null, "id": format!("57257670000001{:05}", number + 1)})
    };
    values.iter().enumerate().map(value).collect()
}
