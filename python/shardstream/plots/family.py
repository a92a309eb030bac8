"""The family of a stream's shards: from creation to closing, with the splits and merges between."""

from __future__ import annotations

from dataclasses import dataclass

from shardstream.plots.colour import of_shard
from shardstream.plots.picture import Axis, Family, Link, ShardLife
from shardstream.plots.traffic import short

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Protocol

    class Shard(Protocol):
        """A shard, as far as its family goes."""

        @property
        def shard_id(self) -> str:
            """Its name."""

        @property
        def parent_shard_id(self) -> str | None:
            """What it came of."""

        @property
        def adjacent_parent_shard_id(self) -> str | None:
            """What else it came of, in a merge."""

        @property
        def starting_hash_key(self) -> int:
            """The first hash key it owns."""

        def created_ms(self) -> int:
            """When it was created, in milliseconds since 1970."""

        def closed_ms(self) -> int | None:
            """When it was closed, if it was."""


__all__ = ["picture"]

SHARDS_MAX = 40
# A closed shard that lived for less than this share of the whole cannot be seen.
_SEEN = 0.01


@dataclass(frozen=True, slots=True)
class _Life:
    """A shard, when it was created and closed in microseconds, and what it came of."""

    shard: Shard
    created: int
    closed: int | None
    parents: tuple[str, ...]


def picture(shards: Iterable[Shard], records: Mapping[str, int], *, now: int, name: str) -> Family:
    """What the chart of a family shows.

    Args:
        shards: All shards, closed ones too.
        records: How many records each keeps.
        now: Up to when open shards are drawn, in microseconds since 1970.
        name: The stream's name.
    """
    lives = {shard.shard_id: _life(shard) for shard in shards}
    opened = sum(life.closed is None for life in lives.values())
    splits, merges = _counts(lives)
    kept = _chosen(lives, records)
    subtitle = [
        f"{opened:,} open and {len(lives) - opened:,} closed; {_counted(splits, 'split')}, {_counted(merges, 'merge')}"
    ]
    if len(kept) < len(lives):
        subtitle.append(f"{len(kept):,} of {len(lives):,} shards: the fullest open ones and what they came of")
    now = max([now, *(life.closed or life.created for life in lives.values())])
    if _is_to_scale(kept, now):
        x = Axis("time", "time (UTC)", "time")
        places = {
            shard_id: (life.created, now if life.closed is None else life.closed) for shard_id, life in kept.items()
        }
    else:
        x = Axis("step", "splits and merges, one after another")
        places = _steps(lives, kept)
        if opened < len(lives):
            subtitle.append("not to scale: some shards lived too shortly to be seen among the others")
    ordered = sorted(kept.values(), key=lambda life: (life.shard.starting_hash_key, life.shard.shard_id))
    drawn = [
        ShardLife(
            shard_id=life.shard.shard_id,
            label=short(life.shard.shard_id),
            colour=of_shard(life.shard.shard_id),
            start=places[life.shard.shard_id][0],
            end=places[life.shard.shard_id][1],
            is_open=life.closed is None,
            records=records.get(life.shard.shard_id, 0),
        )
        for life in ordered
    ]
    links = [
        Link(parent, shard_id, places[shard_id][0], "split" if len(life.parents) == 1 else "merge")
        for shard_id, life in kept.items()
        for parent in life.parents
        if parent in kept
    ]
    return Family(f"{name}: its shards", subtitle, x, drawn, links)


def _life(shard: Shard) -> _Life:
    closed, parents = shard.closed_ms(), (shard.parent_shard_id, shard.adjacent_parent_shard_id)
    return _Life(
        shard,
        shard.created_ms() * 1_000,
        None if closed is None else closed * 1_000,
        tuple(parent for parent in parents if parent is not None),
    )


def _counts(lives: dict[str, _Life]) -> tuple[int, int]:
    """How many splits, and how many merges."""
    merges = sum(len(life.parents) > 1 for life in lives.values())
    return len({life.parents for life in lives.values() if len(life.parents) == 1}), merges


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _chosen(lives: dict[str, _Life], records: Mapping[str, int]) -> dict[str, _Life]:
    """The shards to draw: the fullest open ones and what they came of."""
    if len(lives) <= SHARDS_MAX:
        return lives
    opened = [shard_id for shard_id, life in lives.items() if life.closed is None]
    kept: set[str] = set()
    for shard_id in sorted(opened, key=lambda shard_id: (-records.get(shard_id, 0), shard_id)):
        family, waiting = set[str](), [shard_id]
        while waiting:
            member = waiting.pop()
            if member not in family and member in lives:
                family.add(member)
                waiting.extend(lives[member].parents)
        if kept and len(kept | family) > SHARDS_MAX:
            continue
        kept |= family
    # A line of ancestors longer than the chart is cut where it is oldest.
    newest = sorted(kept, reverse=True)[:SHARDS_MAX]
    return {shard_id: life for shard_id, life in lives.items() if shard_id in newest}


def _is_to_scale(lives: dict[str, _Life], now: int) -> bool:
    span = now - min(life.created for life in lives.values())
    lived = [(now if life.closed is None else life.closed) - life.created for life in lives.values()]
    return span > 0 and min(lived) >= _SEEN * span


def _steps(lives: dict[str, _Life], kept: dict[str, _Life]) -> dict[str, tuple[int, int]]:
    """For each shard the step it was created in, and the one it was closed in."""
    created: dict[str, int] = {}
    closed: dict[str, int] = {}
    for shard_id in sorted(lives):  # a child's number is above its parents'
        parents = [parent for parent in lives[shard_id].parents if parent in created]
        created[shard_id] = 1 + max((created[parent] for parent in parents), default=-1)
        for parent in parents:
            closed[parent] = created[shard_id]
    end = 1 + max((created[shard_id] for shard_id in kept), default=0)
    return {shard_id: (created[shard_id], min(closed.get(shard_id, end), end)) for shard_id in kept}
