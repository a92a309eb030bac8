//! Which shard a record falls into: MD5 of its key, or the hash key it brings.

use crate::setup::entry_at;
use crate::setup::open_shards;
use crate::setup::put;
use crate::setup::put_at;
use crate::setup::read;
use crate::setup::read_texts;
use crate::setup::shard_name;
use crate::setup::world;

const QUARTER: u128 = 1 << 126;

#[test]
fn key_falls_where_its_md5_lies() {
    let world = world();
    let stream = world.clicks(4);
    // The digests of RFC 1321 begin with 0c, 4a, 92 and f9.
    for (key, shard) in [("a", 0), ("c", 1), ("b", 2), ("message digest", 3)] {
        assert_eq!(put(&stream, world.now(), key, "x").birth.shard.0, shard, "{key}");
    }
}

#[test]
fn key_is_hashed_as_utf_8() {
    let world = world();
    let stream = world.clicks(1_000);
    let number = put(&stream, world.now(), "\u{e9}", "x");
    let expected = md5_of("\u{e9}") / (u128::MAX / 1_000);
    assert_eq!(u128::from(number.birth.shard.0), expected);
}

#[test]
fn explicit_hash_key_overrides_and_the_key_is_kept() {
    let world = world();
    let stream = world.clicks(4);
    for shard in 0..4_u32 {
        let at = u128::from(shard) * QUARTER;
        assert_eq!(put_at(&stream, world.now(), at, "x").birth.shard.0, shard);
    }
    for record in read(&stream, world.now(), None) {
        assert_eq!(record.partition_key(), "k");
    }
}

#[test]
fn both_ends_of_a_range_belong_to_its_shard() {
    let world = world();
    for count in [1, 2, 3, 7, 100] {
        let stream = world.create(&format!("of-{count}"), crate::setup::options(count)).unwrap();
        for shard in open_shards(&stream, world.now()) {
            for end in [shard.range.first.0, shard.range.last.0] {
                let number = stream.put(world.now(), entry_at(end, "x")).unwrap();
                assert_eq!(number.birth.shard, shard.birth.shard, "{count} shards, {end}");
            }
        }
    }
}

#[test]
fn record_is_read_from_its_shard_and_no_other() {
    let world = world();
    let stream = world.clicks(3);
    put_at(&stream, world.now(), 0, "low");
    put_at(&stream, world.now(), u128::MAX, "high");
    let of = |shard| read_texts(&stream, world.now(), Some(&shard_name(shard)));
    assert_eq!(of(0), ["low"]);
    assert!(of(1).is_empty());
    assert_eq!(of(2), ["high"]);
    assert_eq!(read_texts(&stream, world.now(), None), ["low", "high"]);
}

#[test]
fn many_keys_spread_over_all_shards_evenly() {
    let world = world();
    let stream = world.clicks(8);
    for key in 0..8_000 {
        put(&stream, world.now(), &format!("user-{key}"), "");
    }
    for shard in 0..8 {
        let count = read(&stream, world.now(), Some(&shard_name(shard))).len();
        assert!((800..1_200).contains(&count), "shard {shard} has {count}");
    }
}

fn md5_of(key: &str) -> u128 {
    use md5::Digest;
    u128::from_be_bytes(md5::Md5::digest(key.as_bytes()).into())
}
