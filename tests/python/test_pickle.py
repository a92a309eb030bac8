"""Pickles: values as they are, engines of folders as readers of them, and clear words where neither can be."""

import copy
import datetime
import multiprocessing
import os
import pickle
import subprocess
import sys

import freezegun
import polars as pl
import pyarrow as pa
import pytest

import shardstream as ss
from shardstream import errors

PROTOCOLS = range(2, pickle.HIGHEST_PROTOCOL + 1)
COPIES = {
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}
NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)


@pytest.fixture(params=COPIES)
def again(request):
    """Another one of a thing, by each of the ways Python makes one."""
    return COPIES[request.param]


@pytest.fixture
def folder_stream(tmp_path):
    """A stream in a folder, with a hundred records, some of them not sealed."""
    with ss.Engine(tmp_path / "events") as engine:
        clicks = engine.create_stream("clicks", shards=2)
        rows = [(f'{{"at": {i}, "n": {i}}}'.encode(), f"user-{i % 7}") for i in range(100)]
        clicks.put_many(rows[:60])
        clicks.seal()
        clicks.put_many(rows[60:])
        yield clicks


def memory_stream(**options):
    return ss.Engine(clock=ss.ManualClock(NOON), **options).create_stream("clicks", shards=2)


def data_of(records):
    return [record.data for record in records]


@pytest.mark.parametrize("name", errors.__all__)
def test_error_when_pickled_then_is_the_same_and_says_the_same(name, again):
    error = getattr(errors, name)("what went wrong")
    found = again(error)
    assert type(found) is type(error)
    assert (str(found), found.args, found.code) == (str(error), error.args, error.code)


def test_error_when_raised_by_the_engine_and_pickled_then_says_the_same():
    with pytest.raises(errors.ResourceNotFoundException) as raised:
        ss.Engine().stream("clicks")
    found = pickle.loads(pickle.dumps(raised.value))
    assert (type(found), str(found)) == (type(raised.value), str(raised.value))


def test_clients_error_when_pickled_then_is_caught_by_the_same_names(again):
    client = ss.Engine().client("kinesis")
    with pytest.raises(client.exceptions.ResourceNotFoundException) as raised:
        client.describe_stream(StreamName="clicks")
    found = again(raised.value)
    assert isinstance(found, client.exceptions.ResourceNotFoundException)
    assert isinstance(found, errors.ShardstreamError)
    assert (str(found), found.response) == (str(raised.value), raised.value.response)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_engine_of_a_folder_when_pickled_then_reads_what_the_writer_writes(protocol, folder_stream):
    with pickle.loads(pickle.dumps(folder_stream._engine, protocol)) as reader:
        assert data_of(reader.stream("clicks").read()) == data_of(folder_stream.read())
        folder_stream.put(b"later", key="user-1")
        assert reader.stream("clicks").read()[-1].data == b"later"
        with pytest.raises(errors.StoreReadOnlyError):
            reader.create_stream("others")


def test_engine_of_a_folder_when_unpickled_elsewhere_then_finds_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with ss.Engine("events", region="eu-west-1", threads=1) as engine:
        engine.create_stream("clicks")
        pickled = pickle.dumps(engine)
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        with pickle.loads(pickled) as reader:
            assert (reader.list_streams(), reader.region, reader._core.threads) == (["clicks"], "eu-west-1", 1)


def test_engine_of_a_folder_when_copied_then_the_writer_stays_the_writer(folder_stream, again):
    with again(folder_stream._engine) as reader:
        assert reader.list_streams() == ["clicks"]
    folder_stream.put(b"the writer's", key="user-1")


def test_engine_of_a_folder_when_it_is_gone_then_unpickling_says_so(tmp_path):
    with ss.Engine(tmp_path / "events") as engine:
        pickled = pickle.dumps(engine).replace(b"events", b"eventz")
    with pytest.raises(errors.StoreError, match="eventz"):
        pickle.loads(pickled)


