//! The scenarios that a disturbed run begins with, and the state that the services hold.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use usage_signals::sandbox::{Fault, Sandbox, World};

use crate::support::program::{Ran, finish, program};

const CONTACT: &str = "65a0c000de40000000000000";

/// The state of the services before the disturbed run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// A new signal of a contact that Zoho does not know.
    New,
    /// A new signal of a contact that is a lead in Zoho.
    OnLead,
    /// A signal at a higher level, with an open task.
    Worse,
    /// A signal that cleared, so that its tag comes off.
    Cleared,
    /// A signal of a contact with more companies than a page of the search shows.
    Many,
    /// The contact of a signal is gone.
    Gone,
    /// A task and a message in doubt, because their responses were lost.
    InDoubt,
    /// A tag in doubt.
    TagInDoubt,
}

impl Scenario {
    pub const ALL: [Scenario; 8] = [
        Scenario::New,
        Scenario::OnLead,
        Scenario::Worse,
        Scenario::Cleared,
        Scenario::Many,
        Scenario::Gone,
        Scenario::InDoubt,
        Scenario::TagInDoubt,
    ];

    /// Whether an earlier run left an action in doubt.
    pub fn is_unfinished(self) -> bool {
        matches!(self, Scenario::InDoubt | Scenario::TagInDoubt)
    }
}

/// The world and the home directory before the disturbed run.
pub struct Prepared {
    world: World,
    home: tempfile::TempDir,
}

fn company_id(number: usize) -> String {
    format!("66b0c{number:03x}c000000000000000")
}

fn contact(storage: u32, companies: usize) -> Value {
    let companies: Vec<Value> = (0..companies).map(|number| json!({ "id": company_id(number) })).collect();
    json!({
        "type": "contact", "id": CONTACT, "role": "user", "email": "ann@acme.example", "name": "Ann Acme",
        "created_at": 1_704_067_200, "custom_attributes": { "storage_percent": storage },
        "companies": { "type": "list", "data": companies },
    })
}

fn config(home: &Path, timeout: &str) {
    let window = "rate_limit_window = \"20ms\"\n";
    let sections = [("intercom", window), ("zoho", ""), ("slack", "")];
    let sections = sections.map(|(name, more)| format!("[{name}]\nrequest_timeout = \"{timeout}\"\n{more}"));
    let text = format!(
        "{}[http]\nfirst_wait = \"5ms\"\n[scan]\nclear_after = \"1s\"\n\
         [[rules]]\nsignal = \"storage_limit\"\non_clear = \"remove_tag\"\n",
        sections.concat()
    );
    std::fs::write(home.join("usage-signals.toml"), text).unwrap();
}

impl Prepared {
    pub fn new(scenario: Scenario) -> Prepared {
        let companies = if scenario == Scenario::Many { 11 } else { 1 };
        let contacts = json!([contact(83, companies)]).to_string();
        let company = |number| json!({ "type": "company", "id": company_id(number), "name": format!("Acme {number}") });
        let companies = json!((0..companies).map(company).collect::<Vec<_>>()).to_string();
        let mut world = World::from_files(&|name| match name {
            "contacts.json" => Some(contacts.clone()),
            "companies.json" => Some(companies.clone()),
            _ => None,
        })
        .unwrap();
        world.slack.rate_limit = false;
        let services = Services { sandbox: Sandbox::start(world, None).unwrap(), home: folder(), webhook: false };
        services.live_through(scenario);
        let Services { sandbox, home, .. } = services;
        Prepared { world: sandbox.stop(), home }
    }

    pub fn start(&self, webhook: bool) -> Services {
        let home = folder();
        copy(self.home.path(), home.path());
        Services { sandbox: Sandbox::start(self.world.clone(), None).unwrap(), home, webhook }
    }
}

/// Creates a folder in memory if possible, because the ledger waits for the disk at every step.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// The services of one cell, and the folder of the program.
pub struct Services {
    pub sandbox: Sandbox,
    home: tempfile::TempDir,
    webhook: bool,
}

impl Services {
    /// Plays the time before the disturbed run.
    fn live_through(&self, scenario: Scenario) {
        let figures =
            |storage: u32| json!({ "contact": { "id": CONTACT, "custom_attributes": { "storage_percent": storage } } });
        let lead = json!({ "zoho_lead": { "id": "5725767000000777001", "Email": "ann@acme.example", "Last_Name": "Acme",
            "Company": "Acme", "Lead_Status": "Not Contacted" } });
        let lost = |service: &str, path: &str| {
            self.fault(json!({ "service": service, "method": "POST", "path_prefix": path, "kind": "reset_after" }));
        };
        match scenario {
            Scenario::New | Scenario::Many => return,
            Scenario::OnLead => return self.change(&lead),
            Scenario::InDoubt => {
                lost("zoho", "/crm/v8/Tasks");
                lost("slack", "/chat.postMessage");
            }
            Scenario::TagInDoubt => lost("intercom", "/contacts/65a0"),
            Scenario::Worse | Scenario::Cleared | Scenario::Gone => {}
        }
        self.scan("20s").expect(i32::from(scenario.is_unfinished()));
        self.mend();
        match scenario {
            Scenario::Worse => self.change(&figures(96)),
            Scenario::Gone => self.change(&json!({ "remove_contact": CONTACT })),
            Scenario::Cleared => {
                self.change(&figures(10));
                // The first run sees the signal cleared; after `clear_after` the next one acts on it.
                self.scan("20s").expect(0);
                std::thread::sleep(std::time::Duration::from_millis(2100));
            }
            _ => {}
        }
    }

