"""Replays: every source, the pace, lateness, what is refused, and Ctrl-C."""

import _thread
import contextlib
import datetime
import pathlib
import signal
import subprocess
import sys
import textwrap
import time

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import shardstream as ss
from shardstream import errors

NEW_YEAR = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)


def a_stream(shards=3, **options):
    return ss.Engine(clock=ss.ManualClock(NEW_YEAR), **options).create_stream("clicks", shards=shards)


def some_rows(count=100):
    """Rows in order of their number; their times run up and down."""
    return pl.DataFrame(
        {
            "key": [f"user-{i % 7}" for i in range(count)],
            "number": range(count),
            "amount": [i / 4 for i in range(count)],
            "at": [(NEW_YEAR + MINUTE * ((i * 37) % count)).isoformat() for i in range(count)],
        }
    )


def timed_rows(minutes):
    """A row for each of these minutes after the new year, in this order."""
    return pl.DataFrame(
        {
            "key": [f"user-{i % 3}" for i in range(len(minutes))],
            "number": range(len(minutes)),
            "at": [NEW_YEAR + MINUTE * minute for minute in minutes],
        }
    )


def numbers(stream):
    return pl.DataFrame(stream.read().rows())["number"].to_list() if len(stream) else []


def rows_of(stream):
    rows = pl.DataFrame(stream.read().rows()).select("key", "number", "amount", "at")
    at = pl.col("at") if rows["at"].dtype == pl.String else pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%S%:z")
    return rows.with_columns(at).sort("number").to_dicts()


def write_file(rows, folder, form):
    path = folder / f"rows.{form.removesuffix('-stream')}"
    writers = {
        "parquet": rows.write_parquet,
        "csv": rows.write_csv,
        "ndjson": rows.write_ndjson,
        "arrow": rows.write_ipc,
        "arrow-stream": rows.write_ipc_stream,
    }
    writers[form](path)
    return path


FORMS = ["parquet", "csv", "ndjson", "arrow", "arrow-stream"]


@pytest.mark.parametrize("form", FORMS)
def test_replay_when_file_is_of_any_format_then_same_rows_arrive(form, tmp_path):
    stream = a_stream()
    report = ss.replay(write_file(some_rows(), tmp_path, form), stream, key="key")
    assert rows_of(stream) == some_rows().to_dicts()
    assert (report.records, report.rows, sum(report.per_shard.values())) == (100, 100, 100)


@pytest.mark.parametrize("form", ["parquet", "csv", "ndjson", "arrow"])
def test_replay_when_name_says_nothing_then_format_does(form, tmp_path):
    path = write_file(some_rows(), tmp_path, form).rename(tmp_path / "rows")
    stream = a_stream()
    ss.replay(path, stream, key="key", format=form)
    assert rows_of(stream) == some_rows().to_dicts()


TABLES = {
    "polars": lambda rows: rows,
    "pandas": lambda rows: rows.to_pandas(),
    "pyarrow table": lambda rows: rows.to_arrow(),
    "pyarrow reader": lambda rows: rows.to_arrow().to_reader(max_chunksize=7),
    "pyarrow batch": lambda rows: rows.to_arrow().to_batches()[0],
    "duckdb": lambda rows: duckdb.from_arrow(rows.to_arrow()),
}


@pytest.mark.parametrize("kind", TABLES)
def test_replay_when_source_is_a_table_then_same_rows_arrive(kind):
    stream = a_stream()
    ss.replay(TABLES[kind](some_rows()), stream, key="key")
    assert rows_of(stream) == some_rows().to_dicts()


@pytest.mark.parametrize("kind", TABLES)
def test_write_when_source_is_a_table_then_same_rows_arrive(kind):
    stream = a_stream()
    assert stream.write(TABLES[kind](some_rows()), key="key").records == 100
    assert rows_of(stream) == some_rows().to_dicts()