def test_stream_of_a_folder_when_pickled_then_has_its_records_and_its_engine(folder_stream, again):
    found = again(folder_stream)
    assert (found.name, found.arn, len(found)) == ("clicks", folder_stream.arn, 100)
    assert data_of(found.read()) == data_of(folder_stream.read())
    assert data_of(pickle.loads(pickle.dumps(found)).read(limit=1)) == data_of(folder_stream.read(limit=1))


def test_stream_when_deleted_before_it_is_unpickled_then_is_not_found(folder_stream):
    pickled = pickle.dumps(folder_stream)
    folder_stream._engine.delete_stream("clicks")
    with pytest.raises(errors.ResourceNotFoundException):
        pickle.loads(pickled)


def test_query_of_a_stream_when_pickled_then_answers_the_same(folder_stream, again):
    query = folder_stream.window(ss.tumble("1d"), schema={"n": "int64"}).by("partition_key").agg(total=ss.sum("n"))
    assert again(query).collect().to_pylist() == query.collect().to_pylist() != []


@pytest.mark.parametrize("table", ["polars", "pyarrow", "files"])
def test_query_of_a_table_when_pickled_then_answers_the_same(table, again, tmp_path):
    rows = pl.DataFrame({"at": [NOON] * 3, "key": ["a", "b", "a"], "n": [1.5, 2.0, None]})
    rows.write_parquet(tmp_path / "rows.parquet")
    source = {"polars": rows, "pyarrow": rows.to_arrow(), "files": str(tmp_path / "*.parquet")}[table]
    query = (
        ss.window(source, ss.hop(size="2h", slide="1h"), time="at").by("key").agg(ss.mean("n"), top=ss.top_k("n", 2))
    )
    assert again(query).collect().to_pylist() == query.collect().to_pylist() != []


@pytest.mark.parametrize(
    "word",
    [
        ss.tumble("1m", offset="5s"),
        ss.hop(size="5m", slide="1m"),
        ss.session("30m"),
        ss.cumulate(size="1d", step="1h"),
        ss.rolling("10m"),
        ss.quantile("amount", 0.99, interpolation="lower"),
        ss.count(),
        ss.first("amount", ignore_nulls=True),
    ],
    ids=repr,
)
def test_word_of_a_query_when_pickled_then_is_the_same_word(word, again):
    assert repr(again(word)) == repr(word)


@pytest.mark.parametrize("what", ["engine", "stream", "query", "client"])
@pytest.mark.parametrize("how", COPIES)
def test_engine_in_memory_when_pickled_then_says_why_not_and_what_to_do(what, how):
    stream = memory_stream()
    things = {
        "engine": stream._engine,
        "stream": stream,
        "query": stream.window(ss.tumble("1m")).agg(n=ss.count()),
        "client": stream._engine.client(),
    }
    if how == "copy" and what != "engine":
        # Shallow copies share the engine.
        assert type(copy.copy(things[what])) is type(things[what])
        return
    with pytest.raises(
        TypeError, match=r"engine in memory is not pickled.*this process alone.*ss\.Engine\(.*serve\(\)"
    ):
        COPIES[how](things[what])


def test_server_when_pickled_then_says_to_give_its_url():
    with (
        ss.Engine().serve() as server,
        pytest.raises(errors.SerializationException, match="give other processes its url"),
    ):
        pickle.dumps(server)


def test_clock_when_pickled_then_stands_where_it_stood_and_goes_its_own_way(again):
    clock = ss.ManualClock(NOON)
    clock.advance("1500ms")
    found = again(clock)
    assert found.now() == clock.now()
    assert found.is_still
    found.advance("1s")
    assert found.now() - clock.now() == datetime.timedelta(seconds=1)


