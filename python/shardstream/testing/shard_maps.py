"""Lives of a stream's shards: splits and merges that are valid one after the other, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass

from shardstream.errors import InvalidArgumentException

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from typing import TypeAlias

    from shardstream.stream import Stream

    # Whether to split (else merge), which open shard, and how far into it (in the middle, if not given).
    Wish: TypeAlias = tuple[bool, int, int | None]

__all__ = ["RING", "HashRange", "Merge", "ShardMap", "Split"]

RING = 2**128
# A split needs two hash keys below the place and one above it.
_BELOW, _ABOVE = 2, 1


@dataclass(frozen=True, order=True)
class HashRange:
    """The hash keys of an open shard, both ends included."""

    start: int
    end: int
    shard_id: str


@dataclass(frozen=True)
class Split:
    """A shard split in two, the upper of which starts `at` a hash key."""

    shard_id: str
    at: int

    def apply(self, stream: Stream) -> None:
        """Split the shard of a stream."""
        stream.split_shard(self.shard_id, at=self.at)


@dataclass(frozen=True)
class Merge:
    """Two neighbours made one, the lower first."""

    shard_id: str
    adjacent_shard_id: str

    def apply(self, stream: Stream) -> None:
        """Merge the shards of a stream."""
        stream.merge_shards(self.shard_id, self.adjacent_shard_id)


@dataclass(frozen=True)
class ShardMap:
    """How many shards a stream begins with, what is done to them, and the open shards after that.

    Examples:
        >>> import shardstream as ss
        >>> halved = ShardMap.grown(1, [(True, 0, None)])
        >>> halved.steps == (Split("shardId-000000000000", at=2**127),)
        True
        >>> stream = ss.Engine().create_stream("clicks", shards=halved.initial)
        >>> halved.apply(stream)
        >>> [shard.starting_hash_key for shard in stream.shards() if shard.is_open] == [r.start for r in halved.ranges]
        True
    """

    initial: int
    steps: tuple[Split | Merge, ...]
    ranges: tuple[HashRange, ...]

    def apply(self, stream: Stream) -> None:
        """Split and merge the shards of a new stream.

        Args:
            stream: A stream of `initial` shards, to which nothing has been done.

        Raises:
            InvalidArgumentException: It has another number of shards.
        """
        count = len(stream.shards())
        if count != self.initial:
            message = f"stream: one that was just created with {self.initial} shards, not one that has had {count}"
            raise InvalidArgumentException(message)
        for step in self.steps:
            step.apply(stream)

    @classmethod
    def grown(cls, initial: int, wishes: list[Wish], max_shards: int | None = None) -> ShardMap:
        """A map from steps that are wished for; those that the shards do not allow are left out.

        Args:
            initial: How many shards there are at first.
            wishes: For each step whether to split, else merge; which open shard, counted round; and how many hash keys
                above the first place to split at, counted round.
            max_shards: How many may be open at once.
        """
        life = _Life(initial, max_shards)
        for split, which, where in wishes:
            if split:
                life.split(which, where)
            else:
                life.merge(which)
        return cls(initial, tuple(life.steps), tuple(life.open))


class _Life:
    """The open shards in the order of the ring, and the steps that led there."""

    def __init__(self, initial: int, max_shards: int | None) -> None:
        width = RING // initial
        ends = [*(width * count - 1 for count in range(1, initial)), RING - 1]
        self.open = [HashRange(width * index, end, _name(index)) for index, end in enumerate(ends)]
        self.steps: list[Split | Merge] = []
        self._named = initial
        self._max_shards = max_shards

    def split(self, which: int, where: int | None) -> None:
        at = which % len(self.open)
        shard = self.open[at]
        first, last = shard.start + _BELOW, shard.end - _ABOVE
        if first > last or len(self.open) == self._max_shards:
            return
        place = (shard.start + shard.end + 1) // 2 if where is None else first + where % (last - first + 1)
        children = [HashRange(shard.start, place - 1, self._next()), HashRange(place, shard.end, self._next())]
        self.steps.append(Split(shard.shard_id, place))
        self.open[at : at + 1] = children

    def merge(self, which: int) -> None:
        if len(self.open) == 1:
            return
        at = which % (len(self.open) - 1)
        lower, upper = self.open[at : at + 2]
        self.steps.append(Merge(lower.shard_id, upper.shard_id))
        self.open[at : at + 2] = [HashRange(lower.start, upper.end, self._next())]

    def _next(self) -> str:
        self._named += 1
        return _name(self._named - 1)


def _name(index: int) -> str:
    return f"shardId-{index:012}"
