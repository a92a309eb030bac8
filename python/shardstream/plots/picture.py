"""Pictures: what a chart shows, as plain facts, before a library draws it.

Times are microseconds since 1970 in UTC; NaN among values is a gap. A picture holds no more than can be seen: whoever
makes one reduces what it is made of, and says so in the subtitle.
"""

from __future__ import annotations

from dataclasses import dataclass, field

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from typing import Literal

    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Mark = Literal["line", "step", "point", "span"]

__all__ = [
    "Alarm",
    "Axis",
    "Bar",
    "Bars",
    "Blank",
    "Family",
    "Groups",
    "Histogram",
    "Lines",
    "Link",
    "Picture",
    "Ring",
    "Segment",
    "Series",
    "ShardLife",
    "Stacks",
]


# What of the longest bar the words at a bar's end take.
_WORDS_SHARE = 0.08


@dataclass(frozen=True, slots=True)
class Axis:
    """What is laid off: the column's name, what the axis says, and the kind of its values; all counts are whole."""

    name: str
    title: str
    kind: Literal["number", "time", "count"] = "number"


@dataclass(frozen=True, slots=True)
class Picture:
    """What every picture has: what it shows in a line, and what must be known to read it."""

    title: str
    subtitle: list[str]


@dataclass(frozen=True, slots=True)
class Blank(Picture):
    """Nothing to draw; the subtitle says why."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line: its name, its colour, and its points in order of time."""

    label: str
    colour: str
    times: Integers
    values: Floats
    ends: Integers | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """A point to be noticed, and what happened there."""

    label: str
    time: int
    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Lines(Picture):
    """Values over time, a line for each series.

    Attributes:
        x: Time.
        y: Values.
        key: What the series are told apart by; None where there is one alone.
        series: The lines, the one to be named first at the front.
        mark: How they are drawn: "span" draws each value from its time to its end.
        limit: A value not to be passed, and its name.
        alarms: Points to be noticed.
    """

    x: Axis
    y: Axis
    key: Axis | None
    series: list[Series]
    mark: Mark = "line"
    limit: tuple[float, str] | None = None
    alarms: list[Alarm] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Groups(Picture):
    """Few windows, named in words: a bar for each series in each, beside one another.

    Attributes:
        x: The windows.
        y: Values.
        key: What the series are told apart by; None where there is one alone.
        windows: The windows' names by their times, in order of time.
        series: The bars.
    """

    x: Axis
    y: Axis
    key: Axis | None
    windows: dict[int, str]
    series: list[Series]


@dataclass(frozen=True, slots=True)
class Stacks(Picture):
    """Counts in steps of time: in each step the series' bars stand on one another.

    Attributes:
        x: Time.
        y: Counts.
        key: What the series are told apart by; None where there is one alone.
        series: The bars, each from its time to its end.
        span: From when to when the axis goes.
    """

    x: Axis
    y: Axis
    key: Axis | None
    series: list[Series]
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name, how long it is, and what group it is coloured by."""

    label: str
    value: float
    group: str | None
    colour: str


@dataclass(frozen=True, slots=True)
class Bars(Picture):
    """Values by name, a bar for each from the top down.

    Attributes:
        x: Values.
        y: Names.
        group: What the colours tell apart; None where they tell nothing.
        bars: The bars.
        mean: A value to hold them against, and its name.
    """

    x: Axis
    y: Axis
    group: Axis | None
    bars: list[Bar]
    mean: tuple[float, str] | None = None

    def told_at(self, bar: Bar) -> float:
        """Where a bar's value is written: after its end, and after the line of the mean where that would cross it."""
        if self.mean is None:
            return bar.value
        mean, longest = self.mean[0], max(each.value for each in self.bars)
        return mean if bar.value <= mean < bar.value + _WORDS_SHARE * longest else bar.value


@dataclass(frozen=True, slots=True)
class Histogram(Picture):
    """How many values lie between one edge and the next.

    Attributes:
        x: What is counted; a span of time, in seconds.
        y: Counts.
        edges: One more than there are counts.
        counts: How many.
        is_log: Whether the edges lie evenly on a logarithmic axis.
        ticks: Where the axis is marked, in seconds, and how.
    """

    x: Axis
    y: Axis
    edges: list[float]
    counts: list[int]
    is_log: bool
    ticks: dict[float, str]


@dataclass(frozen=True, slots=True)
class ShardLife:
    """A shard from its creation to its closing, on the axis of the family it belongs to."""

    shard_id: str
    label: str
    colour: str
    start: int
    end: int
    is_open: bool
    records: int


@dataclass(frozen=True, slots=True)
class Link:
    """From a shard to one that came of it."""

    parent_shard_id: str
    shard_id: str
    at: int
    kind: Literal["split", "merge"]


@dataclass(frozen=True, slots=True)
class Family(Picture):
    """Shards and what became of them, from the top down in the order of what they own.

    Attributes:
        x: Time; or steps, where the shards' lives are too short to be told apart by time.
        lives: The shards.
        links: Splits and merges.
    """

    x: Axis
    lives: list[ShardLife]
    links: list[Link]


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the ring: where it lies in hundredths, and how much falls there against an even spread."""

    label: str
    colour: str
    start: float
    end: float
    load: float
    records: int


@dataclass(frozen=True, slots=True)
class Ring(Picture):
    """The ring of hash keys laid straight: as wide as what each shard owns, as high as how heavily it is loaded.

    Attributes:
        x: Hash keys, in hundredths of the ring.
        y: Records against an even spread.
        segments: The parts of the ring.
    """

    x: Axis
    y: Axis
    segments: list[Segment]
