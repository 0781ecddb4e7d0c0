//! Generated workspaces: invented people with realistic attributes. Every run generates the same people, except for the dates,
//! which end at the current time.

use chrono::Utc;
use serde_json::{Value, json};
use usage_signals::sandbox::{Fault, FaultKind, World};

/// The time over which contacts were created.
const SPAN_SECONDS: u64 = 3 * 365 * 24 * 3600;
/// The signals, one per person: the attribute and its value.
const FIVE: [(&str, &str); 5] = [
    ("teammates_count", "9"),
    ("storage_percent", "86"),
    ("projects_count", "\"23\""),
    ("enterprise_features_tried", "\"sso_attempted, custom_branding\""),
    ("days_since_last_login", "16"),
];

/// The size of a workspace, and the behaviour of its services.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub contacts: u64,
    /// The number of contacts with a signal, one signal each.
    pub signalling: u64,
    /// The delay of every response.
    pub latency_ms: u64,
    /// The rate limit of Intercom, in requests per ten seconds.
    pub rate_limit: u32,
}

impl Shape {
    /// Returns a workspace without signals and latency, with a rate limit that no run reaches.
    pub const fn of(contacts: u64) -> Shape {
        Shape { contacts, signalling: 0, latency_ms: 0, rate_limit: 1_000_000 }
    }

    /// Returns the arguments of the serving process.
    pub fn arguments(self) -> [String; 4] {
        let Shape { contacts, signalling, latency_ms, rate_limit } = self;
        [contacts.to_string(), signalling.to_string(), latency_ms.to_string(), rate_limit.to_string()]
    }

    /// Parses the arguments of the serving process.
    pub fn read(arguments: &[String]) -> anyhow::Result<Shape> {
        let [contacts, signalling, latency_ms, rate_limit] = arguments else {
            anyhow::bail!("serve wants four numbers, not {arguments:?}");
        };
        Ok(Shape {
            contacts: contacts.parse()?,
            signalling: signalling.parse()?,
            latency_ms: latency_ms.parse()?,
            rate_limit: rate_limit.parse()?,
        })
    }

    pub fn world(self) -> anyhow::Result<World> {
        let mut world = World::default();
        world.intercom.rate_limit = self.rate_limit;
        // Zoho's daily credits must not run out.
        world.zoho.credits = 10_000_000;
        for contact in self.people() {
            world.intercom.contacts.insert(contact);
        }
        for (number, _) in self.signals() {
            let company = json!({"type": "company", "id": company_id(number), "name": company_name(number),
                "tags": {"type": "tag.list", "tags": []}});
            world.intercom.companies.extend(company.as_object().cloned());
        }
        if self.latency_ms > 0 {
            for service in ["intercom", "zoho", "slack"] {
                let kind = FaultKind::Delay { ms: self.latency_ms };
                let service = service.to_owned();
                world.faults.push(Fault {
                    service,
                    method: None,
                    path_prefix: None,
                    body_holds: None,
                    skip: 0,
                    times: None,
                    kind,
                });
            }
        }
        Ok(world)
    }

    /// Returns the contacts, in order of creation.
    pub fn people(self) -> impl Iterator<Item = Value> {
        let oldest = u64::try_from(Utc::now().timestamp()).unwrap_or(0).saturating_sub(SPAN_SECONDS);
        let mut signals = self.signals().peekable();
        (0..self.contacts).map(move |number| {
            let created = oldest + SPAN_SECONDS * number / self.contacts;
            let mut person = person(number, created);
            if let Some((_, (attribute, value))) = signals.next_if(|(at, _)| *at == number) {
                let attributes = person.get_mut("custom_attributes").and_then(Value::as_object_mut);
                let value = serde_json::from_str::<Value>(value).unwrap_or_default();
                attributes.map(|attributes| attributes.insert(attribute.to_owned(), value));
            }
            person
        })
    }

    /// Returns the contacts that signal, spread evenly, with their attributes.
    fn signals(self) -> impl Iterator<Item = (u64, (&'static str, &'static str))> {
        let Shape { contacts, signalling, .. } = self;
        (0..signalling).zip(FIVE.into_iter().cycle()).map(move |(signal, what)| (contacts * signal / signalling, what))
    }
}

