//! `AddTagsToStream`: labels a stream.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::tags;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    tags::add(call, &*call.stream()?, call.input.map("Tags"))?;
    Ok(Members::new())
}
