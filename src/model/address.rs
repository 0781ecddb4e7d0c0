//! E-mail addresses that can find a record in Zoho.

/// The longest e-mail that Zoho can store, in characters.
const LONGEST_ADDRESS: usize = 100;

/// An e-mail by which a Zoho record can be found, and that is safe in a query.
///
/// The check is Zoho's own rule for Email fields, with letters of any script: Zoho can neither find nor store an address that
/// fails it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The address as the contact has it, trimmed.
    pub stored: String,
    /// The address in lower case, for comparisons.
    pub key: String,
}

impl Address {
    /// Reads an address; None for a text that is not plainly one.
    pub fn read(text: Option<&str>) -> Option<Address> {
        let stored = text?.trim();
        let (local, domain) = stored.rsplit_once('@')?;
        (stored.chars().count() <= LONGEST_ADDRESS && is_local_part(local) && is_domain(domain))
            .then(|| Address { stored: stored.to_owned(), key: stored.to_lowercase() })
    }

    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        self.stored.rsplit_once('@').map_or(self.stored.as_str(), |(local, _)| local)
    }

    /// The part after the `@`, in lower case.
    pub fn domain(&self) -> &str {
        self.key.rsplit_once('@').map_or(self.key.as_str(), |(_, domain)| domain)
    }
}

fn is_local_part(text: &str) -> bool {
    let begins = text.starts_with(|first: char| first.is_alphanumeric() || "_+-".contains(first));
    begins && text.chars().all(|char| char.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(char))
}

fn is_domain(text: &str) -> bool {
    let word = |char: char| char.is_alphanumeric();
    let label = |label: &str| {
        label.starts_with(word)
            && label.ends_with(word)
            && label.chars().all(|char| word(char) || char == '-' || char == '_')
    };
    text.rsplit_once('.').is_some_and(|(labels, top)| {
        labels.split('.').all(label) && (2..=22).contains(&top.chars().count()) && top.chars().all(char::is_alphabetic)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_addresses_are_usable() {
        let long = format!("{}@acme.example", "a".repeat(88));
        let longest = format!("{}@acme.example", "a".repeat(87));
        let cases = [
            ("an ordinary one", "Jane@Acme.example", Some("jane@acme.example")),
            ("blanks around it", "  jane@acme.example\n", Some("jane@acme.example")),
            ("a quote", "o'brien@acme.example", Some("o'brien@acme.example")),
            ("a plus and dots", "a.b+c@x-y.co.uk", Some("a.b+c@x-y.co.uk")),
            ("the longest", &longest, Some(longest.as_str())),
            ("too long", &long, None),
            ("no at", "acme.example", None),
            ("two ats", "a@b@acme.example", None),
            ("nothing before the at", "@acme.example", None),
            ("no dot behind the at", "jane@localhost", None),
            ("an empty label", "jane@acme..example", None),
            ("a label that ends in a dash", "jane@acme-.example", None),
            ("a number at the end", "jane@10.0.0.1", None),
            ("a backslash", "jane\\@acme.example", None),
            ("a line break inside", "ja\nne@acme.example", None),
            ("a blank inside", "ja ne@acme.example", None),
            ("a parenthesis", "x')or(1@acme.example", None),
            ("a letter outside ASCII", "zoe@exämple.example.com", Some("zoe@exämple.example.com")),
            ("letters of another script", "Жанна@пример.example", Some("жанна@пример.example")),
            ("a quote of another script", "a’b@acme.example", None),
            ("a fullwidth quote", "a＇b@acme.example", None),
            ("a quote first", "'jane@acme.example", None),
            ("empty", "", None),
        ];
        for (name, text, expected) in cases {
            let address = Address::read(Some(text));
            assert_eq!(address.as_ref().map(|address| address.key.as_str()), expected, "{name}");
        }
        assert_eq!(Address::read(None), None);
    }
}
