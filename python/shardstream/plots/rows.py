"""The rows of a result that are drawn: of the greatest series, in order of time, each window once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shardstream.errors import InvalidArgumentException
from shardstream.plots import column

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from shardstream.plots.picture import Floats, Integers
    from shardstream.query import WindowResult

    Codes = NDArray[np.intp]

__all__ = ["Rows", "is_told_by_end", "take"]

# Windows that grow or look back share or blur their start: their end is what tells them apart.
_TOLD_BY_END = ("cumulate", "rolling")


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows, sorted by series and time.

    Attributes:
        codes: For each row the place of its series, the greatest one's first.
        times: When its window is drawn.
        ends: When its window ends.
        values: What is drawn.
        labels: The series' names.
        series: How many series there are, drawn or not.
        windows: All times, each once.
        stride: How many microseconds windows that follow each other are apart; None where that is not given.
    """

    codes: Codes
    times: Integers
    ends: Integers
    values: Floats
    labels: list[str]
    series: int
    windows: Integers
    stride: int | None

    def of(self, code: int) -> slice:
        """Where a series' rows are."""
        return slice(int(np.searchsorted(self.codes, code)), int(np.searchsorted(self.codes, code, side="right")))

    def first(self, most: int) -> Rows:
        """The rows of the greatest series alone."""
        if len(self.labels) <= most:
            return self
        part = slice(0, int(np.searchsorted(self.codes, most)))
        times = self.times[part]
        return Rows(
            self.codes[part],
            times,
            self.ends[part],
            self.values[part],
            self.labels[:most],
            self.series,
            _distinct(times),
            self.stride,
        )


def take(result: WindowResult, value: str, keys: tuple[str, ...], measure: column.Quantity, most: int) -> Rows:
    """Take the rows of at most so many series: those with the greatest sums, or of times the most values.

    Raises:
        InvalidArgumentException: These keys do not tell all rows of a window apart.
    """
    values = column.numbers(result, value)
    codes, combinations = _coded(result, keys)
    is_there = np.isfinite(values)
    weights = is_there.astype(np.float64) if measure == "time" else np.where(is_there, values, 0.0)
    ranked = np.argsort(-np.bincount(codes, weights, len(combinations)), kind="stable")
    ranks = np.empty(len(combinations), dtype=np.intp)
    ranks[ranked] = np.arange(len(combinations))
    codes = ranks[codes]
    # Most rows of many series are not drawn: their times are not looked at.
    places = np.flatnonzero(codes < most)
    codes, values = codes[places], values[places]
    times, ends = _edges(result, places)
    order = np.lexsort((times, codes))
    codes, times, ends, values = codes[order], times[order], ends[order], values[order]
    is_last = np.append((codes[1:] != codes[:-1]) | (times[1:] != times[:-1]), [True] * bool(len(codes)))
    if not is_last.all():
        # Of a live query's changes, and of a rolling window's rows of one time, the last one counts.
        if result.window is None or not set(result.keys) <= set(keys):
            raise InvalidArgumentException(_ambiguous(result, keys))
        codes, times, ends, values = codes[is_last], times[is_last], ends[is_last], values[is_last]
    labels = column.labels([combinations[place] for place in ranked[:most]])
    return Rows(codes, times, ends, values, labels, len(combinations), _distinct(times), _stride(result))


def is_told_by_end(result: WindowResult) -> bool:
    """Whether windows are told apart by their ends."""
    return result.window is not None and result.window.kind in _TOLD_BY_END


def _edges(result: WindowResult, places: NDArray[np.intp]) -> tuple[Integers, Integers]:
    """When windows are drawn, and when they end."""
    if is_told_by_end(result):
        ends = column.times(result, "window_end", places)
        return ends, ends
    starts = column.times(result, "window_start", places)
    if result.window is not None and "size" in result.window.spans:
        return starts, starts + result.window.spans["size"] // 1_000
    return starts, column.times(result, "window_end", places)


def _distinct(times: Integers) -> Integers:
    ordered = np.sort(times)
    found: Integers = ordered[np.append(ordered[1:] != ordered[:-1], [True] * bool(len(ordered)))]
    return found


def _stride(result: WindowResult) -> int | None:
    if result.window is None:
        return None
    span = {"tumble": "size", "hop": "slide", "cumulate": "step"}.get(result.window.kind)
    return None if span is None else result.window.spans[span] // 1_000


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
    columns = [_told(result.column(key), result.schema[key]) for key in keys]
    places: dict[tuple[Any, ...], int] = {}
    codes = [places.setdefault(combination, len(places)) for combination in zip(*columns, strict=True)]
    return np.array(codes, dtype=np.intp), list(places)


def _told(values: list[Any], data_type: str) -> list[Any]:
    """Values that equal themselves, and can be looked up."""
    if data_type.startswith("Float"):
        return ["NaN" if value is not None and math.isnan(value) else value for value in values]
    is_nested = data_type.startswith(("List", "LargeList", "FixedSizeList", "Struct", "Map"))
    return list(map(repr, values)) if is_nested else values
