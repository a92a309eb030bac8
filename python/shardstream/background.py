"""Replays in the background: a thread sends the rows, while the program goes on."""

from __future__ import annotations

from time import perf_counter

from shardstream import _threads
from shardstream.duration import nanoseconds

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from shardstream.replays import ReplayReport

__all__ = ["BackgroundReplay"]

_JOIN_S = 0.05


class BackgroundReplay:
    """A replay on its way in a thread of its own; `ss.replay(..., background=True)` starts one.

    It goes on when nobody holds it, and ends with the process, where it is by then: wait for its `result()`.

    Examples:
        >>> import shardstream as ss
        >>> stream = ss.Engine().create_stream("pairs", shards=2)
        >>> replay = ss.replay([("user-1", b"a"), ("user-2", b"b")], stream, background=True)
        >>> replay.result().records
        2
    """

    def __init__(self, run: Callable[[Callable[[], bool], Callable[[int], object]], ReplayReport], name: str) -> None:
        """Start.

        Args:
            run: Sends the rows: it asks whether to go on, and tells how many rows went by.
            name: Where the rows go.
        """
        self._name = name
        self._run = run
        self._rows = 0
        self._go_on = True
        self._report: ReplayReport | None = None
        self._error: BaseException | None = None
        self._thread = _threads.start("shardstream-replay", self._work, self)

    @property
    def done(self) -> bool:
        """Whether it has ended: with all rows, stopped, or with an error."""
        return not self._thread.is_alive()

    @property
    def rows(self) -> int:
        """Rows sent so far."""
        return self._rows

    def result(self, timeout: str | datetime.timedelta | None = None) -> ReplayReport:
        """Wait until it has ended, and return what it did; Ctrl-C ends the wait, not the replay.

        Args:
            timeout: How long to wait; for ever, if not given.

        Raises:
            TimeoutError: It goes on.
            ShardstreamError: What `replay` raises.
        """
        timeout_s = None if timeout is None else nanoseconds(timeout, "timeout") / 1e9
        began = perf_counter()
        while self._thread.is_alive():
            # A wait in slices is interrupted on all systems.
            self._thread.join(_JOIN_S if timeout_s is None else min(_JOIN_S, max(timeout_s, 0)))
            if timeout_s is not None and timeout_s <= perf_counter() - began and self._thread.is_alive():
                message = f"the replay goes on after {timeout}: {self._rows:,} rows are sent; ask again, or stop() it"
                raise TimeoutError(message)
        if self._error is not None:
            raise self._error
        assert self._report is not None  # noqa: S101 - a replay without an error has a report
        return self._report

    def stop(self) -> ReplayReport:
        """End it where it is, and return what it did; stopping again does nothing.

        Raises:
            ShardstreamError: What `replay` raises.
        """
        self._go_on = False
        return self.result()

    def let_go(self) -> None:
        """End soon, where it is."""
        self._go_on = False

    def _work(self) -> None:
        try:
            self._report = self._run(lambda: self._go_on, self._told)
        except BaseException as error:  # noqa: BLE001 - result() raises it
            self._error = error

    def _told(self, rows: int) -> None:
        self._rows += rows

    def __enter__(self) -> Self:
        """Use it in a with statement, which stops it."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it where it is."""
        self._go_on = False
        self._thread.join()

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse: a replay is on its way in one process."""
        from shardstream import _descriptors

        _descriptors.refuse("a replay on its way", "it runs in this process", "pickle its result()")

    def __repr__(self) -> str:
        """Say how far it is."""
        state = "done" if self.done else "on its way"
        return f"BackgroundReplay({self._name!r}, {state}, {self._rows:,} rows)"
