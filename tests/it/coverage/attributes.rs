//! Attributes that rules cannot read as they are: names that need an alias, and words for "no value".

use serde_json::{Value as Json, json};
use usage_signals::sandbox::Sandbox;

use super::{with, world};
use crate::support::program::{AS_OF, finish, program};
use crate::support::services::full_accounts;

/// Starts a sandbox in which each contact has one value of an attribute with this name.
fn workspace(name: &str, values: &[Json]) -> Sandbox {
    let mut contacts = json!(full_accounts(values.len()));
    for (contact, value) in contacts.as_array_mut().unwrap().iter_mut().zip(values) {
        contact["custom_attributes"] = json!({ name: value });
        contact.as_object_mut().unwrap().remove("companies");
    }
    let data_type = if values.iter().all(Json::is_number) { "integer" } else { "string" };
    let attributes = json!([{ "name": name, "full_name": format!("custom_attributes.{name}"), "data_type": data_type,
        "custom": true, "model": "contact" }]);
    Sandbox::start(world(&contacts, &attributes), None).unwrap()
}

fn attribute(json: &Json, name: &str) -> Json {
    json["attributes"].as_array().unwrap().iter().find(|one| one["attribute"] == name).unwrap().clone()
}

#[test]
fn no_value_written_as_a_word_is_shown_with_its_advice() {
    let values = ["None", "null", "-", "[]", "false", "sso_attempted"].map(Json::from);
    let sandbox = workspace("enterprise_features_tried", &values);
    let home = tempfile::tempdir().unwrap();
    let page = finish(&mut with(&sandbox, home.path())).expect(0).out;
    for line in [
        "enterprise_features_tried: a word for no value instead of a list for 4 contacts, such as ",
        "; have the product write nothing instead",
        "4 hold a word for \"no value\": have the product write nothing instead",
    ] {
        assert!(page.contains(line), "{line}: {page}");
    }
    let json = finish(with(&sandbox, home.path()).args(["--format", "json"])).expect(0).json();
    let found = attribute(&json, "enterprise_features_tried");
    assert_eq!((&found["readable"], &found["values"]["empty"]), (&json!(2), &json!(1)), "{found:#}");
    let unreadable = &found["unreadable"][0];
    assert_eq!((&unreadable["reason"], &unreadable["contacts"]), (&json!("a word for no value"), &json!(4)));
    // The scan counts them too, and makes one hot lead only.
    let mut scan = program(home.path());
    scan.envs(sandbox.env()).args(["scan", "--dry-run", "--as-of", AS_OF, "--format", "json"]);
    let report = finish(&mut scan).expect(0).json();
    let unknown = report["unknown"].as_array().unwrap().iter().find(|one| one["reason"] == "unreadable").unwrap();
    assert_eq!((&unknown["attribute"], &unknown["contacts"]), (&json!("enterprise_features_tried"), &json!(4)));
    let signals = report["signals"].as_array().unwrap();
    assert_eq!(signals.iter().filter(|one| one["signal"] == "enterprise_feature_interest").count(), 1);
}

#[test]
fn words_alone_are_the_cause_of_a_dead_rule() {
    let sandbox = workspace("departments_using", &["None", "n/a"].map(Json::from));
    let home = tempfile::tempdir().unwrap();
    let json = finish(with(&sandbox, home.path()).args(["--format", "json"])).expect(0).json();
    let step = json["to_do"].as_array().unwrap().iter().find(|one| one["attribute"] == "departments_using").unwrap();
    assert_eq!(step["advice"], "have the product write nothing instead");
}

#[test]
fn an_alias_is_offered_and_works_as_offered() {
    let sandbox = workspace("Seats Used", &[json!(7), json!(2)]);
    let home = tempfile::tempdir().unwrap();
    let page = finish(&mut with(&sandbox, home.path())).expect(0).out;
    assert!(page.contains("  seats_used = \"Seats Used\"   # number\n"), "{page}");
    let json = finish(with(&sandbox, home.path()).args(["--format", "json"])).expect(0).json();
    let offered = attribute(&json, "Seats Used")["alias"].as_str().unwrap().to_owned();
    assert_eq!(offered, "[attributes.alias]\nseats_used = \"Seats Used\"");
    let rule = "[attributes.types]\nseats_used = \"number\"\n[[rules]]\nsignal = \"seats\"\ntag = \"Seats\"\n\
                when = 'seats_used >= 5'\npriority = \"low\"\nrespond_within_days = 7\ndetails = \"{{ seats_used }} seats\"\n\
                action = \"Offer more\"\n";
    // Without the alias, the next step names the line that is missing.
    let file = home.path().join("usage-signals.toml");
    std::fs::write(&file, rule).unwrap();
    let json = finish(with(&sandbox, home.path()).args(["--format", "json"])).expect(0).json();
    let step = json["to_do"].as_array().unwrap().iter().find(|one| one["attribute"] == "seats_used").unwrap().clone();
    let advice = step["advice"].as_str().unwrap();
    assert!(advice.ends_with("if it is meant, add under [attributes.alias]: seats_used = \"Seats Used\")"), "{advice}");
    std::fs::write(&file, format!("{offered}\n{rule}")).unwrap();
    let page = finish(&mut with(&sandbox, home.path())).expect(0).out;
    assert!(page.contains("seats_used (Seats Used)") && !page.contains("under an alias"), "{page}");
    let mut scan = program(home.path());
    scan.envs(sandbox.env()).args(["scan", "--dry-run", "--as-of", AS_OF, "--format", "json"]);
    let report = finish(&mut scan).expect(0).json();
    let signals: Vec<_> = report["signals"].as_array().unwrap().iter().filter(|one| one["signal"] == "seats").collect();
    assert_eq!((signals.len(), &signals[0]["details"]), (1, &json!("7 seats")), "{signals:#?}");
    let id = signals[0]["contacts"][0]["id"].as_str().unwrap().to_owned();
    let mut explain = program(home.path());
    explain.envs(sandbox.env()).args(["explain", &id, "--as-of", AS_OF]);
    let page = finish(&mut explain).expect(0).out;
    assert!(page.contains("custom attribute \"Seats Used\""), "{page}");
}
