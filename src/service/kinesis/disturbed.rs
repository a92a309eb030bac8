//! Calls at which something goes wrong on purpose.

use std::time::Duration;

use crate::engine::EngineError;
use crate::engine::Stream;
use crate::engine::position::Cut;
use crate::engine::slice::Slice;
use crate::engine::stream::Entry;
use crate::record::sequence::ShardIndex;
use crate::service::error::ErrorCode;
use crate::service::error::ServiceError;
use crate::service::faults::Kind;
use crate::service::faults::Site;
use crate::service::faults::Target;
use crate::service::kinesis::Call;
use crate::service::kinesis::Kinesis;
use crate::service::kinesis::entry;
use crate::service::kinesis::model::Operation;
use crate::service::kinesis::reader::Read;
use crate::service::kinesis::shard_iterator::ShardIterator;
use crate::service::value::Members;
use crate::service::value::Value;

/// A stream of more open shards than these is halved where it is resharded on purpose.
const DOUBLED_MAX: usize = 8;

/// What a call is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Subject {
    /// Which call of its operation it is, from 1; 0 where nothing goes wrong.
    pub(super) call: u64,
    operation: &'static str,
    stream: String,
    shard: Option<ShardIndex>,
}

impl Subject {
    /// Where a fault may strike that is about all of the call.
    pub(super) fn site(&self) -> Site<'_> {
        self.part(self.shard, 0)
    }

    /// Where a fault may strike that is about a part of the call.
    pub(super) fn part(&self, shard: Option<ShardIndex>, part: u64) -> Site<'_> {
        let Self { call, operation, stream, .. } = self;
        Site { operation, call: *call, stream, shard, part }
    }

    pub(super) fn is_disturbed(&self) -> bool {
        0 < self.call
    }
}

impl Kinesis {
    /// Answers a call, or lets go wrong what is to go wrong at it.
    pub(super) fn answer<T>(
        &self,
        mut call: Call<'_>,
        operation: &'static Operation,
        run: impl FnOnce(&Call<'_>) -> Result<T, ServiceError>,
        stored: impl FnOnce(&T) -> u64,
    ) -> Result<T, ServiceError> {
        // Subscriptions last, and faults may be asked for meanwhile.
        if !self.faults.is_on() && operation.run.is_some() {
            return run(&call);
        }
        let number = self.faults.begin(operation.name);
        call.subject = call.subject(operation, number);
        self.delay(&mut call);
        call.break_off(false)?;
        call.fail(operation)?;
        let answered = run(&call)?;
        call.reshard(stored(&answered));
        call.break_off(true)?;
        Ok(answered)
    }

    fn delay(&self, call: &mut Call<'_>) {
        let takes = |kind: &Kind| match kind {
            Kind::Latency { ms } => Some(Duration::from_millis(*ms)),
            _ => None,
        };
        if let Some(latency) = self.faults.strike_with(call.subject.site(), takes) {
            self.engine.options().clock.pass(latency);
            call.now = self.engine.now();
        }
    }
}

/// How many records a put stored, by its answer; none where it is the answer to something else.
pub(super) fn stored(answer: &Members) -> u64 {
    let is_stored = |record: &&Value| match record {
        Value::Structure(record) => record.get("SequenceNumber").is_some(),
        _ => false,
    };
    match answer.integer("FailedRecordCount") {
        Some(_) => answer.list("Records").iter().filter(is_stored).count() as u64,
        None => u64::from(answer.get("SequenceNumber").is_some()),
    }
}

/// That the connection broke.
pub(super) fn broken(operation: &str) -> ServiceError {
    let words = format!("The connection was closed without an answer to {operation}.");
    ServiceError::new(ErrorCode::ConnectionClosed, words)
}

impl Call<'_> {
    fn subject(&self, operation: &'static Operation, call: u64) -> Subject {
        let (stream, shard) = match self.iterator() {
            Some(iterator) => (iterator.arn.stream, Some(iterator.shard)),
            None => (self.named_stream(), self.named_shard(operation)),
        };
        Subject { call, operation: operation.name, stream, shard }
    }

    /// The iterator that the call hands in, whatever its age.
    fn iterator(&self) -> Option<ShardIterator> {
        ShardIterator::peek(self.sealer, self.input.text("ShardIterator")?)
    }

    fn named_stream(&self) -> String {
        let arn = self.input.text("ConsumerARN").and_then(crate::service::arn::Arn::parse);
        arn.map_or_else(|| self.names().0, |arn| arn.stream)
    }

    fn named_shard(&self, operation: &Operation) -> Option<ShardIndex> {
        if operation.name == "PutRecord" {
            let stream = self.stream().ok()?;
            let settings = stream.settings(self.now).ok()?;
            let key = self.input.text("PartitionKey")?;
            let routing = entry::routing(self.input, &stream, &settings).ok()?;
            let entry = Entry { data: &[], key, explicit_hash_key: routing.hash_key };
            return stream.shard_of(self.now, entry).ok();
        }
        let named = ["ShardId", "ShardToSplit", "ShardToMerge"];
        let name = named.iter().find_map(|member| self.input.text(member))?;
        ShardIndex::parse(name)
    }

    fn break_off(&self, after_write: bool) -> Result<(), ServiceError> {
        let drop = Kind::DropConnection { after_write };
        match self.faults.strike(self.subject.site(), |kind| *kind == drop) {
            Some(_) => Err(broken(self.subject.operation)),
            None => Ok(()),
        }
    }

