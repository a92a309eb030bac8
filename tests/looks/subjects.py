"""What is looked at by itself: one object of each kind that a notebook shows, and those that are hard to show.

Each function gives one, made with the engine that it is given.
"""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

import shardstream as ss

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
# Names that a page must not take for its own.
ODD = '<script>alert("1")</script> & $x^2$'


def engine():
    """An engine whose time stands still, as each subject is made with."""
    return ss.Engine(clock=ss.ManualClock(START), seed=7)


def engine_of_three_streams(engine):
    """An engine with three streams, one of them without records."""
    stream_with_traffic(engine)
    engine.create_stream("orders", shards=1, retention="48h").put(b"{}", key="order-1")
    engine.create_stream("payments", mode="ON_DEMAND")
    return engine


def engine_that_is_closed(engine):
    """An engine that is closed."""
    engine.close()
    return engine


def stream_without_records(engine):
    """A stream that has just been created."""
    return engine.create_stream("empty", shards=2)


def stream_with_traffic(engine):
    """A stream of four shards, for two hours: one key of a hundred has a third of the records."""
    stream = engine.create_stream("clicks", shards=4)
    dice = np.random.default_rng(7)
    for minute in range(120):
        rows = int(20 + 15 * np.sin(minute / 9))
        users = [0 if dice.random() < 1 / 3 else int(dice.integers(1, 100)) for _ in range(rows)]
        stream.put_many([(_click(user, dice), f"user-{user}") for user in users])
        engine.clock.advance("1m")
    return stream


def stream_that_was_resharded(engine):
    """A stream after splits and merges, with records before, between and after them."""
    stream = stream_with_traffic(engine)
    for _ in range(3):
        opened = [shard for shard in stream.shards() if shard.is_open]
        first, second, *_, last = sorted(opened, key=lambda shard: shard.starting_hash_key)
        stream.split_shard(last)
        stream.merge_shards(first, second)
        engine.clock.advance("10m")
        stream.put_many([(b"{}", f"user-{user}") for user in range(200)])
    return stream


def stream_that_was_split_ten_times_over(engine):
    """A stream of a thousand shards, open and closed, ten generations deep."""
    stream = engine.create_stream("deep", shards=1)
    for _ in range(9):
        for shard in [shard for shard in stream.shards() if shard.is_open]:
            stream.split_shard(shard)
        engine.clock.advance("1m")
    stream.put_many([(b"{}", f"user-{user}") for user in range(5_000)])
    return stream


def stream_of_ten_thousand_shards(engine):
    """A stream of 10,000 shards."""
    stream = engine.create_stream("wide", shards=10_000)
    stream.put_many([(b"{}", f"user-{user}") for user in range(20_000)])
    return stream


def stream_that_is_deleted(engine):
    """A stream that is no more."""
    stream = engine.create_stream("gone", shards=2)
    engine.delete_stream("gone")
    return stream


def records(engine):
    """Records of JSON, as most are."""
    return stream_with_traffic(engine).read()


def records_that_are_odd(engine):
    """Records of JSON, of bytes, and of text that looks like HTML, also as key."""
    stream = engine.create_stream("mixed", shards=2)
    stream.put_many([(_click(1, np.random.default_rng(1)), "user-1"), (bytes(range(256)), "bytes"), (b"", "empty")])
    engine.clock.advance("90s")
    stream.put_many([(ODD.encode(), ODD), (b"x" * 5_000, "long"), *((b"{}", f"user-{user}") for user in range(50))])
    return stream.read()


def records_of_none(engine):
    """No records."""
    return engine.create_stream("none").read()


def window_result_with_late_rows(engine):
    """Windows of five minutes by region, as a live consumer saw them; a row in twenty was late."""
    return _sales(engine).collect(order="arrival")


def window_result_of_many_columns(engine):
    """A result of thirty columns, one of them with a name that is long and looks like HTML."""
    table = pl.DataFrame(
        {"ts": [START] * 3, ODD * 3: ["a", None, ODD]}
        | {f"measurement_of_sensor_{number}": [number + 1 / 3, float("nan"), None] for number in range(28)}
    )
    sums = {f"sum_{number}": ss.sum(f"measurement_of_sensor_{number}") for number in range(28)}
    return ss.window(table, ss.tumble("1m"), time="ts").by(ODD * 3).agg(**sums).collect()


