"""Each aggregate by itself: types, nulls, NaN, ties, bounds of error, against polars, numpy and exact arithmetic."""

import math
import statistics
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import hypothesis.strategies as st
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from polars.testing import assert_frame_equal, assert_series_equal

import shardstream as ss

NAN, INF = float("nan"), float("inf")
INTERPOLATIONS = ["linear", "lower", "higher", "nearest", "midpoint"]
SHARES = [0.0, 0.01, 0.25, 0.5, 0.75, 0.95, 1.0]


def in_one_window(values: pl.Series) -> ss.WindowQuery:
    """The values as column `x` of rows of one window, a second apart."""
    at = pl.Series("at", range(0, values.len() * 1_000, 1_000), dtype=pl.Int64).cast(pl.Datetime("ms", "UTC"))
    return ss.window(pl.DataFrame({"at": at, "x": values}), ss.tumble("100d"), time="at")


def computed(values: pl.Series | list, aggregate: ss.Aggregate) -> object:
    """What an aggregate of column `x` says of these values."""
    values = values if isinstance(values, pl.Series) else pl.Series("x", values)
    [answer] = in_one_window(values).agg(answer=aggregate).collect().column("answer")
    return answer


def column(values: pl.Series, aggregate: ss.Aggregate) -> pl.Series:
    """The same, as polars takes it, with its type."""
    return pl.DataFrame(in_one_window(values).agg(answer=aggregate).collect())["answer"]


WHOLE = [pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64]


@pytest.mark.parametrize("kind", [*WHOLE, pl.Float32, pl.Float64, pl.Boolean], ids=str)
@pytest.mark.parametrize(
    ("aggregate", "by_polars"),
    [
        (ss.mean("x"), lambda x: x.mean()),
        (ss.min("x"), lambda x: x.min()),
        (ss.max("x"), lambda x: x.max()),
        (ss.var("x"), lambda x: x.cast(pl.Float64).var()),
        (ss.std("x", ddof=0), lambda x: x.cast(pl.Float64).std(ddof=0)),
        (ss.median("x"), lambda x: x.cast(pl.Float64).median()),
        (ss.first("x"), lambda x: x.first()),
        (ss.last("x", ignore_nulls=True), lambda x: x.drop_nulls().last()),
        (ss.count("x"), lambda x: x.count()),
        (ss.count_distinct("x"), lambda x: x.drop_nulls().n_unique()),
        (ss.approx_count_distinct("x"), lambda x: x.drop_nulls().n_unique()),
        (ss.sum("x"), lambda x: x.sum()),
    ],
    ids=lambda value: value.function if isinstance(value, ss.Aggregate) else "",
)
def test_aggregate_of_every_number_type_is_what_polars_says(kind, aggregate, by_polars) -> None:
    values = pl.Series("x", [1, 0, None, 1, 100 % 2, None, 1]) * (1 if kind == pl.Boolean else 17)
    values = values.cast(kind)
    assert computed(values, aggregate) == pytest.approx(by_polars(values), rel=1e-12)


@pytest.mark.parametrize("kind", [*WHOLE, pl.Boolean], ids=str)
def test_sum_of_whole_numbers_is_a_whole_number(kind) -> None:
    answer = column(pl.Series("x", [1, 1, None]).cast(kind), ss.sum("x"))
    wide = pl.UInt64 if kind == pl.UInt64 else pl.Int64
    assert_series_equal(answer, pl.Series("answer", [2], dtype=wide))


@pytest.mark.parametrize("kind", [pl.Float32, pl.Float64], ids=str)
def test_sum_of_floats_is_a_float64(kind) -> None:
    assert_series_equal(column(pl.Series("x", [0.5, 0.25], dtype=kind), ss.sum("x")), pl.Series("answer", [0.75]))


ORDERED = {
    "text": (["b", None, "a", "", "b"], pl.String),
    "category": (["b", None, "a", "", "b"], pl.Categorical),
    "bytes": ([b"\xff", None, b"a", b"", b"\xff"], pl.Binary),
    "date": ([date(2013, 2, 1), None, date(1901, 1, 1), date(2013, 2, 1)], pl.Date),
    "instant": ([datetime(2013, 2, 1, tzinfo=UTC), None, datetime(1901, 1, 1, tzinfo=UTC)], pl.Datetime("us", "UTC")),
    "span": ([timedelta(days=2), None, timedelta(microseconds=-1)], pl.Duration("us")),
    "time": ([time(23, 59), None, time(0, 0, 1), time(23, 59)], pl.Time),
    "decimal": ([Decimal("1.50"), None, Decimal("-0.25"), Decimal("1.50")], pl.Decimal(10, 2)),
    "bool": ([True, None, False, True], pl.Boolean),
}


