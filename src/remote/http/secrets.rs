//! The secrets that a client sends: their fingerprint, and their removal from texts.

use std::cmp::Reverse;
use std::sync::{Mutex, PoisonError};

use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::remote::error::{ErrorKind, RemoteError};

/// Makes a header value that no log and no debug output shows.
pub fn secret_value(service: &'static str, value: &str) -> Result<HeaderValue, RemoteError> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        RemoteError::new(ErrorKind::Settings, service, "the credential holds characters that no header can carry")
            .with_help("look for line breaks and quotes around it")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// A fingerprint that tells one set of credentials from another without revealing either: SHA-256 over the parts, in
/// hexadecimal. A credential is long and random, so nobody can find it from its hash.
pub fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        hash.update(format!("{}:{part}", part.len()));
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every secret that a client has sent.
#[derive(Default)]
pub(super) struct Secrets(Mutex<Vec<SecretString>>);

impl Secrets {
    /// A shorter text is no secret, and its removal would damage words.
    const SHORTEST: usize = 6;

    pub(super) fn learn(&self, secret: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if secret.len() >= Self::SHORTEST && !known.iter().any(|known| known.expose_secret() == secret) {
            known.push(secret.into());
            // Longer ones first: one secret may be part of another.
            known.sort_by_key(|known| Reverse(known.expose_secret().len()));
        }
    }

    /// Learns the credentials in headers, without the scheme in front of them.
    pub(super) fn learn_headers(&self, headers: &HeaderMap) {
        let values = headers.values().filter(|value| value.is_sensitive()).filter_map(|value| value.to_str().ok());
        values.for_each(|value| self.learn(value.rsplit(' ').next().unwrap_or(value)));
    }

    pub(super) fn remove_from(&self, text: &str) -> String {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose_secret(), "[secret]"))
    }
}
