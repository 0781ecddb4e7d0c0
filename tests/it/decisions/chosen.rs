//! Runs for a chosen contact (`--contact`).

use super::*;

#[test]
fn the_colleagues_of_a_chosen_contact_count_too() {
    let contacts = || vec![storage("c1", "acme", 83.0), storage("c2", "acme", 10.0), storage("c3", "beta", 84.0)];
    let chosen = || Scope { contacts: Some(["c1".to_owned()].into()), ..Scope::everything() };
    let mut handled = world(contacts());
    handled.tag("c2", STORAGE_TAG);
    handled.tag("c3", STORAGE_TAG);
    handled.scope = chosen();
    let plan = handled.plan(hour(0));
    assert_eq!(reasons(&plan), [("storage_limit acme".to_owned(), Reason::AlreadyTagged)]);
    assert_eq!(item(&plan, "storage_limit").people.len(), 1);

    let mut snoozed = world(vec![storage("c1", "acme", 83.0), storage("c2", "acme", 84.0)]);
    snoozed.run(hour(0));
    snoozed.tag("c2", "Signals: Snoozed");
    snoozed.set("c1", "storage_percent", number(96.0));
    snoozed.scope = chosen();
    assert_eq!(item(&snoozed.plan(hour(6)), "storage_limit").reason, Reason::Snoozed);
}

#[test]
fn a_colleague_of_a_chosen_contact_gets_no_actions() {
    let full = |id: &str, projects: f64| {
        contact(id, Some("acme"), &[("storage_percent", number(83.0)), ("projects_count", number(projects))])
    };
    let mut world = world(vec![full("c1", 25.0), full("c2", 1.0)]);
    world.fates = BTreeMap::from([(ActionKind::Task, Fate::CarriedOver), (ActionKind::Message, Fate::CarriedOver)]);
    world.run(hour(0));
    world.fates.clear();
    world.scope = Scope { contacts: Some(["c2".to_owned()].into()), ..Scope::everything() };
    let mut known = world.known();
    let storage_limit = [("storage_limit acme".to_owned(), Reason::Unfinished)];
    assert_eq!(reasons(&world.plan_on(&known, hour(1))), storage_limit, "unfinished");
    known.occasions.retain(|occasion| occasion.id.signal == "storage_limit");
    assert_eq!(reasons(&world.plan_on(&known, hour(1))), storage_limit, "new");
}

#[test]
fn a_chosen_contact_that_cannot_be_read_leaves_the_unfinished_actions_of_others_alone() {
    let mut world = world(vec![storage("c1", "acme", 83.0), storage("c2", "beta", 83.0)]);
    world.fates.insert(ActionKind::Message, Fate::CarriedOver);
    world.run(hour(0));
    world.fates.clear();
    world.news();
    world.scope.contacts = Some(["c1".to_owned()].into());
    world.failing.insert("c1".into());
    let plan = world.run(hour(6));
    assert_eq!(reasons(&plan), []);
    assert!(world.news().is_empty());
    world.failing.clear();
    world.run(hour(12));
    assert_eq!(world.news(), ["message storage_limit acme"]);
}
