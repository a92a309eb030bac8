//! `GetResourcePolicy`: who else may use a stream or a consumer.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::resource::Resource;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let resource = Resource::named(call)?;
    let kept = resource.account().kept();
    let policy = kept.policies.get(&resource.arn().to_string()).cloned().unwrap_or_default();
    Ok(Members::new().with("Policy", policy))
}
