//! The calls that carry records by the hundred, from JSON to JSON without a value for each member in between.
//!
//! Only requests as clients write them go this way: whatever is out of the ordinary, a fault above all, is left to the
//! operations themselves, which know all the words.

use std::fmt;
use std::marker::PhantomData;

use base64_simd::STANDARD;
use multiversion::multiversion;
use serde::de::Deserialize;
use serde::de::Deserializer;
use serde::de::MapAccess;
use serde::de::Visitor;
use serde::de::value::MapAccessDeserializer;

use crate::engine::Distribution;
use crate::engine::put_many::Answers;
use crate::engine::stream::Entry;
use crate::hash_key::HashKey;
use crate::limits::PUT_RECORDS_BYTES_MAX;
use crate::limits::PUT_RECORDS_MAX;
use crate::record::key::check_key;
use crate::service::encode;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::Caller;
use crate::service::kinesis::Kinesis;
use crate::service::kinesis::disturbed::Subject;
use crate::service::value::Members;

/// A `PutRecords` that is in order as far as can be told without its stream.
#[derive(Debug)]
pub struct PutRecords<'b> {
    stream: Members,
    records: Vec<Record<'b>>,
    /// What all records carry, end to end.
    data: Vec<u8>,
}

#[derive(Debug)]
struct Record<'b> {
    key: &'b str,
    hash_key: Option<HashKey>,
    /// Where its bytes end; they begin where those before end.
    end: usize,
}

/// Brackets that open something in a request, at most: two for each record, as keys may have some. The parser steps by
/// recursion over what does not belong in its place, and these bound how deep.
const OPENINGS_MAX: usize = 2 * (PUT_RECORDS_MAX + 1);

/// The request as clients write it: text without escapes.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'b> {
    #[serde(borrow)]
    records: Vec<OfMap<Asked<'b>>>,
    stream_name: Option<&'b str>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<&'b str>,
    dry_run: Option<bool>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked<'b> {
    data: &'b str,
    partition_key: &'b str,
    explicit_hash_key: Option<&'b str>,
}

/// A structure that is written as a map: a derived reader by itself takes a list of its members, too.
struct OfMap<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OfMap<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OfMapVisitor(PhantomData))
    }
}

struct OfMapVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OfMapVisitor<T> {
    type Value = OfMap<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a structure")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OfMap<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(OfMap)
    }
}

/// Counts `[` and `{`, which one bit tells apart, in runs that a byte can count and that fill registers of any width.
#[multiversion(targets("x86_64+avx+avx2+bmi1+bmi2+fma"))]
fn openings(body: &[u8]) -> usize {
    const RUN: usize = 192;
    let in_run = |run: &[u8]| run.iter().map(|byte| u8::from(byte | 0x20 == b'{')).sum::<u8>();
    body.chunks(RUN).map(|run| usize::from(in_run(run))).sum()
}

impl<'b> PutRecords<'b> {
    /// Reads a request, if it is in order.
    pub fn read(body: &'b [u8]) -> Option<Self> {
        if OPENINGS_MAX < openings(body) {
            return None;
        }
        let OfMap(Body { records: puts, stream_name, stream_arn, dry_run }) =
            sonic_rs::from_slice(body).ok()?;
        if puts.is_empty() || PUT_RECORDS_MAX < puts.len() || dry_run == Some(true) {
            return None;
        }
        let mut records = Vec::with_capacity(puts.len());
        let mut data = Vec::with_capacity(body.len() / 4 * 3);
        let mut bytes = 0;
        for OfMap(put) in puts {
            let key = put.partition_key;
            check_key(key).ok()?;
            let hash_key = match put.explicit_hash_key {
                Some(digits) => Some(HashKey::parse(digits)?),
                None => None,
            };
            STANDARD.decode_append(put.data, &mut data).ok()?;
            bytes += key.len();
            records.push(Record { key, hash_key, end: data.len() });
        }
        if stream_name.is_none() && stream_arn.is_none() {
            return None;
        }
        let stream =
            Members::new().with_some("StreamName", stream_name).with_some("StreamARN", stream_arn);
        (bytes + data.len() <= PUT_RECORDS_BYTES_MAX).then_some(Self { stream, records, data })
    }

