"""The few Python values that native conversions of times and decimals start from."""

from __future__ import annotations

import datetime

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from typing import Any

epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
epoch_naive = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - columns without a timezone come out as they are
epoch_date = datetime.date(1970, 1, 1)


def from_millis(milliseconds: int) -> datetime.datetime:
    """The aware time that many milliseconds after 1970, in UTC."""
    return epoch + datetime.timedelta(milliseconds=milliseconds)


def from_micros(microseconds: int) -> datetime.datetime | None:
    """The aware time that many microseconds after 1970, in UTC; None beyond the years Python counts."""
    try:
        return epoch + datetime.timedelta(microseconds=microseconds)
    except OverflowError:
        return None


def span_of_micros(microseconds: int) -> datetime.timedelta:
    """A span of that many microseconds."""
    return datetime.timedelta(microseconds=microseconds)


def decimal(digits: str) -> Any:  # noqa: ANN401 - the module is loaded only where a decimal is met
    """The exact decimal of these digits."""
    from decimal import Decimal

    return Decimal(digits)
