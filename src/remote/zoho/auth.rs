//! Access tokens, made from the refresh token.
//!
//! The token endpoint reports most failures with status 200. So only a 2xx with an `access_token` is a success.

use std::path::{Path, PathBuf};

use chrono::Utc;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::cache::{self, Token};
use super::centre;
use super::complaint::text_at;
use super::service::{CHECK_CREDENTIALS, SERVICE};
use crate::apply::stop::Stop;
use crate::remote::ending::Ending;
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{Body, Client, Explanation, HttpAnswer, Request, RequestKind};
use crate::remote::outcomes;

/// A token is renewed this long before it expires, so that no request carries an expired one.
const MARGIN_SECONDS: i64 = 60;
/// The documented life of a token, for an answer that names none.
const USUAL_LIFE_SECONDS: i64 = 3600;
/// A token is used this long whatever its answer says, because Zoho punishes the making of many.
const SHORTEST_LIFE_SECONDS: i64 = 2 * MARGIN_SECONDS;
/// A longer life can only be in milliseconds, as in an old form of the answer.
const LONGEST_LIFE_SECONDS: i64 = 24 * 3600;

const WAIT: &str = "Zoho gives ten access tokens in ten minutes: wait ten minutes, and make the state directory writable, \
     which keeps the token between runs";

/// The credentials that access tokens are made from, and the hosts that take them.
pub struct Credentials {
    /// The accounts host of the data centre, such as `https://accounts.zoho.eu`.
    pub accounts_url: Url,
    /// The API host. None takes the one that the token answer names, if it belongs to Zoho.
    pub api_url: Option<Url>,
    /// From Zoho's API console.
    pub client_id: String,
    /// From Zoho's API console.
    pub client_secret: SecretString,
    /// Made once, by hand.
    pub refresh_token: SecretString,
}

/// Provides access tokens: from the file, else from Zoho.
pub(super) struct Auth {
    pub(super) credentials: Credentials,
    pub(super) client: Client,
    cache: Option<PathBuf>,
    /// Whether a new token is written into the file.
    pub(super) keeps: bool,
    owner: String,
    token: Option<Token>,
    /// Whether the file was read. It is read once: a second read could only bring the token that Zoho refused.
    has_read_cache: bool,
    /// The error of every further request for a token in this run. Asking Zoho again would make it worse.
    pub(super) hopeless: Option<RemoteError>,
}

impl Auth {
    pub(super) fn new(credentials: Credentials, client: Client, cache: Option<PathBuf>) -> Self {
        let Credentials { accounts_url, client_id, refresh_token, .. } = &credentials;
        let owner = cache::owner(accounts_url, client_id, refresh_token);
        Auth { credentials, client, cache, keeps: true, owner, token: None, has_read_cache: false, hopeless: None }
    }

    /// Returns a token that is good now.
    pub(super) async fn token(&mut self, stop: &Stop) -> Result<&Token, RemoteError> {
        if let Some(error) = &self.hopeless {
            return Err(error.clone());
        }
        let now = Utc::now().timestamp();
        self.token = self.token.take().filter(|token| token.expires_at > now);
        if self.token.is_none() && !self.has_read_cache {
            self.has_read_cache = true;
            self.token = self.cache.as_deref().and_then(|path| self.load(path, now));
        }
        let token = match self.token.take() {
            Some(token) => token,
            None => self.fetch(stop).await?,
        };
        Ok(self.token.insert(token))
    }

    /// Drops a refused token. The next one comes from Zoho.
    pub(super) fn forget(&mut self) {
        self.token = None;
        self.has_read_cache = true;
    }

    fn load(&self, path: &Path, now: i64) -> Option<Token> {
        let token = cache::load(path, &self.owner, now)?;
        // The setting may have changed since. And the host in a file is checked like the host in an answer.
        let api = self.api(Some(token.api.as_str()))?;
        Some(Token { api, ..token })
    }

    /// The API host: by the setting, else as `named` with the token.
    fn api(&self, named: Option<&str>) -> Option<Url> {
        let Credentials { accounts_url, api_url, .. } = &self.credentials;
        api_url.clone().or_else(|| centre::api_base(named, accounts_url))
    }

    async fn fetch(&mut self, stop: &Stop) -> Result<Token, RemoteError> {
        let Credentials { client_id, client_secret, refresh_token, .. } = &self.credentials;
        let mut request = Request::new(Method::POST, RequestKind::Token, &["oauth", "v2", "token"]);
        request.expects_json = false;
        request.body = Body::Form(vec![
            ("refresh_token", refresh_token.expose_secret().to_owned()),
            ("client_id", client_id.clone()),
            ("client_secret", client_secret.expose_secret().to_owned()),
            ("grant_type", "refresh_token".to_owned()),
        ]);
        let token = match self.client.send(&request, stop).await {
            Ok(answer) => self.accept(&request, &answer),
            Err(error) if error.kind == ErrorKind::Throttled => Err(error.with_help(WAIT)),
            Err(error) => Err(error),
        };
        match &token {
            Ok(token) => self.save(token),
            // Even without an answer, the tries may have used up tokens that never arrived. Settling, linking and creating
            // tasks would each try again.
            Err(error) => self.hopeless = Some(error.clone()),
        }
        token
    }

    fn accept(&self, request: &Request, answer: &HttpAnswer) -> Result<Token, RemoteError> {
        let grant = grant(answer).map_err(|ending| self.refused(request, answer, ending))?;
        let api = self.api(grant.api_domain.as_deref()).ok_or_else(|| {
            RemoteError::new(ErrorKind::Settings, SERVICE, "the token answer names no API host of Zoho")
                .with_help("set ZOHO_API_URL to the API host of your data centre, such as https://www.zohoapis.eu")
        })?;
        let expires_at = Utc::now().timestamp() + grant.life_seconds - MARGIN_SECONDS;
        Ok(Token { access: grant.access, api, expires_at })
    }

