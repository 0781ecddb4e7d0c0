use super::*;
use crate::config;

fn read(text: &str) -> Result<Vec<RuleTest>, Problems> {
    let rules = config::parse("usage-signals.toml", "", &|_| None).unwrap().rules;
    parse("x.test.toml", text, &rules, &["name", "email", "last_seen_at"])
}

#[track_caller]
fn read_one(text: &str) -> RuleTest {
    let mut tests = read(text).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(tests.len(), 1);
    tests.remove(0)
}

#[test]
fn a_test_is_read_with_all_its_keys() {
    let test = read_one(
        r#"
        as_of = 2025-12-20
        [[tests]]
        name = "all of it"
        contact = { name = "Ann", location = { country = "Germany" } }
        attributes = { projects_count = " 8.0 ", storage_percent = 80.5, plan_type = true, departments_using = ["a", 1] }
        account = { name = "Example Ltd", tags = ["x"] }
        tags = ["VIP"]
        expect = [{ signal = "storage_limit", level = "critical", respond_within_days = 3, due_date = 2025-12-23, flags = ["a", "b"] }]
        unknown = { plan_type = "unreadable", projects_count = false }
        "#,
    );
    let expected = Expected {
        level: "critical".into(),
        named: BTreeMap::from([
            ("respond_within_days", "3".into()),
            ("due_date", "2025-12-23".into()),
            ("flags", "a, b".into()),
        ]),
    };
    assert_eq!((test.line, test.as_of.to_rfc3339().as_str()), (4, "2025-12-20T00:00:00+00:00"));
    assert_eq!(Json::Object(test.contact).to_string(), r#"{"location":{"country":"Germany"},"name":"Ann"}"#);
    assert_eq!(
        Json::Object(test.attributes).to_string(),
        r#"{"departments_using":["a",1],"plan_type":true,"projects_count":" 8.0 ","storage_percent":80.5}"#
    );
    assert_eq!(test.account, Some(Account { name: "Example Ltd".into(), tags: vec!["x".into()] }));
    assert_eq!(test.tags, ["VIP"]);
    assert_eq!(test.expect, BTreeMap::from([("storage_limit".into(), expected)]));
    let unknown = [("plan_type".into(), Some("unreadable".into())), ("projects_count".into(), None)];
    assert_eq!(test.unknown, BTreeMap::from(unknown));
}

#[test]
fn attributes_can_be_json_with_null_values() {
    let test = read_one("as_of = 2025-12-20\n[[tests]]\nname = 'x'\nattributes = '{\"plan_type\": null}'\nexpect = []");
    assert_eq!(test.attributes["plan_type"], Json::Null);
}

#[test]
fn a_test_s_own_instant_comes_before_the_file_s() {
    let of = |own: &str| {
        read_one(&format!("as_of = 2025-12-20\n[[tests]]\nname = 'x'\nexpect = []\n{own}")).as_of.to_rfc3339()
    };
    assert_eq!(of(""), "2025-12-20T00:00:00+00:00");
    assert_eq!(of("as_of = 2025-12-21T06:00:00+01:00"), "2025-12-21T05:00:00+00:00");
    assert_eq!(of("as_of = \"2025-12-21T06:00:00Z\""), "2025-12-21T06:00:00+00:00");
}

#[test]
fn every_mistake_is_refused_with_help() {
    let test = "as_of = 2025-12-20\n[[tests]]\nname = 'x'\nexpect = []\n";
    let expecting = |what: &str| format!("as_of = 2025-12-20\n[[tests]]\nname = 'x'\nexpect = [{what}]");
    let with = |line: &str| format!("{test}{line}");
    for (text, words) in [
        (String::new(), "there are no tests in this file"),
        ("tests = []".into(), "there are no tests in this file"),
        ("[[tests]]\nname = 'x'\nexpect = []".into(), "this test has no `as_of`"),
        ("as_of = 2025-12-20\n[[tests]]\nexpect = []".into(), "this test has no `name`"),
        ("as_of = 2025-12-20\n[[tests]]\nname = 'x'".into(), "or expect = [] for no signal at all"),
        ("as_of = '2025-12-20 06:00'".into(), "`as_of` must be an instant with its time zone"),
        (format!("{test}[[tests]]\nname = 'x'\nexpect = []"), "the test on line 3 has this name too"),
        (with("expct = []"), "a test has no key `expct`"),
        (format!("confg = 'a'\n{test}"), "did you mean `config`?"),
        (with("attributes = { teamates_count = 8 }"), "did you mean `teammates_count`?"),
        (with("attributes = '{\"teamates_count\": 8}'"), "did you mean `teammates_count`?"),
        (with("attributes = '{\"a\": 1'"), "`attributes` is not a JSON object"),
        (with("attributes = { last_project_created = 2025-12-01 }"), "Intercom cannot store a TOML date"),
        (with("attributes = { projects_count = inf }"), "Intercom cannot store this number"),
        (with("attributes = { email = 'a' }"), "write it under contact"),
        (with("attributes = { days_since_signup = 3 }"), "set the attributes that it is calculated from"),
        (with("contact = { plan_type = 'team' }"), "write it under attributes"),
        (with("contact = { emial = 'team' }"), "did you mean `email`?"),
        (with("contact = { location = { contry = 'x' } }"), "no field `location.contry`"),
        (with("account = { tags = [] }"), "an account needs a `name`"),
        (with("tags = 'VIP'"), "`tags` must be a list of texts"),
        (with("unknown = { projects_count = true }"), "must be the reason why it is unknown, or false"),
        (with("unknown = { project_count = 'missing' }"), "did you mean `projects_count`?"),
        (expecting("{ signal = 'power_usr' }"), "did you mean \"power_user\"?"),
        (expecting("{ signal = 'sso_interest' }"), "the rule \"sso_interest\" is off"),
        (expecting("{ priority = 'high' }"), "this expected signal has no `signal`"),
        (expecting("{ signal = 'power_user', level = 'critical' }"), "the rule has no levels: remove `level`"),
        (expecting("{ signal = 'storage_limit', level = 'critcal' }"), "it is one of \"critical\""),
        (expecting("{ signal = 'power_user', prioritty = 'high' }"), "an expected signal has no key `prioritty`"),
        (expecting("{ signal = 'power_user', priority = 'hihg' }"), "did you mean \"high\"?"),
        (expecting("{ signal = 'power_user', reason = 'escalated' }"), "it is one of \"new\", \"already_tagged\""),
        (expecting("{ signal = 'power_user' }, { signal = 'power_user' }"), "is expected twice"),
        ("[[tests]\n".into(), "x.test.toml:1:"),
    ] {
        let said = read(&text).err().unwrap_or_else(|| panic!("{text} was accepted")).to_string();
        assert!(said.contains(words), "{text}\n{said}");
    }
}

#[test]
fn the_configuration_of_a_file_is_found_even_if_the_rest_is_invalid() {
    assert_eq!(named_config("config = 'a.toml'\n[[tests]]\nnonsense ="), Some("a.toml".into()));
    assert_eq!(named_config("[[tests]]\nconfig = 'a.toml'"), None);
}