/// Spreads numbers over all bits (splitmix64).
fn mixed(number: u64) -> u64 {
    let mut bits = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

fn company_id(number: u64) -> String {
    format!("65c24a60{:016x}", mixed(number))
}

fn company_name(number: u64) -> String {
    format!("Company {number}")
}

/// Returns a contact without signals, about 3 KB of JSON. It has all keys that Intercom sends, most with a value.
fn person(number: u64, created: u64) -> Value {
    let chance = mixed(number);
    let id = format!("{created:08x}{chance:016x}");
    let some = |below: u64| chance % below;
    let later = |days: u64| created + 24 * 3600 * days;
    let list = |name: &str, data: Value| {
        let count = data.as_array().map_or(0, Vec::len);
        json!({"type": "list", "data": data, "url": format!("/contacts/{id}/{name}"), "total_count": count,
            "has_more": false})
    };
    let company = company_id(number);
    let companies = json!([{"id": company, "type": "company", "url": format!("/companies/{company}")}]);
    json!({
        "type": "contact", "id": id, "workspace_id": "sandbox", "external_id": format!("user-{number}"), "role": "user",
        "email": format!("user{number}@company{number}.example.com"), "phone": "+12125550143",
        "name": format!("Person Number{number}"),
        "avatar": {"type": "avatar", "image_url": format!("https://static.example.com/avatars/{chance:016x}/square_128.png")},
        "owner_id": 6_810_422, "social_profiles": {"type": "list", "data": [{"type": "social_profile", "name": "Twitter",
            "url": format!("https://twitter.example.com/person{number}")}]},
        "has_hard_bounced": false, "marked_email_as_spam": false, "unsubscribed_from_emails": false,
        "created_at": created, "updated_at": later(2), "signed_up_at": created, "last_seen_at": later(2),
        "last_replied_at": later(1), "last_contacted_at": later(1), "last_email_opened_at": later(2),
        "last_email_clicked_at": null, "language_override": null, "browser": "chrome", "browser_version": "131.0.0.0",
        "browser_language": "en", "os": "OS X 10.15.7",
        "location": {"type": "location", "country": "United States", "region": "New York", "city": "New York",
            "country_code": "USA", "continent_code": "NA"},
        "android_app_name": null, "android_app_version": null, "android_device": null, "android_os_version": null,
        "android_sdk_version": null, "android_last_seen_at": null, "ios_app_name": null, "ios_app_version": null,
        "ios_device": null, "ios_os_version": null, "ios_sdk_version": null, "ios_last_seen_at": null,
        "utm_campaign": "spring", "utm_content": null, "utm_medium": "email", "utm_source": "newsletter", "utm_term": null,
        "referrer": format!("https://www.example.com/blog/how-to-review-a-design?ref={number}"),
        "custom_attributes": {
            "user_type": if number.is_multiple_of(5) { "primary" } else { "member" }, "plan_type": "team", "gv_version": "4.12.0",
            "projects_count": some(18), "projects_last_30_days": some(7), "last_project_created": later(2),
            "active_projects": some(5), "teammates_count": some(8).to_string(), "teammates_invited_last_30_days": some(3),
            "last_teammate_invited": later(1), "storage_used_mb": some(70_000), "storage_limit_mb": 102_400,
            "storage_percent": some(78), "enterprise_features_tried": "", "integrations_enabled": "slack, figma",
            "api_usage_last_30_days": some(900), "workspaces_count": 1, "departments_using": "design",
            "days_since_last_login": some(13), "days_since_last_project": some(29), "login_frequency_30_days": some(22),
            "onboarding_stage": "done", "signup_source": "website", "trial_ends": later(14), "billing_country": "US",
            "seat_price_cents": 1900, "newsletter": true, "nps_score": 8,
        },
        "tags": list("tags", json!([])), "notes": list("notes", json!([])), "companies": list("companies", companies),
        "opted_out_subscription_types": list("subscriptions", json!([])),
        "opted_in_subscription_types": list("subscriptions", json!([])),
        "utm": null, "sms_consent": false, "unsubscribed_from_sms": false, "enabled_push_messaging": null,
    })
}
