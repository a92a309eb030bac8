//! Records got through the client, as dictionaries made from the blocks they lie in.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3::types::PyDict;
use pyo3::types::PyList;
use pyo3::types::PyString;

use crate::clock::Millis;
use crate::engine::slice::Slice;
use crate::python::record::datetime;
use crate::service::kinesis::get_records::Found;

/// The records as the client answers them.
pub(super) fn records<'py>(py: Python<'py>, found: &Found) -> PyResult<Bound<'py, PyList>> {
    let mut records = Vec::with_capacity(found.slices().iter().map(Slice::len).sum());
    let mut last: Option<(Millis, Bound<'py, PyAny>)> = None;
    for slice in found.slices() {
        slice.each_of_shard(|block, row, arrival, digits| {
            let number = std::str::from_utf8(digits).expect("digits are ASCII");
            // Records of one millisecond share their time.
            let time = match last.take() {
                Some((of, time)) if of == arrival => time,
                _ => datetime(py, arrival)?,
            };
            let record = PyDict::new(py);
            record.set_item(pyo3::intern!(py, "SequenceNumber"), PyString::new(py, number))?;
            record.set_item(pyo3::intern!(py, "ApproximateArrivalTimestamp"), &time)?;
            last = Some((arrival, time));
            let data = PyBytes::new(py, &block.payload.data(row)?);
            record.set_item(pyo3::intern!(py, "Data"), data)?;
            let key = block.keys.value(row);
            if !key.is_empty() {
                record.set_item(pyo3::intern!(py, "PartitionKey"), key)?;
            }
            if found.encrypts(block.index(row)) {
                record.set_item(pyo3::intern!(py, "EncryptionType"), pyo3::intern!(py, "KMS"))?;
            }
            records.push(record);
            PyResult::Ok(())
        })?;
    }
    PyList::new(py, records)
}
