//! Where the codes of keys are found: open addressing over places of eight bytes, so that many fit the cache.

use crate::window::vacancy::VACANT;

/// A place: half of the hash of a key, which tells most strangers, and the key's code.
#[derive(Clone, Copy, Debug)]
struct Place {
    tag: u32,
    code: u32,
}

const VACANCY: Place = Place { tag: 0, code: VACANT };

/// The half of a hash that places are found by: the upper one, which products mix best.
#[inline]
pub(super) fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Codes by the tags of their keys.
///
/// Invariant: between the place a tag begins at and the place of its key, none is vacant.
#[derive(Debug, Default)]
pub(super) struct CodeTable {
    /// None, or a power of two.
    places: Vec<Place>,
    count: usize,
}

impl CodeTable {
    /// Answers the code that stands where a tag begins, whatever its own tag.
    #[inline]
    pub(super) fn first(&self, tag: u32) -> u32 {
        let home = tag as usize & self.places.len().wrapping_sub(1);
        self.places.get(home).map_or(VACANT, |place| place.code)
    }

    /// Answers for each tag the code that stands where it begins, or right behind, under the same tag; else `VACANT`.
    ///
    /// Nothing depends on what a look finds, so that the processor has many of them under way at once.
    pub(super) fn guess(&self, tags: &[u32], codes: &mut [u32]) {
        let Some(mask) = self.places.len().checked_sub(1) else {
            return codes.fill(VACANT);
        };
        let or_vacant =
            |place: Place, tag| place.code | u32::from(place.tag == tag).wrapping_sub(1);
        for (code, &tag) in codes.iter_mut().zip(tags) {
            let home = tag as usize & mask;
            let (first, next) = (self.places[home], self.places[(home + 1) & mask]);
            // Where both have the tag either may be the right one: whoever asks finds out.
            *code = or_vacant(first, tag).min(or_vacant(next, tag));
        }
    }

    /// Answers the code under a tag that `is_it`; `VACANT` where there is none.
    #[inline]
    pub(super) fn find(&self, tag: u32, is_it: impl Fn(u32) -> bool) -> u32 {
        if self.places.is_empty() {
            return VACANT;
        }
        let mask = self.places.len() - 1;
        let mut index = tag as usize;
        loop {
            let place = self.places[index & mask];
            if place.code == VACANT || (place.tag == tag && is_it(place.code)) {
                return place.code;
            }
            index += 1;
        }
    }

    /// Adds a key that is not there.
    #[inline]
    pub(super) fn insert(&mut self, tag: u32, code: u32) {
        // Few keys stand wide apart, so that nearly all are found at once; many stand closer, for the cache's sake.
        let crowd = match self.places.len() {
            few @ 0..65_536 => few / 32,
            some @ 65_536..131_072 => some / 8,
            many => many / 2,
        };
        if crowd <= self.count {
            self.spread();
        }
        self.settle(Place { tag, code });
        self.count += 1;
    }

    /// Takes a code out that is there under a tag, if it is.
    pub(super) fn remove(&mut self, tag: u32, code: u32) {
        if self.places.is_empty() {
            return;
        }
        let mask = self.places.len() - 1;
        let mut hole = tag as usize & mask;
        while self.places[hole].code != code {
            if self.places[hole].code == VACANT {
                return;
            }
            hole = (hole + 1) & mask;
        }
        // Those behind move up, unless that would put them before the place that their tag begins at.
        let mut next = (hole + 1) & mask;
        while self.places[next].code != VACANT {
            let from_home = next.wrapping_sub(self.places[next].tag as usize) & mask;
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
    fn spread(&mut self) {
        let room = (self.places.len() * 2).max(1_024);
        let crowded = std::mem::replace(&mut self.places, vec![VACANCY; room]);
        for place in crowded.into_iter().filter(|place| place.code != VACANT) {
            self.settle(place);
        }
    }

    #[inline]
    fn settle(&mut self, place: Place) {
        let mask = self.places.len() - 1;
        let mut index = place.tag as usize & mask;
        while self.places[index].code != VACANT {
            index = (index + 1) & mask;
        }
        self.places[index] = place;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// A poor tag, so that keys crowd.
    fn poor_tag(key: u32) -> u32 {
        key % 7
    }

    proptest! {
        #[test]
        fn table_holds_what_was_put_and_not_taken(steps in proptest::collection::vec((0_u32..40, any::<bool>()), 0..200)) {
            let (mut table, mut model, mut keys) = (CodeTable::default(), BTreeMap::new(), Vec::new());
            for (code, (key, adds)) in (0..).zip(steps) {
                keys.push(key);
                match (adds, model.get(&key)) {
                    (true, None) => {
                        table.insert(poor_tag(key), code);
                        model.insert(key, code);
                    }
                    (false, Some(&code)) => {
                        table.remove(poor_tag(key), code);
                        model.remove(&key);
                    }
                    _ => {}
                }
                for key in 0..40 {
                    let expected = model.get(&key).copied().unwrap_or(VACANT);
                    let found = table.find(poor_tag(key), |code| keys[code as usize] == key);
                    prop_assert_eq!(found, expected);
                    let mut guessed = [0];
                    table.guess(&[poor_tag(key)], &mut guessed);
                    prop_assert!(guessed[0] == VACANT || poor_tag(keys[guessed[0] as usize]) == poor_tag(key));
                }
            }
        }
    }
}
