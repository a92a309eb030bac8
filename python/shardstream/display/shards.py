"""What is known of the shards of a stream before any of it is drawn."""

from __future__ import annotations

import dataclasses

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

__all__ = ["ShardFacts", "generations", "most_first", "short"]


@dataclasses.dataclass(frozen=True, slots=True)
class ShardFacts:
    """A shard, and what it holds.

    Attributes:
        shard_id: Its name.
        first: The first hash key it owns.
        last: The last one.
        parents: The shard it was split from, or the two it was merged from.
        is_open: Whether it takes records.
        records: Records it holds.
        bytes: Their bytes, keys counted.
        throttled: Records it refused.
        over_limit: Records it holds that a real shard would have refused.
        first_arrival: When the oldest arrived.
        last_arrival: When the newest arrived.
    """

    shard_id: str
    first: int
    last: int
    parents: tuple[str, ...] = ()
    is_open: bool = True
    records: int = 0
    bytes: int = 0
    throttled: int = 0
    over_limit: int = 0
    first_arrival: datetime.datetime | None = None
    last_arrival: datetime.datetime | None = None


def short(shard_id: str) -> str:
    """The number in a shard's name.

    Examples:
        >>> short("shardId-000000000003")
        '3'
    """
    digits = shard_id.rpartition("-")[2]
    return str(int(digits)) if digits.isdecimal() else shard_id


def generations(shards: Sequence[ShardFacts]) -> dict[str, int]:
    """How many splits and merges lie before each shard; parents that are forgotten do not count."""
    ages: dict[str, int] = {}
    # By index, as `Stream.shards` gives them, parents come before their children.
    for shard in shards:
        known = [ages[parent] for parent in shard.parents if parent in ages]
        ages[shard.shard_id] = max(known) + 1 if known else 0
    return ages


def most_first(shards: Sequence[ShardFacts]) -> list[ShardFacts]:
    """Open shards before closed ones, those with most records first."""
    return sorted(shards, key=lambda shard: (not shard.is_open, -shard.records, -shard.throttled, shard.shard_id))
