//! What a message looks like. Pure: from a [`Message`] to blocks within Slack's limits, and to the same as mere text.
//!
//! One block that breaks a rule loses the whole message, and nothing is cut for the sender, so every part has a length of its
//! own here, chosen so that all together stay below what Slack has been seen to accept (9,597 characters yes, 11,341 no).

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::text::{line, lines, link, plain, units, unlinked};
use crate::model::{Brief, Message, Person, Priority, TaskNews};

/// Messages in one digest.
const DIGEST_MESSAGES: usize = 25;
/// Characters of all blocks of a digest.
const DIGEST_CHARS: usize = 8_400;
/// Characters of a message sent as mere text: longer ones may be split.
const TEXT_CHARS: usize = 3_900;
/// A name, an e-mail, an account.
const NAME_CHARS: usize = 100;
/// An address; a longer one is left out.
const LINK_CHARS: usize = 500;
/// People named besides the representative.
const PEOPLE: usize = 10;

/// A message ready to be posted.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// For notifications and screen readers.
    pub text: String,
    /// The message.
    pub blocks: Vec<Value>,
    /// The message where Slack does not take the blocks.
    pub text_only: String,
}

/// One message of its own.
pub fn message(order: &Message) -> Layout {
    let brief = &order.brief;
    let title = or_signal(plain(&brief.title, 140), brief);
    let mut blocks = vec![json!({
        "type": "header",
        "text": { "type": "plain_text", "text": title, "emoji": false },
    })];
    let notes = notes(order);
    if !notes.is_empty() {
        blocks.push(json!({ "type": "context", "elements": [mrkdwn(&notes)] }));
    }
    let own = brief.message.as_deref().map(|own| lines(own, 2_900)).filter(|own| !own.is_empty());
    if let Some(own) = &own {
        blocks.push(section(own));
    } else {
        let fields: Vec<Value> = fields(brief).iter().map(|field| mrkdwn(field)).collect();
        blocks.push(json!({ "type": "section", "fields": fields }));
        let body = body(brief);
        if !body.is_empty() {
            blocks.push(section(&body));
        }
    }
    let links = links(order);
    if !links.is_empty() {
        blocks.push(section(&links));
    }
    let text = own.unwrap_or_else(|| [fields(brief).join("\n"), body(brief)].join("\n"));
    let parts = [format!("*{}*", line(&title, 300)), notes, text];
    let parts: Vec<String> = parts.iter().filter(|part| !part.is_empty()).map(|part| unlinked(part)).collect();
    Layout { text: unlinked(&summary(brief)), blocks, text_only: within(parts.into_iter().chain([links])).0 }
}

/// Several messages in one, as they are ranked.
pub fn digest(orders: &[Message]) -> Layout {
    let title = format!("{} signals, most urgent first", orders.len());
    let mut blocks = vec![json!({
        "type": "header",
        "text": { "type": "plain_text", "text": title, "emoji": false },
    })];
    let entries = || orders.iter().zip(1_usize..).map(|(order, rank)| entry(order, rank));
    blocks.extend(entries().map(|(text, links)| section(&joined([text, links], "\n"))));
    let titles: Vec<&str> = orders.iter().map(|order| order.brief.title.as_str()).collect();
    let entries = entries().map(|(text, links)| joined([unlinked(&text), links], "\n"));
    let (mut text_only, left_out) = within([title.clone()].into_iter().chain(entries));
    if left_out > 0 {
        text_only.push_str(&format!("\nand {left_out} more"));
    }
    Layout { text: unlinked(&line(&format!("{title}: {}", titles.join("; ")), 300)), blocks, text_only }
}

/// How many messages, from the first on, go into one digest: at least one.
pub fn fits_digest(orders: &[Message]) -> usize {
    let mut used = 0;
    let fitting = orders.iter().take(DIGEST_MESSAGES).take_while(|order| {
        let (text, links) = entry(order, DIGEST_MESSAGES);
        used += units(&text) + units(&links) + 1;
        used <= DIGEST_CHARS
    });
    fitting.count().max(1)
}

/// One message in a digest: what, who and what to do; and where.
fn entry(order: &Message, rank: usize) -> (String, String) {
    let brief = &order.brief;
    let who = joined([name(&brief.representative), account(brief)], ", ");
    let when = format!("{}, by {}", priority(brief.priority), date(brief.due_date));
    let title = format!("*{rank}. {}*", or_signal(line(&brief.title, 200), brief));
    let text = joined([title, joined([who, when, notes(order)], " · "), line(&brief.action, 200)], "\n");
    (text, links(order))
}

fn fields(brief: &Brief) -> Vec<String> {
    let Brief { level, representative: person, priority: urgency, respond_within_days, details, .. } = brief;
    let days = if *respond_within_days == 1 { "day" } else { "days" };
    let name = name(person);
    let email = line(person.email.as_deref().unwrap_or_default(), NAME_CHARS);
    let email = if email == name { String::new() } else { email };
    let level = line(level, 60);
    let level = if level.is_empty() { level } else { format!(" ({level})") };
    let all = [
        ("Contact", joined([name, email], "\n")),
        ("Account", account(brief)),
        ("Signal", joined([format!("{}{level}", words(&brief.signal)), line(details, 400)], "\n")),
        ("Urgency", format!("{}, within {respond_within_days} {days}", priority(*urgency))),
    ];
    all.into_iter().filter(|(_, text)| !text.is_empty()).map(|(label, text)| format!("*{label}*\n{text}")).collect()
}

