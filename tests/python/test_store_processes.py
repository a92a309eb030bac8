"""Folders and processes: one writes, others read, and nobody hangs."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

import shardstream as ss
from shardstream import errors

HOUR = "2026-01-01T00:00:00Z"

WRITER = """
import sys
import shardstream as ss
import shardstream.engine
shardstream.engine._SEAL_BYTES = 4096
engine = ss.Engine(sys.argv[1], clock=None if sys.argv[2] == "machine" else ss.ManualClock())
print("open", flush=True)
for line in sys.stdin:
    print(repr(eval(line)), flush=True)
"""


@contextlib.contextmanager
def a_writer(folder, clock="manual"):
    """Another process that has the folder open, and a way to have it work out an expression there."""
    command = [sys.executable, "-c", WRITER, str(folder), clock]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "open\n"

            def do(expression):
                process.stdin.write(expression + "\n")
                process.stdin.flush()
                return eval(process.stdout.readline())

            yield process, do
        finally:
            process.kill()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "events"


def a_reader(folder):
    return ss.Engine(folder, read_only=True, clock=ss.ManualClock(HOUR))


def data_of(records):
    return [record.data for record in records]


def numbers_of(records):
    return [record.sequence_number for record in records]


def test_second_writer_when_the_first_is_another_process_then_is_told_who_and_since_when(folder):
    with a_writer(folder) as (process, _):
        with pytest.raises(errors.StoreLockedError) as refused:
            ss.Engine(folder)
        message = str(refused.value)
        assert f"{folder} is written by process {process.pid} on {socket.gethostname()} since 20" in message
        assert "read_only=True" in message
        with pytest.raises(errors.StoreLockedError, match=f"process {process.pid}"):
            ss.Engine(f"{folder}/../events/")


def test_second_writer_when_the_first_is_this_process_then_is_refused_until_it_closes(folder):
    with ss.Engine(folder) as first:
        first.create_stream("clicks", shards=1)
        with pytest.raises(errors.StoreLockedError, match=f"process {os.getpid()} on "):
            ss.Engine(folder)
        first.stream("clicks").put(b"page", key="user-1")
    with ss.Engine(folder) as second:
        assert data_of(second.stream("clicks").read()) == [b"page"]


def test_writer_when_let_go_of_without_a_close_then_the_next_one_may_write(folder):
    engine = ss.Engine(folder)
    engine.create_stream("clicks", shards=1).put(b"page", key="user-1")
    del engine
    with ss.Engine(folder) as again:
        assert data_of(again.stream("clicks").read()) == [b"page"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_lock_when_its_process_was_killed_then_frees_itself(how, folder):
    with a_writer(folder) as (process, do):
        do('engine.create_stream("clicks", shards=1).put(b"page", key="user-1").shard_id')
        process.send_signal(how)
        process.wait(timeout=30)
    with ss.Engine(folder, clock=ss.ManualClock(HOUR)) as engine:
        assert data_of(engine.stream("clicks").read()) == [b"page"]


def test_writers_when_many_at_once_then_one_has_it():
    import tempfile

    program = """
import sys
import shardstream as ss
sys.stdin.readline()
try:
    engine = ss.Engine(sys.argv[1])
except ss.errors.StoreLockedError:
    print("refused", flush=True)
else:
    print("open", flush=True)
