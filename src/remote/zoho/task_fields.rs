//! The fields of tasks. Pure, and cut to Zoho's limits.

use serde_json::{Map, Value, json};

use super::service::CONTACTS;
use super::text;
use super::wire::Row;
use crate::model::{Links, Priority, Record, Task, TaskLink};

/// The most characters of a field, by Zoho's usual metadata. Zoho refuses longer texts and cuts nothing.
const SUBJECT: usize = 255;
const DESCRIPTION: usize = 32_000;

/// Zoho's own priorities, lowest first.
const PRIORITIES: [&str; 5] = ["Lowest", "Low", "Normal", "High", "Highest"];
/// The only status that counts as closed unless an administrator says otherwise. A person uses `Deferred` to put a task off.
pub(super) const CLOSED: &str = "Completed";
pub(super) const NOT_STARTED: &str = "Not Started";

/// Whether the task is still open. A deferred task counts as open: a person put it off.
pub(super) fn is_open(task: &Row) -> bool {
    !task.text("Status").is_some_and(|status| status.trim().eq_ignore_ascii_case(CLOSED))
}

/// The change of an open task; None if an earlier run already made it.
pub(super) fn change(task: &Row, order: &Task) -> Option<Value> {
    let old = task.text("Description").unwrap_or_default();
    if text::mentions(old, &order.short) {
        return None;
    }
    let mut fields = Map::new();
    let mut set = |field: &str, value: String| fields.insert(field.to_owned(), Value::String(value));
    set("id", task.id().to_owned());
    set("Description", with_line(old, &format!("{} · {}", text::line(&order.forward_line), order.short)));
    let priority = priority(order.priority);
    if is_higher(priority, task.text("Priority")) {
        set("Priority", priority.to_owned());
    }
    let due = date(order.due_date);
    // Dates in this form sort as text.
    let is_over = |old: &str| order.overdue_before.is_some_and(|today| old < date(today).as_str());
    if task.text("Due_Date").is_none_or(|old| due.as_str() < old || is_over(old)) {
        set("Due_Date", due);
    }
    Some(Value::Object(fields))
}

fn date(date: chrono::NaiveDate) -> String {
    date.format("%Y-%m-%d").to_string()
}

fn with_line(old: &str, line: &str) -> String {
    let line = text::cut(line, DESCRIPTION);
    let room = DESCRIPTION.saturating_sub(text::length(line) + 2);
    let old = text::shorten(old.trim_end(), room);
    if old.is_empty() { line.to_owned() } else { format!("{old}\n\n{line}") }
}

/// Whether `new` is the higher priority. A priority that an administrator added has no rank, and stays.
fn is_higher(new: &str, old: Option<&str>) -> bool {
    let rank = |name: &str| PRIORITIES.iter().position(|priority| priority.eq_ignore_ascii_case(name.trim()));
    match old {
        None | Some("-None-") => true,
        Some(old) => rank(old).is_some_and(|old| rank(new) > Some(old)),
    }
}

pub(super) fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "Low",
        Priority::Medium => "Normal",
        Priority::High => "High",
        Priority::Urgent => "Highest",
    }
}

/// The field of a task that holds its record. A Contact has a field of its own. All other modules share the field `What_Id`,
/// and `$se_module` names the module beside it.
pub(super) fn of_record(record: &Record) -> &'static str {
    if record.module == CONTACTS { "Who_Id" } else { "What_Id" }
}

pub(super) fn task(order: &Task, link: &TaskLink, links: &Links) -> Value {
    let mut fields = Map::new();
    let mut set = |field: &str, value: Value| fields.insert(field.to_owned(), value);
    set("Subject", subject(&order.subject, &order.short).into());
    set("Due_Date", date(order.due_date).into());
    set("Priority", priority(order.priority).into());
    set("Status", NOT_STARTED.into());
    let note = match link {
        TaskLink::Unlinked => "No Zoho record: the contact has no usable e-mail address.".to_owned(),
        TaskLink::Record(record) => {
            let field = of_record(record);
            set(field, json!({"id": record.id}));
            if field == "What_Id" {
                set("$se_module", record.module.as_str().into());
            }
            format!("Zoho record: {}", links.record(record))
        }
    };
    set("Description", with_line(&text::lines(&order.description), &note).into());
    if let Some(owner) = &order.owner {
        set("Owner", json!({"id": owner}));
    }
    for (field, value) in &order.task_fields {
        set(field, text::cut(value, text::LINE).into());
    }
    Value::Object(fields)
}

