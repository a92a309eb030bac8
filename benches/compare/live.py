"""Q1 as a true stream: rows in order of arrival, windows given out as they close."""

from collections.abc import Callable
from datetime import timedelta

import polars as pl

import shardstream as ss
from compare.contest import OURS, Contest
from compare.events import Events
from compare.windows import AMOUNT, MINUTE, Q1_AGREES, q1_by_polars, q1_of

SLICE_ROWS = 10_000
MOST_LATE = timedelta(seconds=5)
LENGTH = timedelta(minutes=1)
KEYS = ["window_start", "region"]


def q1_live(contest: Contest, name: str, events: Events) -> None:
    """Q1 over slices of 10,000 rows with a watermark of 5 s, results as windows close."""
    slices = list(events.polars.iter_slices(SLICE_ROWS))
    with ss.Engine() as engine:
        stream = engine.create_stream("slices", shards=4)
        for part in slices:
            stream.write(part, key="user_id")
        query = q1_of(stream)
        works = {OURS: lambda: list(query.follow(start="TRIM_HORIZON", end="LATEST")), "polars-micro": micro(slices)}
        contest.run(name, events.rows, works, Q1_AGREES)


def q1_arrival(contest: Contest, name: str, events: Events) -> None:
    """Q1 as a live consumer would have answered, collected at the end."""
    query = q1_of(events.stream)
    slices = list(events.polars.iter_slices(SLICE_ROWS))
    works = {OURS: lambda: query.collect(order="arrival"), "polars-micro": micro(slices)}
    contest.run(name, events.rows, works, Q1_AGREES)


def write_and_q1_live(contest: Contest, name: str, events: Events) -> None:
    """Each slice written to the stream, then what closed taken out of it."""
    slices = list(events.polars.iter_slices(SLICE_ROWS))

    def ours() -> list[ss.WindowResult]:
        with ss.Engine(clock=ss.ManualClock()) as engine:
            stream = engine.create_stream("slices", shards=4)
            query = q1_of(stream)
            updates = query.follow(start="TRIM_HORIZON", timeout="1s")
            given = []
            for part in slices:
                stream.write(part, key="user_id")
                # On a clock that stands still an iterator ends when it has caught up, and goes on where it was.
                given.extend(updates)
            engine.delete_stream("slices")
            given.extend(updates)
            return given

    contest.run(name, events.rows, {OURS: ours, "polars-micro": micro(slices)}, Q1_AGREES)


def micro(slices: list[pl.DataFrame]) -> Callable[[], list[pl.DataFrame]]:
    """polars in micro-batches: partial states of open windows are carried from batch to batch."""
    partial = [
        pl.len().alias("n"),
        AMOUNT.sum().alias("total"),
        AMOUNT.min().alias("least"),
        AMOUNT.max().alias("most"),
    ]
    merged = [
        pl.col("n", "total").sum(),
        (pl.col("total").sum() / pl.col("n").sum()).alias("mean"),
        pl.col("least").min(),
        pl.col("most").max(),
    ]

    def run() -> list[pl.DataFrame]:
        newest = None
        waiting: list[pl.DataFrame] = []
        oldest_open = None
        given = []
        for part in slices:
            states = part.group_by(MINUTE, "region").agg(partial)
            waiting.append(states)
            latest, oldest = part["ts"].max(), states["window_start"].min()
            newest = latest if newest is None else max(newest, latest)
            oldest_open = oldest if oldest_open is None else min(oldest_open, oldest)
            # States are merged when their window closes and not before.
            if newest - MOST_LATE < oldest_open + LENGTH:
                continue
            states = pl.concat(waiting, rechunk=True)
            is_closed = states["window_start"] <= newest - MOST_LATE - LENGTH
            given.append(states.filter(is_closed).group_by(KEYS).agg(merged))
            waiting = [states.filter(~is_closed)]
            oldest_open = waiting[0]["window_start"].min()
        given.append(pl.concat(waiting, rechunk=True).group_by(KEYS).agg(merged))
        return given

    return run


def write_and_q1(contest: Contest, name: str, events: Events) -> None:
    """A whole table written to a stream and queried, beside polars' query alone."""

    def ours() -> ss.WindowResult:
        with ss.Engine() as engine:
            stream = engine.create_stream("events", shards=4)
            stream.write(events.polars, key="user_id")
            return q1_of(stream).collect()

    contest.run(name, events.rows, {OURS: ours, **events.lazily(q1_by_polars(events.lazy))}, Q1_AGREES)
