//! `POST /oauth/v2/token` (docs/services/zoho.md, "Access tokens").

use super::super::http::{Call, Reply};
use super::super::workspace::AccessToken;
use super::super::world::World;
use serde_json::{Value, json};

/// Ten tokens per ten minutes. An access token lives an hour, and a sixteenth one ends the oldest.
const MOST_TOKENS: usize = 10;
const THROTTLE_SECONDS: i64 = 600;
const LIFE_SECONDS: i64 = 3600;
const MOST_ALIVE: usize = 15;

/// Answers one request. Refusals have HTTP status 200; only the throttle has 400.
pub(in crate::sandbox) fn answer(world: &mut World, call: &Call) -> Reply {
    if (call.method.as_str(), call.path.as_str()) != ("POST", "/oauth/v2/token") {
        return Reply::text(404, "no such page");
    }
    // The real service accepts the fields in the query as well, although secrets then appear in logs.
    let field = |name: &str| call.form(name).or_else(|| call.param(name)).unwrap_or_default();
    let refused = |error: &str| Reply::json(200, &json!({"error": error}));
    let now = world.clock();
    let zoho = &mut world.zoho;
    if field("client_id") != zoho.client_id {
        return refused("invalid_client");
    }
    if field("client_secret") != zoho.client_secret {
        return refused("invalid_client_secret");
    }
    if field("grant_type") != "refresh_token" || field("refresh_token") != zoho.refresh_token || zoho.refresh_revoked {
        return refused("invalid_code");
    }
    zoho.token_times.retain(|at| now - at < THROTTLE_SECONDS);
    if zoho.token_times.len() >= MOST_TOKENS {
        return Reply::json(400, &throttled());
    }
    zoho.token_times.push_back(now);
    zoho.tokens_issued += 1;
    let token = format!("1000.sandbox-zoho-access-{:06}", zoho.tokens_issued);
    zoho.access_tokens.retain(|known| known.expires_at > now);
    if zoho.access_tokens.len() >= MOST_ALIVE {
        zoho.access_tokens.remove(0);
    }
    zoho.access_tokens.push(AccessToken { token: token.clone(), expires_at: now + LIFE_SECONDS });
    // The address of the real API. A client that trusts it blindly leaves the sandbox and fails.
    Reply::json(
        200,
        &json!({"access_token": token, "expires_in": LIFE_SECONDS, "api_domain": "https://www.zohoapis.com",
            "token_type": "Bearer"}),
    )
}

fn throttled() -> Value {
    json!({"error": "Access Denied", "status": "failure",
        "error_description": "You have made too many requests continuously. Please try again after some time."})
}