    fn refused(&self, request: &Request, answer: &HttpAnswer, ending: Ending) -> RemoteError {
        if ending == Ending::Senseless && answer.status.is_success() {
            return self.client.unreadable(request, answer, "the answer holds no access token");
        }
        let error = self.client.error(request, outcomes::error_kind(request.kind, ending), answer);
        match ending {
            Ending::NoRight => error.with_help(CHECK_CREDENTIALS),
            Ending::Busy => error.with_help(WAIT),
            _ => error,
        }
    }

    fn save(&self, token: &Token) {
        if let Some(path) = self.cache.as_ref().filter(|_| self.keeps)
            && let Err(error) = cache::save(path, &self.owner, token)
        {
            tracing::warn!(%error, "the Zoho access token cannot be kept for the next run");
        }
    }
}

#[derive(Debug)]
struct Grant {
    access: SecretString,
    api_domain: Option<String>,
    life_seconds: i64,
}

/// Reads a token answer. An answer without a token refuses the credentials, says that there were too many requests, reports
/// trouble of the service, or makes no sense.
fn grant(answer: &HttpAnswer) -> Result<Grant, Ending> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |key| body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    if answer.status.is_success()
        && let Some(access) = text("access_token")
    {
        return Ok(Grant {
            access: access.into(),
            api_domain: text("api_domain").map(str::to_owned),
            life_seconds: life_seconds(&body),
        });
    }
    let description = text("error_description").unwrap_or_default().to_ascii_lowercase();
    match text("error") {
        _ if description.contains("too many") => Err(Ending::Busy),
        Some(error) if error.eq_ignore_ascii_case("access denied") => Err(Ending::Busy),
        // Zoho itself failed. That says nothing about the credentials.
        Some("general_error") => Err(Ending::Fault),
        Some(error) if ["invalid_", "unauthorized", "access_denied"].iter().any(|begin| error.starts_with(begin)) => {
            Err(Ending::NoRight)
        }
        Some(_) => Err(Ending::CodeUnknown),
        None if answer.status.is_client_error() => Err(Ending::Foreign),
        None => Err(Ending::Senseless),
    }
}

/// Judges a token answer that is no success.
pub(super) fn ending(answer: &HttpAnswer) -> Ending {
    grant(answer).err().unwrap_or(Ending::Senseless)
}

fn life_seconds(body: &Value) -> i64 {
    let number = |key| text_at(body, key).and_then(|text| text.parse::<i64>().ok());
    let seconds = number("expires_in_sec").or_else(|| {
        let life = number("expires_in")?;
        Some(if life > LONGEST_LIFE_SECONDS { life / 1000 } else { life })
    });
    seconds.unwrap_or(USUAL_LIFE_SECONDS).clamp(SHORTEST_LIFE_SECONDS, LONGEST_LIFE_SECONDS)
}

/// Reads the token endpoint's error, and nothing of an answer that may hold a token.
pub(super) fn explain(answer: &HttpAnswer) -> Explanation {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    Explanation {
        code: text_at(&body, "error"),
        message: text_at(&body, "error_description").unwrap_or_default(),
        ..Explanation::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::StatusCode;
    use reqwest::header::HeaderMap;
    use std::time::Duration;

    fn answer(status: u16, body: &str) -> HttpAnswer {
        HttpAnswer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.as_bytes().to_vec(),
            tries: 1,
            elapsed: Duration::ZERO,
        }
    }

    #[test]
    fn only_a_success_with_a_token_is_a_grant() {
        let many = r#"{"error":"Access Denied","error_description":"You have made too many requests continuously","status":"failure"}"#;
        let cases = [
            (200, r#"{"access_token":"1000.a","expires_in":3600}"#, None),
            (200, r#"{"error":"invalid_code"}"#, Some(Ending::NoRight)),
            (200, r#"{"error":"invalid_client"}"#, Some(Ending::NoRight)),
            (400, r#"{"error":"invalid_client_secret"}"#, Some(Ending::NoRight)),
            (400, many, Some(Ending::Busy)),
            (200, many, Some(Ending::Busy)),
            (200, r#"{"access_token":""}"#, Some(Ending::Senseless)),
            (200, r#"{"access_token":5}"#, Some(Ending::Senseless)),
            (200, "{}", Some(Ending::Senseless)),
            (200, "<html>", Some(Ending::Senseless)),
            (302, r#"{"access_token":"1000.a"}"#, Some(Ending::Senseless)),
            (200, r#"{"error":"general_error"}"#, Some(Ending::Fault)),
            (401, "", Some(Ending::Foreign)),
            (403, "<html>", Some(Ending::Foreign)),
            (200, r#"{"error":"a_code_of_next_year"}"#, Some(Ending::CodeUnknown)),
        ];
        for (status, body, expected) in cases {
            assert_eq!(grant(&answer(status, body)).err(), expected, "{status} {body}");
        }
    }

    #[test]
    fn every_form_of_a_life_is_read() {
        let cases = [
            (r#"{"expires_in":3600}"#, 3600),
            (r#"{"expires_in":"1800"}"#, 1800),
            (r#"{"expires_in":3600000}"#, 3600),
            (r#"{"expires_in":3600000,"expires_in_sec":3500}"#, 3500),
            (r#"{"expires_in":-5}"#, 120),
            (r#"{"expires_in":"soon"}"#, 3600),
            ("{}", 3600),
        ];
        for (body, expected) in cases {
            assert_eq!(life_seconds(&serde_json::from_str(body).unwrap()), expected, "{body}");
        }
    }
}
