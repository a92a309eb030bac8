//! What goes directly against what goes member by member: the same engine twice, and answers that must be one.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use serde_json::Value as Json;
use serde_json::json;

use super::*;
use crate::clock::Clock;
use crate::clock::ManualClock;
use crate::clock::Millis;
use crate::engine::Durations;
use crate::engine::Engine;
use crate::engine::EngineOptions;
use crate::engine::Limits;
use crate::engine::Mode;
use crate::engine::StreamOptions;
use crate::service::decode;
use crate::threads::Threads;

fn kinesis(limits: Limits) -> Kinesis {
    kinesis_of(limits, Durations::default())
}

fn kinesis_of(limits: Limits, durations: Durations) -> Kinesis {
    let engine = Engine::new(EngineOptions {
        clock: Clock::Manual(Arc::new(ManualClock::new(Millis(1_767_225_600_123)))),
        limits,
        region: "eu-west-1".to_owned(),
        account_id: "123456789012".to_owned(),
        seed: 7,
        threads: Threads::ONE,
        durations,
        shard_limit: None,
    });
    let options = StreamOptions {
        shard_count: 3,
        retention_ms: 86_400_000,
        mode: Mode::Provisioned,
        record_bytes_max: 1 << 20,
        tags: BTreeMap::new(),
        distribution: Distribution::ByKey,
        warm_throughput: None,
    };
    engine.create_stream(engine.now(), "clicks", options).unwrap();
    Kinesis::new(Arc::new(engine))
}

/// The answer member by member, as JSON.
fn slow(kinesis: &Kinesis, operation: &str, body: &str) -> Result<Json, ServiceError> {
    let operation = Kinesis::operation(operation).unwrap();
    let input = decode::json::members(operation.input, body.as_bytes())?;
    let answer = kinesis.call(&kinesis.home(), operation, &input)?;
    Ok(serde_json::from_slice(&encode::json(&answer)).unwrap())
}

fn direct(kinesis: &Kinesis, body: &str) -> Option<Json> {
    let put = PutRecords::read(body.as_bytes())?;
    let answer = kinesis.put_records(&kinesis.home(), &put)?.unwrap();
    Some(serde_json::from_slice(&answer).unwrap())
}

