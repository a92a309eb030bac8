"""Clocks: the machine's, and one that stands still until a test moves it."""

from __future__ import annotations

from shardstream import _core
from shardstream._epoch import from_millis
from shardstream.duration import unix_millis, whole_millis

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    import datetime
    from typing import Self

__all__ = ["ManualClock", "SystemClock"]


class ManualClock(_core.ManualClock):
    """A clock that only its user moves, and that never goes back.

    An engine with this clock never sleeps: retention, throttles and idle timeouts happen when the clock is moved.

    Args:
        start: Where it stands at first: an aware datetime, or an ISO string with an offset.

    Examples:
        >>> clock = ManualClock("2026-01-01T00:00:00Z")
        >>> clock.advance("90m")
        datetime.datetime(2026, 1, 1, 1, 30, tzinfo=datetime.timezone.utc)
    """

    def __new__(cls, start: str | datetime.datetime = "2026-01-01T00:00:00Z") -> Self:
        """Make a clock that stands at `start`."""
        return super().__new__(cls, unix_millis(start, "start"))

    def now(self) -> datetime.datetime:
        """The time it stands at, aware, in UTC."""
        return from_millis(self.now_ms())

    def advance(self, duration: str | datetime.timedelta) -> datetime.datetime:
        """Move on by a duration and return the new time.

        Args:
            duration: Text like `"24h"`, or a timedelta; not negative.

        Raises:
            InvalidArgumentException: The duration is negative or finer than a millisecond.
        """
        return from_millis(self.advance_ms(whole_millis(duration, "duration")))

    def set(self, time: str | datetime.datetime) -> datetime.datetime:
        """Move to a time, not before the present one, and return it.

        Raises:
            InvalidArgumentException: The clock is past it already.
        """
        return from_millis(self.set_ms(unix_millis(time, "time")))

    def __repr__(self) -> str:
        """Say where the clock stands."""
        return f"ManualClock({self.now().isoformat()!r})"


class SystemClock:
    """The machine's clock, as an engine without a clock of its own reads it."""

    def __init__(self, engine: _core.Engine) -> None:
        """Read the time of an engine."""
        self._engine = engine

    def now(self) -> datetime.datetime:
        """The time, aware, in UTC, to the millisecond."""
        return from_millis(self._engine.now_ms())

    def __repr__(self) -> str:
        """Say which clock this is."""
        return "SystemClock()"