def test_replay_when_glob_matches_several_files_then_reads_them_in_order_of_names(tmp_path):
    for part in (2, 0, 1):
        some_rows().slice(part * 40, 40).write_parquet(tmp_path / f"part-{part}.parquet")
    stream = a_stream(1)
    ss.replay(f"{tmp_path}/part-*.parquet", stream, key="key")
    assert numbers(stream) == list(range(100))


def test_replay_when_given_a_list_of_paths_then_reads_them_in_its_order(tmp_path):
    late, early = tmp_path / "a.parquet", tmp_path / "b.ndjson"
    some_rows().slice(50).write_parquet(late)
    some_rows().slice(0, 50).write_ndjson(early)
    stream = a_stream(1)
    ss.replay([early, str(late)], stream, key="key")
    assert numbers(stream) == list(range(100))


def test_replay_when_given_pairs_then_they_become_records():
    stream = a_stream()
    report = ss.replay(((f"user-{i}", b"%d" % i) for i in range(1_234)), stream)
    assert sorted(int(record.data) for record in stream.read()) == list(range(1_234))
    assert report.records == 1_234
    assert report.bytes == sum(len(r.data) + len(r.partition_key) for r in stream.read())


def test_replay_when_a_pair_has_no_key_then_null_key_stands_in():
    stream = a_stream()
    ss.replay([(None, b"x")], stream, null_key="nobody")
    assert stream.read()[0].partition_key == "nobody"


def test_replay_when_data_column_named_then_it_is_the_records_data():
    stream = a_stream()
    ss.replay(pl.DataFrame({"key": ["a", "b"], "body": [b"\x00\xff", b""]}), stream, key="key", data="body")
    assert sorted((r.partition_key, r.data) for r in stream.read()) == [("a", b"\x00\xff"), ("b", b"")]


def test_replay_when_keys_are_null_then_null_key_stands_in_or_error_says_so():
    rows = pl.DataFrame({"key": ["a", None], "number": [0, 1]})
    stream = a_stream()
    with pytest.raises(errors.ValidationException, match=r"`key`.*null_key.*0 records were stored"):
        ss.replay(rows, stream, key="key")
    assert len(stream) == 0
    ss.replay(rows, stream, key="key", null_key="nobody")
    assert {record.partition_key for record in stream.read()} == {"a", "nobody"}


def test_replay_when_limit_given_then_stops_there():
    stream = a_stream(1)
    assert ss.replay(some_rows(), stream, key="key", limit=10).rows == 10
    assert numbers(stream) == list(range(10))
    assert ss.replay((("k", b"x") for _ in range(9)), a_stream(), limit=5).records == 5


def test_replay_when_clock_is_manual_then_it_ends_at_the_newest_event_time():
    stream = a_stream(1)
    ss.replay(timed_rows([0, 5, 3, 9, 7]), stream, key="key", time="at")
    last = stream.read()[4].arrival_time
    assert last == NEW_YEAR + 9 * MINUTE


def test_replay_when_clock_is_manual_then_arrival_is_the_running_maximum_of_event_time():
    minutes = [0, 5, 3, 9, 7, 9, 12, 1]
    stream = a_stream(1)
    ss.replay(timed_rows(minutes), stream, key="key", time="at")
    highest = pl.Series(minutes).cum_max().to_list()
    assert [record.arrival_time for record in stream.read()] == [NEW_YEAR + MINUTE * minute for minute in highest]


def test_replay_when_clock_is_past_the_rows_then_they_arrive_now():
    clock = ss.ManualClock(NEW_YEAR + 60 * MINUTE)
    stream = ss.Engine(clock=clock).create_stream("clicks", shards=1)
    ss.replay(timed_rows([0, 1, 2]), stream, key="key", time="at")
    assert {record.arrival_time for record in stream.read()} == {NEW_YEAR + 60 * MINUTE}


def test_replay_when_done_then_report_says_first_and_last_event_time():
    report = ss.replay(timed_rows([4, 2, 8]), a_stream(), key="key", time="at")
    assert (report.first_event_time, report.last_event_time) == (NEW_YEAR + 2 * MINUTE, NEW_YEAR + 8 * MINUTE)