    /// Refuses all of the call, where that is to be.
    fn fail(&self, operation: &'static Operation) -> Result<(), ServiceError> {
        // Of records that are put together each is throttled by itself.
        let throttles = operation.name != "PutRecords";
        let is_of =
            |kind: &Kind| *kind == Kind::InternalFailure || throttles && *kind == Kind::Throttle;
        match self.faults.strike(self.subject.site(), is_of) {
            Some(Kind::Throttle) => Err(self.throttled(operation)),
            Some(_) => {
                Err(ServiceError::new(ErrorCode::InternalFailure, "Internal service failure."))
            }
            None => Ok(()),
        }
    }

    fn throttled(&self, operation: &Operation) -> ServiceError {
        let (stream, account) = (self.subject.stream.clone(), self.account.id().to_owned());
        let code = ErrorCode::ProvisionedThroughputExceeded;
        if !operation.errors.contains(&code) {
            let words = format!("Rate exceeded for stream {stream} under account {account}.");
            return ServiceError::limit_exceeded(words);
        }
        match self.subject.shard {
            Some(shard) => EngineError::RateExceeded { shard, stream, account }.into(),
            None => ServiceError::new(
                code,
                format!("Rate exceeded for stream {stream} under account {account}."),
            ),
        }
    }

    /// What of records that are put together each is refused with, where it is.
    pub(super) fn refusal_of(
        &self,
        stream: &Stream,
        place: usize,
        entry: Entry<'_>,
    ) -> Option<Members> {
        let shard = stream.shard_of(self.now, entry).ok();
        let site = self.subject.part(shard, place as u64);
        let takes = |kind: &Kind| match kind {
            Kind::Throttle => Some("ProvisionedThroughputExceededException".to_owned()),
            Kind::FailRecords { indexes, code } => indexes.contains(&place).then(|| code.clone()),
            _ => None,
        };
        let code = self.faults.strike_with(site, takes)?;
        let words = match (code.as_str(), shard) {
            ("ProvisionedThroughputExceededException", Some(shard)) => {
                let (stream, account) = (stream.name().to_owned(), stream.account().to_owned());
                EngineError::RateExceeded { shard, stream, account }.to_string()
            }
            _ => "Internal service failure.".to_owned(),
        };
        Some(Members::new().with("ErrorCode", code).with("ErrorMessage", words))
    }

    /// Reshards the stream, once enough was stored.
    fn reshard(&self, count: u64) {
        if count == 0 {
            return;
        }
        let Some(target) = self.faults.stored(self.subject.site(), count) else { return };
        let Ok(stream) = self.stream() else { return };
        let open = stream
            .shards(self.now)
            .map_or(1, |shards| shards.iter().filter(|shard| shard.is_open()).count());
        let count = match target {
            Target::Shards(count) => i64::from(count),
            // Twice as many, and half of them where that would soon be too many for a test.
            Target::Other => {
                let other = if open <= DOUBLED_MAX { 2 * open } else { open / 2 };
                i64::try_from(other).unwrap_or(i64::MAX)
            }
        };
        // A stream that is busy, or may have no more shards, stays as it is.
        let _as_it_was = stream.update_shard_count(self.now, count);
    }

    /// Withholds what a read found, or hands some of it out twice, where that is to be.
    pub(super) fn disturb(
        &self,
        read: Read,
        from: Cut,
        limit: usize,
    ) -> Result<Read, ServiceError> {
        let Some(first) = read.first_arrival()? else { return Ok(read) };
        if self.faults.strike(self.subject.site(), |kind| *kind == Kind::EmptyPage).is_some() {
            let behind_ms = self.now.since(first).max(1);
            return Ok(Read { slices: Vec::new(), next: from, behind_ms, is_at_end: false });
        }
        let (slices, cut) = self.twice(&read.slices, limit)?;
        Ok(match cut {
            None => Read { slices, ..read },
            Some(index) => {
                let behind_ms = self.now.since(first).max(1);
                Read { slices, next: Cut(index), behind_ms, is_at_end: false }
            }
        })
    }

    /// The records with those that are read twice, at most so many, and where to go on if not all are among them.
    fn twice(
        &self,
        slices: &[Slice],
        limit: usize,
    ) -> Result<(Vec<Slice>, Option<u64>), ServiceError> {
        let (mut shown, mut count) = (Vec::new(), 0);
        for slice in slices {
            let block = slice.block()?;
            for place in 0..slice.len() {
                let index = block.index(slice.row(place));
                if count == limit {
                    return Ok((shown, Some(index)));
                }
                // It comes twice where there is room for it.
                let site = self.subject.part(self.subject.shard, index);
                let doubles = |kind: &Kind| count + 1 < limit && *kind == Kind::Duplicate;
                let times = if self.faults.strike(site, doubles).is_some() { 2 } else { 1 };
                shown.extend(std::iter::repeat_n(slice.part(place, place + 1), times));
                count += times;
            }
        }
        Ok((shown, None))
    }
}

/// Records of an event, some of them twice, where that is to be.
pub(super) fn repeated<T: Clone>(records: Vec<T>, is_twice: impl Fn(&T) -> bool) -> Vec<T> {
    let mut shown = Vec::with_capacity(records.len());
    for record in records {
        if is_twice(&record) {
            shown.push(record.clone());
        }
        shown.push(record);
    }
    shown
}
