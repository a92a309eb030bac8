"""Live views: a query's newest windows, shown in place while records come."""

from __future__ import annotations

import threading
import weakref
from time import perf_counter

from shardstream import _threads
from shardstream.duration import nanoseconds
from shardstream.errors import EngineClosedError, InvalidArgumentException, ShardstreamError
from shardstream.live_picture import Picture
from shardstream.live_screen import screen

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    import datetime
    from types import TracebackType
    from typing import Any, Self

    from shardstream import _core, position
    from shardstream.live_screen import Screen
    from shardstream.query import WindowQuery
    from shardstream.stream import Stream

__all__ = ["LiveView"]

_ROWS_MAX = 100
# How long a look for news takes at most: so soon a view that is told to stop does.
_LOOK_MS = 50
# How long a view that is told to stop goes on to take in what is there, at most.
_CATCH_UP_S = 2.0
_JOIN_S = 0.05


class LiveView:
    """A query's newest windows, shown in place while records come; `Stream.live` makes one.

    In a notebook it is a table and a small line of the first aggregate, in a terminal one line that is written again
    and again. It runs in a thread of its own, and ends by itself: when the stream is deleted or comes to `end`, when
    its engine is closed, when nothing has come for `timeout`, when it is stopped or nobody holds it any more, and with
    the process. What it showed last stays.

    Examples:
        >>> import shardstream as ss
        >>> clicks = ss.Engine().create_stream("clicks", shards=2)
        >>> query = clicks.window(ss.tumble("1d"), time="at").agg(n=ss.count())
        >>> with clicks.live(query) as view:
        ...     result = clicks.put(b'{"at": "2026-01-01T09:00:00Z"}', key="user-42")
        >>> view.windows[0]["n"], view.is_live
        (1, False)
    """

    def __init__(
        self,
        query: WindowQuery,
        *,
        every: str | datetime.timedelta,
        rows: int,
        timeout: str | datetime.timedelta | None,
        start: position.Position,
        end: position.Position | None,
        shard_id: str | _core.Shard | None,
    ) -> None:
        """Show a query, and begin to follow its stream."""
        every_s = nanoseconds(every, "every") / 1e9
        if every_s <= 0:
            message = f"every: how long a picture stands at least, longer than nothing, not {every!r}"
            raise InvalidArgumentException(message)
        timeout_s = None if timeout is None else nanoseconds(timeout, "timeout") / 1e9
        if timeout_s is not None and timeout_s < 0:
            message = f"timeout: not negative, unlike {timeout!r}"
            raise InvalidArgumentException(message)
        if isinstance(rows, bool) or not isinstance(rows, int) or not 1 <= rows <= _ROWS_MAX:
            message = f"rows: how many windows are shown, 1 to {_ROWS_MAX}, not {rows!r}"
            raise InvalidArgumentException(message)
        answers = query._follow("changes", start, end, shard_id, None)  # noqa: SLF001 - of one house
        stream: Any = query._source  # noqa: SLF001
        picture = Picture(
            stream.name,
            keys=query._keys,  # noqa: SLF001
            aggregates=[name for name, _ in query._aggregates],  # noqa: SLF001
            are_sessions=query._options.window.kind == "session",  # noqa: SLF001
            rows=rows,
        )
        self._work = _Work(picture, answers, stream, every_s=every_s, timeout_s=timeout_s)
        self._work.show()
        self._let_go = weakref.finalize(self, self._work.let_go)
        self._let_go.atexit = False
        self._thread = _threads.start("shardstream-live", self._work.run, self._work)

    @property
    def is_live(self) -> bool:
        """Whether it still follows its stream."""
        return not self._work.ended.is_set()

    @property
    def windows(self) -> list[dict[str, Any]]:
        """The windows shown, the newest first."""
        return self._work.picture.windows()

    @property
    def stats(self) -> dict[str, Any]:
        """The query's counts so far, by name; empty before any record."""
        return dict(self._work.picture.stats)

    @property
    def error(self) -> BaseException | None:
        """What ended it, if that was an error."""
        return self._work.error

    def stop(self) -> None:
        """Take in what is in the stream by now, show it, and end; stopping again does nothing."""
        self._work.stop()
        if threading.current_thread() is not self._thread:
            self._join(None)

    def wait(self, timeout: str | datetime.timedelta | None = None) -> bool:
        """Wait until it ends by itself, and tell whether it did; Ctrl-C works.

        Args:
            timeout: How long to wait; for ever, if not given.

        Raises:
            ShardstreamError: What the query failed with.
        """
        did_end = self._join(None if timeout is None else nanoseconds(timeout, "timeout") / 1e9)
        if self.error is not None:
            raise self.error
        return did_end

    def _join(self, timeout_s: float | None) -> bool:
        began = perf_counter()
        while self._thread.is_alive():
            # A wait in slices is interrupted on all systems.
            self._thread.join(_JOIN_S if timeout_s is None else min(_JOIN_S, max(timeout_s, 0)))
            if timeout_s is not None and timeout_s <= perf_counter() - began:
                break
        return not self._thread.is_alive()

    def __enter__(self) -> Self:
        """Use the view in a with statement, which stops it."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop, with all there is shown."""
        self.stop()

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse: a view is on a screen."""
        from shardstream import _descriptors

        _descriptors.refuse("a live view", "it runs in this process", "pickle its windows")

    def __repr__(self) -> str:
        """Say what it shows, and whether it still does."""
        return f"LiveView({self._work.picture.line()})"

    def _repr_html_(self) -> str:
        """The picture as it is now."""
        return self._work.picture.html()

    def _ipython_display_(self) -> None:
        """Show it in this cell, too, unless it is there already."""
        self._work.show()


class _Work:
    """What a view's thread does; it does not hold the view, which may be let go."""

    def __init__(
        self, picture: Picture, answers: _core.QueryFollow, stream: Stream, *, every_s: float, timeout_s: float | None
    ) -> None:
        self.picture = picture
        self.ended = threading.Event()
        self.error: BaseException | None = None
        self._answers = answers
        self._stream = stream
        self._every_s = every_s
        self._timeout_s = timeout_s
        self._is_told_to_stop = False
        self._catches_up_until = 0.0
        self._screens: list[Screen] = []
        self._lock = threading.Lock()

    def stop(self) -> None:
        """End soon, with all that is there."""
        if not self._is_told_to_stop:
            self._catches_up_until = perf_counter() + _CATCH_UP_S
            self._is_told_to_stop = True

    def let_go(self) -> None:
        """End at once, as it is."""
        self._is_told_to_stop = True
        self._answers.stop()

    def show(self) -> None:
        """Show the picture where the user looks now."""
        shown = screen()
        with self._lock:
            if shown is None or any(each.is_at(shown) for each in self._screens):
                return
            self._screens.append(shown)
            shown.open(self.picture)
            if self.ended.is_set():
                shown.close(self.picture)

    def run(self) -> None:
        """Take in what comes and show it, until there is an end."""
        try:
            why = self._follow()
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - it is shown, and raised by wait()
            self.error = error
            why = f"failed: {type(error).__name__}: {error}"
        self.picture.end(why)
        with self._lock:
            self.ended.set()
            for each in self._screens:
                each.close(self.picture)

    def _follow(self) -> str:
        """Take in and show; return why it ended."""
        drawn = came = perf_counter()
        while True:
            is_told = self._is_told_to_stop
            answer = self._answers.poll(0 if is_told else _LOOK_MS)
            now = perf_counter()
            if answer is not None:
                came = now
            self.picture.take(answer, now)
            if self._answers.is_ended and not is_told:
                return self._why_ended()
            if is_told and (answer is None or self._catches_up_until <= now):
                return "stopped"
            if self._timeout_s is not None and self._timeout_s <= now - came:
                return "nothing came"
            if self._every_s <= now - drawn:
                self._draw()
                drawn = now

    def _draw(self) -> None:
        with self._lock:
            for each in self._screens:
                each.draw(self.picture)

    def _why_ended(self) -> str:
        try:
            len(self._stream)
        except EngineClosedError:
            return "engine closed"
        except ShardstreamError:
            return "stream deleted"
        return "at its end"
