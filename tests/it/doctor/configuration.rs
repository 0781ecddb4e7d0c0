//! Wrong configurations.

use super::*;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(("configuration.file", "fail", 2), "error: [scan] has no key `max_new_taks`", "", |services, _| {
            config(services, "[scan]\nmax_new_taks = 5\n")
        }),
        case(("configuration.rules", "warn", 0), "none is on (12 are off)", "enabled = true", |services, _| {
            let rules = [
                "team_size_limit",
                "storage_limit",
                "power_user",
                "enterprise_feature_interest",
                "churn_risk_inactivity",
            ];
            let off = rules.map(|signal| format!("[[rules]]\nsignal = \"{signal}\"\nenabled = false\n"));
            config(services, &off.concat());
        }),
        case(
            ("configuration.credentials", "fail", 2),
            "INTERCOM_ACCESS_TOKEN and INTERCOM_ACCESS_TOKEN_FILE are both set",
            "",
            |_, command| {
                command.env("INTERCOM_ACCESS_TOKEN_FILE", "/dev/null");
            },
        ),
        case(
            ("configuration.credentials", "fail", 2),
            "cannot read the file that SLACK_BOT_TOKEN_FILE names: No such file",
            "",
            |_, command| {
                command.env_remove("SLACK_BOT_TOKEN").env("SLACK_BOT_TOKEN_FILE", "nowhere");
            },
        ),
    ]
}
