"""Pictures drawn by matplotlib, on figures of their own: no window opens, and pyplot knows nothing of them."""

from __future__ import annotations

import datetime
import io
import math

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from shardstream.plots import scale
from shardstream.plots.colour import ALARM, PALETTE, QUIET
from shardstream.plots.picture import Bars, Blank, Family, Groups, Histogram, Lines, Ring, Stacks

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis as MatplotlibAxis

    from shardstream.plots.picture import Axis, Floats, Integers, Picture

__all__ = ["ShownFigure", "draw"]

_WIDTH, _HEIGHT = 8.2, 4.0
_ROW_HEIGHT, _MARGIN, _BLANK_HEIGHT = 0.27, 1.5, 1.8
_LABEL_MAX, _TITLE_MAX, _LINE_MAX = 28, 70, 110
_MARKED_MAX = 120
_STEPS = [1, 2, 2.5, 5, 10]
_BESIDE: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "frameon": False, "fontsize": 9}
_DPI = 90


class ShownFigure(Figure):
    """A figure that shows itself in a notebook, whether pyplot was imported there or not."""

    def _repr_png_(self) -> bytes:
        png = io.BytesIO()
        self.savefig(png, format="png", bbox_inches="tight", dpi=_DPI)
        return png.getvalue()


def draw(picture: Picture) -> ShownFigure:
    """Draw a picture."""
    rows = len(picture.bars) if isinstance(picture, Bars) else len(picture.lives) if isinstance(picture, Family) else 0
    height = _MARGIN + rows * _ROW_HEIGHT if rows else _BLANK_HEIGHT if isinstance(picture, Blank) else _HEIGHT
    figure = ShownFigure(figsize=(_WIDTH, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)  # type: ignore[no-untyped-call, unused-ignore]
    _DRAWN[type(picture)](picture, axes)
    lines = [] if isinstance(picture, Blank) else [_shortened(line, _LINE_MAX) for line in picture.subtitle]
    title = _shortened(picture.title, _TITLE_MAX)
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold", pad=8 + 12.5 * len(lines))
    if lines:
        axes.annotate(
            "\n".join(lines),
            (0, 1),
            (0, 7),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=9,
            color=QUIET,
        )
    return figure


def _lines(picture: Lines, axes: Axes) -> None:
    count = sum(len(series.times) for series in picture.series)
    for series in picture.series:
        times, values = _moments(series.times), _laid(series.values, picture.y)
        if picture.mark == "span" and series.ends is not None:
            axes.hlines(values, times, _moments(series.ends), colors=series.colour, linewidth=3)
        elif picture.mark == "point":
            axes.plot(times, values, linestyle="", marker="o", markersize=3, color=series.colour)
        else:
            style = "steps-post" if picture.mark == "step" else "default"
            is_marked = picture.mark == "line" and count <= _MARKED_MAX
            marker = "o" if is_marked else ""
            axes.plot(times, values, color=series.colour, drawstyle=style, linewidth=1.4, marker=marker, markersize=3)
            alone = scale.alone(series)
            if len(alone.times) and not is_marked:
                points, heights = _moments(alone.times), _laid(alone.values, picture.y)
                axes.plot(points, heights, linestyle="", marker="o", markersize=2, color=series.colour)
    if picture.limit is not None:
        value, name = picture.limit
        axes.axhline(value, color=ALARM, linestyle="--", linewidth=1)
        axes.annotate(
            name,
            (0, value),
            (4, 3),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            color=ALARM,
            fontsize=8,
        )
    if picture.alarms:
        times = _moments(np.array([alarm.time for alarm in picture.alarms], dtype=np.int64))
        axes.plot(times, [alarm.value for alarm in picture.alarms], linestyle="", marker="v", markersize=6, color=ALARM)
    _time_axis(axes, picture.x)
    if picture.y.kind == "time":
        _as_dates(axes.yaxis)
        axes.set_ylabel(_plain(picture.y.title))
    else:
        _value_axis(axes, picture.y, is_from_zero=scale.starts_at_zero(picture.series))
    _legend(axes, picture.key, [(series.label, series.colour) for series in picture.series])


def _groups(picture: Groups, axes: Axes) -> None:
    places = {time: place for place, time in enumerate(picture.windows)}
    width = 0.8 / len(picture.series)
    for nth, series in enumerate(picture.series):
        at = np.array([places[int(time)] for time in series.times]) - 0.4 + width * (nth + 0.5)
        axes.bar(at, series.values, width=width, color=series.colour)
    names = list(picture.windows.values())
    axes.set_xticks(range(len(names)), names)
    if len(names) > 8:  # noqa: PLR2004 - names that fit beside one another
        axes.tick_params(axis="x", labelrotation=40)
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("right")
    axes.set_xlabel(_plain(picture.x.title))
    _value_axis(axes, picture.y, is_from_zero=False)
    _legend(axes, picture.key, [(series.label, series.colour) for series in picture.series])


def _stacks(picture: Stacks, axes: Axes) -> None:
    heights: dict[int, float] = {}
    for series in picture.series:
        ends = series.times if series.ends is None else series.ends
        tall = np.nan_to_num(series.values)
        bottoms = np.array([heights.get(time, 0.0) for time in series.times.tolist()])
        heights.update(zip(series.times.tolist(), (bottoms + tall).tolist(), strict=True))
        widths: Any = _moments(ends) - _moments(series.times)
        axes.bar(_moments(series.times), tall, width=widths, bottom=bottoms, align="edge", color=series.colour)  # type: ignore[arg-type, unused-ignore]
    axes.set_xlim(*_moments(np.array(picture.span, dtype=np.int64)))
    _time_axis(axes, picture.x)
    _value_axis(axes, picture.y, is_from_zero=False)
    _legend(axes, picture.key, [(series.label, series.colour) for series in picture.series])


def _bars(picture: Bars, axes: Axes) -> None:
    places = np.arange(len(picture.bars))
    values = [bar.value for bar in picture.bars]
    axes.barh(places, values, color=[bar.colour for bar in picture.bars], height=0.75)
    axes.set_yticks(places, [_shortened(bar.label) for bar in picture.bars])
    axes.set_ylim(len(picture.bars) - 0.4, -0.6)
    if all(not value < 0 for value in values):
        for place, bar, words in zip(places.tolist(), picture.bars, scale.words(values), strict=True):
            axes.annotate(
                words,
                (picture.told_at(bar), place),
                (3, 0),
                textcoords="offset points",
                va="center",
                color=QUIET,
                fontsize=8,
            )
        axes.margins(x=0.1)
    axes.set_xlabel(_plain(picture.x.title))
    axes.xaxis.set_major_formatter(FuncFormatter(_number))
    if picture.x.kind == "count":
        axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=_STEPS))
    if picture.y.title:
        axes.set_ylabel(_plain(picture.y.title))
    if picture.mean is not None:
        value, name = picture.mean
        axes.axvline(value, color=QUIET, linestyle="--", linewidth=1)
        axes.annotate(
            name,
            (value, 1),
            (0, 2),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            color=QUIET,
            fontsize=8,
        )
    if picture.group is not None:
        groups = {str(bar.group): bar.colour for bar in picture.bars}
        _legend(axes, picture.group, sorted(groups.items(), key=lambda pair: (len(pair[0]), pair[0])))


