//! `EnableEnhancedMonitoring`: keeps metrics of single shards.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::monitoring;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    monitoring::alter(call, |before, named| before.union(named).cloned().collect())
}
