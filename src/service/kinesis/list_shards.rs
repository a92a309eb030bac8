//! `ListShards`: shards of a stream, page by page, all or as a filter says.

use crate::engine::Status;
use crate::engine::Stream;
use crate::record::sequence::ShardIndex;
use crate::service::arn::Arn;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::shard_filter::ShardFilter;
use crate::service::kinesis::views;
use crate::service::refusal::missing_stream;
use crate::service::value::Members;
use crate::service::value::Value;

/// Shards of a page, where nobody asks for fewer, and at most.
const PAGE: usize = 1_000;
/// The kind of its tokens.
const TOKEN: u8 = b'S';
/// Members that do not go with a token.
const BESIDE_NO_TOKEN: [&str; 5] =
    ["StreamName", "StreamARN", "ExclusiveStartShardId", "StreamCreationTimestamp", "ShardFilter"];

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let input = call.input;
    let is_named = input.get("StreamName").is_some() || input.get("StreamARN").is_some();
    let (stream, arn, after, filter) = match input.text("NextToken") {
        Some(token) => {
            // A token says all of this itself.
            if let Some(member) = BESIDE_NO_TOKEN.iter().find(|member| input.get(member).is_some())
            {
                let message = format!("NextToken and {member} cannot be provided together.");
                return Err(ServiceError::invalid_argument(message));
            }
            let fields = views::open_token(call, TOKEN, token)?;
            let [arn, born, after, filter] = fields.as_slice() else {
                return Err(views::invalid_token());
            };
            let arn = Arn::parse(arn).ok_or_else(views::invalid_token)?;
            let (stream, _) = call.stream_of(&arn)?;
            if *born != stream.born_seconds().to_string() {
                return Err(missing_stream(&arn.stream, &arn.account));
            }
            let filter = ShardFilter::parse(filter).ok_or_else(views::invalid_token)?;
            (stream, arn, ShardIndex::parse(after), filter)
        }
        None if !is_named => {
            let message = "Either NextToken or StreamName should be provided.";
            return Err(ServiceError::invalid_argument(message));
        }
        None => {
            let (stream, account) = call.stream_and_account()?;
            call.check_created(&stream)?;
            let arn = Call::arn(&stream, &account);
            let filter = ShardFilter::of(input.structure("ShardFilter"))?;
            (stream, arn, call.exclusive_start_shard()?, filter)
        }
    };
    match stream.status(call.now)? {
        Status::Active | Status::Updating => {}
        status => return Err(stream.busy(status).into()),
    }
    let limit = call.limit("MaxResults", PAGE).min(PAGE);
    page(call, &stream, &arn, after, &filter, limit)
}

fn page(
    call: &Call<'_>,
    stream: &Stream,
    arn: &Arn,
    after: Option<ShardIndex>,
    filter: &ShardFilter,
    limit: usize,
) -> Result<Members, ServiceError> {
    let shards = stream.shards(call.now)?;
    let horizon = stream.horizon(call.now)?;
    let mut rest = shards
        .iter()
        .filter(|shard| after.is_none_or(|after| after < shard.birth.shard))
        .filter(|shard| filter.lets_through(shard, horizon));
    let page: Vec<_> = rest.by_ref().take(limit).collect();
    let token = page.last().filter(|_| rest.next().is_some()).map(|last| {
        let (born, last) = (stream.born_seconds(), last.birth.shard);
        let fields = [arn.to_string(), born.to_string(), last.to_string(), filter.to_string()];
        call.sealer.seal(TOKEN, call.now, &fields.each_ref().map(String::as_str))
    });
    let shards: Vec<Value> = page.into_iter().map(|shard| views::shard(shard).into()).collect();
    Ok(Members::new().with("Shards", shards).with_some("NextToken", token))
}
