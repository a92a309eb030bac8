"""Where a read begins and ends, as users say it."""

from __future__ import annotations

import datetime

from shardstream import _core, text
from shardstream.duration import is_duration, nanoseconds, unix_millis
from shardstream.errors import InvalidArgumentException, SerializationException

__all__ = ["Position", "cuts", "native", "shard_name"]

Position = (
    str
    | datetime.datetime
    | datetime.timedelta
    | _core.Record
    | _core.PutResult
    | tuple[str, str | datetime.datetime | int]
)

_PLAIN = ("TRIM_HORIZON", "LATEST")
_NUMBERED = ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER")


def native(position: object, name: str, now_ms: int) -> str | tuple[str, str] | tuple[str, int]:
    """A position as the native module takes it.

    Args:
        position: `"TRIM_HORIZON"`, `"LATEST"`; a sequence number, record or put result (right before it); a time (an
            aware datetime or an ISO string: the first record that arrived then or later); a duration like `"15m"`
            (that long ago); or a pair of one of Kinesis's names and its value, as in
            `("AFTER_SEQUENCE_NUMBER", number)`.
        name: What the position is, for the error.
        now_ms: The engine's time.
    """
    if isinstance(position, tuple) and len(position) == 2:  # noqa: PLR2004 - a pair
        return _pair(position[0], position[1], name)
    if isinstance(position, _core.Record | _core.PutResult):
        return "AT_SEQUENCE_NUMBER", position.sequence_number
    if isinstance(position, str):
        return _text(position, name, now_ms)
    if isinstance(position, datetime.timedelta):
        return "AT_TIMESTAMP", _ago(position, name, now_ms)
    if isinstance(position, datetime.datetime):
        return "AT_TIMESTAMP", unix_millis(position, name)
    message = f"{name}: {_say(position)} is no position; {_KNOWN}"
    raise SerializationException(message)


def cuts(stream: _core.Stream, start: object, end: object, shard_id: object) -> tuple[int, int]:
    """Fix where a read begins and ends: all there is now, if `end` is None."""
    shard = None if shard_id is None else shard_name(shard_id)
    now_ms = stream.now_ms()
    from_cut = stream.start_cut(native(start, "start", now_ms), shard)
    return from_cut, stream.end_cut(native("LATEST" if end is None else end, "end", now_ms), shard)


def shard_name(shard_id: object) -> str:
    """The name of a shard: text, or the shard's own."""
    if isinstance(shard_id, _core.Shard):
        return shard_id.shard_id
    return text.checked(shard_id, "shard_id")


def _text(position: str, name: str, now_ms: int) -> str | tuple[str, str] | tuple[str, int]:
    if position in _PLAIN:
        return position
    if position.isdigit():
        return "AT_SEQUENCE_NUMBER", position
    if is_duration(position):
        return "AT_TIMESTAMP", _ago(position, name, now_ms)
    return "AT_TIMESTAMP", _time(position, name)


def _ago(duration: object, name: str, now_ms: int) -> int:
    return now_ms - nanoseconds(duration, name) // 1_000_000


def _pair(kind: object, value: object, name: str) -> tuple[str, str] | tuple[str, int]:
    if kind == "AT_TIMESTAMP":
        return "AT_TIMESTAMP", unix_millis(value, name)
    if kind in _NUMBERED:
        if isinstance(value, _core.Record | _core.PutResult):
            value = value.sequence_number
        return str(kind), str(value)
    message = f"{name}: {_say(kind)} is no kind of position; {_KNOWN}"
    raise InvalidArgumentException(message)


def _time(text: str, name: str) -> int:
    try:
        return unix_millis(text, name)
    except InvalidArgumentException as error:
        message = f"{error}; {_KNOWN}"
        raise InvalidArgumentException(message) from error


def _say(value: object) -> str:
    return f"{type(value).__name__} {value!r}"


_KNOWN = (
    'a position is "TRIM_HORIZON", "LATEST", a sequence number, an aware time, a duration ago like "15m", or a pair '
    'like ("AFTER_SEQUENCE_NUMBER", number)'
)
