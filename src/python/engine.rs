//! `Engine`: streams by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::prelude::*;

use crate::clock::Clock;
use crate::engine::Distribution;
use crate::engine::Durations;
use crate::engine::Engine;
use crate::engine::EngineOptions;
use crate::engine::Limits;
use crate::engine::Mode;
use crate::engine::StreamOptions;
use crate::engine::stream::check_shard_count;
use crate::python::argument;
use crate::python::clock::PyManualClock;

/// Streams by name; the package's `Engine` is its face.
#[pyclass(name = "Engine", module = "shardstream._core", frozen)]
#[derive(Debug)]
pub(super) struct PyEngine {
    pub(super) engine: Arc<Engine>,
}

#[pymethods]
impl PyEngine {
    #[new]
    #[pyo3(signature = (*, clock, limits_aws, region, account_id, seed, threads, durations_ms, shard_limit))]
    #[expect(clippy::too_many_arguments, reason = "each is named at the one call there is")]
    fn new(
        clock: Option<PyRef<'_, PyManualClock>>,
        limits_aws: bool,
        region: String,
        account_id: String,
        seed: u64,
        threads: Option<&Bound<'_, PyAny>>,
        durations_ms: (i64, i64, i64),
        shard_limit: Option<u32>,
    ) -> PyResult<Self> {
        let clock = clock.map_or(Clock::System, |clock| Clock::Manual(Arc::clone(&clock.clock)));
        let limits = if limits_aws { Limits::Aws } else { Limits::Off };
        let threads = argument::threads(threads)?;
        let (create_ms, update_ms, delete_ms) = durations_ms;
        let durations = Durations { create_ms, delete_ms, update_ms };
        let options = EngineOptions {
            clock,
            limits,
            region,
            account_id,
            seed,
            threads,
            durations,
            shard_limit,
        };
        Ok(Self { engine: Arc::new(Engine::new(options)) })
    }

    /// Creates a stream.
    #[pyo3(signature = (name, *, shards, retention_ms, on_demand, record_bytes_max, tags))]
    fn create_stream(
        &self,
        name: &str,
        shards: i64,
        retention_ms: i64,
        on_demand: bool,
        record_bytes_max: usize,
        tags: BTreeMap<String, String>,
    ) -> PyResult<()> {
        let options = StreamOptions {
            shard_count: check_shard_count(shards)?,
            retention_ms,
            mode: if on_demand { Mode::OnDemand } else { Mode::Provisioned },
            record_bytes_max,
            tags,
            distribution: Distribution::ByKey,
            warm_throughput: None,
        };
        self.engine.create_stream(self.engine.now(), name, options)?;
        Ok(())
    }

    /// Deletes a stream and its records.
    fn delete_stream(&self, name: &str) -> PyResult<()> {
        Ok(self.engine.delete_stream(name)?)
    }

    /// The names of the streams, in order.
    fn stream_names(&self) -> PyResult<Vec<String>> {
        Ok(self.engine.stream_names()?)
    }

    /// Does what time has made due.
    fn tick(&self) -> PyResult<()> {
        Ok(self.engine.tick(self.engine.now())?)
    }

    /// Lets go of all streams.
    fn close(&self) -> PyResult<()> {
        Ok(self.engine.close()?)
    }

    /// Whether the engine was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.engine.is_closed()
    }

    /// How many threads writes and queries use at most.
    #[getter]
    fn threads(&self) -> usize {
        self.engine.options().threads.count()
    }

    /// The engine's time, in milliseconds since 1970.
    fn now_ms(&self) -> i64 {
        self.engine.now().0
    }
}
