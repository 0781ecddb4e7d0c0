//! Every kind of request against every class of ending, over the wire: one run with the fault, one without. What the services
//! hold then is what an undisturbed run would have left, except an action that was given up, which both reports name.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use usage_signals::sandbox::{Fault, Sandbox, World};

use crate::support::program::{Ran, finish, program};

const CONTACT: &str = "65a0c000de40000000000000";
const WORKERS: usize = 12;
/// Where one class has to stand for several: what the others lead to is the same by the table.
const REPRESENTATIVES: [&str; 10] = [
    "reset before",
    "reset after",
    "drip",
    "another shape",
    "302",
    "400",
    "401",
    "404",
    "429, once, hint",
    "500 after",
];

/// What a run finds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Story {
    /// A signal of somebody whom Zoho does not know.
    New,
    /// The same, and Zoho has a lead.
    OnLead,
    /// A signal that has got worse: its task is open.
    Worse,
    /// A signal that has cleared: its tag comes off.
    Cleared,
}

/// A kind of request: what to call it, where it shows, and how to tell it from others on the wire.
struct Kind {
    name: &'static str,
    story: Story,
    webhook: bool,
    place: Value,
}

fn kinds() -> Vec<Kind> {
    let kind = |name, story, place| Kind { name, story, webhook: false, place };
    let at =
        |service: &str, method: &str, path: &str| json!({ "service": service, "method": method, "path_prefix": path });
    let mut find = at("intercom", "GET", "/tags");
    find["skip"] = json!(1);
    vec![
        kind("search", Story::New, at("intercom", "POST", "/contacts/search")),
        kind("tags", Story::New, at("intercom", "GET", "/tags")),
        kind("find", Story::New, find),
        kind("make", Story::New, at("intercom", "POST", "/tags")),
        kind("attach", Story::New, at("intercom", "POST", "/contacts/65a0")),
        kind("detach", Story::Cleared, at("intercom", "DELETE", "/contacts/65a0")),
        kind("token", Story::New, at("zoho", "POST", "/oauth")),
        kind("coql", Story::New, at("zoho", "POST", "/crm/v8/coql")),
        kind("lead+", Story::New, at("zoho", "POST", "/crm/v8/Leads")),
        kind("lead=", Story::OnLead, at("zoho", "PUT", "/crm/v8/Leads")),
        kind("task+", Story::New, at("zoho", "POST", "/crm/v8/Tasks")),
        kind("task?", Story::Worse, at("zoho", "GET", "/crm/v8/Tasks")),
        kind("task=", Story::Worse, at("zoho", "PUT", "/crm/v8/Tasks")),
        kind("bot", Story::New, at("slack", "POST", "/chat.postMessage")),
        Kind { webhook: true, ..kind("hook", Story::New, at("slack", "POST", "/services")) },
    ]
}

/// Classes of endings, for the whole run where no `times` stands.
fn classes() -> Vec<(&'static str, Value)> {
    let status = |status: u16| json!({ "kind": "status", "status": status });
    let page = "<html><h1>Bad Gateway</h1></html>";
    vec![
        ("reset before", json!({ "kind": "reset_before" })),
        ("reset after", json!({ "kind": "reset_after" })),
        ("reset after, once", json!({ "kind": "reset_after", "times": 1 })),
        ("drip", json!({ "kind": "drip" })),
        ("empty 200", json!({ "kind": "empty_body" })),
        ("truncated", json!({ "kind": "truncate" })),
        ("HTML under 200", json!({ "kind": "status", "status": 200, "after": true, "body": page })),
        ("another shape", json!({ "kind": "status", "status": 200, "body": { "hello": "there" } })),
        ("302", json!({ "kind": "status", "status": 302, "headers": { "Location": "http://127.0.0.1:9/" } })),
        ("400", status(400)),
        ("401", status(401)),
        ("403", status(403)),
        ("404", status(404)),
        ("408 after", json!({ "kind": "status", "status": 408, "after": true })),
        ("409", status(409)),
        ("422", status(422)),
        ("429", status(429)),
        ("429, once, hint", json!({ "kind": "status", "status": 429, "times": 1, "headers": { "Retry-After": "0" } })),
        ("429 for an hour", json!({ "kind": "status", "status": 429, "headers": { "Retry-After": "3600" } })),
        ("500 after", json!({ "kind": "status", "status": 500, "after": true })),
        ("502 HTML, once", json!({ "kind": "status", "status": 502, "body": page, "times": 1 })),
        ("503", status(503)),
    ]
}