    fn change(&self, change: &Value) {
        self.sandbox.with_world(|world| world.apply_change(change)).unwrap();
    }

    pub fn fault(&self, fault: Value) {
        let fault: Fault = serde_json::from_value(fault).unwrap();
        self.sandbox.with_world(|world| world.faults.push(fault));
    }

    pub fn mend(&self) {
        self.sandbox.with_world(|world| world.faults.clear());
    }

    pub fn scan(&self, timeout: &str) -> Ran {
        self.scan_with(timeout, &[])
    }

    /// Scans with further environment variables, which override the sandbox's.
    pub fn scan_with(&self, timeout: &str, environment: &[(&str, String)]) -> Ran {
        config(self.home.path(), timeout);
        let mut command = program(self.home.path());
        command.envs(self.sandbox.env()).args(["scan", "--format", "json"]);
        if self.webhook {
            command.env_remove("SLACK_BOT_TOKEN").env("SLACK_WEBHOOK_URL", self.sandbox.webhook_url());
        }
        finish(command.envs(environment.iter().map(|(name, value)| (*name, value))))
    }

    pub fn holds(&self) -> State {
        State::of(&self.sandbox.with_world(|world| serde_json::to_value(&*world).unwrap()))
    }
}

/// The state of the services, without the keys and ids that depend on the instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The subjects, each with the number of keys in the description.
    pub tasks: Vec<(String, usize)>,
    pub leads: Vec<(String, String)>,
    /// The names of the tags on the contact.
    pub tags: Vec<String>,
    /// How often each key was posted. A webhook's messages have no key and count under "".
    pub messages: BTreeMap<String, usize>,
    pub marked_as_repeats: usize,
}

fn texts(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

impl State {
    pub fn of(world: &Value) -> State {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let is_key = |word: &&str| word.trim_matches(|c: char| !c.is_alphanumeric()).starts_with("US-");
        let subject = |task: &Value| {
            text(&task["Subject"]).split_whitespace().filter(|word| !is_key(word)).collect::<Vec<_>>().join(" ")
        };
        let keys = |task: &Value| text(&task["Description"]).split_whitespace().filter(is_key).count();
        let names: BTreeMap<String, String> =
            texts(&world["intercom"]["tags"]).map(|tag| (text(&tag["id"]), text(&tag["name"]))).collect();
        let tags = world["intercom"]["contacts"][0].pointer("/tags/data").cloned().unwrap_or_default();
        let mut state = State {
            tasks: texts(&world["zoho"]["Tasks"]).map(|task| (subject(task), keys(task))).collect(),
            leads: texts(&world["zoho"]["Leads"])
                .map(|lead| (text(&lead["Email"]), text(&lead["Lead_Status"])))
                .collect(),
            tags: texts(&tags).filter_map(|tag| names.get(&text(&tag["id"])).cloned()).collect(),
            messages: BTreeMap::new(),
            marked_as_repeats: 0,
        };
        for message in texts(&world["slack"]["messages"]) {
            *state.messages.entry(text(&message["metadata"]["event_payload"]["key"])).or_default() += 1;
            state.marked_as_repeats += usize::from(message.to_string().contains("May be a repeat"));
        }
        state.tasks.sort();
        state
    }

    /// Returns whether two states are alike. The keys of messages depend on the instant, so only their number is compared.
    pub fn is_like(&self, other: &State) -> bool {
        let comparable = |state: &State| {
            let State { tasks, leads, tags, messages, marked_as_repeats: _ } = state.clone();
            (tasks, leads, tags, messages.len())
        };
        comparable(self) == comparable(other)
    }
}

/// Returns the kinds of the actions with this reason in the report.
pub fn ended_by(reason: &str, ran: &Ran) -> Vec<String> {
    let report = if ran.out.is_empty() { Value::Null } else { ran.json() };
    let actions = texts(&report["signals"]).flat_map(|signal| texts(&signal["actions"]));
    let ended = actions.filter(|action| action["reason"] == reason);
    ended.map(|action| action["kind"].as_str().unwrap().to_owned()).collect()
}
