//! One request in both languages, and bodies that are none.

use crate::clock::Millis;
use crate::service::decode::VALUES_MAX;
use crate::service::decode::cbor;
use crate::service::decode::json;
use crate::service::encode;
use crate::service::error::ErrorCode;
use crate::service::kinesis::Kinesis;
use crate::service::shape::Structure;
use crate::service::value::Members;
use crate::service::value::Value;
use bytes::Bytes;
use proptest::prelude::*;

fn input(operation: &str) -> &'static Structure {
    Kinesis::operation(operation).unwrap().input
}

fn refused(operation: &str, body: &str) -> String {
    let error = json::members(input(operation), body.as_bytes()).unwrap_err();
    assert_eq!(error.code, ErrorCode::Serialization);
    error.message
}

#[test]
fn values_of_other_types_are_refused_in_the_services_words() {
    for (operation, body, words) in [
        (
            "CreateStream",
            r#"{"StreamName":1}"#,
            "class java.math.BigDecimal can not be converted to an String",
        ),
        (
            "CreateStream",
            r#"{"StreamName":true}"#,
            "class java.lang.Boolean can not be converted to an String",
        ),
        ("CreateStream", r#"{"StreamName":["a"]}"#, "Start of list found where not expected"),
        (
            "CreateStream",
            r#"{"StreamName":{}}"#,
            "Start of structure or map found where not expected.",
        ),
        (
            "CreateStream",
            r#"{"ShardCount":"2"}"#,
            "class java.lang.String can not be converted to an Integer",
        ),
        ("PutRecords", r#"{"Records":"x"}"#, "Expected list or null"),
        ("PutRecords", r#"{"Records":["x"]}"#, "Expected null"),
        ("AddTagsToStream", r#"{"Tags":3}"#, "Expected map or null"),
        ("PutRecord", r#"{"Data":5}"#, "class java.math.BigDecimal can not be converted to a Blob"),
        (
            "PutRecord",
            r#"{"Data":"abc"}"#,
            "'abc' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 3",
        ),
        (
            "PutRecord",
            r#"{"Data":"ab!d"}"#,
            "'ab!d' can not be converted to a Blob: Invalid Base64 character: '!'",
        ),
    ] {
        assert_eq!(refused(operation, body), words, "{body}");
    }
    for body in ["", "{", "[]", "null", "{\"StreamName\":\"a\"} x", "\u{0}"] {
        assert_eq!(refused("CreateStream", body), "", "{body}");
    }
}

#[test]
fn depths_without_end_are_not_followed() {
    let deep = format!("{{\"Other\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(json::members(input("CreateStream"), deep.as_bytes()), Ok(Members::new()));
    let deep = [b"\xa1\x65Other".as_slice(), &vec![0x81; 100_000], &[1]].concat();
    let refused = cbor::members(input("CreateStream"), &deep).unwrap_err();
    assert_eq!((refused.code, refused.message.as_str()), (ErrorCode::Serialization, ""));
}

#[test]
fn an_instant_may_be_tagged_as_one() {
    let body = b"\xa1\x69Timestamp\xc1\x1b\x00\x00\x01\x8b\xcf\xe5\x68\x00";
    let members = cbor::members(input("GetShardIterator"), body).unwrap();
    assert_eq!(members.timestamp("Timestamp"), Some(Millis(1_700_000_000_000)));
    let json = json::members(input("GetShardIterator"), br#"{"Timestamp":1700000000.25}"#).unwrap();
    assert_eq!(json.timestamp("Timestamp"), Some(Millis(1_700_000_000_250)));
}

#[test]
fn more_values_than_any_request_holds_are_refused_before_they_fill_memory() {
    for (count, is_taken) in [(VALUES_MAX, true), (VALUES_MAX + 1, false)] {
        let maps = format!("{{\"Records\":[{}]}}", vec!["{}"; count].join(","));
        let pairs: Vec<String> = (0..count).map(|key| format!("\"{key}\":\"\"")).collect();
        let pairs = format!("{{\"Tags\":{{{}}}}}", pairs.join(","));
        assert_eq!(json::members(input("PutRecords"), maps.as_bytes()).is_ok(), is_taken);
        assert_eq!(json::members(input("AddTagsToStream"), pairs.as_bytes()).is_ok(), is_taken);
        let maps = [b"\xa1\x67Records\x9f".as_slice(), &vec![0xa0; count], b"\xff"].concat();
        let pairs = [b"\xa1\x64Tags\xbf".as_slice(), &vec![0x60; 2 * count], b"\xff"].concat();
        assert_eq!(cbor::members(input("PutRecords"), &maps).is_ok(), is_taken);
        assert_eq!(cbor::members(input("AddTagsToStream"), &pairs).is_ok(), is_taken);
    }
}

#[test]
fn members_that_the_model_has_not_are_passed_over_where_they_are_well_formed() {
    let unknown = |value: &[u8]| {
        let body = [b"\xa2\x61x".as_slice(), value, b"\x6aStreamName\x61s"].concat();
        cbor::members(input("CreateStream"), &body)
    };
    let known = Members::new().with("StreamName", "s");
    for value in [
        b"\xf6".as_slice(),
        b"\x82\x9f\x01\xff\x02",
        b"\xbf\x61a\x82\x01\xc1\x02\xff",
        b"\x7f\x61a\x60\xff",
        b"\xc1\xc2\x41a",
    ] {
        assert_eq!(unknown(value), Ok(known.clone()), "{value:x?}");
    }
    for value in [
        b"\xff".as_slice(),
        b"\x9f\x82\x01\xff",
        &[0x81; 65],
        &[0xc1].repeat(70_000),
        &[0x82, 0x9f].repeat(70_000),
    ] {
        assert_eq!(unknown(value).unwrap_err().message, "", "{:x?}", &value[..2.min(value.len())]);
    }
}

proptest! {
    #[test]
    fn both_languages_say_the_same(
        name in ".{0,20}",
        count in any::<i64>(),
        ms in 0..4_102_444_800_000_i64,
        data in proptest::collection::vec(any::<u8>(), 0..60),
        keys in proptest::collection::vec(".{0,9}", 0..4),
    ) {
        let put = Members::new().with("StreamName", name.as_str()).with("Records", keys.iter().map(|key| {
            Value::from(Members::new().with("PartitionKey", key.as_str()).with("Data", Bytes::from(data.clone())))
        }).collect::<Vec<Value>>());
        let list = Members::new()
            .with("MaxResults", count)
            .with("StreamCreationTimestamp", Millis(ms))
            .with("StreamName", name.as_str());
        for (operation, members) in [("PutRecords", put), ("ListShards", list)] {
            prop_assert_eq!(json::members(input(operation), &encode::json(&members)), Ok(members.clone()));
            prop_assert_eq!(cbor::members(input(operation), &encode::cbor(&members)), Ok(members));
        }
    }

    #[test]
    fn no_bytes_do_harm(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = cbor::members(input("PutRecords"), &body);
        let _ = json::members(input("PutRecords"), &body);
    }
}
