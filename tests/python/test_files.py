"""Queries over files and streams of batches: the answers of tables, a batch at a time."""

import contextlib
import gc
import re
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

import shardstream as ss
from shardstream import errors

START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 150_001  # more than two batches, and one row


@pytest.fixture(scope="module")
def events() -> pl.DataFrame:
    """Events up to a minute out of order; a column that no query names, and nulls."""
    row = pl.int_range(ROWS)
    return pl.select(
        at=START + pl.duration(milliseconds=row * 100 + (row * 7919) % 60_000),
        key=pl.when(row % 11 != 0).then(pl.format("user-{}", (row * 31) % 97)),
        number=pl.when(row % 13 != 0).then((row * 17) % 1_000),
        amount=(row * 29) % 4_001 / 8,
        unread=pl.format("text {}", row),
    )


WRITERS = {
    "parquet": pl.DataFrame.write_parquet,
    "csv": pl.DataFrame.write_csv,
    "ndjson": pl.DataFrame.write_ndjson,
    "arrow": pl.DataFrame.write_ipc,
}


def written(table: pl.DataFrame, path: Path) -> str:
    """A file of a table; times that are text say their offset."""
    if path.suffix in (".csv", ".ndjson"):
        table = table.with_columns(pl.col(pl.Datetime).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))
    WRITERS[path.suffix[1:]](table, path)
    return str(path)


def query(source: object, window: ss.Window | None = None, **options: object) -> ss.WindowQuery:
    window = window or ss.tumble("1m")
    begun = ss.window(source, window, time="at", watermark="20s", **options).by("key")
    return begun.agg(n=ss.count(), total=ss.sum("amount"), number=ss.mean("number"), opening=ss.first("number"))


def same(answer: ss.WindowResult, wanted: ss.WindowResult) -> None:
    """Files of text know fewer types than tables, so types may differ where values do not."""
    for given, expected in ((answer, wanted), (answer.late, wanted.late)):
        frame = pl.DataFrame(given)
        if frame.schema.get("at") == pl.String:
            frame = frame.with_columns(pl.col("at").str.to_datetime(time_unit="us", time_zone="UTC"))
        assert_frame_equal(frame, pl.DataFrame(expected), check_dtypes=False, check_exact=True)
    assert answer.stats.as_dict() == wanted.stats.as_dict()


@pytest.mark.parametrize("order", ["event", "arrival"])
@pytest.mark.parametrize("form", WRITERS)
def test_query_over_a_file_when_collected_then_answers_as_over_the_table(events, tmp_path, form, order):
    file = written(events, tmp_path / f"events.{form}")
    same(query(file).collect(order=order), query(events).collect(order=order))


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("window", [ss.rolling("10s"), ss.session("5s"), ss.hop(size="5m", slide="1m")], ids=repr)
def test_query_over_parquet_when_windows_are_of_any_kind_then_answers_as_over_the_table(
    events, tmp_path, monkeypatch, window, threads
):
    monkeypatch.setenv("SHARDSTREAM_THREADS", threads)
    file = written(events, tmp_path / "events.parquet")
    same(query(file, window).collect(), query(events, window).collect())


def test_query_over_many_files_when_named_by_glob_list_or_path_then_reads_them_in_order(events, tmp_path):
    halves = events.head(80_000), events.tail(-80_000)
    names = [written(half, tmp_path / f"{number}.parquet") for number, half in enumerate(halves)]
    wanted = query(events).collect(order="arrival")
    for source in (f"{tmp_path}/*.parquet", names, tuple(map(Path, names))):
        same(query(source).collect(order="arrival"), wanted)
    same(query(Path(names[0])).collect(), query(halves[0]).collect())


def test_query_over_a_file_when_collected_twice_then_answers_twice(events, tmp_path):
    asked = query(written(events, tmp_path / "events.parquet"))
    same(asked.collect(), asked.collect())


