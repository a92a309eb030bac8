"""Copies that share what is sealed: snapshots and forks, and how each goes its own way."""

import datetime
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

import shardstream as ss
from shardstream import errors

NEW_YEAR = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
def clock():
    return ss.ManualClock(NEW_YEAR)


@pytest.fixture(params=["memory", "folder", "folder sealed"])
def engine(request, tmp_path, clock):
    """An engine with a stream that was split, in memory or in a folder."""
    with ss.Engine(None if request.param == "memory" else tmp_path / "events", clock=clock) as engine:
        clicks = engine.create_stream("clicks", shards=2, retention="48h", tags={"team": "web"})
        clicks.put_many([(b"%d" % i, f"user-{i}") for i in range(100)])
        clicks.write(pl.DataFrame({"user": ["a", "b"], "n": [1, None]}), key="user")
        if request.param == "folder sealed":
            clicks.seal()
        clock.advance("1h")
        clicks.split_shard("shardId-000000000001")
        clicks.put_many([(b"later %d" % i, f"user-{i}") for i in range(100)])
        yield engine


def told(record):
    return record.sequence_number, record.shard_id, record.partition_key, record.data, record.arrival_time


def seen(stream):
    """What a copy has in common with its original."""
    shards = [
        (shard.shard_id, shard.parent_shard_id, shard.starting_hash_key, shard.ending_sequence_number)
        for shard in stream.shards()
    ]
    return [told(record) for record in stream.read()], shards, stream.tags, stream.retention, stream.mode


def segments(folder):
    return {str(path.relative_to(folder)): path.stat() for path in sorted(folder.glob("*/*/*.arrow"))}


def test_snapshot_when_opened_then_everything_is_there(engine, tmp_path, clock):
    engine.create_stream("empty", shards=3, mode="ON_DEMAND")
    kinesis = engine.client("kinesis")
    kinesis.put_resource_policy(ResourceARN=engine.stream("clicks").arn, Policy='{"Statement":[]}')
    engine.snapshot(tmp_path / "copy")
    with ss.Engine(tmp_path / "copy", clock=clock) as copy:
        assert copy.list_streams() == ["clicks", "empty"]
        for name in copy.list_streams():
            assert seen(copy.stream(name)) == seen(engine.stream(name))
            assert copy.stream(name).created == engine.stream(name).created
            assert copy.stream(name).arn == engine.stream(name).arn
        policy = copy.client("kinesis").get_resource_policy(ResourceARN=copy.stream("clicks").arn)["Policy"]
        assert policy == '{"Statement":[]}'


def test_snapshot_when_both_go_on_then_neither_sees_the_other(engine, tmp_path, clock):
    clicks = engine.stream("clicks")
    engine.snapshot(tmp_path / "copy")
    before = [record.data for record in clicks.read()]
    with ss.Engine(tmp_path / "copy", clock=clock) as copy:
        copied = copy.stream("clicks")
        clicks.put(b"of the original", key="user-1")
        copied.put(b"of the copy", key="user-1")
        copied.update_shard_count(4)
        copy.create_stream("more")
        copied.seal()
        assert [record.data for record in clicks.read()] == [*before, b"of the original"]
        assert [record.data for record in copied.read()] == [*before, b"of the copy"]
        assert (engine.list_streams(), copy.list_streams()) == (["clicks"], ["clicks", "more"])
        assert len(clicks.shards()) == 4
        engine.delete_stream("clicks")
        engine.tick()
        assert [record.data for record in copied.read()] == [*before, b"of the copy"]
    with ss.Engine(tmp_path / "copy", clock=clock) as copy:
        assert [record.data for record in copy.stream("clicks").read()] == [*before, b"of the copy"]


def test_snapshot_when_of_sealed_segments_then_their_files_get_second_names(tmp_path):
    with ss.Engine(tmp_path / "events") as engine:
        clicks = engine.create_stream("clicks", shards=2)
        clicks.put_many([(b"x" * 100, f"user-{i}") for i in range(1_000)])
        clicks.seal()
        clicks.put(b"in memory", key="user-1")
        engine.snapshot(tmp_path / "copy")
        original, copied = segments(tmp_path / "events"), segments(tmp_path / "copy")
        assert len(original) == 2
        assert len(copied) == 3
        assert {name: copied[name].st_ino for name in original} == {
            name: stat.st_ino for name, stat in original.items()
        }
        assert all(stat.st_nlink == 2 for stat in original.values())
    shutil.rmtree(tmp_path / "events")
    with ss.Engine(tmp_path / "copy") as copy:
        assert [record.data for record in copy.stream("clicks").read()] == [b"x" * 100] * 1_000 + [b"in memory"]


def test_snapshot_when_another_one_of_the_copy_then_is_the_same(engine, tmp_path, clock):
    engine.snapshot(tmp_path / "first")
    with ss.Engine(tmp_path / "first", clock=clock) as first:
        first.snapshot(tmp_path / "second")
    with ss.Engine(tmp_path / "second", clock=clock) as second:
        assert seen(second.stream("clicks")) == seen(engine.stream("clicks"))


