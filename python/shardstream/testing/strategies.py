"""Hypothesis strategies for what a Kinesis application meets: keys, records, batches, and lives of shards.

The simplest example of each is the plainest one: the key `"a"`, empty data, one shard to which nothing is done.
"""

from __future__ import annotations

import bisect
import itertools

from shardstream.errors import InvalidArgumentException
from shardstream.testing.shard_maps import RING, ShardMap

try:
    from hypothesis import strategies as st
except ImportError as error:
    message = "shardstream.testing.strategies needs hypothesis: pip install hypothesis"
    raise ImportError(message, name="hypothesis") from error

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal

__all__ = ["batches", "partition_keys", "records", "shard_maps"]

_KEY_CHARACTERS = 256
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_RECORD_BYTES = 1024 * 1024
_BATCH_RECORDS = 500
_BATCH_BYTES = 10 * 1024 * 1024
_KEYS = 10_000
# The heaviest of Zipf's keys has this weight, and the 10,000th still a whole number.
_ZIPF_WEIGHT = 2**20
# Hypothesis draws evenly from ranges up to this, and prefers small numbers in larger ones.
_EVEN = 128
_STEPS = 12


def partition_keys(
    skew: Literal["uniform", "zipf", "hot"] = "uniform", count: int | None = 100
) -> st.SearchStrategy[str]:
    """Partition keys: the letters, then pairs of letters, or any text that may be a key.

    Args:
        skew: How often each key comes: `"uniform"`, all alike; `"zipf"`, the second half as often as the first, the
            third a third; `"hot"`, the first as often as all others together.
        count: How many different keys, up to 10,000; `None` for any key that Kinesis takes, 1 to 256 characters of
            Unicode, both ends of that among them.

    Returns:
        SearchStrategy: Of text; the simplest key is `"a"`, or `"0"` with `count=None`.

    Raises:
        InvalidArgumentException: There is no such skew, or it does not go with the count.

    Examples:
        >>> from hypothesis import find
        >>> find(partition_keys("zipf"), lambda key: key > "b")
        'c'
    """
    weigh = _WEIGHTS.get(skew)
    if weigh is None:
        message = f"skew: one of {', '.join(map(repr, _WEIGHTS))}, not {skew!r}"
        raise InvalidArgumentException(message)
    if count is None:
        if skew != "uniform":
            message = f"skew: {skew!r} needs a count of keys"
            raise InvalidArgumentException(message)
        return _any_keys()
    if not 1 <= count <= _KEYS:
        message = f"count: 1 to {_KEYS:,} keys, or None, not {count!r}"
        raise InvalidArgumentException(message)
    keys = [_key(index) for index in range(count)]
    if skew == "uniform" and count <= _EVEN:
        return st.sampled_from(keys)
    bounds = list(itertools.accumulate(weigh(count)))
    return _fractions().map(lambda place: keys[bisect.bisect_right(bounds, place * bounds[-1])])


