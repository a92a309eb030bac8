//! The struct of arrays behind every aggregate: one small state a slot, folded by one kernel.

use std::any::Any;
use std::any::type_name;
use std::fmt;

use arrow_array::ArrayRef;
use arrow_buffer::NullBuffer;

use crate::window::WindowError;
use crate::window::aggregate::Roll;
use crate::window::aggregate::Rows;
use crate::window::aggregate::States;
use crate::window::aggregate::roll::Queues;

/// How one aggregate over one input type folds rows into a slot's state.
pub(super) trait Fold: Send + Sized + Sync + 'static {
    /// What one slot holds; the default is the empty group.
    type Slot: Default + Send + Sync;

    /// Folds the rows that take part into their slots.
    fn update(&mut self, states: &mut [Self::Slot], rows: Rows<'_>, slots: &[u32]);

    /// Folds one state of this same kernel into another.
    fn combine(&mut self, state: &mut Self::Slot, from: &Self::Slot);

    /// Folds states of another kernel of the same aggregate into those of this one.
    fn merge(
        &mut self,
        states: &mut [Self::Slot],
        slots: &[u32],
        _from: &Self,
        from_states: &[Self::Slot],
        from_slots: &[u32],
    ) {
        for (&slot, &from_slot) in slots.iter().zip(from_slots) {
            self.combine(&mut states[slot as usize], &from_states[from_slot as usize]);
        }
    }

    /// Empties a state and frees what it held.
    fn clear(&mut self, state: &mut Self::Slot) {
        *state = Self::Slot::default();
    }

    /// Frees what only cleared slots needed.
    fn compact<'a>(&mut self, _states: impl Iterator<Item = &'a mut Self::Slot>) {}

    /// Answers states, in their order.
    fn finish<'a>(
        &self,
        states: impl ExactSizeIterator<Item = &'a Self::Slot>,
    ) -> Result<ArrayRef, WindowError>;

    /// Answers states for a kernel of several answers, a column each; the first is that of `finish`.
    fn columns<'a>(
        &self,
        states: impl ExactSizeIterator<Item = &'a Self::Slot>,
    ) -> Result<Vec<ArrayRef>, WindowError> {
        Ok(vec![self.finish(states)?])
    }

    /// An empty kernel of the same aggregate.
    fn fresh(&self) -> Self;

    /// The heap bytes that one state holds beside its own size.
    fn slot_bytes(_state: &Self::Slot) -> usize {
        0
    }

    /// The heap bytes of the kernel itself.
    fn bytes(&self) -> usize {
        0
    }
}

/// A kernel and the states of its slots.
pub(super) struct Folded<F: Fold> {
    kernel: F,
    states: Vec<F::Slot>,
    /// What rolling windows have in place of slots.
    queues: Queues<F::Slot>,
}

impl<F: Fold> Folded<F> {
    pub(super) fn boxed(kernel: F) -> Box<dyn States> {
        Box::new(Self { kernel, states: Vec::new(), queues: Queues::default() })
    }
}

impl<F: Fold> fmt::Debug for Folded<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Folded")
            .field("kernel", &type_name::<F>())
            .field("slots", &self.states.len())
            .finish_non_exhaustive()
    }
}

impl<F: Fold> States for Folded<F> {
    fn grow(&mut self, count: usize) {
        if self.states.len() < count {
            self.states.resize_with(count, F::Slot::default);
        }
    }

    fn reserve(&mut self, count: usize) {
        self.states.reserve_exact(count.saturating_sub(self.states.len()));
    }

    fn update(&mut self, rows: Rows<'_>, slots: &[u32]) {
        self.kernel.update(&mut self.states, rows, slots);
    }

    fn merge(&mut self, slots: &[u32], from: &dyn States, from_slots: &[u32]) {
        let from: &Self =
            from.as_any().downcast_ref().expect("only states of the same aggregate are merged");
        self.kernel.merge(&mut self.states, slots, &from.kernel, &from.states, from_slots);
    }

    fn merge_within(&mut self, slots: &[u32], from_slots: &[u32]) {
        for (&slot, &from_slot) in slots.iter().zip(from_slots) {
            let [state, from] = self
                .states
                .get_disjoint_mut([slot as usize, from_slot as usize])
                .expect("no slot stands on both sides of a merge");
            self.kernel.combine(state, from);
        }
    }