@pytest.mark.parametrize("name", ORDERED)
@pytest.mark.parametrize(
    ("aggregate", "of_known"),
    [
        (ss.min("x"), min),
        (ss.max("x"), max),
        (ss.count_distinct("x"), lambda known: len(set(known))),
        (ss.approx_count_distinct("x"), lambda known: len(set(known))),
        (ss.first("x"), lambda known: known[0]),
        (ss.last("x", ignore_nulls=True), lambda known: known[-1]),
        (ss.top_k("x", 1), lambda known: [{"value": max(known), "count": known.count(max(known))}]),
    ],
    ids=lambda value: value.function if isinstance(value, ss.Aggregate) else "",
)
def test_aggregate_of_every_ordered_type_keeps_the_type(name, aggregate, of_known) -> None:
    values, kind = ORDERED[name]
    known = [value for value in values if value is not None]
    # Each greatest value comes twice, so that it is the favourite.
    values, known = [*values, max(known)], [*known, max(known)]
    [answer] = column(pl.Series("x", values, dtype=kind), aggregate).to_list()
    assert answer == of_known(known)


@pytest.mark.parametrize(
    ("aggregate", "answer"),
    [
        (ss.count(), 3),
        (ss.count("x"), 0),
        (ss.sum("x"), None),
        (ss.mean("x"), None),
        (ss.min("x"), None),
        (ss.max("x"), None),
        (ss.first("x"), None),
        (ss.last("x", ignore_nulls=True), None),
        (ss.var("x"), None),
        (ss.std("x", ddof=0), None),
        (ss.count_distinct("x"), 0),
        (ss.approx_count_distinct("x"), 0),
        (ss.quantile("x", 0.9), None),
        (ss.median("x"), None),
        (ss.top_k("x"), []),
    ],
    ids=repr,
)
def test_aggregate_of_nothing_but_nulls_is_what_sql_says(aggregate, answer) -> None:
    assert computed(pl.Series("x", [None, None, None], dtype=pl.Float64), aggregate) == answer


FLOATS = st.lists(
    st.none() | st.sampled_from([NAN, INF, -INF, 0.0, -0.0]) | st.integers(-50, 50).map(float), min_size=1
)


@given(FLOATS)
def test_nan_and_infinities_are_what_polars_makes_of_them(values: list[float | None]) -> None:
    x = pl.col("x")
    frame = pl.DataFrame({"x": pl.Series("x", values, dtype=pl.Float64)})
    query = in_one_window(frame["x"]).agg(
        known=ss.count("x"),
        total=ss.sum("x"),
        average=ss.mean("x"),
        least=ss.min("x"),
        most=ss.max("x"),
        kinds=ss.count_distinct("x"),
        about=ss.approx_count_distinct("x"),
        opening=ss.first("x"),
        closing=ss.last("x"),
        low=ss.quantile("x", 0.2, interpolation="lower"),
        high=ss.quantile("x", 0.8, interpolation="higher"),
    )
    wanted = frame.select(
        known=x.count().cast(pl.Int64),
        total=pl.when(x.count() > 0).then(x.sum()),
        average=x.mean(),
        least=x.min(),
        most=x.max(),
        kinds=x.drop_nulls().n_unique().cast(pl.Int64),
        about=x.drop_nulls().n_unique().cast(pl.Int64),
        opening=x.first(),
        closing=x.last(),
        low=x.quantile(0.2, "lower"),
        high=x.quantile(0.8, "higher"),
    )
    assert_frame_equal(pl.DataFrame(query.collect()).drop("window_start", "window_end"), wanted)


