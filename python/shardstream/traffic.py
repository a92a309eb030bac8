"""What the shards of a stream took, and when."""

from __future__ import annotations

import datetime

from shardstream import _core, text
from shardstream._epoch import from_millis
from shardstream.errors import InvalidArgumentException

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from shardstream.stream import Stream

__all__ = ["Traffic", "measure"]

_BINS = (8, 10_000)


class Traffic:
    """What the shards of a stream took, and when; `Stream.traffic` measures it.

    Attributes:
        stream: The stream's name.
        records: Records that the stream keeps.
        surveyed: Of them, how many were looked at: the newest.
        bin: How long a row of `history` is.
        start: When the first of them begins; None where nothing came.
        end: When the last of them ends.
        shards: A table: `shard_id`, `records`, `bytes` (keys counted), `throttled` (records that the shard refused,
            with limits="aws", since the engine was opened), `over_limit` (records it keeps that a shard of the service
            would have refused), `first_arrival`, `last_arrival`. Shards that took and refused nothing are left out.
        history: A table: `shard_id`, `time` (the bin's start), `records`, `bytes`, `throttled`, `over_limit`; bins
            without any are left out.
    """

    __slots__ = ("bin", "end", "history", "records", "shards", "start", "stream", "surveyed")

    stream: str
    records: int
    surveyed: int
    bin: datetime.timedelta
    start: datetime.datetime | None
    end: datetime.datetime | None
    shards: _core.Table
    history: _core.Table

    def _repr_html_(self) -> str:
        from shardstream import display

        return display.table(self.shards)

    def __repr__(self) -> str:
        """Say how much was measured."""
        part = "" if self.surveyed == self.records else f" of {self.records:,}"
        shards = len(self.shards)
        plural = "" if shards == 1 else "s"
        records = "record" if self.records == 1 else "records"
        return f"Traffic({self.stream!r}, {self.surveyed:,}{part} {records} on {shards:,} shard{plural})"


def measure(stream: Stream, *, bins: int, newest: int | None, time: str | None) -> Traffic:
    """Measure a stream: `Stream.traffic`."""
    fewest, most = _BINS
    if isinstance(bins, bool) or not isinstance(bins, int) or not fewest <= bins <= most:
        message = f"bins: an int from {fewest} to {most:,}, not {bins!r}"
        raise InvalidArgumentException(message)
    if time is not None:
        text.checked(time, "time")
    facts = _core.traffic(stream, bins=bins, newest=checked_newest(newest), time=time)
    traffic = Traffic()
    traffic.stream = stream.name
    traffic.records = facts["records"]
    traffic.surveyed = facts["surveyed"]
    traffic.bin = datetime.timedelta(milliseconds=facts["bin_ms"])
    traffic.start = None if facts["start_ms"] is None else from_millis(facts["start_ms"])
    traffic.end = None if facts["end_ms"] is None else from_millis(facts["end_ms"])
    traffic.shards = facts["shards"]
    traffic.history = facts["history"]
    return traffic


def checked_newest(newest: int | None) -> int | None:
    """Check how many of the newest records are to be looked at."""
    if newest is None:
        return None
    if isinstance(newest, bool) or not isinstance(newest, int) or newest < 1:
        message = f"newest: a number of records from 1 on, or None for all, not {newest!r}"
        raise InvalidArgumentException(message)
    return min(newest, 2**62)
