//! Metrics of single shards, on and off.

use std::collections::BTreeSet;

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::views;
use crate::service::value::Members;
use crate::service::value::Value;

/// Every metric there is of a shard.
const METRICS: [&str; 7] = [
    "IncomingBytes",
    "IncomingRecords",
    "IteratorAgeMilliseconds",
    "OutgoingBytes",
    "OutgoingRecords",
    "ReadProvisionedThroughputExceeded",
    "WriteProvisionedThroughputExceeded",
];

/// Changes which metrics are kept, and answers those that were and those that are to be.
pub(super) fn alter(
    call: &Call<'_>,
    change: fn(&BTreeSet<String>, &BTreeSet<String>) -> BTreeSet<String>,
) -> Result<Members, ServiceError> {
    let (stream, account) = call.stream_and_account()?;
    let mut named: BTreeSet<String> =
        call.input.texts("ShardLevelMetrics").map(str::to_owned).collect();
    if named.remove("ALL") {
        named.extend(METRICS.map(str::to_owned));
    }
    let (before, after) = stream.alter(call.now, |settings| {
        let after = change(&settings.shard_metrics, &named);
        let before = std::mem::replace(&mut settings.shard_metrics, after.clone());
        Ok((before, after))
    })?;
    let list =
        |metrics: BTreeSet<String>| metrics.into_iter().map(Value::from).collect::<Vec<Value>>();
    Ok(views::stream_names(&stream, &account)
        .with("CurrentShardLevelMetrics", list(before))
        .with("DesiredShardLevelMetrics", list(after)))
}
