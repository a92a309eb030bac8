"""Calls that take long or for ever, one a process: each is interrupted once it is under way, and says what came of it.

Run as `python interrupted.py NAME FOLDER`. It says when it begins and when it let go, and then uses the engine.
"""

import os
import sys
import threading
import time

import polars as pl

import shardstream as ss

# How long a signal is on its way, at most.
SIGNAL_S = 5
folder = sys.argv[2] if len(sys.argv) > 2 else ""
engine = ss.Engine()
stream = engine.create_stream("clicks", shards=2)
minutes = stream.window(ss.tumble("1m")).agg(n=ss.count())


def table(rows):
    """Rows of half a year, by many keys."""
    return pl.DataFrame({"number": pl.int_range(rows, eager=True)}).with_columns(
        key=pl.col("number").cast(pl.String),
        at=pl.datetime(2026, 1, 1, time_zone="UTC") + pl.duration(seconds=16 * pl.col("number")),
    )


def filled(rows):
    """The stream with that many rows of a table."""
    stream.write(table(rows), key="key")
    return stream


def json_filled(rows):
    """The stream with that many records of JSON."""
    record = b'{"a": 1, "b": "some text", "c": [1, 2, 3], "d": null, "e": 1.5}'
    stream.put_many([(record, "user-1")] * rows)
    return stream


def stored(rows):
    """A stream in a folder, of records in memory and in its journal."""
    kept = ss.Engine(folder, durability="none")
    kept.create_stream("clicks", shards=2).write(table(rows), key="key")
    return kept


def subscription():
    """The events of a consumer that nothing comes for."""
    client = engine.client()
    consumer = client.register_stream_consumer(StreamARN=stream.arn, ConsumerName="reader")["Consumer"]["ConsumerARN"]
    return client.subscribe_to_shard(
        ConsumerARN=consumer, ShardId="shardId-000000000000", StartingPosition={"Type": "LATEST"}
    )["EventStream"]


def waited(make, wait):
    """Something that is made before, and waited for."""
    made = make()
    return lambda: wait(made)


CALLS = {
    "follow": lambda: lambda: list(stream.follow()),
    "follow of windows": lambda: lambda: list(minutes.follow()),
    "follow of changes": lambda: lambda: list(minutes.follow(emit="changes", end=None)),
    "paced replay": lambda: waited(
        lambda: table(1_000_000), lambda rows: ss.replay(rows, stream, key="key", time="at", speed=1_000)
    ),
    "replay": lambda: waited(lambda: table(6_000_000), lambda rows: ss.replay(rows, stream, key="key", time="at")),
    "replay of pairs": lambda: lambda: ss.replay(((str(i), b"x") for i in iter(int, 1)), stream),
    "result of a replay": lambda: waited(
        lambda: ss.replay(table(1_000_000), stream, key="key", time="at", speed=1, background=True),
        lambda replay: replay.result(),
    ),
    "wait of a view": lambda: waited(lambda: stream.live(minutes), lambda view: view.wait(timeout=None)),
    "write": lambda: waited(lambda: table(6_000_000), lambda rows: stream.write(rows, key="key")),
    "put_many": lambda: waited(lambda: [(b"some data", str(i)) for i in range(3_000_000)], stream.put_many),
    "puts in a loop": lambda: lambda: [stream.put(b"some data", key="user-1") for _ in iter(int, 1)],
    "read and walk": lambda: waited(
        lambda: filled(2_000_000), lambda stream: [record.data for record in stream.read()]
    ),
    "to_numpy": lambda: waited(lambda: filled(3_000_000), lambda stream: stream.read().to_numpy("data")),
    "select": lambda: waited(lambda: filled(6_000_000), lambda stream: stream.read().select("data")),
    "rows": lambda: waited(lambda: json_filled(2_000_000), lambda stream: stream.read().rows()),
    "to_pylist": lambda: waited(lambda: filled(2_000_000).read().rows(), lambda rows: rows.to_pylist()),
    "column": lambda: waited(lambda: filled(4_000_000).read().rows(), lambda rows: rows.column("at")),
    "bytes of a report": lambda: waited(lambda: stream.write(table(6_000_000), key="key"), lambda report: report.bytes),
    "collect": lambda: waited(
        lambda: filled(2_000_000).window(ss.rolling("100d"), time="at").agg(n=ss.count_distinct("number")),
        lambda query: query.collect(),
    ),
    "collect of a table": lambda: waited(
        lambda: ss.window(table(2_000_000), ss.rolling("100d"), time="at").agg(n=ss.count_distinct("number")),
        lambda query: query.collect(),
    ),
    "waiter": lambda: lambda: engine.client().get_waiter("stream_exists").wait(StreamName="nobody"),
    "subscription": lambda: waited(subscription, lambda events: [*events, *subscription()]),
    "snapshot": lambda: waited(lambda: filled(4_000_000), lambda _: engine.snapshot(folder)),
    "seal": lambda: waited(lambda: stored(800_000), lambda kept: kept.stream("clicks").seal()),
    "close": lambda: waited(lambda: stored(800_000), lambda kept: kept.close()),
}


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main(name):
    """Begin a call, be interrupted, and say so."""
    call = CALLS[name]()
    ended = "interrupted"
    try:
        say("begins")
        call()
        # The signal comes to a call that is over.
        ended = "finished"
        threading.Event().wait(SIGNAL_S)
    except KeyboardInterrupt:
        say(ended, time.monotonic())
    if name in ("seal", "close", "snapshot"):
        with ss.Engine(folder, read_only=True) as reader:
            say("records", len(reader.stream("clicks")))
    before = len(stream)
    stream.put(b"after", key="user-1")
    assert len(stream) == before + 1
    assert next(stream.follow("TRIM_HORIZON")) is not None
    assert stream.read()[-1].data == b"after"
    say("usable")
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
