"""The family of a stream's shards: closed ones by generation, those open now beneath them, over the hash ring.

Every shard is drawn over the hash keys it owns, so a split is a bar over two narrower ones, and a merge two bars over a
wider one. Those with most records and their ancestors are drawn each by itself; all others of a row are one shape, and
so are closed shards where there are more generations than rows.
"""

from __future__ import annotations

from shardstream.display import page, ring, words
from shardstream.display.shards import generations, most_first, short

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shardstream.display.shards import ShardFacts

__all__ = ["SHARDS_MAX", "changes", "draw", "rows", "singled_out"]

# Shards drawn each by itself.
SHARDS_MAX = 36
# Rows of closed shards; more generations than that share them evenly.
_ROWS_MAX = 6
_BAR, _GAP = 15, 9
_LABEL_WIDTH, _DIGIT_WIDTH = 8, 6
# More bars of a row than this, if not drawn each by itself, are joined where they lie in the same of so many places.
_PLACES = 160


def rows(shards: Sequence[ShardFacts]) -> tuple[dict[str, int], bool]:
    """The row of each shard, closed ones by generation, open ones in the last; and whether generations share rows."""
    ages = generations(shards)
    closed = sorted({ages[shard.shard_id] for shard in shards if not shard.is_open})
    count = min(len(closed), _ROWS_MAX)
    row_of = {age: place * count // len(closed) for place, age in enumerate(closed)}
    placed = {shard.shard_id: count if shard.is_open else row_of[ages[shard.shard_id]] for shard in shards}
    return placed, count < len(closed)


def singled_out(shards: Sequence[ShardFacts], most: int = SHARDS_MAX) -> set[str]:
    """The shards drawn each by itself: the open ones with most records, and their ancestors."""
    by_id = {shard.shard_id: shard for shard in shards}
    chosen: set[str] = set()
    for shard in most_first(shards):
        line = [shard.shard_id]
        while line and len(chosen) < most:
            shard_id = line.pop()
            if shard_id in by_id and shard_id not in chosen:
                chosen.add(shard_id)
                line += by_id[shard_id].parents
        if len(chosen) == most:
            break
    return chosen


def draw(shards: Sequence[ShardFacts]) -> page.Html:
    """The family over the ring; bars of open shards are filled, those of closed ones hollow."""
    row_of, is_shared = rows(shards)
    last = max(row_of.values(), default=0)
    height = (last + 1) * _BAR + last * _GAP + 2
    chosen = singled_out([shard for shard in shards if shard.is_open] if is_shared else shards)
    alone = [shard for shard in shards if shard.shard_id in chosen]
    others = [shard for shard in shards if shard.shard_id not in chosen]
    parts = [
        *_lines(alone, row_of),
        *(_together(others, row, row_of) for row in range(last + 1)),
        *(_bar(shard, row_of[shard.shard_id]) for shard in alone),
    ]
    return page.svg(ring.WIDTH, height, _title(shards), "".join(parts))


def _top(row: int) -> int:
    return 1 + row * (_BAR + _GAP)


def _lines(alone: Sequence[ShardFacts], row_of: dict[str, int]) -> list[str]:
    """A line from each parent down to its child, in the middle of the narrower of the two."""
    by_id = {shard.shard_id: shard for shard in alone}
    pieces = []
    for child in alone:
        for parent in (by_id[name] for name in child.parents if name in by_id):
            narrow = min(parent, child, key=lambda shard: shard.last - shard.first)
            middle = page.number(ring.place((narrow.first + narrow.last + 1) // 2))
            above, below = row_of[parent.shard_id], row_of[child.shard_id]
            pieces.append(f"M{middle} {_top(above) + _BAR}V{_top(below)}")
    path = f'<path d="{"".join(pieces)}" stroke="currentColor" opacity="0.55"/>'
    return [path] if pieces else []


def _bar(shard: ShardFacts, row: int) -> str:
    number = page.number
    # A hollow bar's line lies on its edge.
    left, width = ring.extent(shard.first, shard.last, 1 if shard.is_open else 2)
    left += 0 if shard.is_open else 0.5
    look = f'fill="{page.BLUE}"' if shard.is_open else 'fill="none" stroke="currentColor" opacity="0.75"'
    label, name = "", short(shard.shard_id)
    if width >= _LABEL_WIDTH + _DIGIT_WIDTH * (len(name) - 1):
        ink = "#ffffff" if shard.is_open else "currentColor"
        label = (
            f'<text x="{number(left + width / 2)}" y="{_top(row) + _BAR - 4}" text-anchor="middle" fill="{ink}">'
            f"{page.text(name)}</text>"
        )
    return f'<rect x="{number(left)}" y="{_top(row)}" width="{number(width)}" height="{_BAR}" rx="2" {look}/>{label}'


def _together(others: Iterable[ShardFacts], row: int, row_of: dict[str, int]) -> str:
    """The shards of a row that are not drawn each by itself, where they lie, as one shape."""
    drawn = []
    for is_open in (True, False):
        lying = [shard for shard in others if shard.is_open == is_open and row_of[shard.shard_id] == row]
        number = page.number
        shape = "".join(
            f"M{number(left)} {_top(row)}h{number(width)}v{_BAR}h-{number(width)}z" for left, width in _joined(lying)
        )
        if shape:
            colour, strength = (page.BLUE, "1") if is_open else ("currentColor", "0.25")
            drawn.append(f'<path fill="{colour}" opacity="{strength}" d="{shape}"/>')
    return "".join(drawn)


def _joined(shards: Sequence[ShardFacts]) -> list[tuple[float, float]]:
    """Where shards lie, in pixels: from the left, and how wide; neighbours joined, if there are too many."""
    if len(shards) <= _PLACES:
        return [ring.extent(shard.first, shard.last, 1) for shard in shards]
    cell, step = ring.RING // _PLACES, ring.WIDTH / _PLACES
    runs: list[list[int]] = []
    for first, last in sorted((shard.first // cell, min(shard.last // cell, _PLACES - 1)) for shard in shards):
        if runs and first <= runs[-1][1] + 1:
            runs[-1][1] = max(last, runs[-1][1])
        else:
            runs.append([first, last])
    return [(first * step, (last + 1 - first) * step) for first, last in runs]


def _title(shards: Sequence[ShardFacts]) -> str:
    opened = sum(shard.is_open for shard in shards)
    splits, merges = changes(shards)
    return (
        f"The family of shards: {opened:,} open and {len(shards) - opened:,} closed, after "
        f"{words.plural(splits, 'split')} and {words.plural(merges, 'merge')}"
    )


def changes(shards: Sequence[ShardFacts]) -> tuple[int, int]:
    """How many splits and merges the shards tell of."""
    split = {shard.parents[0] for shard in shards if len(shard.parents) == 1}
    merges = sum(len(shard.parents) == 2 for shard in shards)  # noqa: PLR2004 - of two
    return len(split), merges
