//! The sinks work in parallel. A sink waits for another only within the ordered steps of one signal.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::program::finish;
use crate::support::services::{Services, full_accounts};

/// Two requests for tasks, with 100 and 10 records. The response to the second one is slow.
fn two_calls() -> Services {
    let services = Services::new(&full_accounts(110));
    services.fault(json!({ "service": "zoho", "method": "POST", "path_prefix": "/crm/v8/Tasks", "skip": 1,
        "kind": "delay", "ms": 2500 }));
    // Slack takes one message a second.
    std::fs::write(services.home.path().join("usage-signals.toml"), "[slack]\nmax_messages = 2\n").unwrap();
    services
}

#[test]
fn tags_and_messages_of_the_first_tasks_go_out_while_further_tasks_are_made() {
    let services = two_calls();
    let report = finish(&mut services.command(&["--allow-large-plan"])).expect(0).json();
    for kind in ["task", "message", "tag"] {
        assert_eq!(report["actions"][kind]["done"], 110, "{kind}");
    }
    let requests = services.sandbox.requests();
    let places = |path: &str| -> Vec<usize> {
        let of_path = |place: &usize| requests[*place].method == "POST" && requests[*place].path.contains(path);
        (0..requests.len()).filter(of_path).collect()
    };
    let (tasks, posts, tags) = (places("/crm/v8/Tasks"), places("/chat.postMessage"), places("/tags"));
    assert_eq!(tasks.len(), 2, "two calls for tasks");
    let before_the_last = |places: &[usize]| places.iter().filter(|place| **place < tasks[1]).count();
    // The number is low, for a busy machine. If the sinks worked one after the other, it would be 0.
    assert!(before_the_last(&posts) >= 1, "{posts:?}, {tasks:?}");
    assert!(before_the_last(&tags) >= 8, "{tags:?}, {tasks:?}");
    assert!(posts.last() > tasks.last(), "a digest waits for the tasks of all its signals");
    // Every message links to its own task.
    let messages =
        services.sandbox.with_world(|world| serde_json::to_value(&world.slack.messages).unwrap()).to_string();
    let linked: BTreeSet<&str> =
        messages.split("/tab/Tasks/").skip(1).filter_map(|rest| rest.split(['|', '>']).next()).collect();
    assert_eq!(linked.len(), 110, "{}", messages.chars().take(2000).collect::<String>());
    assert!(!messages.contains("The Zoho task follows"));
}