def test_clock_when_running_and_pickled_then_runs():
    clock = ss.ManualClock(NOON)
    clock.run()
    found = pickle.loads(pickle.dumps(clock))
    assert not found.is_still
    assert found.now() >= NOON


def test_clock_when_it_follows_and_is_pickled_then_follows(again):
    found = again(ss.ManualClock(NOON, follow=True))
    with freezegun.freeze_time("2030-01-01T00:00:00Z"):
        assert found.now().year == 2030
    assert again(ss.ManualClock(NOON))._follow is False


def test_engine_with_a_manual_clock_when_pickled_then_the_reader_has_a_copy_of_it(tmp_path):
    clock = ss.ManualClock(NOON)
    with ss.Engine(tmp_path, clock=clock) as engine, pickle.loads(pickle.dumps(engine)) as reader:
        assert reader.clock.now() == NOON
        reader.clock.advance("1h")
        assert clock.now() == NOON


def test_record_when_pickled_then_has_all_it_had(again):
    stream = memory_stream()
    stream.put(b"\x00\xff bytes", key="cl\u00e9", explicit_hash_key=2**128 - 1)
    (record,) = stream.read()
    found = again(record)
    assert type(found) is ss.Record
    for name in ("data", "partition_key", "sequence_number", "shard_id", "arrival_time"):
        assert getattr(found, name) == getattr(record, name)
    assert data_of(stream.read(start=found)) == [b"\x00\xff bytes"]


def test_record_of_a_table_when_pickled_then_carries_its_json(again):
    stream = memory_stream()
    stream.write(pl.DataFrame({"key": ["a"], "n": [1]}), key="key")
    assert again(stream.read()[0]).data == stream.read()[0].data == b'{"key":"a","n":1}'


def test_records_when_pickled_then_says_what_to_pickle_instead():
    stream = memory_stream()
    stream.put_many([(b"a", "user-1"), (b"b", "user-2")])
    records = stream.read()
    with pytest.raises(errors.SerializationException, match=r"list\(records\)"):
        pickle.dumps(records)
    assert data_of(pickle.loads(pickle.dumps(list(records)))) == [b"a", b"b"]


def test_results_of_puts_when_pickled_then_are_equal(again):
    stream = memory_stream(limits="aws")
    result = stream.put(b"page", key="user-1")
    assert again(result) == result
    results = stream.put_many([(b"x", "user-1")] * 1_500)
    refused = next(each for each in results if isinstance(each, ss.PutError))
    assert again(refused) == refused
    assert list(map(again, results)) == list(results)


def test_results_of_many_puts_when_pickled_then_says_what_to_pickle_instead():
    with pytest.raises(errors.SerializationException, match=r"list\(result\)"):
        pickle.dumps(memory_stream().put_many([(b"page", "user-1")]))


def test_reports_when_pickled_then_have_the_same_counts(again):
    stream = memory_stream(limits="aws")
    rows = pl.DataFrame({"key": ["a"] * 1_200, "at": [NOON] * 1_200})
    written = stream.write(rows, key="key")
    replayed = ss.replay(rows, memory_stream(), key="key", time="at")
    for report in (written, replayed):
        found = again(report)
        assert type(found) is type(report)
        for name in ("records", "rows", "bytes", "per_shard", "throttled", "failed_rows"):
            assert getattr(found, name) == getattr(report, name)
    assert written.throttled == 200
    assert repr(again(replayed)) == repr(replayed)
    assert again(replayed).last_event_time == NOON


def test_shard_when_pickled_then_is_the_same_shard(again):
    stream = memory_stream()
    stream.split_shard(stream.shards()[0])
    for shard in stream.shards():
        found = again(shard)
        assert repr(found) == repr(shard)
        for name in ("parent_shard_id", "starting_hash_key", "starting_sequence_number", "ending_sequence_number"):
            assert getattr(found, name) == getattr(shard, name)


