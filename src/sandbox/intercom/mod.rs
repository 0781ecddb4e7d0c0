//! Intercom, version 2.15 of its API (docs/services/intercom.md).
//!
//! Order of checks: token, rate limit, `Accept`, version, then the call itself.

mod contact;
mod cursor;
mod days;
mod failure;
mod filter;
mod query;
mod search;
mod setup;
mod tags;
#[cfg(test)]
mod tests;

use super::http::{Call, Reply};
use super::json::{Object, text};
use super::workspace::{Intercom, Window};
use super::world::World;
use days::Days;
use failure::Failure;
use query::Dictionary;
use serde_json::{Value, json};

/// Answers one request.
pub(super) fn answer(world: &mut World, call: &Call) -> Reply {
    world.intercom.requests_served.0 += 1;
    let request = world.intercom.requests_served.0;
    if world.intercom.revoked || call.credential(&["Bearer"]) != Some(world.intercom.token.as_str()) {
        // Without a valid credential there is no app, so there are no rate headers.
        return Failure::new(401, "unauthorized", "Access Token Invalid").reply(request);
    }
    let (limit, seconds) = (world.intercom.rate_limit, world.intercom.rate_window_seconds);
    // A client waits by its own clock, so the windows follow the real clock even if the world's clock stands still.
    let (remaining, reset) = world.intercom.window.0.take(chrono::Utc::now().timestamp(), limit, seconds);
    let result = if remaining.is_some() {
        acceptable(call).and_then(|()| dispatch(world, call))
    } else {
        Err(Failure::new(429, "rate_limit_exceeded", &format!("Exceeded rate limit of {limit} in {seconds}_seconds")))
    };
    result
        .unwrap_or_else(|failure| failure.reply(request))
        .with("x-ratelimit-limit", limit.to_string())
        .with("x-ratelimit-remaining", remaining.unwrap_or(0).to_string())
        .with("x-ratelimit-reset", reset.to_string())
}

impl Window {
    /// Counts a request. Returns how many remain (`None` if this one exceeds the limit) and when the window ends.
    fn take(&mut self, now: i64, limit: u32, seconds: u32) -> (Option<u32>, i64) {
        let seconds = i64::from(seconds.max(1));
        let start = now - now.rem_euclid(seconds);
        if start != self.start {
            *self = Window { start, used: 0 };
        }
        let remaining = limit.checked_sub(self.used + 1);
        if remaining.is_some() {
            self.used += 1;
        }
        (remaining, start + seconds)
    }
}

/// Versions that exist; all of them behave as 2.15 here. Without the header the app's default version applies.
const VERSIONS: &[&str] = &[
    "1.0", "1.1", "1.2", "1.3", "1.4", "2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "2.9", "2.10",
    "2.11", "2.12", "2.13", "2.14", "2.15", "2.16", "2.17", "Preview", "Unstable",
];

fn acceptable(call: &Call) -> Result<(), Failure> {
    let admits_json = call.header("accept").is_none_or(|accept| {
        let kinds = accept.split(',').filter_map(|part| part.split(';').next());
        kinds.map(str::trim).any(|kind| ["*/*", "application/*", "application/json"].contains(&kind))
    });
    if !admits_json {
        return Err(Failure::new(406, "media_type_not_acceptable", "The Accept header should admit application/json"));
    }
    if call.header("intercom-version").is_some_and(|version| !VERSIONS.contains(&version)) {
        return Err(Failure::new(400, "intercom_version_invalid", "The requested version could not be found"));
    }
    if !call.body.is_empty() && !call.declares_json() {
        return Err(Failure::new(415, "client_error", "Content-Type should be application/json"));
    }
    Ok(())
}

fn dispatch(world: &mut World, call: &Call) -> Result<Reply, Failure> {
    match (call.method.as_str(), call.segments().as_slice()) {
        ("GET", ["me"]) => Ok(me(&world.intercom)),
        ("GET", ["data_attributes"]) => Ok(data_attributes(&world.intercom, call)),
        ("GET", ["tags"]) => Ok(tags::list(&world.intercom)),
        ("POST", ["tags"]) => tags::post(world, &body(call)?),
        ("GET", ["tags", tag]) => tags::show(&world.intercom, tag),
        ("DELETE", ["tags", tag]) => tags::delete(world, tag),
        ("GET", ["companies", id]) => contact::company(&world.intercom, id),
        ("GET", ["contacts"]) => list_contacts(&mut world.intercom, call),
        ("POST", ["contacts", "search"]) => search_contacts(&mut world.intercom, &body(call)?),
        ("GET", ["contacts", id]) => contact::show(&world.intercom, id),
        ("PUT", ["contacts", id]) => contact::update(world, id, &body(call)?),
        ("GET", ["contacts", id, "companies"]) => contact::companies(&world.intercom, id, call),
        ("GET", ["contacts", id, "tags"]) => tags::of_contact(&world.intercom, id),
        ("POST", ["contacts", id, "tags"]) => tags::attach(world, id, &body(call)?),
        ("DELETE", ["contacts", id, "tags", tag]) => tags::detach(world, id, tag),
        _ => Err(Failure::new(404, "not_found", "The requested resource was not found")),
    }
}

fn body(call: &Call) -> Result<Value, Failure> {
    let parsed = call.json().filter(Value::is_object);
    parsed.ok_or_else(|| Failure::new(400, "bad_request", "the request body is not a JSON object"))
}

fn me(intercom: &Intercom) -> Reply {
    let mut me = Object::new();
    me.insert("type".to_owned(), json!("admin"));
    me.insert("email_verified".to_owned(), json!(true));
    me.insert("has_inbox_seat".to_owned(), json!(true));
    me.extend(intercom.admin.clone());
    me.insert("app".to_owned(), Value::Object(intercom.app.clone()));
    Reply::json(200, &Value::Object(me))
}

fn data_attributes(intercom: &Intercom, call: &Call) -> Reply {
    let model = call.param("model");
    let archived = call.param("include_archived").as_deref() == Some("true");
    let data = intercom.data_attributes.iter().filter(|attribute| {
        model.as_deref().is_none_or(|model| text(attribute, "model") == Some(model))
            && (archived || attribute.get("archived").and_then(Value::as_bool) != Some(true))
    });
    Reply::json(200, &json!({"type": "list", "data": data.collect::<Vec<_>>()}))
}

fn dictionary<'a>(app: &Object, attributes: &'a [Object]) -> Result<Dictionary<'a>, Failure> {
    let zone = text(app, "timezone").and_then(Days::of);
    let days = zone.ok_or_else(|| Failure::new(500, "server_error", "the workspace's time zone is not known here"))?;
    Ok(Dictionary { days, attributes })
}

fn search_contacts(intercom: &mut Intercom, body: &Value) -> Result<Reply, Failure> {
    // A cursor in the URL is ignored, so the response is page 1 again, as users report.
    let request = search::Request::of_search(body, &dictionary(&intercom.app, &intercom.data_attributes)?)?;
    Ok(Reply::raw_json(200, request.page(&mut intercom.contacts)))
}

fn list_contacts(intercom: &mut Intercom, call: &Call) -> Result<Reply, Failure> {
    let (per_page, after) = (call.param("per_page"), call.param("starting_after"));
    let dictionary = dictionary(&intercom.app, &intercom.data_attributes)?;
    let request = search::Request::of_list(per_page.as_deref(), after, &dictionary)?;
    Ok(Reply::raw_json(200, request.page(&mut intercom.contacts)))
}
