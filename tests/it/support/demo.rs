//! `scan --sandbox` on the demo workspace, with a world that a test can change between runs.

use std::path::{Path, PathBuf};

use serde_json::Value;
use usage_signals::sandbox::World;

use super::program::{Ran, finish, program};

pub struct Demo {
    pub home: tempfile::TempDir,
}

impl Demo {
    /// Creates a demo before its first run. `config` is the user's file.
    pub fn new(config: &str) -> Demo {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("usage-signals.toml"), config).unwrap();
        Demo { home }
    }

    pub fn folder(&self) -> PathBuf {
        self.home.path().join(".local/state/usage-signals/sandbox/demo")
    }

    pub fn ledger(&self) -> PathBuf {
        self.folder().join("ledger.sqlite")
    }

    pub fn world(&self) -> World {
        serde_json::from_slice(&std::fs::read(self.folder().join("world.json")).unwrap()).unwrap()
    }

    /// Changes the world between two runs; before the first one, it is the demo's.
    pub fn change(&self, change: impl FnOnce(&mut World)) {
        let file = self.folder().join("world.json");
        let mut world = match file.exists() {
            true => self.world(),
            false => World::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo")).unwrap(),
        };
        change(&mut world);
        std::fs::create_dir_all(self.folder()).unwrap();
        std::fs::write(file, serde_json::to_vec(&world).unwrap()).unwrap();
    }

    /// Replaces all faults.
    pub fn faults(&self, faults: Value) {
        self.change(|world| world.faults = serde_json::from_value(faults).unwrap());
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        finish(program(self.home.path()).env("USER", "robin").args(arguments))
    }

    /// Scans at an hour of 2025-12-20. Hour 30 is 06:00 of the next day.
    pub fn scan(&self, hour: u32, arguments: &[&str]) -> Ran {
        let at = instant(hour);
        self.run(&[&["scan", "--sandbox", "--as-of", &at], arguments].concat())
    }

    /// Runs `ledger …` or `status` at an hour.
    pub fn look(&self, hour: u32, arguments: &[&str]) -> Ran {
        let at = instant(hour);
        self.run(&[arguments, &["--sandbox", "--as-of", &at]].concat())
    }
}

fn instant(hour: u32) -> String {
    format!("2025-12-{}T{:02}:00:00Z", 20 + hour / 24, hour % 24)
}
