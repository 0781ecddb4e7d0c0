//! Subjects and representatives.

use super::*;

#[test]
fn contacts_with_the_same_email_are_one_subject() {
    let mut lead = contact("c2", None, &[("projects_count", number(25.0))]);
    lead.email = Some(" C1@Example.com ".into());
    let user = contact("c1", None, &[("projects_count", number(23.0))]);
    let mut world = world(vec![user, lead]);
    let plan = world.run(hour(0));
    let found = item(&plan, "power_user");
    assert_eq!((found.subject().kind, found.subject().id.as_str()), (SubjectKind::Contact, "c1"));
    assert_eq!(world.news(), ["task power_user c1", "message power_user c1", "tag power_user c1", "tag power_user c2"]);
}

#[test]
fn nine_teammates_are_nine_tags_one_task_and_one_message_which_names_them() {
    let team = (1..=9).map(|number| teammate(&format!("c{number}"), "acme", 9.0)).collect();
    let mut world = world(team);
    let plan = world.run(hour(0));
    let item = item(&plan, "team_size_limit");
    assert_eq!(item.people.len(), 9);
    let news = world.news();
    assert_eq!(news.iter().filter(|line| line.starts_with("task")).count(), 1);
    assert_eq!(news.iter().filter(|line| line.starts_with("message")).count(), 1);
    assert_eq!(news.iter().filter(|line| line.starts_with("tag")).count(), 9);
}

#[test]
fn of_several_companies_an_open_occasion_decides_and_then_the_lowest_id() {
    let mut both = storage("c1", "beta", 83.0);
    both.companies = References::all(vec!["beta".into(), "alpha".into()]);
    let world_of = |contacts| world(contacts);
    let mut fresh = world_of(vec![both.clone()]);
    assert_eq!(item(&fresh.run(hour(0)), "storage_limit").subject().id, "alpha");

    let mut with_occasion = world_of(vec![storage("c0", "beta", 83.0)]);
    with_occasion.run(hour(0));
    with_occasion.put(both);
    assert_eq!(item(&with_occasion.run(hour(6)), "storage_limit").subject().id, "beta");
}

#[test]
fn with_no_company_the_contact_is_the_subject() {
    let world = world(vec![contact("c1", None, &[("storage_percent", number(83.0))])]);
    let plan = world.plan(hour(0));
    assert_eq!(item(&plan, "storage_limit").subject().kind, SubjectKind::Contact);
}

#[test]
fn the_level_is_the_highest_of_the_contacts_and_fits_the_text() {
    let mut primary = storage("c1", "acme", 83.0);
    primary.attributes.insert("user_type", text("primary"));
    let world = world(vec![primary, storage("c2", "acme", 96.0)]);
    let plan = world.plan(hour(0));
    let item = item(&plan, "storage_limit");
    assert_eq!((item.level.as_str(), item.details.as_str()), ("critical", "96% storage used"));
}

#[test]
fn the_representative_is_primary_first_then_seen_last_then_lowest_id() {
    let with = |id: &str, percent: f64, kind: Option<&str>, seen: Option<i64>| {
        let mut contact = storage(id, "acme", percent);
        if let Some(kind) = kind {
            contact.attributes.insert("user_type", text(kind));
        }
        contact.last_seen_at = seen.map(hour);
        contact
    };
    let cases = [
        (
            "primary",
            vec![with("c1", 81.0, None, Some(-1)), with("c2", 82.0, Some("primary"), None)],
            "82% storage used",
        ),
        ("seen last", vec![with("c1", 81.0, None, Some(-9)), with("c2", 82.0, None, Some(-1))], "82% storage used"),
        ("seen at all", vec![with("c1", 81.0, None, None), with("c2", 82.0, None, Some(-99))], "82% storage used"),
        ("lowest id", vec![with("c2", 82.0, None, None), with("c1", 81.0, None, None)], "81% storage used"),
    ];
    for (name, contacts, details) in cases {
        assert_eq!(item(&world(contacts).plan(hour(0)), "storage_limit").details, details, "{name}");
    }
}

