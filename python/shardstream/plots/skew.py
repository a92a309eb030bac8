"""How unevenly records fall: the heaviest keys, and the records of each shard."""

from __future__ import annotations

from collections import Counter

from shardstream.plots.colour import of_shard
from shardstream.plots.picture import Axis, Bar, Bars, Blank
from shardstream.plots.traffic import short

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Protocol

    from shardstream.plots import column
    from shardstream.plots.picture import Picture

    class HotShard(Protocol):
        """A shard of a `HotReport`, as far as charts need it."""

        @property
        def shard_id(self) -> str:
            """Its name."""

        @property
        def share(self) -> float:
            """Its part of the stream's records."""

    class HotReport(Protocol):
        """What `Stream.explain_hot` gives, as far as charts need it."""

        @property
        def stream(self) -> str:
            """The stream's name."""

        @property
        def keys(self) -> column.Columns:
            """The heaviest keys, each with its share of its shard's load."""

        @property
        def shards(self) -> Iterable[HotShard]:
            """The shards they fall on."""


__all__ = ["heaviest_keys", "per_shard"]

BARS_MAX = 40
KEYS_MAX = 20
_SHARD = Axis("shard", "shard")
_PERCENT = 100


def heaviest_keys(report: HotReport) -> Picture:
    """The heaviest keys, and what share of their shard's load each is."""
    title = f"{report.stream}: its heaviest keys"
    keys = report.keys
    if not len(keys):
        return Blank(title, ["no records"])
    columns = [keys.column(name) for name in ("shard_id", "partition_key", "records", "share")]
    rows = sorted(zip(*columns, strict=True), key=lambda row: (-row[2], row[1], row[0]))[:KEYS_MAX]
    places = Counter(key for _, key, _, _ in rows)
    # A key that a split or a merge sent to another shard is there once for each.
    bars = [
        Bar(
            key if places[key] == 1 else f"{key} ({short(shard_id)})",
            round(_PERCENT * share, 2),
            short(shard_id),
            of_shard(shard_id),
        )
        for shard_id, key, _, share in rows
    ]
    said = [f"{short(shard.shard_id)} has {shard.share:.0%}" for shard in report.shards if shard.share]
    subtitle = [f"of the stream's records {', '.join(said[:4])}{' ...' if len(said) > 4 else ''}"] if said else []  # noqa: PLR2004 - what fits a line
    if len(keys) > len(bars):
        subtitle.append(f"{len(bars)} of {len(keys):,} keys")
    return Bars(title, subtitle, Axis("share", "share of its shard's load (%)"), Axis("key", ""), _SHARD, bars)


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
    return Bars(title, subtitle, Axis("records", "records", "count"), Axis("shard", ""), None, bars, mean)
