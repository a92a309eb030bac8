//! `UntagResource`: takes labels off a stream or a consumer.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::resource::Resource;
use crate::service::kinesis::tags;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let keys = call.input.texts("TagKeys");
    match Resource::named(call)? {
        Resource::Stream(stream, _) => tags::remove(call, &stream, keys)?,
        Resource::Consumer(consumer) => {
            consumer.account.change(|kept| {
                if let Some(of_consumer) = kept.resource_tags.get_mut(&consumer.arn().to_string()) {
                    keys.for_each(|key| drop(of_consumer.remove(key)));
                }
                Ok::<(), ServiceError>(())
            })?;
        }
    }
    Ok(Members::new())
}
