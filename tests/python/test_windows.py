"""Every kind of window with every aggregate, against polars and DuckDB, on the flights and on generated disorder."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb
import hypothesis.strategies as st
import polars as pl
import pytest
from hypothesis import given
from polars.testing import assert_frame_equal

import shardstream as ss

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
INSTANT = pl.Datetime("us", "UTC")
EXACT_VALUES_MAX = 1_024
QUANTILES = ["low", "high", "middle"]
EDGES = ["window_start", "window_end"]


@dataclass(frozen=True)
class Case:
    """A window, and how a table's rows are laid into it by hand: a row for each row and window it lies in."""

    window: ss.Window
    explode: Callable[[pl.DataFrame, list[str]], pl.DataFrame]


def hops(size: int, slide: int, offset: int = 0) -> Callable[[pl.DataFrame, list[str]], pl.DataFrame]:
    def explode(rows: pl.DataFrame, _keys: list[str]) -> pl.DataFrame:
        at = pl.col("at").to_physical() - offset
        starts = pl.int_ranges((at - size) // slide + 1, at // slide + 1) * slide + offset
        laid = rows.with_columns(window_start=starts).explode("window_start")
        return laid.with_columns(window_end=pl.col("window_start") + size)

    return explode


def growing(size: int, step: int, offset: int = 0) -> Callable[[pl.DataFrame, list[str]], pl.DataFrame]:
    def explode(rows: pl.DataFrame, _keys: list[str]) -> pl.DataFrame:
        at = pl.col("at").to_physical() - offset
        start = at // size * size
        steps = pl.int_ranges((at - start) // step + 1, size // step + 1)
        laid = rows.with_columns(window_start=start + offset, steps=steps).explode("steps")
        return laid.with_columns(window_end=pl.col("window_start") + pl.col("steps") * step).drop("steps")

    return explode


def islands(gap: int) -> Callable[[pl.DataFrame, list[str]], pl.DataFrame]:
    """Gaps and islands, as SQL knows them."""

    def explode(rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
        ticks = duckdb.from_arrow(rows.with_columns(t=pl.col("at").to_physical()))
        by = ", ".join(["0", *keys])
        laid = ticks.query(
            "ticks",
            f"""
            WITH gaps AS (
                SELECT *, coalesce(t - lag(t) OVER (PARTITION BY {by} ORDER BY t) >= {gap}, true) AS opens FROM ticks),
            islands AS (
                SELECT *, sum(opens::INT) OVER (PARTITION BY {by} ORDER BY t RANGE UNBOUNDED PRECEDING) AS island
                FROM gaps)
            SELECT * EXCLUDE (t, opens, island),
                min(t) OVER (PARTITION BY {by}, island) AS window_start,
                max(t) OVER (PARTITION BY {by}, island) + {gap} AS window_end
            FROM islands""",
        ).pl()
        return laid.with_columns(pl.col("at").cast(INSTANT))

    return explode


def looking_back(size: int) -> Callable[[pl.DataFrame, list[str]], pl.DataFrame]:
    """Each row with all rows of its key that lie in `(its time - size, its time]`."""

    def explode(rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
        by = [pl.col(key) for key in keys] + [pl.lit(0).alias("everyone")]
        eyes = rows.select(*by, pl.col("at").to_physical().alias("eye"), pl.col("arrival").alias("eye_row"))
        seen = rows.with_columns(pl.lit(0).alias("everyone"))
        laid = eyes.join(seen, on=[*keys, "everyone"], nulls_equal=True).drop("everyone")
        t = pl.col("at").to_physical()
        laid = laid.filter((pl.col("eye") - size < t) & (t <= pl.col("eye")))
        return laid.with_columns(window_start=pl.col("eye") - size, window_end=pl.col("eye")).drop("eye")

    return explode


CASES = {
    "tumble": Case(ss.tumble("10m"), hops(10 * MINUTE, 10 * MINUTE)),
    "tumble_offset": Case(ss.tumble("10m", offset="3m"), hops(10 * MINUTE, 10 * MINUTE, 3 * MINUTE)),
    "hop": Case(ss.hop(size="15m", slide="5m"), hops(15 * MINUTE, 5 * MINUTE)),
    "hop_uneven": Case(ss.hop(size="10m", slide="4m", offset="1m"), hops(10 * MINUTE, 4 * MINUTE, MINUTE)),
    "session": Case(ss.session("5m"), islands(5 * MINUTE)),
    "cumulate": Case(ss.cumulate(size="1h", step="20m", offset="7m"), growing(HOUR, 20 * MINUTE, 7 * MINUTE)),
    "rolling": Case(ss.rolling("10m"), looking_back(10 * MINUTE)),
}
LONG_CASES = {
    "tumble": Case(ss.tumble("1d", offset="5h"), hops(DAY, DAY, 5 * HOUR)),
    "hop": Case(ss.hop(size="36h", slide="12h"), hops(36 * HOUR, 12 * HOUR)),
    "hop_uneven": Case(ss.hop(size="10h", slide="4h"), hops(10 * HOUR, 4 * HOUR)),
    "session": Case(ss.session("90m"), islands(90 * MINUTE)),
    "cumulate": Case(ss.cumulate(size="1d", step="8h"), growing(DAY, 8 * HOUR)),
}


def asked(number: str, text: str) -> dict[str, ss.Aggregate]:
    """Every aggregate there is, over a column of numbers and one of text."""
    return {
        "n": ss.count(),
        "known": ss.count(number),
        "total": ss.sum(number),
        "average": ss.mean(number),
        "least": ss.min(number),
        "most": ss.max(number),
        "opening": ss.first(number),
        "closing": ss.last(number),
        "opening_known": ss.first(number, ignore_nulls=True),
        "closing_known": ss.last(number, ignore_nulls=True),
        "spread": ss.var(number),
        "deviation": ss.std(number, ddof=0),
        "kinds": ss.count_distinct(text),
        "about_kinds": ss.approx_count_distinct(text),
        "low": ss.quantile(number, 0.05),
        "high": ss.quantile(number, 0.9, interpolation="lower"),
        "middle": ss.median(number),
        "least_text": ss.min(text),
        "favourites": ss.top_k(text, 3),
    }


def by_polars(laid: pl.DataFrame, groups: list[str], number: str, text: str) -> pl.DataFrame:
    """The same, by polars, over rows that are laid into their windows."""
    x, word = pl.col(number), pl.col(text)
    laid = laid.sort("at", "arrival")
    answers = laid.group_by(groups).agg(
        n=pl.len().cast(pl.Int64),
        known=x.count().cast(pl.Int64),
        total=pl.when(x.count() > 0).then(x.sum()),
        average=x.mean(),
        least=x.min(),
        most=x.max(),
        opening=x.first(),
        closing=x.last(),
        opening_known=x.drop_nulls().first(),
        closing_known=x.drop_nulls().last(),
        spread=x.var(),
        deviation=x.std(ddof=0),
        kinds=word.drop_nulls().n_unique().cast(pl.Int64),
        about_kinds=word.drop_nulls().n_unique().cast(pl.Int64),
        low=x.quantile(0.05, "linear"),
        high=x.quantile(0.9, "lower"),
        middle=x.quantile(0.5, "linear"),
        least_text=word.min(),
        words=word.drop_nulls(),
    )
    favourites = [
        [{"value": value, "count": count} for value, count in sorted(Counter(words).items(), key=most_frequent)[:3]]
        for words in answers["words"].to_list()
    ]
    kind = pl.List(pl.Struct({"value": pl.String, "count": pl.Int64}))
    return answers.drop("words").with_columns(pl.Series("favourites", favourites, dtype=kind))


def most_frequent(item: tuple[str, int]) -> tuple[int, str]:
    value, count = item
    return -count, value


def expected(case: Case, rows: pl.DataFrame, keys: list[str], number: str, text: str) -> pl.DataFrame:
    rows = rows.with_row_index("arrival")
    laid = case.explode(rows, keys)
    each_row = ["eye_row"] if "eye_row" in laid.columns else []
    answers = by_polars(laid, EDGES + keys + each_row, number, text).with_columns(pl.col(EDGES).cast(INSTANT))
    if each_row:
        return answers.sort("window_end", "eye_row").drop("eye_row")
    return answers.sort(EDGES + keys, nulls_last=True)


def assert_same(answer: ss.WindowResult, wanted: pl.DataFrame) -> None:
    """Equal to the last row, column and type; quantiles of more than 1,024 values within 0.4 %."""
    given = pl.DataFrame(answer)
    exact = pl.col("known") <= EXACT_VALUES_MAX
    assert_frame_equal(given.drop(QUANTILES), wanted.drop(QUANTILES), rel_tol=1e-9, abs_tol=1e-9)
    assert_frame_equal(given.filter(exact), wanted.filter(exact), rel_tol=1e-9, abs_tol=1e-9)
    assert_frame_equal(given.filter(~exact), wanted.filter(~exact), rel_tol=0.004, abs_tol=1e-9)


def cut(rows: pl.DataFrame, size: int) -> pl.DataFrame:
    """The same rows in chunks of this many."""
    pieces = [rows.slice(start, size) for start in range(0, rows.height, size)]
    return pl.concat(pieces, rechunk=False) if pieces else rows


NUMBERS = st.none() | st.sampled_from([float("nan"), 0.0, -0.0, 1e9]) | st.integers(-400, 400).map(lambda n: n / 4)
SECONDS = st.integers(-7_200, 7_200) | st.integers(-120, 120).map(lambda minutes: minutes * 60)
ROWS = st.lists(
    st.tuples(
        SECONDS,
        st.sampled_from(["a", "b", "", None]),
        st.sampled_from([1, 2, None]),
        NUMBERS,
        st.sampled_from(["x", "y", "zz", "", None]),
    ),
    max_size=40,
)


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    """Small tables in any order: nulls, NaN, ties, times before 1970, duplicates, none at all, chunks of all sizes."""
    rows = draw(ROWS)
    schema = {"at": pl.Int64, "key": pl.String, "other": pl.Int64, "x": pl.Float64, "word": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return cut(frame.with_columns((pl.col("at") * 1_000_000).cast(INSTANT)), draw(st.integers(1, 20)))


@pytest.mark.parametrize("keys", [[], ["key"], ["key", "other"]], ids=["nobody", "key", "keys"])
@pytest.mark.parametrize("kind", CASES)
@given(rows=tables())
def test_every_aggregate_over_generated_rows_is_what_polars_says(
    kind: str, keys: list[str], rows: pl.DataFrame
) -> None:
    case = CASES[kind]
    answer = ss.window(rows, case.window, time="at").by(*keys).agg(**asked("x", "word")).collect()
    assert_same(answer, expected(case, rows, keys, "x", "word"))


@pytest.mark.parametrize("keys", [[], ["origin"], ["origin", "carrier"]], ids=["nobody", "origin", "both"])
@pytest.mark.parametrize("kind", LONG_CASES)
def test_every_aggregate_over_flights_is_what_polars_says(flights: pl.DataFrame, kind: str, keys: list[str]) -> None:
    case = LONG_CASES[kind]
    rows = flights.rename({"scheduled": "at"}).filter(pl.col("at").dt.month() <= 2)
    answer = ss.window(rows, case.window, time="at").by(*keys).agg(**asked("dep_delay", "dest")).collect()
    assert_same(answer, expected(case, rows, keys, "dep_delay", "dest"))


def test_rolling_over_flights_by_carrier_is_what_polars_rolling_says(flights: pl.DataFrame) -> None:
    rows = flights.rename({"scheduled": "at"}).filter(pl.col("at").dt.month() == 2)
    aggregates = asked("dep_delay", "dest")
    del aggregates["favourites"]
    answer = pl.DataFrame(ss.window(rows, ss.rolling("3h"), time="at").by("carrier").agg(**aggregates).collect())
    x, word = pl.col("dep_delay"), pl.col("dest")
    ordered = rows.sort("at", maintain_order=True)
    wanted = ordered.rolling("at", period="3h", closed="right", group_by="carrier").agg(
        n=pl.len().cast(pl.Int64),
        known=x.count().cast(pl.Int64),
        total=pl.when(x.count() > 0).then(x.sum()),
        average=x.mean(),
        least=x.min(),
        most=x.max(),
        opening=x.first(),
        closing=x.last(),
        opening_known=x.drop_nulls().first(),
        closing_known=x.drop_nulls().last(),
        spread=x.var(),
        deviation=x.std(ddof=0),
        kinds=word.n_unique().cast(pl.Int64),
        about_kinds=word.n_unique().cast(pl.Int64),
        low=x.quantile(0.05, "linear"),
        high=x.quantile(0.9, "lower"),
        middle=x.median(),
        least_text=word.min(),
    )
    wanted = wanted.sort("at", "carrier").rename({"at": "window_end"})
    answer = answer.sort("window_end", "carrier")
    assert_frame_equal(answer.drop("window_start"), wanted.select(answer.columns[1:]), rel_tol=1e-9, abs_tol=1e-9)


def test_tumble_over_all_flights_is_what_polars_dynamic_groups_say(flights: pl.DataFrame) -> None:
    query = ss.window(flights, ss.tumble("1d"), time="scheduled").by("origin")
    answer = pl.DataFrame(query.agg(n=ss.count(), late=ss.mean("dep_delay")).collect())
    days = flights.sort("scheduled").group_by_dynamic("scheduled", every="1d", group_by="origin")
    wanted = days.agg(n=pl.len().cast(pl.Int64), late=pl.mean("dep_delay")).sort("scheduled", "origin")
    assert_frame_equal(
        answer.drop("window_end").rename({"window_start": "scheduled"}),
        wanted.select("scheduled", "origin", "n", "late"),
    )


def at(*seconds: float) -> pl.DataFrame:
    """Rows at these seconds of 1970, numbered."""
    microseconds = pl.Series("at", [round(second * 1_000_000) for second in seconds], dtype=pl.Int64)
    return pl.DataFrame({"at": microseconds.cast(INSTANT), "row": range(len(seconds))})


def edges(answer: ss.WindowResult) -> list[tuple[float, float, int]]:
    """Starts and ends in seconds of 1970, with how many rows."""
    rows = answer.to_pylist()
    return [(row["window_start"].timestamp(), row["window_end"].timestamp(), row["n"]) for row in rows]


def counted(rows: pl.DataFrame, window: ss.Window) -> list[tuple[float, float, int]]:
    return edges(ss.window(rows, window, time="at").agg(n=ss.count()).collect())


def test_row_at_a_tumbling_edge_belongs_to_the_window_that_starts_there() -> None:
    assert counted(at(59.999999, 60), ss.tumble("1m")) == [(0, 60, 1), (60, 120, 1)]


def test_row_before_1970_lies_in_the_window_below_zero() -> None:
    assert counted(at(-0.000001, -60), ss.tumble("1m")) == [(-60, 0, 2)]


def test_offset_beyond_the_size_shifts_as_its_remainder() -> None:
    rows = at(0, 29, 30, 90)
    assert counted(rows, ss.tumble("1m", offset="150s")) == counted(rows, ss.tumble("1m", offset="30s"))


def test_negative_offset_shifts_windows_back() -> None:
    rows = at(0, 49, 50)
    assert counted(rows, ss.tumble("1m", offset=timedelta(seconds=-10))) == [(-10, 50, 2), (50, 110, 1)]


def test_first_row_of_hops_lies_in_the_leading_windows() -> None:
    assert counted(at(0), ss.hop(size="3m", slide="1m")) == [(-120, 60, 1), (-60, 120, 1), (0, 180, 1)]


def test_rows_a_gap_apart_are_two_sessions() -> None:
    assert counted(at(0, 60), ss.session("1m")) == [(0, 60, 1), (60, 120, 1)]


def test_rows_just_under_a_gap_apart_are_one_session() -> None:
    assert counted(at(0, 59.999999), ss.session("1m")) == [(0, 119.999999, 2)]


def test_row_that_bridges_two_sessions_makes_them_one() -> None:
    assert counted(at(0, 100, 50), ss.session("1m")) == [(0, 160, 3)]


def test_session_of_one_row_is_a_gap_long() -> None:
    assert counted(at(7), ss.session("30m")) == [(7, 7 + 1800, 1)]


def test_cumulating_windows_grow_from_the_first_row_on() -> None:
    assert counted(at(70, 130), ss.cumulate(size="4m", step="1m")) == [(0, 120, 1), (0, 180, 2), (0, 240, 2)]


def test_rolling_window_leaves_out_the_row_a_size_before() -> None:
    assert counted(at(0, 60), ss.rolling("1m")) == [(-60, 0, 1), (0, 60, 1)]


def test_rolling_rows_of_one_time_see_each_other() -> None:
    assert counted(at(5, 5), ss.rolling("1m")) == [(-55, 5, 2), (-55, 5, 2)]


def test_rolling_gives_rows_of_one_time_in_order_of_arrival() -> None:
    rows = at(5, 1, 5, 1).with_columns(key=pl.col("row").cast(pl.String).str.replace("[02]", "z"))
    answer = ss.window(rows, ss.rolling("1m"), time="at").by("key").agg(n=ss.count()).collect()
    assert answer.column("key") == ["1", "3", "z", "z"]


@pytest.mark.parametrize(
    ("kind", "unit"),
    [
        (pl.Datetime("ms"), "ms"),
        (pl.Datetime("us"), "us"),
        (pl.Datetime("ns", "UTC"), "ns"),
        (pl.Datetime("us", "America/New_York"), "us"),
        (pl.Date, "ms"),
    ],
    ids=str,
)
def test_time_of_any_unit_and_zone_gives_windows_in_utc(kind: pl.DataType, unit: str) -> None:
    rows = at(0, 86_399, 86_400).select(pl.col("at").cast(kind))
    answer = pl.DataFrame(ss.window(rows, ss.tumble("1d"), time="at").agg(n=ss.count()).collect())
    days = [datetime(1970, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    wanted = pl.DataFrame(
        {"window_start": days[:2], "window_end": days[1:], "n": [2, 1]},
        schema={"window_start": pl.Datetime(unit, "UTC"), "window_end": pl.Datetime(unit, "UTC"), "n": pl.Int64},
    )
    assert_frame_equal(answer, wanted)


def test_time_in_text_is_read_with_its_offset_and_without_one_as_utc() -> None:
    rows = pl.DataFrame({"at": ["1970-01-01T00:00:59Z", "1970-01-01T02:00:01+02:00", "1970-01-01 00:01:00"]})
    assert counted(rows, ss.tumble("1m")) == [(0, 60, 2), (60, 120, 1)]


def test_windows_finer_than_a_microsecond_are_told_apart() -> None:
    rows = pl.DataFrame({"at": pl.Series([0, 249, 250, 999], dtype=pl.Int64).cast(pl.Datetime("ns"))})
    answer = pl.DataFrame(ss.window(rows, ss.tumble("250ns"), time="at").agg(n=ss.count()).collect())
    assert answer.select(pl.col("window_start").to_physical(), "n").rows() == [(0, 2), (250, 1), (750, 1)]


@pytest.mark.parametrize(
    ("window", "text"),
    [
        (ss.tumble("90s"), 'tumble(size="90s")'),
        (ss.tumble("1d", offset="5h"), 'tumble(size="1d", offset="5h")'),
        (ss.hop(size="5m", slide="1m"), 'hop(size="5m", slide="1m")'),
        (ss.session("1500ms"), 'session(gap="1500ms")'),
        (ss.cumulate(size="1d", step="1h"), 'cumulate(size="1d", step="1h")'),
        (ss.rolling(timedelta(microseconds=7)), 'rolling(size="7us")'),
    ],
    ids=repr,
)
def test_window_says_itself_as_it_was_written(window: ss.Window, text: str) -> None:
    assert repr(window) == text
