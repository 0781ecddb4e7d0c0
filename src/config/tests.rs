use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use strum::IntoEnumIterator;

use super::*;

use crate::model::{Contact, Date, Priority, Truth, Value};
use crate::plan::settings::{ExistingTag, OnUntag};
use crate::rules::TextKey;

fn no_env(_: &str) -> Option<String> {
    None
}

fn load_text(text: &str) -> Result<Config, Problems> {
    parse("usage-signals.toml", text, &no_env)
}

#[track_caller]
fn loaded(text: &str) -> Config {
    load_text(text).unwrap_or_else(|problems| panic!("{problems}"))
}

#[track_caller]
fn refused(text: &str) -> String {
    load_text(text).map(|_| ()).expect_err(text).to_string()
}

/// Checks a file as a real run with all sinks would, with the variables of the file `environment` beside it, if there is one.
fn problems_of(text: &str, case: &Path) -> Result<(), Problems> {
    let Ok(environment) = fs::read_to_string(case.join("environment")) else { return load_text(text).map(drop) };
    let env = |name: &str| {
        let mut pairs = environment.lines().filter_map(|line| line.split_once('='));
        pairs.find(|(variable, _)| *variable == name).map(|(_, value)| value.to_owned())
    };
    let config = parse("usage-signals.toml", text, &env)?;
    let found = credentials(&env, &|path| fs::read_to_string(path))?;
    missing(&found, &config.slack, &BTreeSet::from([SinkKind::Tasks, SinkKind::Messages]))
}

#[test]
fn every_mistake_is_explained_as_its_fixture_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config-errors");
    let mut seen = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let case = entry.unwrap().path();
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(case.join("usage-signals.toml")).unwrap();
        let problems = problems_of(&text, &case).err().unwrap_or_else(|| panic!("{name} was accepted"));
        let said = format!("{problems}\n");
        let expected = case.join("expected.txt");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected, &said).unwrap();
        }
        let expected = fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(said, expected, "{name}: set BLESS=1 to accept, then read the change");
        seen += 1;
    }
    assert!(seen >= 60, "only {seen} fixtures found");
}

#[test]
fn the_example_has_the_default_values() {
    assert_eq!(format!("{:#?}", loaded(EXAMPLE)), format!("{:#?}", loaded("")));
}

/// The error for an unknown key lists all keys, so the program itself says which keys exist.
#[test]
fn every_key_is_in_the_example() {
    let rule = "[[rules]]\nsignal = \"x\"\n";
    for (place, header) in [
        ("", String::new()),
        ("[scan]", "[scan]\n".into()),
        ("[attributes.", "[attributes]\n".into()),
        ("[attributes.fallback]", "[attributes.fallback]\nx = { zzzzzz = 1 }\n#".into()),
        ("[intercom]", "[intercom]\n".into()),
        ("[zoho]", "[zoho]\n".into()),
        ("[slack]", "[slack]\n".into()),
        ("[http]", "[http]\n".into()),
        ("[tags]", "[tags]\n".into()),
        ("# [[rules]]", rule.into()),
        ("# [[rules.levels]]", format!("{rule}[[rules.levels]]\nname = \"y\"\n")),
    ] {
        let Problems(problems) = load_text(&format!("{header}zzzzzz = 1")).err().unwrap();
        let helps = problems.iter().filter(|problem| problem.message.contains("no key `zzzzzz`"));
        let list = |help: &'_ str| help.strip_prefix("it is one of ").map(str::to_owned);
        let all = helps.filter_map(|problem| list(problem.help.as_deref()?)).next();
        let all = all.unwrap_or_else(|| panic!("{place}: {problems:?}"));
        let keys: Vec<_> = all.split(", ").collect();
        assert!(!keys.is_empty() && EXAMPLE.contains(place), "{place}");
        // A section's keys follow its header. A rule's keys follow the last `[[rules]]` header.
        let after = EXAMPLE.rsplit_once(place).map_or(EXAMPLE, |(_, after)| after);
        let own = after.split("\n[").next().unwrap();
        for key in keys {
            let stands = match place {
                "" => EXAMPLE.contains(&format!("[{key}]")) || EXAMPLE.contains(&format!("[{key}.")),
                "[attributes." => EXAMPLE.contains(&format!("[attributes.{key}]")),
                "# [[rules]]" => {
                    EXAMPLE.contains(&format!("# {key} = ")) || EXAMPLE.contains(&format!("[[rules.{key}]]"))
                }
                _ => own.contains(&format!("{key} = ")),
            };
            // The example shows texts on the rule only, not on its level.
            let as_above = place.ends_with("levels]]") && TextKey::iter().any(|text| text.name() == key);
            assert!(stands || as_above, "{place} {key}");
        }
    }
}

