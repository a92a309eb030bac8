"""The hash ring cut open: the open shards from hash key 0 to 2**128, and how uneven their loads are.

A shard's skew is how many times the load of an even shard it has, whatever its part of the ring: all have the same
limits.
"""

from __future__ import annotations

from shardstream.display import page, words

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Sequence

    from shardstream.display.shards import ShardFacts

__all__ = ["HEIGHT", "HOT", "RING", "WIDTH", "Segment", "draw", "even_load", "extent", "place", "segments"]

RING = 2**128
WIDTH = 640
HEIGHT = 74
# From this many times an even load on, a shard is hot.
HOT = 2.0

_SEGMENTS_MAX = 200
# A bar is so many pixels wide at least.
_NARROWEST = 0.5
_TOP, _FLOOR = 14, 58
# Bars are cut at this many times an even load, unless all are lower.
_SKEW_SHOWN_MAX = 6.0
_LABEL_WIDTH, _TEXT_HEIGHT = 30, 9


class Segment:
    """Neighbours on the ring, drawn as one bar.

    Attributes:
        first: The first hash key.
        last: The last one.
        count: How many shards.
        records: How many records they hold.
    """

    __slots__ = ("count", "first", "last", "records")

    def __init__(self, first: int, last: int, count: int, records: int) -> None:
        """Take what the shards own and hold."""
        self.first = first
        self.last = last
        self.count = count
        self.records = records

    def skew(self, even: float) -> float:
        """How many times an even load its shards hold on average."""
        return self.records / self.count / even if even else 0.0


def segments(shards: Sequence[ShardFacts], most: int = _SEGMENTS_MAX) -> list[Segment]:
    """Open shards along the ring; neighbours are taken together where there are more than so many."""
    alone = [
        Segment(shard.first, shard.last, 1, shard.records)
        for shard in sorted((shard for shard in shards if shard.is_open), key=lambda shard: shard.first)
    ]
    if len(alone) <= most:
        return alone
    # Half as many equal cells: in each one bar of all shards that lie inside, and one that crosses into the next.
    cell = RING // (most // 2) + 1
    joined = alone[:1]
    for each in alone[1:]:
        before = joined[-1]
        if before.first // cell == each.last // cell:
            joined[-1] = Segment(before.first, each.last, before.count + 1, before.records + each.records)
        else:
            joined.append(each)
    return joined


def place(hash_key: int) -> float:
    """Where a hash key lies, in pixels."""
    # Integers of 128 bits first: a float has 53 of them.
    return (hash_key * WIDTH * 16 // RING) / 16


def extent(first: int, last: int, gap: float) -> tuple[float, float]:
    """Where hash keys lie, in pixels: from the left, and how wide without a gap to the next; never too narrow."""
    left = place(first)
    width = max(place(last + 1) - left - gap, _NARROWEST)
    return min(left, WIDTH - width), width


def draw(shards: Sequence[ShardFacts]) -> page.Html:
    """A bar for each open shard: as wide as its part of the ring, as high as its load."""
    bars = segments(shards)
    even = even_load(shards)
    tallest = max((bar.skew(even) for bar in bars), default=0.0)
    # Pixels for once an even load.
    scale = (_FLOOR - _TOP) / max(min(tallest, _SKEW_SHOWN_MAX), 1.0)
    dashes = f'<path d="M0 {page.number(_FLOOR - scale)}H{WIDTH}" stroke-dasharray="3 3" opacity="0.55"/>'
    lines = f'<g stroke="currentColor"><path d="M0 {_FLOOR}H{WIDTH}" opacity="0.4"/>{dashes}</g>'
    parts = [*_bars(bars, even, scale), lines, *_labels(bars, even, scale), *_ticks()]
    return page.svg(WIDTH, HEIGHT, _title(bars, tallest), "".join(parts))


def even_load(shards: Sequence[ShardFacts]) -> float:
    """The records that each open shard would hold, were their loads even."""
    held = [shard.records for shard in shards if shard.is_open]
    return sum(held) / len(held) if held else 0.0


def _tall(bar: Segment, even: float, scale: float) -> float:
    # What holds one record is seen, too.
    return max(min(bar.skew(even) * scale, _FLOOR - _TOP), 1.0) if bar.records else 0.0


def _bars(bars: Sequence[Segment], even: float, scale: float) -> list[str]:
    """A path for each colour."""
    number = page.number
    drawn: dict[str, list[str]] = {page.BLUE: [], page.RED: []}
    for bar in bars:
        left, width = extent(bar.first, bar.last, 1)
        wide, tall = number(width), _tall(bar, even, scale)
        if tall:
            colour = page.RED if bar.skew(even) >= HOT else page.BLUE
            shape = f"M{number(left)} {number(_FLOOR - tall)}h{wide}V{_FLOOR}h-{wide}z"
            drawn[colour].append(shape)
    return [f'<path fill="{colour}" d="{"".join(shapes)}"/>' for colour, shapes in drawn.items() if shapes]


def _labels(bars: Sequence[Segment], even: float, scale: float) -> list[str]:
    """The skew over bars that have the room, and over those that were cut."""
    number = page.number
    labels: list[str] = []
    taken = 0.0
    for bar in bars:
        left, right = place(bar.first), place(bar.last + 1)
        middle = min(max((left + right) / 2, _LABEL_WIDTH / 2), WIDTH - _LABEL_WIDTH / 2)
        is_cut = bar.skew(even) * scale > _FLOOR - _TOP + 1
        if bar.records and (is_cut or right - left >= _LABEL_WIDTH) and taken <= middle - _LABEL_WIDTH / 2:
            taken = middle + _LABEL_WIDTH / 2
            top, dashes = _FLOOR - _tall(bar, even, scale) - 3, _FLOOR - scale
            if top - _TEXT_HEIGHT < dashes < top + 2:
                # Not through the dashed line.
                top = dashes - 3
            labels.append(
                f'<text x="{number(middle)}" y="{number(top)}" text-anchor="middle" fill="currentColor">'
                f"{words.times(bar.skew(even))}</text>"
            )
    return labels


def _ticks() -> list[str]:
    ticks = []
    for quarter, label in enumerate(("0", "1/4 of 2\u00b9\u00b2\u2078", "1/2", "3/4", "2\u00b9\u00b2\u2078")):
        at = quarter * WIDTH / 4
        anchor = {0: "start", 4: "end"}.get(quarter, "middle")
        ticks.append(
            f'<text x="{page.number(at)}" y="{HEIGHT - 4}" text-anchor="{anchor}" fill="currentColor" opacity="0.7">'
            f"{label}</text>"
        )
    return ticks


def _title(bars: Sequence[Segment], tallest: float) -> str:
    count = words.plural(sum(bar.count for bar in bars), "open shard")
    return f"The load of {count} over the hash ring: up to {words.times(tallest)} an even load"
