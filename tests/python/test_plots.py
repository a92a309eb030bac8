"""Charts of results: that they carry the result's own values, within bounds, and say what they leave out."""

import math
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import hypothesis.strategies as st
import nbclient
import nbformat
import numpy as np
import polars as pl
import pytest
import vl_convert
from hypothesis import given
from matplotlib.figure import Figure

import shardstream as ss
from shardstream import errors
from shardstream.plots import column, thin, windows

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
ODD = 'a.b[0]:x\'s "q" \\$_1$'


def rows_of(chart, layer=None):
    """The rows that a chart carries; of its first layer, if it has several."""
    said = chart.to_dict(validate=True)
    part = said if layer is None and "layer" not in said else said["layer"][layer or 0]
    data = part.get("data", said.get("data"))
    return said["datasets"][data["name"]]


def encoding_of(chart):
    """The encoding of a chart, or of its first layer."""
    said = chart.to_dict(validate=True)
    return said.get("encoding") or said["layer"][0]["encoding"]


def subtitle_of(chart):
    """All lines below the title."""
    return "\n".join(chart.to_dict()["title"].get("subtitle", []))


def is_blank(chart):
    """What a chart says that shows nothing; nothing, if it shows something."""
    said = chart.to_dict(validate=True)
    if said.get("mark", {}).get("type") != "text":
        return None
    (row,) = rows_of(chart)
    return row["what"]


def at(text):
    """The time that a chart's row says."""
    return datetime.fromisoformat(text)


def table(times, **columns):
    """A table of event times, in seconds from New Year, and whatever else."""
    moments = [NEW_YEAR + timedelta(seconds=time) for time in times]
    return pl.DataFrame({"at": pl.Series(moments, dtype=pl.Datetime("us", "UTC")), **columns})


def collected(rows, window, /, *keys, **aggregates):
    """The result of a query over a table of `table`."""
    return ss.window(rows, window, time="at").by(*keys).agg(**aggregates).collect()


@pytest.fixture(scope="module")
def daily(flights):
    """Flights of each day and origin."""
    query = ss.window(flights, ss.tumble("1d"), time="scheduled").by("origin")
    return query.agg(n=ss.count(), delay=ss.mean("dep_delay")).collect()


def test_windows_when_drawn_then_carry_the_values_that_polars_finds(daily, flights):
    chart = daily.plot("delay", backend="altair")
    found = {
        (at(row["window_start"]), row["origin"]): row["delay"] for row in rows_of(chart) if row["delay"] is not None
    }
    expected = flights.group_by(pl.col("scheduled").dt.truncate("1d"), "origin").agg(pl.col("dep_delay").mean())
    assert found == pytest.approx(
        {(start, origin): delay for start, origin, delay in expected.rows() if delay is not None}
    )


def test_windows_when_drawn_then_time_is_utc_and_axes_say_what_they_are(daily):
    said = encoding_of(daily.plot(backend="altair"))
    assert (said["x"]["field"], said["x"]["type"], said["x"]["scale"]["type"]) == ("window_start", "temporal", "utc")
    assert "(UTC)" in said["x"]["title"]
    assert (said["y"]["field"], said["y"]["title"], said["color"]["title"]) == ("n", "n", "origin")


def test_y_when_not_given_then_is_the_first_aggregate_of_numbers():
    rows = table(range(3), name=["a", "b", "c"], size=[1, 2, 3])
    result = collected(rows, ss.tumble("1s"), who=ss.first("name"), when=ss.max("at"), big=ss.max("size"))
    assert encoding_of(result.plot(kind="line", backend="altair"))["y"]["field"] == "big"


def test_key_when_of_numbers_then_is_no_y():
    rows = table(range(40), store=[1, 2] * 20)
    result = collected(rows, ss.tumble("1s"), "store", n=ss.count())
    assert encoding_of(result.plot(backend="altair"))["y"]["field"] == "n"


