"""What native followers shall do themselves: take in chunks, wait for so long, stop."""

from __future__ import annotations

import itertools
import threading
from time import perf_counter

from shardstream.errors import ResourceNotFoundException

_SLICE_MS = 20


class Follow:
    """`_core.Follow` with `take` and `stop`."""

    def __init__(self, stream, from_cut, shard, timeout_ms):
        self._stream, self._shard, self._timeout_ms = stream, shard, timeout_ms
        self._drain = stream.follow_from(from_cut, shard, 0)
        self._stopped = threading.Event()

    def take(self, limit):
        began = self._stream.now_ms()
        while not self._stopped.is_set():
            try:
                cut = self._stream.start_cut("LATEST", self._shard)
                closed = self._shard and not {s.shard_id: s.is_open for s in self._stream.shards()}[self._shard]
            except ResourceNotFoundException:
                return None
            if chunk := list(itertools.islice(self._drain, limit)):
                return chunk
            if closed:
                return None
            still = getattr(self._stream._engine.clock, "is_still", False)
            if self._timeout_ms is not None and (still or self._stream.now_ms() - began >= self._timeout_ms):
                return None
            if still:
                self._stopped.wait(_SLICE_MS / 1000)
            else:
                next(self._stream.follow_from(cut, self._shard, _SLICE_MS), None)
        return None

    def stop(self):
        self._stopped.set()


class QueryFollow:
    """`_core.QueryFollow` with `poll`, `is_ended` and `stop`."""

    def __init__(self, query, stream, from_cut, until_cut, shard, *, changes, timeout_ms):
        self._follow = query.follow(stream, from_cut, until_cut, shard, changes=changes, timeout_ms=_SLICE_MS)
        self._stream, self._timeout_ms = stream, timeout_ms
        self._stopped = threading.Event()
        self.is_ended = False

    def __iter__(self):
        return self

    def __next__(self):
        began = self._stream.now_ms()
        while not self.is_ended:
            if (answer := self.poll(_SLICE_MS)) is not None:
                return answer
            still = getattr(self._stream._engine.clock, "is_still", False)
            if self._timeout_ms is not None and (still or self._stream.now_ms() - began >= self._timeout_ms):
                self.is_ended = True
        raise StopIteration

    def poll(self, longest_ms):
        began = perf_counter()
        while not self._stopped.is_set():
            asked = perf_counter()
            if (answer := next(self._follow, None)) is not None:
                return answer
            if perf_counter() - asked < _SLICE_MS / 2000:
                try:
                    len(self._stream)
                except Exception:
                    break
                if not getattr(self._stream._engine.clock, "is_still", False):
                    break
                self._stopped.wait(_SLICE_MS / 1000)
            if perf_counter() - began >= longest_ms / 1000:
                return None
        self.is_ended = True
        return None

    def stop(self):
        self._stopped.set()
