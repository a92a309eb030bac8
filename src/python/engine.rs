//! `Engine`: streams by name.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;

use crate::clock::Clock;
use crate::engine;
use crate::engine::Distribution;
use crate::engine::Durations;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::EngineOptions;
use crate::engine::Home;
use crate::engine::Limits;
use crate::engine::Mode;
use crate::engine::SEAL_BYTES;
use crate::engine::StoreOptions;
use crate::engine::StreamOptions;
use crate::engine::snapshot::Target;
use crate::engine::stream::check_shard_count;
use crate::python::argument;
use crate::python::clock::PyManualClock;
use crate::service::Kinesis;
use crate::store::Compression;
use crate::store::Durability;
use crate::store::folder;
use crate::threads::Threads;

/// Streams by name; the package's `Engine` is its face.
#[pyclass(name = "Engine", module = "shardstream._core", frozen)]
#[derive(Debug)]
pub(super) struct PyEngine {
    pub(super) engine: Arc<Engine>,
    /// The service over it, which all clients and servers share, and what goes wrong at it on purpose.
    pub(super) kinesis: Arc<Kinesis>,
}

/// The account and region of engines that are not told theirs.
const ACCOUNT: &str = "000000000000";
const REGION: &str = "us-east-1";

/// The store that an engine is opened on.
#[derive(Debug, FromPyObject)]
struct PyStore {
    #[pyo3(item)]
    path: PathBuf,
    #[pyo3(item)]
    durability: String,
    #[pyo3(item)]
    compression: String,
    #[pyo3(item)]
    read_only: bool,
    #[pyo3(item)]
    seal_bytes: usize,
}

impl PyStore {
    fn open(
        self,
        options: impl FnOnce(Option<Home>) -> EngineOptions,
    ) -> Result<Engine, EngineError> {
        let now = Clock::System.now();
        let (disk, lock) = if self.read_only {
            (folder::open_to_read(&self.path)?, None)
        } else {
            let (disk, lock) = folder::open_to_write(&self.path, now)?;
            (disk, Some(lock))
        };
        let durability = match self.durability.as_str() {
            "interval" => Durability::Interval,
            "none" => Durability::None,
            _ => Durability::Commit,
        };
        let compression = compression_of(&self.compression);
        let (read_only, seal_bytes) = (self.read_only, self.seal_bytes);
        let store = StoreOptions { disk, durability, compression, read_only, seal_bytes };
        let engine = Engine::open_with(store, options)?;
        if let Some(lock) = lock {
            engine.hold(lock);
        }
        Ok(engine)
    }
}

#[pymethods]
impl PyEngine {
    #[new]
    #[pyo3(signature = (
        *, clock, limits_aws, region, account_id, seed, threads, durations_ms, shard_limit, store
    ))]
    #[expect(clippy::too_many_arguments, reason = "each is named at the one call there is")]
    fn new(
        py: Python<'_>,
        clock: Option<PyRef<'_, PyManualClock>>,
        limits_aws: bool,
        region: Option<String>,
        account_id: Option<String>,
        seed: u64,
        threads: Option<&Bound<'_, PyAny>>,
        durations_ms: (i64, i64, i64),
        shard_limit: Option<u32>,
        store: Option<PyStore>,
    ) -> PyResult<Self> {
        let clock = clock.map_or(Clock::System, |clock| Clock::Manual(Arc::clone(&clock.clock)));
        let limits = if limits_aws { Limits::Aws } else { Limits::Off };
        let threads = argument::threads(threads)?;
        let (create_ms, update_ms, delete_ms) = durations_ms;
        let durations = Durations { create_ms, delete_ms, update_ms };
        let options = move |home: Option<Home>| {
            let (of_account, of_region) =
                home.map_or((None, None), |home| (Some(home.account), Some(home.region)));
            EngineOptions {
                clock,
                limits,
                region: region.or(of_region).unwrap_or_else(|| REGION.to_owned()),
                account_id: account_id.or(of_account).unwrap_or_else(|| ACCOUNT.to_owned()),
                seed,
                threads,
                durations,
                shard_limit,
            }
        };
        let engine = match store {
            None => Engine::new(options(None)),
            Some(store) => py.detach(|| store.open(options))?,
        };
        let engine = Arc::new(engine);
        let kinesis = Arc::new(Kinesis::new(Arc::clone(&engine)));
        Ok(Self { engine, kinesis })
    }

    /// Writes all streams to a new store in a folder that is empty or not there.
    fn snapshot(&self, py: Python<'_>, path: PathBuf, compression: &str) -> PyResult<()> {
        let compression = compression_of(compression);
        py.detach(|| {
            let disk = folder::open_new(&path)?;
            let root = folder::absolute(&path)?;
            let store = StoreOptions {
                disk,
                durability: Durability::Commit,
                compression,
                read_only: false,
                seal_bytes: SEAL_BYTES,
            };
            self.engine.snapshot(self.engine.now(), Target { store, root })
        })?;
        Ok(())
    }

    /// The account that the engine was made with.
    #[getter]
    fn account_id(&self) -> &str {
        &self.engine.options().account_id
    }

    /// The region that the engine was made with.
    #[getter]
    fn region(&self) -> &str {
        &self.engine.options().region
    }

    /// Creates a stream.
    #[pyo3(signature = (name, *, shards, retention_ms, on_demand, record_bytes_max, tags))]
    #[expect(clippy::too_many_arguments, reason = "each is named at the one call there is")]
    fn create_stream(
        &self,
        py: Python<'_>,
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
        py.detach(|| self.engine.create_stream(self.engine.now(), name, options))?;
        Ok(())
    }

    /// Deletes a stream and its records.
    fn delete_stream(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        Ok(py.detach(|| self.engine.delete_stream(name))?)
    }

    /// The names of the streams, in order.
    fn stream_names(&self) -> PyResult<Vec<String>> {
        Ok(self.engine.stream_names()?)
    }

    /// Does what time has made due.
    fn tick(&self, py: Python<'_>) -> PyResult<()> {
        Ok(py.detach(|| self.engine.tick(self.engine.now()))?)
    }

    /// Lets go of all streams.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        Ok(py.detach(|| self.engine.close())?)
    }

    /// Refuses every later call, in a process that was forked off.
    fn leave_behind(&self) {
        self.engine.leave_behind();
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

/// Looks at every byte of a store and says what is wrong; keeps what can be read, and drops the rest, if it mends.
#[pyfunction]
#[pyo3(signature = (path, *, mends))]
pub(super) fn repair(py: Python<'_>, path: PathBuf, mends: bool) -> PyResult<Vec<String>> {
    let findings = py.detach(|| {
        let root = folder::absolute(&path)?;
        let (disk, lock) = folder::open_to_write(&root, Clock::System.now())?;
        let options = EngineOptions {
            clock: Clock::System,
            limits: Limits::Off,
            region: REGION.to_owned(),
            account_id: ACCOUNT.to_owned(),
            seed: 0,
            threads: Threads::new(None).unwrap_or(Threads::ONE),
            durations: Durations::default(),
            shard_limit: None,
        };
        let store = StoreOptions {
            disk,
            durability: Durability::Commit,
            compression: Compression::None,
            read_only: false,
            seal_bytes: SEAL_BYTES,
        };
        let findings = engine::repair::repair(options, store, mends);
        drop(lock);
        findings
    })?;
    Ok(findings.iter().map(ToString::to_string).collect())
}

fn compression_of(name: &str) -> Compression {
    match name {
        "lz4" => Compression::Lz4,
        "zstd" => Compression::Zstd,
        _ => Compression::None,
    }
}