sys.stdin.readline()
"""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        command = [sys.executable, "-c", program, folder]
        pipe = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        writers = [stack.enter_context(subprocess.Popen(command, **pipe)) for _ in range(6)]
        for writer in writers:
            writer.stdin.write("now\n")
            writer.stdin.flush()
        said = [writer.stdout.readline() for writer in writers]
        for writer in writers:
            writer.stdin.close()
        assert sorted(said) == ["open\n"] + ["refused\n"] * 5


def test_reader_when_a_writer_goes_on_then_sees_each_change_as_it_comes(folder):
    with a_writer(folder) as (_, do), a_reader(folder) as reader:
        assert reader.list_streams() == []
        do('engine.create_stream("clicks", shards=1, tags={"team": "web"}).name')
        clicks = reader.stream("clicks")
        assert (reader.list_streams(), clicks.tags) == (["clicks"], {"team": "web"})
        put = do('engine.stream("clicks").put(b"first", key="user-1").sequence_number')
        assert numbers_of(clicks.read()) == [put]
        do('engine.stream("clicks").split_shard("shardId-000000000000")')
        assert [(shard.shard_id[-1], shard.is_open) for shard in clicks.shards()] == [
            ("0", False),
            ("1", True),
            ("2", True),
        ]
        do('engine.stream("clicks").increase_retention("48h")')
        assert reader.stream("clicks").retention.days == 2
        do('engine.create_stream("other").name')
        do('engine.delete_stream("clicks")')
        assert reader.list_streams() == ["other"]
        with pytest.raises(errors.ResourceNotFoundException):
            clicks.read()
        do('engine.create_stream("clicks", shards=2).put(b"second life", key="user-1").shard_id')
        assert data_of(reader.stream("clicks").read()) == [b"second life"]


def test_reader_when_much_is_sealed_and_checkpoints_come_then_has_every_record_once(folder):
    with a_writer(folder) as (_, do):
        do('engine.create_stream("clicks", shards=2).name')
        with a_reader(folder) as reader:
            clicks = reader.stream("clicks")
            for turn in range(30):
                records = [(b"%d.%d" % (turn, i), f"user-{i}") for i in range(50)]
                do(f'engine.stream("clicks").put_many({records})[0].shard_id')
                if turn % 10 == 4:
                    do('engine.stream("clicks").seal()')
                assert data_of(clicks.read()) == [b"%d.%d" % (t, i) for t in range(turn + 1) for i in range(50)]
                assert len(clicks) == 50 * (turn + 1)
        assert numbers_of(clicks_again(folder)) == do('[r.sequence_number for r in engine.stream("clicks").read()]')


def clicks_again(folder):
    with a_reader(folder) as reader:
        return list(reader.stream("clicks").read())


def test_reader_when_it_opens_while_the_writer_has_it_open_then_sees_all_of_it(folder):
    with a_writer(folder) as (_, do):
        do('engine.create_stream("clicks", shards=2).name')
        for turn in range(5):
            put = do('[r.sequence_number for r in engine.stream("clicks").put_many([(b"x" * 500, "u")] * 7)]')
            assert numbers_of(clicks_again(folder))[-7:] == put
            assert len(clicks_again(folder)) == 7 * (turn + 1)


def test_reader_when_one_writer_comes_after_the_other_then_follows_them_all(folder):
    with a_writer(folder) as (_, do):
        do('engine.create_stream("clicks", shards=2).name')
    with a_reader(folder) as reader:
        clicks, put = reader.stream("clicks"), []
        for turn in range(4):
            with a_writer(folder) as (_, do):
                put += do('[r.sequence_number for r in engine.stream("clicks").put_many([(b"x" * 900, "u")] * 9)]')
                assert numbers_of(clicks.read()) == put
                if turn % 2:
                    do("engine.close()")
            # The others were killed.
            assert numbers_of(clicks.read()) == put


def test_follow_when_another_process_writes_then_yields_records_as_they_come(folder):
    with a_writer(folder, "machine") as (_, do):
        do('engine.create_stream("clicks", shards=2).name')
        with ss.Engine(folder, read_only=True) as reader:
            following = reader.stream("clicks").follow("TRIM_HORIZON", timeout="20s")
            for i in range(5):
                do(f'engine.stream("clicks").put(b"{i}", key="user-{i}").shard_id')
                assert next(following).data == b"%d" % i
            # It waits, and what comes meanwhile ends that.
            found = []
            waiting = threading.Thread(target=lambda: found.append(next(following).data))
            waiting.start()
            do('engine.stream("clicks").put(b"waited for", key="user-1").shard_id')
            waiting.join(timeout=20)
            assert found == [b"waited for"]
            do('engine.delete_stream("clicks")')
            assert list(following) == []


def test_windows_when_another_process_writes_then_count_what_came(folder):
    with a_writer(folder) as (_, do):
        do('engine.create_stream("clicks", shards=2).name')
        with a_reader(folder) as reader:
            query = reader.stream("clicks").window(ss.tumble("1h")).agg(n=ss.count())
            for turn in range(1, 4):
                do('engine.stream("clicks").put_many([(b"x", f"user-{i}") for i in range(100)])[0].shard_id')
                assert [row["n"] for row in query.collect().to_pylist()] == [100 * turn]


def test_reader_when_asked_to_change_anything_then_refuses(folder, tmp_path):
    with ss.Engine(folder) as engine:
        engine.create_stream("clicks", shards=1).put(b"page", key="user-1")
        arn = engine.stream("clicks").arn
        with ss.Engine(folder, read_only=True) as reader:
            clicks, kinesis = reader.stream("clicks"), reader.client("kinesis")
            shard = "shardId-000000000000"
            changes = [
                lambda: clicks.put(b"page", key="user-1"),
                lambda: clicks.put_many([(b"page", "user-1")]),
                lambda: clicks.split_shard(shard),
                lambda: clicks.update_shard_count(2),
                lambda: clicks.increase_retention("48h"),
                lambda: clicks.fork("copy"),
                lambda: reader.create_stream("more"),
                lambda: reader.delete_stream("clicks"),
                lambda: kinesis.put_record(StreamName="clicks", Data=b"page", PartitionKey="user-1"),
                lambda: kinesis.add_tags_to_stream(StreamName="clicks", Tags={"a": "b"}),
                lambda: kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="app"),
                lambda: kinesis.put_resource_policy(ResourceARN=arn, Policy="{}"),
                lambda: kinesis.update_account_settings(MinimumThroughputBillingCommitment={"Status": "ENABLED"}),
            ]
            for place, change in enumerate(changes):
                with pytest.raises(errors.ShardstreamError) as refused:
                    change()
                assert "read_only=True" in str(refused.value), place
                if place < 8:
                    assert isinstance(refused.value, errors.StoreReadOnlyError), place
        assert (engine.list_streams(), data_of(engine.stream("clicks").read())) == (["clicks"], [b"page"])


def test_reader_when_there_is_no_store_then_says_so_and_makes_none(folder):
    with pytest.raises(errors.StoreError, match="events"):
        ss.Engine(folder, read_only=True)
    assert not folder.exists()


def test_reader_when_it_ends_then_the_writer_goes_on(folder):
    with ss.Engine(folder) as engine:
        clicks = engine.create_stream("clicks", shards=1)
        for i in range(3):
            with ss.Engine(folder, read_only=True) as reader:
                clicks.put(b"%d" % i, key="user-1")
                assert len(reader.stream("clicks").read()) == i + 1
        with pytest.raises(errors.EngineClosedError):
            reader.list_streams()
    with ss.Engine(folder) as engine:
        assert data_of(engine.stream("clicks").read()) == [b"0", b"1", b"2"]


FORKER = """
import json, os, sys, threading
import shardstream as ss

