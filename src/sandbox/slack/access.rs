//! The permissions of a token: scopes, channels and rate.

use super::super::workspace::{Channel, Slack};
use super::failure::Failure;
use serde_json::json;
use std::time::{Duration, Instant};

impl Slack {
    /// Refuses a call if the token has none of these scopes.
    pub(super) fn needs(&self, scopes: &[&str]) -> Result<(), Failure> {
        if scopes.iter().any(|scope| self.scopes.iter().any(|granted| granted == scope)) {
            return Ok(());
        }
        let needed = scopes.first().copied().unwrap_or_default();
        Err(Failure::with("missing_scope", json!({"needed": needed, "provided": self.scopes.join(",")})))
    }

    /// Returns the channel with that id or name. A private channel without the bot looks as if it did not exist.
    pub(super) fn channel(&self, name: &str) -> Result<&Channel, Failure> {
        let bare = name.trim_start_matches('#');
        let found = self.channels.iter().find(|channel| channel.id == name || channel.name.as_deref() == Some(bare));
        found.filter(|channel| channel.member || !channel.private).ok_or_else(|| "channel_not_found".into())
    }

    /// Counts a message to a channel and returns whether it is admitted: three messages per three seconds.
    pub(super) fn admits(&mut self, channel: &str) -> bool {
        if !self.rate_limit {
            return true;
        }
        let recent = self.recent.0.entry(channel.to_owned()).or_default();
        recent.retain(|at| at.elapsed() < Duration::from_secs(3));
        let admitted = recent.len() < 3;
        if admitted {
            recent.push(Instant::now());
        }
        admitted
    }
}
