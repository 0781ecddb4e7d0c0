//! Zoho's name and limits, and the advice for its errors.

use crate::remote::http::Help;

pub(super) const SERVICE: &str = "Zoho";

/// The module of people whom sales know.
pub(super) const CONTACTS: &str = "Contacts";
/// The module of people whom sales do not know yet.
pub(super) const LEADS: &str = "Leads";

/// The most records that one call writes.
pub(super) const BATCH: usize = 100;
/// The most ids that one call reads: a list of ids has at most 1,024 characters.
pub(super) const IDS: usize = 50;

pub(super) const CHECK_CREDENTIALS: &str = "check the data centre and the credentials: a refresh token works only at the accounts host \
     that issued it (ZOHO_ACCOUNTS_URL, ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET, ZOHO_REFRESH_TOKEN)";
pub(super) const ACCOUNTS_HELP: Help = Help {
    credential: CHECK_CREDENTIALS,
    unreachable: "check zoho.data_center (or ZOHO_ACCOUNTS_URL) and the network; https://status.zoho.com shows outages",
};
pub(super) const API_HELP: Help = Help {
    credential: "check zoho.data_center (or ZOHO_API_URL), and that the Zoho user behind the refresh token is active and has \
         its scopes and rights",
    unreachable: "check zoho.data_center (or ZOHO_API_URL) and the network; https://status.zoho.com shows outages",
};
/// Zoho reports both limits with the same status and code.
pub(super) const USED_UP: &str = "Zoho's API credits (counted over the last 24 hours) or its concurrent calls are used up, by this \
     program or others; the next run goes on from here";
