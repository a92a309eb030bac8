//! Exact counts of distinct values.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::Int64Array;
use arrow_schema::DataType;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::window::WindowError;
use crate::window::aggregate::Rows;
use crate::window::aggregate::fold::Fold;
use crate::window::aggregate::key::Interner;
use crate::window::aggregate::key::Translation;
use crate::window::aggregate::key::fold_keys;
use crate::window::aggregate::key::is_wide;
use crate::window::aggregate::key::spread;
use crate::window::aggregate::storage::storage_type;

/// Counts distinct values: a set of keys a slot, wide values interned once for all slots.
#[derive(Debug)]
pub(super) struct Distinct {
    /// Whether keys are codes of `interner`; else they are the values themselves.
    wide: bool,
    interner: Interner,
    /// The keys of all slots together.
    held: usize,
}

impl Distinct {
    pub(super) fn new(logical: &DataType) -> Self {
        let wide = storage_type(logical).is_some_and(|storage| is_wide(&storage));
        Self { wide, interner: Interner::default(), held: 0 }
    }
}

impl Fold for Distinct {
    type Slot = HashTable<u64>;

    fn update(&mut self, states: &mut [Self::Slot], rows: Rows<'_>, slots: &[u32]) {
        let Some(column) = rows.values else { return };
        let Self { interner, held, .. } = self;
        let key_of = |bytes: &[u8]| interner.intern(bytes);
        fold_keys(column, rows, slots, key_of, |slot, key| {
            *held += usize::from(insert(&mut states[slot], key));
        });
    }

    fn combine(&mut self, state: &mut Self::Slot, from: &Self::Slot) {
        for &key in from {
            self.held += usize::from(insert(state, key));
        }
    }

    fn merge(
        &mut self,
        states: &mut [Self::Slot],
        slots: &[u32],
        from: &Self,
        from_states: &[Self::Slot],
        from_slots: &[u32],
    ) {
        let mut translation = Translation::new(&from.interner);
        for (&slot, &from_slot) in slots.iter().zip(from_slots) {
            let (state, from) = (&mut states[slot as usize], &from_states[from_slot as usize]);
            if self.wide {
                for &key in from {
                    let key = translation.translate(key, &mut self.interner);
                    self.held += usize::from(insert(state, key));
                }
            } else {
                self.combine(state, from);
            }
        }
    }

    fn clear(&mut self, state: &mut Self::Slot) {
        self.held -= state.len();
        *state = HashTable::new();
    }

    fn compact<'a>(&mut self, states: impl Iterator<Item = &'a mut Self::Slot>) {
        if !self.interner.is_stale(self.held) {
            return;
        }
        let stale = std::mem::take(&mut self.interner);
        let mut translation = Translation::new(&stale);
        for state in states.filter(|state| !state.is_empty()) {
            let mut compacted = HashTable::with_capacity(state.len());
            for &key in &*state {
                insert(&mut compacted, translation.translate(key, &mut self.interner));
            }
            *state = compacted;
        }
    }

    fn finish<'a>(
        &self,
        states: impl ExactSizeIterator<Item = &'a Self::Slot>,
    ) -> Result<ArrayRef, WindowError> {
        let counts = states.map(|state| i64::try_from(state.len()).unwrap_or(i64::MAX));
        Ok(Arc::new(Int64Array::from_iter_values(counts)))
    }

    fn fresh(&self) -> Self {
        Self { wide: self.wide, interner: Interner::default(), held: 0 }
    }

    fn slot_bytes(state: &Self::Slot) -> usize {
        state.allocation_size()
    }

    fn bytes(&self) -> usize {
        self.interner.heap_bytes()
    }
}

/// Adds a key to a set; answers whether it is new.
#[inline]
pub(super) fn insert(set: &mut HashTable<u64>, key: u64) -> bool {
    match set.entry(spread(key), |&held| held == key, |&held| spread(held)) {
        Entry::Occupied(_) => false,
        Entry::Vacant(vacant) => {
            vacant.insert(key);
            true
        }
    }
}
