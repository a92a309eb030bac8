//! `CreateStream`: makes a stream.

use crate::engine::Distribution;
use crate::engine::Mode;
use crate::engine::StreamOptions;
use crate::limits::DAY_MS;
use crate::limits::ON_DEMAND_SHARDS_START;
use crate::limits::RECORD_BYTES_MAX;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::tags;
use crate::service::kinesis::warm;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let input = call.input;
    let name = input.text("StreamName").unwrap_or_default();
    let mode = input.structure("StreamModeDetails").and_then(|details| details.text("StreamMode"));
    let mode = if mode == Some("ON_DEMAND") { Mode::OnDemand } else { Mode::Provisioned };
    let (warm, warm_shards) = warm::checked(call, &call.account, mode)?;
    let shard_count = match (mode, input.integer("ShardCount")) {
        (Mode::OnDemand, Some(_)) => {
            let message = "Shard count cannot be specified for streams in ON_DEMAND mode.";
            return Err(ServiceError::validation(message));
        }
        (Mode::OnDemand, None) => ON_DEMAND_SHARDS_START.max(warm_shards),
        (Mode::Provisioned, None) => {
            let message = "ShardCount must be specified for streams in PROVISIONED mode.";
            return Err(ServiceError::validation(message));
        }
        (Mode::Provisioned, Some(count)) => u32::try_from(count).unwrap_or(u32::MAX),
    };
    if shard_count == 0 {
        return Err(ServiceError::validation(
            "1 validation error detected: Value '0' at 'shardCount' failed to satisfy constraint: Member must have \
             value greater than or equal to 1",
        ));
    }
    let distribution = match input.text("RecordDistributionStrategy") {
        Some("AUTO") if mode == Mode::Provisioned => {
            let message = "RecordDistributionStrategy AUTO is for streams in ON_DEMAND mode.";
            return Err(ServiceError::invalid_argument(message));
        }
        Some("AUTO") => Distribution::Auto,
        _ => Distribution::ByKey,
    };
    let kib = input.integer("MaxRecordSizeInKiB").and_then(|kib| usize::try_from(kib).ok());
    let of = format!("stream {name} under account {}", call.account.id());
    let options = StreamOptions {
        shard_count,
        retention_ms: DAY_MS,
        mode,
        record_bytes_max: kib.map_or(RECORD_BYTES_MAX, |kib| kib * 1024),
        tags: tags::checked(input.map("Tags"), &of)?,
        distribution,
        warm_throughput: warm,
    };
    call.engine.create_stream_in(&call.account, call.now, name, options)?;
    Ok(Members::new())
}
