"""A stream as a notebook shows it: what it holds, how it came in, its family of shards and how even their loads are."""

from __future__ import annotations

import dataclasses
import datetime

from shardstream._epoch import from_millis
from shardstream.display import family, page, ring, words
from shardstream.display.shards import ShardFacts, most_first, short
from shardstream.display.sparkline import BINS_MAX, BinCounts, coarser, sparkline

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from typing import Any

__all__ = ["StreamFacts", "draw", "facts_of", "stream"]

_ROWS_MAX = 10
# Records looked at: a fifth of a second's worth.
_SURVEYED_MAX = 5_000_000
# Below this skew, loads are as even as hashed keys make them.
_EVEN = 1.1
_SPARK_WIDTH, _SPARK_HEIGHT = ring.WIDTH, 46
_ROW_SPARK_HEIGHT, _ROW_BINS_MAX = 14, 30


@dataclasses.dataclass(frozen=True, slots=True)
class StreamFacts:
    """What is known of a stream before any of it is drawn.

    Attributes:
        name: Its name.
        mode: PROVISIONED or ON_DEMAND.
        retention: How long records are kept.
        created: When it was created.
        now: The engine's time.
        shards: Its shards, open and closed, parents before children.
        records: Records kept.
        surveyed: How many of the newest of them the shards and bins below tell of.
        start: When the first bin starts; None without records.
        bin: How long a bin is.
        bins: What arrived in each bin.
        bins_of: The same for each shard, by its name.
        trouble: Why there is nothing to tell of records, if so.
    """

    name: str
    mode: str
    retention: datetime.timedelta
    created: datetime.datetime
    now: datetime.datetime
    shards: list[ShardFacts]
    records: int = 0
    surveyed: int = 0
    start: datetime.datetime | None = None
    bin: datetime.timedelta = datetime.timedelta(0)
    bins: list[BinCounts] = dataclasses.field(default_factory=list)
    bins_of: dict[str, list[BinCounts]] = dataclasses.field(default_factory=dict)
    trouble: str = ""


@page.one_line_if_it_fails("Stream")
def stream(stream: Any) -> str:  # noqa: ANN401 - a Stream, or what cannot be read as one
    """A stream as HTML."""
    return draw(facts_of(stream))


def facts_of(stream: Any) -> StreamFacts:  # noqa: ANN401 - a Stream, or what cannot be read as one
    """Ask a stream for all that is drawn of it."""
    shards = stream.shards()
    facts = StreamFacts(
        name=stream.name,
        mode=stream.mode,
        retention=stream.retention,
        created=stream.created,
        now=from_millis(stream.now_ms()),
        shards=[_facts_of_shard(shard, {}) for shard in shards],
        records=stream.record_count(),
    )
    try:
        traffic = stream.traffic(bins=BINS_MAX, newest=_SURVEYED_MAX)
        held = {row["shard_id"]: row for row in traffic.shards.to_pylist()}
        bins, bins_of = _binned(traffic)
    except Exception as error:  # noqa: BLE001 - the shards are drawn without it
        return dataclasses.replace(facts, trouble=words.cut(f"{type(error).__name__}: {error}", 160))
    return dataclasses.replace(
        facts,
        shards=[_facts_of_shard(shard, held.get(shard.shard_id, {})) for shard in shards],
        records=traffic.records,
        surveyed=traffic.surveyed,
        start=traffic.start if traffic.surveyed else None,
        bin=traffic.bin,
        bins=bins,
        bins_of=bins_of,
    )


def _facts_of_shard(shard: Any, held: dict[str, Any]) -> ShardFacts:  # noqa: ANN401 - a Shard
    parents = (shard.parent_shard_id, shard.adjacent_parent_shard_id)
    return ShardFacts(
        shard_id=shard.shard_id,
        first=shard.starting_hash_key,
        last=shard.ending_hash_key,
        parents=tuple(parent for parent in parents if parent is not None),
        is_open=shard.is_open,
        **{name: count for name, count in held.items() if name != "shard_id"},
    )


