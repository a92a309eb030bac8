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


def stream(stream: Stream, kind: str = "throughput", *, backend: str | None = None) -> Any:  # noqa: ANN401
    """Draw a stream: what came over time, what was throttled, its heaviest keys, its shards' family or its ring."""
    return draw(_of_stream(stream, kind), backend)


def replay_report(report: ReplayReport, *, backend: str | None = None) -> Any:  # noqa: ANN401
    """Draw how many records a replay put into each shard."""
    return draw(skew.per_shard(report.per_shard, throttled=report.throttled), backend)


def hot_report(report: skew.HotReport, *, backend: str | None = None) -> Any:  # noqa: ANN401
    """Draw the heaviest keys of the hot shards."""
    return draw(skew.heaviest_keys(report, ""), backend)


def _of_stream(stream: Stream, kind: str) -> Picture:
    if kind not in STREAM_KINDS:
        message = f"kind: one of {', '.join(map(repr, STREAM_KINDS))}, not {kind!r}"
        raise InvalidArgumentException(message)
    if kind == "throughput":
        return traffic.throughput(stream.traffic(), stream.name)  # type: ignore[attr-defined, unused-ignore]
    if kind == "throttles":
        return traffic.throttles(stream.traffic(), stream.name)  # type: ignore[attr-defined, unused-ignore]
    if kind == "skew":
        return skew.heaviest_keys(stream.explain_hot(), stream.name)  # type: ignore[attr-defined, unused-ignore]
    records = _records(stream)
    if kind == "ring":
        return ring.picture(stream.shards(), records, name=stream.name)
    return family.picture(stream.shards(), records, now=stream.now_ms() * 1_000, name=stream.name)


def _records(stream: Stream) -> dict[str, int]:
    """How many records each shard keeps."""
    shards = stream.traffic(bins=1).shards  # type: ignore[attr-defined, unused-ignore]
    return dict(zip(shards.column("shard_id"), shards.column("records"), strict=True))