def test_legend_when_keys_differ_then_names_the_greatest_first(daily, flights):
    by_size = [origin for origin, _ in Counter(flights["origin"].to_list()).most_common()]
    assert encoding_of(daily.plot(backend="altair"))["color"]["scale"]["domain"] == by_size


def test_line_when_windows_are_missing_then_is_broken_there():
    rows = table([0, 1, 2, 7, 8, 12, 20, 21])
    result = collected(rows, ss.tumble("1s"), n=ss.count())
    drawn = rows_of(result.plot(kind="line", backend="altair"))
    seconds = [(at(row["window_start"]) - NEW_YEAR).total_seconds() for row in drawn]
    assert [(second, row["n"]) for second, row in zip(seconds, drawn, strict=True) if row["n"]] == [
        (second, 1) for second in (0, 1, 2, 7, 8, 12, 20, 21)
    ]
    gaps = [second for second, row in zip(seconds, drawn, strict=True) if row["n"] is None]
    assert [sum(low < gap < high for gap in gaps) for low, high in ((2, 7), (8, 12), (12, 20))] == [1, 1, 1]
    assert len(gaps) == 3


def test_line_when_values_are_null_or_not_numbers_then_is_broken_there():
    values = [1.0, 2.0, None, 3.0, math.nan, 4.0, math.inf, 5.0, 6.0, 7.0]
    result = collected(table(range(10), value=values), ss.tumble("1s"), last=ss.max("value"))
    drawn = [row["last"] for row in rows_of(result.plot(kind="line", backend="altair"))]
    assert drawn == [1, 2, None, 3, None, 4, None, 5, 6, 7]


def test_points_when_alone_among_many_then_are_marked():
    rows = table([*range(200), 300, *range(400, 600)])
    chart = collected(rows, ss.tumble("1s"), n=ss.count()).plot(backend="altair")
    (alone,) = rows_of(chart, layer=1)
    assert (at(alone["window_start"]) - NEW_YEAR).total_seconds() == 300


def test_step_when_drawn_then_each_window_goes_to_its_end():
    result = collected(table([0, 1, 5]), ss.tumble("1s"), n=ss.count())
    drawn = rows_of(result.plot(kind="step", backend="altair"))
    seconds = [(at(row["window_start"]) - NEW_YEAR).total_seconds() for row in drawn]
    assert list(zip(seconds, [row["n"] for row in drawn], strict=True)) == [
        (0, 1),
        (1, 1),
        (2, 1),
        (2, None),
        (5, 1),
        (6, 1),
    ]


def test_keys_when_many_then_twelve_with_the_greatest_sums_are_drawn_and_the_rest_are_told():
    users = [f"user-{n}" for n in range(40)]
    rows = table(range(400), user=users * 10, amount=[n % 40 for n in range(400)])
    chart = collected(rows, ss.tumble("100s"), "user", total=ss.sum("amount")).plot(kind="line", backend="altair")
    assert {row["user"] for row in rows_of(chart)} == {f"user-{n}" for n in range(28, 40)}
    assert "12 of 40 values of user" in subtitle_of(chart)


def test_points_when_fifty_thousand_then_a_few_are_drawn_with_the_extremes_and_the_subtitle_says_so():
    rng = np.random.default_rng(7)
    values = rng.normal(size=50_000)
    values[43_210], values[12_345] = 99.0, -99.0
    result = collected(table(range(50_000), value=values), ss.tumble("1s"), value=ss.first("value"))
    chart = result.plot(backend="altair")
    drawn = [row["value"] for row in rows_of(chart)]
    assert len(drawn) <= windows.MARKS_MAX
    assert {99, -99} <= set(drawn) <= {None, *values.tolist()}
    assert re.search(r"1,28\d of 50,000 points drawn", subtitle_of(chart))


