//! Hashes of whole columns of keys.

use arrow_array::GenericStringArray;
use arrow_array::OffsetSizeTrait;
use arrow_array::StringViewArray;
use arrow_data::ByteView;
use arrow_data::MAX_INLINE_VIEW_LEN;

use crate::hash_key::HashKey;
use crate::hash_key::many::KeyBytes;
use crate::hash_key::many::hash_each;
use crate::record::key::KeyColumn;
use crate::threads::Threads;

/// Keys hashed between two looks at whether to go on: a quarter of a millisecond, some of them if all are of the longest.
const RUN_ROWS: usize = 16_384;

impl KeyColumn {
    /// Returns what `to` makes of the hash of each row's key, in order; identical keys of a dictionary are hashed once.
    ///
    /// The caller's own thread asks `go_on` every few thousand keys; after a no the answer is `None`.
    pub fn map_hashes<T: Copy + Default + Send + Sync>(
        &self,
        threads: Threads,
        go_on: impl FnMut() -> bool,
        to: impl Fn(HashKey) -> T + Sync,
    ) -> Option<Vec<T>> {
        self.map_in_runs(RUN_ROWS, threads, go_on, to)
    }

    fn map_in_runs<T: Copy + Default + Send + Sync>(
        &self,
        run_rows: usize,
        threads: Threads,
        mut go_on: impl FnMut() -> bool,
        to: impl Fn(HashKey) -> T + Sync,
    ) -> Option<Vec<T>> {
        let mut made = vec![T::default(); self.len()];
        let runs = made.chunks_mut(run_rows).enumerate();
        let whole = match self {
            Self::Dictionary { codes, values } if values.len() <= codes.len() => {
                let by_code = distinct(values, run_rows, threads, &mut go_on, &to)?;
                threads.on_each(
                    runs.zip(codes.values().chunks(run_rows)),
                    go_on,
                    |((_, run), codes)| {
                        for (made, &code) in run.iter_mut().zip(codes) {
                            *made = by_code[code as usize];
                        }
                    },
                )
            }
            // A batch of a few rows of a large dictionary: most of its keys are no row's.
            Self::Dictionary { codes, values } => threads.on_each(runs, go_on, |(place, run)| {
                let codes = &codes.values()[place * run_rows..];
                values.map_rows(|row| codes[row] as usize, &to, run);
            }),
            _ => threads.on_each(runs, go_on, |(place, run)| {
                self.map_rows(|row| place * run_rows + row, &to, run);
            }),
        };
        whole.then_some(made)
    }

    /// Sets each place of `made` to what `to` makes of the hash of the key in the row that `row` gives for it.
    fn map_rows<T>(&self, row: impl Fn(usize) -> usize, to: impl Fn(HashKey) -> T, made: &mut [T]) {
        match self {
            Self::Dictionary { .. } => unreachable!("dictionaries hold plain columns"),
            Self::Large(keys) => map_offsets(keys, row, to, made),
            Self::Offsets(keys) => map_offsets(keys, row, to, made),
            Self::Views(keys) => map_views(keys, row, to, made),
        }
    }
}

/// Like `map_in_runs`, of the distinct keys of a dictionary.
fn distinct<T: Copy + Default + Send + Sync>(
    values: &KeyColumn,
    run_rows: usize,
    threads: Threads,
    go_on: &mut dyn FnMut() -> bool,
    to: &(dyn Fn(HashKey) -> T + Sync),
) -> Option<Vec<T>> {
    let mut made = vec![T::default(); values.len()];
    let runs = made.chunks_mut(run_rows).enumerate();
    let whole = threads.on_each(runs, go_on, |(place, run)| {
        values.map_rows(|row| place * run_rows + row, to, run);
    });
    whole.then_some(made)
}

fn map_offsets<O: OffsetSizeTrait, T>(
    keys: &GenericStringArray<O>,
    row: impl Fn(usize) -> usize,
    to: impl Fn(HashKey) -> T,
    made: &mut [T],
) {
    let (offsets, bytes) = (keys.value_offsets(), keys.value_data());
    let key = |place: usize| {
        let row = row(place);
        let (start, end) = (offsets[row].as_usize(), offsets[row + 1].as_usize());
        KeyBytes { buffer: &bytes[start..], len: end - start }
    };
    hash_each(key, to, made);
}

