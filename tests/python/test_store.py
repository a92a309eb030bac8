"""Folders: everything is there when it is opened again, whether it was closed or not.

This file is a program, too: given a folder it lives a life in there, and ends without a goodbye.
"""

import contextlib
import datetime
import os
import pickle
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import polars as pl
import pytest

import shardstream as ss
from shardstream import errors

NEW_YEAR = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
LATER = NEW_YEAR + datetime.timedelta(hours=1)
POLICY = '{"Version":"2012-10-17","Statement":[]}'
KEY_ID = "alias/aws/kinesis"
SHARD = ("shard_id", "parent_shard_id", "adjacent_parent_shard_id", "starting_hash_key", "ending_hash_key")
SHARD += ("starting_sequence_number", "ending_sequence_number", "is_open")
RECORD = ("sequence_number", "shard_id", "partition_key", "data", "arrival_time")


def told(record):
    return tuple(getattr(record, name) for name in RECORD)


def a_life(engine, clock):
    """One hour of everything that a stream can go through."""
    clicks = engine.create_stream("clicks", shards=2, retention="48h", tags={"team": "web", "b": ""})
    clicks.put(b"", key="user-0")
    clicks.put_many([(b"batch %d" % i, f"user-{i}") for i in range(50)])
    clicks.put(bytes(range(256)), key="caf\u00e9", explicit_hash_key=2**128 - 1)
    clock.advance("10m")
    clicks.split_shard("shardId-000000000000")
    clicks.write(pl.DataFrame({"user": ["a", "b", None], "n": [1, None, 3]}), key="user", null_key="none")
    clock.advance("10m")
    clicks.merge_shards("shardId-000000000002", "shardId-000000000003")
    clicks.put_many([(b"merged %d" % i, f"user-{i}") for i in range(20)])
    clicks.update_shard_count(5)
    clock.advance("10m")
    clicks.increase_retention("72h")
    clicks.put_many([(b"five %d" % i, f"user-{i}") for i in range(20)])
    grown = engine.create_stream("grown", mode="ON_DEMAND", max_record_size=2**21)
    grown.put(b"x" * 2**20 + b"y", key="large")
    engine.create_stream("gone").put(b"gone", key="user-1")
    engine.delete_stream("gone")
    kinesis = engine.client("kinesis")
    consumer = kinesis.register_stream_consumer(StreamARN=clicks.arn, ConsumerName="app", Tags={"of": "app"})
    kinesis.register_stream_consumer(StreamARN=clicks.arn, ConsumerName="former")
    kinesis.deregister_stream_consumer(StreamARN=clicks.arn, ConsumerName="former")
    kinesis.tag_resource(ResourceARN=consumer["Consumer"]["ConsumerARN"], Tags={"team": "web"})
    kinesis.tag_resource(ResourceARN=clicks.arn, Tags={"stage": "test"})
    kinesis.untag_resource(ResourceARN=clicks.arn, TagKeys=["b"])
    kinesis.put_resource_policy(ResourceARN=clicks.arn, Policy=POLICY)
    kinesis.start_stream_encryption(StreamName="clicks", EncryptionType="KMS", KeyId=KEY_ID)
    kinesis.enable_enhanced_monitoring(StreamName="clicks", ShardLevelMetrics=["IncomingBytes"])
    kinesis.update_account_settings(MinimumThroughputBillingCommitment={"Status": "ENABLED"})
    kinesis.update_stream_warm_throughput(StreamARN=grown.arn, WarmThroughputMiBps=8)
    clock.set(LATER)


