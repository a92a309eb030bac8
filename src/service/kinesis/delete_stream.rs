//! `DeleteStream`: deletes a stream, its shards and records.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let (stream, account) = call.stream_and_account()?;
    let consumers = stream.consumers(call.now)?;
    if !consumers.is_empty() && !call.input.is_set("EnforceConsumerDeletion") {
        return Err(ServiceError::in_use(format!(
            "Stream {} under account {} has consumers registered. To delete it, deregister them or set \
             EnforceConsumerDeletion.",
            stream.name(),
            account.id(),
        )));
    }
    account.delete_stream(call.now, stream.name())?;
    Ok(Members::new())
}