def window_result_without_rows(engine):
    """The windows of no rows."""
    table = pl.DataFrame(schema={"ts": pl.Datetime("us", "UTC"), "amount": pl.Float64})
    return ss.window(table, ss.tumble("1m"), time="ts").agg(total=ss.sum("amount")).collect()


def traffic(engine):
    """What the shards of a stream took, and when."""
    return stream_with_traffic(engine).traffic()


def late_rows(engine):
    """The rows that came too late, as a table."""
    return _sales(engine).collect(order="arrival").late


def replay_report(engine):
    """What a replay of three hours did, at the limits of four shards."""
    table = pl.DataFrame(
        {
            "ts": [START + timedelta(seconds=second) for second in range(10_800)],
            "user": [f"user-{second % 97}" for second in range(10_800)],
        }
    )
    return ss.replay(table, engine.create_stream("replayed", shards=4), key="user", time="ts")


def stream_that_is_hot(engine):
    """A stream with a key that is more than a shard of the service takes."""
    stream = engine.create_stream("hot", shards=4)
    for second in range(60):
        keys = ["tenant-42"] * (1_500 if 20 < second < 40 else 300) + [f"tenant-{number}" for number in range(500)]
        stream.put_many([(b"x" * 100, key) for key in keys])
        engine.clock.advance("1s")
    return stream


def hot_report(engine):
    """Which shards of a stream are hot, and why."""
    return stream_that_is_hot(engine).explain_hot(top=10)


def _click(user, dice):
    return json.dumps({"user": f"user-{user}", "page": f"/item/{dice.integers(1, 400)}"}).encode()


def _sales(engine):
    dice = np.random.default_rng(3)
    seconds = np.arange(7_200)
    seconds = np.where(dice.random(len(seconds)) < 0.05, seconds - dice.integers(60, 3_600, len(seconds)), seconds)
    table = pl.DataFrame(
        {
            "ts": [START + timedelta(seconds=int(second)) for second in seconds],
            "region": dice.choice(["north", "south", "east", "west"], len(seconds)),
            "amount": dice.gamma(2, 30, len(seconds)).round(2),
        }
    )
    stream = engine.create_stream("sales", shards=2)
    stream.write(table, key="region", time="ts")
    query = stream.window(ss.tumble("5m"), time="ts", watermark="30s").by("region")
    return query.agg(n=ss.count(), total=ss.sum("amount"), p95=ss.quantile("amount", 0.95))


# What is too wide for most pages, and may scroll by itself.
WIDE = {late_rows, records_that_are_odd, window_result_of_many_columns}
SUBJECTS = [
    engine_of_three_streams,
    engine_that_is_closed,
    stream_without_records,
    stream_with_traffic,
    stream_that_was_resharded,
    stream_that_was_split_ten_times_over,
    stream_of_ten_thousand_shards,
    stream_that_is_deleted,
    records,
    records_that_are_odd,
    records_of_none,
    window_result_with_late_rows,
    window_result_of_many_columns,
    window_result_without_rows,
    late_rows,
    replay_report,
    traffic,
    hot_report,
]
# Charts: by name, of which subject, and what `plot` is asked for.
CHARTS = {
    "windows": (window_result_with_late_rows, {}),
    "windows_of_a_column": (window_result_with_late_rows, {"y": "p95"}),
    "windows_as_bars": (window_result_with_late_rows, {"y": "total", "kind": "bar"}),
    "lateness": (window_result_with_late_rows, {"kind": "lateness"}),
    "throughput": (stream_with_traffic, {}),
    "throughput_over_limits": (stream_that_is_hot, {}),
    "throttles": (stream_that_is_hot, {"kind": "throttles"}),
    "skew": (stream_that_is_hot, {"kind": "skew"}),
    "lineage": (stream_that_was_resharded, {"kind": "lineage"}),
    "ring": (stream_that_was_resharded, {"kind": "ring"}),
    "ring_of_ten_thousand_shards": (stream_of_ten_thousand_shards, {"kind": "ring"}),
    "replay": (replay_report, {}),
    "hot": (hot_report, {}),
}
