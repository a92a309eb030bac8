"""The ring of hash keys: what each open shard owns, and how heavily it is loaded."""

from __future__ import annotations

from shardstream.plots.colour import QUIET, of_shard
from shardstream.plots.picture import Axis, Ring, Segment
from shardstream.plots.traffic import short

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Protocol

    class Shard(Protocol):
        """A shard, as far as its place on the ring goes."""

        @property
        def shard_id(self) -> str:
            """Its name."""

        @property
        def starting_hash_key(self) -> int:
            """The first hash key it owns."""

        @property
        def ending_hash_key(self) -> int:
            """The last hash key it owns."""

        @property
        def is_open(self) -> bool:
            """Whether it takes records."""


__all__ = ["picture"]

SEGMENTS_MAX = 200
_RING = 2**128


def picture(shards: Iterable[Shard], records: Mapping[str, int], *, name: str) -> Ring:
    """What the chart of a ring shows: each open shard, or runs of neighbours where there are too many."""
    opened = sorted((shard for shard in shards if shard.is_open), key=lambda shard: shard.starting_hash_key)
    total = sum(records.get(shard.shard_id, 0) for shard in opened)
    size = -(-len(opened) // SEGMENTS_MAX)
    runs = [tuple(opened[at : at + size]) for at in range(0, len(opened), size or 1)]
    segments = []
    for run in runs:
        first, last = run[0], run[-1]
        width = (last.ending_hash_key - first.starting_hash_key + 1) / _RING
        count = sum(records.get(shard.shard_id, 0) for shard in run)
        # Without records every part is as loaded as any other.
        load = count / total / width if total else 1.0
        label = short(first.shard_id) if first is last else f"{short(first.shard_id)} to {short(last.shard_id)}"
        colour = of_shard(first.shard_id) if first is last else QUIET
        segments.append(
            Segment(
                label,
                colour,
                first.starting_hash_key / _RING * 100,
                (last.ending_hash_key + 1) / _RING * 100,
                load,
                count,
            )
        )
    noun = "shard" if len(opened) == 1 else "shards"
    subtitle = [f"{len(opened):,} open {noun}, {total:,} records in them; 1 is an even spread"]
    if not total:
        subtitle = [f"{len(opened):,} open {noun}, no records in them"]
    if len(segments) < len(opened):
        subtitle.append(f"neighbours drawn together, {size} at a time")
    x = Axis("hash_key", "hash keys (% of the ring)")
    return Ring(f"{name}: its ring of hash keys", subtitle, x, Axis("load", "records against an even spread"), segments)
