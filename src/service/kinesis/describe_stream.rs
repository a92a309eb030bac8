//! `DescribeStream`: a stream with its shards, page by page.

use crate::engine::Status;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::views;
use crate::service::value::Members;
use crate::service::value::Value;

/// Shards of a page, where nobody asks for fewer, and at most.
const PAGE: usize = 100;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let (stream, account) = call.stream_and_account()?;
    let limit = call.limit("Limit", PAGE).min(PAGE);
    let after = call.exclusive_start_shard()?;
    let mut shards = stream.shards(call.now)?;
    if matches!(stream.status(call.now)?, Status::Creating | Status::Deleting) {
        shards.clear();
    }
    let mut rest =
        shards.iter().filter(|shard| after.is_none_or(|after| after < shard.birth.shard));
    let page: Vec<Value> =
        rest.by_ref().take(limit).map(|shard| views::shard(shard).into()).collect();
    let description = views::stream(call, &stream, &account)?
        .with("Shards", page)
        .with("HasMoreShards", rest.next().is_some());
    Ok(Members::new().with("StreamDescription", description))
}
