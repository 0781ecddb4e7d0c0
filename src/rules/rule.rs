//! A rule: a condition, and the task, message and tag that it leads to.

use std::collections::BTreeMap;

use super::condition::Condition;
use super::text::{Text, TextKey};
use crate::model::{Priority, SubjectKind, Value};

/// The treatment of the tag when an occasion ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnClear {
    /// Keep it, because somebody may still be at work.
    KeepTag,
    /// Remove it, if this program added it.
    RemoveTag,
}

/// A checked rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The unique, stable id (`storage_limit`).
    pub signal: String,
    /// The Intercom tag of the contacts concerned.
    pub tag: String,
    /// Whether the rule is about a contact or an account.
    pub scope: SubjectKind,
    /// The condition of a signal.
    pub when: Condition,
    /// The priority of the rule's own level.
    pub priority: Priority,
    /// The deadline of the rule's own level, in days from the run's date.
    pub respond_within_days: u32,
    /// The levels above the rule's own, lowest first.
    pub levels: Vec<Level>,
    /// The treatment of the tag when the signal has ended.
    pub on_clear: OnClear,
    /// The `Lead_Status` for a lead in Zoho; `None` leaves it unchanged.
    pub lead_status: Option<String>,
    /// Marks for people and other programs (`hot_lead`).
    pub flags: Vec<String>,
    /// Named values for conditions and texts, including `seat_limit`.
    pub params: BTreeMap<String, Value>,
    /// Zoho user id of the task's owner.
    pub task_owner: Option<String>,
    /// The rule's own texts.
    pub texts: BTreeMap<TextKey, Text>,
}

/// A level above a rule's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Unique within the rule, never empty.
    pub name: String,
    /// The condition of the level. The rule's own condition must hold too.
    pub when: Condition,
    /// The priority.
    pub priority: Priority,
    /// The deadline, in days from the run's date.
    pub respond_within_days: u32,
    /// The texts that differ from the rule's.
    pub texts: BTreeMap<TextKey, Text>,
}

impl Rule {
    /// Returns the level of a name. `None` for the rule's own level (`""`) and for unknown names.
    pub fn level(&self, name: &str) -> Option<&Level> {
        self.levels.iter().find(|level| level.name == name)
    }

    /// Returns the priority at a level; the rule's own for an unknown name.
    pub fn priority_at(&self, level: &str) -> Priority {
        self.level(level).map_or(self.priority, |level| level.priority)
    }

    /// Returns the deadline at a level, in days; the rule's own for an unknown name.
    pub fn respond_within_days_at(&self, level: &str) -> u32 {
        self.level(level).map_or(self.respond_within_days, |level| level.respond_within_days)
    }

    /// Returns the height of a level: 0 for the rule's own (`""`), then 1, 2, … for the levels above it.
    ///
    /// An unknown name ranks above all levels. The ledger may hold a level that was renamed since, and an occasion that may
    /// have been at the top must not escalate again.
    pub fn rank(&self, level: &str) -> usize {
        if level.is_empty() {
            return 0;
        }
        let rung = self.levels.iter().position(|rung| rung.name == level);
        rung.unwrap_or(self.levels.len()) + 1
    }

    /// Returns the text at a level: the level's own, or else the rule's.
    pub fn text_at(&self, level: &str, key: TextKey) -> Option<&Text> {
        let own = self.level(level).and_then(|level| level.texts.get(&key));
        own.or_else(|| self.texts.get(&key))
    }

    /// Returns every condition: the rule's own, then those of its levels.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        std::iter::once(&self.when).chain(self.levels.iter().map(|level| &level.when))
    }

    /// Returns every text, those of the levels included.
    pub(super) fn all_texts(&self) -> impl Iterator<Item = &Text> {
        let levels = self.levels.iter().flat_map(|level| level.texts.values());
        self.texts.values().chain(levels)
    }
}
