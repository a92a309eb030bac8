"""Pictures drawn by altair; each chart carries its data with it, under the names that the table has."""

from __future__ import annotations

import dataclasses
import math
import re

import altair as alt
import numpy as np

from shardstream.plots import altair_fields as fields
from shardstream.plots import scale
from shardstream.plots.colour import ALARM, PALETTE, QUIET
from shardstream.plots.picture import Axis, Bars, Blank, Family, Groups, Histogram, Lines, Ring, Stacks

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from shardstream.plots.picture import Picture

__all__ = ["draw"]

_WIDTH, _HEIGHT = 640, 280
_ROW_HEIGHT = 20
# Up to so many points each is marked, and not the line alone.
_MARKED_MAX = 120
_ASTRAY = re.compile(r"""[.\[\]\\'"]""")


def draw(picture: Picture) -> Any:  # noqa: ANN401 - one of altair's many kinds of charts
    """Draw a picture."""
    title = alt.TitleParams(
        text=picture.title,
        subtitle=alt.Undefined if isinstance(picture, Blank) else picture.subtitle or alt.Undefined,
        anchor="start",
        subtitleColor=QUIET,
        offset=12,
        limit=_WIDTH + 100,
    )
    return _DRAWN[type(picture)](_speakable(picture)).properties(title=title)


def _speakable(picture: Picture) -> Picture:
    """The picture with names that vega-lite can say.

    Dots, brackets, quotes and backslashes lead astray in some of the expressions it makes of columns' names, escaped or
    not; in those it makes of titles a backslash escapes.
    """
    spoken: dict[str, Any] = {}
    taken: set[str] = set()
    for each in dataclasses.fields(picture):
        axis = getattr(picture, each.name)
        if isinstance(axis, Axis):
            name = _ASTRAY.sub("_", axis.name)
            while name in taken:
                name += "_"
            taken.add(name)
            spoken[each.name] = dataclasses.replace(axis, name=name, title=axis.title.replace("\\", "\\\\"))
    return dataclasses.replace(picture, **spoken)


def _lines(picture: Lines) -> Any:  # noqa: ANN401
    rows = fields.rows(picture.series, picture)
    encodings = _encodings(picture)
    chart = alt.Chart(fields.data(rows))
    layers = []
    if picture.mark == "span":
        tooltip = [*encodings["tooltip"], fields.tooltip("window_end", "window end (UTC)", "temporal")]
        spans = {**encodings, "x2": alt.X2(field="window_end"), "tooltip": tooltip}
        layers.append(chart.mark_rule(strokeWidth=4, **fields.fixed_colour(picture.key)).encode(**spans))
    elif picture.mark == "point":
        layers.append(
            chart.mark_point(filled=True, size=24, opacity=1, **fields.fixed_colour(picture.key)).encode(**encodings)
        )
    else:
        is_marked = picture.mark == "line" and len(rows) <= _MARKED_MAX
        line = chart.mark_line(
            interpolate="step-after" if picture.mark == "step" else alt.Undefined,
            invalid="break-paths-filter-domains",
            point=alt.OverlayMarkDef(size=24) if is_marked else alt.Undefined,
            strokeWidth=1.8,
            **fields.fixed_colour(picture.key),
        )
        layers.append(line.encode(**encodings))
        alone = [] if is_marked else fields.rows([scale.alone(each) for each in picture.series], picture)
        if alone:
            points = alt.Chart(fields.data(alone)).mark_point(
                filled=True, size=16, opacity=1, **fields.fixed_colour(picture.key)
            )
            layers.append(points.encode(**encodings))
    layers += [*_limit(picture), *_alarms(picture)]
    whole = layers[0] if len(layers) == 1 else alt.layer(*layers)
    return whole.properties(width=_WIDTH, height=_HEIGHT)


def _encodings(picture: Lines) -> dict[str, Any]:
    tooltip = [fields.tooltip(axis.name, axis.title, fields.measure(axis)) for axis in (picture.x, picture.y)]
    found = {
        "x": fields.time_axis(picture.x, *fields.span(picture.series)),
        "y": fields.value_axis(picture.y, picture.series),
        "tooltip": tooltip,
    }
    if picture.key is not None:
        found["color"] = fields.colours(picture.key, picture.series, is_line=picture.mark != "point")
        tooltip.insert(0, fields.tooltip(picture.key.name, picture.key.title, "nominal"))
    return found


def _limit(picture: Lines) -> list[Any]:
    if picture.limit is None:
        return []
    value, name = picture.limit
    base = alt.Chart(fields.data([{picture.y.name: value, "limit": name}]))
    y = alt.Y(field=picture.y.name, type="quantitative")
    words = base.mark_text(align="left", baseline="bottom", dx=4, dy=-3, color=ALARM)
    return [
        base.mark_rule(color=ALARM, strokeDash=[5, 4]).encode(y=y),
        words.encode(y=y, x=alt.value(0), text=alt.Text(field="limit", type="nominal")),
    ]


