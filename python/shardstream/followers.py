"""Asynchronous followers: records and updates as they come, for `async for` in an event loop that nothing blocks."""

from __future__ import annotations

import asyncio
import threading

from shardstream import _threads
from shardstream.errors import InvalidArgumentException

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from typing import Any, TypeVar

    T = TypeVar("T")

__all__ = ["CHUNK_RECORDS", "follow"]

# Records handed from the thread to the loop at once, at most: the loop gets its turn after so many.
CHUNK_RECORDS = 1_024
# Chunks on their way from the thread to the loop, at most: it is no further ahead of its reader than that.
_CHUNKS_AHEAD = 4


async def follow(take: Callable[[], Sequence[T] | None], stop: Callable[[], object]) -> AsyncGenerator[T, None]:
    """Hand out, one by one, what a thread takes in chunks.

    The loop gets its turn at every chunk, also where there is always another. The thread starts when the first item is
    asked for, and ends with this generator.

    Args:
        take: Waits for the next chunk, in a thread; None at the end.
        stop: Makes a `take` that waits return.
    """
    pump = _Pump(_running_loop(), take, stop)
    hold = _Hold(pump)
    _threads.start("shardstream-follow", pump.run, pump)
    try:
        while (chunk := await pump.chunks.get()) is not None:
            pump.room.release()
            for item in chunk:
                yield item
            await asyncio.sleep(0)
        if pump.error is not None:
            raise pump.error
    finally:
        hold.let_go()


def _running_loop() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError as error:
        message = (
            "follow_async() runs in an event loop of asyncio, as uvloop's and anyio's are; "
            "there is none here: under trio, or without a loop, use follow() in a thread"
        )
        raise InvalidArgumentException(message) from error


class _Pump:
    """A thread that takes chunks and posts them to a loop, a few ahead of whoever reads them."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, take: Callable[[], Sequence[Any] | None], stop: Callable[[], object]
    ) -> None:
        self.chunks: asyncio.Queue[Sequence[Any] | None] = asyncio.Queue()
        self.room = threading.Semaphore(_CHUNKS_AHEAD)
        self.error: BaseException | None = None
        self._loop = loop
        self._take = take
        self._stop = stop
        self._stopped = False

    def let_go(self) -> None:
        self._stopped = True
        self._stop()
        self.room.release()

    def run(self) -> None:
        try:
            while not self._stopped and (chunk := self._take()) is not None:
                self.room.acquire()
                if self._stopped or not self._post(chunk):
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised where the chunks are read
            self.error = error
        self._post(None)

    def _post(self, chunk: Sequence[Any] | None) -> bool:
        try:
            self._loop.call_soon_threadsafe(self.chunks.put_nowait, chunk)
        except RuntimeError:
            # The loop is closed: nobody reads any more.
            return False
        return True


class _Hold:
    """Stops a pump when it is let go: also where the loop was closed without a word to its generators."""

    def __init__(self, pump: _Pump) -> None:
        self._pump = pump

    def let_go(self) -> None:
        self._pump.let_go()

    def __del__(self) -> None:
        self._pump.let_go()
