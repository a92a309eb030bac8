//! Operations where time and shards matter: subscriptions, listings, and streams that take time to change.

use std::sync::Arc;

use crate::clock::Clock;
use crate::clock::ManualClock;
use crate::clock::Millis;
use crate::engine::Durations;
use crate::engine::Engine;
use crate::engine::EngineOptions;
use crate::engine::Limits;
use crate::service::decode::json;
use crate::service::error::ErrorCode;
use crate::service::error::ServiceError;
use crate::service::kinesis::Kinesis;
use crate::service::kinesis::subscribe_to_shard::Step;
use crate::service::kinesis::subscribe_to_shard::Subscription;
use crate::service::value::Members;
use crate::service::value::Value;
use crate::threads::Threads;

const START: Millis = Millis(1_767_225_600_000);
const STREAM: &str = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks";
const CONSUMER: &str =
    "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks/consumer/app:1767225600";

/// The service, and the clock that it lives by.
struct World {
    kinesis: Kinesis,
    clock: Arc<ManualClock>,
}

impl World {
    fn new(durations: Durations) -> Self {
        Self::limited(durations, Limits::Off)
    }

    fn limited(durations: Durations, limits: Limits) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let engine = Engine::new(EngineOptions {
            clock: Clock::Manual(Arc::clone(&clock)),
            limits,
            region: "eu-west-1".to_owned(),
            account_id: "123456789012".to_owned(),
            seed: 7,
            threads: Threads::ONE,
            durations,
            shard_limit: None,
        });
        Self { kinesis: Kinesis::new(Arc::new(engine)), clock }
    }

    /// A stream `clicks` of one shard with a consumer `app`.
    fn subscribable() -> Self {
        Self::new(Durations::default()).with_consumer()
    }

    fn with_consumer(self) -> Self {
        let world = self;
        world.call("CreateStream", r#"{"StreamName":"clicks","ShardCount":1}"#).unwrap();
        let body = format!(r#"{{"StreamARN":"{STREAM}","ConsumerName":"app"}}"#);
        world.call("RegisterStreamConsumer", &body).unwrap();
        world
    }

    fn call(&self, operation: &str, body: &str) -> Result<Members, ServiceError> {
        let operation = Kinesis::operation(operation)?;
        let input = json::members(operation.input, body.as_bytes())?;
        self.kinesis.call(&self.kinesis.home(), operation, &input)
    }

    fn put(&self, data: &str) {
        let body = format!(r#"{{"StreamName":"clicks","PartitionKey":"k","Data":"{data}"}}"#);
        self.call("PutRecord", &body).unwrap();
    }

    fn split(&self, shard: u32, at: &str) {
        let body = format!(
            r#"{{"StreamName":"clicks","ShardToSplit":"shardId-{shard:012}","NewStartingHashKey":"{at}"}}"#
        );
        self.call("SplitShard", &body).unwrap();
    }

    fn subscribe(&self, position: &str) -> Result<Subscription, ServiceError> {
        let operation = Kinesis::operation("SubscribeToShard").unwrap();
        let body = format!(
            r#"{{"ConsumerARN":"{CONSUMER}","ShardId":"shardId-000000000000","StartingPosition":{{{position}}}}}"#
        );
        let input = json::members(operation.input, body.as_bytes()).unwrap();
        self.kinesis.subscribe(&self.kinesis.home(), operation, &input)
    }

    /// The last digits of the shards that a listing shows.
    fn listed(&self, filter: &str) -> Vec<String> {
        let body = format!(r#"{{"StreamName":"clicks","ShardFilter":{{{filter}}}}}"#);
        let answer = self.call("ListShards", &body).unwrap();
        let shards = answer.list("Shards").iter();
        shards.map(|shard| member(shard).text("ShardId").unwrap()[19..].to_owned()).collect()
    }
}

fn member(value: &Value) -> &Members {
    let Value::Structure(members) = value else { panic!("{value:?} has members") };
    members
}

fn event(subscription: &mut Subscription) -> Members {
    let step = subscription.step();
    let Step::Event(members) = step else { panic!("{step:?} is an event") };
    members
}

fn count(event: &Members) -> usize {
    event.list("Records").len()
}

#[test]
fn subscription_says_at_once_that_it_is_there_and_then_every_five_seconds() {
    let world = World::subscribable();
    let mut subscription = world.subscribe(r#""Type":"LATEST""#).unwrap();
    let first = event(&mut subscription);
    assert_eq!(count(&first), 0);
    assert_eq!(first.integer("MillisBehindLatest"), Some(0));
    assert_eq!(subscription.step(), Step::Wait(START.plus(5_000)));
    world.clock.advance(4_999);
    assert_eq!(subscription.step(), Step::Wait(START.plus(5_000)));
    world.clock.advance(1);
    assert_eq!(count(&event(&mut subscription)), 0);
    world.put("aaaa");
    assert_eq!(count(&event(&mut subscription)), 1);
}

#[test]
fn subscription_lives_for_five_minutes() {
    let world = World::subscribable();
    let mut subscription = world.subscribe(r#""Type":"LATEST""#).unwrap();
    world.clock.advance(299_999);
    assert_eq!(count(&event(&mut subscription)), 0);
    assert_eq!(subscription.step(), Step::Wait(START.plus(300_000)), "its end is waited for");
    world.clock.advance(1);
    world.put("aaaa");
    assert_eq!(subscription.step(), Step::End);
    assert_eq!(subscription.step(), Step::End);
}

#[test]
fn subscription_gives_way_to_another_after_five_seconds_and_not_before() {
    let world = World::subscribable();
    let mut before = world.subscribe(r#""Type":"LATEST""#).unwrap();
    world.clock.advance(4_999);
    let refused = world.subscribe(r#""Type":"LATEST""#).unwrap_err();
    assert_eq!(refused.code, ErrorCode::ResourceInUse);
    assert_eq!(count(&event(&mut before)), 0, "a refused one takes nothing over");
    world.clock.advance(1);
    let mut after = world.subscribe(r#""Type":"LATEST""#).unwrap();
    let step = before.step();
    assert!(
        matches!(&step, Step::Error(error) if error.code == ErrorCode::ResourceInUse),
        "{step:?}"
    );
    assert_eq!(before.step(), Step::End);
    drop(before);
    assert_eq!(count(&event(&mut after)), 0, "the end of the first is none of the second");
}

#[test]
fn subscription_that_was_let_go_leaves_room_for_the_next_at_once() {
    let world = World::subscribable();
    drop(world.subscribe(r#""Type":"LATEST""#).unwrap());
    assert!(world.subscribe(r#""Type":"LATEST""#).is_ok());
}

#[test]
fn subscription_ends_with_the_children_of_its_shard_after_its_last_record() {
    let world = World::subscribable();
    world.put("aaaa");
    world.split(0, "100");
    let mut subscription = world.subscribe(r#""Type":"TRIM_HORIZON""#).unwrap();
    let last = event(&mut subscription);
    assert_eq!(count(&last), 1);
    let children: Vec<_> = last
        .list("ChildShards")
        .iter()
        .map(|child| member(child).text("ShardId").unwrap().to_owned())
        .collect();
    assert_eq!(children, ["shardId-000000000001", "shardId-000000000002"]);
    assert_eq!(last.text("ContinuationSequenceNumber"), None, "there is nothing to continue");
    assert_eq!(subscription.step(), Step::End);
}

#[test]
fn subscription_continues_where_its_last_event_says() {
    let world = World::subscribable();
    world.put("aaaa");
    let mut first = world.subscribe(r#""Type":"TRIM_HORIZON""#).unwrap();
    let continuation = event(&mut first).text("ContinuationSequenceNumber").unwrap().to_owned();
    drop(first);
    world.put("bbbb");
    let position = format!(r#""Type":"AFTER_SEQUENCE_NUMBER","SequenceNumber":"{continuation}""#);
    let next = event(&mut world.subscribe(&position).unwrap());
    assert_eq!(count(&next), 1);
    assert_eq!(member(&next.list("Records")[0]).blob("Data").unwrap().as_ref(), [0x6d, 0xb6, 0xdb]);
}

#[test]
fn subscription_is_pushed_two_mebibytes_a_second_where_limits_hold() {
    let world = World::limited(Durations::default(), Limits::Aws).with_consumer();
    let mebibyte = "A".repeat(1_398_100);
    for _ in 0..3 {
        let body = format!(r#"{{"StreamName":"clicks","PartitionKey":"k","Data":"{mebibyte}"}}"#);
        world.call("PutRecord", &body).unwrap();
        world.clock.advance(1_000);
    }
    let mut subscription = world.subscribe(r#""Type":"TRIM_HORIZON""#).unwrap();
    assert_eq!(count(&event(&mut subscription)), 2);
    let Step::Wait(until) = subscription.step() else { panic!("what was pushed is not paid for") };
    assert_eq!(until, START.plus(4_000));
    world.clock.advance(1_000);
    assert_eq!(count(&event(&mut subscription)), 1);
}

#[test]
fn subscription_that_ended_counts_for_its_five_seconds_where_limits_hold() {
    let world = World::limited(Durations::default(), Limits::Aws).with_consumer();
    drop(world.subscribe(r#""Type":"LATEST""#).unwrap());
    world.clock.advance(4_999);
    let refused = world.subscribe(r#""Type":"LATEST""#).unwrap_err();
    assert_eq!(refused.code, ErrorCode::ResourceInUse);
    world.clock.advance(1);
    assert!(world.subscribe(r#""Type":"LATEST""#).is_ok());
}

#[test]
fn subscription_ends_when_its_stream_goes() {
    let world = World::subscribable();
    let mut subscription = world.subscribe(r#""Type":"LATEST""#).unwrap();
    world
        .call("DeleteStream", r#"{"StreamName":"clicks","EnforceConsumerDeletion":true}"#)
        .unwrap();
    let step = subscription.step();
    assert!(
        matches!(&step, Step::Error(error) if error.code == ErrorCode::ResourceNotFound),
        "{step:?}"
    );
}

#[test]
fn filters_show_the_shards_of_their_time() {
    let world = World::new(Durations::default());
    world.call("CreateStream", r#"{"StreamName":"clicks","ShardCount":1}"#).unwrap();
    world.clock.advance(3_600_000);
    world.split(0, "100");
    world.clock.advance(3_600_000);
    world.split(2, "200");
    let at = |kind: &str, hours: f64| {
        let seconds = 1_767_225_600.0 + hours * 3_600.0;
        world.listed(&format!(r#""Type":"{kind}","Timestamp":{seconds}"#))
    };
    assert_eq!(world.listed(r#""Type":"FROM_TRIM_HORIZON""#), ["0", "1", "2", "3", "4"]);
    assert_eq!(world.listed(r#""Type":"AT_TRIM_HORIZON""#), ["0"]);
    assert_eq!(world.listed(r#""Type":"AT_LATEST""#), ["1", "3", "4"]);
    assert_eq!(at("AT_TIMESTAMP", -1.0), ["0"], "before the horizon is the horizon");
    assert_eq!(at("AT_TIMESTAMP", 0.5), ["0"]);
    assert_eq!(
        at("AT_TIMESTAMP", 1.0),
        ["0", "1", "2"],
        "the moment of a split belongs to both sides"
    );
    assert_eq!(at("AT_TIMESTAMP", 1.5), ["1", "2"]);
    assert_eq!(at("FROM_TIMESTAMP", 1.5), ["1", "2", "3", "4"]);
    let after = r#""Type":"AFTER_SHARD_ID","ShardId":"shardId-000000000002""#;
    assert_eq!(world.listed(after), ["3", "4"]);
}

#[test]
fn filters_without_what_they_need_are_refused() {
    let world = World::new(Durations::default());
    world.call("CreateStream", r#"{"StreamName":"clicks","ShardCount":1}"#).unwrap();
    for kind in ["AFTER_SHARD_ID", "AT_TIMESTAMP", "FROM_TIMESTAMP"] {
        let body = format!(r#"{{"StreamName":"clicks","ShardFilter":{{"Type":"{kind}"}}}}"#);
        let error = world.call("ListShards", &body).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArgument, "{kind}");
        assert!(error.message.contains(kind), "{error}");
    }
}

#[test]
fn stream_that_is_being_made_is_described_and_takes_no_records() {
    let world = World::new(Durations { create_ms: 500, ..Durations::default() });
    world.call("CreateStream", r#"{"StreamName":"clicks","ShardCount":2}"#).unwrap();
    let put = r#"{"StreamName":"clicks","PartitionKey":"k","Data":""}"#;
    assert_eq!(world.call("PutRecord", put).unwrap_err().code, ErrorCode::ResourceNotFound);
    let described = world.call("DescribeStream", r#"{"StreamName":"clicks"}"#).unwrap();
    let described = described.structure("StreamDescription").unwrap();
    assert_eq!(described.text("StreamStatus"), Some("CREATING"));
    assert_eq!(described.list("Shards").len(), 0);
    world.clock.advance(500);
    assert!(world.call("PutRecord", put).is_ok());
}

/// How many of thirty calls went well, and what the last one said that did not.
fn asked_often(world: &World, operation: &str, body: &str) -> (usize, Option<ServiceError>) {
    let answers: Vec<_> = (0..30).map(|_| world.call(operation, body)).collect();
    let (well, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    (well.len(), refused.into_iter().next_back().map(Result::unwrap_err))
}

#[test]
fn operations_are_answered_as_often_as_the_service_allows_where_limits_hold() {
    let world = World::limited(Durations::default(), Limits::Aws).with_consumer();
    world.clock.advance(1_000);
    let named = r#"{"StreamName":"clicks"}"#;
    let (well, refused) = asked_often(&world, "DescribeLimits", "{}");
    let refused = refused.unwrap();
    assert_eq!((well, refused.code), (1, ErrorCode::LimitExceeded));
    assert_eq!(refused.message, "Rate exceeded for account 123456789012.");
    let (well, refused) = asked_often(&world, "DescribeStream", named);
    assert_eq!(well, 10);
    let message = "Rate exceeded for stream clicks under account 123456789012.";
    assert_eq!(refused.unwrap().message, message);
    assert_eq!(asked_often(&world, "DescribeStreamSummary", named).0, 20);
    assert_eq!(asked_often(&world, "ListShards", named), (30, None));
    assert_eq!(asked_often(&world, "ListTagsForStream", named).0, 5);
    let consumer = format!(r#"{{"ConsumerARN":"{CONSUMER}"}}"#);
    assert_eq!(asked_often(&world, "DescribeStreamConsumer", &consumer).0, 20);
    world.clock.advance(1_000);
    assert_eq!(asked_often(&world, "DescribeStream", named).0, 10);
}

#[test]
fn nothing_is_asked_for_too_often_where_no_limits_hold() {
    let world = World::subscribable();
    assert_eq!(asked_often(&world, "DescribeLimits", "{}"), (30, None));
}

#[test]
fn shard_gives_out_five_iterators_a_second_where_limits_hold() {
    let world = World::limited(Durations::default(), Limits::Aws).with_consumer();
    let body =
        r#"{"StreamName":"clicks","ShardId":"shardId-000000000000","ShardIteratorType":"LATEST"}"#;
    let (well, refused) = asked_often(&world, "GetShardIterator", body);
    let refused = refused.unwrap();
    assert_eq!((well, refused.code), (5, ErrorCode::ProvisionedThroughputExceeded));
    assert!(refused.message.contains("shardId-000000000000"), "{refused}");
    world.clock.advance(200);
    assert_eq!(asked_often(&world, "GetShardIterator", body).0, 1);
}

#[test]
fn five_consumers_are_made_at_once_and_no_more() {
    let world = World::new(Durations { create_ms: 500, ..Durations::default() });
    world.call("CreateStream", r#"{"StreamName":"clicks","ShardCount":1}"#).unwrap();
    world.clock.advance(500);
    let register = |name: usize| {
        let body = format!(r#"{{"StreamARN":"{STREAM}","ConsumerName":"c{name}"}}"#);
        world.call("RegisterStreamConsumer", &body)
    };
    assert!((0..5).all(|name| register(name).is_ok()));
    assert_eq!(register(5).unwrap_err().code, ErrorCode::LimitExceeded);
    world.clock.advance(500);
    assert!(register(5).is_ok());
}

#[test]
fn changes_are_made_as_often_a_day_as_the_service_allows_where_limits_hold() {
    let start = r#"{"StreamName":"clicks","EncryptionType":"KMS","KeyId":"alias/aws/kinesis"}"#;
    let mode = |mode: &str| {
        format!(r#"{{"StreamARN":"{STREAM}","StreamModeDetails":{{"StreamMode":"{mode}"}}}}"#)
    };
    for (limits, starts, switches) in [(Limits::Aws, 25, 2), (Limits::Off, 30, 4)] {
        let world = World::limited(Durations::default(), limits).with_consumer();
        let slowly = |operation: &str, body: &str| {
            world.clock.advance(1_000);
            world.call(operation, body).is_ok()
        };
        let well = (0..30).filter(|_| slowly("StartStreamEncryption", start)).count();
        assert_eq!(well, starts, "{limits:?}");
        assert!(slowly("StopStreamEncryption", start), "stops are counted apart");
        let modes = ["ON_DEMAND", "PROVISIONED", "ON_DEMAND", "PROVISIONED"].map(mode);
        let well = modes.iter().filter(|body| slowly("UpdateStreamMode", body)).count();
        // Where the third switch is refused, the fourth asks for the mode that is there.
        assert_eq!(well, if limits == Limits::Aws { switches + 1 } else { switches });
    }
}

#[test]
fn warm_stream_has_a_shard_for_each_mebibyte_a_second() {
    let world = World::new(Durations::default());
    let settings = r#"{"MinimumThroughputBillingCommitment":{"Status":"ENABLED"}}"#;
    world.call("UpdateAccountSettings", settings).unwrap();
    let body = r#"{"StreamName":"clicks","StreamModeDetails":{"StreamMode":"ON_DEMAND"},"WarmThroughputMiBps":10}"#;
    world.call("CreateStream", body).unwrap();
    let open = || {
        let summary = world.call("DescribeStreamSummary", r#"{"StreamName":"clicks"}"#).unwrap();
        summary.structure("StreamDescriptionSummary").unwrap().integer("OpenShardCount")
    };
    assert_eq!(open(), Some(10));
    let warm = |mibps: i64| {
        let body = format!(r#"{{"StreamName":"clicks","WarmThroughputMiBps":{mibps}}}"#);
        world.call("UpdateStreamWarmThroughput", &body)
    };
    warm(24).unwrap();
    assert_eq!(open(), Some(24));
    warm(8).unwrap();
    assert_eq!(open(), Some(24), "shards that are there stay");
    assert_eq!(warm(10_241).unwrap_err().code, ErrorCode::LimitExceeded);
    assert_eq!(open(), Some(24));
}

#[test]
fn operations_that_are_not_there_yet_are_unknown() {
    for name in ["CreateQueue", "CreateChannel", "Nothing"] {
        assert_eq!(Kinesis::operation(name).unwrap_err().code, ErrorCode::UnknownOperation);
    }
}

mod disturbed;
