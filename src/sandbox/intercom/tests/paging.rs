//! Pages and cursors.

use super::*;

/// Follows the cursors to the end, and returns the ids of each page.
fn walk(world: &mut World, query: &Value, sort: &Value, per_page: usize) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut after = Value::Null;
    loop {
        let body = json!({"query": query, "sort": sort, "pagination": {"per_page": per_page, "starting_after": after}});
        let page = ask(world, "POST", "/contacts/search", Some(&body)).value();
        pages.push(page["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect());
        assert_eq!(page["pages"]["page"], pages.len());
        match page["pages"].get("next") {
            Some(next) => after = next["starting_after"].clone(),
            None => return pages,
        }
    }
}

#[test]
fn every_way_of_sorting_pages_through_each_contact_once() {
    let mut world = workspace();
    for number in 0..53 {
        // Few different times, so that ties are broken by id; some without a creation time.
        let created = if number % 10 == 9 { Value::Null } else { json!(NOW - 86_400 * (number % 4)) };
        world.intercom.contacts.insert(json!({"id": format!("n{number:02}"), "role": "user", "created_at": created,
            "last_seen_at": number % 3}));
    }
    let role = json!({"field": "role", "operator": "=", "value": "user"});
    let since = json!({"field": "created_at", "operator": ">", "value": 0});
    for (query, total) in [(&role, 55), (&since, 51)] {
        for field in ["created_at", "last_seen_at", "name"] {
            for order in ["ascending", "descending"] {
                let pages = walk(&mut world, query, &json!({"field": field, "order": order}), 7);
                let seen: Vec<String> = pages.concat();
                assert_eq!(
                    (seen.len(), seen.iter().collect::<BTreeSet<_>>().len()),
                    (total, total),
                    "{field} {order} {query}"
                );
            }
        }
    }
}

#[test]
fn a_contact_that_changes_its_place_is_missed_and_one_created_later_is_not() {
    let mut world = workspace();
    let all = json!({"field": "created_at", "operator": ">", "value": 0});
    let page = |world: &mut World, field: &str, after: Value| {
        let body = json!({"query": all, "sort": {"field": field, "order": "ascending"},
            "pagination": {"per_page": 1, "starting_after": after}});
        ask(world, "POST", "/contacts/search", Some(&body)).value()
    };
    let first = page(&mut world, "created_at", Value::Null);
    world.intercom.contacts.insert(json!({"id": "z9", "created_at": NOW}));
    let mut after = first["pages"]["next"]["starting_after"].clone();
    let mut seen = Vec::new();
    while !after.is_null() {
        let next = page(&mut world, "created_at", after);
        seen.push(next["data"][0]["id"].as_str().unwrap().to_owned());
        after = next["pages"]["next"]["starting_after"].clone();
    }
    assert_eq!(seen, ["a1", "b2", "z9"]);

    let second = page(&mut world, "last_seen_at", Value::Null)["pages"]["next"]["starting_after"].clone();
    world.intercom.contacts.edit("a1", |contact| contact["last_seen_at"] = Value::Null);
    let rest = page(&mut world, "last_seen_at", second);
    assert_ne!(rest["data"][0]["id"], "a1");
}

#[test]
fn a_cursor_in_the_url_is_ignored() {
    let mut world = workspace();
    let body = json!({"query": {"field": "created_at", "operator": ">", "value": 0}, "pagination": {"per_page": 1}});
    let first = ask(&mut world, "POST", "/contacts/search", Some(&body)).value();
    let cursor = first["pages"]["next"]["starting_after"].as_str().unwrap().to_owned();
    let again = ask(&mut world, "POST", &format!("/contacts/search?starting_after={cursor}"), Some(&body)).value();
    assert_eq!(first, again);
}

#[test]
fn the_plain_list_has_its_cursor_in_the_url() {
    let mut world = workspace();
    for number in 0..20 {
        world.intercom.contacts.insert(json!({"id": format!("n{number}"), "created_at": number}));
    }
    let first = ask(&mut world, "GET", "/contacts", None).value();
    assert_eq!((first["data"].as_array().unwrap().len(), &first["total_count"]), (10, &json!(23)));
    let cursor = first["pages"]["next"]["starting_after"].as_str().unwrap();
    let cursor = cursor.replace('+', "%2B").replace('=', "%3D");
    let second = ask(&mut world, "GET", &format!("/contacts?per_page=150&starting_after={cursor}"), None).value();
    assert_eq!(second["data"].as_array().unwrap().len(), 13);
    assert_eq!(second["pages"].get("next"), None);
}

#[test]
fn a_page_of_a_large_workspace_is_fast() {
    let mut world = workspace();
    for number in 0..50_000_i64 {
        world
            .intercom
            .contacts
            .insert(json!({"id": format!("{number:08x}"), "created_at": NOW - number, "role": "user"}));
    }
    let query = json!({"field": "created_at", "operator": ">", "value": 0});
    let sort = json!({"field": "created_at", "order": "ascending"});
    search(&mut world, &query);
    let start = std::time::Instant::now();
    let pages = walk(&mut world, &query, &sort, 150);
    assert_eq!(pages.len(), 50_003_usize.div_ceil(150));
    // Sorting or filtering per page would take minutes.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
