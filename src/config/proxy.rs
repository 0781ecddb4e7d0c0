//! Checks the address of the proxy in the environment. The HTTP library ignores an address that it cannot read, and the run
//! would then go past the proxy.

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use super::problem::Problem;

/// In each pair, the first one that is set counts, and of the pairs the first one that is not empty. All services have https
/// addresses, so HTTP_PROXY does not matter.
const VARIABLES: [[&str; 2]; 2] = [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]];
const HELP: &str = "write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, with each special character of the password as %XX; or \
    unset the variable";

/// Returns a problem if the address of the proxy cannot be read. It never shows the address, which may hold a password.
pub(super) fn problem(env: &dyn Fn(&str) -> Option<String>) -> Option<Problem> {
    let mut set = VARIABLES.into_iter().filter_map(|pair| pair.into_iter().find_map(|name| Some((name, env(name)?))));
    let (name, value) = set.find(|(_, value)| !value.is_empty())?;
    let message = format!("the value of {name} cannot be used as the address of a proxy: {}", fault(&value)?);
    Some(Problem::in_environment(name, message, HELP))
}

fn fault(value: &str) -> Option<&'static str> {
    let matcher = Matcher::builder().all(value.to_owned()).build();
    let is_read = matcher.intercept(&Uri::from_static("https://service.example")).is_some();
    let address = value.parse::<Uri>().ok().filter(|_| is_read);
    let Some(address) = address else { return Some("it is no address") };
    if address.scheme_str().is_some_and(|scheme| !matches!(scheme, "http" | "https")) {
        return Some("it must begin with http:// or https://");
    }
    // The library reads a host or a port that cannot exist.
    let with_scheme = if address.scheme().is_some() { value.to_owned() } else { format!("http://{value}") };
    if Url::parse(&with_scheme).is_err() {
        return Some("there is no such host or port");
    }
    // An unescaped character has ended the user or the password too early.
    let authority = address.authority()?.as_str();
    let is_cut_short = value.rsplit_once(authority).is_some_and(|(_, rest)| rest.contains('@'));
    (is_cut_short || authority.matches('@').count() > 1).then_some("its user or password has a special character")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_the_library_would_ignore_is_refused_without_showing_it() {
        let cases = [
            ("http://proxy.example:3128", true),
            ("http://proxy.example:3128/", true),
            ("https://user:secret@proxy.example", true),
            ("user:sec%2Fret@proxy.example:3128", true),
            ("proxy.example:3128", true),
            ("10.0.0.1:3128", true),
            ("http://[::1]:3128", true),
            ("", true),
            ("http://user:secret@proxy.example:99999", false),
            ("http://user:sec ret@proxy.example:3128", false),
            ("http://user:sec/ret@proxy.example:3128", false),
            ("http://user:1/secret@proxy.example:3128", false),
            ("http://user:1#secret@proxy.example:3128", false),
            ("http://user:secret@", false),
            ("socks5://user:secret@proxy.example:1080", false),
            ("\"http://user:secret@proxy.example:3128\"", false),
            ("'http://user:secret@proxy.example:3128'", false),
            ("http://user:secret@proxy.example:3128\n", false),
            ("http:///secret", false),
            ("http://user:2@secret@proxy.example:3128", false),
        ];
        for (value, is_fine) in cases {
            for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
                let problem = problem(&|name| (name == variable).then(|| value.to_owned()));
                assert_eq!(problem.is_none(), is_fine, "{variable}={value}: {problem:?}");
                let said = format!("{problem:?}");
                assert!(is_fine || (said.contains(variable) && !said.contains("sec")), "{said}");
            }
        }
    }

    #[test]
    fn the_variable_that_the_library_reads_is_the_one_that_is_checked() {
        let with = |variables: &[(&str, &str)]| {
            let env = |name: &str| Some(variables.iter().find(|(variable, _)| *variable == name)?.1.to_owned());
            problem(&env).map(|problem| problem.message.split(' ').nth(3).unwrap().to_owned())
        };
        assert_eq!(with(&[("HTTPS_PROXY", "http://a"), ("https_proxy", "://")]), None);
        assert_eq!(with(&[("HTTPS_PROXY", "http://a"), ("ALL_PROXY", "socks5://a")]), None);
        assert_eq!(with(&[("HTTPS_PROXY", ""), ("all_proxy", "socks5://a")]).as_deref(), Some("all_proxy"));
        assert_eq!(with(&[("HTTPS_PROXY", "://"), ("ALL_PROXY", "://")]).as_deref(), Some("HTTPS_PROXY"));
        assert_eq!(with(&[("HTTP_PROXY", "://")]), None);
    }
}
