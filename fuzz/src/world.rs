//! The service that targets call: a stream with records, a split behind it and a consumer, on a clock that stands still.

use std::sync::Arc;

use serde_json::Value as Json;
use shardstream::clock::Clock;
use shardstream::clock::ManualClock;
use shardstream::clock::Millis;
use shardstream::engine::Durations;
use shardstream::engine::Engine;
use shardstream::engine::EngineOptions;
use shardstream::engine::Limits;
use shardstream::hash_key::HashKey;
use shardstream::service::Kinesis;
use shardstream::service::ServiceError;
use shardstream::service::decode;
use shardstream::service::encode;
use shardstream::threads::Threads;

/// When it begins.
pub const START: Millis = Millis(1_767_225_600_000);
/// The account that it is at home in.
pub const ACCOUNT: &str = "123456789012";
/// The region.
pub const REGION: &str = "eu-west-1";
/// Its stream.
pub const STREAM: &str = "clicks";
/// The same by its ARN.
pub const STREAM_ARN: &str = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks";
/// The consumer of its stream.
pub const CONSUMER_ARN: &str =
    "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks/consumer/app:1767225600";

/// The service, and the clock that it lives by.
#[derive(Clone, Debug)]
pub struct World {
    /// The service.
    pub kinesis: Arc<Kinesis>,
    /// Its clock.
    pub clock: Arc<ManualClock>,
}

impl World {
    /// Makes it anew.
    pub fn new(limits: Limits) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let engine = Engine::new(EngineOptions {
            clock: Clock::Manual(Arc::clone(&clock)),
            limits,
            region: REGION.to_owned(),
            account_id: ACCOUNT.to_owned(),
            seed: 7,
            threads: Threads::ONE,
            durations: Durations { create_ms: 500, update_ms: 500, delete_ms: 500 },
            shard_limit: Some(64),
        });
        let world = Self { kinesis: Arc::new(Kinesis::new(Arc::new(engine))), clock };
        world.settle("CreateStream", r#"{"StreamName":"clicks","ShardCount":2}"#);
        for put in [
            r#"{"StreamName":"clicks","PartitionKey":"k","Data":"YQ=="}"#,
            r#"{"StreamName":"clicks","PartitionKey":"k","Data":"","ExplicitHashKey":"0"}"#,
        ] {
            world.settle("PutRecord", put);
        }
        let split = format!(
            r#"{{"StreamName":"clicks","ShardToSplit":"shardId-000000000000","NewStartingHashKey":"{}"}}"#,
            1_u128 << 126
        );
        world.settle("SplitShard", &split);
        let register = format!(r#"{{"StreamARN":"{STREAM_ARN}","ConsumerName":"app"}}"#);
        world.answered("RegisterStreamConsumer", &register).expect("a first consumer is taken");
        world.clock.advance(1_000);
        world
    }

    /// Calls what goes well, and lets its time pass within the first second, so that ARNs stay as they are.
    fn settle(&self, operation: &str, body: &str) {
        self.answered(operation, body).expect("the world is made of calls that go well");
        self.clock.advance(if operation.starts_with("Put") { 0 } else { 500 });
    }

    /// Answers a call in JSON, member by member.
    pub fn answered(&self, operation: &str, body: &str) -> Result<Json, ServiceError> {
        let operation = Kinesis::operation(operation)?;
        let input = decode::json::members(operation.input, body.as_bytes())?;
        let answer = self.kinesis.call(&self.kinesis.home(), operation, &input)?;
        Ok(serde_json::from_slice(&encode::json(&answer)).expect("answers are JSON"))
    }

    /// Checks that streams still stand: open shards cover the ring once.
    pub fn check(&self) {
        let engine = self.kinesis.engine();
        let now = engine.now();
        for stream in engine.home().streams() {
            let Ok(shards) = stream.shards(now) else { continue };
            let mut open: Vec<_> = shards.iter().filter(|shard| shard.is_open()).collect();
            open.sort_by_key(|shard| shard.range.first);
            let (first, last) = (open.first().expect("one"), open.last().expect("one"));
            assert_eq!((first.range.first, last.range.last), (HashKey::MIN, HashKey::MAX));
            assert!(open.windows(2).all(|pair| pair[0].range.is_followed_by(pair[1].range)));
        }
    }

    /// All that the shards of its stream hold, as `GetRecords` tells of it.
    pub fn records(&self) -> Vec<Json> {
        let listed = format!(r#"{{"StreamName":"{STREAM}"}}"#);
        let Ok(listed) = self.answered("ListShards", &listed) else { return Vec::new() };
        let shards = listed["Shards"].as_array().expect("shards are a list").iter();
        shards
            .map(|shard| {
                let body = serde_json::json!({
                    "StreamName": STREAM, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON",
                });
                let iterator = self.answered("GetShardIterator", &body.to_string()).expect("a shard");
                let body = serde_json::json!({"ShardIterator": iterator["ShardIterator"]});
                self.answered("GetRecords", &body.to_string()).expect("an iterator")["Records"].take()
            })
            .collect()
    }
}
