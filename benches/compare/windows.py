"""Windows over a day of events: Q1 to Q6, over streams, tables and dictionaries, large and small."""

from collections.abc import Callable
from functools import partial

import numpy as np
import polars as pl

import shardstream as ss
from compare.contest import OURS, Agreement, Contest
from compare.events import Events, with_dictionaries

MINUTE = pl.col("ts").dt.truncate("1m").alias("window_start")
AMOUNT = pl.col("amount")
FIVE = ["n", "total", "mean", "least", "most"]
# Sums in another order differ in their last digits.
CLOSE = 1e-9
FIVE_MINUTES = pl.duration(minutes=5)


def five() -> dict[str, ss.Aggregate]:
    """What Q1 computes, in our words."""
    return {
        "n": ss.count(),
        "total": ss.sum("amount"),
        "mean": ss.mean("amount"),
        "least": ss.min("amount"),
        "most": ss.max("amount"),
    }


def five_by_polars() -> list[pl.Expr]:
    """What Q1 computes, in polars' words."""
    return [
        pl.len().alias("n"),
        AMOUNT.sum().alias("total"),
        AMOUNT.mean().alias("mean"),
        AMOUNT.min().alias("least"),
        AMOUNT.max().alias("most"),
    ]


FIVE_BY_SQL = "count(*) as n, sum(amount) as total, avg(amount) as mean, min(amount) as least, max(amount) as most"
Q1_SQL = f"select date_trunc('minute', ts) as window_start, region, {FIVE_BY_SQL} from t group by 1, 2"
Q1_AGREES = Agreement(["window_start", "region"], {"n": 0, **dict.fromkeys(FIVE[1:], CLOSE)})


def q1_of(source: ss.Stream | pl.DataFrame) -> ss.WindowQuery:
    """Q1 over a stream or a table."""
    if isinstance(source, ss.Stream):
        return source.window(ss.tumble("1m"), time="ts", watermark="5s").by("region").agg(**five())
    return ss.window(source, ss.tumble("1m"), time="ts").by("region").agg(**five())


def q1_by_polars(table: pl.LazyFrame) -> pl.LazyFrame:
    """Q1 as polars' users write it."""
    return table.group_by(MINUTE, "region").agg(five_by_polars())


def q1(contest: Contest, name: str, events: Events) -> None:
    """Tumbling minutes by region."""
    works = {OURS: q1_of(events.stream).collect, **events.lazily(q1_by_polars(events.lazy)), **events.sql(Q1_SQL)}
    contest.run(name, events.rows, works, Q1_AGREES)


def q1_over_table(contest: Contest, name: str, events: Events) -> None:
    """Q1 over polars' DataFrame instead of a stream."""
    works = {OURS: q1_of(events.polars).collect, **events.lazily(q1_by_polars(events.lazy))}
    contest.run(name, events.rows, works, Q1_AGREES)


def q1_over_dictionaries(contest: Contest, name: str, events: Events) -> None:
    """Q1 where regions are dictionaries; numpy works on their codes."""
    coded = Events(with_dictionaries(events.polars), events.threads)
    works = {OURS: q1_of(coded.stream).collect, **coded.lazily(q1_by_polars(coded.lazy)), **coded.sql(Q1_SQL)}
    works["numpy"] = by_numpy(coded.polars)
    contest.run(name, events.rows, works, Q1_AGREES)