@pytest.mark.parametrize("kind", ["line", "step", "point", "span"])
def test_points_when_of_twelve_keys_with_gaps_then_stay_within_the_bound(kind):
    rows = table([second for second in range(60_000) if second % 7 < 5], key=None)
    rows = rows.with_columns(key=pl.int_range(pl.len()) % 13)
    chart = collected(rows, ss.tumble("1s"), "key", n=ss.count()).plot(kind=kind, backend="altair")
    said = chart.to_dict(validate=True)
    assert sum(len(found) for found in said["datasets"].values()) <= windows.MARKS_MAX


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=300, unique=True), st.integers(1, 40), st.randoms())
def test_extremes_when_taken_then_hold_the_lowest_and_highest_of_each_step_and_no_more(seconds, columns, random):
    times = np.array(sorted(seconds), dtype=np.int64)
    values = np.array([random.uniform(-9, 9) for _ in seconds])
    kept = thin.extremes(times, values, columns)
    assert len(kept) <= 2 * columns + 2
    assert np.all(np.diff(kept) > 0)
    span = max(int(times[-1] - times[0]), 1)
    by_step = {}
    for place, time in enumerate(times):
        by_step.setdefault(min(int((time - times[0]) / span * columns), columns - 1), []).append(place)
    for places in by_step.values():
        drawn = values[[place for place in places if place in set(kept.tolist())]]
        assert (drawn.min(), drawn.max()) == (values[places].min(), values[places].max())


def test_window_when_there_is_one_then_keys_are_bars_with_their_values(flights):
    query = ss.window(flights, ss.tumble("10000d"), time="scheduled").by("carrier").agg(n=ss.count())
    chart = query.collect().plot(backend="altair")
    assert chart.to_dict()["layer"][0]["mark"]["type"] == "bar"
    drawn = [(row["carrier"], row["n"]) for row in rows_of(chart)]
    assert drawn == Counter(flights["carrier"].to_list()).most_common()


def test_window_when_there_is_one_and_no_key_then_is_one_bar_named_by_it():
    chart = collected(table([1, 2]), ss.tumble("1m"), n=ss.count()).plot(backend="altair")
    (row,) = rows_of(chart)
    assert row["n"] == 2
    assert row["window"] == "2026-01-01 to 2026-01-01 00:01 UTC"


def test_windows_when_few_then_are_bars_beside_one_another():
    rows = table([0, 60, 61, 120], side=["a", "a", "b", "b"])
    chart = collected(rows, ss.tumble("1m"), "side", n=ss.count()).plot(backend="altair")
    said = encoding_of(chart)
    assert (said["x"]["type"], said["xOffset"]["field"]) == ("ordinal", "side")
    assert [(row["window"], row["side"], row["n"]) for row in rows_of(chart)] == [
        ("2026-01-01", "a", 1),
        ("2026-01-01 00:01", "a", 1),
        ("2026-01-01 00:01", "b", 1),
        ("2026-01-01 00:02", "b", 1),
    ]


def test_sessions_when_drawn_then_each_goes_from_its_start_to_its_end():
    rows = table([0, 10, 100, 130, 500, *range(1_000, 9_000, 400)], user="a")
    result = collected(rows, ss.session("1m"), "user", n=ss.count())
    drawn = rows_of(result.plot(backend="altair"))
    found = [(at(row["window_start"]), at(row["window_end"]), row["n"]) for row in drawn]
    assert found == list(
        zip(result.column("window_start"), result.column("window_end"), result.column("n"), strict=True)
    )


@pytest.mark.parametrize("window", [ss.cumulate(size="1m", step="10s"), ss.rolling("20s")], ids=repr)
def test_windows_when_they_grow_or_look_back_then_are_told_by_their_end(window):
    result = collected(table(range(0, 300, 3)), window, n=ss.count())
    chart = result.plot(backend="altair")
    drawn = {at(row["window_end"]): row["n"] for row in rows_of(chart) if row["n"] is not None}
    assert drawn == dict(zip(result.column("window_end"), result.column("n"), strict=True))
    assert encoding_of(chart)["x"]["title"].startswith("window end (UTC)")


def test_rows_when_of_one_time_in_a_rolling_window_then_are_one_point():
    result = collected(table([0, 0, 0, 1]), ss.rolling("1m"), n=ss.count())
    assert [row["n"] for row in rows_of(result.plot(kind="line", backend="altair"))] == [3, 4]


