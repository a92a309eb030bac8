"""Numbers, sizes, times and data in few characters."""

from __future__ import annotations

import datetime

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["at", "cut", "duration", "listed", "plain", "plural", "rate", "share", "size", "span", "times"]

_KIB = 1024
_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
# From here on a number of times is said without its fraction.
_MANY = 10
_WEEK_DAYS = 7


def plural(count: int, one: str, many: str | None = None) -> str:
    """A number and its noun.

    Examples:
        >>> plural(1, "shard"), plural(10000, "shard")
        ('1 shard', '10,000 shards')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def size(count: float) -> str:
    """Bytes in the largest unit that they fill.

    Examples:
        >>> size(0), size(1023), size(12_897_485)
        ('0 B', '1,023 B', '12.3 MiB')
    """
    if count < _KIB:
        return f"{count:,.0f} B"
    power = 1
    # What would be rounded to 1,024 is one of the next unit.
    while count / _KIB**power >= _KIB - 0.05 and power < len(_UNITS):
        power += 1
    return f"{count / _KIB**power:,.1f} {_UNITS[power - 1]}"


def share(part: float, whole: float) -> str:
    """A part in percent; a dash, where there is no whole.

    Examples:
        >>> share(1, 8), share(1, 100_000), share(0, 5), share(1, 0)
        ('12.5 %', '<0.1 %', '0 %', '-')
    """
    if not whole:
        return "-"
    percent = 100 * part / whole
    if percent in (0, 100):
        return f"{percent:.0f} %"
    if percent < 0.1:  # noqa: PLR2004 - what one decimal shows
        return "<0.1 %"
    return f"{min(percent, 99.9):.1f} %"


def times(factor: float) -> str:
    """How many times as much.

    Examples:
        >>> times(1.26), times(61.4)
        ('1.3x', '61x')
    """
    return f"{factor:.1f}x" if factor < _MANY - 0.05 else f"{factor:,.0f}x"


def rate(count: float, seconds: float) -> str:
    """How many a second.

    Examples:
        >>> rate(30, 60), rate(90_000, 60)
        ('0.5', '1,500')
    """
    each = count / seconds if seconds else 0.0
    return f"{each:,.0f}" if each >= _MANY or each == int(each) else f"{each:.2g}"


def duration(length: datetime.timedelta) -> str:
    """A duration in its two largest units.

    Examples:
        >>> duration(datetime.timedelta(hours=24)), duration(datetime.timedelta(days=7, hours=3))
        ('24 h', '7 d 3 h')
        >>> duration(datetime.timedelta(seconds=61)), duration(datetime.timedelta(milliseconds=1500))
        ('1 min 1 s', '1.5 s')
    """
    if length < datetime.timedelta(0):
        return f"-{duration(-length)}"
    seconds = length / datetime.timedelta(seconds=1)
    if seconds < 1:
        return f"{seconds * 1_000:.3g} ms" if seconds else "0 s"
    if seconds < _MINUTE_S:
        return f"{seconds:.3g} s"
    whole = int(seconds)
    if whole < _HOUR_S:
        return _two(whole // _MINUTE_S, "min", whole % _MINUTE_S, "s")
    # A day of retention is 24 hours to Kinesis; a week is seven days to everybody.
    if whole < _WEEK_DAYS * _DAY_S:
        return _two(whole // _HOUR_S, "h", whole % _HOUR_S // _MINUTE_S, "min")
    return _two(whole // _DAY_S, "d", whole % _DAY_S // _HOUR_S, "h")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large:,} {large_unit} {small} {small_unit}" if small else f"{large:,} {large_unit}"


def at(time: datetime.datetime) -> str:
    """A time in UTC, no finer than it is.

    Examples:
        >>> at(datetime.datetime(2026, 1, 1, 9, 30, tzinfo=datetime.UTC))
        '2026-01-01 09:30'
    """
    time = _in_utc(time)
    if time.microsecond:
        return time.isoformat(" ", "milliseconds").removesuffix("+00:00")
    return f"{time:%Y-%m-%d %H:%M:%S}" if time.second else f"{time:%Y-%m-%d %H:%M}"


def span(start: datetime.datetime, end: datetime.datetime) -> str:
    """From when to when, in UTC; the day is said once where it is the same.

    Examples:
        >>> nine = datetime.datetime(2026, 1, 1, 9, tzinfo=datetime.UTC)
        >>> span(nine, nine + datetime.timedelta(minutes=90))
        '2026-01-01 09:00 to 10:30 UTC'
        >>> span(nine, nine)
        '2026-01-01 09:00 UTC'
    """
    first, last = at(start), at(end)
    if first == last:
        return f"{first} UTC"
    if _in_utc(start).date() == _in_utc(end).date():
        last = last.partition(" ")[2]
    return f"{first} to {last} UTC"


def _in_utc(time: datetime.datetime) -> datetime.datetime:
    return time if time.tzinfo is None else time.astimezone(datetime.UTC)


def plain(text: str) -> str:
    r"""Text on one line: what does not print is written out.

    Examples:
        >>> plain("one\ntwo\x00")
        'one\\ntwo\\x00'
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def cut(text: str, length: int) -> str:
    """Text on one line, of so many characters at most.

    Examples:
        >>> cut("carrier", 4)
        'car\u2026'
    """
    # What is cut away need not be looked at: it may be megabytes.
    text = plain(text[: length + 1])
    return text if len(text) <= length else f"{text[: length - 1]}\u2026"


def listed(names: Sequence[str], most: int = 4) -> str:
    """Names, the first of them.

    Examples:
        >>> listed(["a", "b", "c"], most=2)
        'a, b and 1 more'
    """
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"
