use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;
use crate::model::{Brief, Person, Priority, TaskNews};

fn person(id: &str, name: &str) -> Person {
    let email = Some(format!("{id}@acme.example"));
    Person { id: id.into(), email, name: (!name.is_empty()).then(|| name.to_owned()) }
}

fn order() -> Message {
    let brief = Brief {
        signal: "storage_limit".into(),
        level: "critical".into(),
        title: "🚨 Storage almost full: 96%".into(),
        priority: Priority::Urgent,
        account: Some("Müller & Söhne <!channel>".into()),
        representative: person("ann", "Ann Lee"),
        people: vec![person("ann", "Ann Lee")],
        details: "96% storage used".into(),
        action: "Upsell additional storage or Enterprise".into(),
        due_date: NaiveDate::from_ymd_opt(2025, 12, 23).unwrap(),
        respond_within_days: 3,
        why_now: "before uploads start to fail".into(),
        flags: vec![],
        contact_url: "https://app.intercom.com/a/apps/w/users/1".into(),
        again_since: None,
        escalated: false,
        message: None,
    };
    let task = TaskNews::Done {
        task_url: "https://crm.zoho.com/crm/tab/Tasks/71".into(),
        record_url: Some("https://crm.zoho.com/crm/tab/Leads/11".into()),
    };
    Message { short: "US-7K3F9Q2M".into(), brief, task, thread: None, may_repeat: false, without_key: false }
}

/// A message with every note and every variant.
fn full() -> Message {
    let mut order = order();
    order.task = TaskNews::Follows;
    order.may_repeat = true;
    order.brief.level = String::new();
    order.brief.account = None;
    order.brief.representative = person("bob", "");
    order.brief.people = (0..14).map(|number| person(&format!("p{number}"), "")).collect();
    order.brief.people.push(order.brief.representative.clone());
    order.brief.flags = vec!["hot_lead".into()];
    order.brief.again_since = NaiveDate::from_ymd_opt(2025, 10, 3);
    order.brief.respond_within_days = 1;
    order
}

/// The blocks as text, one line for each line of markup.
fn shown(layout: &Layout) -> String {
    let mut shown = vec![format!("text: {}", layout.text)];
    for block in &layout.blocks {
        let texts = std::iter::once(&block["text"]).chain(block["fields"].as_array().into_iter().flatten());
        let texts = texts.chain(block["elements"].as_array().into_iter().flatten());
        let texts = texts.filter_map(|text| text["text"].as_str()).collect::<Vec<_>>().join("\n  ");
        shown.push(format!("[{}]\n  {}", block["type"].as_str().unwrap(), texts.replace('\n', "\n  ")));
    }
    shown.join("\n").replace('\u{200B}', "_")
}

