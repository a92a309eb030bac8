//! `UpdateAccountSettings`: commits the account to a throughput, or no more.

use crate::engine::account::Commitment;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::views;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let asked = call.input.structure("MinimumThroughputBillingCommitment");
    let commitment = call.account.change(|kept| {
        match asked.and_then(|asked| asked.text("Status")) {
            Some("ENABLED") => kept.commitment.begin(call.now),
            _ => kept.commitment.end(call.now),
        }
        Ok::<Commitment, ServiceError>(kept.commitment)
    })?;
    Ok(Members::new()
        .with("MinimumThroughputBillingCommitment", views::commitment(&commitment, call.now)))
}