def said(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def of_stream(engine, name):
    """All that can be seen of a stream."""
    kinesis, stream = engine.client("kinesis"), engine.stream(name)
    consumers = kinesis.list_stream_consumers(StreamARN=stream.arn)["Consumers"]
    arns = [stream.arn, *(consumer["ConsumerARN"] for consumer in consumers)]
    return {
        "records": [told(record) for record in stream.read()],
        "count": len(stream),
        "shards": [tuple(getattr(shard, name) for name in SHARD) for shard in stream.shards()],
        "settings": (stream.arn, stream.mode, stream.tags, stream.retention, stream.created),
        "summary": said(kinesis.describe_stream_summary(StreamName=name)),
        "list of shards": said(kinesis.list_shards(StreamName=name)),
        "consumers": consumers,
        "tags": [said(kinesis.list_tags_for_resource(ResourceARN=arn)) for arn in arns],
        "policy": said(kinesis.get_resource_policy(ResourceARN=stream.arn)),
    }


def everything(engine):
    """All that can be seen of an engine."""
    kinesis = engine.client("kinesis")
    seen = {name: of_stream(engine, name) for name in engine.list_streams()}
    return seen | {"settings": said(kinesis.describe_account_settings()), "limits": said(kinesis.describe_limits())}


def closed(folder):
    clock = ss.ManualClock(NEW_YEAR)
    with ss.Engine(folder, clock=clock) as engine:
        a_life(engine, clock)
        return everything(engine)


def copied_while_open(folder):
    clock = ss.ManualClock(NEW_YEAR)
    with ss.Engine(folder.with_name("live"), clock=clock) as engine:
        a_life(engine, clock)
        seen = everything(engine)
        shutil.copytree(folder.with_name("live"), folder)
        return seen


def left_by_its_process(folder):
    command = [sys.executable, __file__, str(folder)]
    return pickle.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=30).stdout)


ENDINGS = [closed, copied_while_open, left_by_its_process]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "events"


@pytest.fixture
def seal_early(monkeypatch):
    """Streams seal a few kilobytes already."""
    monkeypatch.setattr("shardstream.engine._SEAL_BYTES", 4096)


def again(folder, **options):
    return ss.Engine(folder, clock=ss.ManualClock(LATER), **options)


@pytest.mark.parametrize("ending", ENDINGS)
def test_folder_when_opened_again_then_everything_is_there(ending, folder):
    seen = ending(folder)
    assert len(seen["clicks"]["records"]) == 95
    with again(folder, read_only=True) as reader:
        records = reader.stream("clicks").read()
        assert records.to_numpy("sequence_number").tolist() == [each[0] for each in seen["clicks"]["records"]]
    with again(folder) as engine:
        assert everything(engine) == seen


@pytest.mark.parametrize("ending", ENDINGS)
def test_folder_when_opened_again_then_new_records_come_after_all_others_of_their_shard(ending, folder):
    seen = ending(folder)
    with again(folder) as engine:
        clicks = engine.stream("clicks")
        last = {shard_id: int(number) for number, shard_id, *_ in seen["clicks"]["records"]}
        first = {shard.shard_id: int(shard.starting_sequence_number) for shard in clicks.shards()}
        put = [clicks.put(b"new", key=f"user-{i}") for i in range(40)]
        assert {result.shard_id for result in put} == {shard.shard_id for shard in clicks.shards() if shard.is_open}
        for result in put:
            assert last.get(result.shard_id, first[result.shard_id]) < int(result.sequence_number)
            last[result.shard_id] = int(result.sequence_number)
        numbers = [record[0] for record in seen["clicks"]["records"]] + [result.sequence_number for result in put]
        assert [record.sequence_number for record in clicks.read()] == numbers


@pytest.mark.parametrize("ending", ENDINGS)
def test_sequence_number_when_opened_again_then_reads_go_on_behind_it(ending, folder):
    seen = ending(folder)
    records = seen["clicks"]["records"]
    with again(folder) as engine:
        kinesis = engine.client("kinesis")
        for shard_id in {record[1] for record in records}:
            of_shard = [record for record in records if record[1] == shard_id]
            middle = len(of_shard) // 2
            iterator = kinesis.get_shard_iterator(
                StreamName="clicks",
                ShardId=shard_id,
                ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                StartingSequenceNumber=of_shard[middle][0],
            )["ShardIterator"]
            found = kinesis.get_records(ShardIterator=iterator)["Records"]
            assert [record["SequenceNumber"] for record in found] == [record[0] for record in of_shard[middle + 1 :]]


