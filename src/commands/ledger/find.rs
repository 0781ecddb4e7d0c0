//! Finds actions and contacts by the words that people type.

use std::collections::BTreeSet;

use super::place::Place;
use crate::exit::Fatal;
use crate::ledger::History;
use crate::model::{Entry, Occasion};

/// Finds an action by its key as people write it.
pub fn find<'h>(place: &Place, history: &'h History, key: &str) -> Result<(&'h Occasion, &'h Entry), Fatal> {
    let short = as_stored(key);
    history.entries().find(|(_, entry)| entry.short == short).ok_or_else(|| {
        let near = nearest(history, &short);
        let list = place.command("ledger list");
        let help = match near.len() {
            0 => format!("{list} shows all of them"),
            _ => format!("did you mean {}? {list} shows all of them", near.join(" or ")),
        };
        Fatal::usage(anyhow::anyhow!("the ledger has no action {short}")).with_help(help)
    })
}

/// The stored form of a key that a person wrote: in any case, with or without `US-`, with O for 0 and I or L for 1. The alphabet
/// of keys has none of these letters.
fn as_stored(key: &str) -> String {
    let key = key.trim().to_uppercase();
    let letters = key.strip_prefix("US-").unwrap_or(&key).chars().map(|letter| match letter {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    });
    format!("US-{}", letters.collect::<String>())
}

/// Up to three keys that differ in at most two letters.
fn nearest(history: &History, short: &str) -> Vec<String> {
    let distance = |entry: &Entry| strsim::damerau_levenshtein(&entry.short, short);
    let mut near: Vec<_> = history.entries().map(|(_, entry)| (distance(entry), entry.short.clone())).collect();
    near.retain(|(distance, _)| *distance <= 2);
    near.sort();
    near.into_iter().take(3).map(|(_, short)| short).collect()
}

/// The contacts of a person.
///
/// # Errors
/// A person without a contact in the ledger is refused.
pub fn known_contacts(history: &History, who: &str) -> Result<BTreeSet<String>, Fatal> {
    let contacts = history.contacts_of(who);
    if contacts.is_empty() {
        let help = "an e-mail finds only contacts with a signal about the person; contacts of an account's signal are found by \
            their id in Intercom";
        return Err(Fatal::usage(anyhow::anyhow!("the ledger has no contact {who:?}")).with_help(help));
    }
    Ok(contacts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_as_people_write_it() {
        for written in ["US-7K3F9Q2M", "us-7k3f9q2m", "7k3f9q2m", " 7K3F9Q2M ", "US-7K3F9Q2m"] {
            assert_eq!(as_stored(written), "US-7K3F9Q2M", "{written}");
        }
        assert_eq!(as_stored("us-oil0"), "US-0110", "letters that the alphabet leaves out");
    }
}