fn body(brief: &Brief) -> String {
    let Brief { action, due_date, why_now, .. } = brief;
    let (action, why_now) = (line(action, 600), line(why_now, 400));
    let people = others(brief);
    let mut parts = Vec::new();
    if !action.is_empty() {
        parts.push(format!("*To do by {}*\n{action}", date(*due_date)));
    }
    if !why_now.is_empty() {
        parts.push(format!("*Why now*\n{why_now}"));
    }
    if !people.is_empty() {
        parts.push(format!("*Also concerned*\n{people}"));
    }
    parts.join("\n")
}

/// Everybody but the representative, once each.
fn others(brief: &Brief) -> String {
    let Brief { representative, people, .. } = brief;
    let is_other = |person: &&Person| person.id != representative.id && person.label() != representative.label();
    let mut labels: Vec<String> = Vec::new();
    for label in people.iter().filter(is_other).map(name) {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    let more = labels.len().saturating_sub(PEOPLE);
    labels.truncate(PEOPLE);
    match (labels.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => labels.join(", "),
        (false, more) => format!("{} and {more} more", labels.join(", ")),
    }
}

/// What is special about this message.
fn notes(order: &Message) -> String {
    let mut notes: Vec<String> = order.brief.flags.iter().take(5).map(|flag| words(flag)).collect();
    let level = line(&order.brief.level, 60);
    if order.brief.escalated && !level.is_empty() {
        notes.push(format!("Now {level}"));
    }
    notes.extend(order.brief.again_since.map(|since| format!("Again, last on {}", date(since))));
    if order.may_repeat {
        notes.push("May be a repeat".to_owned());
    }
    joined(notes, " · ")
}

/// Links to the contact, the record and the task, or what became of that.
fn links(order: &Message) -> String {
    let mut links = vec![link(&order.brief.contact_url, "Intercom", LINK_CHARS)];
    match &order.task {
        TaskNews::None => {}
        TaskNews::Done { task_url, record_url } => {
            links.push(record_url.as_deref().and_then(|url| link(url, "Zoho record", LINK_CHARS)));
            links.push(link(task_url, "Zoho task", LINK_CHARS));
        }
        TaskNews::Follows => links.push(Some("The Zoho task follows".to_owned())),
        TaskNews::Refused => links.push(Some("Zoho refused the task".to_owned())),
    }
    joined(links.into_iter().flatten(), " · ")
}

/// The message in one line.
fn summary(brief: &Brief) -> String {
    let who = joined([name(&brief.representative), account(brief)], ", ");
    let title = or_signal(line(&brief.title, 300), brief);
    format!("{title} · {who} · by {}", date(brief.due_date))
}

fn name(person: &Person) -> String {
    let shown = |text: &Option<String>| line(text.as_deref().unwrap_or_default(), NAME_CHARS);
    let known = [shown(&person.name), shown(&person.email)].into_iter().find(|text| !text.is_empty());
    known.unwrap_or_else(|| "unknown".to_owned())
}

fn account(brief: &Brief) -> String {
    line(brief.account.as_deref().unwrap_or_default(), NAME_CHARS)
}

/// A title that shows nothing is no title.
fn or_signal(title: String, brief: &Brief) -> String {
    if title.is_empty() { format!("Signal: {}", words(&brief.signal)) } else { title }
}

/// `hot_lead` as people write it.
fn words(id: &str) -> String {
    let text = line(&id.replace('_', " "), 60);
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "Low",
        Priority::Medium => "Medium",
        Priority::High => "High",
        Priority::Urgent => "Urgent",
    }
}

fn date(date: NaiveDate) -> String {
    date.format("%-d %b %Y").to_string()
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": mrkdwn(text) })
}

/// `verbatim`: Slack links no bare address and no name in it.
fn mrkdwn(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}

/// What is not empty, put together.
fn joined(parts: impl IntoIterator<Item = String>, between: &str) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}

/// Whole parts, as many as fit, and how many do not.
fn within(parts: impl IntoIterator<Item = String>) -> (String, usize) {
    let mut text = String::new();
    let mut left_out = 0;
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if left_out > 0 || units(&text) + units(&part) + 1 > TEXT_CHARS {
            left_out += 1;
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&part);
    }
    (text, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        Message { short: "US-7K3F9Q2M".into(), brief, task, thread: None, may_repeat: false }
    }

    /// Everything with something special.
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

    /// The blocks as a reader of them sees them, one line of markup a line.
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
    fn a_message_of_a_level_that_was_reached_says_so() {
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
    fn the_rules_own_words_take_the_place_of_the_body() {
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
    fn mere_text_says_the_same() {
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
}
