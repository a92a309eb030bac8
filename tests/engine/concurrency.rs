//! Several threads at one stream: nothing is lost, nothing is seen twice, order holds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::thread::ScopedJoinHandle;

use arrow_array::ArrayRef;
use arrow_array::StringArray;
use shardstream::engine::EngineError;
use shardstream::engine::Stream;
use shardstream::engine::position::Cut;
use shardstream::engine::position::Position;
use shardstream::engine::write::Rows;
use shardstream::record::Record;
use shardstream::record::key::KeyColumn;
use shardstream::record::payload::BytesColumn;
use shardstream::record::payload::Payload;

use crate::setup::START;
use crate::setup::entry;
use crate::setup::options;
use crate::setup::put;
use crate::setup::read;
use crate::setup::records;
use crate::setup::shard_name;
use crate::setup::world;

const WRITERS: usize = 3;
const PUTS: usize = 3_000;

/// Puts numbered records under the writer's own key.
fn put_all(stream: &Stream, writer: usize) {
    let key = format!("writer-{writer}");
    for place in 0..PUTS {
        put(stream, START, &key, &place.to_string());
    }
}

/// Reads on until the writers are done and nothing is left, and returns what it saw.
fn read_along(stream: &Stream, shard: Option<&str>, done: &AtomicBool) -> Vec<Record> {
    let mut at = Cut::START;
    let mut seen = Vec::new();
    loop {
        // Taken before the read: what was put before is read below.
        let last = done.load(Ordering::SeqCst);
        let (slices, next) =
            stream.read(START, at, Cut::END, shard, 97).expect("the stream is there");
        seen.extend(records(&slices));
        at = next;
        if last && slices.is_empty() {
            return seen;
        }
    }
}

/// Asserts that each writer's records were seen once, in its order.
fn assert_complete(seen: &[Record]) {
    let mut next = BTreeMap::<String, usize>::new();
    for record in seen {
        let place = next.entry(record.partition_key().to_owned()).or_default();
        let data = record.data().expect("bytes were put");
        assert_eq!(*data, *place.to_string().as_bytes());
        *place += 1;
    }
    assert_eq!(next.len(), WRITERS);
    assert!(next.values().all(|&count| count == PUTS));
}

fn indices(seen: &[Record]) -> Vec<u64> {
    seen.iter().map(|record| record.sequence_number().index).collect()
}

#[test]
fn readers_of_a_stream_see_every_put_once_in_order_without_gap() {
    let world = world();
    let stream = world.clicks(4);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = || read_along(&stream, None, &done);
        let readers = [scope.spawn(reader), scope.spawn(reader)];
        let writers = [0, 1, 2].map(|writer| {
            scope.spawn({
                let stream = &stream;
                move || put_all(stream, writer)
            })
        });
        let ended = writers.map(ScopedJoinHandle::join);
        done.store(true, Ordering::SeqCst);
        assert!(ended.iter().all(Result::is_ok));
        for reader in readers {
            let seen = reader.join().unwrap();
            assert_complete(&seen);
            assert!(indices(&seen).windows(2).all(|pair| pair[0] + 1 == pair[1]));
        }
    });
}

#[test]
fn readers_of_a_shard_see_its_puts_in_strict_order() {
    let world = world();
    let stream = world.clicks(2);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers = [0, 1].map(|shard| {
            let (stream, done) = (&stream, &done);
            scope.spawn(move || read_along(stream, Some(&shard_name(shard)), done))
        });
        let writers = [0, 1, 2].map(|writer| {
            let stream = &stream;
            scope.spawn(move || put_all(stream, writer))
        });
        let ended = writers.map(ScopedJoinHandle::join);
        done.store(true, Ordering::SeqCst);
        assert!(ended.iter().all(Result::is_ok));
        let seen = readers.map(|reader| reader.join().unwrap());
        for (shard, seen) in (0..).zip(&seen) {
            assert!(seen.iter().all(|record| record.shard().0 == shard));
            assert!(indices(seen).windows(2).all(|pair| pair[0] < pair[1]));
        }
        let mut all = seen.concat();
        all.sort_by_key(|record| record.sequence_number().index);
        assert_complete(&all);
    });
}