/// A world and a home as they are before the run that counts.
struct Prepared {
    world: World,
    home: tempfile::TempDir,
}

fn contact(storage: u32) -> Value {
    json!({
        "type": "contact", "id": CONTACT, "role": "user", "email": "ann@acme.example", "name": "Ann Acme",
        "created_at": 1_704_067_200, "custom_attributes": { "storage_percent": storage },
        "companies": { "type": "list", "data": [{ "id": "66b0c000c000000000000000" }] },
    })
}

fn config(home: &Path, timeout: &str) {
    let sections = ["intercom", "zoho", "slack"].map(|name| format!("[{name}]\nrequest_timeout = \"{timeout}\"\n"));
    let text = format!(
        "{}[http]\nfirst_wait = \"5ms\"\n[scan]\nclear_after = \"1s\"\n\
         [[rules]]\nsignal = \"storage_limit\"\non_clear = \"remove_tag\"\n",
        sections.concat()
    );
    std::fs::write(home.join("usage-signals.toml"), text).unwrap();
}

impl Prepared {
    fn new(story: Story) -> Prepared {
        let contacts = json!([contact(83)]).to_string();
        let mut world = World::from_files(&|name| (name == "contacts.json").then(|| contacts.clone())).unwrap();
        world.slack.rate_limit = false;
        let prepared = Prepared { world, home: folder() };
        let storage = match story {
            Story::New => return prepared,
            Story::OnLead => {
                let lead = json!({ "id": "5725767000000777001", "Email": "ann@acme.example", "Last_Name": "Acme",
                    "Company": "Acme", "Lead_Status": "Not Contacted" });
                let mut prepared = prepared;
                prepared.world.apply_change(&json!({ "zoho_lead": lead })).unwrap();
                return prepared;
            }
            Story::Worse => 96,
            Story::Cleared => 10,
        };
        let Prepared { world, home } = prepared;
        let services = Services { sandbox: Sandbox::start(world, None).unwrap(), home, webhook: false };
        services.scan("20s").expect(0);
        services
            .sandbox
            .with_world(|world| {
                let figures = json!({ "storage_percent": storage });
                world.apply_change(&json!({ "contact": { "id": CONTACT, "custom_attributes": figures } }))
            })
            .unwrap();
        if story == Story::Cleared {
            // Seen as cleared, and long enough so a moment later.
            services.scan("20s").expect(0);
            std::thread::sleep(std::time::Duration::from_millis(2100));
        }
        let Services { sandbox, home, .. } = services;
        let world = sandbox.stop();
        Prepared { world, home }
    }

    fn start(&self, webhook: bool) -> Services {
        let home = folder();
        copy(self.home.path(), home.path());
        Services { sandbox: Sandbox::start(self.world.clone(), None).unwrap(), home, webhook }
    }
}

/// In memory where that is possible: the ledger waits for its disk at every step.
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

struct Services {
    sandbox: Sandbox,
    home: tempfile::TempDir,
    webhook: bool,
}

impl Services {
    fn scan(&self, timeout: &str) -> Ran {
        self.scan_with(timeout, &[])
    }

    fn scan_with(&self, timeout: &str, environment: &[(&str, String)]) -> Ran {
        config(self.home.path(), timeout);
        let mut command = program(self.home.path());
        command.envs(self.sandbox.env()).args(["scan", "--format", "json"]);
        if self.webhook {
            command.env_remove("SLACK_BOT_TOKEN").env("SLACK_WEBHOOK_URL", self.sandbox.webhook_url());
        }
        finish(command.envs(environment.iter().map(|(name, value)| (*name, value))))
    }

    fn holds(&self) -> State {
        State::of(&self.sandbox.with_world(|world| serde_json::to_value(&*world).unwrap()))
    }
}

