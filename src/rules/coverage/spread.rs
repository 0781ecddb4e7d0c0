//! Distributions of values, in memory that does not grow with the contacts.

use std::collections::BTreeMap;

use chrono::DateTime;

use crate::model::Date;

/// The most distinct numbers of an attribute that are counted separately.
const NUMBERS: usize = 1000;
/// The most distinct texts of an attribute that are counted.
const WORDS: usize = 500;
/// The bit of a number's sign.
const SIGN: u64 = 1 << 63;
/// The most characters of a text that are kept.
const CHARS: usize = 60;

/// The minimum, the median and the maximum of many numbers.
///
/// The minimum and the maximum are exact. The median is exact for at most `NUMBERS` distinct numbers. Beyond that, neighbours
/// share a bucket, and the width of the buckets doubles until they fit. The result does not depend on the order of the numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Numbers {
    /// The count of each bucket. The key is the number as an order-preserving integer, with its last `dropped` bits cleared.
    counts: BTreeMap<u64, usize>,
    dropped: u32,
    range: Option<(f64, f64)>,
}

/// Returns the date of a number of [`Spread::Dates`](super::Spread::Dates).
pub fn date_of(unix_seconds: f64) -> Option<Date> {
    #[expect(clippy::cast_possible_truncation, reason = "dates are within the range of chrono")]
    DateTime::from_timestamp(unix_seconds as i64, 0)
}

/// The median; of two middle numbers, the smaller.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Median {
    pub value: f64,
    /// False if neighbours share buckets.
    pub exact: bool,
}

impl Numbers {
    /// Counts a number. It must not be NaN.
    pub(super) fn add(&mut self, number: f64) {
        // Turns -0.0 into 0.0.
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

    /// Returns the minimum and the maximum. `None` without numbers.
    pub fn range(&self) -> Option<(f64, f64)> {
        self.range
    }

    /// Returns the median. `None` without numbers.
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

/// Returns an integer with the order of the number.
fn ordered(number: f64) -> u64 {
    let bits = number.to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn unordered(key: u64) -> f64 {
    f64::from_bits(if key & SIGN == 0 { !key } else { key & !SIGN })
}

fn cut(key: u64, bits: u32) -> u64 {
    (key >> bits) << bits
}

/// The most frequent of many texts, by the algorithm of Misra and Gries.
///
/// The counts are exact for at most `WORDS` distinct texts. Beyond that, every text of more than one in `WORDS` contacts is
/// still found. Its count is too low by at most [`Words::lost`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    counts: BTreeMap<String, usize>,
    lost: usize,
}

impl Words {
    /// Counts a text by its beginning.
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

    /// Returns the texts of several contacts, the most frequent first. A text of a single contact, or one with an `@`, is left
    /// out, because it may be personal.
    pub fn shared(&self) -> Vec<(&str, usize)> {
        let shared = self.counts.iter().filter(|(text, count)| **count > 1 && !text.contains('@'));
        let mut shared: Vec<_> = shared.map(|(text, count)| (text.as_str(), *count)).collect();
        shared.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        shared
    }

    /// Returns the number of distinct texts. `None` if there are too many to count.
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
    fn the_median_of_few_distinct_numbers_is_exact() {
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
    fn a_hundred_thousand_distinct_numbers_take_no_more_memory_than_a_thousand() {
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
    fn a_text_of_a_single_contact_is_not_listed_and_ties_are_in_order() {
        let mut words = Words::default();
        for text in ["free", "team", "pro", "pro", "free", "team", "team", "secret", "a@example.com", "a@example.com"] {
            words.add(text);
        }
        assert_eq!(words.shared(), [("team", 3), ("free", 2), ("pro", 2)]);
        assert_eq!(words.different(), Some(5));
    }

    #[test]
    fn only_the_beginning_of_a_long_text_is_kept() {
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