def _binned(traffic: Any) -> tuple[list[BinCounts], dict[str, list[BinCounts]]]:  # noqa: ANN401 - a Traffic
    """What arrived in each bin: in all, and by shard."""
    history = traffic.history
    if not len(history):
        return [], {}
    names = ("shard_id", "time", "records", "throttled", "over_limit")
    rows = list(zip(*(history.column(name) for name in names), strict=True))
    places = [(time - traffic.start) // traffic.bin for _, time, *_ in rows]
    bins = [BinCounts() for _ in range(max(places) + 1)]
    bins_of: dict[str, list[BinCounts]] = {}
    for place, (shard_id, _, kept, refused, over) in zip(places, rows, strict=True):
        own = bins_of.setdefault(shard_id, [BinCounts() for _ in bins])
        own[place] = own[place].plus(BinCounts(kept, over, refused))
        bins[place] = bins[place].plus(BinCounts(kept, over, refused))
    return bins, bins_of


def draw(facts: StreamFacts) -> str:
    """The facts of a stream as HTML."""
    return page.frame(_heading(facts), _ages(facts), *_arrivals(facts), *_ring(facts), _table(facts))


def _heading(facts: StreamFacts) -> page.Html:
    opened = sum(shard.is_open for shard in facts.shards)
    closed = len(facts.shards) - opened
    held = words.plural(facts.records, "record")
    if facts.surveyed == facts.records and facts.records:
        held += f", {words.size(sum(shard.bytes for shard in facts.shards))}"
    return page.heading(
        "Stream",
        facts.name,
        f"{words.plural(opened, 'shard')} open" + (f", {closed:,} closed" if closed else ""),
        held,
        f"kept for {words.duration(facts.retention)}",
        "on demand" if facts.mode == "ON_DEMAND" else "",
    )


def _ages(facts: StreamFacts) -> page.Html:
    """How old the stream and its records are, in the engine's time."""
    arrivals = [shard.first_arrival for shard in facts.shards if shard.first_arrival is not None]
    newest = [shard.last_arrival for shard in facts.shards if shard.last_arrival is not None]
    whole = facts.surveyed == facts.records
    parts = [f"created {words.at(facts.created)} UTC"]
    if arrivals and whole:
        parts.append(f"oldest record {_ago(facts.now - min(arrivals))}")
    if newest:
        parts.append(f"newest {_ago(facts.now - max(newest))}")
    if not whole and not facts.trouble:
        parts.append(f"below: the newest {facts.surveyed:,} records")
    if facts.trouble:
        parts.append(f"what the records are cannot be told: {facts.trouble}")
    return page.paragraph(page.faint(page.facts(*parts)))


def _ago(age: datetime.timedelta) -> str:
    # Within the millisecond, and where time stands still.
    return f"{words.duration(age)} ago" if age > datetime.timedelta(0) else "now"


def _arrivals(facts: StreamFacts) -> list[page.Html]:
    if facts.start is None or not facts.bins:
        return []
    bins = coarser(facts.bins)
    length = facts.bin * -(-len(facts.bins) // BINS_MAX)
    seconds = length / datetime.timedelta(seconds=1)
    peak = max(counts.kept + counts.refused for counts in bins)
    when = words.span(facts.start, facts.start + facts.bin * len(facts.bins))
    refused, over = (sum(getattr(counts, name) for counts in bins) for name in ("refused", "over"))
    # Of what arrived at once there is no rate.
    fastest = f"up to {words.rate(peak, seconds)} records a second" if seconds and len(bins) > 1 else ""
    bars = f"{words.duration(length)} a bar" if len(bins) > 1 else ""
    legend = page.facts(
        page.text(f"Arrivals {when}"),
        fastest,
        bars,
        page.key(page.BLUE, "kept") if refused or over else "",
        page.key(page.AMBER, f"kept above a shard's limits ({over:,})") if over else "",
        page.key(page.RED, f"throttled ({refused:,})") if refused else "",
    )
    title = f"Arrivals {when}" + (f", {fastest}" if fastest else "")
    return [
        page.paragraph(legend),
        page.paragraph(sparkline(bins, width=_SPARK_WIDTH, height=_SPARK_HEIGHT, title=title)),
    ]


def _ring(facts: StreamFacts) -> list[page.Html]:
    splits, merges = family.changes(facts.shards)
    told = [words.plural(count, noun) for count, noun in ((splits, "split"), (merges, "merge")) if count]
    contents = [
        page.paragraph(
            page.facts(
                "Shards over the hash ring",
                ", ".join(told),
                "filled: open, hollow: closed" if told else "",
            )
        ),
        page.paragraph(family.draw(facts.shards)),
    ]
    if even := ring.even_load(facts.shards):
        contents += [
            page.paragraph(page.facts("Records of open shards; dashed: an even load", _skew(facts.shards, even))),
            page.paragraph(ring.draw(facts.shards)),
        ]
    return contents


def _skew(shards: list[ShardFacts], even: float) -> object:
    """How uneven the loads of open shards are."""
    fullest = most_first(shards)[0]
    skew = fullest.records / even
    if skew < _EVEN:
        return ""
    said = f"shard {short(fullest.shard_id)} holds {words.times(skew)} as much"
    return page.key(page.RED, said) if skew >= ring.HOT else said


def _table(facts: StreamFacts) -> page.Html:
    shown = facts.shards if len(facts.shards) <= _ROWS_MAX else most_first(facts.shards)[:_ROWS_MAX]
    records = sum(shard.records for shard in facts.shards)
    columns = _columns(facts)
    even = ring.even_load(facts.shards)
    rows = []
    for shard in shown:
        cells = _cells(shard, records, even, facts.bins_of.get(shard.shard_id, []))
        rows.append([cells[column.head] for column in columns])
    more = ""
    if rest := len(facts.shards) - len(shown):
        held = records - sum(shard.records for shard in shown)
        more = f"\u2026 and {words.plural(rest, 'shard')} more" + (f" with {held:,} records" if records else "")
    return page.table(columns, rows, more=more)


def _columns(facts: StreamFacts) -> list[page.Column]:
    """The columns that have something to say."""
    shards = facts.shards
    columns = [page.Column("Shard"), page.Column("State")]
    if any(shard.parents for shard in shards):
        columns.append(page.Column("From"))
    columns.append(page.Column("Ring", is_number=True))
    if any(shard.records for shard in shards):
        columns += [page.Column(head, is_number=True) for head in ("Records", "Bytes", "Share", "Skew")]
    if any(shard.over_limit for shard in shards):
        columns.append(page.Column("Over", under="limit", is_number=True))
    if any(shard.throttled for shard in shards):
        columns.append(page.Column("Throttled", is_number=True))
    if facts.bins_of:
        columns.append(page.Column("Arrivals"))
    return columns


def _cells(shard: ShardFacts, records: int, even: float, bins: list[BinCounts]) -> dict[str, object]:
    skew = shard.records / even if shard.is_open and even else None
    colour = page.RED if skew is not None and skew >= ring.HOT else page.BLUE
    return {
        "Shard": page.code(shard.shard_id),
        "State": "open" if shard.is_open else "closed",
        "From": " + ".join(short(parent) for parent in shard.parents),
        "Ring": words.share(shard.last - shard.first + 1, ring.RING),
        "Records": f"{shard.records:,}",
        "Bytes": words.size(shard.bytes),
        "Share": page.share(shard.records, records, colour),
        "Skew": "" if skew is None else words.times(skew),
        "Over": f"{shard.over_limit:,}" if shard.over_limit else "",
        "Throttled": f"{shard.throttled:,}" if shard.throttled else "",
        "Arrivals": _row_sparkline(shard, coarser(bins, _ROW_BINS_MAX)),
    }


def _row_sparkline(shard: ShardFacts, bins: list[BinCounts]) -> page.Html:
    if not bins:
        return page.Html("")
    title = f"Arrivals in {shard.shard_id}"
    return sparkline(bins, width=page.CELL_WIDTH, height=_ROW_SPARK_HEIGHT, title=title)
