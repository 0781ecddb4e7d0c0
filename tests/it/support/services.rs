//! The built binary against a sandbox in this process. A test can read and change the sandbox, and add faults.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};
use usage_signals::sandbox::{Effect, Fault, Sandbox, World};

use super::program::{Ran, finish, program};

pub struct Services {
    pub sandbox: Sandbox,
    pub home: tempfile::TempDir,
}

/// Returns contacts with one storage signal each, each in its own account.
pub fn full_accounts(count: usize) -> Vec<Value> {
    let contact = |number: usize| {
        json!({
            "type": "contact", "id": format!("65a0c{number:03x}de40000000000000"), "role": "user",
            "email": format!("person{number}@example.com"), "name": format!("Person {number}"),
            "created_at": 1_704_067_200 + number, "custom_attributes": { "storage_percent": 83 },
            "companies": { "type": "list", "data": [{ "id": format!("66b0c{number:03x}c000000000000000") }] },
        })
    };
    (0..count).map(contact).collect()
}

impl Services {
    pub fn new(contacts: &[Value]) -> Services {
        Services::with_companies(contacts, &[])
    }

    /// Starts with the demo workspace.
    pub fn demo() -> Services {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
        Services::of(World::load(&folder).unwrap(), tempfile::tempdir().unwrap())
    }

    /// Starts with a world and the home folder of earlier runs.
    pub fn of(world: World, home: tempfile::TempDir) -> Services {
        Services { sandbox: Sandbox::start(world, None).unwrap(), home }
    }

    pub fn with_companies(contacts: &[Value], companies: &[Value]) -> Services {
        let contacts = serde_json::to_string(contacts).unwrap();
        let tags: Vec<_> =
            companies.iter().flat_map(|company| company["tags"]["tags"].as_array().cloned()).flatten().collect();
        let tags = serde_json::to_string(&tags).unwrap();
        let companies = serde_json::to_string(companies).unwrap();
        let mut world = World::from_files(&|name| match name {
            "contacts.json" => Some(contacts.clone()),
            "companies.json" => Some(companies.clone()),
            "tags.json" => Some(tags.clone()),
            _ => None,
        })
        .unwrap();
        world.slack.rate_limit = false;
        Services::of(world, tempfile::tempdir().unwrap())
    }

    pub fn fault(&self, fault: Value) {
        let fault: Fault = serde_json::from_value(fault).unwrap();
        self.sandbox.with_world(|world| world.faults.push(fault));
    }

    pub fn mend(&self) {
        self.sandbox.with_world(|world| world.faults.clear());
    }

    pub fn change(&self, change: &Value) {
        self.sandbox.with_world(|world| world.apply_change(change)).unwrap();
    }

    /// Returns the program with the environment of the services, without arguments.
    pub fn program(&self) -> Command {
        let mut command = program(self.home.path());
        command.envs(self.sandbox.env());
        command
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program();
        command.args(["scan", "--format", "json"]).args(arguments);
        command
    }

    pub fn scan(&self) -> Ran {
        finish(&mut self.command(&[]))
    }

    /// Counts the effects by service, verb and module.
    pub fn effects(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        let name =
            |effect: &Effect| format!("{} {} {}", effect.service, effect.verb, effect.get("module")).trim().to_owned();
        for effect in self.sandbox.with_world(|world| world.effects.clone()) {
            *counts.entry(name(&effect)).or_insert(0) += 1;
        }
        counts
    }

    pub fn count(&self, effect: &str) -> usize {
        self.effects().get(effect).copied().unwrap_or_default()
    }

    pub fn requests_to(&self, path: &str) -> usize {
        self.sandbox.requests().iter().filter(|request| request.path.contains(path)).count()
    }
}