fn get(kinesis: &Kinesis, shard: &str) -> (Json, Json) {
    let body =
        json!({"StreamName": "clicks", "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
    let iterator = slow(kinesis, "GetShardIterator", &body.to_string()).unwrap();
    let body = json!({"ShardIterator": iterator["ShardIterator"]}).to_string();
    let operation = Kinesis::operation("GetRecords").unwrap();
    let input = decode::json::members(operation.input, body.as_bytes()).unwrap();
    let direct = kinesis.get_records_json(&kinesis.home(), &input).unwrap();
    (slow(kinesis, "GetRecords", &body).unwrap(), serde_json::from_slice(&direct).unwrap())
}

proptest! {
    #[test]
    fn both_ways_answer_the_same(
        records in proptest::collection::vec(
            (proptest::collection::vec(any::<u8>(), 0..40), "[a-z\u{e9}\u{1F600}\"\\\\]{1,12}", proptest::option::of(any::<u128>())),
            1..20,
        ),
        is_full in any::<bool>(),
    ) {
        let puts: Vec<Json> = records
            .iter()
            .map(|(data, key, hash_key)| {
                let mut put = json!({"Data": BASE64.encode(data), "PartitionKey": key});
                if let Some(hash_key) = hash_key {
                    put["ExplicitHashKey"] = json!(hash_key.to_string());
                }
                put
            })
            .collect();
        let body = json!({"StreamName": "clicks", "Records": puts}).to_string();
        let (one, other) = (kinesis(Limits::Aws), kinesis(Limits::Aws));
        if is_full {
            let many: Vec<Json> = (0..500).map(|_| json!({"Data": "", "PartitionKey": "k", "ExplicitHashKey": "0"})).collect();
            let full = json!({"StreamName": "clicks", "Records": many}).to_string();
            for kinesis in [&one, &other] {
                slow(kinesis, "PutRecords", &full).unwrap();
                slow(kinesis, "PutRecords", &full).unwrap();
            }
        }
        // Keys with escapes go the other way.
        let directly = direct(&one, &body);
        prop_assert_eq!(directly.is_none(), body.contains('\\'));
        let answer = directly.unwrap_or_else(|| slow(&one, "PutRecords", &body).unwrap());
        prop_assert_eq!(answer, slow(&other, "PutRecords", &body).unwrap());
        for shard in 0..3 {
            let (slow, direct) = get(&one, &format!("shardId-{shard:012}"));
            prop_assert_eq!(slow, direct);
        }
    }
}

#[test]
fn stream_that_is_being_made_takes_no_records_either_way() {
    let kinesis = kinesis_of(Limits::Off, Durations { create_ms: 500, ..Durations::default() });
    let body = r#"{"StreamName":"clicks","Records":[{"Data":"eA==","PartitionKey":"k"}]}"#;
    assert_eq!(direct(&kinesis, body), None);
    let refused = slow(&kinesis, "PutRecords", body).unwrap_err();
    assert_eq!(refused.code, crate::service::ErrorCode::ResourceNotFound);
}

#[test]
fn what_is_out_of_the_ordinary_goes_the_other_way() {
    let put = |put: &str| format!("{{\"StreamName\":\"clicks\",\"Records\":[{put}]}}");
    let good = r#"{"Data":"eA==","PartitionKey":"k"}"#;
    assert!(direct(&kinesis(Limits::Off), &put(good)).is_some());
    let long = format!("{{\"Data\":\"eA==\",\"PartitionKey\":\"{}\"}}", "k".repeat(257));
    for body in [
        String::new(),
        put(""),
        put(r#"{"Data":"eA=","PartitionKey":"k"}"#),
        put(r#"{"Data":"eA==","PartitionKey":""}"#),
        put(r#"{"Data":"eA==","PartitionKey":"k","ExplicitHashKey":"01"}"#),
        put(r#"{"Data":"eA=="}"#),
        put(r#"{"Data":5,"PartitionKey":"k"}"#),
        put(&long),
        put(&vec![good; 501].join(",")),
        format!("{{\"Records\":[{good}]}}"),
        format!("{{\"StreamName\":\"nowhere\",\"Records\":[{good}]}}"),
        format!("{{\"StreamName\":\"clicks\",\"DryRun\":true,\"Records\":[{good}]}}"),
        format!("{{\"StreamName\":\"clicks\",\"Records\":[{good}]}} and more"),
        put(r#"["eA==","k",null]"#),
        format!("[[{good}],\"clicks\",null,null]"),
    ] {
        assert_eq!(direct(&kinesis(Limits::Off), &body), None, "{body:.80}");
    }
}

#[test]
fn what_is_nested_without_end_is_refused_and_not_followed() {
    let deep = "[".repeat(4_000_000);
    for body in [
        format!("{{\"StreamName\":\"clicks\",\"Records\":[],\"Other\":{deep}"),
        format!("{{\"StreamName\":\"clicks\",\"Records\":[{{\"Other\":{deep}"),
        format!("{{\"StreamName\":{deep}"),
        deep.clone(),
    ] {
        assert_eq!(direct(&kinesis(Limits::Off), &body), None);
        assert!(slow(&kinesis(Limits::Off), "PutRecords", &body).is_err());
    }
}

#[test]
fn brackets_are_counted_wherever_they_stand() {
    let good = r#"{"Data":"eA==","PartitionKey":"user[1]"}"#;
    let body = format!("{{\"StreamName\":\"clicks\",\"Records\":[{}]}}", vec![good; 500].join(","));
    assert_eq!(openings(body.as_bytes()), OPENINGS_MAX);
    assert!(PutRecords::read(body.as_bytes()).is_some());
    let more = body.replacen("user[1]", "user[[1]", 1);
    assert!(PutRecords::read(more.as_bytes()).is_none());
    for len in [0, 1, 191, 192, 193, 1_000] {
        assert_eq!((openings(&vec![b'['; len]), openings(&vec![b'Z'; len])), (len, 0));
    }
}
