//! Which shard took what and when, and what would have helped a hot one: facts, for the package to tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::Float64Array;
use arrow_array::Int64Array;
use arrow_array::RecordBatch;
use arrow_array::StringArray;
use arrow_array::TimestampMillisecondArray;
use arrow_schema::ArrowError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::capacity::Bin;
use crate::capacity::HotReport;
use crate::capacity::HotShard;
use crate::capacity::ShardTraffic;
use crate::capacity::explain_hot;
use crate::capacity::traffic;
use crate::clock::Millis;
use crate::engine::EngineError;
use crate::engine::position::Cut;
use crate::engine::position::Position;
use crate::engine::shard::Shard;
use crate::engine::slice::Slice;
use crate::engine::timeline::Timeline;
use crate::python::attentive::attentive;
use crate::python::error::raise;
use crate::python::stream::PyStream;
use crate::python::table::PyTable;
use crate::record::sequence::ShardIndex;
use crate::threads::Threads;

/// What the shards of a stream took, as tables; of the `newest` records, where there are more.
#[pyfunction]
#[pyo3(name = "traffic", signature = (stream, *, bins, newest, time))]
pub(super) fn traffic_of<'py>(
    py: Python<'py>,
    stream: PyRef<'py, PyStream>,
    bins: usize,
    newest: Option<u64>,
    time: Option<String>,
) -> PyResult<Bound<'py, PyDict>> {
    let kept = stream.stream.record_count(stream.engine.now())?;
    let Looked { shards, refused, slices, threads } = Looked::at(&stream, newest)?;
    let surveyed: usize = slices.iter().map(Slice::len).sum();
    let found = attentive(py, move |go_on| {
        traffic(&shards, &refused, &slices, time.as_deref(), bins, threads, go_on)
    })?;
    let facts = PyDict::new(py);
    facts.set_item("records", kept)?;
    facts.set_item("surveyed", surveyed)?;
    facts.set_item("bin_ms", found.bin_ms)?;
    facts.set_item("start_ms", found.span.map(|(start, _)| start.0))?;
    facts.set_item("end_ms", found.span.map(|(_, end)| end.0))?;
    facts.set_item("shards", table(shard_table(&found.shards))?)?;
    facts.set_item("history", table(history_table(&found.shards))?)?;
    Ok(facts)
}

/// Which shards were hot, which keys made them so, and what would have helped.
#[pyfunction]
#[pyo3(name = "explain_hot", signature = (stream, *, top, newest, time))]
pub(super) fn explain_hot_of<'py>(
    py: Python<'py>,
    stream: PyRef<'py, PyStream>,
    top: usize,
    newest: Option<u64>,
    time: Option<String>,
) -> PyResult<Bound<'py, PyDict>> {
    let Looked { shards, refused, slices, threads } = Looked::at(&stream, newest)?;
    let open: Vec<ShardIndex> =
        shards.iter().filter(|shard| shard.is_open()).map(|shard| shard.birth.shard).collect();
    let report = attentive(py, move |go_on| {
        explain_hot(&shards, &slices, time.as_deref(), top, threads, go_on)
    })?;
    let facts = counts(py, report.total)?;
    facts.set_item("refused", all_refused(&refused))?;
    facts.set_item("splitting", report.splitting)?;
    facts.set_item("salting", by_sub_keys(py, &report.salting)?)?;
    facts.set_item("keys", table(key_table(&report))?)?;
    let shards = report.shards.iter().map(|shard| {
        let facts = shard_facts(py, shard)?;
        let refused = refused.get(&shard.shard);
        facts.set_item("refused", refused.map_or(0, Timeline::total))?;
        facts.set_item("is_open", open.binary_search(&shard.shard).is_ok())?;
        Ok(facts)
    });
    facts.set_item("shards", shards.collect::<PyResult<Vec<_>>>()?)?;
    Ok(facts)
}

fn all_refused(refused: &BTreeMap<ShardIndex, Timeline<u64>>) -> u64 {
    refused.values().map(Timeline::total).sum()
}

/// What is looked at of a stream.
struct Looked {
    shards: Vec<Shard>,
    refused: BTreeMap<ShardIndex, Timeline<u64>>,
    slices: Vec<Slice>,
    threads: Threads,
}

impl Looked {
    /// Takes the newest records of a stream, all of them unless so many are asked for.
    fn at(stream: &PyStream, newest: Option<u64>) -> Result<Self, EngineError> {
        let now = stream.engine.now();
        let stream = &stream.stream;
        let oldest = stream.start_cut(now, Position::TrimHorizon, None)?;
        let latest = stream.start_cut(now, Position::Latest, None)?;
        let from = newest.map_or(oldest, |newest| oldest.max(Cut(latest.0.saturating_sub(newest))));
        Ok(Self {
            shards: stream.shards(now)?,
            refused: stream.refused(now)?,
            slices: stream.read(now, from, latest, None, usize::MAX)?.0,
            threads: stream.threads(),
        })
    }
}