@pytest.mark.parametrize("aggregate", [ss.var("x"), ss.std("x")], ids=repr)
@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_variance_with_a_value_that_is_not_finite_is_nan(aggregate, bad: float) -> None:
    assert math.isnan(computed([1.0, bad, 2.0], aggregate))


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@given(values=st.lists(st.integers(-1_000, 1_000).map(lambda n: n / 8), min_size=1, max_size=30))
def test_quantile_of_a_small_group_is_what_numpy_says(interpolation: str, values: list[float]) -> None:
    asked = {f"q{share}": ss.quantile("x", share, interpolation=interpolation) for share in SHARES}
    [answer] = in_one_window(pl.Series("x", values)).agg(**asked).collect().to_pylist()
    wanted = np.quantile(values, SHARES, method=interpolation)
    assert [answer[f"q{share}"] for share in SHARES] == pytest.approx(wanted, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("count", [1, 2, 1_023, 1_024])
def test_quantile_up_to_1024_values_is_exact(count: int) -> None:
    values = np.random.default_rng(7).lognormal(3, 2, count)
    asked = {f"q{share}": ss.quantile("x", share) for share in SHARES}
    [answer] = in_one_window(pl.Series("x", values)).agg(**asked).collect().to_pylist()
    wanted = np.quantile(values, SHARES)
    assert [answer[f"q{share}"] for share in SHARES] == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_quantile_of_a_large_group_is_off_by_less_than_its_bound(interpolation: str, sign: int) -> None:
    values = sign * np.random.default_rng(7).lognormal(3, 2, 20_001)
    asked = {f"q{share}": ss.quantile("x", share, interpolation=interpolation) for share in SHARES}
    [answer] = in_one_window(pl.Series("x", values)).agg(**asked).collect().to_pylist()
    wanted = np.quantile(values, SHARES, method=interpolation)
    given = np.array([answer[f"q{share}"] for share in SHARES])
    assert (abs(given - wanted) < 0.004 * abs(wanted)).all()
    assert given[[0, -1]] == pytest.approx(wanted[[0, -1]], rel=1e-12)


def test_quantile_counts_nan_as_the_greatest_value() -> None:
    values = [3.0, NAN, 1.0, 2.0]
    answers = [computed(values, ss.quantile("x", share, interpolation="lower")) for share in (0, 0.5, 0.67, 1)]
    assert answers == pytest.approx([1.0, 2.0, 3.0, NAN], nan_ok=True)


@pytest.mark.parametrize("count", [1, 511, 512])
def test_approx_count_distinct_of_a_small_group_is_exact(count: int) -> None:
    assert computed(pl.Series("x", range(count)).append(pl.Series("x", range(count))), DISTINCT) == count


@pytest.mark.parametrize("text", [False, True], ids=["numbers", "text"])
@pytest.mark.parametrize("count", [513, 5_000, 50_000])
def test_approx_count_distinct_of_a_large_group_is_near(count: int, *, text: bool) -> None:
    values = pl.Series("x", range(0, 7 * count, 7))
    assert computed(values.cast(pl.String) if text else values, DISTINCT) == pytest.approx(count, rel=0.03)


DISTINCT = ss.approx_count_distinct("x")


def test_count_distinct_of_a_large_group_is_exact() -> None:
    values = pl.Series("x", [number % 30_011 for number in range(50_000)]).cast(pl.String)
    assert computed(values, ss.count_distinct("x")) == 30_011


@given(
    st.lists(st.floats(1e-6, 1e6) | st.floats(-1e6, -1e-6) | st.just(0.0), min_size=1),
    st.randoms(use_true_random=False),
)
def test_sum_of_floats_is_the_exact_one_rounded_in_any_order(values: list[float], random) -> None:
    shuffled = random.sample(values, len(values))
    assert computed(values, ss.sum("x")) == computed(shuffled, ss.sum("x")) == math.fsum(values)


def test_sum_of_floats_that_cancel_keeps_what_is_small() -> None:
    assert computed([1e16, 1.0, -1e16], ss.sum("x")) == 1.0


def test_sum_past_64_bits_is_an_error_that_names_the_column() -> None:
    values = pl.Series("x", [2**63 - 1, 1], dtype=pl.Int64)
    with pytest.raises(ss.errors.InvalidArgumentException, match=r"`x` is 9223372036854775808.*float64"):
        computed(values, ss.sum("x"))


def test_sum_that_only_passes_64_bits_on_its_way_is_right() -> None:
    values = pl.Series("x", [2**63 - 1, 2**63 - 1, -(2**63 - 1)], dtype=pl.Int64)
    assert computed(values, ss.sum("x")) == 2**63 - 1


def test_mean_of_large_whole_numbers_does_not_overflow() -> None:
    values = pl.Series("x", [2**63 - 1, 2**63 - 3], dtype=pl.Int64)
    assert computed(values, ss.mean("x")) == pytest.approx(2.0**63, rel=1e-15)


@pytest.mark.parametrize("ddof", [0, 1, 2])
def test_variance_of_close_values_far_from_zero_is_the_exact_one(ddof: int) -> None:
    values = [1e9 + n / 4 for n in (1, 5, 2, 8, 3)]
    exact = float(statistics.pvariance([Decimal(value) for value in values]) * len(values) / (len(values) - ddof))
    assert computed(values, ss.var("x", ddof=ddof)) == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize(("count", "ddof"), [(1, 1), (2, 2), (1, 3)])
def test_variance_of_no_more_values_than_ddof_is_null(count: int, ddof: int) -> None:
    assert computed([1.0] * count, ss.var("x", ddof=ddof)) is None


def test_standard_deviation_is_the_root_of_the_variance() -> None:
    values = [1.0, 2.0, 4.0, 8.0]
    assert computed(values, ss.std("x")) == pytest.approx(statistics.stdev(values), rel=1e-14)


def moments(*rows: tuple[int, float | None]) -> ss.WindowQuery:
    """Rows of one window in order of arrival: their second, and their value."""
    frame = pl.DataFrame(rows, schema={"at": pl.Int64, "x": pl.Float64}, orient="row")
    return ss.window(frame.with_columns((pl.col("at") * 1_000).cast(pl.Datetime("ms"))), ss.tumble("1h"), time="at")


def endpoints(query: ss.WindowQuery, *, ignore_nulls: bool = False) -> tuple[object, object]:
    query = query.agg(first=ss.first("x", ignore_nulls=ignore_nulls), last=ss.last("x", ignore_nulls=ignore_nulls))
    [row] = query.collect().to_pylist()
    return row["first"], row["last"]


def test_first_and_last_follow_event_time_whatever_arrived_first() -> None:
    assert endpoints(moments((5, 50.0), (1, 10.0), (9, 90.0), (3, 30.0))) == (10.0, 90.0)


def test_first_and_last_of_equal_times_follow_arrival() -> None:
    assert endpoints(moments((5, 1.0), (5, 2.0), (5, 3.0))) == (1.0, 3.0)


def test_first_and_last_are_null_where_their_row_has_none() -> None:
    assert endpoints(moments((1, None), (2, 2.0), (3, None))) == (None, None)


def test_first_and_last_pass_over_nulls_when_told_to() -> None:
    assert endpoints(moments((1, None), (2, 2.0), (3, None)), ignore_nulls=True) == (2.0, 2.0)


@given(st.lists(st.sampled_from(["a", "b", "c", "d", "", None])), st.integers(1, 6))
def test_top_k_is_what_a_counter_says(values: list[str | None], k: int) -> None:
    values = [*values, None]
    counts = Counter(value for value in values if value is not None)
    wanted = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:k]
    assert computed(pl.Series("x", values, dtype=pl.String), ss.top_k("x", k)) == [
        {"value": value, "count": count} for value, count in wanted
    ]


