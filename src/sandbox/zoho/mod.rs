//! Zoho CRM, version 8 of its API (docs/services/zoho.md).

pub(super) mod accounts;
mod check;
mod coql;
mod failure;
mod fields;
mod module;
mod read;
mod select;
mod setup;
#[cfg(test)]
mod tests;
mod write;

pub(super) use module::Module;
pub(super) use setup::time;

use super::http::{Call, Reply};
use super::json::Object;
use super::world::World;
use failure::Failure;
use module::module;
use serde_json::{Value, json};

/// Answers one request.
pub(super) fn answer(world: &mut World, call: &Call) -> Reply {
    if let Err(failure) = authorized(world, call) {
        return failure.reply();
    }
    let total = world.zoho.credits;
    if world.zoho.credits_used.0 >= total {
        // Status and code are equal for a spent quota and for too many calls at once. No header says when to retry.
        return Failure::new(429, "TOO_MANY_REQUESTS", json!({}), "You have exceeded the API limit").reply();
    }
    world.zoho.credits_used.0 += 1;
    let reply = dispatch(world, call).unwrap_or_else(Failure::reply);
    let left = total.saturating_sub(world.zoho.credits_used.0);
    if left < total / 2 { reply.with("x-api-credits-remaining", left.to_string()) } else { reply }
}

fn authorized(world: &World, call: &Call) -> Result<(), Failure> {
    // The CRM's documentation does not mention `Bearer`, but the real service accepts it.
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
        ("GET", ["settings", "layouts"]) => read::layouts(&world.zoho, call),
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

fn body(call: &Call) -> Result<Object, Failure> {
    match call.json() {
        Some(Value::Object(body)) => Ok(body),
        _ => Err(Failure::new(400, "INVALID_DATA", json!({"expected_data_type": "jsonobject"}), "body")),
    }
}
