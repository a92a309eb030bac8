//! `DescribeStreamSummary`: a stream without its shards.

use crate::engine::Mode;
use crate::engine::Status;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::views;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let (stream, account) = call.stream_and_account()?;
    let settings = stream.settings(call.now)?;
    let consumers = stream.consumers(call.now)?.len();
    let open = match stream.status(call.now)? {
        Status::Creating => 0,
        _ => stream.open_shard_count(call.now)?,
    };
    let summary = views::stream(call, &stream, &account)?
        .with("OpenShardCount", u32::try_from(open).unwrap_or(u32::MAX))
        .with("ConsumerCount", u32::try_from(consumers).unwrap_or(u32::MAX))
        .with("MaxRecordSizeInKiB", views::kib(settings.record_bytes_max));
    let summary = match settings.warm_throughput {
        Some(_) if settings.mode == Mode::OnDemand => {
            summary.with("WarmThroughput", views::warm_throughput(&settings))
        }
        _ => summary,
    };
    let summary = match settings.mode {
        Mode::OnDemand => {
            summary.with("RecordDistributionStrategy", views::distribution(settings.distribution))
        }
        Mode::Provisioned => summary,
    };
    Ok(Members::new().with("StreamDescriptionSummary", summary))
}
