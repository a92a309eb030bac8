"""How evenly records lie over shards, and what is to blame if they do not."""

from __future__ import annotations

import math
from collections import Counter

from shardstream.errors import InvalidArgumentException
from shardstream.stream import Stream
from shardstream.testing.items import read, whole
from shardstream.testing.report import counted, group, share

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from shardstream.testing.items import Given

__all__ = ["imbalance"]

_BAR_CHARS = 20
_KEYS_SHOWN = 5
_ROUNDING = 1e-9  # 0.29 * 100 is less than 29


def imbalance(given: Given, tolerance: float) -> str | None:
    """What there is to say of shards that hold too many records or too few; None if none does.

    Args:
        given: A stream, whose open shards count, or records, whose shards do.
        tolerance: How far from the mean a shard's records may be, as a share of it.
    """
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 <= tolerance < math.inf:
        message = f"tolerance: a share of the mean, like 0.25, not {tolerance!r}"
        raise InvalidArgumentException(message)
    shards = _keys_by_shard(given)
    counts = {shard_id: keys.total() for shard_id, keys in shards.items()}
    if not counts:
        return None
    mean = sum(counts.values()) / len(counts)
    room = tolerance * mean + _ROUNDING
    return _told(shards, counts, mean, room, tolerance) if _uneven(counts, mean, room) else None


def _told(
    shards: dict[str | None, Counter[str | None]],
    counts: dict[str | None, int],
    mean: float,
    room: float,
    tolerance: float,
) -> str:
    heaviest = max(counts, key=lambda shard_id: counts[shard_id])
    uneven = share(_uneven(counts, mean, room), len(counts), "shard", "is", "are")
    heading = f"{uneven} out of balance (even is {_rounded(mean)} records each, give or take {tolerance:.0%}):"
    weights = group(f"keys that weigh most in {heaviest}:", _weights(shards[heaviest]), lines_max=_KEYS_SHOWN)
    cause = _cause(heaviest, shards[heaviest], mean + room, len(shards))
    return "\n".join([group(heading, _bars(counts, mean, room)), weights, cause])


def _uneven(counts: dict[str | None, int], mean: float, room: float) -> int:
    return sum(abs(count - mean) > room for count in counts.values())


def _keys_by_shard(given: Given) -> dict[str | None, Counter[str | None]]:
    shards: dict[str | None, Counter[str | None]] = {}
    if isinstance(given, Stream):
        shards = {shard.shard_id: Counter() for shard in given.shards() if shard.is_open}
        items = [item for item in read(given, "records") if item.shard_id in shards]
    else:
        items = read(given, "records")
        whole(items, "shard_id", "records", "balance is among shards")
        whole(items, "partition_key", "records", "balance is a matter of keys")
    for item in items:
        shards.setdefault(item.shard_id, Counter())[item.partition_key] += 1
    return shards


def _bars(counts: dict[str | None, int], mean: float, room: float) -> list[str]:
    # The worst come first, lest they be among those that are not shown.
    heaviest = max(counts.values())
    digits = len(f"{heaviest:,}")
    total = sum(counts.values())
    lines = []
    for shard_id, count in sorted(counts.items(), key=lambda each: (-abs(each[1] - mean), str(each[0]))):
        bar = "#" * round(_BAR_CHARS * count / heaviest)
        verdict = "" if abs(count - mean) <= room else "  too many" if count > mean else "  too few"
        lines.append(f"{shard_id}  {bar:<{_BAR_CHARS}}  {count:>{digits},}  {count / total:>6.1%}{verdict}")
    return lines


def _weights(keys: Counter[str | None]) -> list[str]:
    return [
        f"key {key!r}  {counted(count, 'record')}, {count / keys.total():.1%} of the shard"
        for key, count in keys.most_common()
    ]


def _cause(shard_id: str | None, keys: Counter[str | None], most: float, shards: int) -> str:
    if keys.total() <= most:
        return "No key is the cause: no shard holds too many records, but some hold too few."
    (key, count), *_ = keys.most_common(1)
    most_after_split = most * shards / (shards + 1)
    if count > most_after_split:
        return (
            f"One key is the cause: {key!r} alone is more than a shard may hold after a split "
            f"({_rounded(most_after_split)}).\nA split does not help; spread its records over several keys."
        )
    return f"No key alone is the cause: a split of {shard_id} spreads its keys."


def _rounded(number: float) -> str:
    return f"{number:,.1f}".removesuffix(".0")
