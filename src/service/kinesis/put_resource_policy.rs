//! `PutResourcePolicy`: says who else may use a stream or a consumer.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::resource::Resource;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let resource = Resource::named(call)?;
    let policy = call.input.text("Policy").unwrap_or_default();
    if serde_json::from_str::<serde::de::IgnoredAny>(policy).is_err()
        || !policy.trim_start().starts_with('{')
    {
        let message = "The resource policy is not a valid JSON object.";
        return Err(ServiceError::invalid_argument(message));
    }
    resource.account().change(|kept| {
        kept.policies.insert(resource.arn().to_string(), policy.to_owned());
        Ok::<Members, ServiceError>(Members::new())
    })
}