def test_shard_iterator_when_handed_out_before_then_goes_on_where_it_was(folder):
    clock = ss.ManualClock(NEW_YEAR)
    with ss.Engine(folder, clock=clock) as engine:
        engine.create_stream("clicks", shards=1).put_many([(b"%d" % i, "user-1") for i in range(10)])
        kinesis = engine.client("kinesis")
        iterator = kinesis.get_shard_iterator(
            StreamName="clicks", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        iterator = kinesis.get_records(ShardIterator=iterator, Limit=4)["NextShardIterator"]
    with ss.Engine(folder, clock=clock) as engine:
        engine.stream("clicks").put(b"10", key="user-1")
        found = engine.client("kinesis").get_records(ShardIterator=iterator)["Records"]
    assert [record["Data"] for record in found] == [b"%d" % i for i in range(4, 11)]


def test_numbers_when_newest_records_are_forgotten_before_it_is_opened_again_then_are_not_given_twice(folder):
    clock = ss.ManualClock(NEW_YEAR)
    with ss.Engine(folder, clock=clock) as engine:
        last = engine.create_stream("clicks", shards=1).put(b"old", key="user-1")
        clock.advance("25h")
        engine.tick()
        assert len(engine.stream("clicks")) == 0
    with ss.Engine(folder, clock=clock) as engine:
        assert int(last.sequence_number) < int(engine.stream("clicks").put(b"new", key="user-1").sequence_number)


def test_clock_when_it_stands_before_the_last_record_then_arrivals_still_do_not_go_back(folder):
    with ss.Engine(folder, clock=ss.ManualClock(LATER)) as engine:
        engine.create_stream("clicks", shards=1).put(b"later", key="user-1")
    with ss.Engine(folder, clock=ss.ManualClock(NEW_YEAR)) as engine:
        clicks = engine.stream("clicks")
        clicks.put(b"after it", key="user-1")
        assert [record.arrival_time for record in clicks.read()] == [LATER, LATER]


def test_deleted_stream_when_opened_again_then_stays_deleted_and_its_files_are_gone(folder, seal_early):
    with ss.Engine(folder) as engine:
        stream = engine.create_stream("clicks", shards=1)
        stream.put_many([(b"x" * 100, "user-1")] * 100)
        stream.seal()
        assert list(folder.glob("clicks/*/*.arrow"))
        engine.delete_stream("clicks")
    with ss.Engine(folder) as engine:
        assert engine.list_streams() == []
        assert not list(folder.glob("clicks/*/*.arrow"))


@pytest.mark.parametrize("sealed", [True, False])
def test_deleted_stream_when_made_again_then_only_the_new_one_is_there(sealed, folder):
    clock = ss.ManualClock(NEW_YEAR)
    with ss.Engine(folder, clock=clock) as engine:
        old = engine.create_stream("clicks", shards=1, tags={"age": "old"})
        before = old.put(b"old", key="user-1")
        if sealed:
            old.seal()
        engine.delete_stream("clicks")
        clock.advance("2s")
        new = engine.create_stream("clicks", shards=2, tags={"age": "new"})
        after = new.put(b"new", key="user-1")
    with ss.Engine(folder, clock=clock) as engine:
        clicks = engine.stream("clicks")
        assert [(record.data, record.sequence_number) for record in clicks.read()] == [(b"new", after.sequence_number)]
        assert (clicks.tags, len(clicks.shards())) == ({"age": "new"}, 2)
        with pytest.raises(errors.InvalidArgumentException):
            clicks.read(before)


def test_accounts_and_regions_when_in_one_folder_then_stay_apart(folder):
    homes = [(f"{account:012}", region) for account in (1, 2) for region in ("eu-west-1", "us-east-1")]

    @contextlib.contextmanager
    def client_of(server, account, region):
        client = boto3.client(
            "kinesis",
            endpoint_url=server.url,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key="any",
        )
        with contextlib.closing(client):
            yield client

    with ss.Engine(folder) as engine, engine.serve() as server:
        for home in homes:
            with client_of(server, *home) as client:
                client.create_stream(StreamName="clicks", ShardCount=1)
                client.put_record(StreamName="clicks", Data=" ".join(home).encode(), PartitionKey="user-1")
    with ss.Engine(folder) as engine, engine.serve() as server:
        assert engine.list_streams() == []
        for account, region in homes:
            with client_of(server, account, region) as client:
                arn = client.describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"]["StreamARN"]
                assert arn == f"arn:aws:kinesis:{region}:{account}:stream/clicks"
                iterator = client.get_shard_iterator(
                    StreamName="clicks", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
                )["ShardIterator"]
                found = client.get_records(ShardIterator=iterator)["Records"]
                assert [record["Data"] for record in found] == [f"{account} {region}".encode()]


def test_engine_when_made_with_an_account_then_has_it_again_unless_told_otherwise(folder):
    with ss.Engine(folder, region="eu-west-1", account_id="123456789012") as engine:
        arn = engine.create_stream("clicks", shards=1).arn
    with ss.Engine(folder) as engine:
        assert engine.stream("clicks").arn == arn == "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"
    with ss.Engine(folder, region="eu-west-1", account_id="210987654321") as engine:
        assert engine.list_streams() == []
        engine.create_stream("clicks", shards=2)
    with ss.Engine(folder) as engine:
        assert (engine.stream("clicks").arn, len(engine.stream("clicks").shards())) == (arn, 1)


def segments_of(folder, stream="clicks"):
    return sorted(path.relative_to(folder / stream) for path in folder.glob(f"{stream}/*/*.arrow"))


def test_retention_when_over_then_segments_and_their_records_are_gone(folder, seal_early):
    clock = ss.ManualClock(NEW_YEAR)
    with ss.Engine(folder, clock=clock) as engine:
        clicks = engine.create_stream("clicks", shards=2)
        days = []
        for day in range(3):
            clicks.put_many([(b"day %d" % day + b"." * 100, f"user-{i}") for i in range(200)])
            clicks.seal()
            days.append(set(segments_of(folder)).difference(*days))
            clock.advance("11h")
        assert all(days)
        # At 33 hours the first day's records, and no others, are older than 24.
        engine.tick()
        assert {record.data[:5] for record in clicks.read()} == {b"day 1", b"day 2"}
        assert set(segments_of(folder)) == days[1] | days[2]
    with ss.Engine(folder, clock=clock) as engine:
        clicks = engine.stream("clicks")
        assert len(clicks) == 400
        assert set(segments_of(folder)) == days[1] | days[2]
        clock.advance("72h")
        engine.tick()
        assert (len(clicks), segments_of(folder)) == (0, [])
        clicks.put(b"new", key="user-1")
    with ss.Engine(folder, clock=clock) as engine:
        assert [record.data for record in engine.stream("clicks").read()] == [b"new"]


def test_retention_when_over_while_nobody_had_it_open_then_records_are_gone_at_once(folder, seal_early):
    with ss.Engine(folder, clock=ss.ManualClock(NEW_YEAR)) as engine:
        engine.create_stream("clicks").put_many([(b"x" * 100, f"user-{i}") for i in range(200)])
    clock = ss.ManualClock(NEW_YEAR + datetime.timedelta(hours=25))
    with ss.Engine(folder, clock=clock) as engine:
        assert list(engine.stream("clicks").read()) == []
        engine.tick()
        assert segments_of(folder) == []


def test_records_when_read_before_their_segments_go_then_stay_readable(folder, seal_early):
    clock = ss.ManualClock(NEW_YEAR)
    with ss.Engine(folder, clock=clock) as engine:
        clicks = engine.create_stream("clicks", shards=1)
        clicks.put_many([(b"%d" % i, "user-1") for i in range(500)])
        clicks.seal()
        records = clicks.read()
        clock.advance("25h")
        engine.tick()
        assert segments_of(folder) == []
        assert [record.data for record in records] == [b"%d" % i for i in range(500)]


@pytest.mark.parametrize("durability", ["commit", "interval", "none"])
@pytest.mark.parametrize("closes", [True, False])
def test_durability_when_any_then_the_end_of_the_process_alone_loses_nothing(durability, closes, folder):
    program = f"""
import os, sys, shardstream as ss
engine = ss.Engine(sys.argv[1], durability={durability!r})
clicks = engine.create_stream("clicks", shards=2)
for i in range(50):
    clicks.put(b"%d" % i, key=f"user-{{i}}")
if {closes}:
    engine.close()
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", program, str(folder)], check=True, timeout=30)
    with ss.Engine(folder, durability=durability) as engine:
        clicks = engine.stream("clicks")
        assert [record.data for record in clicks.read()] == [b"%d" % i for i in range(50)]
        last = list(clicks.read())[-1].sequence_number
        assert int(last) < int(clicks.put(b"next", key="user-1").sequence_number)


def test_durability_when_another_one_next_time_then_all_records_stay(folder):
    for durability in ("none", "commit", "interval", "commit"):
        with ss.Engine(folder, durability=durability) as engine:
            if not engine.list_streams():
                engine.create_stream("clicks", shards=1)
            engine.stream("clicks").put(durability.encode(), key="user-1")
    with ss.Engine(folder) as engine:
        read = engine.stream("clicks").read()
        assert [record.data for record in read] == [b"none", b"commit", b"interval", b"commit"]


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_compression_when_any_then_records_are_the_same_and_it_may_change(compression, folder, seal_early):
    rows = pl.DataFrame({"user": [f"user-{i % 7}" for i in range(2_000)], "n": range(2_000)})
    with ss.Engine(folder, compression=compression, clock=ss.ManualClock(NEW_YEAR)) as engine:
        clicks = engine.create_stream("clicks", shards=2)
        clicks.put_many([(b"the same thing again", f"user-{i}") for i in range(2_000)])
        clicks.write(rows, key="user")
        seen = of_stream(engine, "clicks")
    for other in ("zstd", None, "lz4"):
        with ss.Engine(folder, compression=other, clock=ss.ManualClock(NEW_YEAR)) as engine:
            assert of_stream(engine, "clicks") == seen
            clicks = engine.stream("clicks")
            clicks.put(b"more", key="user-1")
            seen = of_stream(engine, "clicks")
    with ss.Engine(folder, clock=ss.ManualClock(NEW_YEAR)) as engine:
        assert of_stream(engine, "clicks") == seen


def test_compression_when_records_repeat_themselves_then_segments_are_smaller(tmp_path):
    sizes = {}
    for compression in (None, "lz4", "zstd"):
        folder = tmp_path / str(compression)
        with ss.Engine(folder, compression=compression) as engine:
            stream = engine.create_stream("clicks", shards=1)
            stream.put_many([(b"the same thing again" * 5, "user-1")] * 5_000)
        sizes[compression] = sum(path.stat().st_size for path in folder.glob("clicks/*/*.arrow"))
    assert 2 * sizes["lz4"] < sizes[None]
    assert 2 * sizes["zstd"] < sizes[None]


AWKWARD = [".", "..", ".hidden", "a.arrow", "-", "_", "CON", "clicks", "Clicks", "n" * 128, "." * 128]


def test_names_when_awkward_for_file_systems_then_are_as_good_as_others(folder, seal_early):
    names = sorted(AWKWARD)
    with ss.Engine(folder) as engine:
        for name in names:
            stream = engine.create_stream(name, shards=1)
            stream.put_many([(name.encode(), "user-1")] * 100)
            stream.seal()
            stream.put(b"last", key="user-1")
    assert sorted(path.name for path in folder.parent.iterdir()) == ["events"]
    with ss.Engine(folder) as engine:
        assert engine.list_streams() == names
        for name in names:
            assert [record.data for record in engine.stream(name).read()] == [name.encode()] * 100 + [b"last"]
        for name in names[::2]:
            engine.delete_stream(name)
    with ss.Engine(folder) as engine:
        assert engine.list_streams() == names[1::2]
        assert all(len(engine.stream(name)) == 101 for name in names[1::2])


def test_puts_when_of_many_threads_then_each_ones_are_in_order_and_there_again(folder, seal_early):
    with ss.Engine(folder) as engine:
        clicks = engine.create_stream("clicks", shards=3)

        def put(thread):
            return [clicks.put(b"%d.%d" % (thread, i), key=f"user-{i}").sequence_number for i in range(60)]

        with ThreadPoolExecutor(8) as pool:
            acknowledged = list(pool.map(put, range(8)))
        live = [told(record) for record in clicks.read()]
        shutil.copytree(folder, folder.with_name("copy"))
    for path in (folder, folder.with_name("copy")):
        with ss.Engine(path) as engine:
            found = [told(record) for record in engine.stream("clicks").read()]
            assert found == live
            for thread in range(8):
                of_thread = [(number, data) for number, _, _, data, _ in found if data.startswith(b"%d." % thread)]
                assert of_thread == [(number, b"%d.%d" % (thread, i)) for i, number in enumerate(acknowledged[thread])]


def test_record_when_as_large_as_may_be_then_is_there_again(folder):
    data = os.urandom(10 * 2**20 - 6)
    with ss.Engine(folder) as engine:
        engine.create_stream("clicks", shards=1, max_record_size=10 * 2**20).put(data, key="user-1")
        shutil.copytree(folder, folder.with_name("copy"))
    for path in (folder, folder.with_name("copy")):
        with ss.Engine(path) as engine:
            assert [record.data for record in engine.stream("clicks").read()] == [data]


def status_of(engine, name):
    return engine.client("kinesis").describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamStatus"]


def test_stream_when_it_was_creating_at_the_end_then_is_so_again_until_its_time_has_come(folder):
    clock = ss.ManualClock(NEW_YEAR)
    with ss.Engine(folder, clock=clock, create_stream_ms=10_000) as engine:
        engine.create_stream("clicks")
    clock.advance("9s")
    with ss.Engine(folder, clock=clock) as engine:
        assert status_of(engine, "clicks") == "CREATING"
        clock.advance("1s")
        assert status_of(engine, "clicks") == "ACTIVE"
    with ss.Engine(folder, clock=clock) as engine:
        assert status_of(engine, "clicks") == "ACTIVE"


def test_stream_when_it_was_being_deleted_at_the_end_then_is_gone_when_its_time_has_come(folder):
    clock = ss.ManualClock(NEW_YEAR)
    with ss.Engine(folder, clock=clock, delete_stream_ms=10_000) as engine:
        engine.create_stream("clicks", shards=1).put(b"page", key="user-1")
        engine.delete_stream("clicks")
    with ss.Engine(folder, clock=clock) as engine:
        assert status_of(engine, "clicks") == "DELETING"
        clock.advance("10s")
        assert engine.list_streams() == []
    with ss.Engine(folder, clock=clock) as engine:
        assert engine.list_streams() == []
        assert len(engine.create_stream("clicks")) == 0


def test_changes_of_a_day_when_opened_again_then_are_still_counted(folder):
    clock = ss.ManualClock(NEW_YEAR)
    with ss.Engine(folder, clock=clock, limits="aws") as engine:
        clicks = engine.create_stream("clicks", shards=2)
        for turn in range(10):
            clock.advance("10s")
            clicks.update_shard_count(3 - turn % 2)
    clock.advance("10s")
    with ss.Engine(folder, clock=clock, limits="aws") as engine:
        with pytest.raises(errors.LimitExceededException):
            engine.stream("clicks").update_shard_count(3)
        clock.advance("24h")
        engine.stream("clicks").update_shard_count(3)


def test_path_when_of_any_kind_then_is_the_folder_and_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("events", "events/", Path("events"), tmp_path / "events", os.fsencode("events").decode()):
        with ss.Engine(path) as engine:
            if "clicks" not in engine.list_streams():
                engine.create_stream("clicks", shards=1)
            engine.stream("clicks").put(b"page", key="user-1")
            assert engine.path == str(path)
    with ss.Engine(tmp_path / "a" / "b" / "caf\u00e9") as engine:
        engine.create_stream("clicks")
    with ss.Engine("events") as engine:
        assert len(engine.stream("clicks")) == 5
    assert ss.Engine().path is None


def test_path_when_the_process_moves_then_is_the_same_folder(tmp_path, monkeypatch, seal_early):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with ss.Engine("events") as engine:
        clicks = engine.create_stream("clicks", shards=1)
        monkeypatch.chdir(tmp_path / "elsewhere")
        clicks.put_many([(b"x" * 100, "user-1")] * 500)
        assert len(clicks.read()) == 500
    assert list((tmp_path / "elsewhere").iterdir()) == []
    with ss.Engine(tmp_path / "events") as engine:
        assert len(engine.stream("clicks")) == 500


def test_engine_when_shown_then_says_its_folder(folder):
    with ss.Engine(folder) as engine:
        assert repr(engine) == f"Engine('{folder}', 0 streams)"


if __name__ == "__main__":
    its_clock = ss.ManualClock(NEW_YEAR)
    its_engine = ss.Engine(sys.argv[1], clock=its_clock)
    a_life(its_engine, its_clock)
    sys.stdout.buffer.write(pickle.dumps(everything(its_engine)))
    sys.stdout.buffer.flush()
    os._exit(0)


def test_folder_when_records_were_put_while_others_were_sealed_then_has_each_once(tmp_path):
    with ss.Engine(tmp_path / "events", durability="none") as engine:
        clicks = engine.create_stream("clicks", shards=1)
        clicks.put_many([(b"x" * 100, "user-1")] * 50_000)
        sealing = threading.Thread(target=clicks.seal)
        sealing.start()
        for i in range(2_000):
            clicks.put(b"%d" % i, key="user-1")
        sealing.join()
        count = len(clicks)
        with ss.Engine(tmp_path / "events", read_only=True) as reader:
            assert len(reader.stream("clicks").read()) == count
        shutil.copytree(tmp_path / "events", tmp_path / "copy")
    with ss.Engine(tmp_path / "copy") as copy:
        assert len(copy.stream("clicks").read()) == count
