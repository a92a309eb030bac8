"""Assertions about records, which say by key, shard and sequence number what went wrong."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from operator import attrgetter

from shardstream.testing.balance import imbalance
from shardstream.testing.items import identity, read
from shardstream.testing.order import disorder
from shardstream.testing.report import counted, group, line, share

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from shardstream.testing.items import Given, Item

__all__ = ["assert_balanced", "assert_no_loss", "assert_per_key_order", "assert_records"]


def assert_records(actual: Given, expected: Given, *, ordered: bool = False) -> None:
    """Assert that the records are those expected, no more and no fewer.

    Data are compared, and keys where both sides say them. Sequence numbers and shards, which a stream gives, are not.

    Args:
        actual: The records: a stream (all that it keeps now), `Records`, or an iterable of `Record`s, of boto3's or a
            Lambda event's dictionaries, of `(data, key)` pairs, of bytes or str.
        expected: Likewise, in any form. An item without a key expects its data under any key.
        ordered: Whether they have to come in the order in which they are expected, too.

    Raises:
        AssertionError: They are others; it says which did not come, and which came unexpected.
        SerializationException: Something given is no record; a TypeError.

    Examples:
        >>> import shardstream as ss
        >>> clicks = ss.Engine().create_stream("clicks", shards=4)
        >>> _ = clicks.put_many([(b"page", "user-42"), (b"cart", "user-43")])
        >>> assert_records(clicks, [(b"page", "user-42"), b"cart"])
        >>> assert_records([(b"page", "user-42"), (b"cart", "user-43")], ["page", "home"])
        Traceback (most recent call last):
        AssertionError: 1 of 2 expected records did not come:
          b'home'
        1 record came that was not expected:
          key 'user-43'  b'cart'
    """
    __tracebackhide__ = True
    came, wanted = read(actual, "actual"), read(expected, "expected")
    failure = _difference(came, wanted) or (_misplacement(came, wanted) if ordered else "")
    if failure:
        raise AssertionError(failure)


def assert_per_key_order(actual: Given, sent: Given | None = None) -> None:
    """Assert that each key's records stand in the order of their sequence numbers, and in the order they were sent in.

    A record counts where it stands first, so a consumer may go back and read a run of records again. Between keys there
    is no order, nor among records whose shard an explicit hash key chose.

    Args:
        actual: The records as they were read, in any form of `assert_records`, with keys; without `sent`, with
            sequence numbers, too.
        sent: The records as they were sent, with keys. Records are told apart by all that both sides say of them; those
            that were not sent are passed over, which `assert_no_loss` finds.

    Raises:
        AssertionError: Records of a key came in another order; it shows two that stand the wrong way round.
        SerializationException: Something given is no record, or does not say its key or number; a TypeError.

    Examples:
        >>> sent = [(b"in", "user-42"), (b"in", "user-43"), (b"out", "user-42")]
        >>> assert_per_key_order([sent[1], sent[0], sent[2], sent[0]], sent)
        >>> assert_per_key_order([sent[2], sent[0]], sent)
        Traceback (most recent call last):
        AssertionError: 1 of 1 key came in another order than sent; two of its records that stand the wrong way round:
          index 0, sent at 2  key 'user-42'  b'out'
          index 1, sent at 0  key 'user-42'  b'in'
    """
    __tracebackhide__ = True
    failure = disorder(actual, sent)
    if failure:
        raise AssertionError(failure)


def assert_no_loss(sent: Given, received: Given, *, allow_duplicates: bool = True) -> None:
    """Assert that all that was sent was received, and nothing else.

    Records are told apart by all that both sides say of them: data, and keys and sequence numbers where every record
    has them. Without sequence numbers on both sides, equal records are counted: of two that were sent, two have to
    come, and a record that is received again under its old number is still one.

    Args:
        sent: What was sent, in any form of `assert_records`.
        received: What was received, in any form.
        allow_duplicates: Whether a record may come more often than it was sent, as happens to consumers that start
            again at a checkpoint and to producers that retry.

    Raises:
        AssertionError: Records were lost, were never sent, or came too often; it says which.
        SerializationException: Something given is no record; a TypeError.

    Examples:
        >>> sent = [(b"page", "user-42"), (b"cart", "user-42")]
        >>> assert_no_loss(sent, [*sent, sent[0]])
        >>> assert_no_loss(sent, [sent[0], sent[0]], allow_duplicates=False)
        Traceback (most recent call last):
        AssertionError: 1 of 2 records was lost:
          key 'user-42'  b'cart'
        1 record came more often than it was sent:
          key 'user-42'  b'page'  sent 1, came 2
    """
    __tracebackhide__ = True
    gone, came = _distinct(read(sent, "sent")), read(received, "received")
    name = identity(gone, came)
    failures = [_lost(gone, came, name), _never_sent(gone, came, name)]
    if not allow_duplicates:
        failures.append(_too_often(gone, came, name))
    if any(failures):
        raise AssertionError("\n".join(filter(None, failures)))


def assert_balanced(records_or_stream: Given, *, tolerance: float = 0.25) -> None:
    """Assert that records lie evenly over shards.

    Args:
        records_or_stream: A stream, of which the records in open shards count and shards without records do, too; or
            records in any form of `assert_records` that says their shards and keys, of which shards that occur count.
        tolerance: How far from the mean a shard's records may be, as a share of it.

    Raises:
        AssertionError: A shard holds more or fewer; it shows the records of each, the keys that weigh most, and
            whether one key is the cause, in which case a split does not help.
        SerializationException: Something given is no record, or does not say its shard or key; a TypeError.
        InvalidArgumentException: The tolerance is negative or no number.

    Examples:
        >>> import shardstream as ss
        >>> clicks = ss.Engine().create_stream("clicks", shards=2)
        >>> _ = clicks.put_many((b"page", f"user-{i}") for i in range(4))
        >>> assert_balanced(clicks)
        >>> _ = clicks.put_many((b"page", "user-42") for _ in range(16))
        >>> assert_balanced(clicks)
        Traceback (most recent call last):
        AssertionError: 2 of 2 shards are out of balance (even is 10 records each, give or take 25%):
          shardId-000000000000  ####################  18   90.0%  too many
          shardId-000000000001  ##                     2   10.0%  too few
        keys that weigh most in shardId-000000000000:
          key 'user-42'  16 records, 88.9% of the shard
          key 'user-2'  1 record, 5.6% of the shard
          key 'user-3'  1 record, 5.6% of the shard
        One key is the cause: 'user-42' alone is more than a shard may hold after a split (8.3).
        A split does not help; spread its records over several keys.
    """
    __tracebackhide__ = True
    failure = imbalance(records_or_stream, tolerance)
    if failure:
        raise AssertionError(failure)


def _difference(came: list[Item], wanted: list[Item]) -> str:
    keyed = _keyed(came)
    exact = [item for item in wanted if keyed and item.partition_key is not None]
    loose = [item for item in wanted if not keyed or item.partition_key is None]
    # Those that say their key first: the others are content with what is left.
    missing, left = _pair_off(exact, came, attrgetter("data", "partition_key"))
    missing_too, left = _pair_off(loose, left, attrgetter("data"))
    missing = sorted(missing + missing_too, key=attrgetter("index"))
    groups = []
    if missing:
        heading = share(len(missing), len(wanted), "expected record", "did not come", "did not come")
        groups.append(group(f"{heading}:", [line(item) for item in missing]))
    if left:
        heading = f"{counted(len(left), 'record')} came that {_was(len(left))} not expected:"
        groups.append(group(heading, [line(item) for item in left]))
    return "\n".join(groups)


def _misplacement(came: list[Item], wanted: list[Item]) -> str:
    keyed = _keyed(came)

    def same(item: Item, other: Item) -> bool:
        any_key = not keyed or other.partition_key is None
        return item.data == other.data and (any_key or item.partition_key == other.partition_key)

    for index, expected in enumerate(wanted):
        if not same(came[index], expected):
            elsewhere = next(item.index for item in [*came[index:], *came] if same(item, expected))
            lines = [
                f"expected  {line(expected)}, which came at index {elsewhere}",
                f"came      {line(came[index])}",
            ]
            return group(f"all {len(came):,} records came, but in another order from index {index} on:", lines)
    return ""


def _keyed(came: list[Item]) -> bool:
    return all(item.partition_key is not None for item in came)


def _lost(sent: list[Item], came: list[Item], name: Callable[[Item], Any]) -> str:
    lost, _ = _pair_off(sent, _distinct(came), name)
    heading = share(len(lost), len(sent), "record", "was lost", "were lost")
    return group(f"{heading}:", [line(item) for item in lost]) if lost else ""


def _never_sent(sent: list[Item], came: list[Item], name: Callable[[Item], Any]) -> str:
    known = {name(item) for item in sent}
    strange = [item for item in _distinct(came) if name(item) not in known]
    heading = f"{counted(len(strange), 'record')} came that {_was(len(strange))} never sent:"
    return group(heading, [line(item) for item in strange]) if strange else ""


def _too_often(sent: list[Item], came: list[Item], name: Callable[[Item], Any]) -> str:
    sent_counts, came_counts = Counter(map(name, sent)), Counter(map(name, came))
    first = {name(item): item for item in reversed(came)}
    lines = [
        f"{line(first[each])}  sent {sent_counts[each]:,}, came {count:,}"
        for each, count in came_counts.items()
        if count > sent_counts[each] > 0
    ]
    it_was = "it was" if len(lines) == 1 else "they were"
    return group(f"{counted(len(lines), 'record')} came more often than {it_was} sent:", lines) if lines else ""


def _distinct(items: list[Item]) -> list[Item]:
    """Each record once, as far as sequence numbers tell; those are unique to a key, says AWS, and not beyond it."""
    first: dict[object, Item] = {}
    for item in items:
        number = item.sequence_number
        first.setdefault(item.index if number is None else (number, item.partition_key, item.data), item)
    return list(first.values())


def _pair_off(wanted: list[Item], came: list[Item], name: Callable[[Item], Any]) -> tuple[list[Item], list[Item]]:
    """Those wanted that did not come and those that came unwanted, each in their order."""
    waiting: defaultdict[Any, deque[Item]] = defaultdict(deque)
    for item in wanted:
        waiting[name(item)].append(item)
    left = []
    for item in came:
        same = waiting.get(name(item))
        if same:
            same.popleft()
        else:
            left.append(item)
    missing = [item for same in waiting.values() for item in same]
    return sorted(missing, key=attrgetter("index")), left


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
