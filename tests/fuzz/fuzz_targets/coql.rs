//! Builds a query from any texts. The query has one literal per value, and no part of a value is outside its literal.
#![no_main]
#![allow(dead_code)]

#[path = "../../../src/remote/zoho/coql.rs"]
mod coql;
mod model {
    pub use usage_signals::model::*;
}

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let values: BTreeSet<&str> = text.split('\n').collect();
    let queries = coql::one_of("id", "Leads", "Email", &values);
    let found: usize = queries.iter().map(|query| literals(query)).sum();
    assert_eq!(found, values.len());
    if let Some(address) = coql::Address::read(Some(&text)) {
        assert!(address.stored.is_ascii() && !address.stored.contains(['"', '\\', '(', ')', ' ', ',']));
        assert!(address.stored.len() <= 100);
    }
});

/// Returns the literals of `select … in ('a', 'b''c')`, read as Zoho reads them: a quote ends a literal unless it is doubled.
fn literals(query: &str) -> usize {
    let list = query.strip_prefix("select id from Leads where Email in (").expect("our own words");
    let mut letters = list.chars().peekable();
    let mut found = 0;
    loop {
        assert_eq!(letters.next(), Some('\''), "{query}");
        loop {
            match letters.next().expect("a literal that does not end") {
                '\'' if letters.peek() == Some(&'\'') => drop(letters.next()),
                '\'' => break,
                '\\' => panic!("a backslash: {query}"),
                letter => assert!(!letter.is_control(), "{query}"),
            }
        }
        found += 1;
        match letters.next() {
            Some(',') => assert_eq!(letters.next(), Some(' '), "{query}"),
            Some(')') => break,
            other => panic!("{other:?} behind a literal: {query}"),
        }
    }
    assert_eq!(letters.next(), None, "something behind the list: {query}");
    found
}
