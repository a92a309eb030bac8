//! Records as `put_many` is given them: tuples, whose bytes and text are borrowed where they lie.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::engine::stream::Entry;
use crate::hash_key::HashKey;
use crate::python::argument;
use crate::python::argument::Data;
use crate::python::error::raise;

/// Records that an iterable may say it has before memory is taken for them.
const LEN_TRUSTED: usize = 1 << 20;

/// What tuples hold, by record.
pub(super) struct Given<'a> {
    /// Data and key; the data is empty where it had to be copied.
    pub(super) pairs: Vec<(&'a [u8], &'a str)>,
    /// By record, as far as the last that has one.
    explicit_hash_keys: Vec<Option<HashKey>>,
}

/// Looks at signals once in some thousand records, so that Ctrl-C is heard.
fn heed_signals(py: Python<'_>, count: usize) -> PyResult<()> {
    if count.is_multiple_of(16_384) { py.check_signals() } else { Ok(()) }
}

impl<'a> Given<'a> {
    /// Takes the tuples out of an iterable.
    pub(super) fn tuples<'py>(records: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let mut tuples = Vec::with_capacity(records.len().map_or(0, |len| len.min(LEN_TRUSTED)));
        for record in argument::iterator(records)? {
            let record = record?;
            let shaped = record.cast::<PyTuple>().is_ok_and(|tuple| matches!(tuple.len(), 2 | 3));
            if !shaped {
                let given = record.repr()?.to_string().chars().take(60).collect::<String>();
                let index = tuples.len();
                let message = format!(
                    "record {index} is not a tuple (data, key) or (data, key, explicit_hash_key): {given}"
                );
                return Err(raise("SerializationException", message));
            }
            tuples.push(record.cast_into::<PyTuple>()?);
            heed_signals(records.py(), tuples.len())?;
        }
        Ok(tuples)
    }

    /// Takes tuples apart; data that is not `bytes` goes to `copies`, by record.
    pub(super) fn extract(
        tuples: &'a [Bound<'_, PyTuple>],
        copies: &mut Vec<(usize, Vec<u8>)>,
    ) -> PyResult<Self> {
        let mut pairs = Vec::with_capacity(tuples.len());
        let mut explicit_hash_keys = Vec::new();
        for (index, tuple) in tuples.iter().enumerate() {
            if tuple.len() == 3 {
                let explicit = tuple.get_borrowed_item(2)?;
                if !explicit.is_none() {
                    explicit_hash_keys.resize(index, None);
                    explicit_hash_keys.push(Some(argument::hash_key(&explicit)?));
                }
            }
            let data = tuple.get_borrowed_item(0)?;
            let data = if let Ok(bytes) = data.extract::<&'a [u8]>() {
                bytes
            } else {
                copies.push((index, Data::extract(&data)?.into_vec()));
                &[]
            };
            let key = tuple.get_borrowed_item(1)?;
            let Ok(key) = key.extract::<&'a str>() else {
                return Err(argument::key(&key).expect_err("it is no text"));
            };
            pairs.push((data, key));
            heed_signals(tuple.py(), pairs.len())?;
        }
        Ok(Self { pairs, explicit_hash_keys })
    }

    /// Returns a record.
    pub(super) fn entry<'b>(&'b self, place: usize, copies: &'b [(usize, Vec<u8>)]) -> Entry<'b> {
        let (mut data, key) = self.pairs[place];
        if !copies.is_empty()
            && let Ok(copy) = copies.binary_search_by_key(&place, |&(index, _)| index)
        {
            data = &copies[copy].1;
        }
        let explicit_hash_key = self.explicit_hash_keys.get(place).copied().flatten();
        Entry { data, key, explicit_hash_key }
    }
}
