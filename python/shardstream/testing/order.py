"""Which keys' records stand in another order than they were put or sent in."""

from __future__ import annotations

from shardstream.testing.items import identity, read, whole
from shardstream.testing.report import line, pairs, share

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Callable

    from shardstream.testing.items import Given, Item

__all__ = ["disorder"]


def disorder(actual: Given, sent: Given | None) -> str | None:
    """What there is to say of keys whose records are out of order; None if there are none.

    Args:
        actual: The records as they were read.
        sent: The records as they were sent; the order is that of sequence numbers alone, if not given.
    """
    came = read(actual, "actual")
    whole(came, "partition_key", "actual", "order is by key")
    if sent is None:
        whole(came, "sequence_number", "actual", "without `sent` the order is that of sequence numbers")
        return _by_sequence(came)
    gone = read(sent, "sent")
    whole(gone, "partition_key", "sent", "order is by key")
    numbered = all(item.sequence_number is not None for item in came)
    return (_by_sequence(came) if numbered else None) or _by_sending(came, gone)


def _by_sequence(came: list[Item]) -> str | None:
    turned = _turned(came, lambda item: int(item.sequence_number or 0))
    if not turned:
        return None
    heading = _heading(turned, came, "out of order")
    return pairs(heading, [(f"index {a.index}  {line(a)}", f"index {b.index}  {line(b)}") for a, b in turned])


def _by_sending(came: list[Item], sent: list[Item]) -> str | None:
    name = identity(came, sent)
    indexes = {name(item): item.index for item in reversed(sent)}
    if came and sent and not any(name(item) in indexes for item in came):
        lines = (f"came  {line(came[0])}", f"sent  {line(sent[0])}")
        return pairs("no record that came is among those sent, so nothing is known of their order; the first:", [lines])
    turned = _turned(came, lambda item: indexes.get(name(item)))
    if not turned:
        return None

    def told(item: Item) -> str:
        return f"index {item.index}, sent at {indexes[name(item)]}  {line(item)}"

    heading = _heading(turned, came, "in another order than sent")
    return pairs(heading, [(told(a), told(b)) for a, b in turned])


def _turned(came: list[Item], rank: Callable[[Item], int | None]) -> list[tuple[Item, Item]]:
    """The first two records of each key that stand the wrong way round.

    Only a record's first occurrence counts: a consumer that goes back to a checkpoint reads a run of them again. What
    has no rank is passed over.
    """
    seen = set()
    latest: dict[str | None, tuple[int, Item]] = {}
    found: dict[str | None, tuple[Item, Item]] = {}
    for item in came:
        key, place = item.partition_key, rank(item)
        if place is None or key in found or (key, place) in seen:
            continue
        seen.add((key, place))
        if key in latest and place < latest[key][0]:
            found[key] = (latest[key][1], item)
        latest[key] = (place, item)
    return list(found.values())


def _heading(turned: list[tuple[Item, Item]], came: list[Item], how: str) -> str:
    keys = len({item.partition_key for item in came})
    of_each = "two of its records" if len(turned) == 1 else "two records of each"
    return f"{share(len(turned), keys, 'key', 'came', 'came')} {how}; {of_each} that stand the wrong way round:"