def test_top_k_gives_ten_values_where_k_is_not_said() -> None:
    answer = computed(pl.Series("x", range(50)), ss.top_k("x"))
    assert [item["value"] for item in answer] == list(range(10))


def test_top_k_of_negative_numbers_puts_the_smaller_first() -> None:
    answer = computed([2.0, -1.0, -5.0, 3.0, 3.0], ss.top_k("x", 3))
    assert [(item["value"], item["count"]) for item in answer] == [(3.0, 2), (-5.0, 1), (-1.0, 1)]


def test_top_k_counts_all_nans_as_one_value() -> None:
    [most, *_] = computed([NAN, 1.0, -NAN, 2.0], ss.top_k("x", 3))
    assert (math.isnan(most["value"]), most["count"]) == (True, 2)


def test_aggregates_without_names_are_called_after_function_and_column() -> None:
    query = in_one_window(pl.Series("x", [1, 2])).agg(ss.count(), ss.count("x"), ss.sum("x"), ss.quantile("x", 0.5))
    assert query.collect().column_names == ["window_start", "window_end", "count", "count_x", "sum_x", "quantile_x"]


def test_aggregates_given_in_two_steps_are_all_computed() -> None:
    query = in_one_window(pl.Series("x", [1, 2])).agg(n=ss.count()).agg(total=ss.sum("x"))
    [row] = query.collect().to_pylist()
    assert (row["n"], row["total"]) == (2, 3)


@pytest.mark.parametrize(
    ("aggregate", "text"),
    [
        (ss.count(), "count()"),
        (ss.sum("x"), "sum('x')"),
        (ss.quantile("x", 1), "quantile('x', q=1.0, interpolation='linear')"),
        (ss.top_k("x", 3), "top_k('x', k=3)"),
    ],
    ids=repr,
)
def test_aggregate_says_itself_as_it_was_written(aggregate: ss.Aggregate, text: str) -> None:
    assert repr(aggregate) == text
