"""Queries over tables and streams: the same answer from everywhere, late rows, bad input, results as Arrow."""

import json
import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import duckdb
import hypothesis.strategies as st
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from polars.testing import assert_frame_equal

import shardstream as ss

INSTANT = pl.Datetime("us", "UTC")
WINDOWS = {
    "tumble": ss.tumble("6h"),
    "hop": ss.hop(size="5h", slide="2h"),
    "session": ss.session("40m"),
    "cumulate": ss.cumulate(size="1d", step="6h"),
    "rolling": ss.rolling("3h"),
}
AGGREGATES = {
    "n": ss.count(),
    "known": ss.count("dep_delay"),
    "total": ss.sum("weight"),
    "average": ss.mean("dep_delay"),
    "least": ss.min("dep_delay"),
    "most": ss.max("dest"),
    "spread": ss.var("weight"),
    "kinds": ss.count_distinct("carrier"),
    "about": ss.approx_count_distinct("tailnum"),
    "high": ss.quantile("dep_delay", 0.9),
    "favourites": ss.top_k("dest", 2),
}
ENDPOINTS = {"opening": ss.first("dest"), "closing": ss.last("dest")}
COLUMNS = ["scheduled", "origin", "carrier", "dest", "tailnum", "dep_delay", "weight"]


@pytest.fixture(scope="module")
def week(flights: pl.DataFrame) -> pl.DataFrame:
    """A week of flights, out of order as they are, with a column of numbers that are no whole ones."""
    rows = flights.filter(pl.col("scheduled").dt.date().is_between(datetime(2013, 3, 4), datetime(2013, 3, 10)))  # noqa: DTZ001 - dates
    return rows.with_columns(weight=pl.col("distance") / 7, tailnum=pl.col("tailnum").fill_null("none"))[COLUMNS]


def answered(query: ss.WindowQuery, **aggregates: ss.Aggregate) -> pl.DataFrame:
    return pl.DataFrame(query.by("origin").agg(**(aggregates or AGGREGATES | ENDPOINTS)).collect())


def new_stream(shards: int = 4) -> ss.Stream:
    return ss.Engine(clock=ss.ManualClock()).create_stream("flights", shards=shards)


