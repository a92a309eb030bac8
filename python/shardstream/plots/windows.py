"""Windows over time: which column is drawn, which keys are drawn apart, and where a line is broken."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shardstream import text
from shardstream.errors import ColumnNotFoundError, ColumnTypeError, InvalidArgumentException, SerializationException
from shardstream.plots import column, thin
from shardstream.plots.colour import PALETTE
from shardstream.plots.picture import Axis, Bar, Bars, Blank, Groups, Lines, Series, Stacks

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Literal

    from numpy.typing import NDArray

    from shardstream.plots.picture import Floats, Integers, Mark, Picture
    from shardstream.query import WindowResult

    Codes = NDArray[np.intp]

__all__ = ["KINDS", "picture"]

KINDS = ("line", "step", "point", "span", "bar", "lateness")
SERIES_MAX = 12
BARS_MAX = 40
MARKS_MAX = 5_000
# A chart is no wider than this many pixels, where nobody makes it wider.
_COLUMNS_MAX = 640
_GROUPS_MAX = 24
# From how few windows and series on bars say more than a line.
_GROUPED_WINDOWS_MAX = 8
_GROUPED_SERIES_MAX = 4
_EDGES = ("window_start", "window_end")
# Windows that grow or look back share or blur their start: their end is what tells them apart.
_TOLD_BY_END = ("cumulate", "rolling")


@dataclass(frozen=True, slots=True)
class _Facts:
    """The rows that are drawn, sorted by series and time, each series and time once."""

    codes: Codes
    times: Integers
    ends: Integers
    values: Floats
    labels: list[str]
    stride: int | None  # how far apart windows that follow each other are; None where that is not given


def picture(
    result: WindowResult,
    y: str | None = None,
    by: str | Sequence[str] | None = None,
    kind: Mark | Literal["bar"] | None = None,
) -> Picture:
    """What a result's chart shows.

    Args:
        result: The windows.
        y: The column to draw; the first one of numbers, if not given.
        by: The columns that lines are told apart by; the query's keys, if not given.
        kind: One of `KINDS` but "lateness"; what goes with the windows, if not given.
    """
    if kind is not None and kind not in KINDS:
        message = f"kind: one of {', '.join(map(repr, KINDS))}, not {kind!r}"
        raise InvalidArgumentException(message)
    keys = _keys(result, by)
    value, measure = _value(result, y, keys)
    asked = f"{value} by {', '.join(keys)}" if keys else value
    shown = str(result.window) if result.window is not None else "windows"
    if not len(result):
        return Blank(asked, ["no windows"])
    facts = _facts(result, value, keys)
    if not np.isfinite(facts.values).any():
        return Blank(asked, [f"{shown}: no value of {value} is a number"])
    chosen: Mark | Literal["bar"] = kind or _fitting(result, facts, measure)
    if measure == "time" and chosen == "bar":
        message = f'kind: bars start at zero, which `{value}`, a column of times, does not have: use "line" or "point"'
        raise InvalidArgumentException(message)
    unit = ""
    if measure == "duration":
        unit, size = column.span_unit(float(np.nanmax(np.abs(facts.values))))
        facts.values[:] /= size
    axis = _value_axis(value, measure, unit)
    key = Axis(_free_name(" / ".join(keys), result), " / ".join(keys)) if keys else None
    windows = np.unique(facts.times)
    opening = f"{shown}, {_counted_windows(result, facts)}"
    if chosen == "bar" and len(windows) == 1:
        return _bars(asked, opening, facts, keys, axis=axis, key=key)
    name = "window_end" if _is_told_by_end(result) else "window_start"
    time = Axis(name, f"{name.replace('_', ' ')} (UTC)", "time")
    places, left_out = _greatest(facts, SERIES_MAX, keys, value, measure)
    subtitle = [opening, *left_out]
    if chosen == "bar":
        return _grouped(asked, subtitle, facts, places, time=time, axis=axis, key=key)
    return _lines(asked, subtitle, facts, places, time=time, axis=axis, key=key, mark=chosen)


def _keys(result: WindowResult, by: str | Sequence[str] | None) -> tuple[str, ...]:
    if by is None:
        return result.keys
    if not isinstance(by, str | list | tuple):
        message = f"by: a column's name or a list of names, not {type(by).__name__} {by!r}"
        raise SerializationException(message)
    names = (by,) if isinstance(by, str) else tuple(by)
    for name in names:
        text.checked(name, "by: a column's name")
        _known(result, name, [known for known in result.schema if known not in _EDGES])
    return names


def _value(result: WindowResult, y: str | None, keys: tuple[str, ...]) -> tuple[str, column.Quantity]:
    """The column to draw, and what it measures."""
    known = {name: kind for name, kind in result.schema.items() if name not in (*_EDGES, *keys, *result.keys)}
    if y is not None:
        text.checked(y, "y: a column's name")
        drawable = [name for name, kind in known.items() if column.quantity(kind)]
        way_out = f"use {', '.join(drawable)}" if drawable else "add an aggregate that has, like ss.count()"
        if y in result.schema and y not in known:
            message = f"y: `{y}` tells windows and keys apart, and is laid off already: {way_out}"
            raise InvalidArgumentException(message)
        _known(result, y, drawable)
        measure = column.quantity(known[y])
        if measure is None:
            message = f"y: `{y}` is {known[y]}, which has no place on an axis of numbers, times or spans; {way_out}"
            raise ColumnTypeError(message)
        return y, measure
    for wanted in ("number", "duration", "time"):
        for name, kind in known.items():
            if column.quantity(kind) == wanted:
                return name, wanted
    shown = ", ".join(f"`{name}` ({kind})" for name, kind in known.items())
    message = f"y: no column can be drawn: {shown}; add an aggregate that can, like ss.count()"
    raise ColumnTypeError(message)


def _known(result: WindowResult, name: str, known: list[str]) -> None:
    if name not in result.schema:
        message = f"there is no column `{name}`; there are {', '.join(known)}"
        raise ColumnNotFoundError(message)


def _facts(result: WindowResult, value: str, keys: tuple[str, ...]) -> _Facts:
    """The rows to draw."""
    ends = column.times(result, "window_end")
    times = ends if _is_told_by_end(result) else column.times(result, "window_start")
    values = column.numbers(result, value)
    codes, combinations = _coded(result, keys)
    order = np.lexsort((times, codes))
    codes, times, ends, values = codes[order], times[order], ends[order], values[order]
    is_last = np.ones(len(codes), dtype=bool)
    is_last[:-1] = (codes[1:] != codes[:-1]) | (times[1:] != times[:-1])
    if not is_last.all():
        # Of a live query's changes, and of a rolling window's rows of one time, the last one counts.
        if result.window is None or not set(result.keys) <= set(keys):
            raise InvalidArgumentException(_ambiguous(result, keys))
        codes, times, ends, values = codes[is_last], times[is_last], ends[is_last], values[is_last]
    return _Facts(codes, times, ends, values, column.labels(combinations), _stride(result))


def _stride(result: WindowResult) -> int | None:
    """How many microseconds windows that follow each other are apart; nothing where that is not given."""
    if result.window is None:
        return None
    spans = result.window.spans
    span = {"tumble": "size", "hop": "slide", "cumulate": "step"}.get(result.window.kind)
    return None if span is None else spans[span] // 1_000


def _ambiguous(result: WindowResult, keys: tuple[str, ...]) -> str:
    told = f"by {', '.join(keys)}" if keys else "without keys"
    if result.keys:
        missing = ", ".join(map(repr, result.keys))
        return f"by: {told} a window has several rows: draw by all keys ({missing}), or run the query by fewer"
    return f'by: {told} a window has several rows: name the columns that tell them apart, as in by="region"'


def _coded(result: WindowResult, keys: tuple[str, ...]) -> tuple[Codes, list[tuple[Any, ...]]]:
    """For each row the place of its combination of key values, and the combinations."""
    if not keys:
        return np.zeros(len(result), dtype=np.intp), [()]
    columns = [list(map(_told, result.column(key))) for key in keys]
    places: dict[tuple[Any, ...], int] = {}
    codes = [places.setdefault(combination, len(places)) for combination in zip(*columns, strict=True)]
    return np.array(codes, dtype=np.intp), list(places)


def _told(value: Any) -> Any:  # noqa: ANN401 - a key's value, of whatever type
    """A value that equals itself, and can be looked up."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return repr(value) if isinstance(value, list | dict) else value