def test_replay_when_a_year_is_replayed_then_manual_clock_does_not_wait(flights_path):
    stream = ss.Engine(clock=ss.ManualClock("2013-01-01T00:00:00Z")).create_stream("flights", retention="8760h")
    report = ss.replay(flights_path, stream, key="carrier", time="scheduled", speed=1)
    assert report.records == 336_776
    assert report.elapsed < 30


def test_replay_when_delay_is_a_duration_then_all_rows_arrive_that_much_later():
    stream = a_stream(1)
    ss.replay(timed_rows([0, 1, 2]), stream, key="key", time="at", delay="90s")
    assert [r.arrival_time for r in stream.read()] == [NEW_YEAR + MINUTE * (i + 1.5) for i in range(3)]


@pytest.mark.parametrize("as_duration", [True, False], ids=["durations", "seconds"])
def test_replay_when_delay_is_a_column_then_rows_arrive_in_order_of_time_plus_delay(as_duration):
    seconds = [600, 0, 60, 0, 30]
    rows = timed_rows([0, 1, 2, 3, 4]).with_columns(delay=pl.Series(seconds))
    if as_duration:
        rows = rows.with_columns(pl.duration(seconds="delay").alias("delay"))
    stream = a_stream(1)
    ss.replay(rows, stream, key="key", time="at", delay="delay")
    due = [NEW_YEAR + MINUTE * i + datetime.timedelta(seconds=seconds[i]) for i in range(5)]
    order = sorted(range(5), key=due.__getitem__)
    assert numbers(stream) == order
    assert [record.arrival_time for record in stream.read()] == [due[i] for i in order]


def test_replay_when_a_delay_is_negative_then_the_row_is_not_late():
    rows = timed_rows([0, 1]).with_columns(delay=pl.Series([0, -600]))
    stream = a_stream(1)
    ss.replay(rows, stream, key="key", time="at", delay="delay")
    assert [record.arrival_time for record in stream.read()] == [NEW_YEAR, NEW_YEAR + MINUTE]


def test_replay_when_paced_by_the_system_clock_then_takes_its_share_of_real_time():
    stream = ss.Engine().create_stream("clicks", shards=1)
    report = ss.replay(timed_rows(range(31)), stream, key="key", time="at", speed=9_000)
    assert numbers(stream) == list(range(31))
    # Clocks that count milliseconds may round each end of it.
    assert 0.19 <= report.elapsed < 5


def test_replay_when_progress_is_a_function_then_it_hears_of_every_row():
    told = []
    ss.replay(some_rows(), a_stream(), key="key", progress=told.append)
    ss.replay((("k", b"x") for _ in range(1_100)), a_stream(), progress=told.append)
    assert sum(told) == 100 + 1_100


def test_replay_when_progress_is_true_then_draws_a_bar(capsys):
    ss.replay(some_rows(), a_stream(), key="key", progress=True)
    assert "100rows" in capsys.readouterr().err


def test_replay_when_a_line_is_bad_then_error_names_it_and_says_what_was_stored(tmp_path):
    path = tmp_path / "bad.ndjson"
    path.write_text('{"key": "a", "number": 0}\n{"key": "b"\n{"key": "c", "number": 2}\n')
    stream = a_stream()
    with pytest.raises(errors.DatasetError, match=r"bad\.ndjson.*line 2.*on_bad_line.*0 records were stored"):
        ss.replay(path, stream, key="key")
    assert len(stream) == 0


def test_replay_when_bad_lines_are_skipped_then_counts_them(tmp_path):
    path = tmp_path / "bad.ndjson"
    path.write_text('{"key": "a", "number": 0}\n{"key": "b"\n{"key": "c", "number": 2}\n')
    stream = a_stream(1)
    report = ss.replay(path, stream, key="key", on_bad_line="skip")
    assert (report.records, report.skipped) == (2, 1)
    assert numbers(stream) == [0, 2]


@pytest.mark.parametrize("source", ["nope.parquet", "no-*.csv", pathlib.Path("nope.csv"), ["nope.csv"], "", "["])
def test_replay_when_no_file_matches_then_says_so(source):
    with pytest.raises(errors.DatasetError):
        ss.replay(source, a_stream(), key="key")


