//! A request in JSON: read or refused, answered by the model, and the same by the short way that many records go.

use serde_json::Value as Json;
use shardstream::service::ErrorCode;
use shardstream::service::decode;
use shardstream::service::encode;
use shardstream::service::kinesis::direct::PutRecords;

use super::request;
use super::world::World;

/// What the target does with its bytes.
pub fn run(bytes: &[u8]) {
    let Some((operation, limits, body)) = request::read(bytes) else { return };
    let world = World::new(limits);
    let read = decode::json::members(operation.input, body);
    let directly = (operation.name == "PutRecords").then(|| PutRecords::read(body)).flatten();
    let input = match read {
        Ok(input) => input,
        Err(error) => {
            assert_eq!(error.code, ErrorCode::Serialization);
            assert!(directly.is_none(), "the short way takes what the other refuses: {error}");
            return;
        }
    };
    request::check_read_again(operation.input, &input);
    let other = World::new(limits);
    let answered = request::call(&world, operation, &input);
    if let Some(put) = directly {
        let Some(shortly) = other.kinesis.put_records(&other.kinesis.home(), &put) else { return };
        let shortly = shortly.map(|body| serde_json::from_slice::<Json>(&body).expect("JSON"));
        let answered = answered
            .map(|members| serde_json::from_slice::<Json>(&encode::json(&members)).expect("JSON"));
        assert_eq!(shortly, answered);
        assert_eq!(other.records(), world.records());
    } else if operation.name == "GetRecords" {
        let shortly = other.kinesis.get_records_json(&other.kinesis.home(), &input);
        let shortly = shortly.map(|body| serde_json::from_slice::<Json>(&body).expect("JSON"));
        let answered = answered
            .map(|members| serde_json::from_slice::<Json>(&encode::json(&members)).expect("JSON"));
        assert_eq!(shortly, answered);
    }
}
