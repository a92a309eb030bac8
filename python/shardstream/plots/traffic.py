"""What came to a stream over time, shard by shard, and what was too much for a shard."""

from __future__ import annotations

import datetime

import numpy as np

from shardstream.plots import column
from shardstream.plots.colour import of_shard
from shardstream.plots.picture import Alarm, Axis, Blank, Lines, Series, Stacks

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from typing import Protocol

    from numpy.typing import NDArray

    from shardstream.plots.picture import Floats, Integers, Picture

    class Traffic(Protocol):
        """What `Stream.traffic` gives, as far as charts need it."""

        @property
        def records(self) -> int:
            """How many are kept."""

        @property
        def surveyed(self) -> int:
            """How many of the newest were looked at."""

        @property
        def start(self) -> datetime.datetime | None:
            """When the first step begins."""

        @property
        def bin(self) -> datetime.timedelta:
            """How long a step is."""

        @property
        def shards(self) -> column.Columns:
            """What each shard took."""

        @property
        def history(self) -> column.Columns:
            """What each shard took in each step, where that was anything."""


__all__ = ["short", "surveyed_words", "throttles", "throughput"]

SHARDS_MAX = 12
RECORDS_PER_SECOND = 1_000
# The limit is drawn where a shard came this near to it; else the lines would lie flat on the ground.
_IN_REACH = 0.25
_MICROSECOND = datetime.timedelta(microseconds=1)
_SHARD = Axis("shard", "shard")
_SECOND = 1_000_000


def throughput(traffic: Traffic, name: str, time: str | None = None) -> Picture:
    """Records a second of each shard, and where it would have been, or was, throttled.

    Args:
        traffic: What came.
        name: The stream's name.
        time: The column of event times that it went by; by arrival, if not given.
    """
    history = _History(traffic)
    # A shard's limits are those of a second: of less than one no rate is told.
    is_rate = history.width >= _SECOND
    title = f"{name}: records {'a second ' if is_rate else ''}per shard"
    if not history.shard_ids:
        return Blank(title, ["no records"])
    chosen, left_out = history.chosen(history.records)
    series, alarms = [], []
    for shard_id in chosen:
        of_it = history.of(shard_id)
        steps = history.steps[of_it]
        first, last = int(steps.min()), int(steps.max())
        counts = np.zeros(last - first + 1)
        np.add.at(counts, steps - first, history.records[of_it])
        heights = counts / (history.width / _SECOND) if is_rate else counts
        times = history.start + np.arange(first, last + 2) * history.width
        # The last step is drawn to its end.
        series.append(Series(short(shard_id), of_shard(shard_id), times, np.append(heights, heights[-1])))
        alarms += history.alarms(shard_id, of_it, heights, first)
    top = max(float(each.values.max()) for each in series)
    is_near = is_rate and top >= _IN_REACH * RECORDS_PER_SECOND
    limit = (float(RECORDS_PER_SECOND), "a shard's limit: 1,000 records/s") if is_near else None
    step = _span_words(history.width)
    subtitle = [f"in steps of {step}{surveyed_words(traffic)}", *left_out, *history.refusals()]
    y = Axis("records_per_second", "records/s") if is_rate else Axis("records", f"records in {step}", "count")
    return Lines(title, subtitle, _time(time), y, _SHARD, series, "step", limit, alarms)


def throttles(traffic: Traffic, name: str, time: str | None = None) -> Picture:
    """How many puts were too much for a shard, over time."""
    title = f"{name}: records beyond a shard's limits"
    history = _History(traffic)
    refused = history.throttled + history.over_limit
    if not refused.any():
        return Blank(title, ["nothing throttled, and nothing that a real shard would have refused"])
    chosen, left_out = history.chosen(refused)
    series = []
    for shard_id in chosen:
        of_it = history.of(shard_id) & (refused > 0)
        if of_it.any():
            times = history.start + history.steps[of_it] * history.width
            series.append(Series(short(shard_id), of_shard(shard_id), times, refused[of_it], times + history.width))
    opening = f"in steps of {_span_words(history.width)}{surveyed_words(traffic)}"
    span = (history.start, history.start + (int(history.steps.max()) + 1) * history.width)
    subtitle = [opening, *left_out, *history.refusals()]
    return Stacks(title, subtitle, _time(time), Axis("records", "records", "count"), _SHARD, series, span)


