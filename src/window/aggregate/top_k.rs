//! The most frequent values of a group, with their exact counts.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::Int64Array;
use arrow_array::ListArray;
use arrow_array::StructArray;
use arrow_buffer::OffsetBuffer;
use arrow_schema::DataType;
use arrow_schema::Field;
use arrow_schema::Fields;
use hashbrown::HashTable;

use crate::window::WindowError;
use crate::window::aggregate::Rows;
use crate::window::aggregate::fold::Fold;
use crate::window::aggregate::key::Interner;
use crate::window::aggregate::key::Translation;
use crate::window::aggregate::key::fold_keys;
use crate::window::aggregate::key::is_wide;
use crate::window::aggregate::key::spread;
use crate::window::aggregate::key::values_of;
use crate::window::aggregate::storage::storage_type;

/// Finds the `k` most frequent values; of equally frequent ones the lesser come first.
#[derive(Debug)]
pub(super) struct TopK {
    k: usize,
    logical: DataType,
    /// Whether keys are codes of `interner`; else they are the values' words.
    wide: bool,
    interner: Interner,
    /// The keys of all slots together.
    held: usize,
}

/// A value's key and how often it came.
type Tally = (u64, i64);

/// The type of an answer over values of a type.
pub(super) fn answer_type(logical: &DataType) -> DataType {
    DataType::new_list(DataType::Struct(answer_fields(logical)), true)
}

fn answer_fields(logical: &DataType) -> Fields {
    Fields::from(vec![
        Field::new("value", logical.clone(), true),
        Field::new("count", DataType::Int64, true),
    ])
}

impl TopK {
    pub(super) fn new(k: usize, logical: DataType) -> Self {
        let wide = storage_type(&logical).is_some_and(|storage| is_wide(&storage));
        Self { k, logical, wide, interner: Interner::default(), held: 0 }
    }

    fn compare(&self, left: Tally, right: Tally) -> Ordering {
        right.1.cmp(&left.1).then_with(|| {
            if self.wide {
                self.interner.bytes_of(left.0).cmp(self.interner.bytes_of(right.0))
            } else {
                left.0.cmp(&right.0)
            }
        })
    }

    fn most_frequent(&self, state: &HashTable<Tally>) -> Vec<Tally> {
        let mut tallies: Vec<Tally> = state.iter().copied().collect();
        if self.k < tallies.len() {
            tallies.select_nth_unstable_by(self.k, |&left, &right| self.compare(left, right));
            tallies.truncate(self.k);
        }
        tallies.sort_unstable_by(|&left, &right| self.compare(left, right));
        tallies
    }
}

impl Fold for TopK {
    type Slot = HashTable<Tally>;

    fn update(&mut self, states: &mut [Self::Slot], rows: Rows<'_>, slots: &[u32]) {
        let Some(column) = rows.values else { return };
        let Self { interner, held, .. } = self;
        let key_of = |bytes: &[u8]| interner.intern(bytes);
        fold_keys(column, rows, slots, key_of, |slot, key| {
            *held += usize::from(tally(&mut states[slot], (key, 1)));
        });
    }

    fn combine(&mut self, state: &mut Self::Slot, from: &Self::Slot) {
        for &counted in from {
            self.held += usize::from(tally(state, counted));
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
                for &(key, count) in from {
                    let key = translation.translate(key, &mut self.interner);
                    self.held += usize::from(tally(state, (key, count)));
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
            for &(key, count) in &*state {
                tally(&mut compacted, (translation.translate(key, &mut self.interner), count));
            }
            *state = compacted;
        }
    }

    fn finish<'a>(
        &self,
        states: impl ExactSizeIterator<Item = &'a Self::Slot>,
    ) -> Result<ArrayRef, WindowError> {
        let (mut lengths, mut keys, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        for state in states {
            let tallies = self.most_frequent(state);
            lengths.push(tallies.len());
            keys.extend(tallies.iter().map(|&(key, _)| key));
            counts.extend(tallies.iter().map(|&(_, count)| count));
        }
        let columns = vec![
            values_of(&keys, &self.interner, &self.logical)?,
            Arc::new(Int64Array::from(counts)) as ArrayRef,
        ];
        let fields = answer_fields(&self.logical);
        let item = Arc::new(Field::new_list_field(DataType::Struct(fields.clone()), true));
        let values = Arc::new(StructArray::try_new(fields, columns, None)?);
        let offsets = OffsetBuffer::from_lengths(lengths);
        Ok(Arc::new(ListArray::try_new(item, offsets, values, None)?))
    }

    fn fresh(&self) -> Self {
        Self::new(self.k, self.logical.clone())
    }

    fn slot_bytes(state: &Self::Slot) -> usize {
        state.allocation_size()
    }

    fn bytes(&self) -> usize {
        self.interner.heap_bytes()
    }
}

/// Adds to a key's count; answers whether the key is new.
#[inline]
fn tally(table: &mut HashTable<Tally>, (key, count): Tally) -> bool {
    if let Some(held) = table.find_mut(spread(key), |&(held, _)| held == key) {
        held.1 += count;
        return false;
    }
    table.insert_unique(spread(key), (key, count), |&(held, _)| spread(held));
    true
}
