//! Records as the JSON of an answer, written from the blocks they lie in.

use std::io::Write;

use base64_simd::STANDARD;

use crate::engine::Settings;
use crate::engine::slice::Slice;
use crate::service::error::ServiceError;
use crate::service::kinesis::reader::failure;

/// Bytes of one record's JSON besides its key and data, about.
const RECORD_BYTES: usize = 192;

/// Writes records as a list.
pub(super) fn write_json(
    slices: &[Slice],
    settings: &Settings,
    body: &mut Vec<u8>,
) -> Result<(), ServiceError> {
    let count: usize = slices.iter().map(Slice::len).sum();
    body.reserve(count * RECORD_BYTES);
    body.push(b'[');
    let mut is_first = true;
    for slice in slices {
        slice.each_of_shard(|block, row, arrival, digits| {
            body.extend_from_slice(if is_first {
                b"{\"SequenceNumber\":\""
            } else {
                b",{\"SequenceNumber\":\""
            });
            is_first = false;
            body.extend_from_slice(digits);
            let (seconds, ms) = (arrival.0.div_euclid(1_000), arrival.0.rem_euclid(1_000));
            let _ =
                write!(body, "\",\"ApproximateArrivalTimestamp\":{seconds}.{ms:03},\"Data\":\"");
            STANDARD.encode_append(&*block.payload.data(row).map_err(failure)?, body);
            let key = block.keys.value(row);
            if key.is_empty() {
                body.push(b'"');
            } else {
                body.extend_from_slice(b"\",\"PartitionKey\":");
                serde_json::to_writer(&mut *body, key).expect("memory takes any length");
            }
            if settings.encrypts(block.index(row)) {
                body.extend_from_slice(b",\"EncryptionType\":\"KMS\"");
            }
            body.push(b'}');
            Ok::<(), ServiceError>(())
        })?;
    }
    body.push(b']');
    Ok(())
}
