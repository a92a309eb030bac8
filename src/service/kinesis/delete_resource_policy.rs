//! `DeleteResourcePolicy`: forgets who else may use a stream or a consumer.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::resource::Resource;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let resource = Resource::named(call)?;
    let arn = resource.arn().to_string();
    if resource.account().policies().lock().remove(&arn).is_none() {
        return Err(ServiceError::not_found(format!(
            "No resource policy found for resource ARN {arn}."
        )));
    }
    Ok(Members::new())
}
