//! `DescribeAccountSettings`: what the account committed itself to.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::views;
use crate::service::value::Members;

#[expect(clippy::unnecessary_wraps, reason = "operations answer alike")]
pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let commitment = call.account.kept().commitment;
    Ok(Members::new()
        .with("MinimumThroughputBillingCommitment", views::commitment(&commitment, call.now)))
}
