//! `RegisterStreamConsumer`: registers a consumer with throughput of its own.

use crate::limits::CONSUMERS_PER_STREAM_ADVANTAGE_MAX;
use crate::limits::CONSUMERS_PER_STREAM_MAX;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::tags;
use crate::service::kinesis::views;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let (stream, account) = call.stream_and_account()?;
    let max = if account.kept().commitment.holds(call.now) {
        CONSUMERS_PER_STREAM_ADVANTAGE_MAX
    } else {
        CONSUMERS_PER_STREAM_MAX
    };
    let name = call.input.text("ConsumerName").unwrap_or_default();
    let tags = tags::checked(call.input.map("Tags"), &tags::of_consumer(name, &stream))?;
    let consumer = stream.register_consumer(call.now, name, max)?;
    let arn = Call::arn(&stream, &account).of_consumer(name, consumer.created);
    account.change(|kept| {
        kept.resource_tags.insert(arn.to_string(), tags);
        Ok::<(), ServiceError>(())
    })?;
    Ok(Members::new().with("Consumer", views::consumer(&consumer, &arn)))
}