/// What the services hold, without keys and ids, which depend on when it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    /// Subjects, and how many keys the description bears.
    tasks: Vec<(String, usize)>,
    leads: Vec<(String, String)>,
    /// Names of the tags on the contact.
    tags: Vec<String>,
    /// How often each key was posted; by webhook, where there are none, under "".
    messages: BTreeMap<String, usize>,
    marked_as_repeats: usize,
}

fn texts(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

impl State {
    fn of(world: &Value) -> State {
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
}

/// The kinds of the actions that a report gives this reason for.
fn ended_by(reason: &str, ran: &Ran) -> Vec<String> {
    let report = if ran.out.is_empty() { Value::Null } else { ran.json() };
    let actions = texts(&report["signals"]).flat_map(|signal| texts(&signal["actions"]));
    let ended = actions.filter(|action| action["reason"] == reason);
    ended.map(|action| action["kind"].as_str().unwrap().to_owned()).collect()
}

/// One cell: the exit code of the disturbed run and what was given up; or what is wrong.
fn cell(prepared: &Prepared, undisturbed: &State, kind: &Kind, class: &str, fault: &Value) -> Result<String, String> {
    let services = prepared.start(kind.webhook);
    let mut planned = kind.place.clone();
    planned.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
    let planned: Fault = serde_json::from_value(planned).unwrap();
    let before = services.holds();
    let requests = || services.sandbox.requests().len();
    services.sandbox.with_world(|world| world.faults.push(planned));
    let first = services.scan(if class == "drip" { "700ms" } else { "20s" });
    let struck = requests();
    services.sandbox.with_world(|world| world.faults.clear());
    let between = services.holds();
    let second = services.scan("20s");
    let after = services.holds();
    let wrong = |what: &str| Err(format!("{what}\nbetween {between:#?}\nafter {after:#?}\n{first:#?}\n{second:#?}"));

    if struck == 0 {
        return wrong("nothing was asked");
    }
    if second.code != Some(0) {
        return wrong("the clean run did not end with 0");
    }
    let unread = matches!(first.code, Some(6)) || (matches!(kind.name, "search" | "tags") && first.code != Some(0));
    if unread && between != before {
        return wrong("an incomplete read had effects");
    }
    let given_up = ended_by("refused", &first);
    if ended_by("refused", &second) != given_up {
        return wrong("what was given up is not named in both reports");
    }
    // A 404 on tagging, and the tag is there: the contact is gone.
    let gone = ended_by("contact_gone", &first);
    let mut expected = undisturbed.clone();
    if given_up.iter().any(|kind| kind == "message") {
        expected.messages.clear();
    }
    if given_up.iter().chain(&gone).any(|kind| kind == "tag") {
        expected.tags.clear();
    }
    if given_up.iter().any(|kind| kind == "untag") {
        expected.tags.clone_from(&before.tags);
    }
    if (kind.name, class) == ("detach", "404") {
        // Intercom says that the tag is not on the contact, and it is taken at its word.
        expected.tags.clone_from(&before.tags);
    }
    if (kind.name, class) == ("task?", "404") {
        // The open task is gone, as far as Zoho says, so the worse news is a task of its own.
        expected.tasks = vec![
            ("🚀 Upsell Opportunity: Storage at 83% ·".to_owned(), 0),
            ("🚨 Storage almost full: 96% ·".to_owned(), 0),
        ];
    }
    let mut got = after.clone();
    if kind.webhook {
        // Nobody can look: a message that may have arrived is posted again, and says so.
        let posts = got.messages.values().sum::<usize>();
        if posts > 1 + got.marked_as_repeats {
            return wrong("a repeat is not marked");
        }
        got.messages.clone_from(&expected.messages);
    } else if got.messages.values().any(|times| *times > 1) || got.marked_as_repeats > 0 {
        return wrong("a message came twice");
    }
    // Keys differ with the instant at which they were recorded.
    let counts = |state: &State| state.messages.len();
    if counts(&got) != counts(&expected) {
        return wrong("another number of messages");
    }
    let rest = |state: State| (state.tasks, state.leads, state.tags);
    if rest(got) != rest(expected.clone()) {
        return wrong(&format!("not the state of an undisturbed run, which is {expected:#?}"));
    }
    let exit = first.code.map_or_else(|| "killed".to_owned(), |code| code.to_string());
    let mark = match (given_up.is_empty(), gone.is_empty()) {
        (false, _) => " drop",
        (_, false) => " gone",
        _ => "",
    };
    Ok(format!("{exit}{mark}"))
}

#[test]
fn after_one_clean_run_everything_is_as_if_nothing_had_happened() {
    let mut classes = classes();
    classes.retain(|(name, _)| REPRESENTATIVES.contains(name));
    assert_eq!(classes.len(), REPRESENTATIVES.len());
    // The exit code of the disturbed run; "drop" where an action was given up, "gone" where the contact was.
    insta::assert_snapshot!(matrix(&classes), @"
                        search tags   find   make   attach detach token  coql   lead+  lead=  task+  task?  task=  bot    hook
    reset before        6      6      1      1      1      1      1      1      1      1      1      1      1      1      1
    reset after         6      6      1      1      1      1      1      1      1      1      1      1      1      1      1
    drip                6      6      1      1      1      0      1      0      1      1      1      1      1      1      1
    another shape       6      6      1      1      1      1      1      1      1      1      1      1      1      1      1
    302                 6      6      1      1      1      1      1      2      1      1      1      2      1      2      2
    400                 6      6      2      1 drop 1 drop 1 drop 1      2      2      2      2      2      2      1 drop 1 drop
    401                 3      3      3      3      3      3      3      3      3      3      3      3      3      3      3
    404                 6      2      2      2      0 gone 0      1      2      2      2      2      0      2      2      2
    429, once, hint     0      0      0      0      0      0      0      0      0      0      0      0      0      0      0
    500 after           6      6      1      1      1      1      1      1      1      1      1      1      1      1      1
    ");
}

#[test]
#[ignore = "takes minutes; the representatives are driven in every run"]
fn the_same_for_every_class() {
    matrix(&classes());
}

fn matrix(classes: &[(&str, Value)]) -> String {
    let kinds = kinds();
    let stories: BTreeMap<Story, Prepared> = [Story::New, Story::OnLead, Story::Worse, Story::Cleared]
        .into_iter()
        .map(|story| (story, Prepared::new(story)))
        .collect();
    let undisturbed: BTreeMap<(Story, bool), State> = stories
        .iter()
        .flat_map(|(story, prepared)| [false, true].map(|webhook| (*story, webhook, prepared)))
        .map(|(story, webhook, prepared)| {
            let services = prepared.start(webhook);
            services.scan("20s").expect(0);
            let holds = services.holds();
            assert!(!(holds.tasks.is_empty() || holds.leads.is_empty() || holds.messages.is_empty()), "{holds:#?}");
            ((story, webhook), holds)
        })
        .collect();
    let cells: Vec<(usize, usize)> =
        (0..classes.len()).flat_map(|class| (0..kinds.len()).map(move |kind| (class, kind))).collect();
    let next = AtomicUsize::new(0);
    let seen = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((class, kind)) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (name, fault) = &classes[*class];
                    let request = &kinds[*kind];
                    let expected = &undisturbed[&(request.story, request.webhook)];
                    let word = cell(&stories[&request.story], expected, request, name, fault);
                    seen.lock().unwrap().insert((*class, *kind), word);
                }
            });
        }
    });
    let seen = seen.into_inner().unwrap();
    let mut table = format!("{:<20}", "");
    kinds.iter().for_each(|kind| _ = write!(table, "{:<7}", kind.name));
    let mut wrong = Vec::new();
    for (class, (name, _)) in classes.iter().enumerate() {
        _ = write!(table, "\n{name:<20}");
        for (number, kind) in kinds.iter().enumerate() {
            let word = seen[&(class, number)].clone().unwrap_or_else(|problem| {
                wrong.push(format!("{} × {name}: {problem}", kind.name));
                "WRONG".to_owned()
            });
            _ = write!(table, "{word:<7}");
        }
    }
    let table: Vec<&str> = table.lines().map(str::trim_end).collect();
    let table = table.join("\n");
    assert!(wrong.is_empty(), "{} wrong\n{table}\n{}", wrong.len(), wrong[..wrong.len().min(4)].join("\n\n"));
    table
}
