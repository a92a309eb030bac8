//! The value at the earliest or the latest event time of a group.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::ArrowPrimitiveType;
use arrow_array::PrimitiveArray;
use arrow_array::UInt32Array;
use arrow_array::cast::AsArray;
use arrow_array::new_null_array;
use arrow_row::RowConverter;
use arrow_row::SortField;
use arrow_schema::DataType;

use crate::window::WindowError;
use crate::window::aggregate::Rows;
use crate::window::aggregate::extreme::Ordered;
use crate::window::aggregate::fold::Fold;
use crate::window::aggregate::fold::fold_rows;
use crate::window::aggregate::storage::from_storage;
use crate::window::aggregate::storage::storage_type;
use crate::window::aggregate::storage::to_storage;

/// Where in time a group's value was found: the event time, then the ordinal of arrival.
#[derive(Debug, Default)]
pub(super) struct Place<V> {
    time: i64,
    ordinal: u64,
    taken: bool,
    value: V,
}

impl<V> Place<V> {
    /// Takes the place, when it lies further toward the end that is sought.
    #[inline]
    fn takes<const LATEST: bool>(&mut self, time: i64, ordinal: u64) -> bool {
        let wins = match (self.taken, LATEST) {
            (false, _) => true,
            (true, false) => (time, ordinal) < (self.time, self.ordinal),
            (true, true) => (self.time, self.ordinal) < (time, ordinal),
        };
        if wins {
            (self.time, self.ordinal, self.taken) = (time, ordinal, true);
        }
        wins
    }
}

/// Keeps the first number, or the last.
#[derive(Debug)]
pub(super) struct Endpoint<T, const LATEST: bool> {
    logical: DataType,
    ignore_nulls: bool,
    input: PhantomData<fn() -> T>,
}

impl<T, const LATEST: bool> Endpoint<T, LATEST> {
    pub(super) fn new(logical: DataType, ignore_nulls: bool) -> Self {
        Self { logical, ignore_nulls, input: PhantomData }
    }
}

impl<T, const LATEST: bool> Fold for Endpoint<T, LATEST>
where
    T: ArrowPrimitiveType<Native: Ordered>,
{
    type Slot = Place<Option<T::Native>>;

    fn update(&mut self, states: &mut [Self::Slot], rows: Rows<'_>, slots: &[u32]) {
        let Some(values) = rows.values.map(to_storage) else {
            return;
        };
        let values = values.as_primitive::<T>();
        let skipped = values.nulls().filter(|_| self.ignore_nulls);
        fold_rows(skipped, rows, slots, |slot, row| {
            let state = &mut states[slot];
            if state.takes::<LATEST>(rows.times[row], rows.first_ordinal + row as u64) {
                state.value = values.is_valid(row).then(|| values.value(row));
            }
        });
    }

    fn combine(&mut self, state: &mut Self::Slot, from: &Self::Slot) {
        if from.taken && state.takes::<LATEST>(from.time, from.ordinal) {
            state.value = from.value;
        }
    }

    fn finish<'a>(
        &self,
        states: impl ExactSizeIterator<Item = &'a Self::Slot>,
    ) -> Result<ArrayRef, WindowError> {
        let values: PrimitiveArray<T> = states.map(|state| state.value).collect();
        let storage = storage_type(&self.logical).unwrap_or(T::DATA_TYPE);
        let stored: ArrayRef = Arc::new(values.with_data_type(storage));
        from_storage(&stored, &self.logical)
    }

    fn fresh(&self) -> Self {
        Self::new(self.logical.clone(), self.ignore_nulls)
    }
}

/// Keeps the first value of any type, or the last, in the row format.
#[derive(Debug)]
pub(super) struct RowEndpoint<const LATEST: bool> {
    logical: DataType,
    ignore_nulls: bool,
    converter: RowConverter,
    /// The slots whose value of this batch is still to be copied.
    pending_slots: Vec<u32>,
}

