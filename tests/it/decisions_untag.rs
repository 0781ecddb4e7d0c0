//! A contact signals again before the program has removed the tag of an ended occasion. The tag stays, whichever occasion the
//! new signal belongs to.

use std::collections::BTreeSet;

use usage_signals::model::{ActionKind, Change, Contact, SinkKind, State, Values, tag_key};
use usage_signals::plan::{Plan, Scope};

use crate::support::*;

const TAG: &str = "Churn Risk: Inactive 14 Days";

/// Returns a contact who logged in this many days ago.
fn inactive(id: &str, email: &str, days: f64) -> Contact {
    let email = Some(email.to_owned());
    Contact { email, ..contact(id, None, &[("days_since_last_login", number(days))]) }
}

/// Returns a world in which the occasion of the contacts ended at hour 30. The removal of their tags had this fate.
fn ended(contacts: &[Contact], fate: Fate) -> PlanWorld {
    let mut world = PlanWorld::new("", contacts.to_vec());
    world.run(hour(0));
    let ids: Vec<_> = contacts.iter().map(|contact| &contact.id).collect();
    ids.iter().for_each(|id| world.set(id, "days_since_last_login", number(0.0)));
    world.run(hour(6));
    world.fates.insert(ActionKind::Untag, fate);
    world.run(hour(30));
    world.fates.clear();
    world.news();
    world
}

/// Returns the contacts from which a plan removes tags.
fn untagged(plan: &Plan) -> Vec<&str> {
    let untags = plan.to_do().filter(|(_, action)| action.key.kind == ActionKind::Untag);
    untags.map(|(_, action)| action.key.contact.as_str()).collect()
}

/// Returns the short key of each step in a plan.
fn steps(plan: &Plan) -> Vec<String> {
    let short = |change: Change| match change {
        Change::Step { short, .. } => Some(short),
        _ => None,
    };
    plan.changes().into_iter().filter_map(short).collect()
}

/// Returns the contact and state of each removal of a tag.
fn untags(world: &PlanWorld) -> Vec<(String, State)> {
    let occasions = world.known().occasions;
    let entries = occasions.into_iter().flat_map(|occasion| occasion.entries);
    let untags = entries.filter(|entry| entry.key.kind == ActionKind::Untag);
    untags.map(|entry| (entry.key.contact, entry.state)).collect()
}

#[test]
fn two_contacts_that_were_one_person_continue_one_occasion_and_drop_each_removal_once() {
    let both = [inactive("a", "x@example.com", 16.0), inactive("b", "x@example.com", 16.0)];
    let mut world = ended(&both, Fate::CarriedOver);
    world.put(inactive("a", "y@example.com", 16.0));
    world.put(inactive("b", "x@example.com", 16.0));
    let plan = world.run(hour(36));
    let steps = steps(&plan);
    assert_eq!(steps.len(), 2, "one for each of them");
    assert_eq!(steps.iter().collect::<BTreeSet<_>>().len(), 2);
    assert_eq!(untags(&world), [("a".to_owned(), State::Dropped), ("b".to_owned(), State::Dropped)]);
    // One of them continues the task and the thread. The other gets new ones.
    let news = ["forward churn_risk_inactivity T1", "task churn_risk_inactivity b"];
    assert_eq!(world.news()[..2], news);
    assert!(world.run(hour(42)).changes().is_empty());
}

#[test]
fn the_ended_occasion_continues_for_its_own_contact() {
    let both = [inactive("b", "x@example.com", 16.0), inactive("c", "x@example.com", 16.0)];
    let mut world = ended(&both, Fate::Done);
    // The lowest id of c's person is now a, which was never part of the occasion.
    world.put(inactive("a", "y@example.com", 16.0));
    world.put(inactive("b", "x@example.com", 16.0));
    world.put(inactive("c", "y@example.com", 16.0));
    world.run(hour(36));
    assert_eq!(world.news()[..2], ["task churn_risk_inactivity a", "forward churn_risk_inactivity T1"]);
}