fn map_views<T>(
    keys: &StringViewArray,
    row: impl Fn(usize) -> usize,
    to: impl Fn(HashKey) -> T,
    made: &mut [T],
) {
    /// Bytes of a view, and of the length that it begins with.
    const VIEW_BYTES: usize = 16;
    const LEN_BYTES: usize = 4;
    let (views, buffers) = (keys.views(), keys.data_buffers());
    let inline = views.inner().as_slice();
    let key = |place: usize| {
        let row = row(place);
        let view = ByteView::from(views[row]);
        let buffer = if view.length <= MAX_INLINE_VIEW_LEN {
            &inline[row * VIEW_BYTES + LEN_BYTES..]
        } else {
            &buffers[view.buffer_index as usize][view.offset as usize..]
        };
        KeyBytes { buffer, len: view.length as usize }
    };
    hash_each(key, to, made);
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::ArrayRef;
    use arrow_array::StringArray;
    use arrow_array::UInt32Array;
    use arrow_cast::cast;
    use arrow_schema::DataType;
    use proptest::prelude::*;
    use std::sync::Arc;

    fn text(keys: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(keys.to_vec()))
    }

    fn hashes_in_runs(column: &KeyColumn, run_rows: usize, threads: usize) -> Vec<HashKey> {
        let threads = Threads::new(Some(threads)).unwrap();
        let numbers = column.map_in_runs(run_rows, threads, || true, |hash| hash.0).unwrap();
        numbers.into_iter().map(HashKey).collect()
    }

    fn one_by_one(column: &KeyColumn) -> Vec<HashKey> {
        (0..column.len()).map(|row| HashKey::of(column.value(row))).collect()
    }

    #[test]
    fn hashing_stops_between_runs_when_asked_to() {
        let column = KeyColumn::from_array(&text(&["a"; 10]), None).unwrap();
        let (mut looks, hashed) = (0, std::sync::atomic::AtomicUsize::new(0));
        let look = || {
            looks += 1;
            looks < 3
        };
        let count = |_| hashed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(column.map_in_runs(4, Threads::ONE, look, count), None);
        assert_eq!(hashed.into_inner(), 8);
    }

    #[test]
    fn few_rows_of_a_large_dictionary_hash_as_plain_ones() {
        let values = Box::new(KeyColumn::from_array(&text(&["a", "b", "c", "d"]), None).unwrap());
        let column = KeyColumn::Dictionary { codes: UInt32Array::from(vec![3, 0]), values };
        assert_eq!(hashes_in_runs(&column, 1, 2), [HashKey::of("d"), HashKey::of("a")]);
    }

    proptest! {
        #[test]
        fn column_hashes_as_its_keys_do_in_every_encoding(
            keys in prop::collection::vec(
                prop_oneof!["[a-z]{1,12}", "[a-z0-9-]{13,80}", "\u{e9}{100,256}", "k"], 1..150),
            start in 0_usize..100, run_rows in 1_usize..70, threads in 1_usize..4,
        ) {
            let start = start.min(keys.len() - 1);
            let plain: ArrayRef = Arc::new(StringArray::from(keys));
            let dictionary =
                |codes| DataType::Dictionary(Box::new(codes), Box::new(DataType::Utf8View));
            for data_type in [
                DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View,
                dictionary(DataType::Int32), dictionary(DataType::UInt32), dictionary(DataType::Int16),
            ] {
                let array = cast(&plain, &data_type).unwrap();
                let sliced = array.slice(start, array.len() - start);
                for array in [array, sliced] {
                    let column = KeyColumn::from_array(&array, None).unwrap();
                    let found = hashes_in_runs(&column, run_rows, threads);
                    prop_assert_eq!(found, one_by_one(&column), "{}", data_type);
                    for row in 0..array.len() {
                        let expected = plain.slice(plain.len() - array.len(), array.len());
                        prop_assert_eq!(column.value(row), expected.as_any().downcast_ref::<StringArray>().unwrap().value(row));
                    }
                }
            }
        }
    }
}
