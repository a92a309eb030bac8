//! The service's sentences, over requests of real operations.

use crate::service::check::FAULTS_MAX;
use crate::service::check::check;
use crate::service::decode::json;
use crate::service::error::ErrorCode;
use crate::service::kinesis::Kinesis;
use crate::service::value::Members;
use bytes::Bytes;

/// What is wrong with a request, sentence by sentence.
fn faults(operation: &str, body: &str) -> Vec<String> {
    let input = Kinesis::operation(operation).unwrap().input;
    faults_of(operation, &json::members(input, body.as_bytes()).unwrap())
}

fn faults_of(operation: &str, members: &Members) -> Vec<String> {
    let input = Kinesis::operation(operation).unwrap().input;
    let Err(error) = check(input, members, |_| false) else { return Vec::new() };
    assert_eq!(error.code, ErrorCode::Validation);
    let (count, sentences) = error.message.split_once(" detected: ").unwrap();
    let sentences: Vec<String> = sentences.split("; ").map(str::to_owned).collect();
    let plural = if sentences.len() == 1 { "" } else { "s" };
    assert_eq!(count, format!("{} validation error{plural}", sentences.len()));
    sentences
}

#[test]
fn good_members_have_no_faults() {
    for (operation, body) in [
        ("ListStreams", "{}"),
        ("CreateStream", r#"{"StreamName":"a.b-c_D9","ShardCount":1,"Tags":{"a":""}}"#),
        (
            "PutRecord",
            r#"{"StreamName":"clicks","Data":"","PartitionKey":"k","ExplicitHashKey":"0"}"#,
        ),
        ("RemoveTagsFromStream", r#"{"StreamName":"clicks","TagKeys":["a","b"]}"#),
    ] {
        assert_eq!(faults(operation, body), Vec::<String>::new(), "{operation}");
    }
}

#[test]
fn digits_of_patterns_are_those_of_ascii() {
    let members = Members::new()
        .with("StreamName", "clicks")
        .with("PartitionKey", "k")
        .with("Data", Bytes::new())
        .with("ExplicitHashKey", "1\u{662}");
    let told = faults_of("PutRecord", &members);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("'explicitHashKey' failed to satisfy constraint"), "{told:?}");
}

#[test]
fn faults_are_told_in_the_models_order_of_members() {
    let told = faults("GetShardIterator", r#"{"ShardIteratorType":"X","StreamName":"?"}"#);
    let paths: Vec<&str> = told
        .iter()
        .map(|each| each.split(" at '").nth(1).unwrap().split('\'').next().unwrap())
        .collect();
    let members = Kinesis::operation("GetShardIterator").unwrap().input.members;
    let places: Vec<usize> = paths
        .iter()
        .map(|path| {
            members.iter().position(|member| member.name.eq_ignore_ascii_case(path)).unwrap()
        })
        .collect();
    assert_eq!(paths.len(), 3, "{told:?}");
    assert!(places.is_sorted(), "{told:?}");
    assert!(told.iter().any(|each| {
        each == "Value null at 'shardId' failed to satisfy constraint: Member must not be null"
    }));
}

#[test]
fn ten_faults_are_told_at_most() {
    let record = r#"{"Data":"","PartitionKey":"","ExplicitHashKey":"x"}"#;
    let body = format!(r#"{{"StreamName":"clicks","Records":[{}]}}"#, [record; 12].join(","));
    let told = faults("PutRecords", &body);
    assert_eq!(told.len(), FAULTS_MAX);
    assert!(told[0].contains("'records.1.member."), "{}", told[0]);
}

#[test]
fn records_are_told_by_one_of_them() {
    let record = r#"{"Data":"","PartitionKey":"k"}"#;
    let body = format!(r#"{{"StreamName":"clicks","Records":[{}]}}"#, vec![record; 501].join(","));
    let told = faults("PutRecords", &body);
    let limit = "Member must have length less than or equal to 500";
    assert_eq!(
        told,
        [format!("Value '[{{...}}, ...]' at 'records' failed to satisfy constraint: {limit}")]
    );
}

#[test]
fn text_is_quoted_with_each_constraint_that_it_breaks() {
    let told = faults("DescribeStream", r#"{"StreamName":""}"#);
    assert_eq!(
        told,
        [
            "Value '' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: \
             [a-zA-Z0-9_.-]+",
            "Value '' at 'streamName' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ]
    );
    let long = "n".repeat(129);
    let told = faults("DescribeStream", &format!(r#"{{"StreamName":"{long}"}}"#));
    let limit = "Member must have length less than or equal to 128";
    assert_eq!(
        told,
        [format!("Value '{long}' at 'streamName' failed to satisfy constraint: {limit}")]
    );
}

#[test]
fn lengths_are_counted_in_characters() {
    let body = |count: usize| {
        format!(
            r#"{{"StreamName":"clicks","Data":"","PartitionKey":"{}"}}"#,
            "\u{1f980}".repeat(count)
        )
    };
    assert_eq!(faults("PutRecord", &body(256)).len(), 0);
    assert_eq!(faults("PutRecord", &body(257)).len(), 1);
}

#[test]
fn numbers_are_told_with_the_bound_that_they_break() {
    assert_eq!(
        faults("ListStreams", r#"{"Limit":0}"#),
        [
            "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"
        ]
    );
    assert_eq!(
        faults("ListStreams", r#"{"Limit":10001}"#),
        [
            "Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10000"
        ]
    );
}

#[test]
fn bytes_are_told_as_the_service_prints_its_buffers() {
    let members = Members::new()
        .with("StreamName", "clicks")
        .with("PartitionKey", "k")
        .with("Data", Bytes::from(vec![0; 10_485_761]));
    assert_eq!(
        faults_of("PutRecord", &members),
        [
            "Value 'java.nio.HeapByteBuffer[pos=0 lim=10485761 cap=10485761]' at 'data' failed to satisfy constraint: \
          Member must have length less than or equal to 10485760"
        ]
    );
}

#[test]
fn items_of_lists_are_told_of_the_whole_list() {
    assert_eq!(
        faults("RemoveTagsFromStream", r#"{"StreamName":"clicks","TagKeys":["a","","b"]}"#),
        [
            "Value '[a, , b]' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have \
          length less than or equal to 128, Member must have length greater than or equal to 1]"
        ]
    );
    assert_eq!(
        faults("RemoveTagsFromStream", r#"{"StreamName":"clicks","TagKeys":[]}"#),
        [
            "Value '[]' at 'tagKeys' failed to satisfy constraint: Member must have length greater than or equal to 1"
        ]
    );
}

#[test]
fn keys_and_values_of_maps_are_told_of_the_whole_map() {
    let long = "v".repeat(257);
    let told =
        faults("AddTagsToStream", &format!(r#"{{"StreamName":"clicks","Tags":{{"":"{long}"}}}}"#));
    assert_eq!(
        told,
        [
            format!(
                "Value '{{={long}}}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: [Member \
                 must have length less than or equal to 128, Member must have length greater than or equal to 1]"
            ),
            format!(
                "Value '{{={long}}}' at 'tags' failed to satisfy constraint: Map value must satisfy constraint: [Member \
                 must have length less than or equal to 256, Member must have length greater than or equal to 0]"
            ),
        ]
    );
}

#[test]
fn members_that_the_model_leaves_open_may_be_asked_for() {
    let input = Kinesis::operation("DescribeStream").unwrap().input;
    let error = check(input, &Members::new(), |member| member.name == "StreamName").unwrap_err();
    assert_eq!(
        error.message,
        "1 validation error detected: Value null at 'streamName' failed to satisfy constraint: Member must not be null"
    );
}
