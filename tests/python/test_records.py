"""Records as a sequence, as a table and as numpy arrays."""

import datetime
import gc

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import shardstream as ss
from shardstream import errors

NEW_YEAR = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def ten_records(shards=3):
    clock = ss.ManualClock(NEW_YEAR)
    stream = ss.Engine(clock=clock).create_stream("clicks", shards=shards)
    for i in range(10):
        stream.put(f'{{"i": {i}}}'.encode(), key=f"user-{i}")
        clock.advance("1s")
    return stream.read()


def as_rows(records):
    return [
        {
            "shard_id": record.shard_id,
            "sequence_number": record.sequence_number,
            "arrival_time": record.arrival_time,
            "partition_key": record.partition_key,
            "data": record.data,
        }
        for record in records
    ]


def test_records_when_indexed_from_either_end_then_give_the_same():
    records = ten_records()
    every = [record.data for record in records]
    assert [records[i].data for i in range(10)] == every
    assert [records[i - 10].data for i in range(10)] == every


@pytest.mark.parametrize("index", [10, -11, 2**40])
def test_records_when_index_is_beyond_then_index_error(index):
    with pytest.raises(IndexError):
        ten_records()[index]


@pytest.mark.parametrize(
    "cut",
    [slice(2, 5), slice(None), slice(-3, None), slice(None, None, -1), slice(8, 1, -3), slice(7, 99)],
)
def test_records_when_sliced_then_do_as_a_list_does(cut):
    records = ten_records()
    assert as_rows(records[cut]) == as_rows(list(records)[cut])


def test_records_when_iterated_twice_then_give_all_twice():
    records = ten_records()
    assert as_rows(records) == as_rows(records)
    assert len(as_rows(records)) == len(records) == 10


def test_records_when_taken_by_polars_then_have_five_columns_and_all_rows():
    records = ten_records()
    assert pl.DataFrame(records).to_dicts() == as_rows(records)


def test_records_when_taken_by_pyarrow_and_duckdb_then_say_the_same():
    taken = pa.table(ten_records())
    assert taken.column_names == ["shard_id", "sequence_number", "arrival_time", "partition_key", "data"]
    counted = duckdb.sql("SELECT count(*), count(DISTINCT partition_key) FROM taken").fetchall()
    assert counted == [(10, 10)]


def test_records_when_taken_by_pandas_then_have_all_rows():
    frame = pd.DataFrame.from_arrow(ten_records())
    assert list(frame["partition_key"]) == [f"user-{i}" for i in range(10)]


def test_records_when_their_stream_is_gone_then_arrow_still_reads_them():
    frame = pl.DataFrame(ten_records())
    gc.collect()
    assert frame["data"].to_list() == [f'{{"i": {i}}}'.encode() for i in range(10)]


NAMES = ["shard_id", "sequence_number", "arrival_time", "partition_key", "data"]


def written_and_put(shards=3):
    clock = ss.ManualClock(NEW_YEAR)
    stream = ss.Engine(clock=clock).create_stream("clicks", shards=shards)
    stream.put(b"bytes", key="a")
    rows = range(500)
    frame = pl.DataFrame({"key": [f"user-{i}" for i in rows], "region": [f"region-{i % 3}" for i in rows]})
    stream.write(frame, key="key")
    clock.advance("1s")
    stream.update_shard_count(shards + 1)
    stream.write(frame.with_columns(pl.col("region").cast(pl.Categorical)), key="key")
    return stream


@pytest.mark.parametrize("names", [["data"], ["data", "shard_id"], NAMES[::-1], NAMES])
def test_select_when_columns_are_named_then_has_those_in_the_order_of_their_names(names):
    stream = written_and_put()
    for shard_id in [None, *(shard.shard_id for shard in stream.shards())]:
        records = stream.read(shard_id=shard_id)
        taken = records.select(*names)
        assert taken.column_names == names
        assert pl.DataFrame(taken).to_dicts() == [{name: row[name] for name in names} for row in as_rows(records)]
        assert pl.DataFrame(taken).equals(pl.DataFrame(records).select(names))


def test_select_when_all_columns_are_named_then_has_the_types_of_whole_records():
    records = ten_records()
    assert pa.schema(records.select(*NAMES)) == pa.schema(records)
    for name in NAMES:
        assert pa.schema(records.select(name)).field(0) == pa.schema(records).field(name)