/// A value in the row format and, within a batch, the row that is to replace it.
#[derive(Debug, Default)]
pub(super) struct RowValue {
    bytes: Box<[u8]>,
    pending_row: Option<u32>,
}

impl<const LATEST: bool> RowEndpoint<LATEST> {
    /// Keeps values of `logical`, a type that is no dictionary.
    pub(super) fn new(logical: DataType, ignore_nulls: bool) -> Result<Self, WindowError> {
        let converter = RowConverter::new(vec![SortField::new(logical.clone())])?;
        Ok(Self { logical, ignore_nulls, converter, pending_slots: Vec::new() })
    }

    /// Whether values of a type can be kept.
    pub(super) fn keeps(logical: &DataType) -> bool {
        RowConverter::supports_fields(&[SortField::new(logical.clone())])
    }

    /// Copies what the batch left in the slots it touched: one copy a slot, however many rows replaced it.
    fn settle(&mut self, states: &mut [Place<RowValue>], values: &ArrayRef) {
        let rows: UInt32Array = self
            .pending_slots
            .iter()
            .map(|&slot| states[slot as usize].value.pending_row.take())
            .collect();
        let values = arrow_select::take::take(values, &rows, None)
            .expect("the rows to copy lie within the batch");
        let values = arrow_cast::cast(&values, &self.logical)
            .expect("a column has the values of its own type");
        let copies = self
            .converter
            .convert_columns(&[values])
            .expect("the converter was made for the column's type");
        for (slot, copy) in self.pending_slots.drain(..).zip(&copies) {
            states[slot as usize].value.bytes = copy.data().into();
        }
    }
}

impl<const LATEST: bool> Fold for RowEndpoint<LATEST> {
    type Slot = Place<RowValue>;

    fn update(&mut self, states: &mut [Self::Slot], rows: Rows<'_>, slots: &[u32]) {
        let Some(values) = rows.values else { return };
        let skipped = values.logical_nulls().filter(|_| self.ignore_nulls);
        let pending_slots = &mut self.pending_slots;
        fold_rows(skipped.as_ref(), rows, slots, |slot, row| {
            let state = &mut states[slot];
            if state.takes::<LATEST>(rows.times[row], rows.first_ordinal + row as u64) {
                let row = u32::try_from(row).expect("rows of a batch are numbered in 32 bits");
                let slot = u32::try_from(slot).expect("slots are numbered in 32 bits");
                if state.value.pending_row.replace(row).is_none() {
                    pending_slots.push(slot);
                }
            }
        });
        self.settle(states, values);
    }

    fn combine(&mut self, state: &mut Self::Slot, from: &Self::Slot) {
        if from.taken && state.takes::<LATEST>(from.time, from.ordinal) {
            state.value.bytes.clone_from(&from.value.bytes);
        }
    }

    fn finish<'a>(
        &self,
        states: impl ExactSizeIterator<Item = &'a Self::Slot>,
    ) -> Result<ArrayRef, WindowError> {
        let parser = self.converter.parser();
        let (mut found, mut places, mut count) = (Vec::new(), Vec::with_capacity(states.len()), 0);
        for state in states {
            places.push(state.taken.then_some(count));
            if state.taken {
                found.push(parser.parse(&state.value.bytes));
                count += 1;
            }
        }
        if found.is_empty() {
            return Ok(new_null_array(&self.logical, places.len()));
        }
        let columns = self.converter.convert_rows(found)?;
        let values = arrow_select::take::take(&columns[0], &UInt32Array::from(places), None)?;
        Ok(arrow_cast::cast(&values, &self.logical)?)
    }

    fn fresh(&self) -> Self {
        Self::new(self.logical.clone(), self.ignore_nulls)
            .expect("a converter for this type was made before")
    }

    fn slot_bytes(state: &Self::Slot) -> usize {
        state.value.bytes.len()
    }

    fn bytes(&self) -> usize {
        self.converter.size() + self.pending_slots.capacity() * size_of::<u32>()
    }
}