def _alarms(picture: Lines) -> list[Any]:
    if not picture.alarms or picture.key is None:
        return []
    stamps = fields.stamps(np.array([alarm.time for alarm in picture.alarms], dtype=np.int64))
    rows = [
        {
            picture.x.name: stamp,
            picture.y.name: fields.number(alarm.value),
            picture.key.name: alarm.label,
            "what": alarm.text,
        }
        for alarm, stamp in zip(picture.alarms, stamps, strict=True)
    ]
    points = alt.Chart(fields.data(rows)).mark_point(
        filled=True, shape="triangle-down", size=70, color=ALARM, opacity=1
    )
    tooltip = [
        fields.tooltip(picture.key.name, picture.key.title, "nominal"),
        fields.tooltip(picture.x.name, picture.x.title, "temporal"),
        fields.tooltip("what", "what", "nominal"),
    ]
    x, y = (
        fields.time_axis(picture.x, *fields.span(picture.series)),
        alt.Y(field=picture.y.name, type="quantitative"),
    )
    return [points.encode(x=x, y=y, tooltip=tooltip)]


def _groups(picture: Groups) -> Any:  # noqa: ANN401
    rows = fields.rows(picture.series, picture)
    names = iter([picture.windows[int(time)] for series in picture.series for time in series.times])
    window = fields.free("window", picture)
    rows = [{**row, window: name} for row, name in zip(rows, names, strict=True)]
    angle = 0 if len(picture.windows) <= 8 else -40  # noqa: PLR2004 - names that fit beside one another
    x = alt.X(
        field=window,
        type="ordinal",
        sort=list(picture.windows.values()),
        title=picture.x.title,
        axis=alt.Axis(labelAngle=angle),
    )
    tooltip = [
        fields.tooltip(window, picture.x.title, "nominal"),
        fields.tooltip(picture.y.name, picture.y.title, "quantitative"),
    ]
    encodings = {"x": x, "y": fields.plain_axis(alt.Y, picture.y), "tooltip": tooltip}
    if picture.key is not None:
        labels = [series.label for series in picture.series]
        encodings["color"] = fields.colours(picture.key, picture.series)
        encodings["xOffset"] = alt.XOffset(field=picture.key.name, type="nominal", sort=labels)
        tooltip.insert(0, fields.tooltip(picture.key.name, picture.key.title, "nominal"))
    chart = alt.Chart(fields.data(rows)).mark_bar(**fields.fixed_colour(picture.key))
    return chart.encode(**encodings).properties(width=_WIDTH, height=_HEIGHT)


def _stacks(picture: Stacks) -> Any:  # noqa: ANN401
    end, below, above = (fields.free(name, picture) for name in ("end", "below", "above"))
    rows = []
    heights: dict[int, float] = {}
    for series in picture.series:
        ends = series.times if series.ends is None else series.ends
        stamps = zip(fields.stamps(series.times), fields.stamps(ends), strict=True)
        for time, value, (start, stop) in zip(series.times.tolist(), series.values.tolist(), stamps, strict=True):
            bottom = heights.get(time, 0.0)
            top = bottom if math.isnan(value) else bottom + value
            heights[time] = top
            row = {picture.x.name: start, end: stop, picture.y.name: fields.number(value)}
            rows.append(
                {
                    **row,
                    below: fields.number(bottom),
                    above: fields.number(top),
                    **fields.named(picture.key, series.label),
                }
            )
    tooltip = [fields.tooltip(axis.name, axis.title, fields.measure(axis)) for axis in (picture.x, picture.y)]
    encodings = {
        "x": fields.time_axis(picture.x, *picture.span, is_whole=True),
        "x2": alt.X2(field=end),
        "y": fields.plain_axis(alt.Y, dataclasses.replace(picture.y, name=above)),
        "y2": alt.Y2(field=below),
        "tooltip": tooltip,
    }
    if picture.key is not None:
        encodings["color"] = fields.colours(picture.key, picture.series)
        tooltip.insert(0, fields.tooltip(picture.key.name, picture.key.title, "nominal"))
    chart = alt.Chart(fields.data(rows)).mark_rect(**fields.fixed_colour(picture.key))
    return chart.encode(**encodings).properties(width=_WIDTH, height=_HEIGHT)


