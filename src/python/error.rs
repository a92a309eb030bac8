//! Errors on their way to Python: each of the core's becomes one of the classes of `shardstream.errors`.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::engine::EngineError;
use crate::record::json::JsonError;
use crate::record::key::KeyError;
use crate::record::payload::DataError;
use crate::store::StoreError;

/// Makes an exception of a class of `shardstream.errors`.
pub(super) fn raise(class: &str, message: impl ToString) -> PyErr {
    Python::attach(|py| {
        let made = py
            .import("shardstream.errors")
            .and_then(|errors| errors.getattr(class))
            .and_then(|class| class.call1((message.to_string(),)));
        // Without the package around it the native module still says what was wrong.
        made.map_or_else(|_| PyRuntimeError::new_err(message.to_string()), PyErr::from_value)
    })
}

/// Returns the name of the exception class for an engine's error.
pub(super) fn class_of(error: &EngineError) -> &'static str {
    match error {
        EngineError::Data(error) => data_class(error),
        EngineError::EngineClosed => "EngineClosedError",
        EngineError::EngineForked => "ForkedEngineError",
        EngineError::EntryKey { error, .. } | EngineError::Key(error) => key_class(error),
        EngineError::Json(_) => "RecordDecodeError",
        EngineError::FolderInUse { .. }
        | EngineError::HashKeyOutsideShard { .. }
        | EngineError::RetentionDirection { .. }
        | EngineError::RetentionOutOfRange { .. }
        | EngineError::SequenceNumberForeign { .. }
        | EngineError::SequenceNumberInvalid(_)
        | EngineError::SequenceNumberOfOtherShard { .. }
        | EngineError::ShardClosed { .. }
        | EngineError::ShardCountStep { .. }
        | EngineError::ShardTooNarrow { .. }
        | EngineError::ShardsNotAdjacent { .. }
        | EngineError::TagsInvalid { .. }
        | EngineError::TimestampInFuture { .. } => "InvalidArgumentException",
        EngineError::ChangesExhausted { .. }
        | EngineError::ConsumersExhausted { .. }
        | EngineError::OnDemandStreamsExhausted { .. }
        | EngineError::ShardsExhausted { .. }
        | EngineError::TooManyAccounts { .. }
        | EngineError::TooManyConsumersCreating { .. }
        | EngineError::TooManyCreating { .. } => "LimitExceededException",
        EngineError::RateExceeded { .. } => "ProvisionedThroughputExceededException",
        EngineError::ShardCountOutOfRange { asked, max } if i64::from(*max) < *asked => {
            "LimitExceededException"
        }
        EngineError::OnDemand { .. }
        | EngineError::RecordTooLarge { .. }
        | EngineError::ShardCountOutOfRange { .. }
        | EngineError::StreamNameInvalid { .. } => "ValidationException",
        EngineError::ShardNotFound { .. } | EngineError::StreamNotFound { .. } => {
            "ResourceNotFoundException"
        }
        EngineError::Store(error) => store_class(error),
        EngineError::Unwritable { .. } => "ColumnTypeError",
        EngineError::ConsumerExists { .. }
        | EngineError::StreamBusy { .. }
        | EngineError::StreamExists { .. } => "ResourceInUseException",
    }
}

pub(super) fn store_class(error: &StoreError) -> &'static str {
    match error {
        StoreError::Closed => "EngineClosedError",
        StoreError::Damaged { .. } => "StoreDamagedError",
        StoreError::Forked { .. } => "ForkedEngineError",
        StoreError::Full { .. } => "StoreFullError",
        StoreError::Locked { .. } => "StoreLockedError",
        StoreError::Poisoned { .. } => "StorePoisonedError",
        StoreError::ReadOnly { .. } => "StoreReadOnlyError",
        StoreError::TooNew { .. } => "StoreVersionError",
        StoreError::Io { .. } => "StoreError",
    }
}

pub(super) fn key_class(error: &KeyError) -> &'static str {
    match error {
        KeyError::Empty { .. } | KeyError::Null { .. } | KeyError::TooLong { .. } => {
            "ValidationException"
        }
        KeyError::NotText { .. } => "ColumnTypeError",
    }
}

pub(super) fn data_class(error: &DataError) -> &'static str {
    match error {
        DataError::Null { .. } => "ValidationException",
        DataError::NotBytes { .. } => "ColumnTypeError",
    }
}

impl From<EngineError> for PyErr {
    fn from(error: EngineError) -> Self {
        raise(class_of(&error), error)
    }
}

impl From<StoreError> for PyErr {
    fn from(error: StoreError) -> Self {
        raise(store_class(&error), error)
    }
}

impl From<JsonError> for PyErr {
    fn from(error: JsonError) -> Self {
        raise("RecordDecodeError", error)
    }
}

impl From<KeyError> for PyErr {
    fn from(error: KeyError) -> Self {
        raise(key_class(&error), error)
    }
}

impl From<DataError> for PyErr {
    fn from(error: DataError) -> Self {
        raise(data_class(&error), error)
    }
}