def as_json(rows: pl.DataFrame) -> list[tuple[bytes, str]]:
    """The rows as Python's own JSON, keyed by aircraft."""
    texts = rows.with_columns(pl.col("scheduled").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_dicts()
    return [(json.dumps(row).encode(), row["tailnum"]) for row in texts]


def put_all(stream: ss.Stream, pairs: list[tuple[bytes, str]]) -> None:
    for start in range(0, len(pairs), 500):
        assert stream.put_many(pairs[start : start + 500]).failed_record_count == 0


@pytest.mark.parametrize("shards", [1, 4, 64])
@pytest.mark.parametrize("kind", WINDOWS)
def test_stream_answers_as_the_table_written_to_it(week: pl.DataFrame, kind: str, shards: int) -> None:
    stream = new_stream(shards)
    stream.write(week, key="tailnum")
    from_stream = answered(stream.window(WINDOWS[kind], time="scheduled"))
    assert_frame_equal(from_stream, answered(ss.window(week, WINDOWS[kind], time="scheduled")), check_exact=True)


@pytest.mark.parametrize("kind", WINDOWS)
def test_stream_resharded_half_way_answers_as_the_table(week: pl.DataFrame, kind: str) -> None:
    stream, half = new_stream(), week.height // 2
    stream.write(week[:half], key="tailnum")
    stream.split_shard("shardId-000000000000")
    stream.merge_shards("shardId-000000000002", "shardId-000000000003")
    stream.write(week[half:], key="tailnum")
    stream.update_shard_count(2)
    assert any(not shard.is_open for shard in stream.shards())
    from_stream = answered(stream.window(WINDOWS[kind], time="scheduled"))
    assert_frame_equal(from_stream, answered(ss.window(week, WINDOWS[kind], time="scheduled")), check_exact=True)


@pytest.mark.parametrize("kind", WINDOWS)
def test_stream_of_json_answers_as_the_table(week: pl.DataFrame, kind: str) -> None:
    stream = new_stream()
    put_all(stream, as_json(week))
    from_stream = answered(stream.window(WINDOWS[kind], time="scheduled"))
    assert_frame_equal(from_stream, answered(ss.window(week, WINDOWS[kind], time="scheduled")), check_exact=True)


@pytest.mark.parametrize("kind", WINDOWS)
def test_stream_of_rows_and_json_answers_as_the_table(week: pl.DataFrame, kind: str) -> None:
    stream, third = new_stream(), week.height // 3
    stream.write(week[:third], key="tailnum")
    put_all(stream, as_json(week[third : 2 * third]))
    stream.write(week[2 * third :], key="tailnum")
    from_stream = answered(stream.window(WINDOWS[kind], time="scheduled"))
    assert_frame_equal(from_stream, answered(ss.window(week, WINDOWS[kind], time="scheduled")), check_exact=True)


@pytest.mark.parametrize("kind", WINDOWS)
def test_shards_read_apart_answer_together_what_the_table_does_by_partition_key(week: pl.DataFrame, kind: str) -> None:
    stream = new_stream()
    stream.write(week, key="tailnum")
    query = stream.window(WINDOWS[kind], time="scheduled").by("tailnum").agg(**AGGREGATES, **ENDPOINTS)
    shards = [pl.DataFrame(query.collect(shard_id=shard.shard_id)) for shard in stream.shards()]
    whole = ss.window(week, WINDOWS[kind], time="scheduled").by("tailnum").agg(**AGGREGATES, **ENDPOINTS).collect()
    order = ["window_start", "window_end", "tailnum"]
    together = pl.concat(shards).sort(order)
    assert_frame_equal(together, pl.DataFrame(whole).sort(order), check_exact=True)


def test_sums_of_shards_read_apart_add_up_to_those_of_the_table(week: pl.DataFrame) -> None:
    stream = new_stream()
    stream.write(week, key="tailnum")
    query = stream.window(ss.tumble("1d"), time="scheduled").by("origin")
    query = query.agg(n=ss.count(), delay=ss.sum("dep_delay"), most=ss.max("dep_delay"))
    shards = pl.concat(pl.DataFrame(query.collect(shard_id=shard)) for shard in stream.shards())
    groups = ["window_start", "window_end", "origin"]
    together = shards.group_by(groups).agg(pl.sum("n", "delay"), pl.max("most")).sort(groups)
    whole = ss.window(week, ss.tumble("1d"), time="scheduled")
    wanted = answered(whole, n=ss.count(), delay=ss.sum("dep_delay"), most=ss.max("dep_delay"))
    assert_frame_equal(together, wanted, check_exact=True)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("kind", WINDOWS)
def test_shuffled_table_answers_the_same_to_the_last_bit(week: pl.DataFrame, kind: str, seed: int) -> None:
    shuffled = week.sample(fraction=1, shuffle=True, seed=seed)
    given, wanted = (
        answered(ss.window(rows, WINDOWS[kind], time="scheduled"), **AGGREGATES) for rows in (shuffled, week)
    )
    if kind == "rolling":
        # Rows of one time come out in order of arrival.
        given, wanted = given.sort("window_end", "origin"), wanted.sort("window_end", "origin")
    assert_frame_equal(given, wanted, check_exact=True)


def test_window_between_two_positions_counts_what_lies_between() -> None:
    clock = ss.ManualClock("2026-01-01T00:00:00Z")
    stream = ss.Engine(clock=clock).create_stream("ticks", shards=2)
    for second in range(6):
        stream.put(b"{}", key=f"user-{second}")
        clock.advance("1s")
    query = stream.window(ss.tumble("1m")).agg(n=ss.count())
    answer = query.collect(start="2026-01-01T00:00:02Z", end="2026-01-01T00:00:05Z")
    assert answer.column("n") == [3]


# Late rows, against a consumer that takes one row after the other.


class Consumer:
    """What a live consumer would answer: rows one by one against the watermark. Each row counts as its own bit."""

    def __init__(self, *, watermark: int, lateness: int) -> None:
        self.watermark, self.lateness = watermark, lateness
        self.latest: int | None = None
        self.late: list[dict[str, int]] = []
        self.partly = 0

    @property
    def value(self) -> float:
        return -math.inf if self.latest is None else self.latest - self.watermark

    @property
    def closing(self) -> float:
        return self.value - self.lateness

    def observe(self, at: int) -> None:
        self.latest = at if self.latest is None else max(self.latest, at)

    def is_late(self, row: int, at: int, missed: int, count: int) -> None:
        if missed:
            self.late.append({"row": row, "lateness": int(self.value) - at, "windows_missed": missed})
            self.partly += missed < count

    def fixed(self, rows: list[tuple[int, str]], spans: Callable[[int], Iterator[tuple[int, int]]]) -> dict:
        """Windows that are where they are: a row goes to those that are not closed."""
        windows: dict[tuple[int, int, str], int] = defaultdict(int)
        for row, (at, key) in enumerate(rows):
            around = list(spans(at))
            still_open = [(start, end) for start, end in around if self.closing < end]
            self.is_late(row, at, len(around) - len(still_open), len(around))
            for start, end in still_open:
                windows[start, end, key] += 1 << row
            self.observe(at)
        return windows

    def sessions(self, rows: list[tuple[int, str]], gap: int) -> dict:
        """Sessions: a row joins those of its key that are open, or is late, or starts one."""
        open_sessions: list[tuple[int, int, str, int]] = []
        windows: dict[tuple[int, int, str], int] = defaultdict(int)

        def close(closing: float) -> None:
            for session in [session for session in open_sessions if session[1] + gap <= closing]:
                open_sessions.remove(session)
                first, last, key, bits = session
                windows[first, last + gap, key] += bits

        for row, (at, key) in enumerate(rows):
            close(self.closing)
            joined = [each for each in open_sessions if each[2] == key and each[0] - gap < at < each[1] + gap]
            if not joined and at + gap <= self.closing:
                self.is_late(row, at, 1, 1)
            else:
                for session in joined:
                    open_sessions.remove(session)
                first, last = min([at, *(each[0] for each in joined)]), max([at, *(each[1] for each in joined)])
                open_sessions.append((first, last, key, (1 << row) + sum(each[3] for each in joined)))
            self.observe(at)
        close(math.inf)
        return windows

    def looking_back(self, rows: list[tuple[int, str]], size: int) -> list[tuple[int, str, int]]:
        """Rolling windows: a row is answered when the watermark passes it, from what has come by then."""
        answers: list[tuple[int, int, str, int]] = []
        waiting: list[int] = []

        def answer(closing: float, seen: int) -> None:
            for row in [row for row in waiting if rows[row][0] < closing]:
                waiting.remove(row)
                at, key = rows[row]
                others = [other for other in range(seen) if rows[other][1] == key and at - size < rows[other][0] <= at]
                answers.append((at, row, key, sum(1 << other for other in others)))

        for row, (at, _) in enumerate(rows):
            answer(self.closing, row)
            if at < self.closing:
                self.is_late(row, at, 1, 2 if self.closing < at + size else 1)
            else:
                waiting.append(row)
            self.observe(at)
        answer(math.inf, len(rows))
        return [(at, key, bits) for at, _, key, bits in sorted(answers)]


def hops(size: int, slide: int) -> Callable[[int], Iterator[tuple[int, int]]]:
    return lambda at: ((start, start + size) for start in range(at // slide * slide, at - size, -slide))


def growing(size: int, step: int) -> Callable[[int], Iterator[tuple[int, int]]]:
    def spans(at: int) -> Iterator[tuple[int, int]]:
        start = at // size * size
        return ((start, end) for end in range(start + step, start + size + 1, step) if at < end)

    return spans


FIXED = {
    "tumble": (ss.tumble("10s"), hops(10, 10)),
    "hop": (ss.hop(size="10s", slide="5s"), hops(10, 5)),
    "hop_uneven": (ss.hop(size="10s", slide="4s"), hops(10, 4)),
    "cumulate": (ss.cumulate(size="20s", step="5s"), growing(20, 5)),
}
ARRIVALS = st.lists(st.tuples(st.integers(-30, 60), st.sampled_from(["a", "b"])), min_size=1, max_size=60)
DELAYS = st.integers(0, 25)


def arrived(rows: list[tuple[int, str]], window: ss.Window, *, watermark: int, lateness: int) -> ss.WindowResult:
    """A query of rows in their order of arrival, that sums a bit for each."""
    frame = pl.DataFrame(rows, schema={"at": pl.Int64, "key": pl.String}, orient="row")
    bits = pl.Series("bit", [1 << row for row in range(len(rows))], dtype=pl.Int64)
    frame = frame.with_columns((pl.col("at") * 1_000_000).cast(INSTANT), bits)
    query = ss.window(frame, window, time="at", watermark=f"{watermark}s", allowed_lateness=f"{lateness}s")
    return query.by("key").agg(bits=ss.sum("bit")).collect(order="arrival")


def bits_of(answer: ss.WindowResult) -> list[tuple[float, float, str, int]]:
    rows = answer.to_pylist()
    return [(row["window_start"].timestamp(), row["window_end"].timestamp(), row["key"], row["bits"]) for row in rows]


def late_of(answer: ss.WindowResult) -> list[dict[str, int]]:
    return [
        {
            "row": row["row"],
            "lateness": row["lateness"] // timedelta(seconds=1),
            "windows_missed": row["windows_missed"],
        }
        for row in answer.late.to_pylist()
    ]


def assert_late_as(answer: ss.WindowResult, consumer: Consumer, rows: list[tuple[int, str]]) -> None:
    """Late rows and counts are those of the naive consumer."""
    assert late_of(answer) == consumer.late
    stats = answer.stats
    assert (stats.late_rows, stats.partly_late_rows) == (len(consumer.late) - consumer.partly, consumer.partly)
    assert (stats.rows, stats.windows, stats.open_windows) == (len(rows), len(answer), 0)
    furthest = max((late["lateness"] for late in consumer.late), default=None)
    assert stats.max_lateness == (None if furthest is None else timedelta(seconds=furthest))
    assert stats.max_event_time == datetime.fromtimestamp(max(at for at, _ in rows), UTC)
    assert stats.watermark == datetime.fromtimestamp(consumer.value, UTC)


@pytest.mark.parametrize("kind", FIXED)
@given(rows=ARRIVALS, watermark=DELAYS, lateness=DELAYS)
def test_rows_in_order_of_arrival_are_what_a_naive_consumer_says(
    kind: str, rows: list[tuple[int, str]], watermark: int, lateness: int
) -> None:
    window, spans = FIXED[kind]
    consumer = Consumer(watermark=watermark, lateness=lateness)
    windows = consumer.fixed(rows, spans)
    answer = arrived(rows, window, watermark=watermark, lateness=lateness)
    assert bits_of(answer) == sorted((*edges, bits) for edges, bits in windows.items())
    assert_late_as(answer, consumer, rows)


@given(rows=ARRIVALS, watermark=DELAYS, lateness=DELAYS)
def test_sessions_in_order_of_arrival_are_what_a_naive_consumer_says(
    rows: list[tuple[int, str]], watermark: int, lateness: int
) -> None:
    consumer = Consumer(watermark=watermark, lateness=lateness)
    windows = consumer.sessions(rows, gap=4)
    answer = arrived(rows, ss.session("4s"), watermark=watermark, lateness=lateness)
    assert bits_of(answer) == sorted((*edges, bits) for edges, bits in windows.items())
    assert_late_as(answer, consumer, rows)


@given(rows=ARRIVALS, watermark=DELAYS, lateness=DELAYS)
def test_rolling_in_order_of_arrival_is_what_a_naive_consumer_says(
    rows: list[tuple[int, str]], watermark: int, lateness: int
) -> None:
    consumer = Consumer(watermark=watermark, lateness=lateness)
    wanted = consumer.looking_back(rows, size=10)
    answer = arrived(rows, ss.rolling("10s"), watermark=watermark, lateness=lateness)
    assert [(end, key, bits) for _, end, key, bits in bits_of(answer)] == wanted
    assert_late_as(answer, consumer, rows)


def test_flights_in_file_order_have_as_many_late_rows_as_a_naive_consumer_counts(flights: pl.DataFrame) -> None:
    hour, day = 3_600, 86_400
    latest, late = 0, 0
    for at in (flights["scheduled"].to_physical() // 1_000_000).to_list():
        late += (at // day + 1) * day <= latest - hour
        latest = max(latest, at)
    query = ss.window(flights, ss.tumble("1d"), time="scheduled", watermark="1h").by("origin").agg(n=ss.count())
    answer = query.collect(order="arrival")
    assert answer.stats.late_rows == len(answer.late) == late == 278_711
    assert sum(answer.column("n")) == flights.height - late


def test_late_rows_of_a_table_keep_their_values_and_row_numbers() -> None:
    answer = arrived([(100, "a"), (0, "b")], ss.tumble("10s"), watermark=20, lateness=0)
    assert answer.late.to_pylist() == [
        {
            "at": datetime.fromtimestamp(0, UTC),
            "key": "b",
            "bit": 2,
            "row": 1,
            "watermark": datetime.fromtimestamp(80, UTC),
            "lateness": timedelta(seconds=80),
            "windows_missed": 1,
        }
    ]


def test_late_rows_of_a_stream_say_their_shard_and_sequence_number() -> None:
    stream = new_stream()
    stream.put(b'{"at": "2026-01-01T01:00:00Z"}', key="user-1")
    late = stream.put(b'{"at": "2026-01-01T00:00:00Z"}', key="user-2")
    answer = stream.window(ss.tumble("1m"), time="at").agg(n=ss.count()).collect(order="arrival")
    [row] = answer.late.to_pylist()
    assert (row["shard_id"], row["sequence_number"]) == (late.shard_id, late.sequence_number)
    assert row["lateness"] == timedelta(hours=1)


def test_event_order_has_no_late_rows(flights: pl.DataFrame) -> None:
    answer = ss.window(flights, ss.tumble("1d"), time="scheduled").agg(n=ss.count()).collect()
    assert (len(answer.late), answer.stats.late_rows, answer.stats.watermark) == (0, 0, None)
    assert sum(answer.column("n")) == flights.height


# Bad input: the class of the error, and words that name the thing and the way out.

TABLE = pl.DataFrame(
    {
        "at": [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)],
        "key": ["a", "b"],
        "x": [1.0, 2.0],
        "whole": [1, 2],
        "list": [[1], [2]],
    }
)
MINUTE = ss.tumble("1m")


def over_table(window: ss.Window = MINUTE, time: str = "at", **options: object) -> ss.WindowQuery:
    return ss.window(TABLE, window, time=time, **options)


def nothing() -> ss.Stream:
    return new_stream()


@pytest.mark.parametrize(
    ("error", "words", "act"),
    [
        ("ColumnNotFoundError", "no column `ts`; there are `at`, `key`", lambda: over_table(time="ts").agg(ss.count())),
        ("ColumnNotFoundError", "no column `ts`", lambda: over_table().by("ts").agg(ss.count())),
        ("ColumnNotFoundError", "no column `y`; there are `at`", lambda: over_table().agg(ss.sum("y"))),
        ("ColumnTypeError", "`key` of type Utf8View.*cast", lambda: over_table().agg(ss.sum("key"))),
        ("ColumnTypeError", "`list` of type .*cast", lambda: over_table().agg(ss.max("list"))),
        ("ColumnTypeError", "`whole` is Int64.*cast", lambda: over_table(time="whole").agg(ss.count())),
        ("ColumnTypeError", "`x` is Float64.*cast", lambda: over_table(time="x").agg(ss.count())),
        (
            "InvalidArgumentException",
            '`key`: row 0 is "a".*2026-01-31T12:00:00Z',
            lambda: over_table(time="key").agg(ss.count()),
        ),
        ("InvalidArgumentException", r"computes nothing yet: add \.agg", lambda: over_table().by("key")),
        ("InvalidArgumentException", "named `key`", lambda: over_table().by("key").agg(key=ss.count())),
        ("InvalidArgumentException", "named `window_start`", lambda: over_table().agg(window_start=ss.count())),
        ("InvalidArgumentException", "named `sum_x`", lambda: over_table().agg(ss.sum("x"), ss.sum("x"))),
        ("InvalidArgumentException", "named `key`", lambda: over_table().by("key", "key").agg(ss.count())),
        ("InvalidArgumentException", "ddof is 17; give", lambda: over_table().agg(ss.var("x", ddof=17))),
        (
            "SerializationException",
            "list is not a table: pass a polars",
            lambda: ss.window([1], MINUTE, time="at").agg(ss.count()),
        ),
        (
            "ColumnNotFoundError",
            "no record has a column `y`.*`at`.*`arrival_time`",
            lambda: one_record().window(MINUTE, time="at").agg(ss.sum("y")),
        ),
    ],
)
def test_query_that_cannot_be_says_why_when_collected(error: str, words: str, act) -> None:
    query = act()
    with pytest.raises(getattr(ss.errors, error), match=words):
        query.collect()


def one_record() -> ss.Stream:
    stream = new_stream()
    stream.put(b'{"at": "2026-01-01T00:00:00Z", "x": 1}', key="user-1")
    return stream


@pytest.mark.parametrize(
    ("error", "words", "act"),
    [
        ("InvalidArgumentException", "size: .*'0s'", lambda: ss.tumble("0s")),
        ("InvalidArgumentException", "size: .*days=-1", lambda: ss.tumble(timedelta(days=-1))),
        ("InvalidArgumentException", 'size: "-1s" is not a duration; write', lambda: ss.tumble("-1s")),
        ("InvalidArgumentException", 'size: "1 minute" is not a duration; write', lambda: ss.tumble("1 minute")),
        ("SerializationException", 'size: a duration is text like "5m".*int 60', lambda: ss.tumble(60)),
        ("InvalidArgumentException", "gap: .*'0s'", lambda: ss.session("0s")),
        ("InvalidArgumentException", "size: .*'0s'", lambda: ss.rolling("0s")),
        ("InvalidArgumentException", "slide: .*'0s'", lambda: ss.hop(size="1m", slide="0s")),
        ("InvalidArgumentException", 'slide: "2m" is larger than size "1m"', lambda: ss.hop(size="1m", slide="2m")),
        (
            "InvalidArgumentException",
            '"1h" is not a multiple of step "25m"',
            lambda: ss.cumulate(size="1h", step="25m"),
        ),
        ("InvalidArgumentException", "292 years", lambda: ss.tumble("200000d")),
        ("InvalidArgumentException", "from 0 to 1, not 1.5", lambda: ss.quantile("x", 1.5)),
        ("InvalidArgumentException", "from 0 to 1, not nan", lambda: ss.quantile("x", math.nan)),
        ("InvalidArgumentException", "from 0 to 1, not True", lambda: ss.quantile("x", True)),
        ("InvalidArgumentException", "linear, .*'cubic'", lambda: ss.quantile("x", 0.5, interpolation="cubic")),
        ("InvalidArgumentException", "k is an int from 1 to 10,000, not 0", lambda: ss.top_k("x", 0)),
        ("InvalidArgumentException", "k is an int from 1 to 10,000, not 10001", lambda: ss.top_k("x", 10_001)),
        ("InvalidArgumentException", "ddof is .*-1", lambda: ss.std("x", ddof=-1)),
        ("SerializationException", "sum: a column's name is text, not int 3", lambda: ss.sum(3)),
        ("SerializationException", "ss.tumble, .*'1m'", lambda: over_table("1m")),
        ("SerializationException", "time: a column's name is text, not int 3", lambda: over_table(time=3)),
        (
            "SerializationException",
            r"by: a column's name is text, not list \['key'\]",
            lambda: over_table().by(["key"]),
        ),
        ("SerializationException", r"n is <built-in.*ss\.count\(\)", lambda: over_table().agg(n=sum)),
        ("InvalidArgumentException", "watermark: .*days=-1", lambda: over_table(watermark=timedelta(-1))),
        ("InvalidArgumentException", "null_times: one of 'raise', 'skip', not 'x'", lambda: over_table(null_times="x")),
        ("InvalidArgumentException", "idle_timeout: ", lambda: nothing().window(MINUTE, idle_timeout="0s")),
        ("InvalidArgumentException", "on_malformed: .*'x'", lambda: nothing().window(MINUTE, on_malformed="x")),
        ("InvalidArgumentException", "'x': .*'int32'", lambda: nothing().window(MINUTE, schema={"x": "int32"})),
        ("InvalidArgumentException", "'event', 'arrival', not 'x'", lambda: counting().collect(order="x")),
        ("InvalidArgumentException", "start, end and shard_id are for streams", lambda: counting().collect(start="1m")),
        ("InvalidArgumentException", r"follow\(\) is for streams.*collect\(\)", lambda: counting().follow()),
    ],
)
def test_word_of_a_query_that_cannot_be_is_an_error_at_once(error: str, words: str, act) -> None:
    with pytest.raises(getattr(ss.errors, error), match=words):
        act()


def counting() -> ss.WindowQuery:
    return over_table().agg(ss.count())


def test_shard_that_is_not_there_is_an_error_that_names_it() -> None:
    query = nothing().window(MINUTE).agg(ss.count())
    with pytest.raises(ss.errors.ResourceNotFoundException, match="shardId-000000000009"):
        query.collect(shard_id="shardId-000000000009")


NULL_TIMES = {
    "polars": pl.DataFrame({"at": [TABLE["at"][0], None]}),
    "pandas": pd.DataFrame({"at": [pd.Timestamp("2026-01-01"), pd.NaT]}),
    "text": pl.DataFrame({"at": ["2026-01-01T00:00:00Z", None]}),
}


@pytest.mark.parametrize("kind", NULL_TIMES)
def test_null_times_are_an_error_that_says_where_and_what_to_do(kind: str) -> None:
    query = ss.window(NULL_TIMES[kind], MINUTE, time="at").agg(n=ss.count())
    with pytest.raises(ss.errors.InvalidArgumentException, match=r'`at` is null in 1 row.*row 1.*null_times="skip"'):
        query.collect()


@pytest.mark.parametrize("kind", NULL_TIMES)
@pytest.mark.parametrize("order", ["event", "arrival"])
def test_null_times_are_skipped_and_counted_when_told_to(kind: str, order: str) -> None:
    query = ss.window(NULL_TIMES[kind], MINUTE, time="at", null_times="skip").agg(n=ss.count())
    answer = query.collect(order=order)
    assert (answer.column("n"), answer.stats.null_time_rows, answer.stats.rows) == ([1], 1, 2)


def test_column_of_nothing_but_nulls_without_a_type_is_an_error_that_names_it() -> None:
    rows = TABLE.with_columns(empty=pl.lit(None))
    query = ss.window(rows, MINUTE, time="at").agg(n=ss.count())
    with pytest.raises(ss.errors.InvalidArgumentException, match=r"`empty` has no type.*cast"):
        query.collect()


def test_time_too_far_from_1970_is_an_error_that_says_which_row() -> None:
    rows = pl.DataFrame({"at": pl.Series([0, 2**63 - 5], dtype=pl.Int64).cast(pl.Datetime("us"))})
    query = ss.window(rows, MINUTE, time="at").agg(n=ss.count())
    with pytest.raises(ss.errors.InvalidArgumentException, match=r"`at`: the time of row 1 is too far.*filter"):
        query.collect()


@pytest.mark.parametrize("order", ["event", "arrival"])
def test_empty_table_has_no_windows_but_their_columns(order: str) -> None:
    query = ss.window(TABLE.clear(), MINUTE, time="at").by("key").agg(n=ss.count(), total=ss.sum("x"))
    answer = pl.DataFrame(query.collect(order=order))
    wanted = {"window_start": INSTANT, "window_end": INSTANT, "key": pl.String, "n": pl.Int64, "total": pl.Float64}
    assert (answer.height, answer.schema) == (0, wanted)


def test_empty_stream_has_no_windows_but_their_columns() -> None:
    answer = nothing().window(MINUTE, time="at").by("key").agg(n=ss.count(), total=ss.sum("x")).collect()
    assert (len(answer), answer.column_names) == (0, ["window_start", "window_end", "key", "n", "total"])


GOOD = b'{"at": "2026-01-01T00:00:00Z", "x": 1}'
BROKEN = {
    "no_json": b"hello",
    "no_object": b"[1, 2]",
    "cut_off": GOOD[:-5],
    "no_text": b"\xff\xfe",
    "nothing": b"",
    "time_that_is_none": b'{"at": "tomorrow", "x": 1}',
    "time_that_is_a_number": b'{"at": 17, "x": 1}',
}


@pytest.mark.parametrize("order", ["event", "arrival"])
@pytest.mark.parametrize("kind", BROKEN)
def test_malformed_record_is_counted_and_kept(kind: str, order: str) -> None:
    stream = new_stream()
    stream.put(GOOD, key="user-1")
    broken = stream.put(BROKEN[kind], key="user-2")
    answer = stream.window(MINUTE, time="at").agg(n=ss.count(), total=ss.sum("x")).collect(order=order)
    assert (answer.column("n"), answer.stats.malformed_records) == ([1], 1)
    [kept] = answer.malformed.to_pylist()
    assert (kept["shard_id"], kept["sequence_number"]) == (broken.shard_id, broken.sequence_number)
    assert kept["data"] == BROKEN[kind]
    assert kept["reason"]


@pytest.mark.parametrize("kind", BROKEN)
def test_malformed_record_is_an_error_that_names_it_when_told_to(kind: str) -> None:
    stream = new_stream()
    stream.put(GOOD, key="user-1")
    broken = stream.put(BROKEN[kind], key="user-2")
    query = stream.window(MINUTE, time="at", on_malformed="raise").agg(n=ss.count(), total=ss.sum("x"))
    with pytest.raises(ss.errors.RecordDecodeError, match=f'{broken.sequence_number}.*on_malformed="keep"'):
        query.collect()


def test_json_value_that_does_not_fit_the_schema_is_malformed() -> None:
    stream = new_stream()
    stream.put_many([(GOOD, "user-1"), (GOOD.replace(b"1}", b'"one"}'), "user-2")])
    answer = stream.window(MINUTE, time="at", schema={"x": "int64"}).agg(total=ss.sum("x")).collect()
    assert (answer.column("total"), answer.stats.malformed_records) == ([1], 1)


def test_json_time_without_an_offset_is_utc() -> None:
    stream = new_stream()
    stream.put_many(
        [(GOOD, "user-1"), (GOOD.replace(b"Z", b""), "user-2"), (GOOD.replace(b"Z", b".5+00:00"), "user-3")]
    )
    answer = stream.window(MINUTE, time="at").agg(n=ss.count()).collect()
    assert (answer.column("n"), answer.stats.malformed_records) == ([3], 0)


def test_json_time_that_is_null_is_no_malformed_record() -> None:
    stream = new_stream()
    stream.put_many([(GOOD, "user-1"), (b'{"at": null}', "user-2"), (b"{}", "user-3")])
    answer = stream.window(MINUTE, time="at", null_times="skip").agg(n=ss.count()).collect()
    assert (answer.stats.null_time_rows, answer.stats.malformed_records) == (2, 0)


def test_json_field_missing_from_some_records_is_null_there() -> None:
    stream = one_record()
    stream.put(b'{"at": "2026-01-01T00:00:01Z"}', key="user-2")
    answer = stream.window(MINUTE, time="at").agg(n=ss.count(), known=ss.count("x")).collect()
    assert (answer.column("n"), answer.column("known")) == ([2], [1])


def test_declared_field_that_no_record_has_is_null() -> None:
    answer = one_record().window(MINUTE, time="at", schema={"y": "float64"}).agg(total=ss.sum("y")).collect()
    assert answer.column("total") == [None]


@pytest.mark.parametrize(
    ("data_type", "values"),
    [("int64", [1, 2]), ("float64", [1.0, 2.0]), ("string", ["1", "2"]), ("bool", [True, False])],
)
def test_schema_gives_json_fields_their_type(data_type: str, values: list[object]) -> None:
    stream = new_stream()
    rows = [{"at": f"2026-01-01T00:00:0{row}Z", "x": value} for row, value in enumerate(values)]
    stream.put_many([(json.dumps(row).encode(), "user-1") for row in rows])
    answer = stream.window(MINUTE, time="at", schema={"x": data_type}).agg(a=ss.first("x"), b=ss.last("x")).collect()
    [row] = answer.to_pylist()
    assert [row["a"], row["b"]] == values
    assert type(row["a"]) is type(values[0])


def test_columns_every_record_has_are_there_without_a_payload() -> None:
    stream = ss.Engine(clock=ss.ManualClock("2026-01-01T00:00:00Z")).create_stream("raw", shards=2)
    stream.put_many([(b"\x00", "user-1"), (b"\x01", "user-1"), (b"\x02", "user-2")])
    answer = stream.window(MINUTE).by("partition_key").agg(n=ss.count(), shards=ss.count_distinct("shard_id"))
    assert answer.collect().column("n") == [2, 1]


# Results are tables to every Arrow library, as often as it likes.


@pytest.fixture(scope="module")
def results(week: pl.DataFrame) -> dict[str, object]:
    """Everything that speaks Arrow: windows, late rows, malformed records, records and their rows."""
    stream = new_stream()
    stream.write(week, key="tailnum")
    put_all(stream, [(b"hello", "user-1")])
    query = stream.window(ss.tumble("6h"), time="scheduled", null_times="skip").by("origin", "carrier")
    answer = query.agg(**AGGREGATES, **ENDPOINTS).collect(order="arrival")
    records = stream.read()
    return {
        "windows": answer,
        "late": answer.late,
        "malformed": answer.malformed,
        "records": records,
        "rows": records.rows(on_error="skip"),
        "empty": ss.window(TABLE.clear(), MINUTE, time="at").agg(best=ss.top_k("key")).collect(),
    }


KINDS = ["windows", "late", "malformed", "records", "rows", "empty"]


@pytest.mark.parametrize("kind", KINDS)
def test_result_is_the_same_table_to_every_library_twice(results: dict[str, object], kind: str) -> None:
    table = results[kind]
    first = pl.DataFrame(table)
    assert first.height > 0 or kind == "empty"
    assert_frame_equal(pl.DataFrame(table), first)
    for _ in range(2):
        assert_frame_equal(pl.DataFrame(pa.table(table)), first)
        assert pd.DataFrame.from_arrow(table).shape == first.shape


@pytest.mark.parametrize("kind", KINDS)
def test_duckdb_takes_a_result_as_it_is_twice(results: dict[str, object], kind: str) -> None:
    frame = pl.DataFrame(results[kind])
    for _ in range(2):
        relation = duckdb.from_arrow(results[kind])
        assert relation.columns == frame.columns
        assert relation.count("*").fetchall() == [(frame.height,)]


def test_duckdb_reads_the_values_of_a_result(results: dict[str, object]) -> None:
    frame = pl.DataFrame(results["windows"])
    relation = duckdb.from_arrow(results["windows"])
    [sums] = relation.aggregate("sum(n), sum(total), max(window_end)::TIMESTAMP, sum(len(favourites))").fetchall()
    wanted = (frame["n"].sum(), frame["total"].sum(), frame["window_end"].dt.replace_time_zone(None).max())
    assert sums[:2] == pytest.approx(wanted[:2])
    assert sums[2] == wanted[2]
    assert sums[3] == frame["favourites"].list.len().sum()


@pytest.mark.parametrize("kind", ["windows", "late", "malformed", "rows", "empty"])
def test_python_values_of_a_result_are_those_of_polars(results: dict[str, object], kind: str) -> None:
    frame = pl.DataFrame(results[kind])
    assert results[kind].to_pylist() == frame.to_dicts()
    for name in frame.columns:
        assert results[kind].column(name) == frame[name].to_list()


def test_python_values_have_the_types_one_expects(results: dict[str, object]) -> None:
    row = results["windows"].to_pylist()[0]
    assert row["window_start"].tzinfo is not None
    assert {name: type(row[name]) for name in ("n", "average", "most", "favourites")} == {
        "n": int,
        "average": float,
        "most": str,
        "favourites": list,
    }
    assert set(row["favourites"][0]) == {"value", "count"}


def test_column_that_a_result_lacks_is_an_error_that_names_those_there(results: dict[str, object]) -> None:
    with pytest.raises(ss.errors.ColumnNotFoundError, match="`m`; there are window_start, window_end"):
        results["windows"].column("m")


def test_result_turns_into_the_frames_it_names(results: dict[str, object]) -> None:
    answer = results["windows"]
    wanted = pl.DataFrame(answer)
    assert_frame_equal(answer.to_polars(), wanted)
    assert_frame_equal(pl.DataFrame(answer.to_arrow()), wanted)
    assert list(answer.to_pandas().columns) == wanted.columns


def test_result_says_how_many_windows_and_late_rows_it_has(results: dict[str, object]) -> None:
    answer = results["windows"]
    text = repr(answer)
    assert text.startswith(f"WindowResult({len(answer):,} rows x {len(answer.column_names)} columns, ")
    assert f"{answer.stats.late_rows:,} late" in text


def test_table_from_any_library_answers_the_same(week: pl.DataFrame) -> None:
    wanted = answered(ss.window(week, MINUTE, time="scheduled"), n=ss.count(), delay=ss.mean("dep_delay"))
    sources = [week.to_arrow(), week.to_pandas(), duckdb.from_arrow(week), week.lazy().collect()]
    for source in sources:
        given = answered(ss.window(source, MINUTE, time="scheduled"), n=ss.count(), delay=ss.mean("dep_delay"))
        assert_frame_equal(given, wanted, check_dtypes=False)


def test_result_of_a_query_can_be_queried_again(week: pl.DataFrame) -> None:
    hours = ss.window(week, ss.tumble("1h"), time="scheduled").agg(n=ss.count()).collect()
    days = ss.window(hours, ss.tumble("1d"), time="window_start").agg(n=ss.sum("n")).collect()
    wanted = ss.window(week, ss.tumble("1d"), time="scheduled").agg(n=ss.count()).collect()
    assert_frame_equal(pl.DataFrame(days), pl.DataFrame(wanted))


def test_order_of_shuffled_rows_does_not_matter_to_chunks(week: pl.DataFrame) -> None:
    order = random.Random(5).sample(range(week.height), week.height)
    pieces = pl.concat([week[order[start : start + 97]] for start in range(0, week.height, 97)], rechunk=False)
    given = answered(ss.window(pieces, ss.hop(size="5h", slide="2h"), time="scheduled"), **AGGREGATES)
    wanted = answered(ss.window(week, ss.hop(size="5h", slide="2h"), time="scheduled"), **AGGREGATES)
    assert_frame_equal(given, wanted, check_exact=True)


def test_text_among_json_numbers_is_malformed_and_the_numbers_are_summed():
    stream = ss.Engine().create_stream("amounts", shards=2)
    for amount in ("1", '"12"', "2.5", "null"):
        stream.put(f'{{"at": "2026-01-01T00:00:00Z", "amount": {amount}}}'.encode(), key="k")
    result = stream.window(ss.tumble("1m"), time="at").agg(n=ss.count(), total=ss.sum("amount")).collect()
    assert (result.column("n"), result.column("total")) == ([3], [3.5])
    assert result.stats.malformed_records == 1
    assert result.malformed.column("data") == [b'{"at": "2026-01-01T00:00:00Z", "amount": "12"}']


def test_sum_of_json_text_alone_is_refused():
    stream = ss.Engine().create_stream("amounts", shards=2)
    stream.put(b'{"at": "2026-01-01T00:00:00Z", "amount": "12"}', key="k")
    with pytest.raises(ss.errors.ColumnTypeError, match="amount"):
        stream.window(ss.tumble("1m"), time="at").agg(total=ss.sum("amount")).collect()
