//! The seam: the only place that knows Python; one file per family of classes.

#![expect(
    clippy::doc_markdown,
    reason = "docstrings here are for Python's readers, in Google's style"
)]

mod answers;
mod argument;
mod attentive;
mod capacity;
mod client;
mod clock;
mod engine;
mod error;
mod faults;
mod gets;
mod given;
mod puts;
mod query;
mod record;
mod replay;
mod server;
mod source;
mod stream;
mod table;
mod value;
mod write;

use mimalloc::MiMalloc;
use pyo3::pymodule;

/// Windows and results take and give back memory by the megabyte; an allocator that keeps what was given back spares the
/// pages that the system would have to clear again.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The native part of shardstream; its face is the package `shardstream`.
#[pymodule]
mod _core {
    #[pymodule_export]
    use super::answers::PyEndpoint;
    #[pymodule_export]
    use super::answers::PyFrames;
    #[pymodule_export]
    use super::capacity::explain_hot_of;
    #[pymodule_export]
    use super::capacity::traffic_of;
    #[pymodule_export]
    use super::client::PyKinesis;
    #[pymodule_export]
    use super::client::PySubscription;
    #[pymodule_export]
    use super::clock::PyManualClock;
    #[pymodule_export]
    use super::engine::PyEngine;
    #[pymodule_export]
    use super::engine::leave_engines_behind;
    #[pymodule_export]
    use super::engine::repair;
    #[pymodule_export]
    use super::faults::PyFaults;
    #[pymodule_export]
    use super::query::PyAnswer;
    #[pymodule_export]
    use super::query::PyQuery;
    #[pymodule_export]
    use super::query::PyQueryFollow;
    #[pymodule_export]
    use super::record::PyRecord;
    #[pymodule_export]
    use super::record::PyRecordIterator;
    #[pymodule_export]
    use super::record::PyRecords;
    #[pymodule_export]
    use super::replay::PyReplay;
    #[pymodule_export]
    use super::server::PyServer;
    #[pymodule_export]
    use super::stream::PyFollow;
    #[pymodule_export]
    use super::stream::PyShard;
    #[pymodule_export]
    use super::stream::PyStream;
    #[pymodule_export]
    use super::table::PyTable;
    #[pymodule_export]
    use super::write::PyPutError;
    #[pymodule_export]
    use super::write::PyPutManyResult;
    #[pymodule_export]
    use super::write::PyPutResult;
    #[pymodule_export]
    use super::write::PyWriteReport;
}
