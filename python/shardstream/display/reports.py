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
    shards = report.shards
    refused = f"{words.plural(report.throttled, 'record')} would have been throttled"
    turned_away = sum(shard.refused for shard in shards)
    heading = page.heading(
        "HotReport",
        report.stream,
        words.plural(report.records, "record"),
        page.key(page.RED, refused) if report.throttled else "nothing is over the limits",
        f"{words.plural(turned_away, 'record')} refused" if turned_away else "",
    )
    contents = [heading]
    if shards:
        contents.append(_hot_shards(report))
        contents += [_explanation(shard) for shard in shards[:_ROWS_MAX]]
    if len(report.keys):
        contents.append(_hot_keys(report.keys))
    return page.frame(*contents)


def _hot_shards(report: Any) -> page.Html:  # noqa: ANN401 - a HotReport
    """What of each shard was, or would have been, refused; and of the whole stream, where there is more than one."""
    shards = report.shards
    salts = sorted({factor for shard in shards for factor in shard.salted})
    columns = [page.Column("Shard"), page.Column("Records", is_number=True), page.Column("Share", is_number=True)]
    if report.throttled:
        heads = ["As it is", "If split", *(f"Salted {factor}" for factor in salts)]
        columns += [page.Column(head, under="throttled", is_number=True) for head in heads]
        columns.append(page.Column("Worst second", under="throttled, UTC"))
    rows = [_hot_shard(shard, salts) for shard in shards[:_ROWS_MAX]]
    if len(shards) > 1 and report.throttled:
        remedies = [report.splitting, *(report.salting.get(factor) for factor in salts)]
        refused = [f"{report.throttled:,}", *(_improved(left, report.throttled) for left in remedies)]
        rows.append([page.faint("the stream"), f"{report.records:,}", "", *refused, ""])
    return page.table(
        columns,
        [row[: len(columns)] for row in rows],
        more=f"\u2026 and {words.plural(len(shards) - _ROWS_MAX, 'shard')} more" if len(shards) > _ROWS_MAX else "",
    )


def _hot_shard(shard: Any, salts: list[int]) -> list[object]:  # noqa: ANN401 - a HotShard
    worst = ""
    if shard.worst_second is not None:
        # The sentences say the day.
        worst = f"{shard.worst_second_throttled:,} at {shard.worst_second:%H:%M:%S}"
    return [
        page.code(shard.shard_id),
        f"{shard.records:,}",
        # The report's shares are parts of 1.
        page.share(shard.share, 1.0, page.RED if shard.throttled else page.BLUE),
        f"{shard.throttled:,}",
        _improved(None if shard.split is None else shard.split.throttled, shard.throttled),
        *(_improved(shard.salted.get(factor), shard.throttled) for factor in salts),
        worst,
    ]


def _improved(after: int | None, before: int) -> page.Html:
    """How many would have been refused then; in bold where that helps."""
    if after is None:
        return page.Html("")
    return page.bold(f"{after:,}") if after < before else page.text(f"{after:,}")


def _explanation(shard: Any) -> page.Html:  # noqa: ANN401 - a HotShard
    return page.paragraph(words.cut(shard.explanation, _EXPLANATION_CHARACTERS))


def _hot_keys(keys: Any) -> page.Html:  # noqa: ANN401 - a Table
    columns = [
        page.Column("Key"),
        page.Column("Shard"),
        page.Column("Records", is_number=True),
        page.Column("Bytes", is_number=True),
        page.Column("Share", under="of its shard", is_number=True),
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