#[test]
fn a_message() {
    insta::assert_snapshot!(shown(&message(&order())), @r#"
    text: 🚨 Storage almost full: 96% · Ann Lee, Müller &amp; Söhne &lt;!channel&gt; · by 23 Dec 2025
    [header]
      🚨 Storage almost full: 96%
    [section]
      *Contact*
      Ann Lee
      ann@acme.example
        *Account*
      Müller &amp; Söhne &lt;!channel&gt;
        *Signal*
      Storage limit (critical)
      96% storage used
        *Urgency*
      Urgent, within 3 days
    [section]
      *To do by 23 Dec 2025*
      Upsell additional storage or Enterprise
      *Why now*
      before uploads start to fail
    [section]
      <https://app.intercom.com/a/apps/w/users/1|Intercom> · <https://crm.zoho.com/crm/tab/Leads/11|Zoho record> · <https://crm.zoho.com/crm/tab/Tasks/71|Zoho task>
    "#);
}

#[test]
fn an_escalation_is_noted() {
    let mut order = order();
    assert_eq!(notes(&order), "");
    order.brief.escalated = true;
    order.brief.level = "very\n<!here>".into();
    assert_eq!(notes(&order), "Now very &lt;!here&gt;");
    order.brief.level = "critical".into();
    assert!(shown(&message(&order)).contains("[context]\n  Now critical\n"));
    assert!(shown(&digest(&[order])).contains("Urgent, by 23 Dec 2025 · Now critical"));
}

#[test]
fn a_message_with_everything_special() {
    insta::assert_snapshot!(shown(&message(&full())), @r#"
    text: 🚨 Storage almost full: 96% · bob@_acme._example · by 23 Dec 2025
    [header]
      🚨 Storage almost full: 96%
    [context]
      Hot lead · Again, last on 3 Oct 2025 · May be a repeat
    [section]
      *Contact*
      bob@acme.example
        *Signal*
      Storage limit
      96% storage used
        *Urgency*
      Urgent, within 1 day
    [section]
      *To do by 23 Dec 2025*
      Upsell additional storage or Enterprise
      *Why now*
      before uploads start to fail
      *Also concerned*
      p0@acme.example, p1@acme.example, p2@acme.example, p3@acme.example, p4@acme.example, p5@acme.example, p6@acme.example, p7@acme.example, p8@acme.example, p9@acme.example and 4 more
    [section]
      <https://app.intercom.com/a/apps/w/users/1|Intercom> · The Zoho task follows
    "#);
}

#[test]
fn the_rules_own_message_replaces_the_body() {
    let mut order = order();
    order.brief.message = Some("Call <@U1> now:\n- storage at *96%*".into());
    order.task = TaskNews::Refused;
    insta::assert_snapshot!(shown(&message(&order)), @r#"
    text: 🚨 Storage almost full: 96% · Ann Lee, Müller &amp; Söhne &lt;!channel&gt; · by 23 Dec 2025
    [header]
      🚨 Storage almost full: 96%
    [section]
      Call &lt;@U1&gt; now:
      - storage at *96%*
    [section]
      <https://app.intercom.com/a/apps/w/users/1|Intercom> · Zoho refused the task
    "#);
    order.brief.message = Some(" \u{200B}".into());
    assert!(shown(&message(&order)).contains("*Why now*"), "a text that shows nothing is no text");
}

#[test]
fn a_digest() {
    insta::assert_snapshot!(shown(&digest(&[order(), full()])), @r#"
    text: 2 signals, most urgent first: 🚨 Storage almost full: 96%; 🚨 Storage almost full: 96%
    [header]
      2 signals, most urgent first
    [section]
      *1. 🚨 Storage almost full: 96%*
      Ann Lee, Müller &amp; Söhne &lt;!channel&gt; · Urgent, by 23 Dec 2025
      Upsell additional storage or Enterprise
      <https://app.intercom.com/a/apps/w/users/1|Intercom> · <https://crm.zoho.com/crm/tab/Leads/11|Zoho record> · <https://crm.zoho.com/crm/tab/Tasks/71|Zoho task>
    [section]
      *2. 🚨 Storage almost full: 96%*
      bob@acme.example · Urgent, by 23 Dec 2025 · Hot lead · Again, last on 3 Oct 2025 · May be a repeat
      Upsell additional storage or Enterprise
      <https://app.intercom.com/a/apps/w/users/1|Intercom> · The Zoho task follows
    "#);
}

#[test]
fn the_plain_text_says_the_same() {
    insta::assert_snapshot!(message(&order()).text_only.replace('\u{200B}', "_"), @r#"
    *🚨 Storage almost full: 96%*
    *Contact*
    Ann Lee
    ann@_acme._example
    *Account*
    Müller &amp; Söhne &lt;!channel&gt;
    *Signal*
    Storage limit (critical)
    96% storage used
    *Urgency*
    Urgent, within 3 days
    *To do by 23 Dec 2025*
    Upsell additional storage or Enterprise
    *Why now*
    before uploads start to fail
    <https://app.intercom.com/a/apps/w/users/1|Intercom> · <https://crm.zoho.com/crm/tab/Leads/11|Zoho record> · <https://crm.zoho.com/crm/tab/Tasks/71|Zoho task>
    "#);
}

#[test]
fn digests_take_25_short_messages_and_fewer_long_ones() {
    assert_eq!(fits_digest(&vec![order(); 40]), 25);
    let mut long = order();
    long.brief.contact_url = format!("https://a.example/{}", "x".repeat(460));
    long.brief.action = "y".repeat(1000);
    assert_eq!(fits_digest(&vec![long; 40]), 9);
    assert_eq!(fits_digest(&[order()]), 1);
}

/// Text with everything that Slack could take for markup in it, short and long.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        "[<>&|!@#*`\n\u{202E}\u{200B}a. /:]{0,30}",
        Just(String::new()),
        Just("<!channel>".repeat(400)),
        Just("🚀&".repeat(2000)),
    ]
}

prop_compose! {
    fn any_order()(
        texts in prop::collection::vec(any_text(), 12),
        people in prop::collection::vec(any_text(), 0..30),
        own in prop::option::of(any_text()),
        news in 0..4,
    ) -> Message {
        let text = |index: usize| texts[index].clone();
        let person = |(index, name): (usize, String)| Person {
            id: index.to_string(),
            email: Some(text(7)),
            name: Some(name),
        };
        let mut order = order();
        order.may_repeat = news > 1;
        order.task = match news {
            0 => TaskNews::None,
            1 => TaskNews::Follows,
            2 => TaskNews::Refused,
            _ => TaskNews::Done { task_url: text(0), record_url: Some(format!("https://z.example/{}", text(1))) },
        };
        let brief = &mut order.brief;
        brief.representative = Person { id: "r".into(), email: Some(text(2)), name: Some(text(3)) };
        brief.people = people.into_iter().enumerate().map(person).collect();
        (brief.title, brief.account, brief.details) = (text(4), Some(text(5)), text(6));
        (brief.action, brief.why_now, brief.level) = (text(8), text(9), text(10));
        (brief.flags, brief.message) = (vec![text(11), text(2)], own);
        brief.contact_url = format!("https://i.example/{}", text(3));
        order
    }
}

/// Every text object, with the limit of its place.
fn texts(blocks: &[Value]) -> Vec<(&Value, usize)> {
    let mut all = Vec::new();
    for block in blocks {
        let limit = if block["type"] == "header" { 150 } else { 3000 };
        all.extend(block.get("text").map(|text| (text, limit)));
        all.extend(block["fields"].as_array().into_iter().flatten().map(|text| (text, 2000)));
        all.extend(block["elements"].as_array().into_iter().flatten().map(|text| (text, 3000)));
    }
    all
}

fn check(layout: &Layout) -> Result<(), TestCaseError> {
    // With our own links taken out, nothing is left that opens one.
    let ours = |text: &str| {
        let mut rest = text.to_owned();
        for label in ["Intercom", "Zoho record", "Zoho task"] {
            while let Some(end) = rest.find(&format!("|{label}>")) {
                let start = rest.split_at(end).0.rfind("<http").expect("a link begins");
                rest.replace_range(start..end + label.len() + 2, "");
            }
        }
        rest
    };
    prop_assert!(layout.blocks.len() <= 50);
    let mut total = units(&layout.text);
    for (object, limit) in texts(&layout.blocks) {
        let text = object["text"].as_str().unwrap();
        total += units(text);
        prop_assert!(!text.trim().is_empty() && units(text) <= limit, "{} of {limit}: {text}", units(text));
        if object["type"] == "mrkdwn" {
            prop_assert_eq!(&object["verbatim"], true);
            prop_assert!(!ours(text).contains(['<', '>']), "{}", text);
        }
    }
    prop_assert!(total <= 9_000, "{total} characters in all");
    for text in [&layout.text, &layout.text_only] {
        prop_assert!(!text.trim().is_empty() && units(text) <= 4_000);
        prop_assert!(!ours(text).contains(['<', '>']), "{}", text);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn limits_hold_and_nothing_is_live_whatever_customers_write(orders in prop::collection::vec(any_order(), 1..12)) {
        check(&message(&orders[0]))?;
        let taken = fits_digest(&orders);
        check(&digest(&orders[..taken]))?;
    }
}