/// Reads the example with every `# ` removed before a setting.
#[test]
fn commented_out_settings_of_the_example_are_valid() {
    let (settings, rules) = EXAMPLE.split_once("# To change a built-in rule").unwrap();
    let setting = |line: &&str| line.starts_with("# ") && line.contains(" = ") && !line.contains("…");
    let uncommented: Vec<&str> =
        settings.lines().map(|line| line.strip_prefix("# ").filter(|_| setting(&line)).unwrap_or(line)).collect();
    let rules: Vec<&str> = rules.lines().skip(1).filter_map(|line| line.strip_prefix("# ")).collect();
    let rules = rules.join("\n").replace("A rule of your own needs these keys:", "").replace("and can have these:", "");
    let config = loaded(&format!("{}\n{rules}", uncommented.join("\n")));
    assert_eq!(config.plan.limits.top, Some(25));
    assert_eq!(config.zoho.api_url.unwrap().as_str(), "https://www.zohoapis.com/");
    let rule = config.rules.rule("seats_running_out").unwrap();
    assert_eq!(rule.rank("critical"), 1);
    assert_eq!(rule.texts.len(), TextKey::iter().count());
    assert_eq!(rule.params["discount"], Value::Number(15.0));
    assert!(config.rules.rule("sso_interest").is_some());
}

#[test]
fn the_defaults_are_as_documented() {
    let config = loaded("");
    assert_eq!(config.deadline, Duration::from_secs(7200));
    assert_eq!(config.plan.clear_after.num_hours(), 24);
    assert_eq!(config.plan.retry_refused_after.unwrap().num_hours(), 23);
    assert_eq!(config.plan.existing_tag, ExistingTag::Handled);
    assert_eq!(config.plan.on_untag, OnUntag::Keep);
    assert_eq!(config.plan.snooze_tag, "Signals: Snoozed");
    assert_eq!(config.plan.limits.max_new_tasks, 100);
    assert_eq!(config.plan.limits.max_share_percent, 30.0);
    assert_eq!(config.plan.limits.max_share_from, 500);
    assert_eq!(config.plan.data.max_drop_percent, 50.0);
    assert_eq!(config.plan.data.stale_after.num_hours(), 72);
    assert_eq!(config.plan.limits.top, None);
    assert_eq!(config.intercom.base_url.as_str(), "https://api.intercom.io/");
    assert_eq!(config.zoho.accounts_url.as_str(), "https://accounts.zoho.com/");
    assert_eq!(config.zoho.api_url, None);
    assert_eq!(config.slack.api_url.as_str(), "https://slack.com/api");
    assert_eq!(config.sinks, SinkKind::iter().collect());
}

#[test]
fn retry_refused_after_is_a_duration_or_never() {
    let hours = |text: &str| {
        let after = loaded(&format!("[scan]\nretry_refused_after = \"{text}\"")).plan.retry_refused_after;
        after.map(|after| after.num_hours())
    };
    assert_eq!(hours("2 days"), Some(48));
    assert_eq!(hours("never"), None);
}

#[test]
fn regions_and_data_centres_give_addresses_and_links() {
    let config = loaded("[intercom]\nregion = \"eu\"\n[zoho]\ndata_center = \"ca\"");
    assert_eq!(config.intercom.base_url.as_str(), "https://api.eu.intercom.io/");
    let contact = "https://app.eu.intercom.com/a/apps/{workspace}/users/{id}/all-conversations";
    assert_eq!(config.intercom.contact_url, contact);
    assert_eq!(config.zoho.accounts_url.as_str(), "https://accounts.zohocloud.ca/");
    assert_eq!(config.zoho.record_url, "https://crm.zohocloud.ca/crm/tab/{module}/{id}");
    let config = loaded("[zoho]\ndata_center = \"ae\"");
    assert_eq!(config.zoho.accounts_url.as_str(), "https://accounts.zoho.ae/");
    assert_eq!(config.zoho.record_url, "https://crm.zoho.ae/crm/tab/{module}/{id}");
}

