//! `ListTagsForResource`: the labels of a stream or a consumer.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::resource::Resource;
use crate::service::value::Members;
use crate::service::value::Value;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let tags = match Resource::named(call)? {
        Resource::Stream(stream, _) => stream.settings(call.now)?.tags,
        Resource::Consumer(consumer) => {
            let kept = consumer.account.kept();
            kept.resource_tags.get(&consumer.arn().to_string()).cloned().unwrap_or_default()
        }
    };
    let tag = |(key, value): (String, String)| Members::new().with("Key", key).with("Value", value);
    let tags: Vec<Value> = tags.into_iter().map(tag).map(Value::from).collect();
    Ok(Members::new().with("Tags", tags))
}
