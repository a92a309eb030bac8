"""What altair's charts are put together from: rows under the names of columns, axes, colours and tooltips."""

from __future__ import annotations

import math

import altair as alt
import numpy as np

from shardstream.plots import scale
from shardstream.plots.colour import PALETTE
from shardstream.plots.picture import Axis, Bars, Groups

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Literal

    from numpy.typing import NDArray

    from shardstream.plots.picture import Integers, Lines, Series, Stacks

    Measure = Literal["nominal", "quantitative", "temporal"]

__all__ = [
    "colours",
    "data",
    "fixed_colour",
    "free",
    "measure",
    "moments",
    "named",
    "number",
    "plain_axis",
    "rows",
    "span",
    "stamps",
    "time_axis",
    "tooltip",
    "value_axis",
]

_TIME_UNIT: Literal["utcyearmonthdatehoursminutesseconds"] = "utcyearmonthdatehoursminutesseconds"
# How an axis names a moment that begins an hour, a day and so on.
_TIMES = {
    "year": "%Y",
    "quarter": "%b",
    "month": "%b",
    "week": "%b %d",
    "date": "%b %d",
    "day": "%b %d",
    "hours": "%H:%M",
    "minutes": "%H:%M",
    "seconds": "%H:%M:%S",
    "milliseconds": "%H:%M:%S.%L",
}


def rows(series: Iterable[Series], picture: Lines | Groups) -> list[dict[str, Any]]:
    """The points under the names of their columns."""
    found: list[dict[str, Any]] = []
    for each in series:
        columns: dict[str, list[Any]] = {picture.x.name: stamps(each.times)}
        if each.ends is not None and not isinstance(picture, Groups):
            columns["window_end"] = stamps(each.ends)
        values = each.values.tolist()
        is_time = picture.y.kind == "time"
        columns[picture.y.name] = [_stamp_or_none(value) if is_time else number(value) for value in values]
        told = named(picture.key, each.label)
        found += [dict(zip(columns, row, strict=True)) | told for row in zip(*columns.values(), strict=True)]
    return found


def data(rows: list[dict[str, Any]]) -> Any:  # noqa: ANN401
    """Rows as a chart's own data: a dictionary, which altair takes without checking each row against its schema."""
    return {"values": rows}


def time_axis(axis: Axis, start: int, end: int, *, is_whole: bool = False) -> Any:  # noqa: ANN401
    """Time from left to right, in UTC; the title says the day or the year, which ticks may leave out."""
    first, last = stamps(np.array([start, max(start, end - 1)], dtype=np.int64))
    day, year = 10, 4
    said = next((f", {first[:length]}" for length in (day, year) if first[:length] == last[:length]), "")
    domain = stamps(np.array([start, end], dtype=np.int64)) if is_whole else None
    return moments(alt.X, Axis(axis.name, f"{axis.title}{said}", "time"), domain)


def span(series: Iterable[Series]) -> tuple[int, int]:
    """From when to when series go."""
    times = np.concatenate([each.times if each.ends is None else [*each.times, *each.ends] for each in series])
    return int(times.min(initial=np.iinfo(np.int64).max)), int(times.max(initial=0))


def moments(channel: Callable[..., Any], axis: Axis, domain: list[str] | None = None) -> Any:  # noqa: ANN401
    """Moments on an axis, in UTC."""
    return channel(
        field=axis.name,
        type="temporal",
        scale=alt.Scale(type="utc", domain=domain or alt.Undefined),
        title=axis.title,
        axis=alt.Axis(format=_TIMES),
    )


def value_axis(axis: Axis, series: list[Series]) -> Any:  # noqa: ANN401
    """Values upwards; from zero, unless they lie close together and far from it."""
    if axis.kind == "time":
        return moments(alt.Y, axis)
    zero = scale.starts_at_zero(series)
    return alt.Y(field=axis.name, type="quantitative", scale=alt.Scale(zero=zero), title=axis.title, axis=_ticks(axis))


def plain_axis(channel: Callable[..., Any], axis: Axis) -> Any:  # noqa: ANN401
    """Numbers on an axis from zero."""
    return channel(field=axis.name, type="quantitative", title=axis.title, axis=_ticks(axis))


def _ticks(axis: Axis) -> Any:  # noqa: ANN401
    return alt.Axis(tickMinStep=1) if axis.kind == "count" else alt.Undefined


def colours(key: Axis, series: list[Series], *, is_line: bool = False) -> Any:  # noqa: ANN401
    """The series' own colours, named in their order."""
    labels = [each.label for each in series]
    found = alt.Scale(domain=labels, range=[each.colour for each in series])
    line = alt.Legend(symbolLimit=0, symbolType="stroke", symbolStrokeWidth=4)
    return alt.Color(
        field=key.name,
        type="nominal",
        scale=found,
        sort=labels,
        title=key.title,
        legend=line if is_line else alt.Legend(symbolLimit=0),
    )


def fixed_colour(key: Axis | None) -> dict[str, Any]:
    """The mark's colour where no column gives one."""
    return {"color": PALETTE[0]} if key is None else {}


def named(key: Axis | None, label: str) -> dict[str, str]:
    """A row's field for its series."""
    return {} if key is None else {key.name: label}


def tooltip(name: str, title: str, kind: Measure) -> Any:  # noqa: ANN401
    """What a chart says of a column where the mouse rests."""
    if kind == "temporal":
        return alt.Tooltip(field=name, type=kind, title=title, timeUnit=_TIME_UNIT)
    format_ = ",.6~r" if kind == "quantitative" else alt.Undefined
    return alt.Tooltip(field=name, type=kind, title=title, format=format_)


def measure(axis: Axis) -> Measure:
    """What altair calls the kind of an axis."""
    return "temporal" if axis.kind == "time" else "quantitative"


def free(name: str, picture: Groups | Stacks | Bars) -> str:
    """The name, or one like it, where a column of the result is called so."""
    key = picture.group if isinstance(picture, Bars) else picture.key
    taken = {picture.x.name, picture.y.name, None if key is None else key.name}
    while name in taken:
        name += "_"
    return name


def stamps(times: Integers) -> list[str]:
    """Times in ISO 8601, as fine as they need to be."""
    moments: NDArray[np.datetime64] = times.astype("datetime64[us]")
    unit: Literal["s", "ms", "us"] = "us" if (times % 1_000).any() else "ms" if (times % 1_000_000).any() else "s"
    return [str(moment) for moment in np.datetime_as_string(moments, unit=unit, timezone="UTC")]


def _stamp_or_none(value: float) -> str | None:
    return None if math.isnan(value) else stamps(np.array([value], dtype=np.int64))[0]


def number(value: float) -> float | int | None:
    """A value as JSON takes it; nothing where there is a gap."""
    if math.isnan(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 2**53 else value
