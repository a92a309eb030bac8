"""The asynchronous consumer where shards fail or end, Kinesis fails, and where it is stopped itself."""

import asyncio
import contextlib

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

import shardstream as ss
from shardstream.testing import assert_no_loss, assert_per_key_order, mock_kinesis

# One for all tests: it keeps the service's model, which takes longer to read than a test.
SESSION = get_session()
NAME = "clicks"


def make_client(**options):
    """One that does not retry, so that the consumer sees each failure."""
    credentials = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
    config = AioConfig(retries={"total_max_attempts": 1})
    return SESSION.create_client("kinesis", config=config, **credentials, **options)


@pytest.fixture
def engine():
    """Where the calls of aiobotocore's clients go; what was to go wrong has to have gone wrong in the end."""
    with mock_kinesis(clock=ss.ManualClock()) as engine:
        yield engine
        engine.faults.assert_fired()


@pytest.fixture
def stream(engine):
    return engine.create_stream(NAME, shards=2)


@pytest.fixture
def received():
    """The records that consumers processed, in order."""
    return []


@pytest.fixture
def checkpoints():
    """What stays when a consumer is stopped."""
    return {}


@pytest.fixture
def consuming(variant, received, checkpoints):
    """Runs a consumer until so many of its pauses in a row brought no record, or it is stopped."""
    application = variant("async_consumer")

    async def consume(process=None, quiet=40, name=NAME, endpoint_url=None, **options):
        pauses = 0

        async def sleep(_):
            nonlocal pauses
            pauses += 1
            if pauses == quiet:
                consumer.stop()
            await asyncio.sleep(0)

        async def take(record):
            nonlocal pauses
            if process is not None:
                await process(record, consumer)
            received.append(record)
            pauses = 0

        async with make_client(endpoint_url=endpoint_url) as client:
            consumer = application.AsyncConsumer(client, name, take, checkpoints, sleep=sleep, **options)
            await consumer.run()

    return consume


def put(stream, count):
    """Put so many records, in turn for each of ten users."""
    first = len(stream)
    stream.put_many((f"page {n}".encode(), f"user-{n % 10}") for n in range(first, first + count))


async def test_run_when_records_are_there_then_each_comes_once_and_in_its_order(consuming, stream, received):
    put(stream, 100)
    await consuming()
    assert_no_loss(stream, received, allow_duplicates=False)
    assert_per_key_order(received)


async def test_run_when_the_records_of_one_shard_always_fail_then_the_other_is_read_which_reveals_the_bug(
    consuming, stream, received
):
    failing, other = stream.shards()
    put(stream, 20)
    poison = {record.data for record in stream.read(shard_id=failing.shard_id)}

    async def process(record, _):
        if record["Data"] in poison:
            raise ValueError("a page that nobody can read")

    await consuming(process, pages=1)
    assert_no_loss(stream.read(shard_id=other.shard_id), received)


async def test_run_when_processing_fails_once_then_the_record_comes_again(consuming, stream, received):
    failures = [OSError("the database is away")]

    async def process(record, _):
        if record["Data"] == b"page 3" and failures:
            raise failures.pop()

    put(stream, 20)
    await consuming(process)
    assert_no_loss(stream, received, allow_duplicates=False)
    assert_per_key_order(received)


async def test_run_when_shards_are_many_then_so_many_pages_are_processed_at_a_time_as_allowed(
    consuming, engine, received
):
    stream = engine.create_stream("wide", shards=8)
    active, most = 0, 0

    async def process(*_):
        nonlocal active, most
        active += 1
        most = max(most, active)
        await asyncio.sleep(0)
        active -= 1

    put(stream, 100)
    await consuming(process, name="wide", pages=3)
    assert most == 3
    assert_no_loss(stream, received, allow_duplicates=False)


async def test_stop_when_pages_are_at_hand_then_they_are_finished_and_nothing_comes_twice(consuming, stream, received):
    async def process(_, consumer):
        consumer.stop()
        await asyncio.sleep(0)

    put(stream, 20)
    await consuming(process)
    put(stream, 20)
    await consuming()
    assert_no_loss(stream, received, allow_duplicates=False)


async def test_cancel_when_records_are_being_processed_then_they_come_again(consuming, stream, received):
    has_begun = asyncio.Event()

    async def process(record, _):
        if record["Data"] == b"page 3":
            has_begun.set()
            await asyncio.Event().wait()

    put(stream, 20)
    task = asyncio.create_task(consuming(process))
    await has_begun.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await consuming()
    assert_no_loss(stream, received, allow_duplicates=False)


async def test_run_when_shards_are_split_and_merged_then_parents_come_before_their_children(
    consuming, engine, stream, received
):
    async def process(*_):
        await asyncio.sleep(0)

    put(stream, 50)
    first, second = stream.shards()
    # Whoever takes an empty page for the end of the parents, or does not wait for both, is now too early.
    engine.faults.empty_pages(2, shard_id=first.shard_id)
    engine.faults.empty_pages(12, shard_id=second.shard_id)
    stream.split_shard(first.shard_id)
    put(stream, 50)
    children = [shard for shard in stream.shards() if shard.parent_shard_id == first.shard_id]
    stream.merge_shards(children[1].shard_id, second.shard_id)
    put(stream, 50)
    await consuming(process)
    assert_no_loss(stream, received, allow_duplicates=False)
    assert_per_key_order(received, stream)


@pytest.mark.parametrize("op", ["ListShards", "GetShardIterator", "GetRecords"])
async def test_run_when_a_call_fails_or_is_not_answered_then_it_is_tried_again(consuming, engine, stream, received, op):
    engine.faults.throttle(op=op, at=[1])
    engine.faults.drop_connection(op=op, at=[2])
    put(stream, 20)
    await consuming()
    assert_no_loss(stream, received, allow_duplicates=False)


async def test_run_when_processing_takes_longer_than_iterators_live_then_goes_on(consuming, engine, stream, received):
    async def process(record, _):
        if record["Data"] == b"page 3":
            put(stream, 20)
            engine.clock.advance("6m")

    put(stream, 20)
    await consuming(process)
    assert_no_loss(stream, received, allow_duplicates=False)


@mock_kinesis()
async def test_run_when_the_stream_is_made_and_filled_by_a_client_then_all_is_received(consuming, received):
    async with make_client() as client:
        await client.create_stream(StreamName=NAME, ShardCount=2)
        sent = [{"Data": f"page {n}".encode(), "PartitionKey": f"user-{n}"} for n in range(20)]
        await client.put_records(StreamName=NAME, Records=sent)
    await consuming()
    assert_no_loss(sent, received, allow_duplicates=False)


async def test_run_when_chaos_reigns_at_an_endpoint_then_no_record_is_lost(
    consuming, kinesis_endpoint, kinesis_faults, make_kinesis_stream, received
):
    stream = make_kinesis_stream()
    kinesis_faults.chaos(seed=7)
    for _ in range(3):
        put(stream, 50)
        stream.split_shard(next(shard.shard_id for shard in stream.shards() if shard.is_open))
        await consuming(quiet=100, name=stream.name, endpoint_url=kinesis_endpoint)
    assert_no_loss(stream, received)
    assert_per_key_order(received, stream)
