"""A stream as a notebook shows it: what it holds, how it came in, its family of shards and how even their loads are."""

from __future__ import annotations

import dataclasses
import datetime

from shardstream._epoch import from_millis
from shardstream.display import family, page, ring, words
from shardstream.display.shards import ShardFacts, most_first, short
from shardstream.display.sparkline import BINS_MAX, BinCounts, coarser, small_sparkline, sparkline

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["StreamFacts", "draw", "facts_of", "stream"]

_ROWS_MAX = 10
# Showing a stream is not to be waited for: of more records than this, the newest are looked at.
_SURVEYED_MAX = 1_000_000
# Each shard has counts of its own in each bin: with so many shards, bins are fewer.
_MANY_SHARDS, _FEW_BINS = 1_000, 15
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
        start: When the first bin starts; None where nothing arrived.
        bin: How long a bin is.
        bins: What arrived in each bin.
        bins_of: The same for each shard that has a line, by its name.
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
        bins_max = BINS_MAX if len(shards) <= _MANY_SHARDS else _FEW_BINS
        traffic = stream.traffic(bins=bins_max, newest=_SURVEYED_MAX)
        held = {row["shard_id"]: row for row in traffic.shards.to_pylist()}
        told = [_facts_of_shard(shard, held.get(shard.shard_id, {})) for shard in shards]
        bins, bins_of = _binned(traffic, {shard.shard_id for shard in _shown(told)})
    except Exception as error:  # noqa: BLE001 - the shards are drawn without it
        return dataclasses.replace(facts, trouble=words.cut(f"{type(error).__name__}: {error}", 160))
    return dataclasses.replace(
        facts,
        shards=told,
        records=traffic.records,
        surveyed=traffic.surveyed,
        start=traffic.start,
        bin=traffic.bin,
        bins=bins,
        bins_of=bins_of,
    )


def _shown(shards: list[ShardFacts]) -> list[ShardFacts]:
    """The shards that have a line: all in their order, if they are few, else those with most records."""
    return shards if len(shards) <= _ROWS_MAX else most_first(shards)[:_ROWS_MAX]


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


def _binned(traffic: Any, shown: set[str]) -> tuple[list[BinCounts], dict[str, list[BinCounts]]]:  # noqa: ANN401
    """What arrived in each bin: in all, and by shard for those shown."""
    history = traffic.history
    names = ("shard_id", "time", "records", "throttled", "over_limit")
    columns = [history.column(name) for name in names]
    # There may be a row for each of 10,000 shards in each bin: what is done for one is little.
    place_of = {time: (time - traffic.start) // traffic.bin for time in set(columns[1])}
    count = max(place_of.values(), default=-1) + 1
    kept, over, refused = [0] * count, [0] * count, [0] * count
    bins_of: dict[str, list[BinCounts]] = {}
    for shard_id, time, own_kept, own_refused, own_over in zip(*columns, strict=True):
        place = place_of[time]
        kept[place] += own_kept
        over[place] += own_over
        refused[place] += own_refused
        if shard_id in shown:
            if shard_id not in bins_of:
                bins_of[shard_id] = [BinCounts() for _ in range(count)]
            bins_of[shard_id][place] = BinCounts(own_kept, own_over, own_refused)
    return [BinCounts(*counts) for counts in zip(kept, over, refused, strict=True)], bins_of


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
    when = f"Arrivals {_when(facts, facts.start)}"
    bins = coarser(facts.bins)
    refused, over = (sum(getattr(counts, name) for counts in bins) for name in ("refused", "over"))
    length = facts.bin * -(-len(facts.bins) // BINS_MAX)
    # What arrived at once has no rate, and no shape.
    has_shape = len(bins) > 1
    legend = page.facts(
        when,
        _fastest(bins, length) if has_shape else "",
        page.key(page.BLUE, "kept") if refused or over else "",
        page.key(page.AMBER, f"kept above a shard's limits ({over:,})") if over else "",
        page.key(page.RED, f"throttled ({refused:,})") if refused else "",
    )
    if not has_shape:
        return [page.paragraph(legend)]
    return [
        page.paragraph(legend),
        page.paragraph(sparkline(bins, width=_SPARK_WIDTH, height=_SPARK_HEIGHT, title=when)),
    ]


def _when(facts: StreamFacts, start: datetime.datetime) -> str:
    """When the first and the last record arrived; or the bins, where all were refused."""
    first = [shard.first_arrival for shard in facts.shards if shard.first_arrival is not None]
    last = [shard.last_arrival for shard in facts.shards if shard.last_arrival is not None]
    if first and last:
        return words.span(min(first), max(last))
    return words.span(start, start + facts.bin * len(facts.bins))


def _fastest(bins: Sequence[BinCounts], length: datetime.timedelta) -> str:
    """How much came in the fullest bin: in a second of it, or in all of it where that is less or the bin is shorter."""
    peak = max(counts.kept + counts.refused for counts in bins)
    seconds = length / datetime.timedelta(seconds=1)
    if seconds < 1 or peak < seconds:
        return f"up to {words.plural(peak, 'record')} in a bar of {words.duration(length)}"
    return f"up to {words.rate(peak, seconds)} records a second, {words.duration(length)} a bar"


def _ring(facts: StreamFacts) -> list[page.Html]:
    """The family of shards, and the loads of the open ones; of a shard alone there is nothing to tell."""
    contents = []
    if len(facts.shards) > 1:
        splits, merges = family.changes(facts.shards)
        told = [words.plural(count, noun) for count, noun in ((splits, "split"), (merges, "merge")) if count]
        legend = page.facts(
            "Shards over the hash ring",
            ", ".join(told),
            "filled: open, hollow: closed" if told else "",
        )
        contents += [page.paragraph(legend), page.paragraph(family.draw(facts.shards))]
    even = ring.even_load(facts.shards)
    if even and sum(shard.is_open for shard in facts.shards) > 1:
        legend = page.facts("Records of open shards; dashed: an even load", _skew(facts.shards, even))
        contents += [page.paragraph(legend), page.paragraph(ring.draw(facts.shards))]
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
    shown = _shown(facts.shards)
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
    if facts.bins_of and len(facts.bins) > 1:
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
    return small_sparkline(bins, height=_ROW_SPARK_HEIGHT, title=title)