def test_snapshot_when_a_reader_makes_it_then_has_what_the_writer_wrote(tmp_path, clock):
    with ss.Engine(tmp_path / "events", clock=clock) as engine:
        clicks = engine.create_stream("clicks", shards=2)
        clicks.put_many([(b"%d" % i, f"user-{i}") for i in range(100)])
        with ss.Engine(tmp_path / "events", clock=clock, read_only=True) as reader:
            reader.snapshot(tmp_path / "copy")
        with ss.Engine(tmp_path / "copy", clock=clock) as copy:
            assert seen(copy.stream("clicks")) == seen(clicks)


@pytest.mark.parametrize("durability", ["commit", "none"])
def test_snapshot_when_others_put_meanwhile_then_has_what_was_there_at_one_time(durability, tmp_path):
    with ss.Engine(tmp_path / "events", durability=durability) as engine:
        clicks, stopped, acknowledged = engine.create_stream("clicks", shards=1), threading.Event(), []

        def put():
            while not stopped.is_set():
                acknowledged.append(clicks.put(b"%d" % len(acknowledged), key="user-1"))

        with ThreadPoolExecutor() as pool:
            putting = pool.submit(put)
            for turn in range(5):
                before = len(acknowledged)
                engine.snapshot(tmp_path / f"copy-{turn}")
                after = len(acknowledged) + 1
                with ss.Engine(tmp_path / f"copy-{turn}") as copy:
                    found = [record.data for record in copy.stream("clicks").read()]
                assert found == [b"%d" % i for i in range(len(found))]
                assert before <= len(found) <= after
            stopped.set()
            putting.result()


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_snapshot_when_compressed_then_what_is_written_is_smaller(compression, tmp_path):
    engine = ss.Engine()
    engine.create_stream("clicks", shards=1).put_many([(b"the same thing again" * 5, "user-1")] * 5_000)
    engine.snapshot(tmp_path / "copy", compression=compression)
    size = sum(stat.st_size for stat in segments(tmp_path / "copy").values())
    assert (size < 300_000) == (compression is not None)
    with ss.Engine(tmp_path / "copy") as copy:
        assert len(copy.stream("clicks").read()) == 5_000


def test_snapshot_when_something_is_in_the_folder_then_refuses_and_changes_nothing(engine, tmp_path):
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "notes.txt").write_text("ours")
    with pytest.raises(errors.InvalidArgumentException, match=r"copy.*notes\.txt"):
        engine.snapshot(tmp_path / "copy")
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["notes.txt"]
    engine.snapshot(tmp_path / "second")
    with pytest.raises(errors.InvalidArgumentException, match="second"):
        engine.snapshot(tmp_path / "second")
    if engine.path is not None:
        with pytest.raises(errors.InvalidArgumentException, match="events"):
            engine.snapshot(engine.path)


@pytest.mark.parametrize("compression", ["gzip", "none", True])
def test_snapshot_when_compression_is_none_there_is_then_refuses_and_makes_nothing(compression, tmp_path):
    with pytest.raises(errors.InvalidArgumentException, match="compression"):
        ss.Engine().snapshot(tmp_path / "copy", compression=compression)
    assert list(tmp_path.iterdir()) == []


def test_snapshot_when_the_folder_cannot_be_then_says_so(tmp_path):
    (tmp_path / "file").write_text("ours")
    for path in ("file", "file/within"):
        with pytest.raises(errors.StoreError, match="file"):
            ss.Engine().snapshot(tmp_path / path)
    assert (tmp_path / "file").read_text() == "ours"


def test_snapshot_when_the_engine_is_closed_then_says_so_and_makes_nothing(tmp_path):
    engine = ss.Engine()
    engine.close()
    with pytest.raises(errors.EngineClosedError):
        engine.snapshot(tmp_path / "copy")
    assert not (tmp_path / "copy" / "@checkpoint").exists()


def test_fork_when_new_then_has_the_same_records_shards_and_settings(engine):
    clicks = engine.stream("clicks")
    trial = clicks.fork("trial")
    assert trial.name == "trial"
    assert engine.list_streams() == ["clicks", "trial"]
    assert seen(trial) == seen(clicks)
    assert len(trial) == len(clicks) == 202
    assert trial.arn == clicks.arn.replace("clicks", "trial")


def test_fork_when_both_go_on_then_neither_sees_the_other(engine):
    clicks = engine.stream("clicks")
    trial = clicks.fork("trial")
    before = [record.data for record in clicks.read()]
    clicks.put(b"of the original", key="user-1")
    trial.put_many([(b"of the fork", "user-1")] * 2)
    trial.update_shard_count(1)
    assert [record.data for record in clicks.read()] == [*before, b"of the original"]
    assert [record.data for record in trial.read()] == [*before, b"of the fork", b"of the fork"]
    assert [len(clicks), len(trial)] == [203, 204]
    engine.delete_stream("clicks")
    engine.tick()
    assert [record.data for record in trial.read()] == [*before, b"of the fork", b"of the fork"]
    again = trial.fork("clicks")
    assert [record.data for record in again.read()] == [*before, b"of the fork", b"of the fork"]


