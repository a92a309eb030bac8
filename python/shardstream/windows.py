"""Windows and aggregates: the words a query is written in.

Windows are half-open, `[start, end)`, in UTC, and aligned to 1970-01-01T00:00:00Z unless `offset` shifts them. A
rolling window alone looks back from each row, that row included: `(time - size, time]`.
"""

from __future__ import annotations

import builtins
import datetime
import math

from shardstream.duration import nanoseconds
from shardstream.errors import InvalidArgumentException, SerializationException

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from typing import Any, Literal

__all__ = [
    "Aggregate",
    "Window",
    "approx_count_distinct",
    "count",
    "count_distinct",
    "cumulate",
    "first",
    "hop",
    "last",
    "max",
    "mean",
    "median",
    "min",
    "quantile",
    "rolling",
    "session",
    "std",
    "sum",
    "top_k",
    "tumble",
    "var",
]

_Duration = str | datetime.timedelta
_TOP_K_MAX = 10_000


class Window:
    """A way to cut event time into windows; `tumble`, `hop`, `session`, `cumulate` and `rolling` make one."""

    __slots__ = ("kind", "spans")

    def __init__(self, kind: str, spans: dict[str, int]) -> None:
        """Take a kind of window and its spans in nanoseconds."""
        self.kind = kind
        self.spans = spans

    def __repr__(self) -> str:
        """Say it as it was written."""
        spans = ", ".join(f'{name}="{_text(span)}"' for name, span in self.spans.items() if span or name != "offset")
        return f"{self.kind}({spans})"


def tumble(size: _Duration, *, offset: _Duration = "0s") -> Window:
    """Windows of one size, one after the other: every row lies in exactly one.

    Args:
        size: How long a window is.
        offset: Shifts all windows, as in `tumble("1d", offset="5h")`.

    Examples:
        >>> tumble("1m")
        tumble(size="1m")
    """
    return Window("tumble", {"size": _span(size, "size"), "offset": nanoseconds(offset, "offset")})


def hop(*, size: _Duration, slide: _Duration, offset: _Duration = "0s") -> Window:
    """Windows of one size, one every `slide`: a row lies in several.

    Args:
        size: How long a window is.
        slide: How far a window starts after the one before; at most `size`, or rows would lie in none.
        offset: Shifts all windows.
    """
    spans = {"size": _span(size, "size"), "slide": _span(slide, "slide"), "offset": nanoseconds(offset, "offset")}
    if spans["size"] < spans["slide"]:
        slid, sized = _text(spans["slide"]), _text(spans["size"])
        message = f'slide: "{slid}" is larger than size "{sized}": rows between windows would be lost'
        raise InvalidArgumentException(message)
    return Window("hop", spans)


def session(gap: _Duration) -> Window:
    """Windows of activity, for each key its own: rows less than `gap` apart share one.

    A window starts with its first row and ends `gap` after its last.
    """
    return Window("session", {"gap": _span(gap, "gap")})


def cumulate(*, size: _Duration, step: _Duration, offset: _Duration = "0s") -> Window:
    """Windows that grow: every `step` one more, all from the same start, until `size` is reached.

    `cumulate(size="1d", step="1h")` gives, for each day, the first hour, the first two, and so on to the whole.

    Args:
        size: How long the last window is; a multiple of `step`.
        step: How much each window is longer than the one before.
        offset: Shifts all windows.
    """
    spans = {"size": _span(size, "size"), "step": _span(step, "step"), "offset": nanoseconds(offset, "offset")}
    if spans["size"] % spans["step"]:
        message = f'size: "{_text(spans["size"])}" is not a multiple of step "{_text(spans["step"])}"'
        raise InvalidArgumentException(message)
    return Window("cumulate", spans)


def rolling(size: _Duration) -> Window:
    """A window for every row, that looks back from it: `(time - size, time]`, a row of results for each row.

    Rows of the same key and time see each other.
    """
    return Window("rolling", {"size": _span(size, "size")})


class Aggregate:
    """What to compute in each window; `count`, `sum`, `mean` and the others make one."""

    __slots__ = ("column", "function", "options")

    def __init__(self, function: str, column: str | None, **options: Any) -> None:  # noqa: ANN401 - an option's own type
        """Take a function, its column and its options."""
        if column is not None and not isinstance(column, str):
            message = f"{function}: a column's name is text, not {type(column).__name__} {column!r}"
            raise SerializationException(message)
        self.function = function
        self.column = column
        self.options = options

    @property
    def name(self) -> str:
        """What the result's column is called when the query does not say."""
        return self.function if self.column is None else f"{self.function}_{self.column}"

    def __repr__(self) -> str:
        """Say it as it was written."""
        column = [] if self.column is None else [repr(self.column)]
        options = [f"{name}={value!r}" for name, value in self.options.items()]
        return f"{self.function}({', '.join(column + options)})"


def count(column: str | None = None) -> Aggregate:
    """How many rows; with a column, how many of its values are not null. NaN counts. An int64."""
    return Aggregate("count", column)


