"""Typed rows in a folder: they come back as they were, and queries answer as in memory."""

import datetime
import decimal
import json

import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

import shardstream as ss

NEW_YEAR = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
ROWS = 3_000
WINDOWS = {
    "tumble": ss.tumble("7m"),
    "hop": ss.hop(size="10m", slide="4m"),
    "session": ss.session("3s"),
    "cumulate": ss.cumulate(size="30m", step="10m"),
    "rolling": ss.rolling("2m"),
}
AGGREGATES = {
    "n": ss.count(),
    "known": ss.count("amount"),
    "total": ss.sum("amount"),
    "average": ss.mean("amount"),
    "most": ss.max("page"),
    "kinds": ss.count_distinct("page"),
    "opening": ss.first("page"),
    "closing": ss.last("page"),
}


def each(values):
    """A column that goes round in some values."""
    return [values[row % len(values)] for row in range(ROWS)]


@pytest.fixture(scope="module")
def visits():
    """Visits within an hour, a few seconds out of order, with columns of all kinds and nulls in most."""
    seconds = [row * 3600 // ROWS - 7 * (row % 3) for row in range(ROWS)]
    texts = ["", "caf\u00e9", None, "a text that is longer than twelve bytes", "\U0001f600"]
    prices = [decimal.Decimal("1.10"), None, decimal.Decimal("-99999999.99")]
    return pl.DataFrame(
        {
            "user": [f"user-{row % 37}" for row in range(ROWS)],
            "ts": [NEW_YEAR + datetime.timedelta(seconds=second, microseconds=second) for second in seconds],
            "page": each(texts),
            "amount": each([0.1, None, -2.5, 1e300, 0.30000000000000004]),
            "count": each([2**62, None, -1]),
            "small": pl.Series(each([-128, 127, None]), dtype=pl.Int8),
            "flag": each([True, None, False]),
            "kind": pl.Series(each(["view", "click", None]), dtype=pl.Categorical),
            "level": pl.Series(each(["low", None, "high"]), dtype=pl.Categorical),
            "price": pl.Series(each(prices), dtype=pl.Decimal(12, 2)),
            "tags": each([["a", None], [], None, ["b"]]),
            "pair": pl.Series(each([[1, 2], None, [3, None]]), dtype=pl.Array(pl.Int32, 2)),
            "place": each([{"x": 1, "name": "a"}, {"x": None, "name": None}, None]),
            "deep": each([[{"at": [1, 2]}], [], None, [{"at": None}, None]]),
            "raw": each([b"", b"\x00\xff", None]),
            "day": each([datetime.date(1969, 12, 31), None]),
            "clock": each([datetime.time(23, 59, 59, 999_999), None]),
            "took": each([datetime.timedelta(microseconds=-1), None]),
            "local": each([datetime.datetime(2026, 3, 29, 2, 30), None]),  # noqa: DTZ001 - it has no zone
            "abroad": pl.Series(each([NEW_YEAR, None])).dt.convert_time_zone("Europe/Berlin"),
        }
    )


def opened(path, **options):
    return ss.Engine(path, clock=ss.ManualClock(NEW_YEAR + datetime.timedelta(days=1)), **options)


PLACES = ["journal", "segments", "lz4", "zstd", "small segments"]


@pytest.fixture
def make_twins(tmp_path, monkeypatch):
    """Makes engines that are given the same: in memory, in a folder, in one of the same folder opened again."""
    engines = []

    def make(place, fill):
        if place == "small segments":
            monkeypatch.setattr("shardstream.engine._SEAL_BYTES", 16 * 1024)
        options = {"compression": place} if place in ("lz4", "zstd") else {}
        memory, folder = opened(None), opened(tmp_path / "events", **options)
        for engine in (memory, folder):
            fill(engine.create_stream("visits", shards=3))
        yield memory
        yield folder
        if place == "journal":
            import shutil

            # What is not sealed yet is in the journal alone.
            shutil.copytree(tmp_path / "events", tmp_path / "copy")
            again = opened(tmp_path / "copy")
        else:
            folder.close()
            again = opened(tmp_path / "events", **options)
        engines.append(again)
        yield again

    yield make
    for engine in engines:
        engine.close()


def in_pieces(visits, stream):
    """Writes a table in pieces, with a split in between."""
    for place, piece in enumerate(visits.iter_slices(1_000)):
        stream.write(piece, key="user", time="ts")
        if place == 1:
            stream.split_shard("shardId-000000000001")


@pytest.mark.parametrize("place", PLACES)
def test_rows_when_read_from_a_folder_then_are_as_they_were_written(place, visits, make_twins):
    seen = []
    for engine in make_twins(place, lambda stream: in_pieces(visits, stream)):
        records = engine.stream("visits").read()
        assert_frame_equal(pl.DataFrame(records.rows()), visits)
        seen.append([(record.sequence_number, record.shard_id, record.data) for record in records])
    assert len(seen) == 3
    assert seen[0] == seen[1] == seen[2]
    assert json.loads(seen[0][1][2])["page"] == "caf\u00e9"


@pytest.mark.parametrize("order", ["event", "arrival"])
@pytest.mark.parametrize("window", WINDOWS)
def test_windows_when_over_rows_of_a_folder_then_are_those_in_memory(window, order, visits, make_twins):
    table = visits.with_columns(pl.col("amount").clip(-10, 10))
    answers = []
    for engine in make_twins("small segments", lambda stream: in_pieces(table, stream)):
        stream = engine.stream("visits")
        for keys in (("user",), ("kind", "level")):
            query = stream.window(WINDOWS[window], time="ts", watermark="5s").by(*keys).agg(**AGGREGATES)
            answers.append(pl.DataFrame(query.collect(order=order)))
            assert len(answers[-1]) > 4
    for engine in (2, 4):
        assert_frame_equal(answers[engine], answers[0])
        assert_frame_equal(answers[engine + 1], answers[1])


@pytest.mark.parametrize("place", PLACES)
def test_late_rows_when_read_from_a_folder_then_are_those_in_memory(place, visits, make_twins):
    late = []
    for engine in make_twins(place, lambda stream: in_pieces(visits, stream)):
        query = engine.stream("visits").window(ss.tumble("1m"), time="ts").agg(n=ss.count())
        answer = query.collect(order="arrival")
        late.append((answer.stats.as_dict(), pl.DataFrame(answer), pl.DataFrame(answer.late)))
        assert answer.stats.late_rows > 0
    for stats, windows, rows in late[1:]:
        assert stats == late[0][0]
        assert_frame_equal(windows, late[0][1])
        assert_frame_equal(rows, late[0][2])


@pytest.mark.parametrize("place", PLACES)
def test_json_when_read_from_a_folder_then_answers_as_in_memory(place, visits, make_twins):
    rows = visits.select("user", "ts", "page", pl.col("amount").clip(-10, 10)).rows(named=True)
    texts = [(json.dumps(row, default=str).encode(), row["user"]) for row in rows]
    texts[5:5] = [(b"no json", "user-1")]
    answers = []
    for engine in make_twins(place, lambda stream: stream.put_many(texts)):
        query = engine.stream("visits").window(ss.tumble("7m"), time="ts").by("user").agg(**AGGREGATES)
        answer = query.collect()
        assert answer.stats.malformed_records == 1
        answers.append(pl.DataFrame(answer))
    assert_frame_equal(answers[1], answers[0])
    assert_frame_equal(answers[2], answers[0])


def test_live_windows_when_over_a_folder_then_are_those_collected(visits, make_twins):
    for engine in make_twins("small segments", lambda stream: in_pieces(visits, stream)):
        query = engine.stream("visits").window(ss.tumble("7m"), time="ts", watermark="15s").by("user").agg(n=ss.count())
        live = pl.concat(pl.DataFrame(update) for update in query.follow(start="TRIM_HORIZON", end="LATEST"))
        assert_frame_equal(live, pl.DataFrame(query.collect()))


@pytest.mark.parametrize("place", PLACES)
def test_columns_every_record_has_when_from_a_folder_then_are_those_in_memory(place, visits, make_twins):
    seen = []
    for engine in make_twins(place, lambda stream: in_pieces(visits, stream)):
        stream = engine.stream("visits")
        names = ["sequence_number", "shard_id", "partition_key", "arrival_time", "data"]
        seen.append(pl.DataFrame(stream.read().select(*names)))
        query = stream.window(ss.tumble("1h")).by("shard_id").agg(n=ss.count())
        assert pl.DataFrame(query.collect())["n"].sum() == ROWS
    assert_frame_equal(seen[1], seen[0])
    assert_frame_equal(seen[2], seen[0])


def test_columns_when_called_as_those_of_a_segment_then_keep_their_names(make_twins):
    table = pl.DataFrame(
        {
            "user": ["a", "b", "c"] * 300,
            "data": range(900),
            "sequence_number": ["x", None, "z"] * 300,
            "rows.data": [1.5, None, 2.5] * 300,
            "sequence_index": [True, False, None] * 300,
            "arrival_time": ["never", "now", "later"] * 300,
            "partition_key": [None, 1, 2] * 300,
            "shard_id": ["mine", "yours", None] * 300,
        }
    )
    for engine in make_twins("small segments", lambda stream: stream.write(table, key="user")):
        assert_frame_equal(pl.DataFrame(engine.stream("visits").read().rows()), table)


def test_rows_when_of_kinds_that_polars_lacks_then_are_as_they_were_written(make_twins):
    words = pa.array(["view", "click", None, "view"] * 200)
    table = pa.table(
        {
            "user": pa.array([f"user-{row % 5}" for row in range(800)]),
            "word": words.dictionary_encode(),
            "map": pa.array([[("a", 1)], None, [], [("b", None), ("c", 3)]] * 200, pa.map_(pa.string(), pa.int64())),
            "large": words.cast(pa.large_string()),
            "view": words.cast(pa.string_view()),
            "fixed": pa.array([b"ab", None, b"cd", b"ef"] * 200, pa.binary(2)),
            "half": pa.array([0.5, None, -1.0, 2.0] * 200, pa.float16()),
            "wide": pa.array([decimal.Decimal("1.5"), None] * 400, pa.decimal256(50, 10)),
            "nanos": pa.array([1, None, -1, 2**62] * 200, pa.timestamp("ns", "UTC")),
            "seconds": pa.array([1, None, -1, 0] * 200, pa.timestamp("s")),
        }
    )
    for engine in make_twins("small segments", lambda stream: stream.write(table, key="user")):
        rows = pa.table(engine.stream("visits").read().rows())
        assert rows.column_names == table.column_names
        for name in table.column_names:
            assert rows[name].to_pylist() == table[name].to_pylist(), name
            assert rows[name].type == table[name].type, name


def test_tables_of_several_kinds_and_bytes_when_in_one_stream_then_keep_their_order(make_twins):
    def fill(stream):
        for turn in range(20):
            stream.put(b"%d" % turn, key="user-1")
            stream.write(pl.DataFrame({"user": ["a"] * 40, "n": range(40)}), key="user")
            stream.write(pl.DataFrame({"user": ["b"] * 40, "text": ["x" * turn] * 40}), key="user")
            stream.write(pl.DataFrame({"user": ["c"], "bytes": [b"of a column"]}), key="user", data="bytes")

    seen = []
    for engine in make_twins("small segments", fill):
        stream = engine.stream("visits")
        seen.append([(record.sequence_number, record.shard_id, record.data) for record in stream.read()])
        assert len(seen[-1]) == 20 * 82
        for shard in stream.shards():
            of_shard = [record for record in seen[-1] if record[1] == shard.shard_id]
            read = stream.read(shard_id=shard.shard_id)
            assert [(record.sequence_number, record.shard_id, record.data) for record in read] == of_shard
    assert seen[0] == seen[1] == seen[2]


def test_stream_when_far_larger_than_what_is_in_memory_then_reads_replays_and_iterates(tmp_path, monkeypatch):
    monkeypatch.setattr("shardstream.engine._SEAL_BYTES", 64 * 1024)
    count = 100_000
    with ss.Engine(tmp_path / "events") as engine:
        stream = engine.create_stream("visits", shards=2)
        for start in range(0, count, 5_000):
            stream.put_many([(b'{"n": %d}' % row, f"user-{row % 91}") for row in range(start, start + 5_000)])
        assert len(list((tmp_path / "events").glob("visits/*/*.arrow"))) > 20
    with ss.Engine(tmp_path / "events") as engine:
        stream = engine.stream("visits")
        assert [record.data for record in stream.read()] == [b'{"n": %d}' % row for row in range(count)]
        assert [record.data for record in stream.read(limit=3)] == [b'{"n": %d}' % row for row in range(3)]
        middle = stream.read()[count // 2]
        assert len(stream.read(("AFTER_SEQUENCE_NUMBER", middle.sequence_number))) == count - count // 2 - 1
        assert len(stream.read(end=middle)) == count // 2
        followed = stream.follow("TRIM_HORIZON", timeout="1ms")
        assert sum(1 for _ in followed) == count
        answer = stream.window(ss.tumble("1h")).agg(n=ss.count(), total=ss.sum("n")).collect().to_pylist()
        assert sum(row["n"] for row in answer) == count
        assert sum(row["total"] for row in answer) == count * (count - 1) // 2
        copy = engine.create_stream("copy", shards=3)
        ss.replay(((record.partition_key, record.data) for record in stream.read()), copy)
        assert [record.data for record in copy.read()] == [record.data for record in stream.read()]
        kinesis, found = engine.client("kinesis"), 0
        for shard in stream.shards():
            iterator = kinesis.get_shard_iterator(
                StreamName="visits", ShardId=shard.shard_id, ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while answer := kinesis.get_records(ShardIterator=iterator)["Records"]:
                found += len(answer)
                iterator = kinesis.get_shard_iterator(
                    StreamName="visits",
                    ShardId=shard.shard_id,
                    ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                    StartingSequenceNumber=answer[-1]["SequenceNumber"],
                )["ShardIterator"]
        assert found == count
