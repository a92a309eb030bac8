//! How often each partition key came, and with how many bytes: exactly, until there are too many keys.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// Keys of a shard at most; the rarer half is forgotten when there are more.
const KEYS_MAX: usize = 1 << 18;

/// A key and what came with it.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    hash: u64,
    pub(super) key: Box<str>,
    pub(super) records: u64,
    pub(super) bytes: u64,
}

/// The keys of a shard.
#[derive(Debug)]
pub(super) struct Keys {
    table: HashTable<u32>,
    tallies: Vec<Tally>,
    most: usize,
    /// The records of forgotten keys, which no tally counts.
    forgotten: u64,
}

impl Default for Keys {
    fn default() -> Self {
        Self::bounded(KEYS_MAX)
    }
}

impl Keys {
    fn bounded(most: usize) -> Self {
        Self { table: HashTable::new(), tallies: Vec::new(), most, forgotten: 0 }
    }

    /// Counts a record, and returns the place of its key among the tallies.
    pub(super) fn count(&mut self, key: &str, bytes: u32) -> u32 {
        let hash = FixedState::default().hash_one(key);
        let found = self.table.find(hash, |&place| {
            let tally = &self.tallies[place as usize];
            tally.hash == hash && *tally.key == *key
        });
        if let Some(&place) = found {
            let tally = &mut self.tallies[place as usize];
            tally.records += 1;
            tally.bytes += u64::from(bytes);
            return place;
        }
        if self.tallies.len() == self.most {
            self.forget_the_rarer_half();
        }
        self.tallies.push(Tally { hash, key: key.into(), records: 1, bytes: bytes.into() });
        self.insert(self.tallies.len() - 1)
    }

    /// The keys, in the order in which they came first.
    pub(super) fn tallies(&self) -> &[Tally] {
        &self.tallies
    }

    /// The place of a key among the tallies.
    pub(super) fn place(&self, key: &str) -> Option<usize> {
        let hash = FixedState::default().hash_one(key);
        let is_key = |&place: &u32| *self.tallies[place as usize].key == *key;
        self.table.find(hash, is_key).map(|&place| place as usize)
    }

    /// How many records are of keys that were forgotten: a key that came again lost its first ones.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    fn insert(&mut self, place: usize) -> u32 {
        let tallies = &self.tallies;
        let place = u32::try_from(place).expect("a bounded number of keys");
        let hash_of = |&place: &u32| tallies[place as usize].hash;
        self.table.insert_unique(tallies[place as usize].hash, place, hash_of);
        place
    }

    fn forget_the_rarer_half(&mut self) {
        let mut tallies = std::mem::take(&mut self.tallies);
        let rarest_first = |one: &Tally, other: &Tally| {
            (one.records, one.bytes, &other.key).cmp(&(other.records, other.bytes, &one.key))
        };
        let half = tallies.len() / 2;
        tallies.select_nth_unstable_by(half, rarest_first);
        self.forgotten += tallies.drain(..half).map(|tally| tally.records).sum::<u64>();
        self.table.clear();
        self.tallies = tallies;
        for place in 0..self.tallies.len() {
            self.insert(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn keys_are_counted_as_a_map_counts_them(came in prop::collection::vec(("[a-c]{0,3}", 0..9_u32), 0..200)) {
            let (mut keys, mut naive) = (Keys::default(), BTreeMap::<String, (u64, u64)>::new());
            for (key, bytes) in came {
                keys.count(&key, bytes);
                let counted = naive.entry(key).or_default();
                *counted = (counted.0 + 1, counted.1 + u64::from(bytes));
            }
            let found = keys.tallies().iter().map(|tally| (tally.key.to_string(), (tally.records, tally.bytes)));
            prop_assert_eq!(found.collect::<BTreeMap<_, _>>(), naive);
        }

        #[test]
        fn heavy_key_is_kept_among_any_number_of_light_ones(light in 0..3_000_u32, every in 2..9_u32) {
            let mut keys = Keys::bounded(16);
            let mut heavy = 0;
            for number in 0..light {
                keys.count(&number.to_string(), 1);
                if number % every == 0 {
                    keys.count("heavy", 1);
                    heavy += 1;
                }
            }
            prop_assert!(keys.tallies().len() <= 16);
            let counted: u64 = keys.tallies().iter().map(|tally| tally.records).sum();
            prop_assert_eq!(counted + keys.forgotten(), u64::from(light) + heavy);
            if 20 < heavy {
                let place = keys.place("heavy").unwrap();
                prop_assert!(heavy - 16 <= keys.tallies()[place].records);
            }
        }
    }
}
