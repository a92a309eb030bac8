//! `SubscribeToShard`: the records of a shard as events, as they arrive, for five minutes.

use std::sync::Arc;

use bytes::Bytes;

use crate::clock::Clock;
use crate::clock::Millis;
use crate::engine::Limits;
use crate::engine::Status;
use crate::engine::Stream;
use crate::engine::consumer::Consumer;
use crate::engine::consumer::NotSubscribed;
use crate::engine::position::Cut;
use crate::limits::EVENT_BYTES_MAX;
use crate::limits::GET_RECORDS_MAX;
use crate::limits::HEARTBEAT_MS;
use crate::limits::SUBSCRIPTION_LIFE_MS;
use crate::record::Record;
use crate::record::sequence::SequenceNumber;
use crate::record::sequence::ShardBirth;
use crate::record::sequence::ShardIndex;
use crate::service::arn::Arn;
use crate::service::error::ServiceError;
use crate::service::faults::Faults;
use crate::service::faults::Kind;
use crate::service::kinesis::Call;
use crate::service::kinesis::consumers;
use crate::service::kinesis::disturbed;
use crate::service::kinesis::disturbed::Subject;
use crate::service::kinesis::get_shard_iterator;
use crate::service::kinesis::reader;
use crate::service::kinesis::views;
use crate::service::value::Members;
use crate::service::value::Value;

/// A consumer's subscription to a shard.
#[derive(Debug)]
pub struct Subscription {
    stream: Arc<Stream>,
    clock: Clock,
    consumer: String,
    birth: ShardBirth,
    /// Tells it from the subscriptions before and after it.
    id: u64,
    began: Millis,
    cut: Cut,
    last_event: Option<Millis>,
    /// When what was pushed is paid for, at what the service pushes in a second; where limits hold.
    paid: Millis,
    has_ended: bool,
    faults: Arc<Faults>,
    /// What it is about, for what goes wrong on purpose.
    subject: Subject,
    /// How many events there were.
    events: u64,
}

/// What a subscription has to say now.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// It ends.
    End,
    /// It ends, and says why.
    Error(ServiceError),
    /// An event.
    Event(Members),
    /// Nothing before this time, unless something comes.
    Wait(Millis),
}

/// Subscribes a consumer to a shard.
pub(super) fn subscribe(call: &Call<'_>, clock: Clock) -> Result<Subscription, ServiceError> {
    let input = call.input;
    let text = input.text("ConsumerARN").unwrap_or_default();
    let arn = Arn::parse(text).filter(|arn| arn.consumer.is_some());
    let arn = arn.ok_or_else(|| {
        ServiceError::invalid_argument(format!("ConsumerARN {text} is not a consumer's."))
    })?;
    let found = consumers::of_arn(call, &arn)?;
    let name = input.text("ShardId").unwrap_or_default();
    let shards = found.stream.shards(call.now)?;
    let index = ShardIndex::parse(name);
    let shard = shards.iter().find(|shard| Some(shard.birth.shard) == index);
    let birth =
        shard.ok_or_else(|| views::no_shard(name, found.stream.name(), found.account.id()))?.birth;
    let position = input.structure("StartingPosition").unwrap_or(input);
    let place =
        get_shard_iterator::Place { shard: birth.shard, stream: &found.stream, now: call.now };
    let cut = place.cut(
        position.text("Type").unwrap_or_default(),
        position.text("SequenceNumber"),
        position.timestamp("Timestamp"),
    )?;
    call.end_dry_run()?;
    let consumer = found.consumer.name.clone();
    let id =
        found.stream.subscribe(call.now, &consumer, birth.shard)?.map_err(
            |refused| match refused {
                NotSubscribed::InUse => in_use(&found.stream, birth.shard, &consumer),
                NotSubscribed::Missing => {
                    ServiceError::not_found(format!("Consumer {arn} not found."))
                }
                NotSubscribed::NotActive => ServiceError::in_use(format!(
                    "Consumer {consumer} with creation timestamp {} under stream: {} , account {} is not in ACTIVE status.",
                    found.consumer.created.whole_seconds(),
                    found.stream.name(),
                    found.account.id(),
                )),
            },
        )?;
    Ok(Subscription {
        stream: found.stream,
        clock,
        consumer,
        birth,
        id,
        began: call.now,
        cut,
        last_event: None,
        paid: call.now,
        has_ended: false,
        faults: Arc::clone(call.faults),
        subject: call.subject.clone(),
        events: 0,
    })
}