    fn bytes(&self, place: usize) -> &[u8] {
        let start = place.checked_sub(1).map_or(0, |before| self.records[before].end);
        &self.data[start..self.records[place].end]
    }
}

/// What became of records that were put together.
#[derive(Debug)]
pub struct Put {
    /// Of each.
    pub answers: Answers,
    /// Whether the stream's records are said to be encrypted.
    pub is_encrypted: bool,
}

impl Kinesis {
    /// Puts records, whose members kept their constraints, into the stream that `stream` names; `None`, and nothing is put,
    /// where there is more to say about them.
    pub fn put_in_order<'a>(
        &self,
        caller: &Caller,
        stream: &Members,
        count: usize,
        entry: impl Fn(usize) -> Entry<'a> + Sync,
    ) -> Option<Result<Put, ServiceError>> {
        if self.faults.is_on() {
            return None;
        }
        let account = self.engine.account(&caller.account, &caller.region).ok()?;
        let (engine, sealer, now) = (&*self.engine, &self.sealer, self.engine.now());
        let (faults, subject) = (&self.faults, Subject::default());
        let call = Call { engine, sealer, account, now, input: stream, faults, subject };
        let stream = call.stream_for_records().ok()?;
        let settings = stream.settings(now).ok()?;
        let is_large = |place: usize| settings.record_bytes_max < entry(place).bytes();
        if settings.distribution == Distribution::Auto || (0..count).any(is_large) {
            return None;
        }
        let is_encrypted = settings.encryption_key.is_some();
        let put = stream.put_each(now, count, entry).map(|answers| Put { answers, is_encrypted });
        Some(put.map_err(ServiceError::from))
    }

    /// Answers a `PutRecords`; `None`, and nothing is put, where there is more to say about it.
    pub fn put_records(
        &self,
        caller: &Caller,
        put: &PutRecords<'_>,
    ) -> Option<Result<Vec<u8>, ServiceError>> {
        let entry = |place: usize| {
            let Record { key, hash_key, .. } = put.records[place];
            Entry { data: put.bytes(place), key, explicit_hash_key: hash_key }
        };
        let Put { answers, is_encrypted } =
            match self.put_in_order(caller, &put.stream, put.records.len(), entry)? {
                Ok(put) => put,
                Err(error) => return Some(Err(error)),
            };
        let mut body = Vec::with_capacity(64 + answers.len() * 112);
        body.extend_from_slice(b"{\"FailedRecordCount\":");
        body.extend_from_slice(answers.refused_count().to_string().as_bytes());
        body.extend_from_slice(b",\"Records\":[");
        let mut between = "";
        answers.each(|answer| {
            body.extend_from_slice(between.as_bytes());
            between = ",";
            match answer {
                Ok((digits, shard)) => {
                    body.extend_from_slice(b"{\"SequenceNumber\":\"");
                    body.extend_from_slice(&digits);
                    body.extend_from_slice(b"\",\"ShardId\":\"");
                    body.extend_from_slice(&shard.name());
                    body.extend_from_slice(b"\"}");
                }
                Err(error) => {
                    let ServiceError { code, message } = error.clone().into();
                    let told =
                        Members::new().with("ErrorCode", code.name()).with("ErrorMessage", message);
                    body.extend_from_slice(&encode::json(&told));
                }
            }
        });
        body.push(b']');
        if is_encrypted {
            body.extend_from_slice(b",\"EncryptionType\":\"KMS\"");
        }
        body.push(b'}');
        Some(Ok(body))
    }
}

#[cfg(test)]
mod tests;