    fn clear(&mut self, slots: &[u32]) {
        for &slot in slots {
            self.kernel.clear(&mut self.states[slot as usize]);
        }
        self.kernel.compact(self.states.iter_mut().chain(self.queues.states_mut()));
    }

    fn finish(&self, slots: &[u32]) -> Result<Vec<ArrayRef>, WindowError> {
        self.kernel.columns(slots.iter().map(|&slot| &self.states[slot as usize]))
    }

    fn roll(
        &mut self,
        feeds: &[(Rows<'_>, usize)],
        roll: Roll<'_>,
    ) -> Result<Vec<ArrayRef>, WindowError> {
        self.queues.fold(&mut self.kernel, feeds);
        let states = self.queues.roll(&mut self.kernel, roll);
        let answer =
            self.kernel.columns(roll.answers.iter().map(|&answer| &states[answer as usize]));
        self.queues.tidy(&mut self.kernel);
        self.kernel.compact(self.states.iter_mut().chain(self.queues.states_mut()));
        answer
    }

    fn add_stray(&mut self, row: Rows<'_>, code: u32, time: i64) {
        self.queues.fold(&mut self.kernel, &[(row, 1)]);
        self.queues.add_stray(code, time);
    }

    fn clear_rolling(&mut self, codes: &[u32]) {
        self.queues.clear(&mut self.kernel, codes);
        self.kernel.compact(self.states.iter_mut().chain(self.queues.states_mut()));
    }

    fn fresh(&self) -> Box<dyn States> {
        Self::boxed(self.kernel.fresh())
    }

    fn bytes(&self) -> usize {
        self.kernel.bytes()
            + self.states.capacity() * size_of::<F::Slot>()
            + self.states.iter().map(F::slot_bytes).sum::<usize>()
            + self.queues.bytes::<F>()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Hands every value that takes part and is not null to `each`, with its slot.
#[inline]
pub(super) fn fold_values<V: Copy>(
    values: &[V],
    nulls: Option<&NullBuffer>,
    rows: Rows<'_>,
    slots: &[u32],
    mut each: impl FnMut(usize, V),
) {
    match (rows.picked, nulls.filter(|nulls| nulls.null_count() > 0)) {
        (None, None) => {
            for (&slot, &value) in slots.iter().zip(values) {
                each(slot as usize, value);
            }
        }
        (None, Some(nulls)) => {
            for ((&slot, &value), valid) in slots.iter().zip(values).zip(nulls.iter()) {
                if valid {
                    each(slot as usize, value);
                }
            }
        }
        (Some(picked), None) => {
            for (&slot, &row) in slots.iter().zip(picked) {
                each(slot as usize, values[row as usize]);
            }
        }
        (Some(picked), Some(nulls)) => {
            for (&slot, &row) in slots.iter().zip(picked) {
                if nulls.is_valid(row as usize) {
                    each(slot as usize, values[row as usize]);
                }
            }
        }
    }
}

/// Hands every row that takes part and is not null to `each`, with its slot.
#[inline]
pub(super) fn fold_rows(
    nulls: Option<&NullBuffer>,
    rows: Rows<'_>,
    slots: &[u32],
    mut each: impl FnMut(usize, usize),
) {
    match (rows.picked, nulls.filter(|nulls| nulls.null_count() > 0)) {
        (None, None) => {
            for (row, &slot) in slots.iter().enumerate() {
                each(slot as usize, row);
            }
        }
        (None, Some(nulls)) => {
            for ((row, &slot), valid) in slots.iter().enumerate().zip(nulls.iter()) {
                if valid {
                    each(slot as usize, row);
                }
            }
        }
        (Some(picked), None) => {
            for (&slot, &row) in slots.iter().zip(picked) {
                each(slot as usize, row as usize);
            }
        }
        (Some(picked), Some(nulls)) => {
            for (&slot, &row) in slots.iter().zip(picked) {
                if nulls.is_valid(row as usize) {
                    each(slot as usize, row as usize);
                }
            }
        }
    }
}
