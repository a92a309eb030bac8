"""Threads: the same answers for any number, and clear words for numbers that are none."""

import numpy as np
import polars as pl
import pytest

import shardstream as ss

ROWS = 140_000  # parts have at least 65,536 rows: enough for two
START = 1_767_225_600_000_000


@pytest.fixture(scope="module")
def events() -> pl.DataFrame:
    """Two hours of events, a few seconds out of order, with nulls, long keys and values that sum exactly."""
    random = np.random.default_rng(3)
    times = START + np.sort(random.integers(0, 7_200_000_000, ROWS)) - random.integers(0, 5_000_000, ROWS)
    keys = "a key for user " + pl.Series(random.integers(0, 300, ROWS)).cast(pl.String)
    return pl.DataFrame(
        {
            "ts": pl.Series(times).cast(pl.Datetime("us", "UTC")),
            "user": keys,
            "region": pl.Series(random.integers(0, 5, ROWS)).cast(pl.String),
            "amount": pl.Series(random.integers(-1_000, 1_000, ROWS) / 4.0),
        }
    ).with_columns(
        pl.when(pl.int_range(ROWS) % 101 == 0).then(None).otherwise(pl.col("amount")).alias("amount"),
        pl.when(pl.int_range(ROWS) % 997 == 0).then(None).otherwise(pl.col("region")).alias("region"),
    )


CASES = [
    (ss.tumble("1m"), ("user", "region"), False),
    (ss.tumble("1m"), ("region",), True),
    (ss.hop(size="5m", slide="1m"), ("region",), False),
    (ss.hop(size="5m", slide="2m"), (), False),
    (ss.cumulate(size="1h", step="10m"), ("region",), False),
    (ss.session("20s"), ("user",), False),
    (ss.session("20s"), ("user",), True),
    (ss.rolling("2m"), ("region",), False),
]


@pytest.mark.parametrize(("window", "keys", "shuffled"), CASES, ids=str)
def test_any_number_of_threads_answers_alike(events, window, keys, shuffled):
    table = events.sample(fraction=1.0, shuffle=True, seed=5) if shuffled else events
    aggregates = {
        "n": ss.count(),
        "values": ss.count("amount"),
        "total": ss.sum("amount"),
        "mean": ss.mean("amount"),
        "least": ss.min("amount"),
        "most": ss.max("user"),
        "users": ss.approx_count_distinct("user"),
        "last": ss.last("amount"),
    }
    query = ss.window(table, window, time="ts").by(*keys).agg(**aggregates)
    alone, shared = query.collect(threads=1), query.collect(threads=2)
    assert pl.DataFrame(shared).equals(pl.DataFrame(alone))
    assert shared.stats.as_dict() == alone.stats.as_dict()


def test_stream_of_rows_and_of_json_answers_alike_on_threads(events):
    with ss.Engine(threads=2) as engine:
        rows, texts = engine.create_stream("rows", shards=4), engine.create_stream("texts", shards=4)
        rows.write(events, key="user")
        texts.write(
            events.select("user", pl.struct("ts", "region", "amount").struct.json_encode().alias("data")),
            key="user",
            data="data",
        )
        answers = []
        for stream in (rows, texts):
            query = stream.window(ss.tumble("1m"), time="ts").by("region").agg(n=ss.count(), total=ss.sum("amount"))
            shared, alone = query.collect(), query.collect(threads=1)
            assert pl.DataFrame(shared).equals(pl.DataFrame(alone))
            answers.append(pl.DataFrame(shared).select("region", "n", "total"))
        assert answers[0].equals(answers[1])


def test_live_windows_are_those_of_threads(events):
    with ss.Engine() as engine:
        stream = engine.create_stream("events", shards=2)
        stream.write(events, key="user")
        query = stream.window(ss.tumble("1m"), time="ts", watermark="5s").by("user").agg(n=ss.count())
        live = pl.concat(pl.DataFrame(update) for update in query.follow(start="TRIM_HORIZON", end="LATEST"))
        assert live.equals(pl.DataFrame(query.collect(threads=2)))


@pytest.mark.parametrize("count", [0, -1, 2**70, True, "2", 1.0])
def test_number_that_is_none_of_threads_is_named(events, count):
    query = ss.window(events, ss.tumble("1m"), time="ts").agg(ss.count())
    with pytest.raises(ss.errors.InvalidArgumentException, match="threads is `"):
        query.collect(threads=count)


def test_variable_that_is_no_number_is_named(events, monkeypatch):
    query = ss.window(events, ss.tumble("1m"), time="ts").agg(ss.count())
    monkeypatch.setenv("SHARDSTREAM_THREADS", "many")
    with pytest.raises(ss.errors.InvalidArgumentException, match="SHARDSTREAM_THREADS is `many`"):
        query.collect()
    monkeypatch.setenv("SHARDSTREAM_THREADS", "2")
    assert query.collect().stats.rows == ROWS
