//! Zoho's data centres, and the hosts that a token may be sent to.

use url::Url;

/// The accounts host and the ending of the API hosts of each data centre.
const CENTRES: [(&str, &str); 10] = [
    ("accounts.zoho.com", "com"),
    ("accounts.zoho.eu", "eu"),
    ("accounts.zoho.in", "in"),
    ("accounts.zoho.com.au", "com.au"),
    ("accounts.zoho.jp", "jp"),
    ("accounts.zoho.com.cn", "com.cn"),
    ("accounts.zohocloud.ca", "ca"),
    ("accounts.zoho.sa", "sa"),
    ("accounts.zoho.uk", "uk"),
    ("accounts.zoho.ae", "ae"),
];

/// The API's base address for a data centre.
///
/// `named` is the `api_domain` of a token answer. The token is sent there, so it must be one of Zoho's own hosts, and only its
/// host counts. If the answer names none, the accounts host tells the data centre.
pub(super) fn api_base(named: Option<&str>, accounts: &Url) -> Option<Url> {
    let host = match named {
        Some(named) => known_host(&named.parse().ok()?)?,
        None => {
            let (_, end) = CENTRES.iter().find(|(host, _)| accounts.host_str() == Some(host))?;
            format!("www.zohoapis.{end}")
        }
    };
    format!("https://{host}/").parse().ok()
}

/// Whether accounts and API are known to belong to different data centres. A token of one is worthless at the other.
pub(super) fn differ(accounts: &Url, api: &Url) -> bool {
    let centre = CENTRES.iter().find(|(host, _)| accounts.host_str() == Some(host)).map(|(_, end)| *end);
    let of_api = known_host(api).and_then(|host| Some(host.split_once("zohoapis.")?.1.to_owned()));
    matches!((centre, of_api), (Some(centre), Some(of_api)) if centre != of_api)
}

fn known_host(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    let bare = url.username().is_empty() && url.password().is_none() && url.port().is_none();
    let rest = ["www.", "sandbox.", "developer."].iter().find_map(|prefix| host.strip_prefix(prefix)).unwrap_or(host);
    let end = rest.strip_prefix("zohoapis.")?;
    let known = CENTRES.iter().any(|(_, known)| *known == end);
    (url.scheme() == "https" && bare && known).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_go_to_hosts_of_zoho_only() {
        let accounts: Url = "https://accounts.zoho.eu".parse().unwrap();
        let cases = [
            (Some("https://www.zohoapis.eu"), Some("https://www.zohoapis.eu/")),
            (Some("https://zohoapis.com.au/"), Some("https://zohoapis.com.au/")),
            (Some("https://sandbox.zohoapis.com"), Some("https://sandbox.zohoapis.com/")),
            (Some("https://developer.zohoapis.in"), Some("https://developer.zohoapis.in/")),
            (Some("https://WWW.zohoapis.eu/some/path?x"), Some("https://www.zohoapis.eu/")),
            (Some("https://www.zohoapis.ae"), Some("https://www.zohoapis.ae/")),
            (Some("http://www.zohoapis.eu"), None),
            (Some("https://www.zohoapis.eu.evil.example"), None),
            (Some("https://evilzohoapis.eu"), None),
            (Some("https://evil.zohoapis.eu"), None),
            (Some("https://www.zohoapis.evil"), None),
            (Some("https://www.zohoapis.eu:8443"), None),
            (Some("https://www.zohoapis.eu@evil.example"), None),
            (Some("https://user@www.zohoapis.eu"), None),
            (Some("www.zohoapis.eu"), None),
            (Some(""), None),
            (None, Some("https://www.zohoapis.eu/")),
        ];
        for (named, expected) in cases {
            let base = api_base(named, &accounts);
            assert_eq!(base.as_ref().map(Url::as_str), expected, "{named:?}");
        }
        let elsewhere: Url = "http://127.0.0.1:9".parse().unwrap();
        assert_eq!(api_base(None, &elsewhere), None);
    }

    #[test]
    fn accounts_and_api_belong_to_one_data_centre() {
        let cases = [
            ("https://accounts.zoho.eu", "https://www.zohoapis.eu", false),
            ("https://accounts.zoho.eu", "https://sandbox.zohoapis.eu", false),
            ("https://accounts.zoho.eu", "https://www.zohoapis.com", true),
            ("https://accounts.zoho.com.au", "https://www.zohoapis.com", true),
            ("http://127.0.0.1:9", "https://www.zohoapis.com", false),
            ("https://accounts.zoho.eu", "https://proxy.example", false),
        ];
        for (accounts, api, expected) in cases {
            assert_eq!(differ(&accounts.parse().unwrap(), &api.parse().unwrap()), expected, "{accounts} {api}");
        }
    }
}