def _histogram(picture: Histogram, axes: Axes) -> None:
    axes.stairs(picture.counts, picture.edges, fill=True, color=PALETTE[0])
    if picture.is_log:
        axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(list(picture.ticks), list(picture.ticks.values()))
    axes.set_xlim(picture.edges[0], picture.edges[-1])
    axes.set_xlabel(_plain(picture.x.title))
    _value_axis(axes, picture.y, is_from_zero=False)


def _family(picture: Family, axes: Axes) -> None:
    is_time = picture.x.kind == "time"

    def at(place: int) -> Any:  # noqa: ANN401 - a moment or a number
        return _moments(np.array([place], dtype=np.int64))[0] if is_time else place

    rows = {life.shard_id: row for row, life in enumerate(picture.lives)}
    for life, row in zip(picture.lives, rows.values(), strict=True):
        alpha = 1.0 if life.is_open else 0.45
        axes.barh(row, at(life.end) - at(life.start), left=at(life.start), height=0.6, color=life.colour, alpha=alpha)
    for link in picture.links:
        style = "-" if link.kind == "split" else "--"
        ends = (rows[link.parent_shard_id], rows[link.shard_id])
        axes.vlines(at(link.at), min(ends), max(ends), color=QUIET, linestyle=style, linewidth=1)
    axes.set_yticks(range(len(rows)), [_shortened(life.label) for life in picture.lives])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    if is_time:
        _time_axis(axes, picture.x)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel(picture.x.title)
    handles = [Patch(color=QUIET, label="open"), Patch(color=QUIET, alpha=0.45, label="closed")]
    lines = [
        Line2D([], [], color=QUIET, linestyle="-" if kind == "split" else "--", label=kind)
        for kind in ("split", "merge")
        if any(link.kind == kind for link in picture.links)
    ]
    axes.legend(handles=[*handles, *lines], **_BESIDE)


