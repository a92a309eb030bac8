"""Durations and times as users write them: `"5m"`, a timedelta, an ISO string with an offset, an aware datetime."""

from __future__ import annotations

import datetime
import re

from shardstream._epoch import epoch
from shardstream.errors import InvalidArgumentException, SerializationException

__all__ = ["is_duration", "nanoseconds", "unix_millis", "whole_millis"]

_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h|d|w)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")
_LONGEST = 2**63 - 1
_MICROSECOND = datetime.timedelta(microseconds=1)


def is_duration(text: str) -> bool:
    """Tell whether text is a duration, like `"1h30m"`."""
    return _WHOLE.fullmatch(text) is not None


def nanoseconds(duration: object, name: str) -> int:
    """The nanoseconds of a duration.

    Args:
        duration: Text of numbers and units (ns, us, ms, s, m, h, d, w), as in `"90s"`, `"1h30m"`, `"1.5d"`; or a
            `datetime.timedelta`.
        name: What the duration is, for the error.

    Raises:
        InvalidArgumentException: The text is no duration, or one too long for 64 bits of nanoseconds.
        SerializationException: It is neither text nor a timedelta.

    Examples:
        >>> nanoseconds("1m", "size")
        60000000000
    """
    if isinstance(duration, datetime.timedelta):
        total = duration // _MICROSECOND * 1_000
    elif isinstance(duration, str):
        if not is_duration(duration):
            message = (
                f'{name}: "{duration}" is not a duration; write a number and a unit '
                '(ns, us, ms, s, m, h, d, w), like "5m" or "1h30m"'
            )
            raise InvalidArgumentException(message)
        total = 0
        for number, unit in _PART.findall(duration):
            whole, _, fraction = number.partition(".")
            scale = _NANOSECONDS[unit]
            total += int(whole) * scale + (int(fraction) * scale // 10 ** len(fraction) if fraction else 0)
    else:
        message = (
            f'{name}: a duration is text like "5m" or a datetime.timedelta, not {type(duration).__name__} {duration!r}'
        )
        raise SerializationException(message)
    if not -_LONGEST <= total <= _LONGEST:
        message = f"{name}: {duration} is longer than 292 years"
        raise InvalidArgumentException(message)
    return total


def whole_millis(duration: object, name: str) -> int:
    """The milliseconds of a duration that has no part of one."""
    total = nanoseconds(duration, name)
    if total % 1_000_000:
        message = f"{name}: the engine counts whole milliseconds; {duration} is finer"
        raise InvalidArgumentException(message)
    return total // 1_000_000


def unix_millis(time: object, name: str) -> int:
    """The milliseconds from 1970 to an aware datetime, or to an ISO 8601 string with an offset.

    Examples:
        >>> unix_millis("2026-01-01T00:00:00Z", "start")
        1767225600000
    """
    if isinstance(time, str):
        try:
            parsed = datetime.datetime.fromisoformat(time)
        except ValueError as error:
            message = f'{name}: "{time}" is not an ISO 8601 time, like "2026-01-01T00:00:00Z"'
            raise InvalidArgumentException(message) from error
    elif isinstance(time, datetime.datetime):
        parsed = time
    else:
        message = f"{name}: a time is an aware datetime or an ISO string, not {type(time).__name__} {time!r}"
        raise SerializationException(message)
    if parsed.tzinfo is None:
        message = f'{name}: {time} has no timezone: add one, as in "{parsed.isoformat()}Z" or tzinfo=datetime.UTC'
        raise InvalidArgumentException(message)
    return (parsed - epoch) // datetime.timedelta(milliseconds=1)
