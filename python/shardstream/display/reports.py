"""What a replay did, and which shards are hot, as a notebook shows it."""

from __future__ import annotations

import datetime

from shardstream.display import page, words

TYPE_CHECKING = False  # `typing` costs more to import than all of this package
if TYPE_CHECKING:
    from typing import Any

    from shardstream.replays import ReplayReport

__all__ = ["hot_report", "replay_report"]

_ROWS_MAX = 10
_CAUSES = {"key": "one key", "keys": "its keys together"}
_KEY_CHARACTERS, _EXPLANATION_CHARACTERS = 40, 600


@page.one_line_if_it_fails("ReplayReport")
def replay_report(report: ReplayReport) -> str:
    """The report of a replay as HTML."""
    elapsed = words.duration(datetime.timedelta(seconds=report.elapsed))
    when = ""
    if report.first_event_time is not None and report.last_event_time is not None:
        when = f"event time {words.span(report.first_event_time, report.last_event_time)}"
    heading = page.heading(
        "ReplayReport",
        "",
        f"{words.plural(report.records, 'record')} stored, {words.size(report.bytes)}",
        f"{words.plural(report.rows, 'row')} in {elapsed}, {words.rate(report.rows, report.elapsed)} a second",
        when,
        page.key(page.RED, f"{words.plural(report.throttled, 'row')} throttled") if report.throttled else "",
        f"{words.plural(report.skipped, 'line')} skipped" if report.skipped else "",
    )
    stored = sorted(report.per_shard.items(), key=lambda pair: (-pair[1], pair[0]))
    if not stored:
        return page.frame(heading)
    columns = [
        page.Column("Shard"),
        page.Column("Records", is_number=True),
        page.Column("Share", is_number=True),
    ]
    rows = [
        [
            page.code(shard_id),
            f"{count:,}",
            page.share(count, report.records),
        ]
        for shard_id, count in stored[:_ROWS_MAX]
    ]
    rest = stored[_ROWS_MAX:]
    more = ""
    if rest:
        held = sum(count for _, count in rest)
        more = f"\u2026 and {words.plural(len(rest), 'shard')} more with {words.plural(held, 'record')}"
    return page.frame(heading, page.table(columns, rows, more=more))


@page.one_line_if_it_fails("HotReport")
def hot_report(report: Any) -> str:  # noqa: ANN401 - a HotReport
    """The report on hot shards as HTML."""
    shards, keys = list(report.shards), report.keys
    refused = sum(shard.throttled for shard in shards)
    heading = page.heading(
        "HotReport",
        "",
        words.plural(len(shards), "shard"),
        page.key(page.RED, f"{words.plural(refused, 'record')} would be throttled") if refused else "nothing throttled",
    )
    contents = [heading]
    if shards:
        contents.append(_hot_shards(shards))
        contents += [_explanation(shard) for shard in shards[:_ROWS_MAX] if shard.explanation]
    if len(keys):
        contents.append(_hot_keys(keys))
    return page.frame(*contents)


def _hot_shards(shards: list[Any]) -> page.Html:
    salts = sorted({factor for shard in shards for factor in shard.salted or ()})
    refused = ["As it is", "If split", *(f"Salted {factor}" for factor in salts)]
    columns = [
        page.Column("Shard"),
        page.Column("Records", is_number=True),
        page.Column("Share", is_number=True),
        *(page.Column(head, under="throttled", is_number=True) for head in refused),
        page.Column("Worst second", under="throttled, UTC"),
    ]
    return page.table(
        columns,
        [_hot_shard(shard, salts) for shard in shards[:_ROWS_MAX]],
        more=f"\u2026 and {words.plural(len(shards) - _ROWS_MAX, 'shard')} more" if len(shards) > _ROWS_MAX else "",
    )


def _hot_shard(shard: Any, salts: list[int]) -> list[object]:  # noqa: ANN401 - a shard of a HotReport
    salted = shard.salted or {}
    worst = ""
    if shard.worst_second is not None:
        worst = f"{shard.worst_second_throttled:,} at {words.at(shard.worst_second)}"
    return [
        page.Html(f"{page.code(shard.shard_id)}{'' if shard.is_open else ', closed'}"),
        f"{shard.records:,}",
        # The report's shares are parts of 1.
        page.share(shard.share, 1.0, page.RED if shard.throttled else page.BLUE),
        f"{shard.throttled:,}",
        "" if shard.split is None else _improved(shard.split.throttled, shard.throttled),
        *(_improved(salted[factor], shard.throttled) if factor in salted else "" for factor in salts),
        page.whole(worst),
    ]


def _improved(after: int, before: int) -> page.Html:
    """How many are refused afterwards; in bold where that helps."""
    return page.bold(f"{after:,}") if after < before else page.text(f"{after:,}")


def _explanation(shard: Any) -> page.Html:  # noqa: ANN401 - a shard of a HotReport
    said = words.cut(shard.explanation, _EXPLANATION_CHARACTERS)
    cause = _CAUSES.get(shard.cause, "")
    return page.paragraph(page.code(shard.shard_id), page.faint(f" {cause}: ") if cause else ": ", said)


def _hot_keys(keys: Any) -> page.Html:  # noqa: ANN401 - a Table
    columns = [
        page.Column("Key"),
        page.Column("Shard"),
        page.Column("Records", is_number=True),
        page.Column("Bytes", is_number=True),
        page.Column("Share", is_number=True),
    ]
    rows = [
        [
            page.code(words.cut(row["partition_key"], _KEY_CHARACTERS)),
            page.code(row["shard_id"]),
            f"{row['records']:,}",
            words.size(row["bytes"]),
            page.share(row["share"], 1.0),
        ]
        for row in keys.slice(0, _ROWS_MAX).to_pylist()
    ]
    rest = len(keys) - len(rows)
    return page.table(columns, rows, more=f"\u2026 and {words.plural(rest, 'key')} more" if rest > 0 else "")