def test_windows_when_changed_live_then_the_last_change_is_drawn():
    stream = ss.Engine(clock=ss.ManualClock("2026-01-01T00:00:00Z")).create_stream("clicks", shards=1)
    query = stream.window(ss.tumble("1m"), watermark="10m").agg(n=ss.count())
    for _ in range(3):
        stream.put(b"page", key="user-42")
    updates = list(query.follow(emit="changes", start="TRIM_HORIZON", timeout="1s"))
    assert updates[-1].window is not None
    assert [row["n"] for row in rows_of(updates[-1].plot(backend="altair"))] == [3]


@pytest.mark.parametrize(
    ("values", "unit", "drawn"),
    [
        ([timedelta(milliseconds=5), timedelta(milliseconds=20)], "ms", [5, 20]),
        ([timedelta(seconds=5), timedelta(seconds=90)], "s", [5, 90]),
        ([timedelta(minutes=3), timedelta(minutes=90)], "min", [3, 90]),
        ([timedelta(hours=3), timedelta(hours=36)], "h", [3, 36]),
        ([timedelta(days=3), timedelta(days=36)], "d", [3, 36]),
    ],
)
def test_spans_when_drawn_then_are_told_in_one_unit_that_fits(values, unit, drawn):
    result = collected(table([0, 1], wait=values), ss.tumble("1s"), wait=ss.max("wait"))
    chart = result.plot(kind="line", backend="altair")
    assert encoding_of(chart)["y"]["title"] == f"wait ({unit})"
    assert [row["wait"] for row in rows_of(chart)] == pytest.approx(drawn)


def test_decimals_and_truths_when_drawn_then_are_numbers():
    rows = table([0, 1], price=pl.Series([Decimal("1.25"), Decimal("99.50")]), ok=[True, False])
    result = collected(rows, ss.tumble("1s"), price=ss.max("price"), ok=ss.max("ok"))
    assert [row["price"] for row in rows_of(result.plot("price", kind="line", backend="altair"))] == [1.25, 99.5]
    assert [row["ok"] for row in rows_of(result.plot("ok", kind="line", backend="altair"))] == [1, 0]


def test_times_when_drawn_then_are_times_on_both_axes():
    result = collected(table([0, 61, 122]), ss.tumble("1m"), latest=ss.max("at"))
    chart = result.plot(backend="altair")
    said = encoding_of(chart)["y"]
    assert (said["type"], said["scale"]["type"], said["title"]) == ("temporal", "utc", "latest (UTC)")
    assert [at(row["latest"]) for row in rows_of(chart)] == result.column("latest")


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({"y": "who"}, errors.ColumnTypeError, r"`who` is \w*Utf8\w*.*use n"),
        ({"y": "m"}, errors.ColumnNotFoundError, "no column `m`; there are n"),
        ({"y": "user"}, errors.InvalidArgumentException, "`user` tells windows and keys apart"),
        ({"y": "window_end"}, errors.InvalidArgumentException, "`window_end` tells windows and keys apart"),
        ({"y": 3}, errors.SerializationException, "y: a column's name is text"),
        ({"by": "m"}, errors.ColumnNotFoundError, "no column `m`; there are user, who, n"),
        ({"by": 3}, errors.SerializationException, "by: a column's name or a list"),
        ({"by": []}, errors.InvalidArgumentException, r"without keys a window has several rows.*'user'"),
        ({"kind": "pie"}, errors.InvalidArgumentException, "kind: one of 'line', .*'lateness', not 'pie'"),
        ({"kind": "lateness", "y": "n"}, errors.InvalidArgumentException, "leave them out"),
        ({"backend": "gnuplot"}, errors.InvalidArgumentException, "backend: one of 'altair', 'matplotlib'"),
    ],
    ids=str,
)
def test_plot_when_asked_for_what_is_not_there_then_names_it_and_what_is(asked, error, words):
    result = collected(
        table([0, 0, 1], user=["a", "b", "a"]), ss.tumble("1s"), "user", who=ss.first("user"), n=ss.count()
    )
    with pytest.raises(error, match=words):
        result.plot(**asked)


