//! `UpdateAccountSettings`: commits the account to a throughput, or no more.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::views;
use crate::service::value::Members;

#[expect(clippy::unnecessary_wraps, reason = "operations answer alike")]
pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let asked = call.input.structure("MinimumThroughputBillingCommitment");
    let mut commitment = call.account.commitment().lock();
    match asked.and_then(|asked| asked.text("Status")) {
        Some("ENABLED") => commitment.begin(call.now),
        _ => commitment.end(call.now),
    }
    Ok(Members::new()
        .with("MinimumThroughputBillingCommitment", views::commitment(&commitment, call.now)))
}