def _bars(picture: Bars) -> Any:  # noqa: ANN401
    labels = [bar.label for bar in picture.bars]
    rows = [
        {
            picture.y.name: bar.label,
            picture.x.name: fields.number(bar.value),
            **fields.named(picture.group, bar.group or ""),
        }
        for bar in picture.bars
    ]
    y = alt.Y(field=picture.y.name, type="nominal", sort=labels, title=picture.y.title or None)
    x = fields.plain_axis(alt.X, picture.x)
    tooltip = [fields.tooltip(picture.y.name, picture.y.title or picture.y.name, "nominal")]
    tooltip.append(fields.tooltip(picture.x.name, picture.x.title, "quantitative"))
    colours = {bar.label: bar.colour for bar in picture.bars}
    if picture.group is None:
        colour = alt.Color(
            field=picture.y.name,
            type="nominal",
            scale=alt.Scale(domain=labels, range=list(colours.values())),
            legend=None,
        )
    else:
        groups = {bar.group: bar.colour for bar in picture.bars}
        tooltip.append(fields.tooltip(picture.group.name, picture.group.title, "nominal"))
        domain = sorted((str(group) for group in groups), key=lambda group: (len(group), group))
        found = alt.Scale(domain=domain, range=[groups[group] for group in domain])
        colour = alt.Color(field=picture.group.name, type="nominal", scale=found, title=picture.group.title)
    base = alt.Chart(fields.data(rows))
    layers = [base.mark_bar().encode(x=x, y=y, color=colour, tooltip=tooltip)]
    if all(not bar.value < 0 for bar in picture.bars):
        told, told_at = fields.free("told", picture), fields.free("told at", picture)
        for row, bar, words in zip(rows, picture.bars, scale.words([bar.value for bar in picture.bars]), strict=True):
            row[told], row[told_at] = words, picture.told_at(bar)
        text, at = (
            alt.Text(field=told, type="nominal"),
            alt.X(field=told_at, type="quantitative", title=picture.x.title),
        )
        layers.append(base.mark_text(align="left", dx=4, color=QUIET).encode(x=at, y=y, text=text))
    if picture.mean is not None:
        value, name = picture.mean
        mean = alt.Chart(fields.data([{picture.x.name: value, "mean": name}]))
        at = alt.X(field=picture.x.name, type="quantitative")
        words = mean.mark_text(baseline="bottom", dy=-3, color=QUIET)
        layers.append(mean.mark_rule(color=QUIET, strokeDash=[5, 4]).encode(x=at))
        layers.append(words.encode(x=at, y=alt.value(0), text=alt.Text(field="mean", type="nominal")))
    return alt.layer(*layers).properties(width=_WIDTH, height=alt.Step(_ROW_HEIGHT))


def _histogram(picture: Histogram) -> Any:  # noqa: ANN401
    least = f"{picture.x.name}_from"
    most = f"{picture.x.name}_to"
    pairs = zip(picture.edges, picture.edges[1:], picture.counts, strict=False)
    rows = [{least: start, most: end, picture.y.name: count} for start, end, count in pairs if count]
    names = " : ".join(f"datum.value == {place!r} ? '{name}'" for place, name in picture.ticks.items())
    x = alt.X(
        field=least,
        type="quantitative",
        title=picture.x.title,
        scale=alt.Scale(
            type="log" if picture.is_log else "linear",
            domain=[picture.edges[0], picture.edges[-1]],
            nice=False,
            zero=False,
        ),
        axis=alt.Axis(values=list(picture.ticks), labelExpr=f"{names} : ''" if names else "''"),
    )
    tooltip = [
        alt.Tooltip(field=name, type="quantitative", title=title, format=",.3~r")
        for name, title in ((least, "from (s)"), (most, "to (s)"), (picture.y.name, picture.y.title))
    ]
    chart = alt.Chart(fields.data(rows)).mark_rect(color=PALETTE[0], stroke="white", strokeWidth=0.5)
    encoded = chart.encode(
        x=x, x2=alt.X2(field=most), y=fields.plain_axis(alt.Y, picture.y), y2=alt.datum(0), tooltip=tooltip
    )
    return encoded.properties(width=_WIDTH, height=_HEIGHT)


