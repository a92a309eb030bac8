"""`follow_async` and the plain calls in a running event loop: nothing blocks it, nothing is lost, no thread stays."""

import asyncio
import contextlib
import gc
import importlib
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

import shardstream as ss
from shardstream import errors
from shardstream import followers as module

SOON_S = 5


@pytest.fixture(autouse=True)
def threads():
    """Every test leaves the threads that it found."""
    before = set(threading.enumerate())
    yield before
    gc.collect()
    for thread in set(threading.enumerate()) - before:
        # asyncio's own workers end with their loops.
        thread.join(SOON_S)
    assert set(threading.enumerate()) <= before


def followers():
    return [thread for thread in threading.enumerate() if thread.name == "shardstream-follow"]


async def until(happened):
    """Give the loop turns until something happened in a thread."""
    while not happened():  # noqa: ASYNC110 - threads do not set asyncio's events
        await asyncio.sleep(0)


async def until_no_follower():
    """Give the threads that were told to end the moment they need."""
    for thread in followers():
        await asyncio.to_thread(thread.join, SOON_S)
    assert followers() == []


@pytest.fixture
def stream():
    with ss.Engine() as engine:
        yield engine.create_stream("clicks", shards=2)


def put(stream, *numbers):
    stream.put_many([(b"%d" % number, f"user-{number % 5}") for number in numbers])


def data_of(records):
    return [int(record.data) for record in records]


async def collected(records, count):
    found = []
    async for record in records:
        found.append(record)
        if len(found) == count:
            break
    return found


def test_records_when_put_while_followed_then_come_in_order(stream):
    async def follow():
        records = stream.follow_async()
        put(stream, 1, 2)
        return data_of(await collected(records, 2))

    assert asyncio.run(follow()) == [1, 2]


def test_records_when_put_by_a_thread_then_wake_the_loop_at_once(stream):
    async def follow():
        records = stream.follow_async()
        waiting = asyncio.ensure_future(anext(records))
        await asyncio.sleep(0)
        await until(followers)
        await asyncio.to_thread(put, stream, 7)
        record = await asyncio.wait_for(waiting, SOON_S)
        await records.aclose()
        return record

    assert int(asyncio.run(follow()).data) == 7


def test_start_when_called_before_records_come_then_is_fixed_by_the_call(stream):
    put(stream, 1)
    records = stream.follow_async()
    put(stream, 2)
    put(stream, 3)
    assert data_of(asyncio.run(collected(records, 2))) == [2, 3]
    everything = stream.follow_async("TRIM_HORIZON")
    assert data_of(asyncio.run(collected(everything, 3))) == [1, 2, 3]


def test_many_records_when_followed_then_all_come_once_and_in_order(stream):
    put(stream, *range(20_000))
    records = stream.follow_async("TRIM_HORIZON", timeout="0s")
    assert data_of(asyncio.run(collected(records, None))) == list(range(20_000))


def test_other_tasks_when_records_never_end_then_get_their_turns(stream):
    put(stream, *range(20_000))

    async def follow():
        turns = 0

        async def tick():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        ticking = asyncio.ensure_future(tick())
        await collected(stream.follow_async("TRIM_HORIZON"), 20_000)
        ticking.cancel()
        return turns

    assert asyncio.run(follow()) >= 15


def test_follower_when_nobody_reads_then_is_only_so_far_ahead(stream, monkeypatch):
    taken = []

    async def follow():
        records = module.follow(lambda: taken.append(1) or [len(taken)], lambda: None)
        assert await anext(records) == 1
        # The thread is at its limit when it waits for room.
        await until(lambda: len(taken) > module._CHUNKS_AHEAD)
        await asyncio.sleep(0)
        count = len(taken)
        await records.aclose()
        return count

    assert asyncio.run(follow()) <= module._CHUNKS_AHEAD + 2


@pytest.mark.parametrize("end", ["cancel", "aclose", "break", "timeout of anext"])
def test_follower_when_left_then_its_thread_ends_though_nothing_comes(end, stream):
    put(stream, 1)

    async def follow():
        records = stream.follow_async("TRIM_HORIZON")
        assert int((await anext(records)).data) == 1
        assert len(followers()) == 1
        if end == "cancel":
            waiting = asyncio.ensure_future(anext(records))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        elif end == "aclose":
            await records.aclose()
        elif end == "break":
            async for _ in stream.follow_async("TRIM_HORIZON"):
                assert len(followers()) == 2
                break
            await records.aclose()
        else:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(records), 0.01)
        # What is dropped is closed in the loop's next turn.
        await asyncio.sleep(0)
        await until_no_follower()
        with pytest.raises(StopAsyncIteration):
            await anext(records)

    asyncio.run(follow())


def test_follower_when_its_task_is_cancelled_then_the_task_ends_at_once(stream):
    async def follow():
        async def forever():
            async for _ in stream.follow_async():
                pass

        task = asyncio.ensure_future(forever())
        await until(followers)
        task.cancel()
        began = time.perf_counter()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert time.perf_counter() - began < 1
        await until_no_follower()

    asyncio.run(follow())


