//! One request of any operation: the first byte says which, the second which limits hold, the others are its body.

use shardstream::engine::Limits;
use shardstream::service::Members;
use shardstream::service::ServiceError;
use shardstream::service::Value;
use shardstream::service::decode;
use shardstream::service::encode;
use shardstream::service::kinesis::model::OPERATIONS;
use shardstream::service::kinesis::model::Operation;
use shardstream::service::kinesis::model::SUBSCRIBE_TO_SHARD_EVENT;
use shardstream::service::kinesis::subscribe_to_shard::Step;
use shardstream::service::shape::Structure;

use super::answer::check_answer;
use super::answer::check_members;
use super::world::World;

/// Events that are read of a subscription.
const STEPS: usize = 4;
/// Milliseconds that a float of seconds tells apart: some thousands of years.
const FAR_MS: u64 = 1 << 47;

/// Takes apart what a target is given.
pub fn read(bytes: &[u8]) -> Option<(&'static Operation, Limits, &[u8])> {
    let [operation, limits, body @ ..] = bytes else { return None };
    let operation = &OPERATIONS[usize::from(*operation) % OPERATIONS.len()];
    Some((operation, if limits % 2 == 0 { Limits::Off } else { Limits::Aws }, body))
}

/// Calls an operation and checks its answer, and what it left behind.
pub fn call(
    world: &World,
    operation: &'static Operation,
    input: &Members,
) -> Result<Members, ServiceError> {
    let kinesis = &world.kinesis;
    let answered = if operation.name == "SubscribeToShard" {
        kinesis.subscribe(&kinesis.home(), operation, input).map(|mut subscription| {
            for _ in 0..STEPS {
                match subscription.step() {
                    Step::Event(event) => check_members(&SUBSCRIBE_TO_SHARD_EVENT, &event),
                    Step::Wait(_) => break,
                    Step::Error(error) => panic!("a subscription that was just made ends: {error}"),
                    Step::End => {}
                }
            }
            Members::new()
        })
    } else {
        kinesis.call(&kinesis.home(), operation, input)
    };
    check_answer(operation, &answered);
    world.check();
    answered
}

/// Checks that members are the same after they were written and read again, in either language.
pub fn check_read_again(structure: &'static Structure, members: &Members) {
    assert_eq!(decode::cbor::members(structure, &encode::cbor(members)).as_ref(), Ok(members));
    if !members.iter().any(|(_, value)| is_far(value)) {
        assert_eq!(decode::json::members(structure, &encode::json(members)).as_ref(), Ok(members));
    }
}

fn is_far(value: &Value) -> bool {
    match value {
        Value::List(values) => values.iter().any(is_far),
        Value::Structure(members) => members.iter().any(|(_, value)| is_far(value)),
        Value::Timestamp(time) => FAR_MS < time.0.unsigned_abs(),
        _ => false,
    }
}