def _ring(picture: Ring, axes: Axes) -> None:
    for segment in picture.segments:
        axes.bar(
            segment.start,
            segment.load,
            width=segment.end - segment.start,
            align="edge",
            color=segment.colour,
            edgecolor="white",
            linewidth=0.8,
        )
    axes.axhline(1, color=QUIET, linestyle="--", linewidth=1)
    axes.set_xlim(0, 100)
    axes.set_xlabel(picture.x.title)
    _value_axis(axes, picture.y, is_from_zero=False)
    if len(picture.segments) <= len(PALETTE):
        pairs = [(segment.label, segment.colour) for segment in picture.segments]
        _legend(axes, picture.x, pairs, title="shard")


def _blank(picture: Blank, axes: Axes) -> None:
    axes.set_axis_off()
    said = "\n".join(map(_plain, picture.subtitle))
    axes.text(0.5, 0.5, said, ha="center", va="center", fontsize=12, color=QUIET, transform=axes.transAxes)


def _legend(axes: Axes, key: Axis | None, pairs: Iterable[tuple[str, str]], title: str | None = None) -> None:
    if key is None:
        return
    handles = [Line2D([], [], color=colour, linewidth=4) for _, colour in pairs]
    names = [_shortened(label) for label, _ in pairs]
    axes.legend(handles, names, title=_shortened(title or key.title), title_fontsize=9, alignment="left", **_BESIDE)


def _time_axis(axes: Axes, axis: Axis) -> None:
    _as_dates(axes.xaxis)
    axes.set_xlabel(_plain(axis.title))


def _as_dates(axis: MatplotlibAxis) -> None:
    locator = AutoDateLocator(tz=datetime.UTC)  # type: ignore[no-untyped-call, unused-ignore]
    axis.set_major_locator(locator)
    axis.set_major_formatter(ConciseDateFormatter(locator, tz=datetime.UTC))  # type: ignore[no-untyped-call, unused-ignore]


def _value_axis(axes: Axes, axis: Axis, *, is_from_zero: bool) -> None:
    axes.set_ylabel(_plain(axis.title))
    axes.yaxis.set_major_formatter(FuncFormatter(_number))
    if axis.kind == "count":
        axes.yaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=_STEPS))
    axes.grid(axis="y", alpha=0.3, linewidth=0.6)
    axes.set_axisbelow(True)
    if is_from_zero:
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, 0.0) if low < 0 else 0.0, max(high, 0.0))


def _moments(times: Integers) -> Any:  # noqa: ANN401 - an array of numpy's moments, which axes take as dates
    return times.astype("datetime64[us]")


def _laid(values: Floats, axis: Axis) -> Any:  # noqa: ANN401 - floats, or moments with NaT for NaN
    if axis.kind != "time":
        return values
    moments = np.full(len(values), "NaT", dtype="datetime64[us]")
    is_there = np.isfinite(values)
    moments[is_there] = values[is_there].astype(np.int64).astype("datetime64[us]")
    return moments


def _plain(words: str) -> str:
    """Words as they stand, without the formulas that matplotlib reads between dollars."""
    return words.replace("$", r"\$")


def _shortened(words: str, most: int = _LABEL_MAX) -> str:
    return _plain(words if len(words) <= most else f"{words[: most - 1]}\u2026")


def _number(value: float, _place: int | None = None) -> str:
    return "" if math.isnan(value) else scale.figures(value)


_DRAWN: dict[type[Picture], Callable[[Any, Axes], None]] = {
    Bars: _bars,
    Blank: _blank,
    Family: _family,
    Groups: _groups,
    Histogram: _histogram,
    Lines: _lines,
    Ring: _ring,
    Stacks: _stacks,
}