def test_follower_when_the_loop_ends_with_it_then_its_thread_ends(stream):
    kept = []

    async def follow():
        put(stream, 1)
        records = stream.follow_async("TRIM_HORIZON")
        kept.append(records)
        await anext(records)

    asyncio.run(follow())
    for thread in followers():
        thread.join(SOON_S)
    assert followers() == []


def test_follower_when_its_loop_is_closed_without_a_word_then_its_thread_ends_when_let_go(stream):
    put(stream, 1)
    loop = asyncio.new_event_loop()
    records = stream.follow_async("TRIM_HORIZON")
    loop.run_until_complete(anext(records))
    loop.close()
    assert len(followers()) == 1
    del records
    gc.collect()
    for thread in followers():
        thread.join(SOON_S)
    assert followers() == []


def test_follower_when_the_process_ends_while_it_waits_then_nothing_hangs():
    program = """
import asyncio, shardstream as ss
clicks = ss.Engine().create_stream("clicks")
clicks.put(b"page", key="user-1")
kept = clicks.follow_async("TRIM_HORIZON")
loop = asyncio.new_event_loop()
print(loop.run_until_complete(anext(kept)).data, flush=True)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "b'page'\n"


def test_follower_when_never_iterated_then_starts_no_thread(stream):
    records = stream.follow_async()
    assert followers() == []
    del records


def test_follower_when_nothing_comes_for_its_timeout_then_ends(stream):
    put(stream, 1)
    found = asyncio.run(collected(stream.follow_async("TRIM_HORIZON", timeout="50ms"), None))
    assert data_of(found) == [1]


def test_follower_when_the_clock_stands_still_then_a_timeout_ends_it_once_caught_up():
    stream = ss.Engine(clock=ss.ManualClock()).create_stream("clicks", shards=1)
    put(stream, 1, 2)
    found = asyncio.run(collected(stream.follow_async("TRIM_HORIZON", timeout="1h"), None))
    assert data_of(found) == [1, 2]


def test_follower_when_the_clock_stands_still_then_waits_without_a_timeout():
    stream = ss.Engine(clock=ss.ManualClock()).create_stream("clicks", shards=1)

    async def follow():
        waiting = asyncio.ensure_future(collected(stream.follow_async(), 1))
        await until(followers)
        put(stream, 5)
        return await asyncio.wait_for(waiting, SOON_S)

    assert data_of(asyncio.run(follow())) == [5]


def test_follow_when_the_stream_is_deleted_in_between_then_ends():
    for _ in range(50):
        with ss.Engine() as engine:
            followed = engine.create_stream("clicks", shards=2).follow()
            with ThreadPoolExecutor() as pool:
                waiting = pool.submit(next, followed, None)
                engine.delete_stream("clicks")
                assert waiting.result(SOON_S) is None


def test_follower_when_the_stream_is_deleted_then_ends(stream):
    async def follow():
        waiting = asyncio.ensure_future(collected(stream.follow_async(), None))
        await until(followers)
        stream._engine.delete_stream("clicks")
        return await asyncio.wait_for(waiting, SOON_S)

    assert asyncio.run(follow()) == []


def test_follower_when_the_engine_is_closed_then_says_so(stream):
    async def follow():
        waiting = asyncio.ensure_future(collected(stream.follow_async(), None))
        await until(followers)
        stream._engine.close()
        await asyncio.wait_for(waiting, SOON_S)

    with pytest.raises(errors.EngineClosedError):
        asyncio.run(follow())


def test_follower_when_its_one_shard_is_closed_then_ends_after_its_last_record(stream):
    put(stream, *range(20))
    shard = stream.shards()[0]
    stream.split_shard(shard)
    put(stream, *range(20, 40))
    found = asyncio.run(collected(stream.follow_async("TRIM_HORIZON", shard_id=shard), None))
    assert data_of(found) == data_of(stream.read(shard_id=shard)) != []


def test_arguments_when_wrong_then_the_call_says_so_at_once(stream):
    for arguments in ({"timeout": "-1s"}, {"start": "no such time"}, {"shard_id": "shardId-000000000009"}):
        with pytest.raises((errors.InvalidArgumentException, errors.ResourceNotFoundException)):
            stream.follow_async(**arguments)


def test_follower_when_there_is_no_loop_of_asyncio_then_says_what_to_do(stream):
    records = stream.follow_async()
    with pytest.raises(errors.InvalidArgumentException, match=r"asyncio.*trio.*follow\(\) in a thread"):
        records.__anext__().send(None)


@pytest.mark.parametrize("module", ["uvloop", "anyio"])
def test_follower_when_under_another_loop_then_works(module, stream):
    imported = importlib.import_module(module)
    put(stream, 1, 2)

    async def follow():
        return data_of(await collected(stream.follow_async("TRIM_HORIZON"), 2))

    found = imported.run(follow) if module == "anyio" else imported.run(follow())
    assert found == [1, 2]


def test_several_followers_when_at_once_then_each_gets_all(stream):
    async def follow():
        waiting = [asyncio.ensure_future(collected(stream.follow_async(), 100)) for _ in range(5)]
        await until(lambda: len(followers()) == 5)
        put(stream, *range(100))
        return await asyncio.wait_for(asyncio.gather(*waiting), SOON_S)

    assert [data_of(found) for found in asyncio.run(follow())] == [list(range(100))] * 5


def test_query_when_followed_in_a_loop_then_updates_are_those_of_follow():
    stream = ss.Engine(clock=ss.ManualClock()).create_stream("clicks", shards=1)
    stream.put_many([(f'{{"at": "2026-01-01T00:0{i}:00Z"}}'.encode(), "user-1") for i in range(5)])
    query = stream.window(ss.tumble("1m"), time="at").agg(n=ss.count())
    options = {"start": "TRIM_HORIZON", "timeout": "0s"}
    expected = [update.to_pylist() for update in query.follow(**options)]

    async def follow():
        return [update.to_pylist() async for update in query.follow_async(**options)]

    assert asyncio.run(follow()) == expected != []


def test_query_when_left_in_a_loop_then_its_thread_ends_though_nothing_comes(stream):
    query = stream.window(ss.tumble("1m")).agg(n=ss.count())

    async def follow():
        async def forever():
            async for _ in query.follow_async(emit="changes"):
                pass

        task = asyncio.ensure_future(forever())
        await until(followers)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await until_no_follower()

    asyncio.run(follow())


def test_query_when_its_records_are_wrong_then_the_loop_hears_of_it(stream):
    query = stream.window(ss.tumble("1m"), on_malformed="raise").agg(n=ss.sum("n"))
    stream.put(b"not json", key="user-1")

    async def follow():
        async for _ in query.follow_async(start="TRIM_HORIZON"):
            pass

    with pytest.raises(errors.RecordDecodeError):
        asyncio.run(follow())


def test_query_when_it_follows_to_an_end_then_the_last_windows_close(stream):
    stream.put_many([(b'{"at": "2026-01-01T00:00:00Z"}', "user-1")] * 3)
    query = stream.window(ss.tumble("1m"), time="at").agg(n=ss.count())

    async def follow():
        updates = query.follow_async(start="TRIM_HORIZON", end="LATEST")
        return [row["n"] async for update in updates for row in update.to_pylist()]

    assert asyncio.run(asyncio.wait_for(follow(), SOON_S)) == [3]


CALLS = {
    "read": lambda stream: len(stream.read()),
    "follow": lambda stream: len(list(stream.follow("TRIM_HORIZON", timeout="1ms"))),
    "collect": lambda stream: stream.window(ss.tumble("10000d")).agg(n=ss.count()).collect().column("n")[0],
    "follow of windows": lambda stream: (
        list(stream.window(ss.tumble("1m")).agg(n=ss.count()).follow(start="TRIM_HORIZON", timeout="1ms")),
        10,
    )[1],
    "replay": lambda stream: ss.replay(pl.DataFrame({"key": ["a"] * 10}), stream, key="key").records,
    "replay of pairs": lambda stream: ss.replay([("k", b"x")] * 10, stream).records,
    "replay in the background": lambda stream: ss.replay([("k", b"x")] * 10, stream, background=True).result().records,
    "write": lambda stream: stream.write(pl.DataFrame({"key": ["a"] * 10}), key="key").records,
    "client": lambda stream: len(
        (client := stream._engine.client()).get_records(
            ShardIterator=client.get_shard_iterator(
                StreamName="clicks", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
        )["Records"]
        + [*stream.read(shard_id="shardId-000000000001")]
    ),
    "live": lambda stream: (
        view := stream.live(stream.window(ss.tumble("10000d")).agg(n=ss.count()), start="TRIM_HORIZON"),
        view.stop(),
        view.windows[0]["n"],
    )[-1],
}


@pytest.mark.parametrize("name", CALLS)
def test_plain_call_when_in_a_running_loop_then_works_as_without_one(name, stream):
    put(stream, *range(10))

    async def call():
        return CALLS[name](stream)

    assert asyncio.run(call()) == 10


def test_loop_when_records_are_followed_then_gets_its_turn_within_a_chunk(stream):
    put(stream, *range(50_000))

    async def follow():
        most = since = 0

        async def tick():
            nonlocal most, since
            while True:
                await asyncio.sleep(0)
                most, since = max(most, since), 0

        ticking = asyncio.ensure_future(tick())
        async for record in stream.follow_async("TRIM_HORIZON"):
            since += 1
            if int(record.data) == 49_999:
                break
        ticking.cancel()
        return most

    assert 0 < asyncio.run(follow()) <= 2 * module.CHUNK_RECORDS
