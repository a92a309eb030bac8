//! Consumers with throughput of their own, as a stream registers them.

use shardstream::engine::Durations;
use shardstream::engine::EngineError;
use shardstream::engine::Status;
use shardstream::engine::Stream;

use crate::setup::START;
use crate::setup::assert_says;
use crate::setup::slow_world;
use crate::setup::world;

fn names(stream: &Stream) -> Vec<String> {
    stream
        .consumers(START)
        .expect("the stream is there")
        .into_iter()
        .map(|consumer| consumer.name)
        .collect()
}

#[test]
fn consumers_stand_in_order_of_their_names() {
    let world = world();
    let stream = world.clicks(1);
    for name in ["views", "app", "reports"] {
        let consumer = stream.register_consumer(START, name, 20).unwrap();
        assert_eq!((consumer.created, consumer.status), (START, Status::Active));
    }
    assert_eq!(names(&stream), ["app", "reports", "views"]);
    stream.deregister_consumer(START, "reports").unwrap();
    stream.deregister_consumer(START, "nobody").unwrap();
    assert_eq!(names(&stream), ["app", "views"]);
}

#[test]
fn consumer_of_a_taken_name_is_refused() {
    let world = world();
    let stream = world.clicks(1);
    stream.register_consumer(START, "app", 20).unwrap();
    let refused = stream.register_consumer(START, "app", 20).unwrap_err();
    assert!(matches!(refused, EngineError::ConsumerExists { .. }));
    assert_says(&refused, &["app", "clicks", "123456789012"]);
}

#[test]
fn stream_has_as_many_consumers_as_are_allowed_and_no_more() {
    let world = world();
    let stream = world.clicks(1);
    for number in 0..20 {
        stream.register_consumer(START, &format!("c{number}"), 20).unwrap();
    }
    let refused = stream.register_consumer(START, "one-more", 20).unwrap_err();
    assert!(matches!(refused, EngineError::ConsumersExhausted { max: 20, .. }));
    stream.deregister_consumer(START, "c7").unwrap();
    stream.register_consumer(START, "one-more", 20).unwrap();
}

#[test]
fn consumers_come_and_go_for_as_long_as_it_takes() {
    let world = slow_world(Durations { create_ms: 500, delete_ms: 100, update_ms: 0 });
    let stream = world.clicks(1);
    let made = stream.register_consumer(world.later(500), "app", 20).unwrap();
    assert_eq!(made.status, Status::Creating);
    let status = |now| stream.consumers(now).unwrap().first().map(|consumer| consumer.status);
    assert_eq!(status(world.later(500)), Some(Status::Active));
    stream.deregister_consumer(world.now(), "app").unwrap();
    assert_eq!(status(world.later(99)), Some(Status::Deleting));
    assert_eq!(status(world.later(1)), None);
}