def test_select_when_records_are_a_slice_then_has_its_rows_alone():
    records = written_and_put().read()
    for cut in [slice(3, 8), slice(-4, None), slice(0, 600), slice(5, 5)]:
        expected = [record.data for record in list(records)[cut]]
        assert pl.DataFrame(records[cut].select("data"))["data"].to_list() == expected


def test_select_when_there_are_no_records_then_is_a_table_without_rows():
    taken = ss.Engine().create_stream("clicks").read().select("data", "partition_key")
    assert taken.shape == (0, 2)
    assert pl.DataFrame(taken).columns == ["data", "partition_key"]


def test_select_when_a_column_is_unknown_then_names_those_there_are():
    with pytest.raises(errors.ColumnNotFoundError, match=r"`nope`; there are shard_id, .*, data"):
        ten_records().select("data", "nope")


@pytest.mark.parametrize(("names", "reason"), [([], "no column"), (["data", "data"], "`data` twice")])
def test_select_when_no_column_is_named_or_one_twice_then_refuses(names, reason):
    with pytest.raises(errors.InvalidArgumentException, match=reason):
        ten_records().select(*names)


@pytest.mark.parametrize("name", [5, None, ["data"]])
def test_select_when_a_name_is_no_text_then_says_so(name):
    with pytest.raises(errors.ShardstreamError, match="column's name"):
        ten_records().select(name)


def test_rows_when_records_are_json_then_have_their_fields():
    assert pl.DataFrame(ten_records().rows()).to_dicts() == [{"i": i} for i in range(10)]


def test_rows_when_records_were_written_from_a_table_then_have_its_columns():
    frame = pl.DataFrame({"key": ["a", "b", "c"], "x": [1.5, None, float("inf")], "at": [NEW_YEAR] * 3})
    stream = ss.Engine().create_stream("clicks", shards=2)
    stream.write(frame, key="key")
    assert pl.DataFrame(stream.read().rows()).cast(frame.schema).equals(frame)


def test_rows_when_a_record_is_no_json_then_error_says_how_to_leave_it_out():
    stream = ss.Engine().create_stream("clicks")
    stream.put_many([(b'{"i": 1}', "a"), (b"\xff not json", "b")])
    with pytest.raises(errors.RecordDecodeError, match=r"1 of 2 records.*on_error=\"skip\""):
        stream.read().rows()
    assert stream.read().rows(on_error="skip").to_pylist() == [{"i": 1}]


def test_rows_when_on_error_is_unknown_then_refuses():
    with pytest.raises(errors.InvalidArgumentException, match="on_error"):
        ten_records().rows(on_error="ignore")


@pytest.mark.parametrize("column", ["shard_id", "sequence_number", "partition_key", "data"])
def test_to_numpy_when_column_is_text_or_bytes_then_gives_objects(column):
    records = ten_records()
    assert records.to_numpy(column).tolist() == [getattr(record, column) for record in records]


def test_to_numpy_when_arrival_time_then_gives_datetime64():
    records = ten_records()
    times = records.to_numpy("arrival_time")
    assert times.dtype == "datetime64[ms]"
    expected = [np.datetime64(record.arrival_time.replace(tzinfo=None), "ms") for record in records]
    assert (times == np.array(expected)).all()


def test_to_numpy_when_sequence_index_then_counts_arrivals():
    assert np.diff(ten_records().to_numpy("sequence_index").astype("int64")).tolist() == [1] * 9


def test_to_numpy_when_shard_index_then_is_that_of_the_shards_name():
    records = ten_records()
    assert records.to_numpy("shard_index").tolist() == [int(record.shard_id[-12:]) for record in records]


@pytest.mark.parametrize("column", ["nope", "", 5, None])
def test_to_numpy_when_column_is_unknown_then_says_so(column):
    with pytest.raises(errors.ShardstreamError, match="column"):
        ten_records().to_numpy(column)


def test_records_when_empty_then_are_a_table_without_rows():
    records = ss.Engine().create_stream("clicks").read()
    assert pl.DataFrame(records).shape == (0, 5)
    assert records.to_numpy("data").shape == (0,)
    assert list(records) == []


AWKWARD = {
    "time of day": pa.array([1], pa.time64("us")),
    "duration": pa.array([1], pa.duration("us")),
    "decimal": pa.array([1], pa.decimal128(10, 2)),
    "fixed bytes": pa.array([b"ab"], pa.binary(2)),
    "fixed list": pa.array([[1, 2]], pa.list_(pa.int64(), 2)),
    "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
    "null": pa.nulls(1),
    "half": pa.array(np.array([1.5], "f2")),
    "least": pa.array([-(2**63)]),
    "greatest": pa.array([2**64 - 1], pa.uint64()),
    "paris": pa.array([0], pa.timestamp("ns", "Europe/Paris")),
}


