"""Records in whatever form a test has them, read into one."""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Mapping
from itertools import islice
from operator import attrgetter

from shardstream import _core
from shardstream.errors import SerializationException
from shardstream.stream import Stream

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Given: TypeAlias = Stream | Iterable[object]

__all__ = ["Item", "identity", "read", "shortened", "whole"]

_SHOWN_CHARS = 60
_FORMS = (
    "a record is bytes or str, a (data, key) pair, a Record, or a dictionary as boto3 (Data, PartitionKey, "
    "SequenceNumber) or a Lambda event (kinesis) has it"
)


class Item:
    """A record as it was given: what it says of itself, None where it does not, and where it stood."""

    __slots__ = ("data", "index", "partition_key", "sequence_number", "shard_id")

    def __init__(
        self,
        index: int,
        data: bytes,
        partition_key: str | None = None,
        sequence_number: str | None = None,
        shard_id: str | None = None,
    ) -> None:
        """Keep what is known."""
        self.index = index
        self.data = data
        self.partition_key = partition_key
        self.sequence_number = sequence_number
        self.shard_id = shard_id


def read(given: Given, name: str) -> list[Item]:
    """Read records from whatever a test has.

    Args:
        given: A stream (all that is kept there now), `Records`, or an iterable of records: bytes or str (data alone),
            `(data, key)` pairs as `Stream.put_many` takes them, `Record`s, boto3's dictionaries or a Lambda event's. An
            answer of GetRecords or a Lambda event is taken for its `"Records"`.
        name: What it is called, for errors.

    Raises:
        SerializationException: Something in it is no record; a TypeError.

    Examples:
        >>> item, = read([(b"page", "user-42")], "sent")
        >>> item.data, item.partition_key, item.sequence_number
        (b'page', 'user-42', None)
    """
    if isinstance(given, Stream):
        return [_of_record(index, record) for index, record in enumerate(_kept(given))]
    if isinstance(given, Mapping) and "Records" in given:
        return read(given["Records"], f'{name}["Records"]')
    if isinstance(given, bytes | bytearray | memoryview | str | Mapping) or not isinstance(given, Iterable):
        message = f"{name}: a stream or an iterable of records, not {shortened(given)}"
        raise SerializationException(message)
    return [_item(index, record, f"{name}[{index}]") for index, record in enumerate(given)]


def whole(items: list[Item], attribute: str, name: str, why: str) -> None:
    """Check that every record says something that an assertion cannot do without.

    Args:
        items: The records.
        attribute: What they have to say.
        name: What they were called when they were read.
        why: What needs it, for the error.

    Raises:
        SerializationException: A record does not say it; a TypeError.
    """
    for item in items:
        if getattr(item, attribute) is None:
            message = f"{name}[{item.index}]: {why}, and {shortened(item.data)} says no {attribute}"
            raise SerializationException(message)


def identity(*sides: list[Item]) -> Callable[[Item], Any]:
    """What tells records apart: their data, and their keys and sequence numbers if every record says them."""
    names = [
        attribute
        for attribute in ("partition_key", "sequence_number")
        if all(getattr(item, attribute) is not None for side in sides for item in side)
    ]
    return attrgetter("data", *names)


def shortened(value: object) -> str:
    """A value as Python writes it, at most some 60 characters of it and then its length."""
    if not isinstance(value, bytes):
        text = repr(value)
        return text if len(text) <= _SHOWN_CHARS else f"{text[: _SHOWN_CHARS - 3]}..."
    text = repr(value[:_SHOWN_CHARS])
    return text if len(text) <= _SHOWN_CHARS else f"{text[: _SHOWN_CHARS - 3]}... ({len(value):,} bytes)"


def _kept(stream: Stream) -> Iterable[_core.Record]:
    # With limits="aws" `Stream.read` would take reads from the consumer under test; `follow` is not metered. As many
    # as there are now, for a producer may go on in the background.
    return islice(stream.follow("TRIM_HORIZON", timeout="0s"), len(stream))


def _item(index: int, record: object, place: str) -> Item:
    if isinstance(record, _core.Record):
        return _of_record(index, record)
    if isinstance(record, Mapping):
        return _of_mapping(index, record, place)
    if isinstance(record, tuple) and len(record) in (2, 3):  # the third is put_many's hash key
        return Item(index, _data(record[0], f"{place}[0]"), _text(record[1], f"{place}[1]"))
    if isinstance(record, bytes | bytearray | memoryview | str):
        return Item(index, _data(record, place))
    raise _no_record(record, place)


def _of_record(index: int, record: _core.Record) -> Item:
    return Item(index, record.data, record.partition_key, record.sequence_number, record.shard_id)


def _of_mapping(index: int, record: Mapping[Any, Any], place: str) -> Item:
    if isinstance(record.get("kinesis"), Mapping) and "data" in record["kinesis"]:
        return _of_event(index, record, place)
    if "Data" not in record:
        raise _no_record(record, place)
    return Item(
        index,
        _data(record["Data"], f'{place}["Data"]'),
        _text(record.get("PartitionKey"), f'{place}["PartitionKey"]', optional=True),
        _sequence(record.get("SequenceNumber"), f'{place}["SequenceNumber"]'),
        _text(record.get("ShardId"), f'{place}["ShardId"]', optional=True),
    )


def _of_event(index: int, event: Mapping[Any, Any], place: str) -> Item:
    record = event["kinesis"]
    place = f'{place}["kinesis"]'
    # Lambda names the shard in the event's id alone: "shardId-000000000006:4959...".
    shard_id, colon, _ = str(event.get("eventID", "")).partition(":")
    return Item(
        index,
        _from_base64(record["data"], f'{place}["data"]'),
        _text(record.get("partitionKey"), f'{place}["partitionKey"]', optional=True),
        _sequence(record.get("sequenceNumber"), f'{place}["sequenceNumber"]'),
        shard_id if colon else None,
    )


def _data(value: object, place: str) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    try:
        return value.encode()  # type: ignore[attr-defined, no-any-return]  # what has no such method, is refused
    except (AttributeError, UnicodeEncodeError) as error:
        message = f"{place}: data are bytes or str, not {shortened(value)}"
        raise SerializationException(message) from error


def _from_base64(value: object, place: str) -> bytes:
    try:
        return binascii.a2b_base64(value, strict_mode=True)  # type: ignore[arg-type]  # what it cannot take, it refuses
    except (TypeError, ValueError) as error:
        message = f"{place}: data of a Lambda event are base64 text, not {shortened(value)}"
        raise SerializationException(message) from error


def _text(value: object, place: str, *, optional: bool = False) -> str | None:
    if isinstance(value, str) or (value is None and optional):
        return value
    message = f"{place}: text, not {shortened(value)}"
    raise SerializationException(message)


def _sequence(value: object, place: str) -> str | None:
    if value is None or (isinstance(value, str) and value.isascii() and value.isdigit()):
        return value
    message = f"{place}: a sequence number is text of digits, not {shortened(value)}"
    raise SerializationException(message)


def _no_record(record: object, place: str) -> SerializationException:
    return SerializationException(f"{place}: {shortened(record)} is no record; {_FORMS}")