engine = ss.Engine(sys.argv[1], **json.loads(sys.argv[2]))
clicks = engine.create_stream("clicks", shards=2)
clicks.put(b"before", key="user-1")
# The child is forked off while other threads write.
stopped = threading.Event()
def write():
    while not stopped.is_set():
        clicks.put(b"by a thread", key="user-1")
threads = [threading.Thread(target=write) for _ in range(2)]
for thread in threads:
    thread.start()
calls = {
    "put": lambda: clicks.put(b"page", key="user-1"),
    "put_many": lambda: clicks.put_many([(b"page", "user-1")]),
    "read": lambda: clicks.read(),
    "follow": lambda: next(clicks.follow("TRIM_HORIZON", timeout="1s")),
    "count": lambda: len(clicks),
    "shards": lambda: clicks.shards(),
    "split": lambda: clicks.update_shard_count(3),
    "seal": lambda: clicks.seal(),
    "fork": lambda: clicks.fork("copy"),
    "snapshot": lambda: engine.snapshot(sys.argv[1] + "-copy"),
    "create_stream": lambda: engine.create_stream("others"),
    "delete_stream": lambda: engine.delete_stream("clicks"),
    "stream": lambda: engine.stream("clicks"),
    "list_streams": lambda: engine.list_streams(),
    "tick": lambda: engine.tick(),
}
said, told = os.pipe()
child = os.fork()
if child == 0:
    answers = {}
    for name, call in calls.items():
        try:
            answers[name] = ["answered", repr(call())]
        except BaseException as error:
            answers[name] = [type(error).__name__, str(error)]
    engine.close()
    os.write(told, json.dumps(answers).encode())
    sys.exit()
