//! The ids of the contacts that came already.

use std::collections::HashSet;

/// The ids that came. An id of 24 hexadecimal digits, which is the only known form, takes twelve bytes.
#[derive(Debug, Default)]
pub(super) struct SeenIds {
    short: HashSet<[u8; 12]>,
    other: HashSet<Box<str>>,
}

impl SeenIds {
    /// Notes an id. Returns whether it came for the first time.
    pub(super) fn is_new(&mut self, id: &str) -> bool {
        match packed(id) {
            Some(id) => self.short.insert(id),
            None => self.other.insert(id.into()),
        }
    }

    /// Whether an id came already.
    pub(super) fn has(&self, id: &str) -> bool {
        packed(id).map_or_else(|| self.other.contains(id), |id| self.short.contains(&id))
    }

    /// The number of different ids.
    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.short.len() + self.other.len()).unwrap_or(u64::MAX)
    }
}

/// Packs lower-case digits only: `0A` and `0a` are two ids, but one number.
fn packed(id: &str) -> Option<[u8; 12]> {
    let plain = id.len() == 24 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let number = u128::from_str_radix(id, 16).ok().filter(|_| plain)?;
    let [_, _, _, _, bytes @ ..] = number.to_be_bytes();
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once_and_ids_that_look_alike_are_different_ones() {
        let mut seen = SeenIds::default();
        let ids = [
            "63a07ddf05a32042dffac965",
            "63A07DDF05A32042DFFAC965",
            "063a07ddf05a32042dffac965",
            "+3a07ddf05a32042dffac9651",
            "000000000000000000000001",
            "1",
            "01",
            "ffffffffffffffffffffffff",
        ];
        assert!(ids.iter().all(|id| seen.is_new(id)));
        assert!(!ids.iter().any(|id| seen.is_new(id)));
        assert!(ids.iter().all(|id| seen.has(id)) && !seen.has("2"));
        assert_eq!(seen.len(), 8);
    }
}
