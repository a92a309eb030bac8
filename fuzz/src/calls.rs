//! Calls one after another, made by the model's shapes from names that mean something, with time passing between them.

use std::collections::BTreeMap;

use bytes::Bytes;
use shardstream::clock::Millis;
use shardstream::engine::Limits;
use shardstream::service::Members;
use shardstream::service::Value;
use shardstream::service::kinesis::model::OPERATIONS;
use shardstream::service::shape::Shape;
use shardstream::service::shape::Structure;
use shardstream::service::shape::Text;

use super::given::Given;
use super::request;
use super::world;
use super::world::World;

/// Calls of one run, at most.
const CALLS_MAX: usize = 40;
/// What may pass between two calls, in milliseconds.
const PAUSES: [i64; 8] = [0, 0, 0, 1, 500, 5_000, 300_001, 86_400_000];

/// What the target does with its bytes.
pub fn run(bytes: &[u8]) {
    let mut given = Given(bytes);
    let world = World::new(given.one_of(&[Limits::Off, Limits::Aws]));
    let mut maker = Maker { given, now: world.clock.now(), told: BTreeMap::new() };
    for _ in 0..CALLS_MAX {
        if maker.given.is_used_up() {
            break;
        }
        maker.now = world.clock.advance(maker.given.one_of(&PAUSES));
        let operation = &OPERATIONS[usize::from(maker.given.byte()) % OPERATIONS.len()];
        let input = maker.members(operation.input);
        request::check_read_again(operation.input, &input);
        if let Ok(answer) = request::call(&world, operation, &input) {
            maker.hear(&answer);
        }
    }
}

/// Makes the members of calls.
struct Maker<'b> {
    given: Given<'b>,
    now: Millis,
    /// What answers told last, by member: clients hand it back.
    told: BTreeMap<&'static str, String>,
}

impl Maker<'_> {
    fn members(&mut self, structure: &'static Structure) -> Members {
        let mut members = Members::new();
        for member in structure.members {
            let is_there = self.given.byte() % 4 != u8::from(!member.required);
            if is_there {
                members.set(member.name, self.value(member.name, member.shape));
            }
        }
        members
    }

    fn value(&mut self, name: &str, shape: &'static Shape) -> Value {
        match shape {
            Shape::Blob(_) => Value::Blob(Bytes::copy_from_slice(self.given.bytes(40))),
            Shape::Boolean => Value::Boolean(self.given.byte() % 2 == 1),
            Shape::Integer(_) | Shape::Long(_) => Value::Integer(self.given.number()),
            Shape::List(each, _) => {
                let count = self.given.byte() % 5;
                Value::List((0..count).map(|_| self.value(name, each)).collect())
            }
            Shape::Map(..) => {
                let count = self.given.byte() % 4;
                Value::Map((0..count).map(|_| (self.given.text(8), self.given.text(8))).collect())
            }
            Shape::Structure(structure) => Value::Structure(self.members(structure)),
            Shape::Text(text) => Value::Text(self.text(name, text)),
            Shape::Timestamp => {
                let number = self.given.number();
                Value::Timestamp(if self.given.byte() < 128 {
                    self.now.plus(number.wrapping_neg())
                } else {
                    Millis(number)
                })
            }
        }
    }

    fn text(&mut self, name: &str, shape: &Text) -> String {
        let choice = self.given.byte() % 8;
        if choice == 0 {
            return self.given.text(20);
        }
        if !shape.values.is_empty() {
            return self.given.one_of(shape.values).to_owned();
        }
        if let Some(told) = self.told.get(name).filter(|_| choice < 6) {
            return told.clone();
        }
        match name {
            "StreamName" => self.given.one_of(&[world::STREAM, "other", "third"]).to_owned(),
            "ConsumerName" => self.given.one_of(&["app", "b"]).to_owned(),
            "ConsumerARN" => world::CONSUMER_ARN.to_owned(),
            "StreamARN" | "ResourceARN" => {
                self.given.one_of(&[world::STREAM_ARN, world::CONSUMER_ARN]).to_owned()
            }
            "ShardId"
            | "ShardToSplit"
            | "ShardToMerge"
            | "AdjacentShardToMerge"
            | "ExclusiveStartShardId" => {
                format!("shardId-{:012}", self.given.byte() % 12)
            }
            "ExplicitHashKey" | "NewStartingHashKey" => self.hash_key(),
            _ => self.given.text(20),
        }
    }

    /// A place on the ring: the sixteenth that a byte says, or one beside it.
    fn hash_key(&mut self) -> String {
        let sixteenth = u128::from(self.given.byte() % 16) << 124;
        sixteenth.wrapping_add(u128::from(self.given.byte() % 4)).wrapping_sub(1).to_string()
    }

    /// Remembers what clients hand back.
    fn hear(&mut self, answer: &Members) {
        for (name, value) in answer.iter() {
            match value {
                Value::Structure(members) => self.hear(members),
                Value::List(values) => {
                    for value in values {
                        if let Value::Structure(members) = value {
                            self.hear(members);
                        }
                    }
                }
                Value::Text(text) => {
                    let asked_by = match name {
                        "NextShardIterator" | "ShardIterator" => "ShardIterator",
                        "StartingSequenceNumber" | "SequenceNumber" => {
                            self.told.insert("StartingSequenceNumber", text.clone());
                            self.told.insert("SequenceNumberForOrdering", text.clone());
                            "SequenceNumber"
                        }
                        "NextToken" | "ConsumerARN" => name,
                        _ => continue,
                    };
                    self.told.insert(asked_by, text.clone());
                }
                _ => {}
            }
        }
    }
}
