"""How unevenly records fall: the heaviest keys, and the records of each shard."""

from __future__ import annotations

from shardstream.plots import column
from shardstream.plots.colour import of_shard
from shardstream.plots.picture import Axis, Bar, Bars, Blank
from shardstream.plots.traffic import short

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Protocol

    from shardstream.plots.picture import Picture

    class HotShard(Protocol):
        """A shard of a `HotReport`, as far as charts need it."""

        @property
        def shard_id(self) -> str:
            """Its name."""

        @property
        def records(self) -> int:
            """What it took."""

        @property
        def share(self) -> float:
            """How much of the stream's records that is."""

    class HotReport(Protocol):
        """What `Stream.explain_hot` gives, as far as charts need it."""

        @property
        def keys(self) -> column.Columns:
            """The heaviest keys."""

        @property
        def shards(self) -> Iterable[HotShard]:
            """The shards they fall on."""


__all__ = ["heaviest_keys", "per_shard"]

BARS_MAX = 40
_SHARD = Axis("shard", "shard")
_PERCENT = 100


def heaviest_keys(report: HotReport, name: str) -> Picture:
    """The heaviest keys, and what share of their shard's records each is."""
    title = f"{name}: its heaviest keys" if name else "heaviest keys"
    keys = report.keys
    if not len(keys):
        return Blank(title, ["no records"])
    totals = {shard.shard_id: shard.records for shard in report.shards}
    rows = sorted(
        zip(keys.column("shard_id"), keys.column("partition_key"), keys.column("records"), strict=True),
        key=lambda row: (-row[2], row[1], row[0]),
    )[:BARS_MAX]
    shares = [_PERCENT * records / totals[shard_id] if totals.get(shard_id) else 0.0 for shard_id, _, records in rows]
    # A key that a split parted from its past is on two shards.
    names = column.labels([(key,) for _, key, _ in rows])
    if len({key for _, key, _ in rows}) < len(rows):
        names = [f"{key} ({short(shard_id)})" for shard_id, key, _ in rows]
    bars = [
        Bar(label, share, short(shard_id), of_shard(shard_id))
        for label, share, (shard_id, _, _) in zip(names, shares, rows, strict=True)
    ]
    said = [f"{short(shard.shard_id)} has {shard.share:.0%}" for shard in report.shards if shard.share]
    subtitle = [f"of the stream's records {', '.join(said[:4])}{' ...' if len(said) > 4 else ''}"] if said else []  # noqa: PLR2004 - what fits a line
    if len(keys) > len(bars):
        subtitle.append(f"{len(bars)} of {len(keys):,} keys")
    return Bars(title, subtitle, Axis("share", "share of its shard's records (%)"), Axis("key", ""), _SHARD, bars)


def per_shard(records: Mapping[str, int], *, throttled: int) -> Picture:
    """How many records a replay put into each shard."""
    title = "records per shard"
    total = sum(records.values())
    noun = "record" if total == 1 else "records"
    told = f"{total:,} {noun} into {len(records):,} shard{'' if len(records) == 1 else 's'}"
    subtitle = [f"{told}; {throttled:,} more throttled" if throttled else told]
    if not total:
        return Blank(title, ["no records" + (f"; {throttled:,} throttled" if throttled else "")])
    shown = sorted(records)
    if len(shown) > BARS_MAX:
        fullest = sorted(shown, key=lambda shard_id: (-records[shard_id], shard_id))[:BARS_MAX]
        subtitle.append(f"the {BARS_MAX} fullest of {len(shown):,} shards")
        shown = sorted(fullest)
    bars = [Bar(short(shard_id), float(records[shard_id]), short(shard_id), of_shard(shard_id)) for shard_id in shown]
    mean = (total / len(records), "even spread") if len(records) > 1 else None
    return Bars(title, subtitle, Axis("records", "records"), Axis("shard", ""), None, bars, mean)