def by_numpy(table: pl.DataFrame) -> Callable[[], pl.DataFrame]:
    """Q1 with numpy on columns that are ready for it."""
    times = table["ts"].to_physical().to_numpy()
    regions = table["region"].to_arrow()
    codes = regions.indices.to_numpy()
    names = pl.Series(regions.dictionary).cast(pl.String)
    amounts = table["amount"].to_numpy()

    def compute() -> pl.DataFrame:
        minutes = times // 60_000_000
        first = minutes.min()
        place = (minutes - first) * len(names) + codes
        n = np.bincount(place)
        total = np.bincount(place, amounts)
        least = np.full(len(n), np.inf)
        np.minimum.at(least, place, amounts)
        most = np.full(len(n), -np.inf)
        np.maximum.at(most, place, amounts)
        there = np.flatnonzero(n)
        n, total = n[there], total[there]
        starts = (there // len(names) + first) * 60_000_000
        return pl.DataFrame(
            {
                "window_start": pl.Series(starts).cast(pl.Datetime("us", "UTC")),
                "region": names[there % len(names)],
                "n": n,
                "total": total,
                "mean": total / n,
                "least": least[there],
                "most": most[there],
            }
        )

    return compute


def q1_small(contest: Contest, name: str, events: Events) -> None:
    """Q1 over 100,000 rows, warm: what a call costs."""
    small = Events(events.polars.head(100_000).rechunk(), events.threads)
    works = {OURS: q1_of(small.stream).collect, **small.lazily(q1_by_polars(small.lazy)), **small.sql(Q1_SQL)}
    for work in works.values():
        for _ in range(5):
            work()
    contest.run(name, small.rows, works, Q1_AGREES, milliseconds=True)


def q2(contest: Contest, name: str, events: Events) -> None:
    """Tumbling minutes by user: a group for every other row."""
    query = events.stream.window(ss.tumble("1m"), time="ts").by("user_id").agg(n=ss.count(), total=ss.sum("amount"))
    by_polars = events.lazy.group_by(MINUTE, "user_id").agg(pl.len().alias("n"), AMOUNT.sum().alias("total"))
    sql = (
        "select date_trunc('minute', ts) as window_start, user_id, count(*) as n, sum(amount) as total "
        "from t group by 1, 2"
    )
    works = {OURS: query.collect, **events.lazily(by_polars), **events.sql(sql)}
    contest.run(name, events.rows, works, Agreement(["window_start", "user_id"], {"n": 0, "total": CLOSE}))


def q3(contest: Contest, name: str, events: Events) -> None:
    """Hopping five minutes each minute by region."""
    window = ss.hop(size="5m", slide="1m")
    query = events.stream.window(window, time="ts").by("region").agg(n=ss.count(), mean=ss.mean("amount"))
    dynamic = (
        events.lazy.sort("ts")
        .group_by_dynamic("ts", every="1m", period="5m", group_by="region")
        .agg(pl.len().alias("n"), AMOUNT.mean().alias("mean"))
        .rename({"ts": "window_start"})
    )
    sql = (
        "select date_trunc('minute', ts) - o as window_start, region, count(*) as n, avg(amount) as mean from t "
        "cross join (values (interval '0 minutes'), (interval '1 minute'), (interval '2 minutes'), "
        "(interval '3 minutes'), (interval '4 minutes')) as offsets(o) group by 1, 2"
    )
    works = {
        OURS: query.collect,
        **events.lazily(dynamic),
        **events.sql(sql),
        "polars-panes": partial(panes(events.lazy).collect, engine="streaming"),
    }
    started = events.lazy.group_by("region").agg(pl.col("ts").min().dt.truncate("1m")).select(pl.col("ts").max())
    # polars leaves out a region's windows that begin before its first row.
    but = pl.col("window_start") >= started.collect().item()
    agreement = Agreement(["window_start", "region"], {"n": 0, "mean": CLOSE}, but)
    contest.run(name, events.rows, works, agreement)


def panes(table: pl.LazyFrame) -> pl.LazyFrame:
    """The hop by hand: minutes first, then each minute into the five windows that it is part of."""
    minutes = table.group_by(MINUTE, "region").agg(pl.len().alias("n"), AMOUNT.sum().alias("total"))
    shifted = [minutes.with_columns(pl.col("window_start") - pl.duration(minutes=minute)) for minute in range(5)]
    together = pl.concat(shifted).group_by("window_start", "region").agg(pl.col("n", "total").sum())
    return together.with_columns((pl.col("total") / pl.col("n")).alias("mean"))


def q4(contest: Contest, name: str, events: Events) -> None:
    """Sessions of a gap of five minutes by user."""
    query = events.stream.window(ss.session("5m"), time="ts").by("user_id").agg(n=ss.count(), total=ss.sum("amount"))
    is_new = (pl.col("ts") - pl.col("ts").shift() >= FIVE_MINUTES).fill_null(value=True)
    by_polars = (
        events.lazy.sort("ts")
        .with_columns(is_new.cum_sum().over("user_id").alias("session"))
        .group_by("user_id", "session")
        .agg(pl.col("ts").min().alias("window_start"), pl.len().alias("n"), AMOUNT.sum().alias("total"))
    )
    sql = """
        with gaps as (
            select user_id, ts, amount, case when ts - lag(ts) over w < interval '5 minutes' then 0 else 1 end as is_new
            from t window w as (partition by user_id order by ts)
        ), sessions as (
            select user_id, ts, amount, sum(is_new) over (
                partition by user_id order by ts rows between unbounded preceding and current row
            ) as session from gaps
        )
        select user_id, session, min(ts) as window_start, count(*) as n, sum(amount) as total
        from sessions group by user_id, session
    """
    works = {OURS: query.collect, **events.lazily(by_polars), **events.sql(sql)}
    contest.run(name, events.rows, works, Agreement(["window_start", "user_id"], {"n": 0, "total": CLOSE}))


def q5(contest: Contest, name: str, events: Events) -> None:
    """Rolling ten minutes by region: a row out for every row in."""
    query = events.stream.window(ss.rolling("10m"), time="ts").by("region").agg(total=ss.sum("amount"))
    by_polars = events.lazy.sort("ts").select(
        pl.col("ts").alias("window_end"), "region", AMOUNT.rolling_sum_by("ts", "10m").over("region").alias("total")
    )
    # Their frames hold both ends; ours holds the later one only.
    sql = """
        select ts as window_end, region, sum(amount) over (
            partition by region order by ts
            range between interval '9 minutes 59.999999 seconds' preceding and current row
        ) as total from t
    """
    works = {OURS: query.collect, **events.lazily(by_polars), **events.sql(sql)}
    # Who subtracts what leaves the window gathers errors on the way.
    contest.run(name, events.rows, works, Agreement(["window_end", "region"], {"total": 1e-6}))


def q6(contest: Contest, name: str, events: Events) -> None:
    """About how many users, and about the 99th percentile, each minute."""
    query = events.stream.window(ss.tumble("1m"), time="ts").agg(
        users=ss.approx_count_distinct("user_id"), p99=ss.quantile("amount", 0.99)
    )
    by_polars = events.lazy.group_by(MINUTE).agg(
        pl.col("user_id").approx_n_unique().alias("users"), AMOUNT.quantile(0.99, "linear").alias("p99")
    )
    duck = (
        "select date_trunc('minute', ts) as window_start, approx_count_distinct(user_id) as users, "
        "approx_quantile(amount, 0.99) as p99 from t group by 1"
    )
    fusion = duck.replace("approx_count_distinct", "approx_distinct").replace(
        "approx_quantile", "approx_percentile_cont"
    )
    works = {
        OURS: query.collect,
        **events.lazily(by_polars),
        "duckdb": events.sql(duck)["duckdb"],
        "datafusion": events.sql(fusion)["datafusion"],
    }
    # A minute of a small run has few rows, where a percentile is anything between two of them.
    contest.run(name, events.rows, works, Agreement(["window_start"], {"users": 0.25, "p99": 0.1}))