def sum(column: str) -> Aggregate:  # noqa: A001 - SQL's own word
    """The sum of the values that are not null; null if there are none.

    Integers and booleans give an int64, uint64s a uint64 (an error if it overflows). Floats give a float64, summed in
    twice the precision: unless values differ by more than 2**40 or so, the order of the rows leaves no trace. NaN
    gives NaN.
    """
    return Aggregate("sum", column)


def mean(column: str) -> Aggregate:
    """The mean of the values that are not null, a float64; null if there are none, NaN if one is NaN."""
    return Aggregate("mean", column)


def min(column: str) -> Aggregate:  # noqa: A001 - SQL's own word
    """The least value that is not null, of the column's own type; NaN only if there is nothing else."""
    return Aggregate("min", column)


def max(column: str) -> Aggregate:  # noqa: A001 - SQL's own word
    """The greatest value that is not null, of the column's own type; NaN only if there is nothing else."""
    return Aggregate("max", column)


def first(column: str, *, ignore_nulls: bool = False) -> Aggregate:
    """The value of the earliest event time, null or not; of equal times, of the row that arrived first."""
    return Aggregate("first", column, ignore_nulls=builtins.bool(ignore_nulls))


def last(column: str, *, ignore_nulls: bool = False) -> Aggregate:
    """The value of the latest event time, null or not; of equal times, of the row that arrived last."""
    return Aggregate("last", column, ignore_nulls=builtins.bool(ignore_nulls))


def var(column: str, *, ddof: int = 1) -> Aggregate:
    """The variance, divided by the count less `ddof`; null if there are not more values than that."""
    return Aggregate("var", column, ddof=_ddof(ddof))


def std(column: str, *, ddof: int = 1) -> Aggregate:
    """The standard deviation: the square root of `var`."""
    return Aggregate("std", column, ddof=_ddof(ddof))


def count_distinct(column: str) -> Aggregate:
    """How many different values that are not null, exactly. All NaNs are one value."""
    return Aggregate("count_distinct", column)


def approx_count_distinct(column: str) -> Aggregate:
    """About how many different values that are not null: exact for small groups, HyperLogLog for large ones."""
    return Aggregate("approx_count_distinct", column)


def quantile(
    column: str,
    q: float,
    *,
    interpolation: Literal["linear", "lower", "higher", "nearest", "midpoint"] = "linear",
) -> Aggregate:
    """The value below which a share `q` of the values lies, a float64.

    Exact while a group holds at most 1,024 values; past that from a histogram whose answers are off by less than 0.4 %
    of the value. NaN counts as the greatest value.

    Args:
        column: A column of numbers.
        q: From 0 (the least) to 1 (the greatest).
        interpolation: Between two values: on the line between them (numpy's and SQL's `PERCENTILE_CONT`), the lower,
            the higher, the nearest, or half-way.
    """
    if isinstance(q, bool) or not isinstance(q, int | float) or not 0 <= q <= 1 or math.isnan(q):
        message = f"quantile: q is a number from 0 to 1, not {q!r}"
        raise InvalidArgumentException(message)
    known = ("linear", "lower", "higher", "nearest", "midpoint")
    if interpolation not in known:
        message = f"quantile: interpolation is one of {', '.join(known)}, not {interpolation!r}"
        raise InvalidArgumentException(message)
    return Aggregate("quantile", column, q=float(q), interpolation=interpolation)


def median(column: str) -> Aggregate:
    """The middle value, or the mean of the two middle ones: `quantile(column, 0.5)`."""
    return Aggregate("median", column)


def top_k(column: str, k: int = 10) -> Aggregate:
    """The most frequent values, with how often they occur: a list of structs `{value, count}`, most frequent first.

    Counts are exact; of equally frequent values the smaller comes first. Nulls are left out.

    Args:
        column: A column of any plain type.
        k: How many, 1 to 10,000.
    """
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= _TOP_K_MAX:
        message = f"top_k: k is an int from 1 to {_TOP_K_MAX:,}, not {k!r}"
        raise InvalidArgumentException(message)
    return Aggregate("top_k", column, k=k)


def _ddof(ddof: object) -> int:
    if isinstance(ddof, bool) or not isinstance(ddof, int) or not 0 <= ddof < 256:  # noqa: PLR2004
        message = f"ddof is a small int, 0 or 1 as a rule, not {ddof!r}"
        raise InvalidArgumentException(message)
    return ddof


def _span(duration: object, name: str) -> int:
    span = nanoseconds(duration, name)
    if span <= 0:
        message = f"{name}: a window is longer than nothing; {duration!r} is not"
        raise InvalidArgumentException(message)
    return span


def _text(span: int) -> str:
    """Nanoseconds as a user would write them."""
    units = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
    for unit, seconds in units:
        if span % (seconds * 1_000_000_000) == 0:
            return f"{span // (seconds * 1_000_000_000)}{unit}"
    for unit, size in (("ms", 1_000_000), ("us", 1_000)):
        if span % size == 0:
            return f"{span // size}{unit}"
    return f"{span}ns"
