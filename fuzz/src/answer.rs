//! What every answer must be: of the model's shape, written well in both languages, and a refusal never a failure.

use shardstream::service::ErrorCode;
use shardstream::service::Members;
use shardstream::service::ServiceError;
use shardstream::service::Value;
use shardstream::service::check::check;
use shardstream::service::encode;
use shardstream::service::kinesis::model::Operation;
use shardstream::service::shape::Shape;
use shardstream::service::shape::Structure;

/// Checks what an operation answered.
pub fn check_answer(operation: &Operation, answered: &Result<Members, ServiceError>) {
    match answered {
        Ok(members) => check_members(operation.output, members),
        Err(error) => check_refusal(operation, error),
    }
}

/// Checks members against the structure that the model names.
pub fn check_members(structure: &'static Structure, members: &Members) {
    assert_fits(structure, members);
    if let Err(error) = check(structure, members, |_| false) {
        // The service answers with empty lists and zeros where its model asks for one at least, and the last event of a
        // shard has no number to continue from.
        let is_last = members.get("ChildShards").is_some();
        let is_known = |fault: &str| {
            fault.ends_with("greater than or equal to 1")
                || is_last && fault.contains("'continuationSequenceNumber'")
        };
        assert!(error.message.split("; ").all(is_known), "{error} of {members:?}");
    }
    check_written(members);
}

fn check_refusal(operation: &Operation, error: &ServiceError) {
    assert_eq!(error.code.status(), 400, "{}: {error}", operation.name);
    // What every operation may say, whether the model tells of it or not.
    let is_common = matches!(
        error.code,
        ErrorCode::Validation | ErrorCode::LimitExceeded | ErrorCode::InvalidArgument
    );
    let is_declared = is_common || operation.errors.contains(&error.code);
    assert!(is_declared, "{} does not refuse with {error}", operation.name);
    check_written(&Members::new().with("message", error.message.as_str()));
}

/// Checks that members are read by parsers that are not ours.
fn check_written(members: &Members) {
    let json = encode::json(members);
    assert!(serde_json::from_slice::<serde_json::Value>(&json).is_ok(), "{json:?}");
    let cbor = encode::cbor(members);
    let mut rest = cbor.as_slice();
    assert!(ciborium::from_reader::<ciborium::Value, _>(&mut rest).is_ok(), "{cbor:?}");
    assert!(rest.is_empty(), "{cbor:?}");
}

fn assert_fits(structure: &'static Structure, members: &Members) {
    for (name, value) in members.iter() {
        let member = structure.member(name);
        let member = member.unwrap_or_else(|| panic!("{} has no {name}", structure.name));
        assert!(fits(member.shape, value), "{}.{name} is {value:?}", structure.name);
    }
}

fn fits(shape: &'static Shape, value: &Value) -> bool {
    match (shape, value) {
        (Shape::List(each, _), Value::List(values)) => values.iter().all(|value| fits(each, value)),
        (Shape::Structure(structure), Value::Structure(members)) => {
            assert_fits(structure, members);
            true
        }
        (Shape::Blob(_), Value::Blob(_))
        | (Shape::Boolean, Value::Boolean(_))
        | (Shape::Integer(_) | Shape::Long(_), Value::Integer(_))
        | (Shape::Map(..), Value::Map(_))
        | (Shape::Text(_), Value::Text(_))
        | (Shape::Timestamp, Value::Timestamp(_)) => true,
        _ => false,
    }
}
