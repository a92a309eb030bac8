//! `RemoveTagsFromStream`: takes labels off a stream.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::tags;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    tags::remove(call, &*call.stream()?, call.input.texts("TagKeys"))?;
    Ok(Members::new())
}
