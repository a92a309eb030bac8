//! `DeleteStream`: deletes a stream, its shards and records.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let (stream, account) = call.stream_and_account()?;
    let consumers = stream.consumers(call.now)?;
    if !consumers.is_empty() && !call.input.is_set("EnforceConsumerDeletion") {
        let (name, account) = (stream.name(), account.id());
        return Err(ServiceError::in_use(format!(
            "DeleteStream can't delete {account}:{name} because there are consumers associated with this data stream. To \
             delete {name} anyway, set the EnforceConsumerDeletion parameter to true to force the deletion of all the \
             consumers that are associated with it."
        )));
    }
    account.delete_stream(call.now, stream.name())?;
    Ok(Members::new())
}
