"""Columns of a table as numbers to draw, and the units they are told in."""

from __future__ import annotations

import datetime
import re

import numpy as np

from shardstream._epoch import epoch, epoch_date, epoch_naive

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Literal, Protocol

    from numpy.typing import NDArray

    from shardstream.plots.picture import Floats, Integers

    Quantity = Literal["number", "duration", "time"]

    class Columns(Protocol):
        """A table, as far as charts need it."""

        @property
        def schema(self) -> dict[str, str]:
            """Arrow types, by name."""

        def column(self, name: str) -> list[Any]:
            """The values of one column."""

        def __len__(self) -> int:
            """How many rows."""


__all__ = ["labels", "micros", "numbers", "quantity", "span_unit", "times"]

_NUMBER = re.compile(r"(U?Int|Float|Decimal)\d|Boolean")
_MICROSECOND = datetime.timedelta(microseconds=1)
# What a span is told in, from this many seconds on.
_SPAN_UNITS = ((86_400 * 2, "d", 86_400.0), (3_600 * 2, "h", 3_600.0), (120, "min", 60.0), (1, "s", 1.0))


def quantity(data_type: str) -> Quantity | None:
    """What values of this Arrow type measure; nothing where they cannot be laid off on an axis."""
    if _NUMBER.match(data_type):
        return "number"
    if data_type.startswith("Duration"):
        return "duration"
    return "time" if data_type.startswith(("Timestamp", "Date")) else None


def numbers(table: Columns, name: str) -> Floats:
    """A column as floats: spans in seconds, times in microseconds since 1970; NaN where there is nothing to draw."""
    values = table.column(name)
    measure = quantity(table.schema[name])
    if measure == "duration":
        values = [None if value is None else value.total_seconds() for value in values]
    elif measure == "time":
        values = [None if value is None else micros(value) for value in values]
    found = np.array(values, dtype=np.float64)
    found[~np.isfinite(found)] = np.nan
    return found


def times(table: Columns, name: str, places: NDArray[np.intp] | None = None) -> Integers:
    """A column of times in microseconds since 1970, or some places of it."""
    found = table.column(name)
    if places is not None and len(places) < len(found):
        found = [found[place] for place in places.tolist()]
    return np.fromiter(map(micros, found), dtype=np.int64, count=len(found))


def micros(time: datetime.date) -> int:
    """Microseconds since 1970; what has no timezone is UTC."""
    if not isinstance(time, datetime.datetime):
        return (time - epoch_date) // _MICROSECOND
    return (time - (epoch_naive if time.tzinfo is None else epoch)) // _MICROSECOND


def labels(values: Sequence[tuple[Any, ...]]) -> list[str]:
    """Names of combinations of key values, each its own: `AA / JFK`; as Python writes them where plain text is not."""
    plain = [" / ".join(_plain(part) for part in value) for value in values]
    seen: dict[str, int] = {}
    for label in plain:
        seen[label] = seen.get(label, 0) + 1
    exact = [" / ".join(map(repr, value)) for value in values]
    return [label if seen[label] == 1 else other for label, other in zip(plain, exact, strict=True)]


def span_unit(seconds: float) -> tuple[str, float]:
    """The unit that a span of this many seconds is told in, and how many seconds it has."""
    for least, unit, size in _SPAN_UNITS:
        if least <= abs(seconds):
            return unit, size
    return ("ms", 1e-3) if abs(seconds) >= 1e-3 or not seconds else ("\u00b5s", 1e-6)  # noqa: PLR2004 - a millisecond


def _plain(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ", timespec="auto").removesuffix("+00:00")
    return str(value) or repr(value)