#[test]
fn primary_when_says_who_represents_an_account_and_unknown_is_not_primary() {
    let with = |id: &str, percent: f64, projects: Option<f64>| {
        let mut contact = storage(id, "acme", percent);
        contact.attributes.insert("user_type", text(if id == "c1" { "primary" } else { "member" }));
        if let Some(projects) = projects {
            contact.attributes.insert("projects_count", number(projects));
        }
        contact
    };
    let primary_when = "primary_when = 'projects_count >= 3'\n";
    let cases = [
        ("another condition", [with("c1", 81.0, Some(1.0)), with("c2", 82.0, Some(3.0))], "82% storage used"),
        ("unknown", [with("c1", 81.0, None), with("c2", 82.0, Some(3.0))], "82% storage used"),
        ("true for no contact", [with("c1", 81.0, None), with("c2", 82.0, Some(1.0))], "81% storage used"),
    ];
    for (name, contacts, details) in cases {
        let world = PlanWorld::new(primary_when, contacts.into());
        assert_eq!(item(&world.plan(hour(0)), "storage_limit").details, details, "{name}");
    }
}

#[test]
fn the_representative_is_fixed_when_the_occasion_opens() {
    let mut world = world(vec![storage("c1", "acme", 81.0)]);
    world.fates.insert(ActionKind::Task, Fate::CarriedOver);
    world.run(hour(0));
    let mut primary = storage("c2", "acme", 89.0);
    primary.attributes.insert("user_type", text("primary"));
    world.put(primary);
    assert_eq!(item(&world.plan(hour(6)), "storage_limit").details, "81% storage used");
}

#[test]
fn a_contact_stays_in_the_open_occasion_that_concerns_it() {
    let mut world = world(vec![storage("c1", "acme", 83.0)]);
    world.run(hour(0));
    world.news();
    world.put(storage("c1", "other", 83.0));
    assert_eq!(item(&world.run(hour(6)), "storage_limit").subject().id, "acme");
    assert!(world.news().is_empty());
}

/// Returns the e-mail of the person on whose record the planned task goes.
fn record_email(plan: &Plan) -> Option<String> {
    let order = item(plan, "storage_limit").actions.iter().find_map(|action| match &action.order {
        Some(Order::Task(task)) => Some(task.person.email.clone()),
        _ => None,
    });
    order.unwrap()
}

#[test]
fn the_task_goes_on_the_record_of_the_first_contact_with_an_address() {
    let with = |id: &str, percent: f64, email: Option<&str>, seen: i64| {
        let email = email.map(str::to_owned);
        Contact { email, last_seen_at: Some(hour(seen)), ..storage(id, "acme", percent) }
    };
    let all = |representative: Option<&str>, second: Option<&str>| {
        vec![
            with("c1", 83.0, Some("c1@example.com"), -9),
            with("c2", 83.0, second, -5),
            with("c3", 84.0, representative, -1),
        ]
    };
    let cases = [
        ("the representative", all(Some("c3@example.com"), Some("c2@example.com")), Some("c3@example.com")),
        ("the one seen next", all(None, Some("c2@example.com")), Some("c2@example.com")),
        ("a word is no address", all(Some("n/a"), Some(" none ")), Some("c1@example.com")),
        (
            "a higher level first",
            vec![
                with("c1", 96.0, None, -9),
                with("c2", 83.0, Some("c2@example.com"), -1),
                with("c3", 97.0, Some("c3@example.com"), -5),
            ],
            Some("c3@example.com"),
        ),
        ("nobody", vec![with("c1", 83.0, None, -9), with("c2", 83.0, None, -1)], None),
    ];
    for (name, contacts, expected) in cases {
        let plan = world(contacts).plan(hour(0));
        assert_eq!(record_email(&plan).as_deref(), expected, "{name}");
    }
}

#[test]
fn an_unfinished_task_goes_on_the_record_of_the_fixed_contact_if_it_has_an_address() {
    let mut world = world(vec![storage("c1", "acme", 81.0)]);
    world.fates.insert(ActionKind::Task, Fate::CarriedOver);
    world.run(hour(0));
    world.put(storage("c2", "acme", 96.0));
    assert_eq!(record_email(&world.plan(hour(6))).as_deref(), Some("c1@example.com"));
    world.put(Contact { email: None, ..storage("c1", "acme", 81.0) });
    assert_eq!(record_email(&world.plan(hour(6))).as_deref(), Some("c2@example.com"));
}