#[test]
fn a_tag_stays_on_though_the_contact_signals_under_another_subject() {
    let mut world = ended(&[inactive("b", "x@example.com", 16.0)], Fate::CarriedOver);
    world.put(inactive("a", "x@example.com", 16.0));
    world.put(inactive("b", "x@example.com", 16.0));
    let plan = world.run(hour(36));
    assert_eq!(untagged(&plan), [""; 0]);
    assert_eq!(untags(&world), [("b".to_owned(), State::Dropped)]);
    assert!(world.run(hour(42)).changes().is_empty());
}

#[test]
fn a_tag_stays_on_though_the_contact_joins_an_occasion_that_opened_without_it() {
    let of_acme = |id, percent| storage(id, "acme", percent);
    let toml = "[[rules]]\nsignal = \"storage_limit\"\non_clear = \"remove_tag\"";
    let mut world = PlanWorld::new(toml, vec![of_acme("a", 1.0), of_acme("b", 83.0)]);
    world.run(hour(0));
    world.put(of_acme("b", 1.0));
    world.run(hour(6));
    world.fates.insert(ActionKind::Untag, Fate::CarriedOver);
    world.run(hour(30));
    world.put(of_acme("a", 83.0));
    // The tag of the colleague b still comes off, because b does not signal.
    assert_eq!(untagged(&world.run(hour(36))), ["b"]);
    world.put(of_acme("b", 83.0));
    let plan = world.run(hour(42));
    assert_eq!(untagged(&plan), [""; 0]);
    assert_eq!(untags(&world), [("b".to_owned(), State::Dropped)]);
    assert!(world.run(hour(48)).changes().is_empty());
}

/// A change of the world before a run reads it.
type Sees = fn(&mut PlanWorld);

#[test]
fn an_ended_occasion_never_removes_the_tag_of_an_open_one() {
    let incomplete = |world: &mut PlanWorld| world.scope = Scope { complete: false, ..Scope::everything() };
    let unread = |world: &mut PlanWorld| world.unread.extend(["a".to_owned()]);
    let unknown = |world: &mut PlanWorld| world.contacts.get_mut("a").unwrap().attributes = Values::default();
    let is_false = |world: &mut PlanWorld| world.set("a", "days_since_last_login", number(0.0));
    let unchanged = |_: &mut PlanWorld| {};
    let runs: [(&str, Sees); 5] = [
        ("incomplete", incomplete),
        ("unread", unread),
        ("unknown", unknown),
        ("false", is_false),
        ("true", unchanged),
    ];
    for (what, sees) in runs {
        let mut world = ended(&[inactive("a", "x@example.com", 16.0)], Fate::InDoubt);
        world.put(inactive("a", "x@example.com", 16.0));
        world.sinks.remove(&SinkKind::Tags);
        world.run(hour(36));
        world.sinks = all_sinks();
        assert_eq!(untags(&world), [("a".to_owned(), State::Claimed)], "{what}");
        world.settle(hour(37));
        sees(&mut world);
        let plan = world.run(hour(42));
        assert_eq!(untagged(&plan), [""; 0], "{what}");
        assert_eq!(untags(&world), [("a".to_owned(), State::Dropped)], "{what}");
        assert!(world.contacts["a"].tags.ids.contains(&world.tag_ids[&tag_key(TAG)]), "{what}");
    }
}

#[test]
fn a_removed_tag_that_the_search_still_shows_is_added_again() {
    let mut world = PlanWorld::new("", vec![inactive("a", "x@example.com", 16.0)]);
    world.run(hour(0));
    let shown = world.contacts["a"].tags.ids.clone();
    world.put(inactive("a", "x@example.com", 0.0));
    world.run(hour(6));
    world.run(hour(30));
    world.put(inactive("a", "x@example.com", 16.0));
    world.behind.insert("a".into(), shown);
    world.news();
    world.run(hour(31));
    assert!(world.news().contains(&"tag churn_risk_inactivity a".to_owned()));
    world.behind.clear();
    assert!(world.run(hour(32)).changes().is_empty(), "no person removed it");
}