#[test]
fn reshards_under_way_lose_nothing_and_keep_each_keys_order() {
    let world = world();
    let stream = world.clicks(1);
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let stream = &stream;
            scope.spawn(move || put_all(stream, writer));
        }
        scope.spawn(|| {
            for count in [2, 5, 1, 7, 3, 8, 1, 4].repeat(4) {
                stream.update_shard_count(START, count).unwrap();
            }
        });
    });
    assert_complete(&read(&stream, START, None));
    let shards = stream.shards(START).unwrap();
    for record in read(&stream, START, None) {
        let hash = shardstream::hash_key::HashKey::of(record.partition_key());
        assert!(shards[record.shard().0 as usize].range.contains(hash));
    }
}

#[test]
fn table_hashed_while_its_shards_close_goes_to_their_children() {
    let world = world();
    let stream = world.clicks(1);
    let done = AtomicBool::new(false);
    let keys: Vec<String> = (0..20_000).map(|key| format!("user-{key}")).collect();
    let keys: ArrayRef = Arc::new(StringArray::from(keys));
    let closed = thread::scope(|scope| {
        let resharder = scope.spawn(|| {
            let mut closed = Vec::new();
            for count in [2, 1].into_iter().cycle() {
                stream.update_shard_count(START, count).unwrap();
                // Whatever comes from here on has another place than the shards just closed.
                let end = stream.start_cut(START, Position::Latest, None).unwrap();
                closed.push(end);
                if done.load(Ordering::SeqCst) || closed.len() == 2_000 {
                    return closed;
                }
            }
            closed
        });
        for _ in 0..20 {
            let rows = Rows {
                keys: KeyColumn::from_array(&keys, None).unwrap(),
                payload: Payload::Bytes(BytesColumn::from_array(&keys).unwrap()),
                arrivals: None,
            };
            stream.write(START, rows).unwrap();
        }
        done.store(true, Ordering::SeqCst);
        resharder.join().unwrap()
    });
    // One shard is cut into 1 and 2, these merge into 3, which is cut into 4 and 5, and so on.
    for (round, &end) in (0..).zip(&closed) {
        let parents = match round % 2 {
            0 => vec![round / 2 * 3],
            _ => vec![round / 2 * 3 + 1, round / 2 * 3 + 2],
        };
        for parent in parents {
            assert!(stream.is_exhausted(&shard_name(parent), end).unwrap(), "{parent}");
        }
    }
    assert_eq!(read(&stream, START, None).len(), 20 * 20_000);
}

#[test]
fn put_many_is_seen_whole_and_in_a_row() {
    let world = world();
    let stream = world.clicks(3);
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let stream = &stream;
            scope.spawn(move || {
                let key = format!("writer-{writer}");
                let data: Vec<String> = (0..PUTS).map(|place| place.to_string()).collect();
                let entries: Vec<_> = data.iter().map(|data| entry(&key, data)).collect();
                for batch in entries.chunks(100) {
                    let numbers = stream.put_many(START, batch).unwrap();
                    let index: Vec<u64> =
                        numbers.iter().flatten().map(|number| number.index).collect();
                    assert!(index.windows(2).all(|pair| pair[0] + 1 == pair[1]));
                    assert_eq!(index.len(), 100);
                }
            });
        }
    });
    assert_complete(&read(&stream, START, None));
}

#[test]
fn tick_passes_over_streams_deleted_meanwhile() {
    let world = world();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let ticker = scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                world.engine.tick(START)?;
            }
            Ok::<(), EngineError>(())
        });
        let churn = scope.spawn(|| {
            for _ in 0..100 {
                let names: Vec<String> = (0..100).map(|n| format!("stream-{n}")).collect();
                for name in &names {
                    world.create(name, options(1)).unwrap();
                }
                for name in &names {
                    world.engine.delete_stream(name).unwrap();
                }
            }
        });
        let ended = churn.join();
        done.store(true, Ordering::SeqCst);
        assert!(ended.is_ok());
        assert_eq!(ticker.join().unwrap(), Ok(()));
    });
}