def test_dataset_not_found_error_when_raised_then_is_a_file_not_found_error_too():
    with pytest.raises(FileNotFoundError):
        ss.replay("nope.parquet", a_stream(), key="key")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("content", [b"", bytes(1_000), bytes(range(256)) * 20], ids=["empty", "zeros", "garbage"])
def test_replay_when_file_is_no_dataset_then_error_names_it_and_stores_nothing(form, content, tmp_path):
    path = write_file(some_rows(), tmp_path, form)
    path.write_bytes(content)
    stream = a_stream()
    with pytest.raises(errors.DatasetError, match=path.name):
        ss.replay(path, stream, key="key")
    assert len(stream) == 0


@pytest.mark.parametrize("form", ["parquet", "ndjson", "arrow", "arrow-stream"])
def test_replay_when_file_is_cut_anywhere_then_is_refused_or_read_to_the_cut(form, tmp_path):
    path = write_file(some_rows(20), tmp_path, form)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, max(1, len(whole) // 60)):
        path.write_bytes(whole[:length])
        stream = a_stream(1)
        with contextlib.suppress(errors.ShardstreamError):
            ss.replay(path, stream, key="key")
        assert numbers(stream) == list(range(len(stream)))


@pytest.mark.parametrize("form", ["parquet", "arrow", "ndjson"])
@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_replay_when_file_is_of_another_format_than_its_name_says_then_refuses(form, name, tmp_path):
    path = write_file(some_rows(), tmp_path, form).rename(tmp_path / f"other.{name}")
    if form == name:
        path.rename(path.with_suffix(".csv"))
        path = path.with_suffix(".csv")
    stream = a_stream()
    with pytest.raises(errors.DatasetError, match=r"other\.\w+.* not "):
        ss.replay(path, stream, key="key")
    assert len(stream) == 0


def test_replay_when_files_disagree_on_columns_then_refuses(tmp_path):
    some_rows().write_parquet(tmp_path / "a.parquet")
    some_rows().rename({"amount": "price"}).write_parquet(tmp_path / "b.parquet")
    stream = a_stream()
    with pytest.raises(errors.DatasetError, match=r"b\.parquet"):
        ss.replay(f"{tmp_path}/*.parquet", stream, key="key")
    assert len(stream) == 0


WRONG = {
    "missing key": ({"key": "nope"}, errors.ColumnNotFoundError, "nope"),
    "missing time": ({"key": "key", "time": "nope"}, errors.ColumnNotFoundError, "nope"),
    "missing data": ({"key": "key", "data": "nope"}, errors.ColumnNotFoundError, "nope"),
    "key of floats": ({"key": "amount"}, errors.ColumnTypeError, "amount"),
    "data of numbers": ({"key": "key", "data": "number"}, errors.ColumnTypeError, "number"),
    "time of floats": ({"key": "key", "time": "amount"}, errors.ColumnTypeError, "amount"),
    "key is no text": ({"key": 5}, errors.SerializationException, "key"),
    "time is no text": ({"key": "key", "time": 5}, errors.SerializationException, "time"),
    "half a character": ({"key": "\ud800"}, errors.SerializationException, "key"),
}
WRONG_OF_REPLAY = {
    "no key": ({}, errors.SerializationException, "key"),
    "speed without time": ({"key": "key", "speed": 2}, errors.InvalidArgumentException, "time="),
    "delay without time": ({"key": "key", "delay": "5s"}, errors.InvalidArgumentException, "time="),
    "speed of zero": ({"key": "key", "time": "at", "speed": 0}, errors.InvalidArgumentException, "speed"),
    "speed of infinity": (
        {"key": "key", "time": "at", "speed": float("inf")},
        errors.InvalidArgumentException,
        "speed",
    ),
    "speed of text": ({"key": "key", "time": "at", "speed": "fast"}, errors.InvalidArgumentException, "speed"),
    "negative delay": (
        {"key": "key", "time": "at", "delay": datetime.timedelta(-1)},
        errors.InvalidArgumentException,
        "delay",
    ),
    "missing delay": ({"key": "key", "time": "at", "delay": "nope"}, errors.ColumnNotFoundError, "nope"),
    "delay of text": ({"key": "key", "time": "at", "delay": "key"}, errors.ColumnTypeError, "delay"),
    "limit of zero": ({"key": "key", "limit": 0}, errors.InvalidArgumentException, "limit"),
    "unknown format": ({"key": "key", "format": "xml"}, errors.InvalidArgumentException, "format"),
    "unknown on_bad_line": ({"key": "key", "on_bad_line": "drop"}, errors.InvalidArgumentException, "on_bad_line"),
    "progress of text": ({"key": "key", "progress": "yes"}, errors.SerializationException, "progress"),
}


@pytest.mark.parametrize("wrong", [*WRONG, *WRONG_OF_REPLAY])
def test_replay_when_an_argument_is_wrong_then_error_names_it_and_stores_nothing(wrong):
    options, error, message = (WRONG | WRONG_OF_REPLAY)[wrong]
    stream = a_stream()
    with pytest.raises(error, match=message):
        ss.replay(some_rows(), stream, **options)
    assert len(stream) == 0


@pytest.mark.parametrize("wrong", WRONG)
def test_write_when_an_argument_is_wrong_then_error_names_it_and_stores_nothing(wrong):
    options, error, message = WRONG[wrong]
    stream = a_stream()
    with pytest.raises(error, match=message):
        stream.write(some_rows(), **options)
    assert len(stream) == 0


def test_write_when_one_row_is_over_the_limit_then_names_it_and_stores_none():
    stream = a_stream()
    rows = pl.DataFrame({"key": ["a", "b"], "body": ["x", "y" * 2**20]})
    for options in ({}, {"data": "body"}):
        with pytest.raises(errors.ValidationException, match=r"record 1.*no row was stored"):
            stream.write(rows, key="key", **options)
    assert len(stream) == 0


@pytest.mark.parametrize("table", [5, None, b"x", object(), pl.Series([1, 2]), pa.array([1])], ids=type)
def test_write_when_given_no_table_then_serialization_error(table):
    stream = a_stream()
    with pytest.raises(errors.SerializationException, match="table"):
        stream.write(table, key="key")
    assert len(stream) == 0


@pytest.mark.parametrize("source", [5, None, b"x", {}, object(), [1, 2], [("a",)], [("a", "text")], [(b"a", b"x")]])
def test_replay_when_given_no_source_then_serialization_error(source):
    stream = a_stream()
    with pytest.raises(errors.SerializationException):
        ss.replay(source, stream)
    assert len(stream) == 0


def test_replay_when_times_are_null_then_error_names_column_and_row():
    rows = timed_rows([0, 1]).with_columns(at=pl.Series([NEW_YEAR, None]))
    stream = a_stream()
    with pytest.raises(errors.ValidationException, match=r"`at` has 1 null.*row 1"):
        ss.replay(rows, stream, key="key", time="at")
    assert len(stream) == 0


def test_replay_when_a_time_is_beyond_all_clocks_then_refuses_and_clock_stays():
    clock = ss.ManualClock(NEW_YEAR)
    stream = ss.Engine(clock=clock).create_stream("clicks")
    rows = pa.table({"key": ["a"], "at": pa.array([2**60], pa.timestamp("us", "UTC"))})
    with pytest.raises(errors.ValidationException, match="2400"):
        ss.replay(rows, stream, key="key", time="at")
    assert clock.now() == NEW_YEAR
    assert len(stream) == 0


def test_replay_when_the_tables_reader_fails_then_says_what_was_stored():
    schema = pa.schema([("key", pa.string())])

    def batches():
        yield pa.record_batch({"key": ["a", "b"]}, schema=schema)
        raise ZeroDivisionError("mine")

    stream = a_stream()
    with pytest.raises(errors.DatasetError, match=r"(?s)mine.*2 records were stored before"):
        ss.replay(pa.RecordBatchReader.from_batches(schema, batches()), stream, key="key")
    assert len(stream) == 2


def test_pairs_when_one_is_wrong_then_error_says_where_and_what_was_stored():
    stream = a_stream()
    with pytest.raises(errors.SerializationException, match=r"pair 700 .*500 records were stored"):
        ss.replay((("k", b"x") if i != 700 else 5 for i in range(1_000)), stream)
    assert len(stream) == 500


def interrupted(after, call):
    """Seconds from an interrupt, `after` seconds into a call, to the call's KeyboardInterrupt."""
    before = signal.getsignal(signal.SIGALRM)
    rung = []

    def ring(_signal, _frame):
        rung.append(time.perf_counter())
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, after)
    began = time.perf_counter()
    try:
        with pytest.raises(KeyboardInterrupt):
            call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return time.perf_counter() - began - after


