"""Counts over time as small bars: what was kept, what a real shard would have refused, and what was refused."""

from __future__ import annotations

from shardstream.display import page

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["BINS_MAX", "BinCounts", "coarser", "small_sparkline", "sparkline"]

BINS_MAX = 60


class BinCounts:
    """What arrived in one bin of time.

    Attributes:
        kept: Records kept.
        over: Those among them that a real shard would have refused.
        refused: Records refused.
    """

    __slots__ = ("kept", "over", "refused")

    def __init__(self, kept: int = 0, over: int = 0, refused: int = 0) -> None:
        """Take the counts."""
        self.kept = kept
        self.over = over
        self.refused = refused

    def plus(self, other: BinCounts) -> BinCounts:
        """The counts of both."""
        return BinCounts(self.kept + other.kept, self.over + other.over, self.refused + other.refused)


def coarser(bins: Sequence[BinCounts], most: int = BINS_MAX) -> list[BinCounts]:
    """At most so many bins, each the sum of as many neighbours as that takes."""
    each = -(-len(bins) // most) or 1
    summed = []
    for start in range(0, len(bins), each):
        total = BinCounts()
        for counts in bins[start : start + each]:
            total = total.plus(counts)
        summed.append(total)
    return summed


def sparkline(bins: Sequence[BinCounts], *, width: int, height: int, title: str) -> page.Html:
    """A bar for each bin, as high as what arrived in it; the highest is as high as the picture."""
    return page.svg(width, height, title, _drawn(bins, width, height))


def small_sparkline(bins: Sequence[BinCounts], *, height: int, title: str) -> page.Html:
    """The same in a cell of a table."""
    return page.small_svg(height, title, _drawn(bins, page.CELL_WIDTH, height))


def _drawn(bins: Sequence[BinCounts], width: int, height: int) -> str:
    shown = coarser(bins)
    peak = max((counts.kept + counts.refused for counts in shown), default=0) or 1
    step = width / (len(shown) or 1)
    # Of narrow bars every tenth of a pixel shows; one between them keeps them apart.
    wide = step - min(1.0, step / 4)
    layers: dict[str, list[str]] = {page.BLUE: [], page.AMBER: [], page.RED: []}
    for place, counts in enumerate(shown):
        floor = float(height)
        within = max(counts.kept - counts.over, 0)
        for colour, count in ((page.BLUE, within), (page.AMBER, counts.over), (page.RED, counts.refused)):
            if count:
                # One record among a million is seen, too.
                tall = min(max(count / peak * height, 1.0), floor)
                floor -= tall
                layers[colour].append(_bar(place * step, floor, wide, tall))
    ground = f'<rect y="{height - 1}" width="{width}" height="1" fill="currentColor" opacity="0.25"/>'
    return ground + _paths(layers.items())


def _bar(left: float, top: float, width: float, height: float) -> str:
    shown = page.number
    return f"M{shown(left)} {shown(top)}h{shown(width)}v{shown(height)}h-{shown(width)}z"


def _paths(layers: Iterable[tuple[str, Sequence[str]]]) -> str:
    return "".join(f'<path fill="{colour}" d="{"".join(bars)}"/>' for colour, bars in layers if bars)