def _fitting(result: WindowResult, facts: _Facts, measure: column.Quantity) -> Mark | Literal["bar"]:
    windows, series = len(np.unique(facts.times)), len(facts.labels)
    if measure == "time":
        return "line" if windows > 1 else "point"
    if windows == 1 or (
        windows <= _GROUPED_WINDOWS_MAX and series <= _GROUPED_SERIES_MAX and not _is_told_by_end(result)
    ):
        return "bar"
    return "span" if result.window is not None and result.window.kind == "session" else "line"


def _value_axis(value: str, measure: column.Quantity, unit: str) -> Axis:
    if measure == "time":
        return Axis(value, f"{value} (UTC)", "time")
    return Axis(value, f"{value} ({unit})" if unit else value)


def _is_told_by_end(result: WindowResult) -> bool:
    return result.window is not None and result.window.kind in _TOLD_BY_END


def _counted_windows(result: WindowResult, facts: _Facts) -> str:
    kind = None if result.window is None else result.window.kind
    if kind == "session":
        return _counted(len(facts.times), "session")
    return _counted(len(np.unique(facts.times)), "moment" if kind == "rolling" else "window")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _free_name(name: str, result: WindowResult) -> str:
    """The name, or one like it, where another column has it already."""
    while name in result.schema and name not in result.keys:
        name += "_"
    return name