#[test]
fn without_a_region_or_a_pattern_intercom_says_where_links_lead() {
    let pattern = |text: &str| loaded(&format!("[intercom]\n{text}")).intercom.contact_url;
    assert_eq!(pattern(""), "https://app.{region}intercom.com/a/apps/{workspace}/users/{id}/all-conversations");
    assert!(pattern("region = \"us\"").starts_with("https://app.intercom.com/"));
    assert_eq!(pattern("contact_url = \"https://example.com/{id}\""), "https://example.com/{id}");
    assert_eq!(loaded("").intercom.base_url.as_str(), "https://api.intercom.io/");
}

#[test]
fn the_environment_overrides_the_file() {
    let variables = BTreeMap::from([
        ("INTERCOM_BASE_URL", "http://127.0.0.1:4000/intercom/"),
        ("ZOHO_ACCOUNTS_URL", "http://localhost:4000/zoho/accounts"),
        ("ZOHO_API_URL", "https://sandbox.zohoapis.com"),
        ("SLACK_API_URL", "http://[::1]:4000/slack//"),
        ("SLACK_CHANNEL", "C1"),
    ]);
    let env = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    let text = "[intercom]\nregion = \"eu\"\nbase_url = \"https://other.example\"\n[slack]\nchannel = \"C0\"";
    let config = parse("usage-signals.toml", text, &env).unwrap();
    assert_eq!(config.intercom.base_url.as_str(), "http://127.0.0.1:4000/intercom");
    assert_eq!(config.zoho.accounts_url.as_str(), "http://localhost:4000/zoho/accounts");
    assert_eq!(config.zoho.api_url.unwrap().as_str(), "https://sandbox.zohoapis.com/");
    assert_eq!(config.slack.api_url.as_str(), "http://[::1]:4000/slack");
    assert_eq!(config.slack.channel.as_deref(), Some("C1"));
}

#[test]
fn a_wrong_address_in_the_environment_is_reported_with_the_file_s_mistakes() {
    let env = |name: &str| (name == "ZOHO_API_URL").then(|| "http://www.zohoapis.com".to_owned());
    let said = parse("usage-signals.toml", "[scan]\ntop = 0", &env).unwrap_err().to_string();
    assert!(said.contains("ZOHO_API_URL would send a credential unencrypted"), "{said}");
    assert!(said.contains("--> environment variable ZOHO_API_URL"), "{said}");
    assert!(said.contains("usage-signals.toml:2:7"), "{said}");
}

#[test]
fn addresses_that_would_leak_a_credential_are_refused() {
    for url in [
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://10.0.0.1",
        "ftp://api.intercom.io",
        "https://user:word@api.intercom.io",
        "https://api.intercom.io/?a=b",
        "https://",
        "api.intercom.io",
    ] {
        refused(&format!("[intercom]\nbase_url = \"{url}\""));
    }
}

#[test]
fn a_rule_of_the_file_changes_only_its_own_keys() {
    let config = loaded(
        "[[rules]]\nsignal = \"storage_limit\"\nrespond_within_days = 5\nlead_status = \"\"\n\
         [[rules.levels]]\nname = \"critical\"\nrespond_within_days = 2\n\
         [[rules.levels]]\nname = \"full\"\nwhen = 'storage_percent >= 100'\naction = \"Call now\"\n\
         [[rules]]\nsignal = \"power_user\"\nenabled = false\n\
         [[rules]]\nsignal = \"team_size_limit\"\nseat_limit = 12",
    );
    let rule = config.rules.rule("storage_limit").unwrap();
    let default = loaded("");
    let default = default.rules.rule("storage_limit").unwrap();
    assert_eq!((&rule.tag, &rule.when, rule.priority), (&default.tag, &default.when, default.priority));
    assert_eq!((rule.respond_within_days, &rule.lead_status), (5, &None));
    let days: Vec<_> = ["", "critical", "full"].map(|level| rule.respond_within_days_at(level)).into();
    assert_eq!(days, [5, 2, 5]);
    assert_eq!(rule.priority_at("critical"), Priority::Urgent);
    assert_eq!(rule.text_at("full", TextKey::Action).unwrap().template(), "Call now");
    assert_eq!(rule.text_at("full", TextKey::Details), rule.text_at("", TextKey::Details));
    assert!(config.rules.rule("power_user").is_none());
    assert!(config.rules.disabled.iter().any(|rule| rule.signal == "power_user"));
    let seats = &config.rules.rule("team_size_limit").unwrap().params["seat_limit"];
    assert_eq!(seats, &Value::Number(12.0));
}

