//! The customers' plans: the number of contacts on each, and a list of the largest.

use std::collections::BTreeMap;

use super::attribute::Attribute;

/// The most plans that are counted separately, far more than any price list has. Contacts on further plans count together.
const COUNTED: usize = 500;
/// The most plans that are listed by name.
const NAMED: usize = 12;
/// The most characters of a plan's name.
const NAME_CHARS: usize = 40;

/// The number of contacts on each plan.
#[derive(Debug, Clone, Default)]
pub(super) struct Plans {
    /// The place of each plan, in the order of arrival, behind [`NO_PLAN`] and [`UNCOUNTED`].
    places: BTreeMap<String, usize>,
    /// The contacts by place.
    contacts: BTreeMap<usize, usize>,
}

const NO_PLAN: usize = 0;
const UNCOUNTED: usize = 1;

/// The name of an entry in the list of plans.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlanName {
    /// Contacts whose plan cannot be read.
    NoPlan,
    /// A plan by its name.
    Named(String),
    /// All plans that are not listed by name.
    Others,
}

/// The contacts of one plan, or of all other plans.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The plan.
    pub name: PlanName,
    /// The number of contacts.
    pub contacts: usize,
    places: Vec<usize>,
}

impl Plan {
    /// Returns how many of the contacts have a readable value of an attribute.
    pub fn readable(&self, attribute: &Attribute) -> usize {
        self.places.iter().filter_map(|place| attribute.by_plan.get(place)).sum()
    }
}

impl Plans {
    /// Counts one contact, and returns the place of its plan.
    pub(super) fn add(&mut self, name: Option<&str>) -> usize {
        let place = name.map_or(NO_PLAN, |name| self.place(name));
        *self.contacts.entry(place).or_default() += 1;
        place
    }

    fn place(&mut self, name: &str) -> usize {
        let name: String = name.chars().take(NAME_CHARS).collect();
        if let Some(place) = self.places.get(&name) {
            return *place;
        }
        if self.places.len() >= COUNTED {
            return UNCOUNTED;
        }
        let place = UNCOUNTED + 1 + self.places.len();
        self.places.insert(name, place);
        place
    }

    /// Returns the listed plans, in the order that [`Coverage::plans`](super::Coverage::plans) documents.
    pub(super) fn listed(&self) -> Vec<Plan> {
        let of = |name, places: Vec<usize>| {
            let contacts = places.iter().filter_map(|place| self.contacts.get(place)).sum();
            Plan { name, contacts, places }
        };
        let named = self.places.iter();
        let mut named: Vec<_> = named.map(|(name, place)| of(PlanName::Named(name.clone()), vec![*place])).collect();
        named.sort_by(|a, b| b.contacts.cmp(&a.contacts).then_with(|| a.name.cmp(&b.name)));
        let rest = named.split_off(NAMED.min(named.len()));
        let mut listed = vec![of(PlanName::NoPlan, vec![NO_PLAN])];
        listed.append(&mut named);
        if !rest.is_empty() {
            let rest = rest.into_iter().flat_map(|plan| plan.places);
            listed.push(of(PlanName::Others, rest.chain([UNCOUNTED]).collect()));
        }
        listed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_plans_that_are_counted_all_count_together() {
        let mut plans = Plans::default();
        for number in 0..2 * COUNTED {
            plans.add(Some(&format!("plan {number}")));
        }
        assert_eq!((plans.places.len(), plans.contacts.len()), (COUNTED, COUNTED + 1));
        let listed = plans.listed();
        let last = listed.last().unwrap();
        assert_eq!((listed.len(), &last.name, last.contacts), (NAMED + 2, &PlanName::Others, 2 * COUNTED - NAMED));
    }
}
