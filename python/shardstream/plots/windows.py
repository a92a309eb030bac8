"""Windows over time: which column is drawn, which keys are drawn apart, and where a line is broken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shardstream import text
from shardstream.errors import ColumnNotFoundError, ColumnTypeError, InvalidArgumentException, SerializationException
from shardstream.plots import column, thin
from shardstream.plots.colour import PALETTE
from shardstream.plots.picture import Axis, Bar, Bars, Blank, Groups, Lines, Series, Stacks
from shardstream.plots.rows import is_told_by_end, take

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from numpy.typing import NDArray

    from shardstream.plots.picture import Floats, Integers, Mark, Picture
    from shardstream.plots.rows import Rows
    from shardstream.query import WindowResult

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
    rows = take(result, value, keys, measure, BARS_MAX)
    if not np.isfinite(rows.values).any():
        return Blank(asked, [f"{shown}: no value of {value} is a number"])
    chosen: Mark | Literal["bar"] = kind or _fitting(result, rows, measure)
    if measure == "time" and chosen == "bar":
        message = f'kind: bars start at zero, which `{value}`, a column of times, does not have: use "line" or "point"'
        raise InvalidArgumentException(message)
    unit = ""
    if measure == "duration":
        unit, size = column.span_unit(float(np.nanmax(np.abs(rows.values))))
        rows.values[:] /= size
    axis = _value_axis(rows, value, measure, unit)
    key = Axis(_free_name(" / ".join(keys), result, keys), " / ".join(keys)) if keys else None
    if chosen == "bar" and len(rows.windows) == 1:
        return _bars(asked, [f"{shown}: {_moment_words(rows)}", *_left_out(rows, keys, axis)], rows, axis, key)
    rows = rows.first(SERIES_MAX)
    name = "window_end" if is_told_by_end(result) else "window_start"
    time = Axis(name, f"{name.replace('_', ' ')} (UTC)", "time")
    subtitle = [f"{shown}, {_counted_windows(result, rows)}", *_left_out(rows, keys, axis)]
    if chosen == "bar":
        return _grouped(asked, subtitle, rows, time=time, axis=axis, key=key)
    return _lines(asked, subtitle, rows, time=time, axis=axis, key=key, mark=chosen)


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


def _fitting(result: WindowResult, rows: Rows, measure: column.Quantity) -> Mark | Literal["bar"]:
    windows = len(rows.windows)
    if measure == "time":
        return "line" if windows > 1 else "point"
    is_few = windows <= _GROUPED_WINDOWS_MAX and len(rows.labels) <= _GROUPED_SERIES_MAX
    if windows == 1 or (is_few and not is_told_by_end(result)):
        return "bar"
    return "span" if result.window is not None and result.window.kind == "session" else "line"


def _value_axis(rows: Rows, value: str, measure: column.Quantity, unit: str) -> Axis:
    if measure == "time":
        return Axis(value, f"{value} (UTC)", "time")
    if unit:
        return Axis(value, f"{value} ({unit})")
    is_whole = not np.any(np.nan_to_num(rows.values) % 1)
    return Axis(value, value, "count" if is_whole else "number")


def _counted_windows(result: WindowResult, rows: Rows) -> str:
    kind = None if result.window is None else result.window.kind
    if kind == "session":
        return _counted(len(rows.times), "session")
    return _counted(len(rows.windows), "moment" if kind == "rolling" else "window")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _free_name(name: str, result: WindowResult, keys: tuple[str, ...]) -> str:
    """The name, or one like it, where another column has it already."""
    while name in result.schema and name not in keys:
        name += "_"
    return name


def _left_out(rows: Rows, keys: tuple[str, ...], axis: Axis) -> list[str]:
    """What to say of the series that are not drawn."""
    if len(rows.labels) == rows.series:
        return []
    named = f"{'values' if len(keys) == 1 else 'combinations'} of {' and '.join(keys)}"
    rank = "the most values" if axis.kind == "time" else f"the greatest sum of {axis.name}"
    return [f"{len(rows.labels)} of {rows.series:,} {named}: those with {rank}"]


def _bars(title: str, subtitle: list[str], rows: Rows, axis: Axis, key: Axis | None) -> Bars:
    if key is None:
        bar = Bar(_moment_words(rows), float(rows.values[0]), None, PALETTE[0])
        return Bars(title, subtitle, axis, Axis("window", ""), None, [bar])
    bars = [
        Bar(rows.labels[code], value, None, PALETTE[0])
        for code, value in zip(rows.codes.tolist(), rows.values.tolist(), strict=True)
    ]
    return Bars(title, subtitle, axis, key, None, bars)


def _moment_words(rows: Rows) -> str:
    start, end = int(rows.times[0]), int(rows.ends.max())
    return f"{_stamp(start)} UTC" if start == end else f"{_stamp(start)} to {_stamp(end)} UTC"


def _stamp(time: int) -> str:
    shown = str(np.datetime64(time, "us").astype("datetime64[ms]")).replace("T", " ")
    for trailing in (".000", ":00", " 00:00"):
        shown = shown.removesuffix(trailing)
    return shown


def _grouped(
    title: str, subtitle: list[str], rows: Rows, *, time: Axis, axis: Axis, key: Axis | None
) -> Groups | Stacks:
    series = [
        Series(label, PALETTE[code], rows.times[at], rows.values[at], rows.ends[at])
        for code, (label, at) in enumerate(zip(rows.labels, map(rows.of, range(len(rows.labels))), strict=True))
    ]
    count = len(rows.windows)
    if count <= _GROUPS_MAX:
        named = {int(window): _stamp(int(window)) for window in rows.windows}
        return Groups(title, subtitle, time, axis, key, named, series)
    if len(series) == 1 and count <= MARKS_MAX and not np.any(series[0].times == series[0].ends):
        span = (int(rows.times[0]), int(rows.ends.max()))
        return Stacks(title, subtitle, time, axis, key, series, span)
    told = f"{count:,} windows of {len(series)} series"
    message = f'kind: too many bars to be told apart: {told}; use kind="line"'
    raise InvalidArgumentException(message)


def _lines(
    title: str, subtitle: list[str], rows: Rows, *, time: Axis, axis: Axis, key: Axis | None, mark: Mark
) -> Lines:
    parts = [rows.of(code) for code in range(len(rows.labels))]
    runs = [_Run(rows.times[at], rows.values[at], rows.ends[at]) for at in parts]
    is_path = mark in ("line", "step")
    stride = rows.stride if is_path else None
    runs = runs if is_path else [run.without_nulls() for run in runs]
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
        Series(label, PALETTE[code], run.times, run.values, run.ends if mark == "span" else None)
        for code, (label, run) in enumerate(zip(rows.labels, shown, strict=True))
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
