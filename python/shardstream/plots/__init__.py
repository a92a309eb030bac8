"""Charts of results, streams and reports, drawn by altair or matplotlib; behind their `plot` methods.

What a chart shows is decided here, apart from the library that draws it: never more than a few thousand marks, with a
line on what was left out.
"""

from __future__ import annotations

from shardstream.errors import InvalidArgumentException
from shardstream.plots import family, lateness, ring, skew, traffic, windows
from shardstream.plots.backend import draw

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Literal

    from shardstream.plots.picture import Mark, Picture
    from shardstream.query import WindowResult
    from shardstream.replays import ReplayReport
    from shardstream.stream import Stream

__all__ = ["STREAM_KINDS", "hot_report", "replay_report", "stream", "window_result"]

STREAM_KINDS = ("throughput", "throttles", "skew", "lineage", "ring")
_BY_SHARDS = ("lineage", "ring")


def window_result(
    result: WindowResult,
    y: str | None = None,
    *,
    by: str | Sequence[str] | None = None,
    kind: Mark | Literal["bar", "lateness"] | None = None,
    backend: str | None = None,
) -> Any:  # noqa: ANN401 - the library's own kind of chart
    """Draw a result: its windows over time, or how late its late rows were."""
    if kind == "lateness":
        if (y, by) != (None, None):
            message = 'kind="lateness" draws result.late, which has no y and no by: leave them out'
            raise InvalidArgumentException(message)
        return draw(lateness.picture(result), backend)
    return draw(windows.picture(result, y, by, kind), backend)


def stream(stream: Stream, kind: str = "throughput", *, time: str | None = None, backend: str | None = None) -> Any:  # noqa: ANN401
    """Draw a stream: what came over time, what was throttled, its heaviest keys, its shards' family or its ring."""
    if kind not in STREAM_KINDS:
        message = f"kind: one of {', '.join(map(repr, STREAM_KINDS))}, not {kind!r}"
        raise InvalidArgumentException(message)
    if time is not None and kind in _BY_SHARDS:
        message = f"time: kind={kind!r} draws shards as they are, whatever the records' times: leave time out"
        raise InvalidArgumentException(message)
    return draw(_of_stream(stream, kind, time), backend)


def replay_report(report: ReplayReport, *, backend: str | None = None) -> Any:  # noqa: ANN401
    """Draw how many records a replay put into each shard."""
    return draw(skew.per_shard(report.per_shard, throttled=report.throttled), backend)


def hot_report(report: skew.HotReport, *, backend: str | None = None) -> Any:  # noqa: ANN401
    """Draw the heaviest keys of the hot shards."""
    return draw(skew.heaviest_keys(report), backend)


def _of_stream(stream: Stream, kind: str, time: str | None) -> Picture:
    if kind == "skew":
        return skew.heaviest_keys(stream.explain_hot(time=time))
    measured = stream.traffic(time=time)
    if kind == "throughput":
        return traffic.throughput(measured, stream.name, time)
    if kind == "throttles":
        return traffic.throttles(measured, stream.name, time)
    records = dict(zip(measured.shards.column("shard_id"), measured.shards.column("records"), strict=True))
    if kind == "ring":
        return ring.picture(stream.shards(), records, name=stream.name)
    shards: Any = stream.shards()
    return family.picture(shards, records, now=stream.now_ms() * 1_000, name=stream.name)
