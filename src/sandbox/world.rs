//! The state of all three services as one value, which can be loaded from a folder, saved and compared.

pub use super::effect::Effect;
use super::faults::Fault;
use super::workspace::{Intercom, Slack, Zoho};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The state of the three services and of the sandbox itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct World {
    /// The Intercom workspace.
    pub intercom: Intercom,
    /// The Zoho CRM organisation.
    pub zoho: Zoho,
    /// The Slack team.
    pub slack: Slack,
    /// The services' clock in Unix seconds; `None` follows the real clock. Intercom's rate limit always follows the real
    /// clock, because a client waits by its own.
    pub now: Option<i64>,
    /// Planned faults.
    pub faults: Vec<Fault>,
    /// Every write that took effect, in order.
    pub effects: Vec<Effect>,
}

/// Why a world could not be loaded, saved or changed. It names the file and the place in it.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A file could not be read or written.
    #[error("{}: {cause}", file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// The system's error.
        cause: std::io::Error,
    },
    /// A file is not the JSON it should be; the text of `cause` gives line and column.
    #[error("{file}: {cause}")]
    Json {
        /// Which file.
        file: String,
        /// The fault, and its place.
        cause: serde_json::Error,
    },
    /// The JSON is well-formed but inconsistent.
    #[error("{file}: {problem}")]
    Meaning {
        /// Which file.
        file: String,
        /// The fault, with the id or position.
        problem: String,
    },
    /// A change names something that does not exist, or its kind is unknown.
    #[error("change {change}: {problem}")]
    Change {
        /// The kind of change, `untag_contact` for instance.
        change: String,
        /// Its fault.
        problem: String,
    },
}

impl World {
    /// Loads a folder of JSON files in the shape of the APIs. Each file is optional, but a folder without any is an error,
    /// most likely a mistyped path.
    pub fn load(dir: &Path) -> Result<World, WorldError> {
        let mut texts = std::collections::BTreeMap::new();
        for name in FILES {
            let file = dir.join(name);
            match std::fs::read_to_string(&file) {
                Ok(text) => _ = texts.insert(name, text),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(cause) => return Err(WorldError::Io { file, cause }),
            }
        }
        if texts.is_empty() {
            let problem = format!("none of {} is here", FILES.join(", "));
            return Err(WorldError::Meaning { file: dir.display().to_string(), problem });
        }
        World::from_files(&|name| texts.get(name).cloned())
    }

    /// Builds a world from the texts of its files by name, for a world embedded with `include_str!`.
    pub fn from_files(get: &dyn Fn(&str) -> Option<String>) -> Result<World, WorldError> {
        fn read<T: serde::de::DeserializeOwned + Default>(file: &str, text: Option<String>) -> Result<T, WorldError> {
            let Some(text) = text else { return Ok(T::default()) };
            serde_json::from_str(&text).map_err(|cause| WorldError::Json { file: file.to_owned(), cause })
        }
        let mut world = World {
            intercom: read("workspace.json", get("workspace.json"))?,
            zoho: read("zoho.json", get("zoho.json"))?,
            slack: read("slack.json", get("slack.json"))?,
            ..World::default()
        };
        world.intercom.contacts = read("contacts.json", get("contacts.json"))?;
        world.intercom.companies = read("companies.json", get("companies.json"))?;
        world.intercom.tags = read("tags.json", get("tags.json"))?;
        world.intercom.data_attributes = read("data_attributes.json", get("data_attributes.json"))?;
        let meaning = |(file, problem): (&str, String)| WorldError::Meaning { file: file.to_owned(), problem };
        world.intercom.complete().map_err(meaning)?;
        world.zoho.complete().map_err(meaning)?;
        Ok(world)
    }

    /// Reads a world that [`World::save`] wrote.
    pub fn read(file: &Path) -> Result<World, WorldError> {
        let text = std::fs::read(file).map_err(|cause| WorldError::Io { file: file.to_owned(), cause })?;
        serde_json::from_slice(&text).map_err(|cause| WorldError::Json { file: file.display().to_string(), cause })
    }

    /// Writes the world as one JSON file, atomically: a reader sees the old file or the new one.
    pub fn save(&self, file: &Path) -> Result<(), WorldError> {
        let io = |cause| WorldError::Io { file: file.to_owned(), cause };
        let text =
            serde_json::to_vec(self).map_err(|cause| WorldError::Json { file: file.display().to_string(), cause })?;
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let temporary = file.with_file_name(name);
        let mut out = std::fs::File::create(&temporary).map_err(io)?;
        out.write_all(&text).and_then(|()| out.sync_all()).map_err(io)?;
        std::fs::rename(&temporary, file).map_err(io)
    }

    /// Returns the services' time in Unix seconds.
    pub(super) fn clock(&self) -> i64 {
        self.now.unwrap_or_else(|| chrono::Utc::now().timestamp())
    }

    /// Returns counters that change with every write and every access token. If they changed, the world needs saving.
    pub(super) fn changes(&self) -> (usize, u64) {
        (self.effects.len(), self.zoho.tokens_issued)
    }
}

/// The files of a workspace folder.
const FILES: [&str; 7] = [
    "workspace.json",
    "contacts.json",
    "companies.json",
    "tags.json",
    "data_attributes.json",
    "zoho.json",
    "slack.json",
];