def test_query_over_parquet_when_other_columns_are_damaged_then_never_reads_them(events, tmp_path):
    file = tmp_path / "events.parquet"
    pq.write_table(events.to_arrow(), file, compression="none", row_group_size=50_000)
    whole = bytearray(file.read_bytes())
    groups = pq.ParquetFile(file).metadata
    for group in range(groups.num_row_groups):
        column = groups.row_group(group).column(4)
        start = column.dictionary_page_offset or column.data_page_offset
        whole[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    file.write_bytes(whole)
    same(query(str(file)).collect(), query(events).collect())
    with pytest.raises(errors.DatasetError, match=r"events\.parquet"):
        ss.window(str(file), ss.tumble("1m"), time="at").agg(last=ss.last("unread")).collect()


def test_query_over_a_file_when_named_otherwise_then_format_says_what_it_is(events, tmp_path):
    file = tmp_path / "events.data"
    events.write_csv(file)
    with pytest.raises(errors.DatasetError, match="pass format='parquet'"):
        query(file).collect()
    counted = ss.window(file, ss.tumble("1m"), time="at", format="csv").agg(n=ss.count())
    assert sum(counted.collect().column("n")) == ROWS


def test_query_over_json_lines_when_some_are_broken_then_raises_or_counts_them(tmp_path):
    file = tmp_path / "events.ndjson"
    file.write_text('{"at": "2026-01-01T00:00:00Z"}\n{"at":\n{"at": "2026-01-01T00:00:01Z"}\n')
    with pytest.raises(errors.DatasetError, match=r"events\.ndjson` line 2.*on_bad_line='skip'"):
        ss.window(file, ss.tumble("1m"), time="at").agg(n=ss.count()).collect()
    answer = ss.window(file, ss.tumble("1m"), time="at", on_bad_line="skip").agg(n=ss.count()).collect()
    assert (answer.column("n"), answer.stats.malformed_records, answer.stats.rows) == ([2], 1, 2)


@pytest.mark.parametrize(
    ("error", "words", "source"),
    [
        (errors.DatasetNotFoundError, r"no-such\.parquet` does not exist", "no-such.parquet"),
        (errors.DatasetNotFoundError, r"no file matches `no-such-\*\.csv`", "no-such-*.csv"),
        (errors.SerializationException, "half", "\ud800.csv"),
        (errors.SerializationException, "list is not a table", []),
        (errors.SerializationException, "int is not a table", 7),
    ],
)
def test_query_over_what_is_not_there_when_collected_then_says_so(error, words, source):
    with pytest.raises(error, match=words if words != "half" else "table: text that UTF-8 can carry"):
        query(source).collect()


def test_query_over_a_file_when_a_column_is_missing_then_names_file_and_columns(events, tmp_path):
    file = written(events, tmp_path / "events.parquet")
    with pytest.raises(errors.ColumnNotFoundError, match=r"events\.parquet` has no column `nope`: it has `at`, `key`"):
        ss.window(file, ss.tumble("1m"), time="at").by("nope").agg(n=ss.count()).collect()
    with pytest.raises(errors.ColumnTypeError, match="`number` is Int64, which is no time"):
        ss.window(file, ss.tumble("1m"), time="number").agg(n=ss.count()).collect()


def test_query_over_a_file_when_damaged_late_then_names_the_file_and_where(events, tmp_path):
    file = tmp_path / "events.parquet"
    pq.write_table(events.to_arrow(), file, compression="snappy", row_group_size=50_000)
    column = pq.ParquetFile(file).metadata.row_group(2).column(3)
    damaged = bytearray(file.read_bytes())
    start = column.dictionary_page_offset or column.data_page_offset
    damaged[start : start + 64] = b"\xff" * 64
    file.write_bytes(damaged)
    with pytest.raises(errors.DatasetError, match=r"events\.parquet` row group \d, at or after row"):
        query(file).collect()


@pytest.mark.parametrize("options", [{"format": "csv"}, {"on_bad_line": "skip"}])
def test_query_over_a_table_when_told_how_to_read_files_then_refuses(events, options):
    with pytest.raises(errors.InvalidArgumentException, match="format and on_bad_line are for files"):
        query(events, **options)


def test_query_over_files_when_followed_or_cut_then_says_what_is_for_streams(events, tmp_path):
    file = written(events.head(10), tmp_path / "events.csv")
    with pytest.raises(errors.InvalidArgumentException, match="for streams"):
        query(file).follow()
    with pytest.raises(errors.InvalidArgumentException, match="for streams"):
        query(file).collect(start="1m")
    with pytest.raises(errors.InvalidArgumentException, match=re.escape("format: one of None, 'parquet'")):
        query(file, format="xml")
    assert repr(query(file)).startswith(f"{file!r}.window(tumble(")


@pytest.mark.parametrize("threads", ["1", "2", ""])
@pytest.mark.parametrize("order", ["event", "arrival"])
def test_query_over_a_stream_of_batches_when_collected_then_answers_as_over_the_table(
    events, monkeypatch, order, threads
):
    monkeypatch.setenv("SHARDSTREAM_THREADS", threads)
    table = events.to_arrow()
    batches = [batch.slice(3) for batch in table.slice(0, 100_000).to_batches(max_chunksize=777)]
    wanted = query(pa.Table.from_batches(batches)).collect(order=order)
    reader = pa.RecordBatchReader.from_batches(table.schema, iter(batches))
    same(query(reader).collect(order=order), wanted)


def test_query_over_a_stream_of_batches_when_long_then_lets_batches_go(events):
    table = events.head(1_000).to_arrow()
    held, most = 0, 0

    class Block:
        """Memory that says when it is let go."""

        def __init__(self) -> None:
            nonlocal held, most
            held, self.bytes = held + 1, b"\0" * 8_000
            most = max(most, held)

        def __del__(self) -> None:
            nonlocal held
            held -= 1

    def batches() -> Iterator[pa.RecordBatch]:
        for _ in range(200):
            block = Block()
            numbers = pa.Array.from_buffers(
                pa.int64(), 1_000, [None, pa.foreign_buffer(pa.py_buffer(block.bytes).address, 8_000, base=block)]
            )
            columns = {name: table.column(name).combine_chunks() for name in table.column_names}
            columns["number"] = numbers
            yield pa.RecordBatch.from_pydict(columns, schema=table.schema)

    reader = pa.RecordBatchReader.from_batches(table.schema, batches())
    assert query(reader).collect().stats.rows == 200_000
    gc.collect()
    assert held <= 1  # the generator's own last one
    assert most <= 8


def test_query_over_a_stream_of_batches_when_it_fails_then_gives_its_words(events):
    table = events.head(1_000).to_arrow()

    def batches() -> Iterator[pa.RecordBatch]:
        yield from table.to_batches()
        message = "the source went away"
        raise ValueError(message)

    reader = pa.RecordBatchReader.from_batches(table.schema, batches())
    with pytest.raises(errors.DatasetError, match="the source went away"):
        query(reader).collect()


def test_ctrl_c_when_a_stream_of_batches_goes_on_for_ever_then_stops_soon(events):
    table = events.head(10_000).to_arrow()
    closed = threading.Event()

    def batches() -> Iterator[pa.RecordBatch]:
        with contextlib.closing(contextlib.ExitStack()) as stack:
            stack.callback(closed.set)
            while True:
                yield from table.to_batches()

    def ring(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    began = time.perf_counter()
    try:
        reader = pa.RecordBatchReader.from_batches(table.schema, batches())
        with pytest.raises(KeyboardInterrupt):
            query(reader).collect()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.perf_counter() - began < 2
    del reader
    assert closed.wait(10)
