"""What a live view shows: the newest windows and some counts, as HTML and in a line."""

from __future__ import annotations

import datetime
import html
import math
import threading
from collections import deque

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from shardstream import _core

    # A window's start and end.
    Span = tuple[Any, Any]

__all__ = ["Picture"]

# Rows of an update that are looked at: its newest.
_TAKEN = 512
# Windows kept, for the table and the lines.
_KEPT = 1_024
# Points of a line, and lines, at most.
_POINTS, _LINES = 60, 4
# Over how long the rate is measured, in seconds.
_RATE_S = 2.0
_TEXT_MAX = 40
_WIDTH, _HEIGHT = 320, 48
_COLOURS = ("#2f7fc1", "#d9541e", "#b07d00", "#0f9670")
_LINE_STYLE = "1px solid rgba(127,127,127,0.5)"


class Picture:
    """The state of a live view; one thread changes it, any may draw it."""

    def __init__(
        self, title: str, *, keys: Sequence[str], aggregates: Sequence[str], are_sessions: bool, rows: int
    ) -> None:
        """Start empty.

        Args:
            title: What is looked at.
            keys: The columns that tell windows of a time apart.
            aggregates: The columns computed; the first is drawn as a line.
            are_sessions: Whether a window's ends move.
            rows: Windows shown in the table.
        """
        self.stats: dict[str, Any] = {}
        self._title = title
        self._keys = keys
        self._aggregates = aggregates
        self._are_sessions = are_sessions
        self._rows = rows
        self._state = "live"
        self._lock = threading.Lock()
        # For each key, its windows: the row of each.
        self._kept: dict[tuple[object, ...], dict[Span, dict[str, Any]]] = {}
        self._count = 0
        # When how many rows had come.
        self._pace: deque[tuple[float, int]] = deque()

    def take(self, answer: _core.Answer | None, now: float) -> None:
        """Take in an update; or that there was none until now."""
        with self._lock:
            if answer is not None:
                self.stats = answer.stats
                count = len(answer.windows)
                for row in answer.windows.slice(max(count - _TAKEN, 0), _TAKEN).to_pylist():
                    self._keep(row)
            self._pace.append((now, self.stats.get("rows", 0)))
            while self._pace[0][0] < now - _RATE_S:
                self._pace.popleft()

    def end(self, why: str) -> None:
        """Say why nothing more comes."""
        with self._lock:
            self._state = why

    def windows(self) -> list[dict[str, Any]]:
        """The newest windows, the newest first."""
        with self._lock:
            return self._newest(self._rows)

    def line(self) -> str:
        """All of it in one line."""
        with self._lock:
            newest = self._newest(1)
            shown = [self._title, self._state, *self._facts()]
            if newest:
                start = _said(newest[0]["window_start"])
                shown.append(f"{start}: " + " ".join(f"{name}={_said(newest[0][name])}" for name in self._columns()))
            return " | ".join(shown)

    def html(self) -> str:
        """All of it as HTML without scripts or style sheets, readable on light and dark."""
        with self._lock:
            facts = " &#183; ".join(html.escape(fact) for fact in (self._state, *self._facts()))
            head = f"<div><b>{html.escape(self._title)}</b> &#183; {facts}</div>"
            body = self._lines() + self._table()
            return f'<div style="line-height:1.45;font-size:13px;overflow-x:auto">{head}{body}</div>'

    def _keep(self, row: dict[str, Any]) -> None:
        windows = self._kept.setdefault(tuple(map(_hashable, (row[key] for key in self._keys))), {})
        start, end = row["window_start"], row["window_end"]
        if self._are_sessions:
            # It has grown, or joined what were two.
            for span in [span for span in windows if span[0] < end and start < span[1]]:
                del windows[span]
                self._count -= 1
        self._count += (start, end) not in windows
        windows[start, end] = row
        if self._count > 2 * _KEPT:
            self._forget()

    def _forget(self) -> None:
        """Keep the newest windows only."""
        spans = [(span, key) for key, windows in self._kept.items() for span in windows]
        spans.sort(key=lambda pair: pair[0])
        for span, key in spans[: len(spans) - _KEPT]:
            del self._kept[key][span]
            if not self._kept[key]:
                del self._kept[key]
        self._count = min(len(spans), _KEPT)

    def _newest(self, count: int) -> list[dict[str, Any]]:
        spans = [(span, key) for key in sorted(self._kept, key=str) for span in self._kept[key]]
        # Of equal spans, the first key stays the first.
        spans.sort(key=lambda each: each[0], reverse=True)
        return [self._kept[key][span] for span, key in spans[:count]]

    def _columns(self) -> list[str]:
        return [*self._keys, *self._aggregates]

    def _facts(self) -> list[str]:
        rows = self.stats.get("rows", 0)
        facts = [f"{rows:,} row{'' if rows == 1 else 's'}"]
        if self._state == "live":
            facts.append(f"{self._rate():,.0f} a second")
        for name, noun in (("late_rows", "late"), ("malformed_records", "malformed")):
            if self.stats.get(name):
                facts.append(f"{self.stats[name]:,} {noun}")
        if self.stats.get("watermark") is not None:
            facts.append(f"watermark {_said(self.stats['watermark'])}")
        return facts

    def _rate(self) -> float:
        if len(self._pace) < 2:  # noqa: PLR2004 - a span has two ends
            return 0.0
        (began, before), (now, rows) = self._pace[0], self._pace[-1]
        return (rows - before) / max(now - began, 1e-3)

    def _table(self) -> str:
        names = ["window_start", *self._columns()]
        newest = self._newest(self._rows)
        if not newest:
            return '<div style="opacity:0.7">no window yet</div>'
        lines = [_row([(name, _is_number(newest[0][name])) for name in names], "th")]
        lines += [_row([(_said(row[name]), _is_number(row[name])) for name in names], "td") for row in newest]
        more = self._count - len(newest)
        if more > 0:
            lines.append(
                f'<tr><td colspan="{len(names)}" style="text-align:left;opacity:0.7;padding:1px 8px">'
                "and older ones</td></tr>"
            )
        return (
            '<table style="border-collapse:collapse;margin:4px 0;font-size:inherit;color:inherit;'
            'font-variant-numeric:tabular-nums">'
            f"{''.join(lines)}</table>"
        )

    def _lines(self) -> str:
        """The first aggregate over the windows, a line for each of a few keys."""
        series, name = [], self._aggregates[0]
        for key, windows in self._kept.items():
            points = [(span[0], windows[span][name]) for span in sorted(windows)[-_POINTS:]]
            series.append((key, [(at.timestamp(), float(value)) for at, value in points if _is_finite(value)]))
        series = [(key, points) for key, points in series if len(points) > 1]
        if not series:
            return ""
        # The keys with the most windows, and of these the highest ones, keep their colours from picture to picture.
        series.sort(key=lambda each: (-len(each[1]), -max(value for _, value in each[1]), str(each[0])))
        series = series[:_LINES]
        times = [at for _, points in series for at, _ in points]
        values = [value for _, points in series for _, value in points]
        lines, names = [], []
        for (key, points), colour in zip(series, _COLOURS, strict=False):
            lines.append(_polyline(points, (min(times), max(times)), (min(0.0, *values), max(values)), colour))
            if key:
                said = html.escape(", ".join(map(_said, key)))
                names.append(
                    f'<span style="white-space:nowrap"><span style="color:{colour}">&#9632;</span> {said}</span>'
                )
        caption = f"{name}, from {_said(min(values))} to {_said(max(values))}"
        return (
            f'<svg role="img" width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
            'xmlns="http://www.w3.org/2000/svg" style="max-width:100%;display:block;margin:4px 0">'
            f"<title>{html.escape(caption)}</title>"
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="currentColor" opacity="0.05"/>{"".join(lines)}</svg>'
            f'<div style="opacity:0.7">{html.escape(caption)}</div><div>{" ".join(names)}</div>'
        )