def test_fork_when_in_a_folder_then_is_there_again_and_shares_the_files(tmp_path, clock):
    with ss.Engine(tmp_path / "events", clock=clock) as engine:
        clicks = engine.create_stream("clicks", shards=2)
        clicks.put_many([(b"%d" % i, f"user-{i}") for i in range(500)])
        clicks.seal()
        clicks.put(b"in memory", key="user-1")
        trial = clicks.fork("trial")
        shared = [stat for stat in segments(tmp_path / "events").values() if stat.st_nlink == 2]
        assert len(shared) == 4
        trial.put(b"of the fork", key="user-1")
        states = seen(clicks), seen(trial)
    with ss.Engine(tmp_path / "events", clock=clock) as engine:
        clicks, trial = engine.stream("clicks"), engine.stream("trial")
        assert (seen(clicks), seen(trial)) == states
        assert trial.read()[-1].data == b"of the fork"
        engine.delete_stream("clicks")
    with ss.Engine(tmp_path / "events", clock=clock) as engine:
        assert engine.list_streams() == ["trial"]
        assert seen(engine.stream("trial")) == states[1]


def test_fork_when_its_process_ends_right_after_then_is_there_again(tmp_path, clock):
    with ss.Engine(tmp_path / "events", clock=clock) as engine:
        clicks = engine.create_stream("clicks", shards=2)
        clicks.put_many([(b"%d" % i, f"user-{i}") for i in range(500)])
        trial = clicks.fork("trial")
        trial.put(b"of the fork", key="user-1")
        states = seen(clicks), seen(trial)
        shutil.copytree(tmp_path / "events", tmp_path / "copy")
    with ss.Engine(tmp_path / "copy", clock=clock) as engine:
        assert (seen(engine.stream("clicks")), seen(engine.stream("trial"))) == states


def test_fork_when_consumers_are_registered_then_they_stay_with_the_original(engine):
    clicks, kinesis = engine.stream("clicks"), engine.client("kinesis")
    kinesis.register_stream_consumer(StreamARN=clicks.arn, ConsumerName="app")
    trial = clicks.fork("trial")
    assert kinesis.list_stream_consumers(StreamARN=trial.arn)["Consumers"] == []
    assert len(kinesis.list_stream_consumers(StreamARN=clicks.arn)["Consumers"]) == 1


def test_fork_when_retention_is_over_then_both_forget(engine, clock):
    clicks = engine.stream("clicks")
    trial = clicks.fork("trial")
    clicks.increase_retention("72h")
    clock.advance("47h30m")
    # The first 102 records are older than the 48 hours that the fork keeps.
    assert [len(clicks.read()), len(trial.read())] == [202, 100]
    engine.tick()
    assert [len(clicks.read()), len(trial.read())] == [202, 100]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("clicks", errors.ResourceInUseException),
        ("other", errors.ResourceInUseException),
        ("", errors.ValidationException),
        ("a b", errors.ValidationException),
        ("n" * 129, errors.ValidationException),
        (5, errors.SerializationException),
    ],
)
def test_fork_when_the_name_cannot_be_then_refuses_and_makes_nothing(name, error, engine):
    engine.create_stream("other", shards=1)
    with pytest.raises(error):
        engine.stream("clicks").fork(name)
    assert engine.list_streams() == ["clicks", "other"]
    assert len(engine.stream("other")) == 0


@pytest.mark.parametrize("path", [None, "events"])
def test_fork_when_the_account_has_no_room_then_refuses_and_makes_nothing(path, tmp_path):
    with ss.Engine(None if path is None else tmp_path / path, shard_limit=5) as engine:
        clicks = engine.create_stream("clicks", shards=3)
        clicks.put_many([(b"%d" % i, f"user-{i}") for i in range(100)])
        clicks.seal()
        with pytest.raises(errors.LimitExceededException, match="shard limit"):
            clicks.fork("trial")
        assert engine.list_streams() == ["clicks"]
        clicks.update_shard_count(2)
        assert len(clicks.fork("second").read()) == 100


def test_fork_when_the_stream_is_gone_then_says_so(engine):
    clicks = engine.stream("clicks")
    engine.delete_stream("clicks")
    with pytest.raises(errors.ResourceNotFoundException, match="clicks"):
        clicks.fork("trial")
    assert engine.list_streams() == []


def test_fork_when_refused_then_leaves_no_files_and_may_be_tried_again(tmp_path):
    with ss.Engine(tmp_path / "events", shard_limit=5) as engine:
        clicks = engine.create_stream("clicks", shards=3)
        clicks.put_many([(b"%d" % i, f"user-{i}") for i in range(100)])
        with pytest.raises(errors.LimitExceededException):
            clicks.fork("trial")
        left = list(tmp_path.glob("events/trial/*/*.arrow"))
        clicks.update_shard_count(2)
        assert len(clicks.fork("trial").read()) == 100
        assert left == []
