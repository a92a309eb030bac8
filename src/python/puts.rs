//! Records put through the client, as most callers give them: a list of dictionaries of bytes and text.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3::types::PyDict;
use pyo3::types::PyList;
use pyo3::types::PyString;

use crate::engine::stream::Entry;
use crate::hash_key::HashKey;
use crate::limits::PUT_RECORDS_BYTES_MAX;
use crate::limits::PUT_RECORDS_MAX;
use crate::record::key::check_key;
use crate::record::sequence::ShardIndex;
use crate::service::Members;
use crate::service::ServiceError;
use crate::service::kinesis::direct::Put;

/// Records that are in order as far as can be told without their stream.
pub(super) struct Given<'py> {
    /// What names the stream.
    pub(super) stream: Members,
    records: Vec<Record<'py>>,
}

struct Record<'py> {
    data: Bound<'py, PyBytes>,
    key: Bound<'py, PyString>,
    hash_key: Option<HashKey>,
}

impl<'py> Given<'py> {
    /// Reads what a call was given; `None` where it is out of the ordinary.
    pub(super) fn read(parameters: &Bound<'py, PyDict>) -> PyResult<Option<Self>> {
        let mut stream = Members::new();
        let mut records = None;
        for (name, value) in parameters.iter() {
            match (name.cast::<PyString>()?.to_str()?, value.cast::<PyString>()) {
                ("StreamName", Ok(text)) => stream = stream.with("StreamName", text.to_str()?),
                ("StreamARN", Ok(text)) => stream = stream.with("StreamARN", text.to_str()?),
                ("Records", Err(_)) => match value.cast::<PyList>() {
                    Ok(list) => records = read_records(list)?,
                    Err(_) => return Ok(None),
                },
                _ => return Ok(None),
            }
        }
        let records = records.filter(|_| 0 < stream.iter().len());
        Ok(records.map(|records| Self { stream, records }))
    }

    /// The records as the engine takes them.
    pub(super) fn entries(&self) -> PyResult<Vec<Entry<'_>>> {
        let mut entries = Vec::with_capacity(self.records.len());
        for Record { data, key, hash_key } in &self.records {
            let (data, key) = (data.as_bytes(), key.to_str()?);
            entries.push(Entry { data, key, explicit_hash_key: *hash_key });
        }
        Ok(entries)
    }
}

fn read_records<'py>(list: &Bound<'py, PyList>) -> PyResult<Option<Vec<Record<'py>>>> {
    if list.is_empty() || PUT_RECORDS_MAX < list.len() {
        return Ok(None);
    }
    let mut records = Vec::with_capacity(list.len());
    let mut bytes = 0;
    for each in list.iter() {
        let Ok(each) = each.cast_into::<PyDict>() else { return Ok(None) };
        let Some(record) = read_record(&each)? else { return Ok(None) };
        bytes += record.data.as_bytes().len() + record.key.to_str()?.len();
        records.push(record);
    }
    Ok((bytes <= PUT_RECORDS_BYTES_MAX).then_some(records))
}

fn read_record<'py>(given: &Bound<'py, PyDict>) -> PyResult<Option<Record<'py>>> {
    let py = given.py();
    let data = given.get_item(pyo3::intern!(py, "Data"))?;
    let key = given.get_item(pyo3::intern!(py, "PartitionKey"))?;
    let (Some(data), Some(key)) = (data, key) else { return Ok(None) };
    let (Ok(data), Ok(key)) = (data.cast_into::<PyBytes>(), key.cast_into::<PyString>()) else {
        return Ok(None);
    };
    // Text that UTF-8 cannot carry is for the words of others, as are keys that are none.
    if !key.to_str().is_ok_and(|key| check_key(key).is_ok()) {
        return Ok(None);
    }
    if given.len() == 2 {
        return Ok(Some(Record { data, key, hash_key: None }));
    }
    let Some(digits) = given.get_item(pyo3::intern!(py, "ExplicitHashKey"))? else {
        return Ok(None);
    };
    let digits = digits.cast::<PyString>().ok().and_then(|digits| digits.to_str().ok());
    let hash_key = digits.and_then(HashKey::parse).filter(|_| given.len() == 3);
    Ok(hash_key.map(|hash_key| Record { data, key, hash_key: Some(hash_key) }))
}

/// What became of records, as the client answers it.
pub(super) fn answer<'py>(py: Python<'py>, put: &Put) -> PyResult<Bound<'py, PyDict>> {
    let (number, shard_id) = (pyo3::intern!(py, "SequenceNumber"), pyo3::intern!(py, "ShardId"));
    let mut names: HashMap<ShardIndex, Bound<'py, PyString>> = HashMap::new();
    let mut results = Vec::with_capacity(put.answers.len());
    put.answers.each(|answer| {
        let result = PyDict::new(py);
        let told = match answer {
            Ok((digits, shard)) => {
                let digits = std::str::from_utf8(&digits).expect("digits are ASCII");
                let name = names.entry(shard);
                let name = name.or_insert_with(|| PyString::new(py, &shard.to_string()));
                let told = result.set_item(number, digits);
                told.and_then(|()| result.set_item(shard_id, &*name))
            }
            Err(error) => {
                let ServiceError { code, message } = error.clone().into();
                let told = result.set_item("ErrorCode", code.name());
                told.and_then(|()| result.set_item("ErrorMessage", message))
            }
        };
        results.push(told.map(|()| result));
    });
    let answer = PyDict::new(py);
    answer.set_item("FailedRecordCount", put.answers.refused_count())?;
    answer.set_item(
        "Records",
        PyList::new(py, results.into_iter().collect::<PyResult<Vec<_>>>()?)?,
    )?;
    if put.is_encrypted {
        answer.set_item("EncryptionType", "KMS")?;
    }
    Ok(answer)
}