def test_plot_when_no_aggregate_can_be_drawn_then_says_what_they_are():
    result = collected(table([0], user=["a"]), ss.tumble("1s"), who=ss.first("user"), top=ss.top_k("user"))
    with pytest.raises(errors.ColumnTypeError, match=r"`who` \(\w*Utf8\w*\), `top` \(List.*ss.count\(\)"):
        result.plot()


def test_bars_when_of_times_then_are_refused_for_they_have_no_zero():
    result = collected(table([0, 61]), ss.tumble("1m"), latest=ss.max("at"))
    with pytest.raises(errors.InvalidArgumentException, match="bars start at zero"):
        result.plot(kind="bar")


def test_bars_when_too_many_then_are_refused_with_the_way_out():
    result = collected(table(range(50), key=[1, 2] * 25), ss.tumble("1s"), "key", n=ss.count())
    with pytest.raises(errors.InvalidArgumentException, match='kind="line"'):
        result.plot(kind="bar")


def test_bars_when_many_of_one_series_then_stand_on_time():
    result = collected(table(range(50)), ss.tumble("1s"), n=ss.count())
    chart = result.plot(kind="bar", backend="altair")
    assert encoding_of(chart)["x"]["type"] == "temporal"
    assert [(row["below"], row["above"]) for row in rows_of(chart)] == [(0, 1)] * 50


def test_by_when_several_columns_then_lines_are_told_apart_by_their_combinations():
    rows = table(range(40), a=["x", "y"] * 20, b=["x", "x", "y", "y"] * 10)
    chart = collected(rows, ss.tumble("1s"), "a", "b", n=ss.count()).plot(backend="altair")
    assert {row["a / b"] for row in rows_of(chart)} == {"x / x", "y / x", "x / y", "y / y"}
    assert encoding_of(chart)["color"]["title"] == "a / b"


def test_keys_when_null_or_alike_then_each_has_a_line_of_its_own():
    rows = table(range(40), key=[None, "null"] * 20)
    chart = collected(rows, ss.tumble("1s"), "key", n=ss.count()).plot(backend="altair")
    assert Counter(row["key"] for row in rows_of(chart) if row["n"]) == {"None": 20, "'null'": 20}


def test_keys_when_nan_then_are_one_line():
    rows = table(range(40), key=[math.nan, 1.0] * 20)
    chart = collected(rows, ss.tumble("1s"), "key", n=ss.count()).plot(backend="altair")
    assert {row["key"] for row in rows_of(chart)} == {"NaN", "1.0"}


@pytest.mark.parametrize(
    "values", [[("a",), ("b",)], [(None,), ("null",)], [("a / b", "c"), ("a", "b / c")], [(1,), ("1",)]]
)
def test_labels_when_made_then_none_is_there_twice(values):
    assert len(set(column.labels(values))) == len(values)


@pytest.mark.parametrize("kind", ["line", "step", "point", "span", "bar"])
def test_columns_when_oddly_named_then_are_drawn_as_others_are(kind):
    rows = table(range(6), **{ODD: ["p", "q"] * 3, "key": ["p", "q"] * 3, "value": range(6)})
    odd = collected(rows, ss.tumble("2s"), ODD, **{f"{ODD}2": ss.sum("value")}).plot(kind=kind, backend="altair")
    plain = collected(rows, ss.tumble("2s"), "key", total=ss.sum("value")).plot(kind=kind, backend="altair")

    def shapes(chart):
        svg = vl_convert.vegalite_to_svg(chart.properties(title="").to_json())
        return [path for path in re.findall(r' d="([^"]+)"', svg) if "A" in path or path.count("L") > 0 or "h" in path]

    marks = re.findall(r'aria-roledescription="[a-z ]*mark[a-z ]*"', vl_convert.vegalite_to_svg(odd.to_json()))
    assert len(marks) >= 1
    assert len(shapes(odd)) == len(shapes(plain)) > 4


