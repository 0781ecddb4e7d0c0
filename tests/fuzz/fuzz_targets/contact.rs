//! Decodes any bytes as a contact. There is no panic, no id that can change the path of a request, and no date out of range.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use usage_signals::remote::intercom::read_contact;
use usage_signals::rules::CATALOGUE;

fuzz_target!(|bytes: &[u8]| {
    let json = String::from_utf8_lossy(bytes);
    let wanted: BTreeSet<String> = CATALOGUE.iter().map(|known| known.name.to_owned()).collect();
    let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    match read_contact(&json, &wanted) {
        Ok(contact) => {
            assert!(is_id(&contact.id));
            assert!(contact.attributes.iter().all(|(name, _)| wanted.contains(name)));
            assert!(contact.last_seen_at.is_none_or(|at| (1..4_102_444_800).contains(&at.timestamp())));
            assert!(contact.email.is_none_or(|email| !email.is_empty()));
            for (_, value) in contact.attributes.iter() {
                let _ = (value.read_number(), value.read_yes_no(), value.read_list(), value.read_date());
            }
        }
        Err(undecodable) => {
            assert!(undecodable.id.is_none_or(|id| is_id(&id)));
            assert!(undecodable.why.len() < 80 && !undecodable.why.contains('@'));
        }
    }
});
