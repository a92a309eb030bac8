"""An engine as a notebook shows it: where it keeps its streams, and which there are."""

from __future__ import annotations

from shardstream.display import page, words
from shardstream.errors import ResourceNotFoundException

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from shardstream.engine import Engine

__all__ = ["engine"]

_STREAMS_MAX = 20


@page.one_line_if_it_fails("Engine")
def engine(engine: Engine) -> str:
    """An engine as HTML."""
    if engine.closed:
        return page.frame(page.heading("Engine", "", "closed"))
    names = engine.list_streams()
    where = "in memory" if engine.path is None else page.Html(f"in {page.code(words.cut(engine.path, 80))}")
    clock = repr(engine.clock)
    heading = page.heading(
        "Engine",
        "",
        where,
        words.plural(len(names), "stream"),
        "AWS's limits" if engine.limits == "aws" else "no limits",
        page.facts(engine.region, engine.account_id),
        "" if clock == "SystemClock()" else page.code(clock),
    )
    if not names:
        return page.frame(heading)
    rows = [row for name in names[:_STREAMS_MAX] if (row := _row(engine, name)) is not None]
    columns = [
        page.Column("Stream"),
        page.Column("Shards open", is_number=True),
        page.Column("Records", is_number=True),
        page.Column("Kept for", is_number=True),
        page.Column("Mode"),
    ]
    rest = len(names) - _STREAMS_MAX
    more = f"\u2026 and {words.plural(rest, 'stream')} more" if rest > 0 else ""
    return page.frame(heading, page.table(columns, rows, more=more))


def _row(engine: Engine, name: str) -> list[object] | None:
    try:
        stream = engine.stream(name)
        return [
            page.code(name),
            f"{sum(shard.is_open for shard in stream.shards()):,}",
            f"{len(stream):,}",
            words.duration(stream.retention),
            stream.mode.replace("_", " ").lower(),
        ]
    except ResourceNotFoundException:
        # Deleted since the names were listed.
        return None