@pytest.mark.parametrize("name", ["window", "what", "told", "end", "below", "above", "limit", "time", "value", "shard"])
@pytest.mark.parametrize("kind", ["line", "bar"])
def test_columns_when_called_like_ours_then_are_drawn_as_others_are(name, kind):
    rows = table(range(4), key=["p", "q"] * 2)
    by_value = collected(rows, ss.tumble("1s"), "key", **{name: ss.count()}).plot(kind=kind, backend="altair")
    assert [row[name] for row in rows_of(by_value) if row[name]] == [1] * 4
    by_key = collected(rows.rename({"key": name}), ss.tumble("1s"), name, n=ss.count()).plot(
        kind=kind, backend="altair"
    )
    assert {row[name] for row in rows_of(by_key)} == {"p", "q"}


def test_result_when_empty_then_chart_says_so(backend):
    result = collected(table([]), ss.tumble("1s"), n=ss.count())
    assert words_of(result.plot(backend=backend)) == "no windows"


def test_result_when_all_values_are_null_then_chart_says_so(backend):
    result = collected(table([0, 1], value=pl.Series([None, None], dtype=pl.Int64)), ss.tumble("1s"), v=ss.max("value"))
    assert "no value of v is a number" in words_of(result.plot(backend=backend))


@pytest.fixture(params=["altair", "matplotlib"])
def backend(request):
    """Each library that draws."""
    return request.param


def words_of(chart):
    """What a chart says that shows nothing."""
    if not isinstance(chart, Figure):
        return is_blank(chart)
    (words,) = chart.axes[0].texts
    return words.get_text()


def late_result(seconds):
    """A result whose late rows came by so many seconds behind the watermark."""
    stream = ss.Engine(clock=ss.ManualClock("2026-01-02T00:00:00Z")).create_stream("late", shards=1)
    moments = [NEW_YEAR, *(NEW_YEAR - timedelta(seconds=each) for each in seconds)]
    stream.put_many([(f'{{"at": "{moment.isoformat()}", "lateness": 1.5}}'.encode(), "k") for moment in moments])
    query = stream.window(ss.tumble("1us"), time="at").agg(n=ss.count(), l=ss.max("lateness"))
    return query.collect(order="arrival")


@pytest.mark.parametrize("seconds", [[0.002, 1.5, 3, 70, 4_000, 90_000], [3, 4, 4.5, 5], [7], [7, 7]], ids=str)
def test_lateness_when_drawn_then_every_late_row_is_counted_between_its_edges(seconds):
    result = late_result(seconds)
    drawn = rows_of(result.plot(kind="lateness", backend="altair"))
    assert sum(row["rows"] for row in drawn) == len(seconds) == result.stats.late_rows
    assert drawn[0]["lateness_from"] <= min(seconds)
    assert drawn[-1]["lateness_to"] >= max(seconds)
    for row in drawn:
        inside = [each for each in seconds if row["lateness_from"] * 0.999 <= each <= row["lateness_to"] * 1.001]
        assert len(inside) >= row["rows"]


def test_lateness_when_from_milliseconds_to_days_then_the_axis_is_logarithmic_and_named_in_units():
    chart = late_result([0.002, 1.5, 3, 70, 4_000, 90_000]).plot(kind="lateness", backend="altair")
    said = encoding_of(chart)["x"]
    assert said["scale"]["type"] == "log"
    assert {"10 ms", "1 s", "1 min", "1 h", "1 d"} <= set(re.findall(r"'([^']+)'", said["axis"]["labelExpr"]))
    assert "6 late rows" in subtitle_of(chart)
    assert "the latest by 25 h" in subtitle_of(chart)


def test_lateness_when_no_row_was_late_then_chart_says_so(backend):
    result = collected(table([0]), ss.tumble("1s"), n=ss.count())
    assert "no late rows" in words_of(result.plot(kind="lateness", backend=backend))


def hide(monkeypatch, *modules):
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)


