//! `DeleteResourcePolicy`: forgets who else may use a stream or a consumer.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::resource::Resource;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let resource = Resource::named(call)?;
    let arn = resource.arn().to_string();
    resource.account().change(|kept| match kept.policies.remove(&arn) {
        Some(_) => Ok(Members::new()),
        None => Err(ServiceError::not_found(format!(
            "No resource policy found for resource ARN {arn}."
        ))),
    })
}