def _polyline(
    points: Iterable[tuple[float, float]], times: tuple[float, float], values: tuple[float, float], colour: str
) -> str:
    across = (_WIDTH - 4) / max(times[1] - times[0], 1e-9)
    up = (_HEIGHT - 4) / max(values[1] - values[0], 1e-9)
    places = (
        f"{2 + (at - times[0]) * across:.1f},{_HEIGHT - 2 - (value - values[0]) * up:.1f}" for at, value in points
    )
    return f'<polyline points="{" ".join(places)}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def _row(cells: Iterable[tuple[str, bool]], kind: str) -> str:
    line = f";border-bottom:{_LINE_STYLE}" if kind == "th" else ""
    made = []
    for text, is_number in cells:
        side = "right" if is_number else "left"
        style = f"text-align:{side};padding:1px 8px;white-space:nowrap{line}"
        made.append(f'<{kind} align="{side}" style="{style}">{html.escape(text)}</{kind}>')
    return f"<tr>{''.join(made)}</tr>"


def _said(value: object) -> str:
    """A value in few characters."""
    if value is None:
        return "null"
    if isinstance(value, datetime.datetime):
        said = value.replace(tzinfo=None).isoformat(" ")
        return said.removesuffix(":00") if value.second == value.microsecond == 0 else said
    if isinstance(value, bool) or not isinstance(value, int | float):
        text = _counts(value) if isinstance(value, list) else str(value)
        return text if len(text) <= _TEXT_MAX else text[: _TEXT_MAX - 3] + "..."
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def _counts(values: list[Any]) -> str:
    """What `top_k` gives, in words; any other list as it is."""
    if all(isinstance(each, dict) and set(each) == {"value", "count"} for each in values):
        return ", ".join(f"{each['value']} {each['count']:,}" for each in values)
    return str(values)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finite(value: object) -> bool:
    return _is_number(value) and math.isfinite(value)  # type: ignore[arg-type]


def _hashable(value: object) -> object:
    return repr(value) if isinstance(value, list | dict) else value
