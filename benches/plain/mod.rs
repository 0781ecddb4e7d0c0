//! The baseline of the benchmarks: eight rules, and a serde struct with only the fields that these rules read.

#![expect(dead_code, reason = "the benchmark measures only the time to read the fields")]

use serde::Deserialize;

/// Returns a configuration in which eight of the built-in rules are on.
pub fn eight_rules() -> String {
    let more = ["team_growth", "multi_department", "heavy_api_use"];
    more.map(|signal| format!("[[rules]]\nsignal = \"{signal}\"\nenabled = true\n")).concat()
}

/// One page of search results.
#[derive(Deserialize)]
pub struct PlainPage {
    data: Vec<PlainContact>,
    total_count: u64,
    pages: PlainPages,
}

#[derive(Deserialize)]
pub struct PlainPages {
    next: Option<PlainNext>,
}

#[derive(Deserialize)]
pub struct PlainNext {
    starting_after: String,
}

#[derive(Deserialize)]
pub struct PlainContact {
    id: String,
    email: Option<String>,
    name: Option<String>,
    last_seen_at: Option<i64>,
    created_at: Option<i64>,
    custom_attributes: PlainAttributes,
    tags: PlainList,
    companies: PlainList,
}

#[derive(Deserialize)]
pub struct PlainAttributes {
    user_type: Option<String>,
    plan_type: Option<String>,
    teammates_count: Option<String>,
    projects_count: Option<f64>,
    storage_percent: Option<f64>,
    storage_used_mb: Option<f64>,
    storage_limit_mb: Option<f64>,
    days_since_last_login: Option<f64>,
    enterprise_features_tried: Option<String>,
    departments_using: Option<String>,
    teammates_invited_last_30_days: Option<f64>,
    api_usage_last_30_days: Option<f64>,
}

#[derive(Deserialize)]
pub struct PlainList {
    data: Vec<PlainItem>,
    total_count: u64,
    has_more: bool,
}

#[derive(Deserialize)]
pub struct PlainItem {
    id: String,
}
