//! A rule: a condition, plus what it asks for.

use std::collections::BTreeMap;

use super::condition::Condition;
use super::text::{Text, TextKey};
use crate::model::{Priority, SubjectKind, Value};

/// What happens to the tag when an occasion ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnClear {
    /// It stays: somebody may still be at work.
    KeepTag,
    /// It is taken off where we added it.
    RemoveTag,
}

/// A rule that was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its unique, stable id (`storage_limit`).
    pub signal: String,
    /// The Intercom tag of the contacts concerned.
    pub tag: String,
    /// Whom it is about.
    pub scope: SubjectKind,
    /// When it signals.
    pub when: Condition,
    /// How urgent its own level is.
    pub priority: Priority,
    /// The deadline of its own level, in days from the run's date.
    pub respond_within_days: u32,
    /// The rungs above its own level, lowest first.
    pub levels: Vec<Level>,
    /// What happens to the tag when the signal has cleared.
    pub on_clear: OnClear,
    /// Lead_Status for a lead in Zoho; None leaves it alone.
    pub lead_status: Option<String>,
    /// Marks for people and other programs (`hot_lead`).
    pub flags: Vec<String>,
    /// Named values for conditions and texts, `seat_limit` among them.
    pub params: BTreeMap<String, Value>,
    /// Zoho user id of the task's owner.
    pub task_owner: Option<String>,
    /// The texts that the rule has of its own.
    pub texts: BTreeMap<TextKey, Text>,
}

/// A rung of a rule's ladder.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Unique within the rule, never empty.
    pub name: String,
    /// When it is reached, together with the rule's own condition.
    pub when: Condition,
    /// How urgent.
    pub priority: Priority,
    /// The deadline in days.
    pub respond_within_days: u32,
    /// The texts that differ from the rule's.
    pub texts: BTreeMap<TextKey, Text>,
}

impl Rule {
    /// The level by name; None for the rule's own (`""`) and for names that the ladder does not have (any more).
    pub fn level(&self, name: &str) -> Option<&Level> {
        self.levels.iter().find(|level| level.name == name)
    }

    /// The priority at a level; the rule's own for a name that the ladder does not have.
    pub fn priority_at(&self, level: &str) -> Priority {
        self.level(level).map_or(self.priority, |level| level.priority)
    }

    /// The deadline at a level, in days; the rule's own for a name that the ladder does not have.
    pub fn respond_within_days_at(&self, level: &str) -> u32 {
        self.level(level).map_or(self.respond_within_days, |level| level.respond_within_days)
    }

    /// How high a level is: 0 for the rule's own (`""`), then 1, 2, … up the ladder.
    ///
    /// A name that the ladder does not have is higher than all: the ledger remembers a level that was renamed since, and an
    /// occasion that may have been at the top must not escalate again.
    pub fn rank(&self, level: &str) -> usize {
        if level.is_empty() {
            return 0;
        }
        let rung = self.levels.iter().position(|rung| rung.name == level);
        rung.unwrap_or(self.levels.len()) + 1
    }

    /// The text at a level: the level's own, else the rule's.
    pub fn text_at(&self, level: &str, key: TextKey) -> Option<&Text> {
        let own = self.level(level).and_then(|level| level.texts.get(&key));
        own.or_else(|| self.texts.get(&key))
    }

    /// Every condition: its own, then those of the ladder.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        std::iter::once(&self.when).chain(self.levels.iter().map(|level| &level.when))
    }

    /// Every text, those of the ladder included.
    pub(super) fn all_texts(&self) -> impl Iterator<Item = &Text> {
        let levels = self.levels.iter().flat_map(|level| level.texts.values());
        self.texts.values().chain(levels)
    }
}