#[test]
fn an_unknown_level_ranks_highest() {
    let config = loaded("");
    let rule = config.rules.rule("storage_limit").unwrap();
    assert_eq!(["", "critical", "renamed"].map(|level| rule.rank(level)), [0, 1, 2]);
}

#[test]
fn params_are_numbers_for_conditions() {
    let text = "[[rules]]\nsignal = \"team_size_limit\"\nwhen = 'percent(teammates_count, seat_limit) >= threshold'\n\
                params = { threshold = 80 }";
    let config = loaded(text);
    let at = |count: f64| {
        let attributes = [("teammates_count", Value::Number(count))].into_iter().collect();
        let contact = Contact { attributes, ..Contact::default() };
        let at = config.rules.rules.iter().position(|rule| rule.signal == "team_size_limit").unwrap();
        config.rules.evaluate(&contact, Date::default()).verdicts[at].truth
    };
    assert_eq!((at(7.0), at(8.0)), (Truth::False, Truth::True));
    let said = refused("[[rules]]\nsignal = \"power_user\"\nparams = { level = 3, plan_type = \"x\" }");
    assert!(said.contains("`level` already has a meaning") && said.contains("`plan_type` already has"), "{said}");
}

#[test]
fn durations_and_shares_are_accepted_in_usual_forms() {
    for (text, seconds) in [("30m", 1800), ("2h", 7200), ("1 day", 86400), ("1h 30m", 5400), ("PT2H", 7200)] {
        assert_eq!(loaded(&format!("[scan]\ndeadline = \"{text}\"")).deadline.as_secs(), seconds, "{text}");
    }
    for text in ["0s", "-1h", "1 month", "", "9999 days", "2"] {
        refused(&format!("[scan]\ndeadline = \"{text}\""));
    }
    for (text, share) in [
        ("\"30%\"", 30.0),
        ("12.5", 12.5),
        ("\" 5 % \"", 5.0),
        ("100", 100.0),
        ("\"0.5%\"", 0.5),
        ("1", 1.0),
        ("0", 0.0),
    ] {
        assert_eq!(loaded(&format!("[scan]\nmax_share = {text}")).plan.limits.max_share_percent, share, "{text}");
    }
    for text in ["-1", "101", "\"a third\"", "nan", "true", "0.3", "\"0.3\""] {
        refused(&format!("[scan]\nmax_share = {text}"));
    }
}

#[test]
fn a_named_file_must_exist() {
    let folder = tempfile::tempdir().unwrap();
    let said = load(Some(&folder.path().join("none.toml")), &no_env).unwrap_err().to_string();
    assert!(said.contains("cannot read the configuration") && said.contains("none.toml"), "{said}");
}

#[test]
fn the_xdg_folder_is_searched_when_no_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join(".config/usage-signals");
    fs::create_dir_all(&home).unwrap();
    fs::write(home.join(FILE_NAME), "[tags]\nenabled = false").unwrap();
    let place = folder.path().to_str().unwrap().to_owned();
    let by_home = |name: &str| (name == "HOME").then(|| place.clone());
    let config = load(None, &by_home).unwrap();
    assert!(!config.sinks.contains(&SinkKind::Tags));
    assert_eq!(config.file, Some(home.join(FILE_NAME)));
    let elsewhere = |name: &str| (name != "USER").then(|| format!("{place}/nothing"));
    let none = |name: &str| if name.contains("URL") { None } else { elsewhere(name) };
    assert_eq!(load(None, &none).unwrap().file, None, "XDG_CONFIG_HOME comes before HOME");
}

#[test]
fn any_byte_of_a_file_can_be_missing_without_a_panic() {
    let text = "[scan]\ninclude = \"a == \\\"b\\\"\"\n[[rules]]\nsignal = 'x'\nwhen = '''\nsize(é) > 0'''\ndetails = \"\\u00e9{{ x\"\n";
    for at in text.char_indices().map(|(at, _)| at) {
        let mut cut = text.to_owned();
        cut.remove(at);
        if let Err(problems) = load_text(&cut) {
            assert!(!problems.to_string().is_empty());
        }
    }
}
