//! A request in CBOR: read or refused as an independent parser says, and answered by the model.

use shardstream::service::ErrorCode;
use shardstream::service::decode;

use super::request;
use super::world::World;

/// What the target does with its bytes.
pub fn run(bytes: &[u8]) {
    let Some((operation, limits, body)) = request::read(bytes) else { return };
    match decode::cbor::members(operation.input, body) {
        Ok(input) => {
            let mut rest = body;
            let read = ciborium::from_reader::<ciborium::Value, _>(&mut rest);
            // Simple values without a meaning are well formed, and so are tags of tags: the other parser is stricter.
            let is_known = !matches!(
                read,
                Err(ciborium::de::Error::Semantic(..) | ciborium::de::Error::RecursionLimitExceeded)
            );
            assert!(!is_known || (read.is_ok() && rest.is_empty()), "CBOR for us alone: {read:?}");
            request::check_read_again(operation.input, &input);
            let _ = request::call(&World::new(limits), operation, &input);
        }
        Err(error) => assert_eq!(error.code, ErrorCode::Serialization),
    }
}
