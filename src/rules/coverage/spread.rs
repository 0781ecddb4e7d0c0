//! What values there are, in memory that does not grow with the contacts.

use std::collections::BTreeMap;

use chrono::DateTime;

use crate::model::Date;

/// The most different numbers of an attribute that are counted apart.
const NUMBERS: usize = 1000;
/// So many different texts of an attribute are counted.
const WORDS: usize = 500;
/// So much of a text is kept.
const CHARS: usize = 60;

/// Smallest, middle and largest of many numbers.
///
/// Smallest and largest are exact, and so is the middle while there are at most `NUMBERS` different ones. Beyond that,
/// neighbours are counted as one, in steps that double until they fit; the result depends on the numbers alone, not on their
/// order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Numbers {
    /// How often, by the number as an integer of the same order, without its last `dropped` bits.
    counts: BTreeMap<u64, usize>,
    dropped: u32,
    range: Option<(f64, f64)>,
}

/// The date of a number among [`Spread::Dates`](super::Spread::Dates).
pub fn date_of(unix_seconds: f64) -> Option<Date> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "dates are read from 1990 to 2200 only, or as chrono holds them"
    )]
    DateTime::from_timestamp(unix_seconds as i64, 0)
}

/// The number in the middle; of two, the smaller.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Median {
    /// The number.
    pub value: f64,
    /// False where neighbours had to be counted as one.
    pub exact: bool,
}

impl Numbers {
    /// Counts one more; not NaN.
    pub(super) fn add(&mut self, number: f64) {
        // Zero has two signs, and is one number.
        let number = number + 0.0;
        let (least, most) = self.range.unwrap_or((number, number));
        self.range = Some((least.min(number), most.max(number)));
        *self.counts.entry(cut(ordered(number), self.dropped)).or_default() += 1;
        while self.counts.len() > NUMBERS && self.dropped < 63 {
            self.dropped += 1;
            let mut coarser = BTreeMap::new();
            for (key, count) in std::mem::take(&mut self.counts) {
                *coarser.entry(cut(key, self.dropped)).or_default() += count;
            }
            self.counts = coarser;
        }
    }

    /// The smallest and the largest; None of none.
    pub fn range(&self) -> Option<(f64, f64)> {
        self.range
    }

    /// The middle; None of none.
    pub fn median(&self) -> Option<Median> {
        let (least, most) = self.range?;
        let middle = self.counts.values().sum::<usize>().div_ceil(2);
        let mut passed = 0;
        for (key, count) in &self.counts {
            passed += count;
            if passed >= middle {
                let half_a_step = if self.dropped == 0 { 0 } else { 1 << (self.dropped - 1) };
                let value = unordered(key | half_a_step).clamp(least, most);
                return Some(Median { value, exact: self.dropped == 0 });
            }
        }
        None
    }
}

/// The bits of a number, changed so that integers have the order of the numbers.
fn ordered(number: f64) -> u64 {
    const SIGN: u64 = 1 << 63;
    let bits = number.to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn unordered(key: u64) -> f64 {
    const SIGN: u64 = 1 << 63;
    f64::from_bits(if key & SIGN == 0 { !key } else { key & !SIGN })
}

fn cut(key: u64, bits: u32) -> u64 {
    (key >> bits) << bits
}

/// The most frequent of many texts (Misra and Gries).
///
/// Exact while there are at most `WORDS` different ones. Beyond that, a text that more than one in `WORDS` contacts have
/// is still found, and its count is too low by at most [`Words::lost`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    counts: BTreeMap<String, usize>,
    lost: usize,
}

impl Words {
    /// Counts one more. Of a long text, the beginning counts.
    pub(super) fn add(&mut self, text: &str) {
        let kept: String = text.chars().take(CHARS).collect();
        if let Some(count) = self.counts.get_mut(&kept) {
            *count += 1;
        } else if self.counts.len() < WORDS {
            self.counts.insert(kept, 1);
        } else {
            self.lost += 1;
            self.counts.retain(|_, count| {
                *count -= 1;
                *count > 0
            });
        }
    }

