//! The workspace that a token belongs to.

use super::client::{Intercom, SERVICE};
use super::wire::{self, is_id};
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{Request, RequestKind};

/// The workspace that a token belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Intercom's code for it, as in the addresses of its web app.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its IANA time zone, if Intercom names one.
    pub timezone: Option<String>,
    /// The region that hosts it, in Intercom's own word: `US`, presumably also `EU` and `AU`.
    pub region: Option<String>,
}

impl Intercom {
    /// Returns the workspace of the token.
    pub async fn workspace(&self) -> Result<Workspace, RemoteError> {
        let request = Request::get(RequestKind::Facts, &["me"]);
        let answer = self.success(&request).await?;
        let me: wire::Me = self.decode(&request, &answer)?;
        let app = me.app.unwrap_or_default();
        // The id becomes part of addresses and is printed, so nothing else may be in it.
        let Some(id) = app.id_code.0.filter(|id| is_id(id)) else {
            let message = "the token belongs to no workspace: GET /me names no app";
            return Err(RemoteError::new(ErrorKind::Settings, SERVICE, message)
                .with_help("use the access token of an app that is installed in the workspace"));
        };
        let text = |value: Option<wire::Any>| value.and_then(wire::Any::text);
        Ok(Workspace { id, name: text(app.name), timezone: text(app.timezone), region: text(app.region) })
    }
}
