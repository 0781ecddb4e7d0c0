//! Queries in COQL, Zoho's query language, safe from injection.
//!
//! A query is one string, and customers type the e-mails in it. So only syntactically plain addresses get in, and every text
//! is quoted here and nowhere else.

use std::collections::BTreeSet;

use crate::model::{Address, Date};

/// The most values in one `in (…)`. One page documents 50, another 100.
const VALUES: usize = 50;

/// The values to query for. Zoho does not document whether `in` ignores case, so both forms of an address go in where they
/// differ.
pub(super) fn forms<'a>(addresses: impl Iterator<Item = &'a Address>) -> BTreeSet<&'a str> {
    addresses.flat_map(|address| [address.stored.as_str(), address.key.as_str()]).collect()
}

/// The queries for the rows where a column holds one of the values; as many queries as the values need.
pub(super) fn one_of(columns: &str, module: &str, column: &str, values: &BTreeSet<&str>) -> Vec<String> {
    let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
    values
        .chunks(VALUES)
        .map(|chunk| format!("select {columns} from {module} where {column} in ({})", chunk.join(", ")))
        .collect()
}

/// The query for all records created at or after an instant.
pub(super) fn created_since(columns: &str, module: &str, instant: Date) -> String {
    // Zoho documents an offset and no `Z`, and no fraction.
    let instant = instant.format("%Y-%m-%dT%H:%M:%S+00:00").to_string();
    format!("select {columns} from {module} where Created_Time >= {}", quoted(&instant))
}

/// The query for one page, which begins at row `offset`.
pub(super) fn page(query: &str, limit: usize, offset: usize) -> String {
    if offset == 0 { format!("{query} limit {limit}") } else { format!("{query} limit {limit} offset {offset}") }
}

/// A literal that no content can end early. Quotes are doubled. Backslashes and control characters, which no valid value
/// contains, are left out.
fn quoted(value: &str) -> String {
    let inner: String = value.chars().filter(|char| !char.is_control() && *char != '\\').collect();
    format!("'{}'", inner.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_forms_of_an_address_are_asked_for_in_chunks() {
        let addresses: Vec<Address> =
            (0..30).filter_map(|number| Address::read(Some(&format!("User{number:02}@acme.example")))).collect();
        let forms = forms(addresses.iter());
        assert_eq!(forms.len(), 60);
        let queries = one_of("id, Email", "Contacts", "Email", &forms);
        assert_eq!(queries.len(), 2);
        assert!(queries[0].starts_with("select id, Email from Contacts where Email in ('User00@acme.example', "));
        assert_eq!(queries[0].matches('\'').count(), 100);
        assert_eq!(queries[1].matches('\'').count(), 20);
        assert!(queries[1].ends_with("'user29@acme.example')"));
    }

    #[test]
    fn a_lower_cased_address_is_asked_for_once() {
        let address = Address::read(Some("o'brien@acme.example"));
        let queries = one_of("id", "Leads", "Email", &forms(address.iter()));
        assert_eq!(queries, ["select id from Leads where Email in ('o''brien@acme.example')"]);
    }

    #[test]
    fn instants_and_pages_are_written_as_zoho_documents_them() {
        let instant = chrono::DateTime::from_timestamp(1_766_210_400, 123_000_000).unwrap();
        let query = created_since("id, Subject", "Tasks", instant);
        assert_eq!(query, "select id, Subject from Tasks where Created_Time >= '2025-12-20T06:00:00+00:00'");
        assert_eq!(page("select id from Tasks", 200, 0), "select id from Tasks limit 200");
        assert_eq!(page("select id from Tasks", 200, 400), "select id from Tasks limit 200 offset 400");
    }

    /// The end of the literal at the start of a text, in both readings of a backslash.
    fn end_of_literal(text: &str, backslash_escapes: bool) -> Option<usize> {
        let mut chars = text.char_indices().skip(1).peekable();
        while let Some((at, char)) = chars.next() {
            match char {
                '\\' if backslash_escapes => drop(chars.next()),
                '\'' if chars.peek().is_some_and(|(_, next)| *next == '\'') => drop(chars.next()),
                '\'' => return Some(at + 1),
                _ => {}
            }
        }
        None
    }

    proptest! {
        #[test]
        fn no_text_escapes_from_its_quotes(text in r"[a-z'\\\n() ,]{0,12}|\PC{0,12}") {
            let literal = quoted(&text);
            for backslash_escapes in [false, true] {
                prop_assert_eq!(end_of_literal(&literal, backslash_escapes), Some(literal.len()), "{}", &literal);
            }
        }
    }
}