    /// The texts that several contacts have, the most frequent first: what only one has, or what looks like an address, tells
    /// more of a person than of the data.
    pub fn shared(&self) -> Vec<(&str, usize)> {
        let shared = self.counts.iter().filter(|(text, count)| **count > 1 && !text.contains('@'));
        let mut shared: Vec<_> = shared.map(|(text, count)| (text.as_str(), *count)).collect();
        shared.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        shared
    }

    /// How many different texts there are; None where there are more than could be counted.
    pub fn different(&self) -> Option<usize> {
        (self.lost == 0).then_some(self.counts.len())
    }

    /// By so much, at most, counts are too low.
    pub fn lost(&self) -> usize {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(all: &[f64]) -> Numbers {
        let mut numbers = Numbers::default();
        all.iter().for_each(|number| numbers.add(*number));
        numbers
    }

    #[test]
    fn the_middle_of_few_different_numbers_is_exact() {
        let exact = |value| Some(Median { value, exact: true });
        for (all, range, median) in [
            (vec![], None, None),
            (vec![7.0], Some((7.0, 7.0)), exact(7.0)),
            (vec![9.0, -1.0, 8.0], Some((-1.0, 9.0)), exact(8.0)),
            (vec![1.0, 2.0, 3.0, 4.0], Some((1.0, 4.0)), exact(2.0)),
            (vec![0.0, -0.0, 5.0, -5.0], Some((-5.0, 5.0)), exact(0.0)),
            (vec![f64::MAX, f64::MIN, 0.5], Some((f64::MIN, f64::MAX)), exact(0.5)),
        ] {
            let numbers = numbers(&all);
            assert_eq!((numbers.range(), numbers.median()), (range, median), "{all:?}");
        }
    }

    #[test]
    fn a_hundred_thousand_different_numbers_take_no_more_room_than_a_thousand() {
        let mut numbers = Numbers::default();
        (0..100_000_u32).for_each(|number| numbers.add(f64::from(number)));
        assert!(numbers.counts.len() <= NUMBERS);
        assert_eq!(numbers.range(), Some((0.0, 99_999.0)));
        let median = numbers.median().unwrap();
        assert!(!median.exact && (median.value - 50_000.0).abs() < 500.0, "{median:?}");
    }

    #[test]
    fn a_frequent_text_is_found_among_many_rare_ones() {
        let mut words = Words::default();
        for number in 0..20_000 {
            words.add(&format!("only {number}"));
            if number % 10 == 0 {
                words.add("team");
            }
        }
        let (text, count) = words.shared()[0];
        assert!(text == "team" && count + words.lost() >= 2000 && count <= 2000, "{text} {count} {}", words.lost());
        assert!(words.counts.len() <= WORDS);
        assert_eq!(words.different(), None);
    }

    #[test]
    fn what_only_one_contact_has_is_not_told_and_ties_are_in_order() {
        let mut words = Words::default();
        for text in ["free", "team", "pro", "pro", "free", "team", "team", "secret", "a@example.com", "a@example.com"] {
            words.add(text);
        }
        assert_eq!(words.shared(), [("team", 3), ("free", 2), ("pro", 2)]);
        assert_eq!(words.different(), Some(5));
    }

    #[test]
    fn of_a_text_of_megabytes_the_beginning_is_kept() {
        let mut words = Words::default();
        for _ in 0..2 {
            words.add(&"é".repeat(1_000_000));
        }
        assert_eq!(words.shared()[0].0.chars().count(), CHARS);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_order_of_the_numbers_does_not_matter(mut all in prop::collection::vec(any::<f64>().prop_filter("a number", |it| !it.is_nan()), 1..1500)) {
            let one = numbers(&all);
            all.reverse();
            prop_assert_eq!(&one, &numbers(&all));
            let (least, most) = one.range().unwrap();
            let median = one.median().unwrap().value;
            prop_assert!(least <= median && median <= most);
        }
    }
}