def test_table_when_pickled_then_is_equal_in_types_and_values(again):
    stream = memory_stream()
    rows = pa.table(
        {
            "key": pa.array(["a", "b", "a"]).dictionary_encode(),
            "at": pa.array([1, None, 3], pa.timestamp("ns", "UTC")),
            "nested": pa.array([[1, 2], [], None], pa.list_(pa.int64())),
            "n": pa.array([1, 2, 3], pa.uint8()),
        }
    )
    stream.write(rows, key="key")
    stream.write(rows.slice(0, 1), key="key")
    table = stream.read().rows()
    found = again(table)
    assert type(found) is ss.Table
    assert found.schema == table.schema
    assert pa.table(found).equals(pa.table(table))
    assert len(again(table.slice(0, 0))) == 0
    assert again(table.slice(0, 0)).schema == table.schema


def test_result_when_pickled_then_has_its_windows_late_rows_and_counts(again):
    stream = memory_stream()
    for at in ("09:00:00", "10:00:00", "09:00:30"):
        stream.put(f'{{"at": "2026-01-01T{at}Z"}}'.encode(), key="user-1")
    stream.put(b"not json", key="user-1")
    result = stream.window(ss.tumble("1m"), time="at").agg(n=ss.count()).collect(order="arrival")
    found = again(result)
    assert type(found) is ss.WindowResult
    for part in (lambda each: each, lambda each: each.late, lambda each: each.malformed):
        assert part(found).to_pylist() == part(result).to_pylist() != []
    assert found.stats.as_dict() == result.stats.as_dict()
    assert repr(found) == repr(result)
    assert (found.keys, repr(found.window)) == (result.keys, repr(result.window))


WORKER = """
import multiprocessing, sys
import shardstream as ss

def count(stream, query):
    return len(stream), query.collect().column("n"), type(stream).__name__

if __name__ == "__main__":
    engine = ss.Engine(sys.argv[1])
    clicks = engine.create_stream("clicks", shards=2)
    clicks.put_many([(b'{"n": 1}', f"user-{i}") for i in range(100)])
    query = clicks.window(ss.tumble("10000d")).agg(n=ss.count())
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for found in pool.starmap(count, [(clicks, query)] * 4):
            assert found == (100, [100], "Stream"), found
    clicks.put(b"the writer goes on", key="user-1")
    print(len(clicks))
"""


def test_workers_when_spawned_with_a_stream_then_read_it(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(WORKER)
    command = [sys.executable, str(program), str(tmp_path / "events")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=50)
    assert done.stdout == "101\n"
    assert multiprocessing.active_children() == []


FORKED = """
import os, sys, threading
import shardstream as ss

engine = ss.Engine()
clicks = engine.create_stream("clicks", shards=2)
clicks.put(b"before", key="user-1")
stopped = threading.Event()
def write():
    while not stopped.is_set():
        clicks.put_many([(b"by a thread", "user-1")] * 100)
def ask():
    while not stopped.is_set():
        clicks.read()
        clicks.window(ss.tumble("1d")).agg(n=ss.count()).collect()
threads = [threading.Thread(target=write), threading.Thread(target=ask)]
for thread in threads:
    thread.start()
for turn in range(20):
    child = os.fork()
    if child == 0:
        import signal
        signal.alarm(5)
        try:
            assert clicks.read(limit=1)[0].data == b"before"
            clicks.put(b"in the child", key="user-1")
            assert clicks.window(ss.tumble("1d")).agg(n=ss.count()).collect().stats.rows > 1
        except ss.errors.ForkedEngineError:
            pass
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        print("turn", turn, "status", status, flush=True)
        break
stopped.set()
for thread in threads:
    thread.join()
assert clicks.read(limit=1)[0].data == b"before"
print("the parent goes on")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_fork_when_an_engine_in_memory_is_used_in_the_child_then_nothing_hangs():
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=55)
    assert (done.stdout, done.returncode) == ("the parent goes on\n", 0), done.stderr
