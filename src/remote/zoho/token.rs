//! An access token.

use secrecy::SecretString;
use url::Url;

/// An access token, which every request to the CRM needs.
pub(super) struct Token {
    pub(super) access: SecretString,
    /// The only host that the token is sent to.
    pub(super) api: Url,
    /// The end of its life in Unix seconds, minus a safety margin.
    pub(super) expires_at: i64,
}