def _family(picture: Family) -> Any:  # noqa: ANN401
    is_time = picture.x.kind == "time"

    def place(at: int) -> str | int:
        return fields.stamps(np.array([at], dtype=np.int64))[0] if is_time else at

    end = f"{picture.x.name}_end"
    names = {life.shard_id: life.label for life in picture.lives}
    order = [life.label for life in picture.lives]
    rows = [
        {
            "shard": life.label,
            picture.x.name: place(life.start),
            end: place(life.end),
            "state": "open" if life.is_open else "closed",
            "records": life.records,
        }
        for life in picture.lives
    ]
    if is_time:
        x = fields.time_axis(picture.x, *_extent(picture))
    else:
        steps = alt.Axis(values=_whole(picture), format="d")
        x = alt.X(field=picture.x.name, type="quantitative", title=picture.x.title, axis=steps)
    # By domain: layers of different data lose the order of their sort.
    y = alt.Y(field="shard", type="nominal", scale=alt.Scale(domain=order), title=None)
    colour = alt.Color(
        field="shard",
        type="nominal",
        scale=alt.Scale(domain=order, range=[life.colour for life in picture.lives]),
        legend=None,
    )
    opacity = alt.Opacity(
        field="state",
        type="nominal",
        scale=alt.Scale(domain=["open", "closed"], range=[1, 0.45]),
        legend=alt.Legend(title="shard is", symbolFillColor=QUIET),
    )
    kind = fields.measure(picture.x)
    tooltip = [
        fields.tooltip("shard", "shard", "nominal"),
        fields.tooltip(picture.x.name, "created", kind),
        fields.tooltip(end, "open until", kind),
        fields.tooltip("state", "state", "nominal"),
        fields.tooltip("records", "records kept", "quantitative"),
    ]
    base = alt.Chart(fields.data(rows))
    bars = base.mark_bar(height=11, cornerRadius=2).encode(
        x=x, x2=alt.X2(field=end), y=y, color=colour, opacity=opacity, tooltip=tooltip
    )
    layers = [bars]
    if picture.links:
        links = [
            {
                "shard": names[link.parent_shard_id],
                "child": names[link.shard_id],
                picture.x.name: place(link.at),
                "what": link.kind,
            }
            for link in picture.links
        ]
        told = [fields.tooltip(name, name, "nominal") for name in ("what", "shard", "child")]
        rule = alt.Chart(fields.data(links)).mark_rule(color=QUIET, strokeWidth=1.2)
        dashes = {"split": [1, 0], "merge": [4, 3]}
        kinds = [kind for kind in dashes if any(link.kind == kind for link in picture.links)]
        dash = alt.StrokeDash(
            field="what",
            type="nominal",
            title="came of",
            scale=alt.Scale(domain=kinds, range=[dashes[kind] for kind in kinds]),
        )
        layers.append(rule.encode(x=x, y=y, y2=alt.Y2(field="child"), strokeDash=dash, tooltip=told))
    return alt.layer(*layers).properties(width=_WIDTH, height=alt.Step(_ROW_HEIGHT))


def _extent(picture: Family) -> tuple[int, int]:
    """From where to where the shards' lives go."""
    return min((life.start for life in picture.lives), default=0), max((life.end for life in picture.lives), default=1)


def _whole(picture: Family) -> list[int]:
    """The steps that the axis names."""
    _, end = _extent(picture)
    return list(range(0, end + 1, -(-end // 20)))


def _ring(picture: Ring) -> Any:  # noqa: ANN401
    rows = [
        {
            "shard": segment.label,
            picture.x.name: segment.start,
            "end": segment.end,
            picture.y.name: segment.load,
            "records": segment.records,
        }
        for segment in picture.segments
    ]
    x = alt.X(field=picture.x.name, type="quantitative", title=picture.x.title, scale=alt.Scale(domain=[0, 100]))
    order = [segment.label for segment in picture.segments]
    colour = alt.Color(
        field="shard",
        type="nominal",
        scale=alt.Scale(domain=order, range=[segment.colour for segment in picture.segments]),
        legend=alt.Legend(title="shard") if len(order) <= len(PALETTE) else None,
    )
    tooltip = [
        fields.tooltip("shard", "shard", "nominal"),
        alt.Tooltip(field=picture.x.name, type="quantitative", title="from (%)", format=".2f"),
        alt.Tooltip(field="end", type="quantitative", title="to (%)", format=".2f"),
        alt.Tooltip(field=picture.y.name, type="quantitative", title=picture.y.title, format=".2f"),
        fields.tooltip("records", "records", "quantitative"),
    ]
    chart = alt.Chart(fields.data(rows)).mark_rect(stroke="white", strokeWidth=1)
    parts = chart.encode(
        x=x,
        x2=alt.X2(field="end"),
        y=fields.plain_axis(alt.Y, picture.y),
        y2=alt.datum(0),
        color=colour,
        tooltip=tooltip,
    )
    even = alt.Chart(fields.data([{picture.y.name: 1}])).mark_rule(color=QUIET, strokeDash=[5, 4])
    return alt.layer(parts, even.encode(y=alt.Y(field=picture.y.name, type="quantitative"))).properties(
        width=_WIDTH, height=_HEIGHT
    )


def _blank(picture: Blank) -> Any:  # noqa: ANN401
    chart = alt.Chart(fields.data([{"what": picture.subtitle[0]}])).mark_text(fontSize=14, color=QUIET)
    return chart.encode(text=alt.Text(field="what", type="nominal")).properties(width=_WIDTH, height=120)


_DRAWN: dict[type[Picture], Callable[[Any], Any]] = {
    Bars: _bars,
    Blank: _blank,
    Family: _family,
    Groups: _groups,
    Histogram: _histogram,
    Lines: _lines,
    Ring: _ring,
    Stacks: _stacks,
}
