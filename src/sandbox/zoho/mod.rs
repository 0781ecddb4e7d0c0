//! Zoho CRM, version 8 of its API (docs/services/zoho.md).

pub(super) mod accounts;
mod check;
mod coql;
mod fields;
mod read;
mod select;
mod setup;
#[cfg(test)]
mod tests;
mod write;

pub(super) use setup::time;

use super::http::{Call, Reply};
use super::world::{Object, World};
use serde_json::{Value, json};

/// A module of the CRM that the sandbox knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum Module {
    Contacts,
    Leads,
    Tasks,
}

impl Module {
    /// By its API name, which is case-sensitive.
    pub(in crate::sandbox) fn named(name: &str) -> Option<Module> {
        match name {
            "Contacts" => Some(Module::Contacts),
            "Leads" => Some(Module::Leads),
            "Tasks" => Some(Module::Tasks),
            _ => None,
        }
    }

    /// Its API name.
    pub(in crate::sandbox) fn name(self) -> &'static str {
        match self {
            Module::Contacts => "Contacts",
            Module::Leads => "Leads",
            Module::Tasks => "Tasks",
        }
    }
}

/// Why a whole call fails: `{code, details, message, status}` at the top level.
#[derive(Debug)]
struct Failure {
    status: u16,
    code: &'static str,
    details: Value,
    message: String,
}

impl Failure {
    fn new(status: u16, code: &'static str, details: Value, message: &str) -> Failure {
        Failure { status, code, details, message: message.to_owned() }
    }

    fn reply(self) -> Reply {
        Reply::json(
            self.status,
            &json!({"code": self.code, "details": self.details, "message": self.message, "status": "error"}),
        )
    }

    /// A required query parameter is not there.
    fn no_parameter(name: &str) -> Failure {
        let details = json!({"param_name": name});
        Failure::new(400, "REQUIRED_PARAM_MISSING", details, "One of the expected parameter is missing")
    }

    fn limit(limit: usize, message: &str) -> Failure {
        Failure::new(400, "LIMIT_EXCEEDED", json!({"limit": limit}), message)
    }
}

/// Answers one request.
pub(super) fn answer(world: &mut World, call: &Call) -> Reply {
    if let Err(failure) = authorized(world, call) {
        return failure.reply();
    }
    let total = world.zoho.credits;
    if world.zoho.credits_used.0 >= total {
        // Status and code do not tell a spent quota from too many calls at once, and nothing says when to come back.
        return Failure::new(429, "TOO_MANY_REQUESTS", json!({}), "You have exceeded the API limit").reply();
    }
    world.zoho.credits_used.0 += 1;
    let reply = dispatch(world, call).unwrap_or_else(Failure::reply);
    let left = total.saturating_sub(world.zoho.credits_used.0);
    if left < total / 2 { reply.with("x-api-credits-remaining", left.to_string()) } else { reply }
}

fn authorized(world: &World, call: &Call) -> Result<(), Failure> {
    // `Bearer` is not promised by the CRM's documentation, but the real service takes it.
    let Some(token) = call.credential(&["Zoho-oauthtoken", "Bearer"]).filter(|token| !token.is_empty()) else {
        return Err(Failure::new(401, "AUTHENTICATION_FAILURE", json!({}), "Authentication failed"));
    };
    let now = world.clock();
    if world.zoho.access_tokens.iter().any(|known| known.token == token && known.expires_at > now) {
        return Ok(());
    }
    Err(Failure::new(401, "INVALID_TOKEN", json!({}), "invalid oauth token"))
}

fn dispatch(world: &mut World, call: &Call) -> Result<Reply, Failure> {
    let segments = call.segments();
    let ["crm", "v8", rest @ ..] = segments.as_slice() else {
        return Err(no_such_address());
    };
    match (call.method.as_str(), rest) {
        ("POST", ["coql"]) => select::answer(world, &body(call)?),
        ("GET", ["users"]) => read::users(&world.zoho, call),
        ("GET", ["users", id]) => Ok(read::user(&world.zoho, id)),
        ("GET", ["org"]) => Ok(Reply::json(200, &json!({"org": [world.zoho.org]}))),
        ("GET", ["settings", "fields"]) => read::fields(&world.zoho, call),
        ("GET", [name]) => read::records(&world.zoho, module(name)?, call),
        ("GET", [name, "search"]) => read::search(world, module(name)?, call),
        ("GET", [name, id]) => Ok(read::record(&world.zoho, module(name)?, id, call)),
        ("POST", [name]) => write::insert(world, module(name)?, &body(call)?),
        ("POST", [name, "upsert"]) => write::upsert(world, module(name)?, &body(call)?),
        ("PUT", [name]) => write::update(world, module(name)?, None, &body(call)?),
        ("PUT", [name, id]) => write::update(world, module(name)?, Some(id), &body(call)?),
        (_, [_] | [_, _]) => Err(Failure::new(
            400,
            "INVALID_REQUEST_METHOD",
            json!({}),
            "The http request method type is not a valid one",
        )),
        _ => Err(no_such_address()),
    }
}

fn no_such_address() -> Failure {
    Failure::new(404, "INVALID_URL_PATTERN", json!({}), "Please check if the URL trying to access is a correct one")
}

fn module(name: &str) -> Result<Module, Failure> {
    let unknown = || Failure::new(400, "INVALID_MODULE", json!({}), "the module name given seems to be invalid");
    Module::named(name).ok_or_else(unknown)
}

fn body(call: &Call) -> Result<Object, Failure> {
    match call.json() {
        Some(Value::Object(body)) => Ok(body),
        _ => Err(Failure::new(400, "INVALID_DATA", json!({"expected_data_type": "jsonobject"}), "body")),
    }
}
