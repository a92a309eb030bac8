//! `DeregisterStreamConsumer`: takes a consumer away.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::consumers;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let found = consumers::named(call)?;
    found.stream.deregister_consumer(call.now, &found.consumer.name)?;
    let arn = found.arn().to_string();
    found.account.resource_tags().lock().remove(&arn);
    found.account.policies().lock().remove(&arn);
    Ok(Members::new())
}