def _greatest(
    facts: _Facts, most: int, keys: tuple[str, ...], value: str, measure: column.Quantity
) -> tuple[list[int], list[str]]:
    """The series to draw, greatest first, and what to say of the rest."""
    weights = np.isfinite(facts.values).astype(np.float64) if measure == "time" else np.nan_to_num(facts.values)
    totals = np.bincount(facts.codes, weights=weights, minlength=len(facts.labels))
    ranked = sorted(range(len(facts.labels)), key=lambda code: (-totals[code], facts.labels[code]))
    if len(ranked) <= most:
        return ranked, []
    named = f"{'values' if len(keys) == 1 else 'combinations'} of {' and '.join(keys)}"
    rank = "the most values" if measure == "time" else f"the greatest sum of {value}"
    return ranked[:most], [f"{most} of {len(ranked):,} {named}: those with {rank}"]


def _bars(title: str, opening: str, facts: _Facts, keys: tuple[str, ...], *, axis: Axis, key: Axis | None) -> Bars:
    when = _moment_words(facts)
    if key is None:
        y = Axis("window", "")
        return Bars(title, [opening], axis, y, None, [Bar(when, float(facts.values[0]), None, PALETTE[0])])
    places, left_out = _greatest(facts, BARS_MAX, keys, axis.name, "number")
    by_code = dict(zip(facts.codes.tolist(), facts.values.tolist(), strict=True))
    bars = [Bar(facts.labels[place], by_code[place], None, PALETTE[0]) for place in places]
    return Bars(title, [f"{opening}: {when}", *left_out], axis, key, None, bars)


def _moment_words(facts: _Facts) -> str:
    start, end = int(facts.times[0]), int(facts.ends.max())
    first, last = _stamp(start), _stamp(end)
    return f"{first} UTC" if start == end else f"{first} to {last} UTC"


def _stamp(time: int) -> str:
    shown = str(np.datetime64(time, "us").astype("datetime64[ms]")).replace("T", " ")
    for trailing in (".000", ":00", " 00:00"):
        shown = shown.removesuffix(trailing)
    return shown


def _rows(facts: _Facts, code: int) -> slice:
    return slice(int(np.searchsorted(facts.codes, code)), int(np.searchsorted(facts.codes, code, side="right")))


def _grouped(
    title: str, subtitle: list[str], facts: _Facts, places: list[int], *, time: Axis, axis: Axis, key: Axis | None
) -> Groups | Stacks:
    windows = np.unique(facts.times)
    rows = [_rows(facts, code) for code in places]
    series = [
        Series(facts.labels[code], PALETTE[place], facts.times[at], facts.values[at], facts.ends[at])
        for place, (code, at) in enumerate(zip(places, rows, strict=True))
    ]
    if len(windows) <= _GROUPS_MAX:
        named = {int(window): _stamp(int(window)) for window in windows}
        return Groups(title, subtitle, time, axis, key, named, series)
    if len(series) == 1 and len(windows) <= MARKS_MAX and not np.any(series[0].times == series[0].ends):
        span = (int(facts.times[0]), int(facts.ends.max()))
        return Stacks(title, subtitle, time, axis, key, series, span)
    message = (
        f"kind: too many bars to be told apart: {len(windows):,} windows of {_counted(len(facts.labels), 'series')}; "
        'use kind="line"'
    )
    raise InvalidArgumentException(message)


