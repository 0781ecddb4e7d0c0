//! The plans that contacts are on: counts of each, of which the largest are listed.

use std::collections::BTreeMap;

use super::attribute::Attribute;

/// So many plans are counted each for itself, far more than a price list has; contacts on any after those count together.
const COUNTED: usize = 500;
/// How many plans are listed by name, the largest first.
const NAMED: usize = 12;
/// What a plan's name is cut to.
const NAME_CHARS: usize = 40;

/// How many contacts are on which plan. A plan's place is that of its first contact, and says nothing to anybody else.
#[derive(Debug, Clone)]
pub(super) struct Plans {
    places: BTreeMap<String, usize>,
    /// By place; [`NO_PLAN`] and [`UNCOUNTED`] are always there.
    contacts: Vec<usize>,
}

const NO_PLAN: usize = 0;
const UNCOUNTED: usize = 1;

/// Whose contacts these are. Ties are listed in this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlanName {
    /// Contacts whose plan cannot be read.
    NoPlan,
    /// A plan.
    Named(String),
    /// All plans that are not listed by name.
    Others,
}

/// The contacts of one plan, or of all others.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which.
    pub name: PlanName,
    /// How many they are.
    pub contacts: usize,
    places: Vec<usize>,
}

impl Plan {
    /// How many of them have a value of this attribute that can be read.
    pub fn readable(&self, attribute: &Attribute) -> usize {
        self.places.iter().filter_map(|place| attribute.by_plan.get(*place)).sum()
    }
}

impl Plans {
    pub(super) fn new() -> Self {
        Plans { places: BTreeMap::new(), contacts: vec![0; 2] }
    }

    /// Counts one more contact, and gives the place of its plan.
    pub(super) fn add(&mut self, name: Option<&str>) -> usize {
        let place = name.map_or(NO_PLAN, |name| self.place(name));
        if let Some(contacts) = self.contacts.get_mut(place) {
            *contacts += 1;
        }
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
        let place = self.contacts.len();
        self.contacts.push(0);
        self.places.insert(name, place);
        place
    }

    /// Returns the listed plans, in the order that [`Coverage::plans`](super::Coverage::plans) documents.
    pub(super) fn listed(&self) -> Vec<Plan> {
        let of = |name, places: Vec<usize>| {
            let contacts = places.iter().filter_map(|place| self.contacts.get(*place)).sum();
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
        let mut plans = Plans::new();
        for number in 0..2 * COUNTED {
            plans.add(Some(&format!("plan {number}")));
        }
        assert_eq!((plans.places.len(), plans.contacts.len()), (COUNTED, COUNTED + 2));
        let listed = plans.listed();
        let last = listed.last().unwrap();
        assert_eq!((listed.len(), &last.name, last.contacts), (NAMED + 2, &PlanName::Others, 2 * COUNTED - NAMED));
    }
}
