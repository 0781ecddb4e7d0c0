//! The faults of this machine.

use super::*;

pub(super) fn cases() -> Vec<Case> {
    [environment(), ledger(), modes()].into_iter().flatten().collect()
}

fn environment() -> Vec<Case> {
    vec![
        case(("machine.clock", "fail", 1), "s behind Slack", "synchronize the clock", slack_clock_is_ahead(3600)),
        case(("machine.clock", "warn", 0), "s ahead of Slack", "synchronize the clock", slack_clock_is_ahead(-120)),
        case(
            ("machine.time_zone", "warn", 0),
            "the machine's time zone is not known, so due dates are in UTC",
            "set timezone in [scan]",
            |_, command| {
                command.env("TZ", "Nowhere/Nope");
            },
        ),
        case(
            ("machine.state_folder", "fail", 2),
            "there is no state folder: neither XDG_STATE_HOME nor HOME is set",
            "--state-dir",
            without("HOME"),
        ),
        case(
            ("machine.state_folder", "fail", 1),
            "in-the-way is not a folder",
            "make the folder writable",
            |services, command| {
                let file = file(services, "in-the-way", "", 0o600);
                command.arg("--state-dir").arg(file);
            },
        ),
        case(("machine.state_folder", "warn", 0), "is open to other users (mode 755)", "chmod 700", |services, _| {
            std::fs::create_dir_all(state(services)).unwrap();
            std::fs::set_permissions(state(services), std::fs::Permissions::from_mode(0o755)).unwrap();
        }),
    ]
}

fn ledger() -> Vec<Case> {
    vec![
        case(
            ("machine.ledger", "fail", 1),
            "ledger.sqlite: file is not a database",
            "restore the ledger from a backup",
            |services, _| {
                file(services, ".local/state/usage-signals/ledger.sqlite", &"no database\n".repeat(1000), 0o600);
            },
        ),
        case(
            ("machine.ledger", "fail", 1),
            "findings; the first: ",
            "restore the ledger from a backup",
            |services, _| {
                scan(services, "tags", 0);
                let path = state(services).join("ledger.sqlite");
                let mut bytes = std::fs::read(&path).unwrap();
                // An index that lacks an entry: the number of cells in the header of its page.
                let page = bytes.chunks(4096).rposition(|page| page[0] == 10 && page[4] > 1).unwrap() * 4096;
                bytes[page + 4] -= 1;
                std::fs::write(&path, bytes).unwrap();
            },
        ),
        case(
            ("machine.workspace", "fail", 1),
            "belongs to the Intercom workspace gv1demo, and the token is for another",
            "one --state-dir for each workspace",
            |services, _| {
                scan(services, "tags", 0);
                services.sandbox.with_world(|world| world.intercom.app.insert("id_code".to_owned(), json!("another")));
            },
        ),
        case(("machine.actions", "warn", 0), "refused", "ledger resolve KEY --as", |services, _| {
            services.fault(json!({ "service": "intercom", "method": "POST", "path_prefix": "/contacts/6", "times": 1,
                "kind": "status", "status": 400,
                "body": { "type": "error.list", "errors": [{ "code": "parameter_invalid" }] } }));
            scan(services, "tags", 1);
        }),
        case(("machine.actions", "warn", 0), "in doubt, 0 refused", "asks the services", |services, _| {
            services.fault(json!({ "service": "zoho", "method": "POST", "path_prefix": "/crm/v8/Tasks", "times": 1,
                "kind": "reset_after" }));
            scan(services, "tasks", 1);
        }),
        case(("machine.lock", "warn", 0), "a run is under way: process", "wait for it", |services, _| {
            let holder = format!("process {}, run 1, since noon\n", std::process::id());
            let lock = std::fs::File::open(file(services, ".local/state/usage-signals/lock", &holder, 0o600)).unwrap();
            std::fs::set_permissions(state(services), std::fs::Permissions::from_mode(0o700)).unwrap();
            lock.try_lock().unwrap();
            // Held to the end of the test.
            std::mem::forget(lock);
        }),
    ]
}

fn modes() -> Vec<Case> {
    vec![
        case(
            ("machine.mode.INTERCOM_ACCESS_TOKEN_FILE", "warn", 0),
            "can be read by other users (mode 644)",
            "chmod 600",
            |services, command| {
                let token = services.sandbox.with_world(|world| world.intercom.token.clone());
                let file = file(services, "secret", &token, 0o644);
                command.env_remove("INTERCOM_ACCESS_TOKEN").env("INTERCOM_ACCESS_TOKEN_FILE", file);
            },
        ),
        case(
            ("machine.mode.configuration", "warn", 0),
            "can be changed by any user (mode 666)",
            "chmod 644",
            |services, _| {
                file(services, "usage-signals.toml", "", 0o666);
            },
        ),
        case(
            ("machine.mode.token_cache", "warn", 0),
            "can be read by other users (mode 640)",
            "chmod 600",
            |services, _| {
                file(services, ".local/state/usage-signals/zoho-token.json", "{}", 0o640);
            },
        ),
    ]
}
