//! `TagResource`: labels a stream or a consumer.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::resource::Resource;
use crate::service::kinesis::tags;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    match Resource::named(call)? {
        Resource::Stream(stream, _) => tags::add(call, &stream, call.input.map("Tags"))?,
        Resource::Consumer(consumer) => {
            let of = tags::of_consumer(&consumer.consumer.name, &consumer.stream);
            consumer.account.change(|kept| {
                let of_consumer = kept.resource_tags.entry(consumer.arn().to_string()).or_default();
                tags::join(of_consumer, call.input.map("Tags"), &of)
            })?;
        }
    }
    Ok(Members::new())
}