@pytest.mark.parametrize("kind", AWKWARD)
def test_rows_when_a_column_is_of_a_rare_type_then_reads_as_python_objects(kind):
    stream = ss.Engine().create_stream("clicks")
    stream.write(pa.table({"key": ["a"], "value": AWKWARD[kind]}), key="key")
    (row,) = stream.read().rows().to_pylist()
    expected = AWKWARD[kind].to_pylist()[0]
    if kind == "map":
        expected = [{"key": "a", "value": 1}]
    if kind == "time of day":
        expected = "00:00:00.000001"
    assert row["value"] == expected


@pytest.mark.parametrize(
    "value",
    [
        pa.array([2**62], pa.timestamp("us", "UTC")),
        pa.array([2**62], pa.timestamp("s")),
        pa.array([2**31 - 1], pa.date32()),
    ],
)
def test_rows_when_a_time_is_beyond_pythons_years_then_error_points_to_arrow(value):
    stream = ss.Engine().create_stream("clicks")
    stream.write(pa.table({"key": ["a"], "value": value}), key="key")
    rows = stream.read().rows()
    with pytest.raises(errors.ColumnTypeError, match=r"1 to 9999.*Arrow"):
        rows.to_pylist()
    assert pa.table(rows)["value"].cast(pa.int64() if value.type != pa.date32() else pa.int32()).null_count == 0


def test_iterators_when_shown_then_say_what_they_are_of():
    clicks = ss.Engine().create_stream("clicks", shards=1)
    clicks.put_many([(b"page", "user-1"), (b"page", "user-2")])
    assert repr(clicks.follow()) == "Follow('clicks')"
    assert repr(clicks.follow(shard_id="shardId-000000000000")) == "Follow('clicks', 'shardId-000000000000')"
    records = iter(clicks.read())
    next(records)
    assert repr(records) == "RecordIterator(1 of 2 handed out)"


def test_record_when_its_key_breaks_lines_then_its_repr_does_not():
    clicks = ss.Engine().create_stream("clicks", shards=1)
    clicks.put(b"page", key="it's\na key")
    assert repr(clicks.read()[0]).startswith("Record(partition_key='it\\'s\\na key', ")
    assert repr(ss.PutError.of("Code", "a\nb")) == r"PutError(code='Code', message='a\nb')"


def test_rows_when_no_record_has_a_field_then_what_is_none_is_left_out():
    clicks = ss.Engine().create_stream("clicks", shards=1)
    clicks.put_many([(b"no object", "user-1"), (b"{}", "user-1")])
    with pytest.raises(ss.errors.RecordDecodeError, match="1 of 2 records"):
        clicks.read().rows()
    assert clicks.read().rows(on_error="skip").shape == (1, 0)


def test_key_when_asked_for_its_shard_then_it_is_where_records_of_it_go():
    clicks = ss.Engine().create_stream("clicks", shards=5)
    for key in ("user-1", "user-2", "caf\u00e9"):
        assert clicks.shard_of(key) == clicks.put(b"page", key=key).shard_id
    assert clicks.shard_of("user-1", explicit_hash_key=2**128 - 1) == "shardId-000000000004"
    for bad in ("", "x" * 257):
        with pytest.raises(ss.errors.ValidationException):
            clicks.shard_of(bad)


def test_puts_when_some_are_refused_then_their_places_are_said():
    engine = ss.Engine(clock=ss.ManualClock("2026-01-01T00:00:00Z"), limits="aws")
    clicks = engine.create_stream("clicks", shards=1)
    result = clicks.put_many([(b"page", f"user-{number}") for number in range(1_003)])
    assert result.failed_records == [1_000, 1_001, 1_002]
    assert len(result.failed_records) == result.failed_record_count


def test_column_when_missing_then_the_fields_of_json_are_named():
    clicks = ss.Engine().create_stream("clicks", shards=1)
    clicks.put(b'{"made": 1, "user": "x"}', key="user-1")
    with pytest.raises(ss.errors.ColumnNotFoundError, match="`mad`; there are `made`, `user`, `arrival_time`"):
        clicks.window(ss.tumble("1m")).agg(n=ss.sum("mad")).collect()
