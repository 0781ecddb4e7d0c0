//! The environment of the process: time zone, proxy, certificates.

use crate::support::program::{finish, program};
use crate::support::services::{Services, full_accounts};

#[test]
fn every_report_warns_of_a_time_zone_that_nobody_knows() {
    let services = Services::new(&full_accounts(1));
    let message = "TZ is \"Europe/Berln\", which no time zone is called, so due dates are counted in UTC";
    for arguments in [&["--dry-run"][..], &[], &[]] {
        let ran = finish(services.command(arguments).env("TZ", "Europe/Berln")).expect(0);
        let report = ran.json();
        let mut warnings = report["warnings"].as_array().unwrap().iter();
        let warning = warnings.find(|warning| warning["message"] == message).unwrap_or_else(|| panic!("{ran:#?}"));
        assert!(warning["help"].as_str().unwrap().contains("timezone in [scan]"), "{warning}");
    }
    let ran = finish(services.program().arg("scan").env("TZ", "Europe/Berln")).expect(0);
    assert!(ran.out.contains(message), "{ran:#?}");
    let explained = finish(services.program().args(["explain", "person0@example.com"]).env("TZ", "Europe/Berln"));
    assert!(explained.out.replace("\n  ", " ").contains("which no time zone is called"), "{explained:#?}");
    for known in ["Europe/Berlin", "UTC", "CET-1CEST,M3.5.0,M10.5.0/3", ""] {
        let ran = finish(services.command(&[]).env("TZ", known)).expect(0);
        assert!(!ran.out.contains("due dates are counted in UTC"), "{known}: {ran:#?}");
    }
    std::fs::write(services.home.path().join("usage-signals.toml"), "[scan]\ntimezone = \"UTC\"").unwrap();
    let ran = finish(services.command(&[]).env("TZ", "Europe/Berln")).expect(0);
    assert!(!ran.out.contains("due dates are counted in UTC"), "the configuration counts: {ran:#?}");
}

#[test]
fn a_proxy_that_cannot_be_read_is_refused_before_anything_is_sent_and_not_shown() {
    let services = Services::new(&full_accounts(1));
    for (variable, value) in [
        ("HTTPS_PROXY", "http://robin:hidden@proxy.example.com:port"),
        ("https_proxy", "socks5://robin:hidden@proxy.example.com"),
        ("ALL_PROXY", "http://robin:hid den@proxy.example.com"),
    ] {
        for command in ["scan", "doctor"] {
            let ran = finish(services.program().arg(command).env(variable, value)).expect(2);
            let said = format!("{}{}", ran.out, ran.err);
            assert!(said.contains(variable) && said.contains("http://HOST:PORT"), "{said}");
            assert!(!said.contains("robin") && !said.contains("hid"), "{said}");
        }
    }
    assert_eq!(services.sandbox.requests().len(), 0, "nothing was sent");
    let in_sandbox = ["scan", "--sandbox", "--dry-run"];
    finish(program(services.home.path()).args(in_sandbox).env("HTTPS_PROXY", "socks5://127.0.0.1")).expect(0);
    finish(services.command(&[]).env("HTTPS_PROXY", "http://robin:hidden@proxy.example.com:3128")).expect(0);
}

#[test]
fn certificates_that_cannot_be_read_are_named_with_their_variable() {
    let services = Services::new(&full_accounts(1));
    let mut scan = services.command(&[]);
    scan.env("INTERCOM_BASE_URL", "https://127.0.0.1:9").env("SSL_CERT_FILE", "/nowhere/bundle.pem");
    let ran = finish(&mut scan);
    assert!(ran.err.contains("SSL_CERT_FILE") && ran.err.contains("HTTPS_PROXY"), "{ran:#?}");
}
