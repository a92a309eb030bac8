//! How often operations may be asked for, where limits hold; operations on records are counted by their shards instead.

use crate::clock::Millis;
use crate::engine::Account;
use crate::service::arn::Arn;
use crate::service::error::ServiceError;
use crate::service::kinesis::model::Operation;
use crate::service::value::Members;

/// What requests are counted by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum By {
    /// The account that asks.
    Account,
    /// The stream that they are about.
    Stream,
}

/// Requests of an operation in a second, at most: the documentation of each operation, and the developer guide's table
/// for those that say nothing of it.
fn rate(operation: &str) -> Option<(i64, By)> {
    Some(match operation {
        "GetRecords" | "GetShardIterator" | "PutRecord" | "PutRecords" | "SubscribeToShard" => {
            return None;
        }
        "DescribeLimits" => (1, By::Account),
        "DescribeStream" | "UpdateShardCount" => (10, By::Account),
        "DescribeStreamSummary" => (20, By::Account),
        "DescribeStreamConsumer" => (20, By::Stream),
        "DeregisterStreamConsumer" | "ListStreamConsumers" => (5, By::Stream),
        "ListShards" => (1_000, By::Stream),
        _ => (5, By::Account),
    })
}

/// Counts a request, and refuses it when it comes too soon after others.
pub(super) fn admit(
    now: Millis,
    account: &Account,
    operation: &'static Operation,
    input: &Members,
) -> Result<(), ServiceError> {
    let Some((per_second, by)) = rate(operation.name) else { return Ok(()) };
    let arn = input.text("StreamARN").or_else(|| input.text("ConsumerARN")).and_then(Arn::parse);
    let stream = input.text("StreamName").map(str::to_owned).or_else(|| arn.map(|arn| arn.stream));
    let counted_by = match by {
        By::Account => "",
        By::Stream => stream.as_deref().unwrap_or_default(),
    };
    if account.admit_request(now, operation.name, counted_by, per_second) {
        return Ok(());
    }
    let of_stream = stream.map(|stream| format!("stream {stream} under ")).unwrap_or_default();
    Err(ServiceError::limit_exceeded(format!(
        "Rate exceeded for {of_stream}account {}.",
        account.id()
    )))
}
