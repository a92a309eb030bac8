//! `DescribeStreamConsumer`: a registered consumer.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::consumers;
use crate::service::kinesis::views;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let found = consumers::named(call)?;
    let stream = Call::arn(&found.stream, &found.account).to_string();
    let description = views::consumer(&found.consumer, &found.arn()).with("StreamARN", stream);
    Ok(Members::new().with("ConsumerDescription", description))
}
