//! `GetShardIterator`: where to begin to read a shard.

use crate::clock::Millis;
use crate::engine::EngineError;
use crate::engine::Status;
use crate::engine::Stream;
use crate::engine::position::Cut;
use crate::engine::position::Position;
use crate::record::sequence::SequenceNumber;
use crate::record::sequence::ShardIndex;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::shard_iterator::ShardIterator;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let input = call.input;
    let asked = input.text("ShardId").unwrap_or_default();
    let (named, owner) = call.names();
    let shard = call.shard(asked)?;
    let absent = || {
        ServiceError::not_found(format!(
            "Shard {shard} in stream {named} under account {owner} does not exist"
        ))
    };
    let (stream, account) = call
        .stream_and_account()
        .map_err(|error| if input.get("StreamARN").is_some() { error } else { absent() })?;
    if stream.status(call.now)? == Status::Creating {
        return Err(absent());
    }
    let cut = Place { shard, stream: &stream, now: call.now }.cut(
        input.text("ShardIteratorType").unwrap_or_default(),
        input.text("StartingSequenceNumber"),
        input.timestamp("Timestamp"),
    )?;
    stream.admit_iterator(call.now, shard)?;
    call.end_dry_run()?;
    let arn = Call::arn(&stream, &account);
    let (stream_born, expiries) = (stream.born_seconds(), call.faults.expiries());
    let iterator = ShardIterator { arn, stream_born, shard, cut, expiries };
    Ok(Members::new().with("ShardIterator", iterator.seal(call.sealer, call.now)))
}

/// A shard in which a read is to begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) shard: ShardIndex,
    pub(super) stream: &'a Stream,
    pub(super) now: Millis,
}

impl Place<'_> {
    /// Where a read begins by the kind of position that is asked for.
    pub(super) fn cut(
        &self,
        kind: &str,
        number: Option<&str>,
        time: Option<Millis>,
    ) -> Result<Cut, ServiceError> {
        let position = self.position(kind, number, time)?;
        let shard = self.shard.to_string();
        self.stream
            .start_cut(self.now, position, Some(&shard))
            .map_err(|error| self.refusal(error, number.unwrap_or_default()))
    }

    fn position(
        &self,
        kind: &str,
        number: Option<&str>,
        time: Option<Millis>,
    ) -> Result<Position, ServiceError> {
        let either = |found: &str| {
            ServiceError::invalid_argument(format!(
                "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) \
                 TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified {kind} and {found}."
            ))
        };
        match (kind, number) {
            ("TRIM_HORIZON", None) => Ok(Position::TrimHorizon),
            ("LATEST", None) => Ok(Position::Latest),
            ("AT_TIMESTAMP", _) => time.map(Position::AtTimestamp).ok_or_else(|| {
                ServiceError::invalid_argument(format!(
                    "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Request specified {kind} \
                     and no timestampInMillis."
                ))
            }),
            ("TRIM_HORIZON" | "LATEST", Some(_)) => Err(either("also a StartingSequenceNumber")),
            (_, None) => Err(either("no StartingSequenceNumber")),
            (_, Some(digits)) => {
                let number = SequenceNumber::parse(digits)
                    .map_err(|_| self.invalid_number(digits, "is invalid."))?;
                Ok(match kind {
                    "AT_SEQUENCE_NUMBER" => Position::AtSequenceNumber(number),
                    _ => Position::AfterSequenceNumber(number),
                })
            }
        }
    }

    fn invalid_number(&self, digits: &str, fault: &str) -> ServiceError {
        let (shard, stream, account) = (self.shard, self.stream.name(), self.stream.account());
        ServiceError::invalid_argument(format!(
            "StartingSequenceNumber {digits} used in GetShardIterator on shard {shard} in stream {stream} under account \
             {account} {fault}"
        ))
    }

    /// The engine's refusal of a position in the service's words.
    fn refusal(&self, error: EngineError, digits: &str) -> ServiceError {
        match error {
            EngineError::TimestampInFuture { asked, now } => {
                ServiceError::invalid_argument(format!(
                    "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. \
                 timestampInMillis: {}, currentTimestampInMillis: {}",
                    asked.0, now.0
                ))
            }
            EngineError::SequenceNumberForeign { .. } => {
                self.invalid_number(digits, "is invalid because it did not come from this stream.")
            }
            EngineError::SequenceNumberOfOtherShard { encoded, used } => {
                ServiceError::invalid_argument(format!(
                    "Invalid StartingSequenceNumber. It encodes {encoded}, while it was used in a call to a shard with \
                     {used}"
                ))
            }
            other => other.into(),
        }
    }
}