/// The text, cut if it is too long, and the key, which is never cut.
fn subject(text: &str, key: &str) -> String {
    let end = format!(" · {key}");
    let room = SUBJECT.saturating_sub(text::length(&end));
    format!("{}{end}", text::shorten(&text::line(text), room))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::Person;
    use chrono::NaiveDate;

    fn order() -> Task {
        Task {
            short: "US-7K3F9Q2M".to_owned(),
            subject: "🚀 Storage at 83%".to_owned(),
            description: "STORAGE LIMIT\r\n83% used\u{0}".to_owned(),
            forward_line: "2025-12-20: now\ncritical".to_owned(),
            due_date: NaiveDate::from_ymd_opt(2025, 12, 27).unwrap(),
            overdue_before: None,
            priority: Priority::High,
            person: Person {
                id: "1".to_owned(),
                email: Some("Jane.Doe@Acme.example ".to_owned()),
                name: Some("Jane Doe".to_owned()),
            },
            company: Some("Acme".to_owned()),
            lead_status: None,
            owner: None,
            lead_fields: BTreeMap::new(),
            task_fields: BTreeMap::from([("Signal".to_owned(), "é".repeat(300))]),
            link: None,
            prior: None,
        }
    }

    fn row(fields: &Value) -> Row {
        let body = json!({"data": [fields]}).to_string();
        crate::remote::zoho::wire::rows(200, body.as_bytes(), "data").unwrap().rows.remove(0)
    }

    #[test]
    fn a_subject_keeps_its_key_whatever_the_text() {
        let cases = [
            ("Storage at 83%".to_owned(), "Storage at 83% · US-7K3F9Q2M".to_owned()),
            (" two\r\nlines\u{7} ".to_owned(), "two lines · US-7K3F9Q2M".to_owned()),
            ("x".repeat(241), format!("{} · US-7K3F9Q2M", "x".repeat(241))),
            ("x".repeat(242), format!("{}… · US-7K3F9Q2M", "x".repeat(240))),
            ("🚀".repeat(121), format!("{}… · US-7K3F9Q2M", "🚀".repeat(120))),
        ];
        for (text, expected) in cases {
            let subject = subject(&text, "US-7K3F9Q2M");
            assert_eq!(subject, expected);
            assert!(subject.encode_utf16().count() <= 255);
        }
    }

    #[test]
    fn a_task_goes_on_its_record() {
        let links = Links { contact: String::new(), record: "https://crm.example/{module}/{id}".to_owned() };
        let record = |module: &str| TaskLink::Record(Record { module: module.to_owned(), id: "5".to_owned() });
        let mut order = order();
        let lead = task(&order, &record("Leads"), &links);
        let expected = json!({
            "Subject": "🚀 Storage at 83% · US-7K3F9Q2M",
            "Due_Date": "2025-12-27",
            "Priority": "High",
            "Status": "Not Started",
            "Description": "STORAGE LIMIT\n83% used\n\nZoho record: https://crm.example/Leads/5",
            "What_Id": {"id": "5"},
            "$se_module": "Leads",
            "Signal": "é".repeat(255),
        });
        assert_eq!(lead, expected);
        order.owner = Some("7".to_owned());
        let contact = task(&order, &record("Contacts"), &links);
        assert_eq!(contact["Who_Id"], json!({"id": "5"}));
        assert_eq!(contact["Owner"], json!({"id": "7"}));
        assert_eq!((contact.get("What_Id"), contact.get("$se_module")), (None, None));
        order.description = "x".repeat(40_000);
        let unlinked = task(&order, &TaskLink::Unlinked, &links);
        assert_eq!((unlinked.get("What_Id"), unlinked.get("Who_Id")), (None, None));
        let description = unlinked["Description"].as_str().unwrap();
        assert_eq!(text::length(description), 32_000);
        assert!(description.ends_with("x…\n\nNo Zoho record: the contact has no usable e-mail address."));
    }

    #[test]
    fn a_task_brought_forward_only_gets_more_urgent() {
        let change = |priority: Value, due: Value| {
            let old = json!({"id": "9", "Description": "old", "Priority": priority, "Due_Date": due});
            let mut change = change(&row(&old), &order()).unwrap();
            let fields = change.as_object_mut().unwrap();
            assert_eq!(fields.remove("id").unwrap(), "9");
            assert_eq!(fields.remove("Description").unwrap(), "old\n\n2025-12-20: now critical · US-7K3F9Q2M");
            change
        };
        let cases = [
            (json!("Normal"), json!("2025-12-31"), json!({"Priority": "High", "Due_Date": "2025-12-27"})),
            (json!("High"), json!("2025-12-27"), json!({})),
            (json!("Highest"), json!("2025-12-01"), json!({})),
            (json!("-None-"), json!(null), json!({"Priority": "High", "Due_Date": "2025-12-27"})),
            (json!(null), json!("2026-01-01"), json!({"Priority": "High", "Due_Date": "2025-12-27"})),
            (json!("Our own"), json!("2025-12-01"), json!({})),
        ];
        for (priority, due, expected) in cases {
            assert_eq!(change(priority.clone(), due.clone()), expected, "{priority} {due}");
        }
    }

    #[test]
    fn an_overdue_task_of_an_earlier_occasion_gets_a_new_due_date() {
        let order = Task { overdue_before: NaiveDate::from_ymd_opt(2025, 12, 20), ..order() };
        for (old, due) in [
            ("2025-12-01", Some("2025-12-27")),
            ("2025-12-19", Some("2025-12-27")),
            ("2025-12-20", None),
            ("2025-12-31", Some("2025-12-27")),
        ] {
            let change = change(&row(&json!({"id": "9", "Description": "old", "Due_Date": old})), &order).unwrap();
            assert_eq!(change.get("Due_Date").and_then(Value::as_str), due, "{old}");
        }
    }

    #[test]
    fn the_same_line_is_not_added_twice() {
        let first = change(&row(&json!({"id": "9", "Description": "old"})), &order()).unwrap();
        assert_eq!(change(&row(&first), &order()), None);
        let longer = row(&json!({"id": "9", "Description": "by US-7K3F9Q2MX"}));
        assert!(change(&longer, &order()).is_some());
    }

    #[test]
    fn only_a_completed_task_is_closed() {
        for (status, open) in [
            (json!("Not Started"), true),
            (json!("Deferred"), true),
            (json!("Completed"), false),
            (json!("completed "), false),
            (json!(null), true),
        ] {
            assert_eq!(is_open(&row(&json!({"id": "9", "Status": status}))), open, "{status}");
        }
    }
}