/// That another subscription of the consumer to the shard holds.
fn in_use(stream: &Stream, shard: ShardIndex, consumer: &str) -> ServiceError {
    ServiceError::in_use(format!(
        "Another active subscription exists for this consumer: {}:{}:{shard}:{consumer}",
        stream.account(),
        stream.name(),
    ))
}

impl Subscription {
    /// What it has to say now.
    pub fn step(&mut self) -> Step {
        if self.has_ended {
            return Step::End;
        }
        let step = self.try_step(self.clock.now()).unwrap_or_else(Step::Error);
        self.has_ended |= matches!(step, Step::End | Step::Error(_));
        step
    }

    fn try_step(&mut self, now: Millis) -> Result<Step, ServiceError> {
        let shard = self.birth.shard;
        if SUBSCRIPTION_LIFE_MS <= now.since(self.began) {
            return Ok(Step::End);
        }
        if !self.stream.is_subscribed(now, &self.consumer, shard, self.id)? {
            let is_there = |consumer: &Consumer| {
                consumer.name == self.consumer && consumer.status != Status::Deleting
            };
            if self.stream.consumers(now)?.iter().any(is_there) {
                return Err(in_use(&self.stream, shard, &self.consumer));
            }
            return Err(ServiceError::not_found(format!(
                "Consumer {} of stream {} under account {} not found.",
                self.consumer,
                self.stream.name(),
                self.stream.account(),
            )));
        }
        self.break_off()?;
        if now < self.paid {
            return Ok(Step::Wait(self.paid.min(self.began.plus(SUBSCRIPTION_LIFE_MS))));
        }
        let read = reader::read_unmetered(
            now,
            &self.stream,
            shard,
            self.cut,
            GET_RECORDS_MAX,
            EVENT_BYTES_MAX,
        )?;
        let due = self.last_event.map_or(now, |last| last.plus(HEARTBEAT_MS));
        let records = read.records()?;
        if records.is_empty() && !read.is_at_end && now < due {
            return Ok(Step::Wait(due.min(self.began.plus(SUBSCRIPTION_LIFE_MS))));
        }
        let records = self.repeated(records);
        self.events += 1;
        self.cut = read.next;
        self.last_event = Some(now);
        if self.stream.limits() == Limits::Aws {
            let bytes =
                |(record, data): &(Record, Bytes)| data.len() + record.partition_key().len();
            let bytes: usize = records.iter().map(bytes).sum();
            let ms = bytes * 1_000 / EVENT_BYTES_MAX;
            self.paid = now.plus(i64::try_from(ms).unwrap_or(i64::MAX));
        }
        let settings = self.stream.settings(now)?;
        let continuation = match records.last() {
            Some((last, _)) => last.sequence_number(),
            None => self.number_before(now),
        };
        let records: Vec<Value> =
            records.iter().map(|record| views::record(record, &settings).into()).collect();
        let event =
            Members::new().with("Records", records).with("MillisBehindLatest", read.behind_ms);
        if read.is_at_end {
            // Without a number to continue from: KCL takes an event with both for a broken one.
            self.has_ended = true;
            let children = views::child_shards(&self.stream, now, shard)?;
            return Ok(Step::Event(event.with("ChildShards", children)));
        }
        Ok(Step::Event(event.with("ContinuationSequenceNumber", continuation.to_string())))
    }

    /// Breaks the connection, where that is to be.
    fn break_off(&self) -> Result<(), ServiceError> {
        let drops = |kind: &Kind| match kind {
            Kind::DropSubscription { after_events } => *after_events <= self.events,
            _ => false,
        };
        if self.faults.is_on() && self.faults.strike(self.subject.site(), drops).is_some() {
            return Err(disturbed::broken("SubscribeToShard"));
        }
        Ok(())
    }

    /// The records of an event, some of them twice, where that is to be.
    fn repeated(&self, records: Vec<(Record, Bytes)>) -> Vec<(Record, Bytes)> {
        if !self.faults.is_on() {
            return records;
        }
        disturbed::repeated(records, |(record, _)| {
            let site = self.subject.part(Some(self.birth.shard), record.sequence_number().index);
            self.faults.strike(site, |kind| *kind == Kind::Duplicate).is_some()
        })
    }

    /// A number right before where the subscription stands.
    fn number_before(&self, now: Millis) -> SequenceNumber {
        match self.cut.0.checked_sub(1) {
            None | Some(0) => SequenceNumber::starting(self.birth),
            Some(index) => {
                SequenceNumber { birth: self.birth, index, recorded_seconds: now.whole_seconds() }
            }
        }
    }

    /// What it takes its time from.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The stream, whose bell rings when there may be more to say.
    pub fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.stream.unsubscribe(&self.consumer, self.birth.shard, self.id);
    }
}
