"""Clocks: the machine's, and one in your hand that stands still until a test moves it."""

from __future__ import annotations

from shardstream import _core
from shardstream._epoch import from_millis
from shardstream.duration import unix_millis, whole_millis
from shardstream.errors import InvalidArgumentException

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    import datetime
    from typing import Self

__all__ = ["ManualClock", "SystemClock"]


class ManualClock(_core.ManualClock):
    """A clock that only its user moves, and that never goes back.

    An engine with this clock never sleeps: retention, throttles and idle timeouts happen when the clock is moved. It
    stands still, unless you let it `run()`.

    Args:
        start: Where it stands at first: an aware datetime, or an ISO string with an offset.
        follow: Whether Python's time goes before its own while freezegun, time-machine or a patch of `time.time` holds
            that; then it is moved there.

    Examples:
        >>> clock = ManualClock("2026-01-01T00:00:00Z")
        >>> clock.advance("90m")
        datetime.datetime(2026, 1, 1, 1, 30, tzinfo=datetime.timezone.utc)
    """

    _follow: bool

    def __new__(cls, start: str | datetime.datetime = "2026-01-01T00:00:00Z", *, follow: bool = False) -> Self:
        """Make a clock that stands at `start`."""
        holder = None
        if follow:
            from shardstream._held import held_millis

            holder = held_millis
        clock = super().__new__(cls, unix_millis(start, "start"), holder)
        clock._follow = follow
        return clock

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle as where it stands: the copy is a clock of its own."""
        from shardstream import _descriptors

        return _descriptors.clock, (type(self), self.now().isoformat(), self._follow, self.is_still)

    def now(self) -> datetime.datetime:
        """The time, aware, in UTC."""
        return from_millis(self.now_ms())

    def advance(self, duration: str | datetime.timedelta) -> datetime.datetime:
        """Move on by a duration and return the new time.

        Args:
            duration: Text like `"24h"`, or a timedelta; not negative.

        Raises:
            InvalidArgumentException: The duration is negative or finer than a millisecond; or freezegun or time-machine
                holds the time that this clock follows.
        """
        self._check_free()
        return from_millis(self.advance_ms(whole_millis(duration, "duration")))

    def set(self, time: str | datetime.datetime) -> datetime.datetime:
        """Move to a time, not before the present one, and return it.

        Raises:
            InvalidArgumentException: The clock is past it already; or freezegun or time-machine holds the time that
                this clock follows.
        """
        self._check_free()
        return from_millis(self.set_ms(unix_millis(time, "time")))

    def run(self) -> None:
        """Let it run from where it stands, as fast as the machine's clock; moving it goes on to work."""
        super().run()

    def freeze(self) -> None:
        """Stop it where it stands."""
        super().freeze()

    def _check_free(self) -> None:
        if self.is_held:
            message = (
                "this clock follows Python's time, which freezegun or time-machine holds now: "
                "move it there, as with freezer.tick(...), freezer.move_to(...) or traveller.shift(...)"
            )
            raise InvalidArgumentException(message)

    def __repr__(self) -> str:
        """Say where the clock stands, and whether it runs."""
        runs = "" if self.is_still else ", running"
        return f"ManualClock({self.now().isoformat()!r}{runs})"


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