def _lines(
    title: str,
    subtitle: list[str],
    facts: _Facts,
    places: list[int],
    *,
    time: Axis,
    axis: Axis,
    key: Axis | None,
    mark: Mark,
) -> Lines:
    runs = [_Run(facts.times[at], facts.values[at], facts.ends[at]) for at in (_rows(facts, code) for code in places)]
    runs = [run.without_nulls() for run in runs] if mark in ("point", "span") else runs
    stride = facts.stride
    closes = mark == "step" and time.name == "window_start"
    shown = [run.drawn(stride, closes=closes) for run in runs]
    if sum(len(run.times) for run in shown) > MARKS_MAX:
        # Each step of time costs at most two points and a gap, and a series its two ends.
        columns = min(_COLUMNS_MAX, (MARKS_MAX // len(runs) - 4) // 3)
        count = sum(int(np.isfinite(run.values).sum()) for run in runs)
        shown = [run.thinned(columns, stride) for run in runs]
        drawn = sum(int(np.isfinite(run.values).sum()) for run in shown)
        note = f"{drawn:,} of {count:,} points drawn: the lowest and highest in each of {columns} steps of time"
        subtitle = [*subtitle, note]
    series = [
        Series(facts.labels[code], PALETTE[place], run.times, run.values, run.ends if mark == "span" else None)
        for place, (code, run) in enumerate(zip(places, shown, strict=True))
    ]
    return Lines(title, subtitle, time, axis, key, series, mark)


@dataclass(frozen=True, slots=True)
class _Run:
    """A series' points in order of time; NaN is a gap."""

    times: Integers
    values: Floats
    ends: Integers

    def without_nulls(self) -> _Run:
        """The points that there are."""
        is_there = np.isfinite(self.values)
        return _Run(self.times[is_there], self.values[is_there], self.ends[is_there])

    def drawn(self, stride: int | None, *, closes: bool) -> _Run:
        """All points, with NaN where windows are missing; `closes` draws the last one before a gap to its end."""
        points = self.without_nulls()
        gaps = self._gaps(stride)
        (before,) = np.nonzero(gaps)
        if closes and stride and len(points.times):
            last = np.append(before, len(points.times) - 1)
            ends = points.times[last] + stride
            return points.joined(ends, points.values[last]).joined(ends[:-1], np.full(len(before), np.nan))
        middles = points.times[before] + (points.times[before + 1] - points.times[before]) // 2
        return points.joined(middles, np.full(len(before), np.nan))

    def thinned(self, columns: int, stride: int | None) -> _Run:
        """The lowest and highest points in each of `columns` steps of time, with NaN where a gap is wider than that."""
        points = self.without_nulls()
        if len(points.times) <= 1:
            return points
        gaps = self._gaps(stride) & (np.diff(points.times) > (points.times[-1] - points.times[0]) / columns)
        kept = thin.extremes(points.times, points.values, columns)
        breaks = np.logical_or.reduceat(gaps, kept[:-1])
        (before,) = np.nonzero(breaks)
        left, right = points.times[kept[before]], points.times[kept[before + 1]]
        thinned = _Run(points.times[kept], points.values[kept], points.ends[kept])
        return thinned.joined(left + (right - left) // 2, np.full(len(before), np.nan))

    def joined(self, times: Integers, values: Floats) -> _Run:
        """With more points, each after those of its time."""
        all_times = np.concatenate((self.times, times))
        order = np.argsort(all_times, kind="stable")
        all_values, ends = np.concatenate((self.values, values)), np.concatenate((self.ends, times))
        return _Run(all_times[order], all_values[order], ends[order])

    def _gaps(self, stride: int | None) -> NDArray[np.bool_]:
        """For each point but the last, whether a null or a window that is not there lies between it and the next."""
        places = np.flatnonzero(np.isfinite(self.values))
        gaps = np.diff(places) > 1
        if stride:
            gaps |= np.diff(self.times[places]) > stride
        return gaps