os.close(told)
answers = b"".join(iter(lambda: os.read(said, 65536), b""))
_, status = os.waitpid(child, 0)
stopped.set()
for thread in threads:
    thread.join()
clicks.put(b"after", key="user-1")
records = [record.data for record in clicks.read()]
assert (records[0], records[-1], set(records[1:-1])) == (b"before", b"after", {b"by a thread"}), records
engine.close()
print(json.dumps({"parent": os.getpid(), "child": child, "status": status, "answers": json.loads(answers)}))
"""


@pytest.mark.parametrize("durability", ["commit", "interval", "none"])
def test_fork_when_the_child_uses_the_engine_then_it_is_told_and_the_parent_goes_on(durability, folder):
    command = [sys.executable, "-c", FORKER, str(folder), json.dumps({"durability": durability})]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=30)
    told = json.loads(done.stdout)
    assert told["status"] == 0
    for name, (error, message) in told["answers"].items():
        assert (name, error) == (name, "ForkedEngineError")
        assert f"opened by process {told['parent']}" in message
        assert f"in process {told['child']}" in message
    with ss.Engine(folder) as engine:
        assert engine.list_streams() == ["clicks"]
        assert data_of(engine.stream("clicks").read())[-1] == b"after"


READERS = """
import multiprocessing, sys
import shardstream as ss

def count(path):
    with ss.Engine(path, read_only=True) as reader:
        return [record.data for record in reader.stream("clicks").read()]

if __name__ == "__main__":
    engine = ss.Engine(sys.argv[1])
    clicks = engine.create_stream("clicks", shards=2)
    context = multiprocessing.get_context(sys.argv[2])
    for turn in range(3):
        clicks.put_many([(b"%d" % i, f"user-{i}") for i in range(100)])
        with context.Pool(3) as pool:
            for found in pool.map(count, [sys.argv[1]] * 6):
                assert found == [b"%d" % i for i in range(100)] * (turn + 1)
    clicks.put(b"last", key="user-1")
    assert len(clicks) == 301
"""


@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_workers_when_they_open_the_folder_to_read_then_all_of_them_do(method, folder, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(READERS)
    # Python warns of forks of processes with threads from 3.12 on.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(program), str(folder), method]
    subprocess.run(command, check=True, timeout=50)
    with ss.Engine(folder) as engine:
        assert len(engine.stream("clicks")) == 301


def test_child_when_it_outlives_the_writer_then_does_not_keep_the_lock(folder):
    program = """
import os, sys
import shardstream as ss
engine = ss.Engine(sys.argv[1])
if os.fork() == 0:
    # It has all files of its parent open until it is told to end.
    sys.stdin.readline()
    os._exit(0)
engine.close()
print("closed", flush=True)
os._exit(0)
"""
    command = [sys.executable, "-c", program, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "closed\n"
        with ss.Engine(folder) as engine:
            engine.create_stream("clicks")
        process.stdin.write("end\n")


def test_reader_when_the_folder_was_closed_then_has_its_records(tmp_path):
    with ss.Engine(tmp_path / "events") as engine:
        engine.create_stream("clicks", shards=1).put(b"page", key="user-1")
    with ss.Engine(tmp_path / "events", read_only=True) as reader:
        assert [record.data for record in reader.stream("clicks").read()] == [b"page"]


def test_settings_when_the_writer_changes_them_then_a_readers_stream_says_so(tmp_path):
    with ss.Engine(tmp_path / "events") as engine:
        clicks = engine.create_stream("clicks", shards=1)
        with ss.Engine(tmp_path / "events", read_only=True) as reader:
            read = reader.stream("clicks")
            clicks.increase_retention("48h")
            assert read.retention == clicks.retention