fn counts(py: Python<'_>, total: Bin) -> PyResult<Bound<'_, PyDict>> {
    let facts = PyDict::new(py);
    facts.set_item("records", total.records)?;
    facts.set_item("bytes", total.bytes)?;
    facts.set_item("over_limit", total.over_limit)?;
    Ok(facts)
}

fn shard_facts<'py>(py: Python<'py>, shard: &HotShard) -> PyResult<Bound<'py, PyDict>> {
    let facts = counts(py, shard.total)?;
    facts.set_item("shard_id", shard.shard.to_string())?;
    facts.set_item("is_by_records", shard.is_by_records)?;
    facts.set_item("worst_second", shard.worst.at)?;
    facts.set_item("worst_second_over_limit", shard.worst.over_limit)?;
    facts.set_item("seconds_over_limit", shard.seconds_over)?;
    facts.set_item("keys", shard.keys)?;
    facts.set_item("uncounted", shard.uncounted)?;
    facts.set_item("explicit", shard.explicit)?;
    facts.set_item("salted_keys", &shard.salted_keys)?;
    facts.set_item("split", shard.split.map(|split| (split.at.0, split.over_limit)))?;
    facts.set_item("salted", by_sub_keys(py, &shard.salted)?)?;
    Ok(facts)
}

fn by_sub_keys<'py>(py: Python<'py>, counts: &[(u32, u64)]) -> PyResult<Bound<'py, PyDict>> {
    let salted = PyDict::new(py);
    counts.iter().try_for_each(|(sub_keys, count)| salted.set_item(sub_keys, count))?;
    Ok(salted)
}

fn table(batch: Result<RecordBatch, ArrowError>) -> PyResult<PyTable> {
    let batch = batch.map_err(|error| raise("ShardstreamError", error))?;
    Ok(PyTable::new(batch.schema(), vec![batch]))
}

fn text(values: impl ExactSizeIterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn numbers(values: impl Iterator<Item = u64>) -> ArrayRef {
    let fits = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    Arc::new(Int64Array::from_iter_values(values.map(fits)))
}

fn instants(values: impl Iterator<Item = Option<Millis>>) -> ArrayRef {
    let times: TimestampMillisecondArray = values.map(|time| time.map(|time| time.0)).collect();
    Arc::new(times.with_timezone("UTC"))
}

fn shard_table(shards: &[ShardTraffic]) -> Result<RecordBatch, ArrowError> {
    let number = |of: fn(&ShardTraffic) -> u64| numbers(shards.iter().map(of));
    let times = || shards.iter().map(|shard| shard.times);
    RecordBatch::try_from_iter_with_nullable([
        ("shard_id", text(shards.iter().map(|shard| shard.shard.to_string())), false),
        ("records", number(|shard| shard.total.records), false),
        ("bytes", number(|shard| shard.total.bytes), false),
        ("throttled", number(|shard| shard.refused), false),
        ("over_limit", number(|shard| shard.total.over_limit), false),
        ("first_arrival", instants(times().map(|times| times.map(|(first, _)| first))), true),
        ("last_arrival", instants(times().map(|times| times.map(|(_, last)| last))), true),
    ])
}

fn history_table(shards: &[ShardTraffic]) -> Result<RecordBatch, ArrowError> {
    let of_shard = |shard: &'_ ShardTraffic| -> Vec<(ShardIndex, Millis, Bin, u64)> {
        let bins = shard.bins.iter();
        bins.map(|&(start, bin, refused)| (shard.shard, start, bin, refused)).collect()
    };
    let rows: Vec<_> = shards.iter().flat_map(of_shard).collect();
    let number = |of: fn(&(ShardIndex, Millis, Bin, u64)) -> u64| numbers(rows.iter().map(of));
    RecordBatch::try_from_iter([
        ("shard_id", text(rows.iter().map(|(shard, ..)| shard.to_string()))),
        ("time", instants(rows.iter().map(|&(_, start, ..)| Some(start)))),
        ("records", number(|(_, _, bin, _)| bin.records)),
        ("bytes", number(|(_, _, bin, _)| bin.bytes)),
        ("throttled", number(|&(.., refused)| refused)),
        ("over_limit", number(|(_, _, bin, _)| bin.over_limit)),
    ])
}

fn key_table(report: &HotReport) -> Result<RecordBatch, ArrowError> {
    let keys = &report.keys;
    RecordBatch::try_from_iter([
        ("shard_id", text(keys.iter().map(|key| key.shard.to_string()))),
        ("partition_key", text(keys.iter().map(|key| key.key.clone()))),
        ("records", numbers(keys.iter().map(|key| key.records))),
        ("bytes", numbers(keys.iter().map(|key| key.bytes))),
        ("share", Arc::new(Float64Array::from_iter_values(keys.iter().map(|key| key.share)))),
    ])
}
