//! Names, tags, keys and sizes that cannot be: each refusal names the thing, the value and the way out.

use shardstream::engine::EngineError;
use shardstream::engine::StreamOptions;

use crate::setup::assert_says;
use crate::setup::entry;
use crate::setup::options;
use crate::setup::put;
use crate::setup::read;
use crate::setup::world;

fn tagged(tags: impl IntoIterator<Item = (String, String)>) -> StreamOptions {
    StreamOptions { tags: tags.into_iter().collect(), ..options(1) }
}

#[test]
fn names_of_1_to_128_plain_characters_are_taken() {
    let world = world();
    let longest = "n".repeat(128);
    for name in ["c", "Clicks_2026.01-eu", "-", ".", &longest] {
        assert_eq!(world.create(name, options(1)).unwrap().name(), name);
    }
}

#[test]
fn other_names_are_refused_and_shown() {
    let world = world();
    let too_long = "n".repeat(129);
    for (name, fault) in [
        ("", "is empty"),
        (too_long.as_str(), "is longer"),
        ("my clicks", "has other characters"),
        ("clicks/eu", "has other characters"),
        ("caf\u{e9}", "has other characters"),
    ] {
        let error = world.create(name, options(1)).unwrap_err();
        assert_says(&error, &["1 to 128 characters of a-z A-Z 0-9 _ . -", name, fault]);
    }
    assert!(world.engine.stream_names().unwrap().is_empty());
}

#[test]
fn name_of_a_megabyte_does_not_flood_the_message() {
    let world = world();
    let error = world.create(&"n".repeat(1_000_000), options(1)).unwrap_err();
    assert!(error.to_string().len() < 300);
    let error = world.engine.stream(&"n".repeat(1_000_000)).unwrap_err();
    assert!(error.to_string().len() < 300);
}

#[test]
fn name_in_use_is_refused() {
    let world = world();
    let stream = world.clicks(1);
    put(&stream, world.now(), "a", "kept");
    let error = world.create("clicks", options(2)).unwrap_err();
    assert_says(&error, &["Stream clicks under account 123456789012 already exists"]);
    assert_eq!(read(&stream, world.now(), None).len(), 1);
}

#[test]
fn unknown_stream_is_named_beside_those_there_are() {
    let world = world();
    let error = world.engine.stream("click").unwrap_err();
    assert_says(&error, &["Stream click under account 123456789012 not found", "create_stream()"]);
    world.clicks(1);
    world.create("views", options(1)).unwrap();
    for error in [
        world.engine.stream("click").unwrap_err(),
        world.engine.delete_stream("click").unwrap_err(),
    ] {
        assert_says(&error, &["Stream click ", "not found", "There are: clicks, views"]);
    }
}

#[test]
fn fifty_tags_are_taken_and_one_more_is_not() {
    let world = world();
    let tags = |count: usize| tagged((0..count).map(|n| (format!("key-{n}"), String::new())));
    let stream = world.create("fifty", tags(50)).unwrap();
    assert_eq!(stream.tags().unwrap().len(), 50);
    let error = world.create("more", tags(51)).unwrap_err();
    assert_says(&error, &["tags", "at most 50", "51"]);
}

#[test]
fn tags_have_keys_of_1_to_128_and_values_of_at_most_256_characters() {
    let world = world();
    let tag = |key: usize, value: usize| tagged([("\u{e9}".repeat(key), "\u{e9}".repeat(value))]);
    world.create("longest", tag(128, 256)).unwrap();
    world.create("shortest", tag(1, 0)).unwrap();
    for (key, value, words) in [
        (0, 1, "1 to 128 characters"),
        (129, 1, "1 to 128 characters"),
        (1, 257, "more than 256 characters"),
    ] {
        let error = world.create("refused", tag(key, value)).unwrap_err();
        assert_says(&error, &["tags", words]);
    }
}

#[test]
fn keys_of_1_to_256_characters_are_taken() {
    let world = world();
    let stream = world.clicks(2);
    for key in ["k", &"\u{e9}".repeat(256), &"\u{1f600}".repeat(256)] {
        put(&stream, world.now(), key, "x");
    }
    assert_eq!(read(&stream, world.now(), None)[2].partition_key().chars().count(), 256);
}

#[test]
fn empty_and_longer_keys_are_refused() {
    let world = world();
    let stream = world.clicks(2);
    let error = stream.put(world.now(), entry("", "x")).unwrap_err();
    assert_says(&error, &["1 to 256 characters", "empty"]);
    let error = stream.put(world.now(), entry(&"k".repeat(257), "x")).unwrap_err();
    assert_says(&error, &["1 to 256 characters", "kkkk", "257"]);
    assert!(error.to_string().len() < 200);
    assert!(read(&stream, world.now(), None).is_empty());
}

#[test]
fn bad_key_among_many_refuses_all_and_is_named_by_its_place() {
    let world = world();
    let stream = world.clicks(2);
    let entries = [entry("a", "0"), entry("", "1"), entry("b", "2")];
    let error = stream.put_many(world.now(), &entries).unwrap_err();
    assert_says(&error, &["record 1", "empty"]);
    assert!(read(&stream, world.now(), None).is_empty());
}

#[test]
fn record_of_a_mebibyte_is_taken_and_a_byte_more_is_not() {
    let world = world();
    let stream = world.clicks(1);
    let data = "x".repeat(1024 * 1024);
    put(&stream, world.now(), "key", &data[3..]);
    let error = stream.put(world.now(), entry("key", &data[2..])).unwrap_err();
    let (bytes, bytes_max) = (1024 * 1024 + 1, 1024 * 1024);
    assert_eq!(error, EngineError::RecordTooLarge { index: None, bytes, bytes_max });
    assert_says(
        &error,
        &["at most 1048576 bytes", "this one has 1048577", "split it", "max_record_size"],
    );
}

#[test]
fn large_record_among_many_refuses_all_and_is_named_by_its_place() {
    let world = world();
    let small = StreamOptions { record_bytes_max: 10, ..options(1) };
    let stream = world.create("small", small).unwrap();
    let entries = [entry("a", "123456789"), entry("a", ""), entry("a", "1234567890")];
    let error = stream.put_many(world.now(), &entries).unwrap_err();
    assert_says(&error, &["record 2 has 11", "at most 10 bytes"]);
    assert!(read(&stream, world.now(), None).is_empty());
    assert_eq!(stream.put_many(world.now(), &entries[..2]).unwrap().len(), 2);
}

#[test]
fn empty_data_is_a_record() {
    let world = world();
    let stream = world.clicks(1);
    put(&stream, world.now(), "a", "");
    assert!(read(&stream, world.now(), None)[0].data().unwrap().is_empty());
}
