//! The fields of leads. Pure, and cut to Zoho's limits.

use serde_json::{Map, Value};

use super::text;
use crate::model::{Address, Task};

/// The most characters of a field, by Zoho's usual metadata. Zoho refuses longer texts and cuts nothing.
const FIRST_NAME: usize = 40;
const LAST_NAME: usize = 80;
const COMPANY: usize = 100;
const LEAD_STATUS: usize = 120;

/// The status to write; None leaves the lead as it is.
pub(super) fn status_to_set<'a>(current: Option<&str>, wanted: Option<&'a str>, keep: &[String]) -> Option<&'a str> {
    let equal = |status: &str, other: &str| status.trim().to_lowercase() == other.trim().to_lowercase();
    let current = current.unwrap_or_default();
    wanted.filter(|wanted| current.trim() != wanted.trim() && !keep.iter().any(|kept| equal(kept, current)))
}

pub(super) fn cut_status(status: &str) -> &str {
    text::cut(status, LEAD_STATUS)
}

/// The record of a new lead for a task. Last_Name and Company are never empty.
pub(super) fn lead(address: &Address, order: &Task, lead_status: Option<&str>) -> Value {
    // Some systems fill the name field with the e-mail.
    let name = order.person.name.as_deref().filter(|name| !name.contains('@'));
    let (first, last) = split_name(name.unwrap_or_default());
    let last = if last.is_empty() { address.local_part().to_owned() } else { last };
    let company = text::line(order.company.as_deref().unwrap_or_default());
    let company = if company.is_empty() { address.domain() } else { &company };
    let mut lead = Map::new();
    let mut set = |field: &str, value: &str| lead.insert(field.to_owned(), Value::from(value));
    set("Email", &address.stored);
    set("Last_Name", text::cut(&last, LAST_NAME));
    set("Company", text::cut(company, COMPANY));
    if !first.is_empty() {
        set("First_Name", text::cut(&first, FIRST_NAME));
    }
    if let Some(status) = lead_status {
        set("Lead_Status", cut_status(status));
    }
    for (field, value) in &order.lead_fields {
        set(field, text::cut(value, text::LINE));
    }
    Value::Object(lead)
}

/// Splits a name into first and last name. The last word is the last name, the only one that Zoho demands.
fn split_name(name: &str) -> (String, String) {
    let name = text::line(name);
    match name.rsplit_once(' ') {
        Some((first, last)) => (first.to_owned(), last.to_owned()),
        None => (String::new(), name),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::remote::zoho::tests::order;

    #[test]
    fn names_are_split_at_the_last_word() {
        let cases = [
            ("Jane Doe", "Jane", "Doe"),
            ("  Jane  van\tDoe ", "Jane van", "Doe"),
            ("Doe", "", "Doe"),
            ("", "", ""),
            (" \u{0} ", "", ""),
        ];
        for (name, first, last) in cases {
            assert_eq!(split_name(name), (first.to_owned(), last.to_owned()), "{name:?}");
        }
    }

    #[test]
    fn a_status_is_set_unless_it_is_kept_or_there() {
        let keep = ["Junk Lead".to_owned(), "Lost Lead".to_owned()];
        let wanted = Some("Expansion Opportunity");
        let cases = [
            ("another", Some("Contacted"), wanted, wanted),
            ("none yet", None, wanted, wanted),
            ("the same", Some("Expansion Opportunity"), wanted, None),
            ("kept", Some("Junk Lead"), wanted, None),
            ("kept, in other letters", Some(" lost lead "), wanted, None),
            ("nothing wanted", Some("Contacted"), None, None),
        ];
        for (name, current, wanted, expected) in cases {
            assert_eq!(status_to_set(current, wanted, &keep), expected, "{name}");
        }
    }

    #[test]
    fn a_lead_always_has_a_last_name_and_a_company() {
        let made = |name: Option<&str>, company: Option<&str>, status: Option<&str>| {
            let mut order = order(1, Some("Jane.Doe@Acme.example "), None);
            order.person.name = name.map(str::to_owned);
            order.company = company.map(str::to_owned);
            order.lead_fields = status.map(|_| ("Lead_Source".to_owned(), "Intercom".to_owned())).into_iter().collect();
            let address = Address::read(order.person.email.as_deref()).unwrap();
            lead(&address, &order, status)
        };
        let long = "é".repeat(200);
        let email = "Jane.Doe@Acme.example";
        let cases = [
            (
                made(Some("Jane Doe"), Some("Acme\nInc"), Some("Expansion Opportunity")),
                json!({"Email": email, "First_Name": "Jane", "Last_Name": "Doe", "Company": "Acme Inc", "Lead_Status": "Expansion Opportunity", "Lead_Source": "Intercom"}),
            ),
            (made(None, None, None), json!({"Email": email, "Last_Name": "Jane.Doe", "Company": "acme.example"})),
            (
                made(Some("jane@acme.example"), Some(" "), None),
                json!({"Email": email, "Last_Name": "Jane.Doe", "Company": "acme.example"}),
            ),
            (
                made(Some(&format!("{long} {long}")), Some(&long), Some(&long)),
                json!({"Email": email, "First_Name": "é".repeat(40), "Last_Name": "é".repeat(80), "Company": "é".repeat(100), "Lead_Status": "é".repeat(120), "Lead_Source": "Intercom"}),
            ),
        ];
        for (made, expected) in cases {
            assert_eq!(made, expected);
        }
    }
}
