//! `DeregisterStreamConsumer`: takes a consumer away.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::consumers;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let found = consumers::named(call)?;
    found.stream.deregister_consumer(call.now, &found.consumer.name)?;
    let arn = found.arn().to_string();
    found.account.change(|kept| {
        kept.resource_tags.remove(&arn);
        kept.policies.remove(&arn);
        Ok::<Members, ServiceError>(Members::new())
    })
}