def long_rows():
    """A million rows over half a year: long to replay, and longer at their own pace."""
    return pl.DataFrame({"key": ["user-42"] * 1_000_000}).with_columns(
        number=pl.int_range(pl.len()), at=NEW_YEAR + pl.duration(seconds=16 * pl.int_range(pl.len()))
    )


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("paced replay", lambda stream: ss.replay(long_rows(), stream, key="key", time="at", speed=1_000)),
        ("pairs", lambda stream: ss.replay((("k", b"x") for _ in iter(int, 1)), stream)),
        ("follow", lambda stream: list(stream.follow())),
        ("follow of windows", lambda stream: list(stream.window(ss.tumble("1m")).agg(n=ss.count()).follow())),
    ],
)
def test_ctrl_c_when_a_call_would_last_for_ever_then_stops_soon_and_stream_stays_usable(name, call):
    stream = ss.Engine().create_stream("clicks")
    assert interrupted(0.3, lambda: call(stream)) < 1
    stored = len(stream)
    stream.put(b"after", key="user-42")
    assert len(stream) == stored + 1


def test_ctrl_c_when_a_query_collects_then_stops_soon_and_collects_again():
    stream = ss.Engine().create_stream("clicks")
    stream.write(long_rows(), key="key")
    heavy = stream.window(ss.rolling("100d"), time="at").agg(n=ss.count_distinct("number"))
    assert interrupted(0.02, heavy.collect) < 1
    light = stream.window(ss.tumble("365d"), time="at").agg(n=ss.count())
    assert light.collect().column("n") == [1_000_000]


