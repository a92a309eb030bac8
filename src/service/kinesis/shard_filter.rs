//! Which shards `ListShards` shows.

use std::fmt;

use crate::clock::Millis;
use crate::engine::shard::Shard;
use crate::record::sequence::ShardIndex;
use crate::service::error::ServiceError;
use crate::service::value::Members;

/// What shards are shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ShardFilter {
    /// Those after one.
    AfterShard(ShardIndex),
    /// Those that are open.
    AtLatest,
    /// Those that were open at a time.
    AtTimestamp(Millis),
    /// Those that were open at the horizon.
    AtTrimHorizon,
    /// Those that were open at a time or later.
    FromTimestamp(Millis),
    /// All.
    FromTrimHorizon,
}

impl ShardFilter {
    /// Reads the filter of a call; all shards where there is none.
    pub(super) fn of(filter: Option<&Members>) -> Result<Self, ServiceError> {
        let Some(filter) = filter else { return Ok(Self::FromTrimHorizon) };
        let kind = filter.text("Type").unwrap_or_default();
        let time = || {
            filter.timestamp("Timestamp").ok_or_else(|| {
                ServiceError::invalid_argument(format!(
                    "Timestamp must be provided when ShardFilter type is {kind}."
                ))
            })
        };
        match kind {
            "AFTER_SHARD_ID" => {
                match filter.text("ShardId").map(|id| (id, ShardIndex::parse(id))) {
                    Some((_, Some(shard))) => Ok(Self::AfterShard(shard)),
                    Some((id, None)) => Err(ServiceError::invalid_argument(format!(
                        "ShardFilter: {id} is not the id of a shard."
                    ))),
                    None => Err(ServiceError::invalid_argument(
                        "ShardId must be provided when ShardFilter type is AFTER_SHARD_ID.",
                    )),
                }
            }
            "AT_LATEST" => Ok(Self::AtLatest),
            "AT_TIMESTAMP" => Ok(Self::AtTimestamp(time()?)),
            "AT_TRIM_HORIZON" => Ok(Self::AtTrimHorizon),
            "FROM_TIMESTAMP" => Ok(Self::FromTimestamp(time()?)),
            _ => Ok(Self::FromTrimHorizon),
        }
    }

    /// Reads a filter as a token carries it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (kind, value) = text.split_once(' ').unwrap_or((text, ""));
        let time = || value.parse().ok().map(Millis);
        match kind {
            "AFTER_SHARD_ID" => ShardIndex::parse(value).map(Self::AfterShard),
            "AT_LATEST" => Some(Self::AtLatest),
            "AT_TIMESTAMP" => time().map(Self::AtTimestamp),
            "AT_TRIM_HORIZON" => Some(Self::AtTrimHorizon),
            "FROM_TIMESTAMP" => time().map(Self::FromTimestamp),
            "FROM_TRIM_HORIZON" => Some(Self::FromTrimHorizon),
            _ => None,
        }
    }

    /// Whether a shard is shown; `horizon` is when the stream's oldest records arrived.
    pub(super) fn lets_through(self, shard: &Shard, horizon: Millis) -> bool {
        let is_open_at = |time: Millis| {
            shard.created <= time && shard.closed.is_none_or(|closed| time <= closed)
        };
        match self {
            Self::AfterShard(after) => after < shard.birth.shard,
            Self::AtLatest => shard.is_open(),
            Self::AtTimestamp(time) => is_open_at(time.max(horizon)),
            Self::AtTrimHorizon => is_open_at(horizon),
            Self::FromTimestamp(time) => {
                shard.closed.is_none_or(|closed| time.max(horizon) <= closed)
            }
            Self::FromTrimHorizon => true,
        }
    }
}

impl fmt::Display for ShardFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AfterShard(shard) => write!(formatter, "AFTER_SHARD_ID {shard}"),
            Self::AtLatest => formatter.write_str("AT_LATEST"),
            Self::AtTimestamp(time) => write!(formatter, "AT_TIMESTAMP {}", time.0),
            Self::AtTrimHorizon => formatter.write_str("AT_TRIM_HORIZON"),
            Self::FromTimestamp(time) => write!(formatter, "FROM_TIMESTAMP {}", time.0),
            Self::FromTrimHorizon => formatter.write_str("FROM_TRIM_HORIZON"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_as_tokens_carry_them() {
        for filter in [
            ShardFilter::AfterShard(ShardIndex(3)),
            ShardFilter::AtLatest,
            ShardFilter::AtTimestamp(Millis(1_700_000_000_123)),
            ShardFilter::AtTrimHorizon,
            ShardFilter::FromTimestamp(Millis(-5)),
            ShardFilter::FromTrimHorizon,
        ] {
            assert_eq!(ShardFilter::parse(&filter.to_string()), Some(filter));
        }
        assert_eq!(ShardFilter::parse("AT_TIMESTAMP soon"), None);
    }
}
