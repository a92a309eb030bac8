//! `Faults`: what goes wrong on purpose.

use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::python::engine::PyEngine;
use crate::record::sequence::ShardIndex;
use crate::service::Faults;
use crate::service::Kinesis;
use crate::service::faults::Fired;
use crate::service::faults::Kind;
use crate::service::faults::Scope;
use crate::service::faults::When;

/// What goes wrong on purpose at an engine's clients and servers; the package's `Faults` is its face.
#[pyclass(name = "Faults", module = "shardstream._core", frozen)]
#[derive(Debug)]
pub(super) struct PyFaults {
    faults: Arc<Faults>,
}

/// What a fault is, as its face gives it: the members that its kind has.
#[derive(Debug, FromPyObject)]
struct PyKind {
    #[pyo3(item)]
    name: String,
    #[pyo3(item, default)]
    after_events: u64,
    #[pyo3(item, default)]
    after_records: Option<u64>,
    #[pyo3(item, default)]
    after_write: bool,
    #[pyo3(item, default)]
    code: String,
    #[pyo3(item, default)]
    indexes: Vec<usize>,
    #[pyo3(item, default)]
    latency_ms: u64,
    #[pyo3(item, default)]
    shards: Option<u32>,
}

impl PyKind {
    fn kind(self) -> Option<Kind> {
        let Self { name, after_events, after_records, after_write, code, indexes, .. } = self;
        Some(match name.as_str() {
            "drop_connection" => Kind::DropConnection { after_write },
            "drop_subscription" => Kind::DropSubscription { after_events },
            "duplicate_delivery" => Kind::Duplicate,
            "empty_pages" => Kind::EmptyPage,
            "expire_iterators" => Kind::ExpireIterators,
            "fail_records" => Kind::FailRecords { indexes, code },
            "internal_failure" => Kind::InternalFailure,
            "latency" => Kind::Latency { ms: self.latency_ms },
            "reshard" => Kind::Reshard { after_records, shards: self.shards },
            "throttle" => Kind::Throttle,
            _ => return None,
        })
    }
}

#[pymethods]
impl PyFaults {
    #[new]
    fn new(engine: PyRef<'_, PyEngine>) -> Self {
        Self { faults: Arc::clone(engine.kinesis.faults()) }
    }

    /// Adds a fault and returns its place; none where there is no such kind, operation or shard.
    #[pyo3(signature = (kind, *, operation, stream, shard, at, rate, times))]
    #[expect(clippy::too_many_arguments, reason = "each is named at the one call there is")]
    fn add(
        &self,
        kind: PyKind,
        operation: Option<&str>,
        stream: Option<String>,
        shard: Option<&str>,
        at: Option<Vec<u64>>,
        rate: Option<f64>,
        times: Option<u64>,
    ) -> Option<usize> {
        let known = |name| Kinesis::operation(name).ok().map(|operation| operation.name);
        let operation = match operation {
            Some(name) => Some(known(name)?),
            None => None,
        };
        let shard = match shard {
            Some(id) => Some(ShardIndex::parse(id)?),
            None => None,
        };
        let scope = Scope { operation, stream, shard };
        Some(self.faults.add(kind.kind()?, scope, When { at, rate, times }))
    }

    /// At how many calls each happened, in order.
    fn counts(&self) -> Vec<u64> {
        self.faults.rules().iter().map(|rule| rule.fired).collect()
    }

    /// Lets one strike no more.
    fn end(&self, place: usize) {
        self.faults.end(place);
    }

    /// Lets chance choose of so many calls of a hundred.
    fn chaos(&self, seed: u64, percent: u8) {
        self.faults.unleash(seed, percent);
    }

    /// Forgets all of them, and draws from a seed from now on.
    fn reset(&self, seed: u64) {
        self.faults.reset(seed);
    }

    /// What happened, in order: dictionaries.
    fn fired<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        self.faults.fired().iter().map(|fired| told(py, fired)).collect()
    }
}

fn told<'py>(py: Python<'py>, fired: &Fired) -> PyResult<Bound<'py, PyDict>> {
    let facts = PyDict::new(py);
    let (name, own) = kind_facts(&fired.kind);
    facts.set_item("kind", name)?;
    facts.set_item("place", fired.rule)?;
    facts.set_item("op", fired.operation)?;
    facts.set_item("call", fired.call)?;
    facts.set_item("stream", &fired.stream)?;
    facts.set_item("shard_id", fired.shard.map(|shard| shard.to_string()))?;
    let members = PyDict::new(py);
    for (name, number) in own {
        members.set_item(name, number)?;
    }
    if let Kind::FailRecords { indexes, code } = &fired.kind {
        members.set_item("indexes", indexes)?;
        members.set_item("code", code)?;
    }
    if let Kind::DropConnection { after_write } = fired.kind {
        members.set_item("after_write", after_write)?;
    }
    facts.set_item("members", members)?;
    Ok(facts)
}

/// A kind by its name, with the numbers that it has.
fn kind_facts(kind: &Kind) -> (&'static str, BTreeMap<&'static str, u64>) {
    match *kind {
        Kind::DropConnection { .. } => ("drop_connection", BTreeMap::new()),
        Kind::DropSubscription { after_events } => {
            ("drop_subscription", [("after_events", after_events)].into())
        }
        Kind::Duplicate => ("duplicate_delivery", BTreeMap::new()),
        Kind::EmptyPage => ("empty_pages", BTreeMap::new()),
        Kind::ExpireIterators => ("expire_iterators", BTreeMap::new()),
        Kind::FailRecords { .. } => ("fail_records", BTreeMap::new()),
        Kind::InternalFailure => ("internal_failure", BTreeMap::new()),
        Kind::Latency { ms } => ("latency", [("ms", ms)].into()),
        Kind::Reshard { after_records, shards } => {
            let records = after_records.map(|records| ("after_records", records));
            let shards = shards.map(|shards| ("shards", u64::from(shards)));
            ("reshard", records.into_iter().chain(shards).collect())
        }
        Kind::Throttle => ("throttle", BTreeMap::new()),
    }
}
