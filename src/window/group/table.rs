//! Where the codes of keys are found: open addressing over places of half a cache line, so that a look costs one miss.

use crate::window::vacancy::VACANT;

/// A place: enough of the key to know most strangers without looking it up, and its code.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct Place {
    pub(super) packed: u128,
    pub(super) code: u32,
}

const VACANCY: Place = Place { packed: 0, code: VACANT };

/// Codes by the hashes of their keys.
///
/// Invariant: between the place a hash begins at and the place of its key, none is vacant.
#[derive(Debug, Default)]
pub(super) struct CodeTable {
    /// None, or a power of two.
    places: Vec<Place>,
    count: usize,
}

impl CodeTable {
    /// Answers the code of a key that is wholly in its packed form; `VACANT` where there is none.
    #[inline]
    pub(super) fn find_packed(&self, hash: u64, packed: u128) -> u32 {
        // Most keys stand where their hash begins; a vacancy that looks like one has no code either.
        match self.places.get(home(hash, self.places.len().wrapping_sub(1))) {
            Some(place) if place.packed == packed => place.code,
            Some(_) => self.find(hash, |place| place.packed == packed),
            None => VACANT,
        }
    }

    /// Answers the code whose place `is_it`; `VACANT` where there is none.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(&Place) -> bool) -> u32 {
        if self.places.is_empty() {
            return VACANT;
        }
        let mask = self.places.len() - 1;
        let mut index = home(hash, mask);
        loop {
            let place = &self.places[index & mask];
            if place.code == VACANT || is_it(place) {
                return place.code;
            }
            index += 1;
        }
    }

    /// Adds a key that is not there; `hash_of` answers the hash of a key that is.
    pub(super) fn insert(&mut self, hash: u64, place: Place, hash_of: impl Fn(&Place) -> u64) {
        // Few keys stand wide apart, so that nearly all are found at once; many stand closer, for the cache's sake.
        let crowd = match self.places.len() {
            few @ 0..4_096 => few / 32,
            some @ 4_096..65_536 => some / 8,
            many => many / 8 * 5,
        };
        if crowd <= self.count {
            self.spread(&hash_of);
        }
        self.settle(hash, place);
        self.count += 1;
    }

    /// Takes a code out; `hash` is its key's, and `hash_of` answers the hashes of others.
    pub(super) fn remove(&mut self, hash: u64, code: u32, hash_of: impl Fn(&Place) -> u64) {
        if self.places.is_empty() {
            return;
        }
        let mask = self.places.len() - 1;
        let mut hole = home(hash, mask);
        while self.places[hole].code != code {
            if self.places[hole].code == VACANT {
                return;
            }
            hole = (hole + 1) & mask;
        }
        // Those behind move up, unless that would put them before the place that their hash begins at.
        let mut next = (hole + 1) & mask;
        while self.places[next].code != VACANT {
            let from_home = next.wrapping_sub(home(hash_of(&self.places[next]), mask)) & mask;
            if next.wrapping_sub(hole) & mask <= from_home {
                self.places[hole] = self.places[next];
                hole = next;
            }
            next = (next + 1) & mask;
        }
        self.places[hole] = VACANCY;
        self.count -= 1;
    }

    /// The heap bytes.
    pub(super) fn bytes(&self) -> usize {
        self.places.capacity() * size_of::<Place>()
    }

    #[cold]
    fn spread(&mut self, hash_of: &impl Fn(&Place) -> u64) {
        let room = (self.places.len() * 2).max(1_024);
        let crowded = std::mem::replace(&mut self.places, vec![VACANCY; room]);
        for place in crowded.into_iter().filter(|place| place.code != VACANT) {
            self.settle(hash_of(&place), place);
        }
    }

    fn settle(&mut self, hash: u64, place: Place) {
        let mask = self.places.len() - 1;
        let mut index = home(hash, mask);
        while self.places[index].code != VACANT {
            index = (index + 1) & mask;
        }
        self.places[index] = place;
    }
}

/// The place that a hash begins at: its upper bits, which products mix best.
#[inline]
fn home(hash: u64, mask: usize) -> usize {
    (hash >> 32) as usize & mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// A poor hash, so that keys crowd.
    fn hash(packed: u128) -> u64 {
        u64::try_from(packed % 7).unwrap() << 32
    }

    proptest! {
        #[test]
        fn table_holds_what_was_put_and_not_taken(steps in proptest::collection::vec((0_u128..40, any::<bool>()), 0..200)) {
            let (mut table, mut model) = (CodeTable::default(), BTreeMap::new());
            let hash_of = |place: &Place| hash(place.packed);
            for (code, (packed, adds)) in (0..).zip(steps) {
                match (adds, model.get(&packed)) {
                    (true, None) => {
                        table.insert(hash(packed), Place { packed, code }, hash_of);
                        model.insert(packed, code);
                    }
                    (false, Some(&code)) => {
                        table.remove(hash(packed), code, hash_of);
                        model.remove(&packed);
                    }
                    _ => {}
                }
                for packed in 0..40 {
                    let expected = model.get(&packed).copied().unwrap_or(VACANT);
                    prop_assert_eq!(table.find_packed(hash(packed), packed), expected);
                }
            }
        }
    }
}
