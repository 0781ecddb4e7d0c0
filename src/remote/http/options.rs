//! The options of a client.

use std::time::Duration;

use reqwest::header::HeaderMap;
use secrecy::SecretString;

use super::request::{Explanation, HttpAnswer, explain_text};
use crate::remote::retry;

/// The options of a client.
pub struct Options {
    /// How long to wait.
    pub timing: Timing,
    /// The largest answer that is accepted, after decompression.
    pub max_body_bytes: usize,
    /// Sent with every request. Make credentials with [`secret_value`](super::secret_value).
    pub headers: HeaderMap,
    /// Credentials that are not sent in a header. A service may quote them, so they are removed from its words.
    pub secrets: Vec<SecretString>,
    /// Whether the address itself is the secret (a webhook). Errors and logs then leave the path out.
    pub path_is_secret: bool,
    /// Reads the service's own words from an answer that is an error.
    pub explain: fn(&HttpAnswer) -> Explanation,
    /// The advice for errors whose cause depends on the service.
    pub help: Help,
}

/// How long to wait for an answer and between tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// For one try, from the first byte sent to the last received.
    pub timeout: Duration,
    /// The longest wait before the second try; doubles from try to try. A wait that the service names takes precedence.
    pub first_wait: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Timing { timeout: Duration::from_secs(60), first_wait: retry::FIRST_WAIT }
    }
}

/// Advice that depends on the service.
#[derive(Debug, Clone, Copy, Default)]
pub struct Help {
    /// For a refused credential or permission.
    pub credential: &'static str,
    /// For a service that cannot be reached, or answers like another service.
    pub unreachable: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            timing: Timing::default(),
            max_body_bytes: 64 * 1024 * 1024,
            headers: HeaderMap::new(),
            secrets: Vec::new(),
            path_is_secret: false,
            explain: explain_text,
            help: Help::default(),
        }
    }
}