def test_ctrl_c_when_a_replay_at_full_speed_is_on_its_way_then_keeps_what_was_stored():
    stream = ss.Engine(clock=ss.ManualClock(NEW_YEAR)).create_stream("clicks", shards=1, retention="8760h")
    seen = []

    def interrupt(rows):
        seen.append(rows)
        _thread.interrupt_main()

    with pytest.raises(KeyboardInterrupt):
        ss.replay(long_rows(), stream, key="key", time="at", progress=interrupt)
    assert len(stream) == sum(seen) < 1_000_000
    assert numbers(stream) == list(range(sum(seen)))


def test_ctrl_c_when_a_process_follows_then_sigint_ends_it():
    program = """
        import shardstream as ss
        stream = ss.Engine().create_stream("clicks")
        try:
            print("ready", flush=True)
            next(iter(stream.follow()))
        except KeyboardInterrupt:
            print(stream.put(b"after", key="user-42").shard_id, flush=True)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline().startswith("shardId-")
        assert process.wait(10) == 0


def test_report_when_shown_then_says_records_and_speed():
    report = ss.replay(some_rows(), a_stream(), key="key")
    assert repr(report).startswith("ReplayReport(records=100, shards=")
    assert report.events_per_second == pytest.approx(100 / report.elapsed)


def test_pandas_frame_when_its_index_is_odd_then_rows_arrive_all_the_same():
    frame = pd.DataFrame({"key": ["a", "b", "c"]}, index=[7, 7, 1]).iloc[::-1]
    stream = a_stream(1)
    ss.replay(frame, stream, key="key")
    assert [record.partition_key for record in stream.read()] == ["c", "b", "a"]