def test_backend_when_both_are_installed_then_is_altair(daily):
    assert type(daily.plot()).__module__.startswith("altair.")


def test_backend_when_altair_is_not_installed_then_is_matplotlib(daily, monkeypatch):
    hide(monkeypatch, "altair")
    assert isinstance(daily.plot(), Figure)


def test_backend_when_neither_is_installed_then_the_error_says_what_to_install(daily, monkeypatch):
    hide(monkeypatch, "altair", "matplotlib")
    with pytest.raises(errors.InvalidArgumentException, match="pip install altair"):
        daily.plot()


def test_backend_when_asked_for_and_not_installed_then_the_error_says_what_to_install(daily, monkeypatch, backend):
    hide(monkeypatch, backend)
    with pytest.raises(errors.InvalidArgumentException, match=f"pip install {backend}"):
        daily.plot(backend=backend)


def test_chart_when_drawn_by_altair_then_can_be_gone_on_with(daily):
    chart = daily.plot(backend="altair")
    beside = (chart.properties(width=300, title="flights") | chart).to_dict(validate=True)
    assert beside["hconcat"][0]["width"] == 300


def test_lines_when_drawn_by_matplotlib_then_carry_the_results_values(daily):
    figure = daily.plot(backend="matplotlib")
    drawn = {
        label.get_text(): line.get_ydata()[np.isfinite(line.get_ydata())].tolist()
        for label, line in zip(figure.axes[0].get_legend().get_texts(), figure.axes[0].lines, strict=True)
    }
    expected = {}
    for origin, count in zip(daily.column("origin"), daily.column("n"), strict=True):
        expected.setdefault(origin, []).append(count)
    assert drawn == expected
    first = figure.axes[0].lines[0].get_xdata()[0]
    assert first == np.datetime64(daily.column("window_start")[0].replace(tzinfo=None))


def test_legend_when_keys_have_dollars_or_underscores_then_matplotlib_names_them_all():
    rows = table(range(30), key=["$a$", "_b", "c" * 100] * 10)
    figure = collected(rows, ss.tumble("1s"), "key", n=ss.count()).plot(kind="line", backend="matplotlib")
    names = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert {r"\$a\$", "_b"} <= set(names)
    assert max(map(len, names)) < 30


def test_figure_when_made_then_pyplot_knows_nothing_of_it():
    program = """
import sys
import shardstream as ss
stream = ss.Engine(clock=ss.ManualClock("2026-01-01T00:00:00Z")).create_stream("clicks")
stream.put(b"page", key="user-42")
result = stream.window(ss.tumble("1m")).agg(n=ss.count()).collect()
png = result.plot(backend="matplotlib")._repr_png_()
print(png[:4], "matplotlib.pyplot" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=50)
    assert ran.stdout.strip() == r"b'\x89PNG' False"


@pytest.mark.parametrize("opening", ["", "import matplotlib.pyplot"])
def test_figure_when_last_in_a_notebooks_cell_then_is_shown_once(opening):
    drawing = f"""
{opening}
from types import SimpleNamespace
from shardstream import plots
plots.replay_report(SimpleNamespace(per_shard={{"shardId-000000000000": 1}}, throttled=0), backend="matplotlib")
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(drawing)])
    nbclient.NotebookClient(notebook, timeout=50, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    assert "image/png" in output["data"]


@pytest.mark.parametrize("value", [1e300, -1e300, 1e-300, 2.0**63])
def test_values_when_huge_or_tiny_then_axes_do_not_outgrow_the_figure(value, backend):
    result = collected(table(range(9), value=[value] * 8 + [0.0]), ss.tumble("1s"), v=ss.max("value"))
    for kind in ("line", "bar"):
        chart = result.plot(kind=kind, backend=backend)
        if backend == "matplotlib":
            chart.canvas.draw()
            assert max(len(tick.get_text()) for tick in chart.axes[0].get_yticklabels()) < 12
        else:
            assert float(rows_of(chart)[0]["v"]) == value
