//! The engine's refusals in the service's words.

use crate::engine::EngineError;
use crate::service::error::ErrorCode;
use crate::service::error::ServiceError;
use crate::store::StoreError;

/// What the service adds where an account may have no more.
const LIMITS_PAGE: &str = "Refer to the AWS Service Limits page \
     (http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits and how to request higher \
     limits.";

/// That there is no such stream.
pub(crate) fn missing_stream(stream: &str, account: &str) -> ServiceError {
    ServiceError::not_found(format!("Stream {stream} under account {account} not found."))
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        Self::new(ErrorCode::InternalFailure, error.to_string())
    }
}

impl From<EngineError> for ServiceError {
    fn from(error: EngineError) -> Self {
        let words = error.to_string();
        match error {
            EngineError::ConsumerExists { .. }
            | EngineError::StreamBusy { .. }
            | EngineError::StreamExists { .. } => Self::in_use(words),
            EngineError::ShardClosed { shard, stream, account } => Self::invalid_argument(format!(
                "Shard {shard} in stream {stream} under account {account} has already been merged or split, and thus is \
                 not eligible for merging or splitting."
            )),
            EngineError::ShardsExhausted { .. } => {
                Self::limit_exceeded(format!("{words} {LIMITS_PAGE}"))
            }
            EngineError::ShardCountOutOfRange { asked, max } if i64::from(max) < asked => {
                Self::limit_exceeded(words)
            }
            EngineError::ChangesExhausted { .. }
            | EngineError::ConsumersExhausted { .. }
            | EngineError::OnDemandStreamsExhausted { .. }
            | EngineError::TooManyAccounts { .. }
            | EngineError::TooManyConsumersCreating { .. }
            | EngineError::TooManyCreating { .. } => Self::limit_exceeded(words),
            EngineError::StreamNotFound { stream, account, .. } => {
                missing_stream(&stream, &account)
            }
            EngineError::ShardNotFound { .. } => Self::not_found(words),
            EngineError::RateExceeded { .. } => {
                Self::new(ErrorCode::ProvisionedThroughputExceeded, words)
            }
            EngineError::OnDemand { .. } => Self::validation(words),
            EngineError::EntryKey { .. }
            | EngineError::HashKeyOutsideShard { .. }
            | EngineError::Key(_)
            | EngineError::RecordTooLarge { .. }
            | EngineError::RetentionDirection { .. }
            | EngineError::RetentionOutOfRange { .. }
            | EngineError::SequenceNumberForeign { .. }
            | EngineError::SequenceNumberInvalid(_)
            | EngineError::SequenceNumberOfOtherShard { .. }
            | EngineError::ShardCountOutOfRange { .. }
            | EngineError::ShardCountStep { .. }
            | EngineError::ShardTooNarrow { .. }
            | EngineError::ShardsNotAdjacent { .. }
            | EngineError::StreamNameInvalid { .. }
            | EngineError::TagsInvalid { .. }
            | EngineError::TimestampInFuture { .. } => Self::invalid_argument(words),
            EngineError::Data(_)
            | EngineError::FolderInUse { .. }
            | EngineError::EngineClosed
            | EngineError::EngineForked
            | EngineError::Json(_)
            | EngineError::Store(_)
            | EngineError::Unwritable { .. } => Self::new(ErrorCode::InternalFailure, words),
        }
    }
}
