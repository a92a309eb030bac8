"""Sealed segments opened by other tools: their columns are the records."""

import datetime
import re

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest
from polars.testing import assert_frame_equal

import shardstream as ss

NEW_YEAR = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
OURS = ["sequence_number", "sequence_index", "arrival_time", "partition_key"]
COMPRESSIONS = [None, "lz4", "zstd"]


@pytest.fixture(params=COMPRESSIONS, ids=str)
def make_folder(request, tmp_path, monkeypatch):
    """Makes a folder with a stream that was filled, in many segments of each compression."""
    monkeypatch.setattr("shardstream.engine._SEAL_BYTES", 4 * 1024)

    def make(fill):
        clock = ss.ManualClock(NEW_YEAR)
        with ss.Engine(tmp_path / "events", clock=clock, durability="none", compression=request.param) as engine:
            stream = engine.create_stream("clicks", shards=2)
            fill(stream, clock)
            records = list(stream.read())
        assert len(list((tmp_path / "events").glob("clicks/*/*.arrow"))) > 6
        return tmp_path / "events", records

    return make


def bytes_in_batches(stream, clock):
    for batch in range(20):
        stream.put_many([(b"%d.%d " % (batch, i) * 9, f"user-{i % 11}") for i in range(60)])
        stream.put(b"", key="caf\u00e9")
        if batch == 9:
            stream.split_shard("shardId-000000000001")
        clock.advance("1s")


@pytest.fixture(scope="module")
def visits():
    rows = 3_000
    return pl.DataFrame(
        {
            "user": [f"user-{row % 37}" for row in range(rows)],
            "ts": [NEW_YEAR + datetime.timedelta(milliseconds=row) for row in range(rows)],
            "page": ["/a", None, "a page with a longer name"] * (rows // 3),
            "amount": [0.5, None, -2.25] * (rows // 3),
            "kind": pl.Series(["view", "click", None] * (rows // 3), dtype=pl.Categorical),
            "place": [{"x": 1, "name": "a"}, {"x": None, "name": None}, None] * (rows // 3),
        }
    )


def in_tables(visits):
    def fill(stream, clock):
        for piece in visits.iter_slices(500):
            stream.write(piece, key="user", time="ts")
            clock.advance("1s")

    return fill


def in_order(table):
    """Rows as polars has them, in the order in which they came."""
    return pl.DataFrame(table).sort("sequence_index")


def read_by_polars(folder):
    return in_order(pl.scan_ipc(f"{folder}/clicks/*/*.arrow").collect())


def read_by_pyarrow(folder):
    files = sorted(map(str, folder.glob("clicks/*/*.arrow")))
    return in_order(pa.dataset.dataset(files, format="ipc").to_table())


def read_by_duckdb(folder):
    files = sorted(map(str, folder.glob("clicks/*/*.arrow")))
    segments = pa.dataset.dataset(files, format="ipc")  # noqa: F841 - duckdb finds it by its name
    with duckdb.connect() as connection:
        return in_order(connection.sql("from segments").arrow().read_all())


TOOLS = [read_by_polars, read_by_pyarrow, read_by_duckdb]


@pytest.mark.parametrize("read", TOOLS)
def test_segments_of_bytes_when_opened_by_other_tools_then_have_a_row_for_each_record(read, make_folder):
    folder, records = make_folder(bytes_in_batches)
    rows = read(folder)
    assert rows.columns == [*OURS, "data"]
    assert rows["sequence_number"].to_list() == [record.sequence_number for record in records]
    assert rows["arrival_time"].to_list() == [record.arrival_time for record in records]
    assert rows["partition_key"].to_list() == [record.partition_key for record in records]
    assert rows["data"].to_list() == [record.data for record in records]
    assert rows["sequence_index"].is_sorted()
    assert rows["sequence_index"].is_unique().all()


@pytest.mark.parametrize("read", TOOLS)
def test_segments_of_rows_when_opened_by_other_tools_then_have_their_columns(read, make_folder, visits):
    folder, records = make_folder(in_tables(visits))
    rows = read(folder)
    assert rows.columns == OURS + visits.columns
    assert rows["sequence_number"].to_list() == [record.sequence_number for record in records]
    assert rows["partition_key"].equals(rows["user"])
    found = rows.select(visits.columns).with_columns(pl.col("ts").dt.convert_time_zone("UTC"))
    # DuckDB has no categories without a declared list: it answers with texts.
    assert_frame_equal(
        found.with_columns(pl.col("kind").cast(pl.String)), visits.with_columns(pl.col("kind").cast(pl.String))
    )


def test_segments_when_listed_then_are_named_by_shard_and_first_index(make_folder):
    folder, records = make_folder(bytes_in_batches)
    shards = {record.shard_id for record in records}
    assert len(shards) == 4
    for path in folder.glob("clicks/*/*"):
        assert path.parent.name in shards
        assert re.fullmatch(r"\d{20}\.arrow", path.name)
        rows = pl.read_ipc(path)
        assert rows["sequence_index"][0] == int(path.stem)
        of_shard = [record.sequence_number for record in records if record.shard_id == path.parent.name]
        first = of_shard.index(rows["sequence_number"][0])
        assert rows["sequence_number"].to_list() == of_shard[first : first + len(rows)]


def test_segments_when_columns_are_called_as_ours_then_both_are_there(make_folder):
    table = pl.DataFrame({"user": ["a", "b"] * 900, "data": range(1_800), "partition_key": ["x", None] * 900})

    def fill(stream, clock):
        for piece in table.iter_slices(300):
            stream.write(piece, key="user")

    folder, _ = make_folder(fill)
    rows = read_by_polars(folder)
    assert rows.columns == [*OURS, "user", "rows.data", "rows.partition_key"]
    assert rows["rows.data"].to_list() == list(range(1_800))
    assert rows["rows.partition_key"].to_list() == ["x", None] * 900


def test_stream_when_sealed_then_tools_see_all_of_it_while_it_is_open(tmp_path):
    with ss.Engine(tmp_path / "events") as engine:
        clicks = engine.create_stream("clicks", shards=2)
        clicks.put_many([(b"%d" % i, f"user-{i}") for i in range(100)])
        assert list((tmp_path / "events").glob("clicks/*/*.arrow")) == []
        clicks.seal()
        assert read_by_polars(tmp_path / "events")["data"].to_list() == [b"%d" % i for i in range(100)]
        clicks.seal()
        clicks.put(b"later", key="user-1")
        assert len(read_by_polars(tmp_path / "events")) == 100
    assert read_by_polars(tmp_path / "events")["data"].to_list()[100:] == [b"later"]


def test_seal_when_in_memory_then_does_nothing():
    clicks = ss.Engine().create_stream("clicks")
    clicks.put(b"page", key="user-1")
    clicks.seal()
    assert [record.data for record in clicks.read()] == [b"page"]
