"""The consumer where shards end, iterators expire, Kinesis fails, and where it is killed itself."""

import threading

import pytest
from botocore.exceptions import ClientError

from shardstream.testing import assert_no_loss, assert_per_key_order


@pytest.fixture
def application(variant):
    return variant("consumer")


@pytest.fixture
def received():
    """The records that consumers processed, in order."""
    return []


@pytest.fixture
def checkpoints():
    """What stays when a consumer is killed."""
    return {}


@pytest.fixture
def make_consumer(application, kinesis_client, kinesis_stream, received, checkpoints):
    """Starts a consumer at the checkpoints; what it kept in memory before is gone."""

    def make(process=received.append, stream_name=kinesis_stream.name):
        return application.Consumer(kinesis_client, stream_name, process, checkpoints)

    return make


def put(stream, count):
    """Put so many records, in turn for each of ten users."""
    first = len(stream)
    stream.put_many((f"page {n}".encode(), f"user-{n % 10}") for n in range(first, first + count))


def drain(consumer, quiet=5):
    """Poll until nothing comes, nor at some polls after it: a page may be empty, or a call refused."""
    polls = 0
    while polls < quiet:
        polls = 0 if consumer.poll() else polls + 1


def test_poll_when_records_are_there_then_each_comes_once_and_in_its_order(make_consumer, kinesis_stream, received):
    put(kinesis_stream, 100)
    drain(make_consumer())
    assert_no_loss(kinesis_stream, received, allow_duplicates=False)
    assert_per_key_order(received)


def test_restart_when_processing_failed_then_no_record_is_lost_which_reveals_the_bug(
    make_consumer, kinesis_stream, received
):
    def process(record):
        if record["Data"] == b"page 3":
            raise OSError("the database is away")
        received.append(record)

    put(kinesis_stream, 10)
    with pytest.raises(OSError, match="the database is away"):
        drain(make_consumer(process))
    drain(make_consumer())
    assert_no_loss(kinesis_stream, received)


def test_restart_when_all_was_processed_then_goes_on_behind_it(make_consumer, kinesis_stream, received):
    put(kinesis_stream, 10)
    drain(make_consumer())
    put(kinesis_stream, 10)
    drain(make_consumer())
    assert_no_loss(kinesis_stream, received, allow_duplicates=False)


def test_poll_when_shards_are_split_and_merged_then_parents_come_before_their_children(
    make_consumer, kinesis_stream, kinesis_faults, received
):
    put(kinesis_stream, 50)
    first, second = kinesis_stream.shards()
    # Whoever takes an empty page for the end of the parents, or does not wait for both, is now too early.
    kinesis_faults.empty_pages(2, shard_id=first.shard_id)
    kinesis_faults.empty_pages(6, shard_id=second.shard_id)
    kinesis_stream.split_shard(first.shard_id)
    put(kinesis_stream, 50)
    children = [shard for shard in kinesis_stream.shards() if shard.parent_shard_id == first.shard_id]
    kinesis_stream.merge_shards(children[1].shard_id, second.shard_id)
    put(kinesis_stream, 50)
    drain(make_consumer())
    assert_no_loss(kinesis_stream, received, allow_duplicates=False)
    assert_per_key_order(received, kinesis_stream)


def test_poll_when_the_stream_is_resharded_under_it_then_reads_on_in_the_new_shards(
    make_consumer, kinesis_client, kinesis_stream, kinesis_faults, received
):
    kinesis_faults.reshard(after_records=20)
    consumer = make_consumer()
    for n in range(60):
        kinesis_client.put_record(StreamName=kinesis_stream.name, Data=f"page {n}", PartitionKey=f"user-{n % 10}")
        consumer.poll()
    drain(consumer)
    assert len(kinesis_stream.shards()) > 2
    assert_no_loss(kinesis_stream, received, allow_duplicates=False)
    assert_per_key_order(received)


def test_poll_when_it_paused_for_longer_than_iterators_live_then_goes_on(
    make_consumer, kinesis_stream, kinesis_clock, received
):
    consumer = make_consumer()
    put(kinesis_stream, 10)
    drain(consumer)
    kinesis_clock.advance("6m")
    put(kinesis_stream, 10)
    drain(consumer)
    assert_no_loss(kinesis_stream, received, allow_duplicates=False)


def test_poll_when_pages_are_empty_then_does_not_take_them_for_the_end(
    make_consumer, kinesis_stream, kinesis_faults, received
):
    kinesis_faults.empty_pages(4)
    put(kinesis_stream, 10)
    drain(make_consumer())
    assert_no_loss(kinesis_stream, received, allow_duplicates=False)


def test_poll_when_one_shard_is_throttled_then_the_other_does_not_wait(
    make_consumer, kinesis_stream, kinesis_faults, received
):
    throttled, other = kinesis_stream.shards()
    kinesis_faults.throttle(op="GetRecords", shard_id=throttled.shard_id)
    put(kinesis_stream, 10)
    consumer = make_consumer()
    consumer.poll()
    assert_no_loss(kinesis_stream.read(shard_id=other.shard_id), received, allow_duplicates=False)
    drain(consumer)
    assert_no_loss(kinesis_stream, received, allow_duplicates=False)


@pytest.mark.parametrize("op", ["ListShards", "GetShardIterator", "GetRecords"])
def test_poll_when_a_call_fails_or_is_not_answered_then_the_next_poll_tries_again(
    make_consumer, kinesis_stream, kinesis_faults, received, op
):
    kinesis_faults.internal_failure(op=op, at=[1])
    kinesis_faults.drop_connection(op=op, at=[2])
    put(kinesis_stream, 10)
    drain(make_consumer())
    assert_no_loss(kinesis_stream, received, allow_duplicates=False)


def test_poll_when_there_is_no_such_stream_then_says_so(make_consumer):
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        make_consumer(stream_name="nowhere").poll()


def test_run_when_told_to_stop_then_ends_with_the_records_at_hand(make_consumer, kinesis_stream, received):
    stop = threading.Event()

    def process(record):
        received.append(record)
        stop.set()

    put(kinesis_stream, 10)
    make_consumer(process).run(stop)
    assert_no_loss(kinesis_stream, received, allow_duplicates=False)


def test_poll_when_chaos_reigns_and_it_is_killed_at_times_then_no_record_is_lost(
    make_consumer, kinesis_stream, kinesis_faults, received
):
    kinesis_faults.chaos(seed=7)
    for life in range(6):
        put(kinesis_stream, 20)
        kinesis_stream.split_shard(kinesis_stream.shards()[life].shard_id)
        consumer = make_consumer()
        for _ in range(life):
            consumer.poll()
    drain(make_consumer(), quiet=30)
    assert_no_loss(kinesis_stream, received)
    assert_per_key_order(received, kinesis_stream)
