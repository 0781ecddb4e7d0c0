//! The kinds of actions and the sinks that perform them: one table for everything that the program knows of a kind.

use strum::{EnumIter, EnumString, IntoEnumIterator, IntoStaticStr};

/// A service that performs actions, and that can be switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumString, EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum SinkKind {
    /// Zoho CRM.
    Tasks,
    /// Slack.
    Messages,
    /// Intercom.
    Tags,
}

impl SinkKind {
    /// The actions of the sink, for people: `Zoho tasks`.
    pub fn label(self) -> &'static str {
        ActionKind::iter().find(|kind| kind.sink() == self).map_or(self.name(), |kind| kind.row().many)
    }
}

/// The kinds of actions. Reports list them in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumString, EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum ActionKind {
    /// Makes a Zoho task, or brings an open one forward.
    Task,
    /// Posts a Slack message.
    Message,
    /// Adds the rule's tag to a contact in Intercom.
    Tag,
    /// Removes a tag that we added.
    Untag,
}

/// The facts about one kind of action.
struct Row {
    sink: SinkKind,
    one: &'static str,
    many: &'static str,
    per_occasion: bool,
    shows_key: bool,
    waits_for_task: bool,
}

impl ActionKind {
    const fn row(self) -> Row {
        match self {
            ActionKind::Task => Row {
                sink: SinkKind::Tasks,
                one: "Zoho task",
                many: "Zoho tasks",
                per_occasion: true,
                shows_key: true,
                waits_for_task: false,
            },
            ActionKind::Message => Row {
                sink: SinkKind::Messages,
                one: "Slack message",
                many: "Slack messages",
                per_occasion: true,
                shows_key: false,
                waits_for_task: true,
            },
            ActionKind::Tag => Row {
                sink: SinkKind::Tags,
                one: "Intercom tag",
                many: "Intercom tags",
                per_occasion: false,
                shows_key: false,
                waits_for_task: true,
            },
            ActionKind::Untag => Row {
                sink: SinkKind::Tags,
                one: "Intercom tag taken off",
                many: "Intercom tags taken off",
                per_occasion: false,
                shows_key: false,
                waits_for_task: false,
            },
        }
    }

    /// The kinds that an occasion has once for each level, in the order in which they are planned. All other kinds are about
    /// one contact each.
    pub fn per_occasion() -> impl Iterator<Item = ActionKind> {
        ActionKind::iter().filter(|kind| kind.is_per_occasion())
    }

    /// The sink that performs the action.
    pub fn sink(self) -> SinkKind {
        self.row().sink
    }

    /// One action of this kind, for people: `Zoho task`.
    pub fn label(self) -> &'static str {
        self.row().one
    }

    /// The label for a number of actions of this kind: `Zoho task`, `Zoho tasks`.
    pub fn label_for(self, count: usize) -> &'static str {
        let Row { one, many, .. } = self.row();
        if count == 1 { one } else { many }
    }

    /// A number of actions of this kind, for people: `1 Zoho task`, `2 Intercom tags taken off`.
    pub fn counted(self, count: usize) -> String {
        format!("{count} {}", self.label_for(count))
    }

    /// Whether an occasion has one for each level, rather than one for each contact.
    pub fn is_per_occasion(self) -> bool {
        self.row().per_occasion
    }

    /// Whether people see the action's short key at the service, so that a report should name it.
    pub fn shows_key(self) -> bool {
        self.row().shows_key
    }

    /// Whether the action waits in a run for the task of its signal.
    pub fn waits_for_task(self) -> bool {
        self.row().waits_for_task
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sink_performs_a_kind_and_has_its_label() {
        let labels: Vec<_> = SinkKind::iter().map(|sink| (sink.name(), sink.label())).collect();
        assert_eq!(labels, [("tasks", "Zoho tasks"), ("messages", "Slack messages"), ("tags", "Intercom tags")]);
        for sink in SinkKind::iter() {
            assert_eq!(sink.name().parse(), Ok(sink));
            assert!(ActionKind::iter().any(|kind| kind.sink() == sink), "{sink:?}");
        }
    }

    #[test]
    fn kinds_are_counted_in_words() {
        assert_eq!(ActionKind::Task.counted(1), "1 Zoho task");
        assert_eq!(ActionKind::Untag.counted(2), "2 Intercom tags taken off");
    }

    #[test]
    fn names_are_read_back() {
        for kind in ActionKind::iter() {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
    }
}
