"""How a failed assertion tells of records: some lines of each group, and how many more there are."""

from __future__ import annotations

from shardstream.testing.items import shortened

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Sequence

    from shardstream.testing.items import Item

__all__ = ["counted", "group", "line", "pairs", "share"]

_LINES_MAX = 10


def line(item: Item) -> str:
    """What a record says of itself: key, shard, sequence number in full, and the beginning of its data.

    Examples:
        >>> from shardstream.testing.items import Item
        >>> print(line(Item(0, b'{"n": 41}', "user-42")))
        key 'user-42'  b'{"n": 41}'
    """
    said = []
    if item.partition_key is not None:
        said.append(f"key {item.partition_key!r}")
    if item.shard_id is not None:
        said.append(f"shard {item.shard_id}")
    if item.sequence_number is not None:
        said.append(f"sequence {item.sequence_number}")
    return "  ".join([*said, shortened(item.data)])


def counted(count: int, noun: str) -> str:
    """A number of things.

    Examples:
        >>> counted(1, "record"), counted(2_000, "record")
        ('1 record', '2,000 records')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def share(count: int, total: int, noun: str, one: str, many: str) -> str:
    """How many things of all, and the verb that goes with them.

    Examples:
        >>> share(1, 100, "record", "was", "were"), share(2, 100, "record", "was", "were")
        ('1 of 100 records was', '2 of 100 records were')
    """
    return f"{count:,} of {counted(total, noun)} {one if count == 1 else many}"


def group(heading: str, lines: Sequence[str], *, lines_max: int = _LINES_MAX) -> str:
    """A heading and, at most ten unless said otherwise, lines under it.

    Examples:
        >>> print(group("2 records were lost:", ["key 'user-42'", "key 'user-43'"]))
        2 records were lost:
          key 'user-42'
          key 'user-43'
    """
    return _under(heading, lines[:lines_max], len(lines) - lines_max)


def pairs(heading: str, found: Sequence[tuple[str, str]]) -> str:
    """A heading and at most ten lines under it, two for each thing that was found."""
    shown = [text for pair in found[: _LINES_MAX // 2] for text in pair]
    return _under(heading, shown, len(found) - _LINES_MAX // 2)


def _under(heading: str, lines: Sequence[str], more: int) -> str:
    rest = [f"... and {more:,} more"] if more > 0 else []
    return "\n  ".join([heading, *lines, *rest])
