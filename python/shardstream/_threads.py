"""Threads of a live view, a replay in the background or an asynchronous follower: none outlives its process's end.

They are no daemons: Python waits for each before it ends, and so tells them all to stop first.
"""

from __future__ import annotations

import threading
import weakref

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Stoppable(Protocol):
        """What a thread works at, until it is stopped."""

        def let_go(self) -> None:
            """End soon, without a word more; again it does nothing."""


__all__ = ["start"]

_at_work: weakref.WeakSet[Stoppable] = weakref.WeakSet()
_lock = threading.Lock()


def start(name: str, run: Callable[[], object], work: Stoppable) -> threading.Thread:
    """Run something in a thread of its own, and stop it when the process ends.

    Args:
        name: The thread's name.
        run: What runs; it holds no reference to whoever wants it stopped by being let go.
        work: What is stopped at the end.
    """
    thread = threading.Thread(target=run, name=name)
    with _lock:
        _at_work.add(work)
    thread.start()
    return thread


def _stop_all() -> None:
    with _lock:
        works = list(_at_work)
    for work in works:
        work.let_go()


# Before Python waits for threads: what atexit calls comes after, and would never be reached.
threading._register_atexit(_stop_all)  # type: ignore[attr-defined]  # noqa: SLF001 - as concurrent.futures does