_WEIGHTS: dict[str, Callable[[int], list[int]]] = {
    "uniform": lambda count: [1] * count,
    "zipf": lambda count: [_ZIPF_WEIGHT // place for place in range(1, count + 1)],
    "hot": lambda count: [max(count - 1, 1), *([1] * (count - 1))],
}


def records(
    keys: st.SearchStrategy[str] | None = None,
    data: st.SearchStrategy[bytes] | None = None,
    *,
    explicit_hash_keys: bool = True,
) -> st.SearchStrategy[dict[str, Any]]:
    """Records as PutRecords takes them: dictionaries of `Data`, `PartitionKey` and, at times, `ExplicitHashKey`.

    Args:
        keys: Of their partition keys; `partition_keys()` if not given.
        data: Of their data; up to 64 bytes if not given. What is over 1 MiB together with its key is left out.
        explicit_hash_keys: Whether some have one. Records of one key then come to several shards, and have no order.

    Returns:
        SearchStrategy: Of dictionaries; the simplest is `{"Data": b"", "PartitionKey": "a"}`.

    Examples:
        >>> from hypothesis import find
        >>> find(records(), lambda record: "ExplicitHashKey" in record)
        {'Data': b'', 'PartitionKey': 'a', 'ExplicitHashKey': '0'}
    """
    required = {
        "Data": st.binary(max_size=64) if data is None else data,
        "PartitionKey": partition_keys() if keys is None else keys,
    }
    optional = {"ExplicitHashKey": st.integers(0, RING - 1).map(str)} if explicit_hash_keys else {}
    made: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(required, optional=optional)
    return made.filter(lambda record: _size(record) <= _RECORD_BYTES)


def batches(
    elements: st.SearchStrategy[dict[str, Any]] | None = None, *, min_size: int = 1, max_size: int = _BATCH_RECORDS
) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Lists of records that one call of PutRecords takes: at most 500, of 10 MiB together with their keys.

    Args:
        elements: Of the records; `records()` if not given.
        min_size: How many records at least. Fewer may come where they are so large that no more fit.
        max_size: How many at most.

    Returns:
        SearchStrategy: Of lists, most of them short.

    Raises:
        InvalidArgumentException: The sizes are not those of a call.

    Examples:
        >>> from hypothesis import find
        >>> find(batches(), lambda batch: True)
        [{'Data': b'', 'PartitionKey': 'a'}]
    """
    if not 1 <= min_size <= max_size <= _BATCH_RECORDS:
        message = f"min_size, max_size: 1 to {_BATCH_RECORDS} records, not {min_size!r} to {max_size!r}"
        raise InvalidArgumentException(message)
    taken = records() if elements is None else elements
    return st.lists(taken, min_size=min_size, max_size=max_size).map(_that_fit)


def shard_maps(max_shards: int = 8) -> st.SearchStrategy[ShardMap]:
    """Streams of some shards, and splits and merges of them that are valid one after the other.

    Args:
        max_shards: How many shards are open at once, at most.

    Returns:
        SearchStrategy: Of `ShardMap`; `apply(stream)` does its `steps` to a stream of `initial` shards, whose open
        shards are `ranges` then. The simplest has one shard and no steps.

    Raises:
        InvalidArgumentException: There is not one shard at least.

    Examples:
        >>> from hypothesis import find
        >>> find(shard_maps(), lambda shard_map: len(shard_map.ranges) == 2).initial
        2
    """
    if max_shards < 1:
        message = f"max_shards: 1 or more, not {max_shards!r}"
        raise InvalidArgumentException(message)
    # In the middle; at the first place there is; at the last; anywhere.
    places = st.none() | st.just(0) | st.just(-1) | st.integers(0, RING - 1)
    wishes = st.lists(st.tuples(st.booleans(), st.integers(0, max_shards - 1), places), max_size=_STEPS)
    return st.builds(ShardMap.grown, st.integers(1, max_shards), wishes, st.just(max_shards))


def _key(index: int) -> str:
    """The key of an index: a to z, then aa, ab and so on."""
    rest, letter = divmod(index, len(_LETTERS))
    return (_key(rest - 1) if rest else "") + _LETTERS[letter]


def _fractions() -> st.SearchStrategy[float]:
    """Evenly from 0 to 1, which is not among them."""
    digit = st.integers(0, _EVEN - 1)
    return st.tuples(digit, digit, digit).map(lambda d: ((d[0] * _EVEN + d[1]) * _EVEN + d[2]) / _EVEN**3)


def _any_keys() -> st.SearchStrategy[str]:
    characters = st.characters(codec="utf-8")
    longest = characters.map(lambda character: character * _KEY_CHARACTERS)
    return st.text(characters, min_size=1, max_size=_KEY_CHARACTERS) | longest


def _size(record: dict[str, Any]) -> int:
    return len(record["Data"]) + len(record["PartitionKey"].encode())


def _that_fit(batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
    sizes = itertools.accumulate(map(_size, batch))
    return [record for record, size in zip(batch, sizes, strict=True) if size <= _BATCH_BYTES]
