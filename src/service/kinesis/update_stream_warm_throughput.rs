//! `UpdateStreamWarmThroughput`: readies an on-demand stream for a throughput.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::views;
use crate::service::kinesis::warm;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let (stream, account) = call.stream_and_account()?;
    let (warm, shards) = warm::checked(call, &account, stream.mode()?)?;
    warm::check_room(call, &account, &stream, shards)?;
    let settings = stream.alter_and_scale(call.now, shards, |settings| {
        settings.warm_throughput = warm;
        Ok(settings.clone())
    })?;
    Ok(views::stream_names(&stream, &account)
        .with("WarmThroughput", views::warm_throughput(&settings)))
}