def short(shard_id: str) -> str:
    """A shard's name as charts say it.

    Examples:
        >>> short("shardId-000000000003")
        'shard 3'
    """
    digits = shard_id.rpartition("-")[2]
    return f"shard {int(digits)}" if digits.isdecimal() else shard_id


def _time(column_name: str | None) -> Axis:
    return Axis("time", f"{column_name or 'arrival'} (UTC)", "time")


def surveyed_words(traffic: Traffic) -> str:
    """What to say where not all records were looked at."""
    if traffic.surveyed >= traffic.records:
        return ""
    return f"; the newest {traffic.surveyed:,} of {traffic.records:,} records"


class _History:
    """The history's columns, a place each for shard and step of time."""

    def __init__(self, traffic: Traffic) -> None:
        history = traffic.history
        self._shards = np.array(history.column("shard_id"), dtype=object)
        self.shard_ids: list[str] = sorted(set(history.column("shard_id")))
        self.width = max(traffic.bin // _MICROSECOND, 1)
        times = column.times(history, "time")
        self.start = column.micros(traffic.start) if traffic.start is not None else int(times.min(initial=0))
        self.steps: Integers = (times - self.start) // self.width
        self.records: Floats = column.numbers(history, "records")
        self.throttled: Floats = column.numbers(history, "throttled")
        self.over_limit: Floats = column.numbers(history, "over_limit")

    def of(self, shard_id: str) -> NDArray[np.bool_]:
        """Which rows are a shard's."""
        return np.asarray(self._shards == shard_id, dtype=bool)

    def chosen(self, weights: Floats) -> tuple[list[str], list[str]]:
        """The shards with the most of it, by their numbers; and what to say of the rest."""
        totals = {shard_id: float(weights[self.of(shard_id)].sum()) for shard_id in self.shard_ids}
        if len(totals) <= SHARDS_MAX:
            return self.shard_ids, []
        most = sorted(totals, key=lambda shard_id: (-totals[shard_id], shard_id))[:SHARDS_MAX]
        return sorted(most), [f"{SHARDS_MAX} of {len(totals):,} shards: those with the most"]

    def alarms(self, shard_id: str, of_it: NDArray[np.bool_], heights: Floats, first: int) -> list[Alarm]:
        """A point for each step with more than the shard could take."""
        at = np.flatnonzero(of_it & (self.throttled + self.over_limit > 0))
        return [
            Alarm(
                short(shard_id),
                int(self.start + self.steps[row] * self.width + self.width // 2),
                float(heights[self.steps[row] - first]),
                _refused_words(int(self.throttled[row]), int(self.over_limit[row])),
            )
            for row in at
        ]

    def refusals(self) -> list[str]:
        """A line on what was refused, or would have been."""
        throttled, over_limit = int(self.throttled.sum()), int(self.over_limit.sum())
        return [_refused_words(throttled, over_limit)] if throttled or over_limit else []


def _refused_words(throttled: int, over_limit: int) -> str:
    said = [f"{throttled:,} throttled"] if throttled else []
    if over_limit:
        said.append(f"{over_limit:,} kept here that a real shard would have refused")
    return "; ".join(said)


def _span_words(microseconds: int) -> str:
    for size, unit in ((86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s")):
        if not microseconds % size:
            return f"{microseconds // size:,} {unit}"
    unit, seconds = column.span_unit(microseconds / 1e6)
    return f"{microseconds / 1e6 / seconds:.4g} {unit}"
