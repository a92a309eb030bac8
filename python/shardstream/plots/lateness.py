"""How late the late rows of a query were."""

from __future__ import annotations

import math

import numpy as np

from shardstream.plots import column
from shardstream.plots.picture import Axis, Blank, Histogram

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from shardstream.plots.picture import Floats, Picture
    from shardstream.query import WindowResult

__all__ = ["picture", "words"]

_BINS = 24
# Spans closer together than this are laid off evenly, others by their logarithm.
_LOG_FROM = 8.0
_UNITS = (("\u00b5s", 1e-6), ("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3_600.0), ("d", 86_400.0))
# Where an axis of spans is marked: as clocks and calendars count, and coarser where the spans lie far apart.
_MARKS = {
    "\u00b5s": (1, 10, 100),
    "ms": (1, 10, 100),
    "s": (1, 10),
    "min": (1, 10),
    "h": (1, 6),
    "d": (1, 7, 30, 100, 365, 1_000, 3_650),
}
_FINE_MARKS = {
    "\u00b5s": (1, 2, 5, 10, 20, 50, 100, 200, 500),
    "ms": (1, 2, 5, 10, 20, 50, 100, 200, 500),
    "s": (1, 2, 5, 10, 20, 30),
    "min": (1, 2, 5, 10, 20, 30),
    "h": (1, 2, 4, 8, 12),
    "d": (1, 2, 4, 7, 14, 30, 60, 100, 200, 365, 1_000, 3_650),
}
_MARKS_MAX = 8
_EVEN_TICKS = 6


def picture(result: WindowResult) -> Picture:
    """What the chart of a result's late rows shows."""
    title = "how late rows were"
    spans = [
        name
        for name, kind in result.late.schema.items()
        if name.rstrip("_") == "lateness" and kind.startswith("Duration")
    ]
    if not spans or not len(result.late):
        return Blank(title, ['no late rows: none came too late, or all were counted, as with order="event"'])
    # Ours stands last: a column of the rows' own may be called so, too.
    seconds = np.maximum(column.numbers(result.late, spans[-1]), 1e-6)
    is_log = float(seconds.max()) > _LOG_FROM * float(seconds.min())
    edges = _edges(seconds, is_log=is_log)
    counts, _ = np.histogram(seconds, edges)
    middle, most = float(np.median(seconds)), float(seconds.max())
    noun = "row" if len(seconds) == 1 else "rows"
    subtitle = [f"{len(seconds):,} late {noun}; half of them by {words(middle)} or less, the latest by {words(most)}"]
    x = Axis("lateness", "behind the watermark by")
    ticks = _ticks(float(edges[0]), float(edges[-1]), is_log=is_log)
    return Histogram(
        title, subtitle, x, Axis("rows", "late rows", "count"), edges.tolist(), counts.tolist(), is_log, ticks
    )


def words(seconds: float) -> str:
    """A span as one would say it.

    Examples:
        >>> words(90.0), words(0.25), words(7_200.0)
        ('90 s', '250 ms', '2 h')
    """
    unit, size = column.span_unit(seconds)
    return f"{seconds / size:.3g} {unit}"


def _edges(seconds: Floats, *, is_log: bool) -> Floats:
    least, most = float(seconds.min()), float(seconds.max())
    if is_log:
        edges = np.geomspace(least, most, _BINS + 1)
    elif least == most:
        edges = np.array([least * 0.9, most * 1.1])
    else:
        edges = np.linspace(least, most, _BINS + 1)
    # Rounding must not leave out the least and the latest.
    edges[0], edges[-1] = min(edges[0], least), max(edges[-1], most)
    return edges


def _round_step(step: float) -> float:
    """The step of 1, 2 or 5 times a power of ten that is next to it."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(each * power for each in (1, 2, 5, 10) if step <= each * power * 1.000_001)


def _ticks(least: float, most: float, *, is_log: bool) -> dict[float, str]:
    if not is_log:
        unit, size = column.span_unit(most)
        step = _round_step((most - least) / size / _EVEN_TICKS)
        first, last = math.ceil(least / size / step - 1e-9), math.floor(most / size / step + 1e-9)
        return {count * step * size: f"{count * step:.6g} {unit}" for count in range(first, last + 1)}
    for marks in (_FINE_MARKS, _MARKS):
        ticks = {
            count * size: f"{count:,} {unit}"
            for unit, size in _UNITS
            for count in marks[unit]
            if least * 0.999 <= count * size <= most * 1.001
        }
        if len(ticks) <= _MARKS_MAX:
            return ticks
    kept = list(ticks)[:: -(-len(ticks) // _MARKS_MAX)]
    return {place: ticks[place] for place in kept}
